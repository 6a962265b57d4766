//! `hookwright workflows`: import, change, export and check workflow documents.
//!
//! A document is sent byte for byte as it is in the file: the server checks it and keeps every digit.

mod call;
mod drafts;
mod project;
mod replays;
mod test;
mod variables;
mod versions;

use clap::Subcommand;
use serde_json::{Value, json};

use super::lint;
use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, text_at},
    paging::Paging,
    session::Session,
    source,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright workflows lint order-to-timeline.json
  hookwright workflows create order-to-timeline.json
  hookwright workflows disable 6a1f2e3d4c5b6a7980a1b2c3")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a workflow from its document
    #[command(after_help = "\
Examples:
  hookwright workflows create order-to-timeline.json
  sed s/HOOK_ID/6a1f2e3d4c5b6a7980a1b2c3/ order-to-timeline.json | hookwright workflows create -")]
    Create {
        /// The document, or - for standard input
        file: String,
    },
    /// List workflows, oldest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright workflows ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a workflow and its steps
    #[command(after_help = "Examples:\n  hookwright workflows show 6a1f2e3d4c5b6a7980a1b2c3")]
    Show(WorkflowArg),
    /// Change a workflow: the keys in the file take the place of its own
    #[command(after_help = "Examples:\n  hookwright workflows update 6a1f2e3d4c5b6a7980a1b2c3 order-to-timeline.json")]
    Update {
        #[command(flatten)]
        workflow: WorkflowArg,
        /// The document, or - for standard input
        file: String,
    },
    /// Let events start runs of a workflow
    #[command(after_help = "Examples:\n  hookwright workflows enable 6a1f2e3d4c5b6a7980a1b2c3")]
    Enable(WorkflowArg),
    /// Let events start no more runs of a workflow; those under way go on
    #[command(after_help = "Examples:\n  hookwright workflows disable 6a1f2e3d4c5b6a7980a1b2c3")]
    Disable(WorkflowArg),
    /// Print the document as it was imported; or write all of an org into a folder
    #[command(after_help = "\
Examples:
  hookwright workflows export 6a1f2e3d4c5b6a7980a1b2c3 > order-to-timeline.json
  hookwright workflows export ./shop

What has a `/` or a `.` in it, or is a folder that is there, is the folder of a project: hooks, klasses, apps and workflows
are written into it, without secrets. Files that say what the org has are left as they are.")]
    Export {
        /// The workflow's id, or the folder of a project
        #[arg(value_name = "ID|DIR")]
        target: String,
        /// Write over files that say something else (of a folder)
        #[arg(long)]
        force: bool,
    },
    /// Delete a workflow; its runs and versions stay readable
    #[command(visible_alias = "delete", after_help = "Examples:\n  hookwright workflows rm 6a1f2e3d4c5b6a7980a1b2c3")]
    Rm(WorkflowArg),
    /// Check documents without a server
    #[command(after_help = "\
