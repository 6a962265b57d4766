//! Variables of workflows: secrets that go in by a file or standard input and never come out again.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::WorkflowArg;
use crate::{
    client::Address,
    failure::Failure,
    output::{Page, text_at},
    paging::Paging,
    session::Session,
    source,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Variables of a workflow: secrets that its expressions name by their id
    #[command(
        subcommand,
        after_help = "Examples:\n  hookwright workflows variables create 6a1f2e3d4c5b6a7980a1b2c3 --name 'api key' --value-file key.txt"
    )]
    Variables(Variables),
}

#[derive(Debug, Subcommand)]
pub(super) enum Variables {
    /// Create a variable
    #[command(after_help = "\
Examples:
  hookwright workflows variables create 6a1f2e3d4c5b6a7980a1b2c3 --name 'api key' --value-file key.txt
  pass show shop/key | hookwright workflows variables create 6a1f2e3d4c5b6a7980a1b2c3 --name 'api key' --value-file -")]
    Create {
        #[command(flatten)]
        workflow: WorkflowArg,
        /// What people call it
        #[arg(long)]
        name: String,
        /// The file with the value, or - for standard input; a line break at its end is left out
        #[arg(long, value_name = "FILE")]
        value_file: String,
    },
    /// List the variables of a workflow, their values masked
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  hookwright workflows variables ls 6a1f2e3d4c5b6a7980a1b2c3"
    )]
    Ls(WorkflowArg),
    /// Change the name or the value of a variable
    #[command(after_help = "\
Examples:
  hookwright workflows variables update 6a1f2e3d4c5b6a7980a1b2c6 --value-file new-key.txt")]
    Update {
        #[command(flatten)]
        variable: VariableArg,
        /// What people call it
        #[arg(long, required_unless_present = "value_file")]
        name: Option<String>,
        /// The file with the value, or - for standard input; a line break at its end is left out
        #[arg(long, value_name = "FILE")]
        value_file: Option<String>,
    },
    /// Delete a variable
    #[command(
        visible_alias = "delete",
        after_help = "Examples:\n  hookwright workflows variables rm 6a1f2e3d4c5b6a7980a1b2c6"
    )]
    Rm(VariableArg),
}

#[derive(Debug, clap::Args)]
pub(super) struct VariableArg {
    /// The variable's id
    id: String,
}

/// Carries the command out.
pub(super) fn run(Command::Variables(command): Command, session: &Session) -> Result<(), Failure> {
    match command {
        Variables::Create { workflow, name, value_file } => {
            let draft = draft(Some(name), Some(&value_file))?;
            session.show(&session.client.post(&workflow.below(&["variables"]), draft)?, view)
        }
        Variables::Ls(workflow) => session.list(workflow.below(&["variables"]), &Paging::default(), table),
        Variables::Update { variable, name, value_file } => {
            let draft = draft(name, value_file.as_deref())?;
            session.show(&session.client.put(&variable.address(), draft)?, view)
        }
        Variables::Rm(variable) => {
            session.remove(&variable.address(), format!("The variable {} is deleted.", variable.id))
        }
    }
}

impl VariableArg {
    fn address(&self) -> Address {
        Address::of(&["workflow-variables", &self.id])
    }
}

fn draft(name: Option<String>, value_file: Option<&str>) -> Result<Vec<u8>, Failure> {
    let value = value_file.map(source::read_secret).transpose()?;
    let members = [("name", name), ("value", value)];
    let members = members.into_iter().filter_map(|(key, text)| Some((key.to_owned(), json!(text?))));
    Ok(Value::Object(members.collect::<Map<_, _>>()).to_string().into_bytes())
}

fn view(variable: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[
        ("id", text_at(variable, "/id")),
        ("name", text_at(variable, "/attributes/name")),
        ("value", text_at(variable, "/attributes/maskedValue")),
        ("reference", text_at(variable, "/attributes/reference")),
    ]);
    page
}

fn table(variables: &[Value]) -> Page {
    if variables.is_empty() {
        return Page::of_line("There are no variables. `hookwright workflows variables create` makes one.");
    }
    let mut page = Page::default();
    let row = |variable: &Value| {
        let attribute = |name: &str| text_at(variable, &format!("/attributes/{name}"));
        [text_at(variable, "/id"), attribute("name"), attribute("maskedValue"), attribute("reference")]
    };
    page.table(["ID", "NAME", "VALUE", "REFERENCE"], variables.iter().map(row).collect());
    page
}
