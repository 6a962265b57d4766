//! Drafts of workflows: kept with their mistakes, live without them.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{WorkflowArg, page, problems};
use crate::{
    failure::Failure,
    output::{Page, text_at},
    session::Session,
    source,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// The draft of a workflow, which nothing runs on until it is published
    #[command(
        subcommand,
        after_help = "\
Examples:
  hookwright workflows draft put 6a1f2e3d4c5b6a7980a1b2c3 order-to-timeline.json
  hookwright workflows diff 6a1f2e3d4c5b6a7980a1b2c3
  hookwright workflows publish 6a1f2e3d4c5b6a7980a1b2c3"
    )]
    Draft(Draft),
    /// Make the draft live, as a new version
    #[command(after_help = "\
Examples:
  hookwright workflows publish 6a1f2e3d4c5b6a7980a1b2c3
  hookwright workflows publish 6a1f2e3d4c5b6a7980a1b2c3 --force")]
    Publish {
        #[command(flatten)]
        workflow: WorkflowArg,
        /// Also over a version that went live since the draft was begun
        #[arg(long)]
        force: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Draft {
    /// Show the draft, with what keeps it from being published
    #[command(after_help = "\
Examples:
  hookwright workflows draft show 6a1f2e3d4c5b6a7980a1b2c3
  hookwright workflows draft show 6a1f2e3d4c5b6a7980a1b2c3 --json    (with the document)")]
    Show(WorkflowArg),
    /// Change the draft: the keys in the file take the place of its own; it begins as what is live
    #[command(
        after_help = "Examples:\n  hookwright workflows draft put 6a1f2e3d4c5b6a7980a1b2c3 order-to-timeline.json"
    )]
    Put {
        #[command(flatten)]
        workflow: WorkflowArg,
        /// The document, or - for standard input
        file: String,
    },
    /// Throw the draft away; what is live stays
    #[command(
        visible_alias = "delete",
        after_help = "Examples:\n  hookwright workflows draft rm 6a1f2e3d4c5b6a7980a1b2c3"
    )]
    Rm(WorkflowArg),
}

/// Carries the command out.
pub(super) fn run(command: Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Draft(Draft::Show(workflow)) => session.show(&session.client.get(&workflow.below(&["draft"]))?, view),
        Command::Draft(Draft::Put { workflow, file }) => {
            session.show(&session.client.put(&workflow.below(&["draft"]), source::read(&file)?)?, view)
        }
        Command::Draft(Draft::Rm(workflow)) => {
            session.remove(&workflow.below(&["draft"]), format!("The draft of the workflow {} is gone.", workflow.id))
        }
        Command::Publish { workflow, force } => {
            let body = json!({ "force": force }).to_string().into_bytes();
            session.show_document(&session.client.post(&workflow.below(&["publish"]), body)?, page)
        }
    }
}

fn view(draft: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[
        ("workflow", text_at(draft, "/id")),
        ("begun on", format!("version {}", text_at(draft, "/attributes/base"))),
        ("changed", text_at(draft, "/attributes/updatedAt")),
        ("by key", text_at(draft, "/attributes/updatedBy")),
    ]);
    page.line("");
    let told = [("problem", "/attributes/problems"), ("warning", "/attributes/warnings")]
        .map(|(kind, pointer)| problems(kind, draft.pointer(pointer)));
    let is_sound = told.iter().all(|page| page.to_string().is_empty());
    told.into_iter().for_each(|told| page.append(told));
    if is_sound {
        page.line(format!("It can be published: hookwright workflows publish {}", text_at(draft, "/id")));
    }
    page
}
