//! `hookwright actions`: what steps of workflows can do.

use clap::Subcommand;
use domain::exact;
use serde_json::{Value, json};
use service::actions::{Description, Need, description, descriptions, params_of};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{self, Format, Page, text_at},
    session::Session,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright actions ls --grep tags
  hookwright actions show kustomer.customer.find-by-email
  hookwright actions show kustomer.message.create --offline --json

Without a server it tells of the actions of this program, which a server of another version may not have.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the actions
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  hookwright actions ls\n  hookwright actions ls --grep email --offline"
    )]
    Ls {
        /// Only those in whose name or summary this is, in whatever case
        #[arg(long, value_name = "TEXT")]
        grep: Option<String>,
        /// Those of this program, without a server
        #[arg(long)]
        offline: bool,
    },
    /// Show what an action takes, gives and fails with
    #[command(after_help = "\
Examples:
  hookwright actions show kustomer.kobject.create
  hookwright actions show kustomer.kobject.create --json")]
    Show {
        /// The action's name
        name: String,
        /// As this program has it, without a server
        #[arg(long)]
        offline: bool,
    },
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let (document, view): (Value, fn(&Value) -> Page) = match args.command {
        Command::Ls { grep, offline } => {
            let mut document = match offline {
                true => exact::object([("data", descriptions().iter().map(Description::resource).collect())]),
                false => Session::open(global)?.client.get(&Address::of(&["actions"]))?,
            };
            if let Some(text) = grep {
                keep(&mut document, &text.to_lowercase());
            }
            (document, table)
        }
        Command::Show { name, offline } => {
            let document = match offline {
                true => json!({ "data": described(&name)?.resource() }),
                false => Session::open(global)?.client.get(&Address::of(&["actions", &name]))?,
            };
            (document, action)
        }
    };
    output::print(&match global.format() {
        Format::Human => view(document.get("data").unwrap_or(&Value::Null)),
        Format::Json => {
            let mut page = Page::default();
            page.json(&document);
            page
        }
    })
}

fn described(name: &str) -> Result<&'static Description, Failure> {
    description(name).ok_or_else(|| {
        Failure::not_found(format!(
            "This program has no action `{name}`. `hookwright actions ls --offline` lists them."
        ))
    })
}

/// Keeps those of the listed actions that `text` is in.
fn keep(document: &mut Value, text: &str) {
    if let Some(actions) = document.get_mut("data").and_then(Value::as_array_mut) {
        let is_in = |action: &Value, pointer: &str| text_at(action, pointer).to_lowercase().contains(text);
        actions.retain(|action| is_in(action, "/attributes/name") || is_in(action, "/attributes/summary"));
    }
}

fn table(actions: &Value) -> Page {
    let actions = actions.as_array().map_or(&[][..], Vec::as_slice);
    if actions.is_empty() {
        return Page::of_line("There is no such action.");
    }
    let mut page = Page::default();
    let rows =
        actions.iter().map(|action| [text_at(action, "/attributes/name"), text_at(action, "/attributes/summary")]);
    page.table(["ACTION", "DOES"], rows.collect());
    page
}

fn action(action: &Value) -> Page {
    let mut page = Page::default();
    page.line(text_at(action, "/attributes/name"));
    page.line(text_at(action, "/attributes/summary"));
    let params = params_of(action.pointer("/attributes/params").unwrap_or(&Value::Null));
    if !params.is_empty() {
        page.line("");
        let needed = |need| match need {
            Need::Always => "yes",
            Need::OneOf => "one of",
            Need::Never => "",
        };
        let rows =
            params.into_iter().map(|param| [param.name, needed(param.need).to_owned(), param.takes, param.meaning]);
        page.table(["PARAM", "NEEDED", "TAKES", "MEANS"], rows.collect());
    }
    page.line("");
    page.line(format!("Gives {}.", text_at(action, "/attributes/gives")));
    let failures = action.pointer("/attributes/failures").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !failures.is_empty() {
        page.line("");
        let rows = failures.iter().map(|failure| [text_at(failure, "/code"), text_at(failure, "/meaning")]);
        page.table(["FAILS WITH", "WHICH MEANS"], rows.collect());
    }
    for (title, pointer) in [("For example:", "/attributes/example/params"), ("gives", "/attributes/example/output")] {
        page.line("");
        page.line(title);
        page.json(action.pointer(pointer).unwrap_or(&Value::Null));
    }
    page
}
