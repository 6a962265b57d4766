//! `hookwright recurring-schedules`: workflows that are called again and again.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    duration,
    failure::Failure,
    output::{Page, text_at},
    paging::Paging,
    session::Session,
    source,
};

const COLLECTION: &str = "recurring-schedules";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright recurring-schedules preview --cron '0 9 * * MON-FRI' --time-zone Europe/Berlin
  hookwright recurring-schedules create report --title 'Daily report' --cron '0 9 * * MON-FRI' --time-zone Europe/Berlin
  hookwright recurring-schedules ls")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Have a callable workflow called again and again
    #[command(after_help = "\
Examples:
  hookwright recurring-schedules create report --title 'Daily report' --cron '0 9 * * MON-FRI' --time-zone Europe/Berlin
  hookwright recurring-schedules create sync --title 'Stock' --every 15m --inputs '{\"store\": 1}'")]
    Create {
        /// The workflow, by name or id
        workflow: String,
        /// What people call it
        #[arg(long)]
        title: String,
        #[command(flatten)]
        recurrence: RecurrenceArgs,
        /// What step 1 sees: an object as JSON, a file with one, or - for standard input [default: {}]
        #[arg(long, value_name = "JSON|FILE")]
        inputs: Option<String>,
    },
    /// List recurring schedules, newest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright recurring-schedules ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a recurring schedule, with its next occurrences
    #[command(after_help = "Examples:\n  hookwright recurring-schedules show 6a1f2e3d4c5b6a7980a1b2c5")]
    Show(ScheduleArg),
    /// Change what is named of a recurring schedule
    #[command(after_help = "\
Examples:
  hookwright recurring-schedules update 6a1f2e3d4c5b6a7980a1b2c5 --cron '0 8 * * *' --time-zone Europe/Berlin
  hookwright recurring-schedules update 6a1f2e3d4c5b6a7980a1b2c5 --inputs '{\"store\": 2}'")]
    Update {
        #[command(flatten)]
        schedule: ScheduleArg,
        /// The workflow, by name or id
        #[arg(long)]
        workflow: Option<String>,
        /// What people call it
        #[arg(long)]
        title: Option<String>,
        #[command(flatten)]
        recurrence: RecurrenceArgs,
        /// What step 1 sees: an object as JSON, a file with one, or - for standard input
        #[arg(long, value_name = "JSON|FILE")]
        inputs: Option<String>,
    },
    /// Let it call again; what it slept through is not made up for
    #[command(after_help = "Examples:\n  hookwright recurring-schedules enable 6a1f2e3d4c5b6a7980a1b2c5")]
    Enable(ScheduleArg),
    /// Let it call no more until it is enabled
    #[command(after_help = "Examples:\n  hookwright recurring-schedules disable 6a1f2e3d4c5b6a7980a1b2c5")]
    Disable(ScheduleArg),
    /// Delete a recurring schedule; what it has made stays
    #[command(
        visible_alias = "delete",
        after_help = "Examples:\n  hookwright recurring-schedules rm 6a1f2e3d4c5b6a7980a1b2c5"
    )]
    Rm(ScheduleArg),
    /// Tell when a recurrence occurs; nothing is made
    #[command(after_help = "\
Examples:
  hookwright recurring-schedules preview --cron '30 2 * * *' --time-zone Europe/Berlin --after 2027-03-27T00:00:00Z
  hookwright recurring-schedules preview --every 15m")]
    Preview {
        #[command(flatten)]
        recurrence: RecurrenceArgs,
        /// Occurrences after this instant [default: now]
        #[arg(long, value_name = "INSTANT")]
        after: Option<String>,
        /// How many, at most 100
        #[arg(long, default_value_t = 5)]
        count: u32,
    },
}

#[derive(Debug, clap::Args)]
struct ScheduleArg {
    /// The schedule's id
    id: String,
}

#[derive(Debug, clap::Args)]
struct RecurrenceArgs {
    /// Times of a wall clock: minute, hour, day of month, month, day of week
    #[arg(long, value_name = "LINE", conflicts_with = "every")]
    cron: Option<String>,
    /// The time zone of the wall clock, by its IANA name [default: UTC]
    #[arg(long, value_name = "ZONE", requires = "cron")]
    time_zone: Option<String>,
    /// A distance, such as 15m, 24h or 7d
    #[arg(long, value_name = "SPAN", value_parser = duration::seconds)]
    every: Option<u32>,
    /// From when on the distance is counted [default: 1970-01-01T00:00:00Z]
    #[arg(long, value_name = "INSTANT", requires = "every")]
    from: Option<String>,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Create { workflow, title, recurrence, inputs } => {
            recurrence.required()?;
            let draft = draft(Some(workflow), Some(title), &recurrence, inputs)?;
            session.show(&session.client.post(&Address::of(&[COLLECTION]), document(draft))?, view)
        }
        Command::Ls { paging } => session.list(Address::of(&[COLLECTION]), &paging, table),
        Command::Show(schedule) => session.show(&session.client.get(&schedule.address())?, view),
        Command::Update { schedule, workflow, title, recurrence, inputs } => {
            let patch = draft(workflow, title, &recurrence, inputs)?;
            if patch.is_empty() {
                return Err(Failure::Usage("Say what is to change, such as --every 15m; see --help.".to_owned()));
            }
            session.show(&session.client.put(&schedule.address(), document(patch))?, view)
        }
        Command::Enable(schedule) => enable(&session, &schedule, true),
        Command::Disable(schedule) => enable(&session, &schedule, false),
        Command::Rm(schedule) => {
            session.remove(&schedule.address(), format!("The recurring schedule {} is deleted.", schedule.id))
        }
        Command::Preview { recurrence, after, count } => {
            let asked = json!({ "recurrence": recurrence.required()?, "from": after, "count": count });
            let address = Address::of(&[COLLECTION, "preview"]);
            session.show(&session.client.post(&address, asked.to_string().into_bytes())?, occurrences)
        }
    }
}