Examples:
  hookwright workflows lint workflows/*.json
  hookwright workflows lint --json order-to-timeline.json

Every problem is printed with its path, code and what to do. The exit code is 6 when a document would be refused;
warnings alone end with 0. The definition of an app is checked as a whole, its `workflows` as well.")]
    Lint {
        /// The documents, or - for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
    },
    /// Run the tests of workflows, without a server and without waiting
    #[command(after_help = "\
Examples:
  hookwright workflows test
  hookwright workflows test shop --filter 'a new customer' --watch
  hookwright workflows test shop --junit results.xml
  hookwright workflows test shop/workflows/orders.test.yaml

Tests stand beside the workflow: shop/workflows/orders.json has its own in shop/workflows/orders.test.yaml:

  cases:
    - name: an order of a new customer makes one
      hook: orders
      data: {email: ann@example.com, total: 12}
      expect:
        state: succeeded
        path: [find, create]
        records: {customers: [{email: ann@example.com}]}

A year's wait takes no time, and nothing is called: what services answer stands in `mocks`. docs/testing.md has the format.
The exit code is 0 when every case passed, 1 when one failed, and 2 when a file has to change before anything can run.")]
    Test(test::Args),
    #[command(flatten)]
    Replays(replays::Command),
    #[command(flatten)]
    Call(call::Command),
    #[command(flatten)]
    Project(project::Command),
    #[command(flatten)]
    Versions(versions::Command),
    #[command(flatten)]
    Drafts(drafts::Command),
    #[command(flatten)]
    Variables(variables::Command),
}

#[derive(Debug, clap::Args)]
struct WorkflowArg {
    /// The workflow's id
    id: String,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    if let Command::Lint { files } = &args.command {
        return lint::run(files, global.format());
    }
    if let Command::Test(args) = &args.command {
        return test::run(args, global.format());
    }
    let session = Session::open(global)?;
    match args.command {
        Command::Lint { files } => lint::run(&files, global.format()),
        Command::Test(args) => test::run(&args, global.format()),
        Command::Create { file } => {
            session.show_document(&session.client.post(&Address::of(&["workflows"]), source::read(&file)?)?, page)
        }
        Command::Ls { paging } => session.list(Address::of(&["workflows"]), &paging, table),
        Command::Show(workflow) => session.show(&session.client.get(&workflow.address())?, view),
        Command::Update { workflow, file } => {
            session.show_document(&session.client.put(&workflow.address(), source::read(&file)?)?, page)
        }
        Command::Enable(workflow) => change(&session, &workflow, &json!({ "enabled": true })),
        Command::Disable(workflow) => change(&session, &workflow, &json!({ "enabled": false })),
        Command::Export { target, force } => match project::folder(&target) {
            Some(dir) => project::export(dir, force, &session),
            None if force => Err(project::for_folders("--force")),
            None => {
                let document = session.client.get(&Address::of(&["workflows", &target, "export"]))?;
                session.show_document(&document, export)
            }
        },
        Command::Rm(workflow) => session.remove(
            &workflow.address(),
            format!("The workflow {} is deleted. Its runs and versions stay readable.", workflow.id),
        ),
        Command::Replays(command) => replays::run(command, &session),
        Command::Call(command) => call::run(command, &session),
        Command::Project(command) => project::run(command, &session),
        Command::Versions(command) => versions::run(command, &session),
        Command::Drafts(command) => drafts::run(command, &session),
        Command::Variables(command) => variables::run(command, &session),
    }
}

impl WorkflowArg {
    fn address(&self) -> Address {
        Address::of(&["workflows", &self.id])
    }
}

fn change(session: &Session, workflow: &WorkflowArg, changes: &Value) -> Result<(), Failure> {
    session.show(&session.client.put(&workflow.address(), changes.to_string().into_bytes())?, view)
}

/// A workflow that was changed, and what its author should know.
fn page(document: &Value) -> Page {
    let mut page = view(document.get("data").unwrap_or(document));
    let warnings = problems("warning", document.pointer("/meta/warnings"));
    if !warnings.to_string().is_empty() {
        page.line("");
        page.append(warnings);
    }
    page
}

/// What is to be said of a document, each with its path, sentence and code.
pub(super) fn problems(kind: &str, problems: Option<&Value>) -> Page {
    let mut page = Page::default();
    for problem in problems.and_then(Value::as_array).into_iter().flatten() {
        let (path, detail) = (text_at(problem, "/source/path"), text_at(problem, "/detail"));
        page.line(format!("{kind}: {path}: {detail} ({})", text_at(problem, "/code")));
    }
    page
}

fn export(document: &Value) -> Page {
    let mut page = Page::default();
    page.json(document);
    page
}

fn view(workflow: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[
        ("id", text_at(workflow, "/id")),
        ("name", text_at(workflow, "/attributes/name")),
        ("enabled", enabled(workflow)),
        ("event", text_at(workflow, "/attributes/trigger/eventName")),
        ("rev", text_at(workflow, "/attributes/rev")),
        ("created", text_at(workflow, "/attributes/createdAt")),
        ("updated", text_at(workflow, "/attributes/updatedAt")),
    ]);
    let trigger = workflow.pointer("/attributes/trigger");
    let steps = workflow.pointer("/attributes/steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let first = trigger.map(|trigger| {
        let id = trigger.get("id").map_or_else(|| "1".to_owned(), |_| text_at(trigger, "/id"));
        [id, "(trigger)".to_owned(), targets(trigger)]
    });
    let rows = steps.iter().map(|step| [text_at(step, "/id"), text_at(step, "/action"), targets(step)]);
    page.line("");
    page.table(["STEP", "ACTION", "LEADS TO"], first.into_iter().chain(rows).collect());
    page
}

fn table(workflows: &[Value]) -> Page {
    if workflows.is_empty() {
        return Page::of_line("There are no workflows. Import one with `hookwright workflows create FILE`.");
    }
    let mut page = Page::default();
    let rows = workflows.iter().map(|workflow| {
        let event = text_at(workflow, "/attributes/trigger/eventName");
        [text_at(workflow, "/id"), text_at(workflow, "/attributes/name"), enabled(workflow), event]
    });
    page.table(["ID", "NAME", "ENABLED", "EVENT"], rows.collect());
    page
}

/// A document that does not say is enabled.
fn enabled(workflow: &Value) -> String {
    let said = workflow.pointer("/attributes/enabled").and_then(Value::as_bool);
    if said == Some(false) { "false" } else { "true" }.to_owned()
}

fn targets(step: &Value) -> String {
    let transitions = step.get("transitions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let targets: Vec<String> = transitions.iter().map(|transition| text_at(transition, "/target")).collect();
    if targets.is_empty() { "(end)".to_owned() } else { targets.join(", ") }
}
