//! `hookwright schedules`: business hours of the org.

use clap::Subcommand;
use serde_json::Value;

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, text_at},
    paging::Paging,
    session::Session,
    source,
};

const DOCUMENT: &str = "\
A document:
  {\"name\": \"Support\", \"timeZone\": \"Europe/Berlin\",
   \"hours\": {\"monday\": [{\"from\": \"09:00\", \"to\": \"17:30\"}], \"friday\": [{\"from\": \"09:00\", \"to\": \"13:00\"}]},
   \"holidays\": [{\"date\": \"2026-12-25\", \"name\": \"Christmas\"}], \"isDefault\": true}";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright schedules create support.json
  hookwright schedules ls
  hookwright eval '/#fn:inBusinessHours'")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a schedule; the first one is the default
    #[command(after_help = format!("Examples:\n  hookwright schedules create support.json\n\n{DOCUMENT}"))]
    Create {
        /// The document, or - for standard input
        file: String,
    },
    /// List schedules, oldest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright schedules ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a schedule: its hours and holidays
    #[command(after_help = "Examples:\n  hookwright schedules show 6a1f2e3d4c5b6a7980a1b2c5")]
    Show(ScheduleArg),
    /// Change a schedule: the keys in the file take the place of its own
    #[command(after_help = format!("\
Examples:
  hookwright schedules update 6a1f2e3d4c5b6a7980a1b2c5 support.json
  echo '{{\"isDefault\": true}}' | hookwright schedules update 6a1f2e3d4c5b6a7980a1b2c5 -

{DOCUMENT}"))]
    Update {
        #[command(flatten)]
        schedule: ScheduleArg,
        /// The document, or - for standard input
        file: String,
    },
    /// Delete a schedule
    #[command(visible_alias = "delete", after_help = "Examples:\n  hookwright schedules rm 6a1f2e3d4c5b6a7980a1b2c5")]
    Rm(ScheduleArg),
}

#[derive(Debug, clap::Args)]
struct ScheduleArg {
    /// The schedule's id
    id: String,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Create { file } => {
            session.show(&session.client.post(&Address::of(&["schedules"]), source::read(&file)?)?, view)
        }
        Command::Ls { paging } => session.list(Address::of(&["schedules"]), &paging, table),
        Command::Show(schedule) => session.show(&session.client.get(&schedule.address())?, view),
        Command::Update { schedule, file } => {
            session.show(&session.client.put(&schedule.address(), source::read(&file)?)?, view)
        }
        Command::Rm(schedule) => {
            session.remove(&schedule.address(), format!("The schedule {} is deleted.", schedule.id))
        }
    }
}

impl ScheduleArg {
    fn address(&self) -> Address {
        Address::of(&["schedules", &self.id])
    }
}

fn view(schedule: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[
        ("id", text_at(schedule, "/id")),
        ("name", text_at(schedule, "/attributes/name")),
        ("time zone", text_at(schedule, "/attributes/timeZone")),
        ("default", text_at(schedule, "/attributes/isDefault")),
    ]);
    page.line("");
    let hours = schedule.pointer("/attributes/hours");
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let spans_of = |day: &str| hours.and_then(|hours| hours.get(day)).map_or_else(String::new, spans);
    page.table(["DAY", "HOURS"], days.map(|day| [day.to_owned(), spans_of(day)]).into());
    let holidays = schedule.pointer("/attributes/holidays").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !holidays.is_empty() {
        page.line("");
        let row = |holiday: &Value| {
            let hours = holiday.get("hours").map_or_else(String::new, spans);
            [text_at(holiday, "/date"), text_at(holiday, "/name"), hours]
        };
        page.table(["HOLIDAY", "NAME", "HOURS"], holidays.iter().map(row).collect());
    }
    page
}

fn spans(spans: &Value) -> String {
    let spans = spans.as_array().map_or(&[][..], Vec::as_slice);
    spans
        .iter()
        .map(|span| format!("{}–{}", text_at(span, "/from"), text_at(span, "/to")))
        .collect::<Vec<_>>()
        .join(", ")
}

fn table(schedules: &[Value]) -> Page {
    if schedules.is_empty() {
        return Page::of_line("There are no schedules. Make one with `hookwright schedules create FILE`.");
    }
    let mut page = Page::default();
    let row = |schedule: &Value| {
        let attribute = |name: &str| text_at(schedule, &format!("/attributes/{name}"));
        [text_at(schedule, "/id"), attribute("name"), attribute("timeZone"), attribute("isDefault")]
    };
    page.table(["ID", "NAME", "TIME ZONE", "DEFAULT"], schedules.iter().map(row).collect());
    page
}