fn enable(session: &Session, schedule: &ScheduleArg, enabled: bool) -> Result<(), Failure> {
    let patch = json!({ "enabled": enabled }).to_string().into_bytes();
    session.show(&session.client.put(&schedule.address(), patch)?, view)
}

impl ScheduleArg {
    fn address(&self) -> Address {
        Address::of(&[COLLECTION, &self.id])
    }
}

impl RecurrenceArgs {
    fn required(&self) -> Result<Value, Failure> {
        self.document().ok_or_else(|| Failure::Usage("Say when, with --cron or --every; see --help.".to_owned()))
    }

    /// The recurrence as a document; none where no flag says one.
    fn document(&self) -> Option<Value> {
        let mut document = match (&self.cron, self.every) {
            (Some(cron), _) => json!({ "cron": cron }),
            (None, Some(seconds)) => json!({ "every": { "seconds": seconds } }),
            (None, None) => return None,
        };
        let rest = [("timeZone", &self.time_zone), ("from", &self.from)];
        if let Some(document) = document.as_object_mut() {
            document.extend(rest.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))));
        }
        Some(document)
    }
}

/// What is sent of what was given.
fn draft(
    workflow: Option<String>,
    title: Option<String>,
    recurrence: &RecurrenceArgs,
    inputs: Option<String>,
) -> Result<Map<String, Value>, Failure> {
    let inputs = inputs.map(|text| source::read_json("--inputs", &text)).transpose()?;
    let given = [
        ("workflow", workflow.map(Value::String)),
        ("title", title.map(Value::String)),
        ("recurrence", recurrence.document()),
        ("inputs", inputs),
    ];
    Ok(given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

fn document(draft: Map<String, Value>) -> Vec<u8> {
    Value::Object(draft).to_string().into_bytes()
}

fn table(schedules: &[Value]) -> Page {
    if schedules.is_empty() {
        return Page::of_line("There are no recurring schedules.");
    }
    let mut page = Page::default();
    let row = |schedule: &Value| {
        let attribute = |name: &str| text_at(schedule, &format!("/attributes/{name}"));
        [text_at(schedule, "/id"), attribute("title"), when(schedule), attribute("nextRunAt"), attribute("workflowId")]
    };
    page.table(["ID", "TITLE", "WHEN", "NEXT", "WORKFLOW"], schedules.iter().map(row).collect());
    page
}

fn view(schedule: &Value) -> Page {
    let attribute = |name: &str| text_at(schedule, &format!("/attributes/{name}"));
    let mut page = Page::default();
    page.fields(&[
        ("recurring schedule", text_at(schedule, "/id")),
        ("title", attribute("title")),
        ("enabled", attribute("enabled")),
        ("workflow", attribute("workflowId")),
        ("when", when(schedule)),
        ("last scheduled run", attribute("lastScheduledRunId")),
    ]);
    if attribute("skipped/from") != "-" {
        let (from, until) = (attribute("skipped/from"), attribute("skipped/until"));
        page.line(format!("Not made, because they were more than a day late: those from {from} to before {until}."));
    }
    upcoming(schedule, &mut page);
    page
}

fn occurrences(preview: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[("when", when(preview))]);
    upcoming(preview, &mut page);
    page
}

fn upcoming(resource: &Value, page: &mut Page) {
    let upcoming = resource.pointer("/attributes/upcoming").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if upcoming.is_empty() {
        return;
    }
    page.line("");
    page.table(["NEXT"], upcoming.iter().map(|at| [at.as_str().unwrap_or_default().to_owned()]).collect());
}

/// `0 9 * * MON-FRI Europe/Berlin`, `every 900 seconds`.
fn when(resource: &Value) -> String {
    let at = |path: &str| resource.pointer(&format!("/attributes/recurrence/{path}"));
    let text = |path: &str| at(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    match at("every").and_then(Value::as_object).and_then(|every| every.iter().next()) {
        Some((unit, count)) => format!("every {count} {unit}"),
        None => format!("{} {}", text("cron"), text("timeZone")),
    }
}
