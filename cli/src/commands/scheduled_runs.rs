//! `hookwright scheduled-runs`: calls of workflows that are to be made at a time.

use clap::Subcommand;
use serde_json::{Value, json};

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

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright scheduled-runs create reminder --in 24h --inputs '{\"orderId\": \"1234\"}'
  hookwright scheduled-runs ls
  hookwright scheduled-runs cancel 6a1f2e3d4c5b6a7980a1b2c3")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Have a callable workflow called at a time
    #[command(after_help = "\
Examples:
  hookwright scheduled-runs create reminder --in 24h --inputs '{\"orderId\": \"1234\"}'
  hookwright scheduled-runs create reminder --at 2026-12-24T18:00:00Z --inputs order.json")]
    Create {
        /// The workflow, by name or id
        workflow: String,
        /// When, counted from now, such as 90s, 15m, 24h or 7d
        #[arg(long = "in", value_name = "SPAN", value_parser = duration::seconds, conflicts_with = "at", required_unless_present = "at")]
        after: Option<u32>,
        /// When, such as 2026-12-24T18:00:00Z
        #[arg(long, value_name = "INSTANT")]
        at: Option<String>,
        /// What step 1 sees: an object as JSON, a file with one, or - for standard input [default: {}]
        #[arg(long, value_name = "JSON|FILE")]
        inputs: Option<String>,
    },
    /// List scheduled runs, the latest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright scheduled-runs ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a scheduled run, and what became of it
    #[command(after_help = "Examples:\n  hookwright scheduled-runs show 6a1f2e3d4c5b6a7980a1b2c3")]
    Show {
        /// The id of the scheduled run
        id: String,
    },
    /// Take a scheduled run back whose time has not come
    #[command(after_help = "Examples:\n  hookwright scheduled-runs cancel 6a1f2e3d4c5b6a7980a1b2c3")]
    Cancel {
        /// The id of the scheduled run
        id: String,
    },
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Create { workflow, after, at, inputs } => {
            let inputs = inputs.map(|text| source::read_json("--inputs", &text)).transpose()?;
            let run_at = match after {
                Some(seconds) => json!({ "type": "relative", "value": u64::from(seconds) * 1_000 }),
                None => json!(at),
            };
            let draft = json!({ "workflow": workflow, "inputs": inputs.unwrap_or_else(|| json!({})), "runAt": run_at });
            let document = draft.to_string().into_bytes();
            session.show(&session.client.post(&Address::of(&["scheduled-runs"]), document)?, view)
        }
        Command::Ls { paging } => session.list(Address::of(&["scheduled-runs"]), &paging, table),
        Command::Show { id } => session.show(&session.client.get(&Address::of(&["scheduled-runs", &id]))?, view),
        Command::Cancel { id } => {
            let address = Address::of(&["scheduled-runs", &id, "cancel"]);
            session.show(&session.client.post(&address, Vec::new())?, view)
        }
    }
}

fn table(runs: &[Value]) -> Page {
    if runs.is_empty() {
        return Page::of_line("There are no scheduled runs.");
    }
    let mut page = Page::default();
    let row = |run: &Value| {
        let attribute = |name: &str| text_at(run, &format!("/attributes/{name}"));
        [text_at(run, "/id"), attribute("state"), attribute("runAt"), attribute("workflowId"), attribute("runId")]
    };
    page.table(["ID", "STATE", "AT", "WORKFLOW", "RUN"], runs.iter().map(row).collect());
    page
}

fn view(run: &Value) -> Page {
    let attribute = |name: &str| text_at(run, &format!("/attributes/{name}"));
    let mut page = Page::default();
    let mut fields = vec![
        ("scheduled run", text_at(run, "/id")),
        ("state", attribute("state")),
        ("workflow", attribute("workflowId")),
        ("at", attribute("runAt")),
    ];
    for (label, name) in [("waits for its turn until", "delayedUntil"), ("run", "runId"), ("error", "error/message")] {
        if attribute(name) != "-" {
            fields.push((label, attribute(name)));
        }
    }
    page.fields(&fields);
    page
}
