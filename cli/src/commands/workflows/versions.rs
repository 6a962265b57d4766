//! Versions of workflows: what each was, what is different between two, and the way back.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{WorkflowArg, export, page, project};
use crate::{
    client::Address,
    failure::Failure,
    output::{Page, shortened, text_at},
    paging::Paging,
    session::Session,
};

/// A value in a difference is cut to this; the whole is in the `--json` form.
const VALUE_LIMIT_CHARS: usize = 160;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the versions of a workflow, newest first; also of a deleted one
    #[command(after_help = "Examples:\n  hookwright workflows versions 6a1f2e3d4c5b6a7980a1b2c3")]
    Versions {
        #[command(flatten)]
        workflow: WorkflowArg,
        #[command(flatten)]
        paging: Paging,
    },
    /// Print the document of one version
    #[command(after_help = "Examples:\n  hookwright workflows version 6a1f2e3d4c5b6a7980a1b2c3 2 > earlier.json")]
    Version {
        #[command(flatten)]
        workflow: WorkflowArg,
        /// The number of the version
        number: u64,
    },
    /// Tell what is different between two versions, by default between what is live and the draft; or between the org and a folder
    #[command(after_help = "\
Examples:
  hookwright workflows diff 6a1f2e3d4c5b6a7980a1b2c3
  hookwright workflows diff 6a1f2e3d4c5b6a7980a1b2c3 --from 2 --to live
  hookwright workflows diff ./shop

What has a `/` or a `.` in it, or is a folder that is there, is the folder of a project, told as by `plan`.")]
    Diff {
        /// The workflow's id, or the folder of a project
        #[arg(value_name = "ID|DIR")]
        target: String,
        /// The older one: a number, live or draft [default: live]
        #[arg(long, value_name = "VERSION")]
        from: Option<String>,
        /// The newer one: a number, live or draft [default: the draft, if there is one]
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        #[command(flatten)]
        asked: project::Asked,
    },
    /// Make an earlier version live again, as a new version
    #[command(after_help = "Examples:\n  hookwright workflows rollback 6a1f2e3d4c5b6a7980a1b2c3 2")]
    Rollback {
        #[command(flatten)]
        workflow: WorkflowArg,
        /// The number of the version
        number: u64,
    },
}

/// Carries the command out.
pub(super) fn run(command: Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Versions { workflow, paging } => session.list(workflow.below(&["versions"]), &paging, table),
        Command::Version { workflow, number } => {
            let document = session.client.get(&workflow.below(&["versions", &number.to_string()]))?;
            session.show(&document, |version| export(version.pointer("/attributes/document").unwrap_or(version)))
        }
        Command::Diff { target, from, to, asked } => {
            if let Some(dir) = project::folder(&target) {
                return project::diff(dir, from.or(to), &asked, session);
            }
            if !asked.is_plain() {
                return Err(project::for_folders("--prune and --exit-code"));
            }
            let workflow = WorkflowArg { id: target };
            let address = workflow.below(&["diff"]).query("from", from.as_deref()).query("to", to.as_deref());
            session.show(&session.client.get(&address)?, changes)
        }
        Command::Rollback { workflow, number } => {
            let body = json!({ "version": number }).to_string().into_bytes();
            session.show_document(&session.client.post(&workflow.below(&["rollback"]), body)?, page)
        }
    }
}

fn table(versions: &[Value]) -> Page {
    let mut page = Page::default();
    let row = |version: &Value| {
        let attribute = |name: &str| text_at(version, &format!("/attributes/{name}"));
        let is_live = attribute("live") == "true";
        let restores = version.pointer("/attributes/restores").and_then(Value::as_u64);
        let note = match (is_live, restores) {
            (true, Some(restored)) => format!("live, brings {restored} back"),
            (true, None) => "live".to_owned(),
            (false, Some(restored)) => format!("brought {restored} back"),
            (false, None) => String::new(),
        };
        [
            attribute("number"),
            attribute("name"),
            attribute("enabled"),
            attribute("createdAt"),
            attribute("createdBy"),
            note,
        ]
    };
    page.table(["VERSION", "NAME", "ENABLED", "MADE", "BY KEY", "NOTE"], versions.iter().map(row).collect());
    page
}

/// One line for each difference, `+` for what is new, `-` for what is gone, `~` for what is another.
fn changes(diff: &Value) -> Page {
    let mut page = Page::default();
    let changes = diff.pointer("/attributes/changes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    page.line(format!("From {} to {}:", text_at(diff, "/attributes/from"), text_at(diff, "/attributes/to")));
    if changes.is_empty() {
        page.line("nothing is different");
    }
    changes.iter().for_each(|change| page.line(change_line(change)));
    let left_out = diff.pointer("/attributes/leftOut").and_then(Value::as_u64).filter(|left_out| *left_out > 0);
    if let Some(left_out) = left_out {
        page.line(format!("and {left_out} more"));
    }
    page
}

/// A difference on a line.
pub(super) fn change_line(change: &Value) -> String {
    let path = text_at(change, "/path");
    let value = |key: &str| {
        let json = change.get(key).map(Value::to_string).unwrap_or_default();
        shortened(&json, VALUE_LIMIT_CHARS)
    };
    match text_at(change, "/op").as_str() {
        "add" => format!("+ {path}: {}", value("after")),
        "remove" => format!("- {path}: {}", value("before")),
        _ => format!("~ {path}: {} → {}", value("before"), value("after")),
    }
}

impl WorkflowArg {
    /// The address of what is below the workflow.
    pub(super) fn below(&self, parts: &[&str]) -> Address {
        let parts: Vec<&str> = ["workflows", self.id.as_str()].into_iter().chain(parts.iter().copied()).collect();
        Address::of(&parts)
    }
}
