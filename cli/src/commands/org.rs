//! `hookwright org`: settings of the org.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::hooks::{Rate, rate};
use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, text_at},
    session::Session,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright org show
  hookwright org set --name Acme --time-zone Europe/Berlin
  hookwright org set --limit 600/60")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the settings of the org
    #[command(after_help = "Examples:\n  hookwright org show\n  hookwright org show --json")]
    Show,
    /// Change settings of the org
    #[command(after_help = "\
Examples:
  hookwright org set --time-zone America/New_York
  hookwright org set --default-schedule 6a1f2e3d4c5b6a7980a1b2c5
  hookwright org set --limit 600/60 --hook-limit 100/60
  hookwright org set --in-flight-limit 20
  hookwright org set --no-limit --if-rev 3

Doors and executors see a change within 5 seconds.")]
    Set {
        #[command(flatten)]
        changes: Box<Changes>,
        /// Only if nobody has changed the settings since they had this `rev`
        #[arg(long, value_name = "REV")]
        if_rev: Option<u64>,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// What people call the org
    #[arg(long, conflicts_with = "no_name")]
    name: Option<String>,
    /// What dates and new schedules are in where none is named: an IANA name
    #[arg(long, value_name = "ZONE", conflicts_with = "no_time_zone")]
    time_zone: Option<String>,
    /// The business schedule that is meant where none is named, by its id
    #[arg(long, value_name = "ID", conflicts_with = "no_default_schedule")]
    default_schedule: Option<String>,
    /// How many arrivals in how many seconds all hooks together let in, such as 600/60
    #[arg(long, value_name = "N/SECONDS", value_parser = rate, conflicts_with = "no_limit")]
    limit: Option<Rate>,
    /// The same for each hook that has no limit of its own
    #[arg(long, value_name = "N/SECONDS", value_parser = rate, conflicts_with = "no_hook_limit")]
    hook_limit: Option<Rate>,
    /// How many messages of the org are executed at the same time, 1 to 1000
    #[arg(long, value_name = "N", conflicts_with = "no_in_flight_limit")]
    in_flight_limit: Option<u32>,
    /// Take the name away
    #[arg(long)]
    no_name: bool,
    /// Go back to UTC
    #[arg(long)]
    no_time_zone: bool,
    /// Have no default schedule
    #[arg(long)]
    no_default_schedule: bool,
    /// Go back to the limit of the deployment
    #[arg(long)]
    no_limit: bool,
    /// Limit only the hooks that have a limit of their own
    #[arg(long)]
    no_hook_limit: bool,
    /// Go back to 100 messages at the same time
    #[arg(long)]
    no_in_flight_limit: bool,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let (session, address) = (Session::open(global)?, Address::of(&["org"]));
    let document = match args.command {
        Command::Show => session.client.get(&address)?,
        Command::Set { changes, if_rev } => {
            let mut document = changes.into_document();
            document.extend(if_rev.map(|rev| ("rev".to_owned(), json!(rev))));
            session.client.put(&address, Value::Object(document).to_string().into_bytes())?
        }
    };
    session.show(&document, view)
}

impl Changes {
    fn into_document(self) -> Map<String, Value> {
        let text = |value: Option<String>| value.map(Value::String);
        let rows = [
            ("name", text(self.name), self.no_name),
            ("timeZone", text(self.time_zone), self.no_time_zone),
            ("defaultSchedule", text(self.default_schedule), self.no_default_schedule),
            ("limit", self.limit.map(Rate::into_document), self.no_limit),
            ("hookLimit", self.hook_limit.map(Rate::into_document), self.no_hook_limit),
            ("inFlightLimit", self.in_flight_limit.map(Value::from), self.no_in_flight_limit),
        ];
        let mut document = Map::new();
        for (name, value, is_cleared) in rows {
            document.extend(value.or(is_cleared.then_some(Value::Null)).map(|value| (name.to_owned(), value)));
        }
        document
    }
}

fn view(org: &Value) -> Page {
    let attribute = |name: &str| text_at(org, &format!("/attributes/{name}"));
    let mut page = Page::default();
    page.fields(&[
        ("id", text_at(org, "/id")),
        ("name", attribute("name")),
        ("time zone", attribute("timeZone")),
        ("default schedule", attribute("defaultSchedule")),
        ("limit", limit(org, "limit")),
        ("limit of each hook", limit(org, "hookLimit")),
        ("messages in flight", attribute("inFlightLimit")),
        ("mail domain", attribute("mailDomain")),
        ("rev", attribute("rev")),
        ("changed", attribute("updatedAt")),
    ]);
    page
}

fn limit(org: &Value, name: &str) -> String {
    match org.pointer(&format!("/attributes/{name}")).filter(|limit| !limit.is_null()) {
        Some(limit) => format!("{} in {} seconds", text_at(limit, "/requests"), text_at(limit, "/seconds")),
        None => "-".to_owned(),
    }
}
