//! `hookwright apps`: the providers whose signatures and events are built in.

use clap::Subcommand;
use serde_json::Value;

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, brief, text_at},
    session::Session,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright apps ls
  hookwright apps show shopify")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the built-in providers
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright apps ls\n  hookwright apps ls --json")]
    Ls,
    /// Show a provider: how it signs, and the events that workflows can listen to
    #[command(after_help = "Examples:\n  hookwright apps show shopify\n  hookwright apps show shopify --json")]
    Show {
        /// The provider's name
        name: String,
    },
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Ls => session.show(&session.client.get(&Address::of(&["apps"]))?, table),
        Command::Show { name } => session.show(&session.client.get(&Address::of(&["apps", &name]))?, view),
    }
}

fn table(apps: &Value) -> Page {
    let apps = apps.as_array().map_or(&[][..], Vec::as_slice);
    if apps.is_empty() {
        return Page::of_line("There are no built-in providers.");
    }
    let mut page = Page::default();
    let rows = apps.iter().map(|app| {
        let number = events(app).len().to_string();
        [name(app), text_at(app, "/attributes/scheme"), number, text_at(app, "/attributes/displayName")]
    });
    page.table(["NAME", "AUTH", "EVENTS", "PROVIDER"], rows.collect());
    page
}

fn view(app: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[
        ("name", name(app)),
        ("provider", text_at(app, "/attributes/displayName")),
        ("auth", text_at(app, "/attributes/scheme")),
        ("methods", listed(app.pointer("/attributes/methods"))),
        ("docs", text_at(app, "/attributes/docs")),
    ]);
    if !events(app).is_empty() {
        page.line("");
        let rows = events(app).iter().map(|event| {
            [
                text_at(event, "/name"),
                text_at(event, "/topic"),
                text_at(event, "/displayName"),
                listed(event.get("aliases")),
            ]
        });
        page.table(["EVENT", "TOPIC", "MEANS", "ALSO FIRED AS"], rows.collect());
    }
    page
}

fn name(app: &Value) -> String {
    app.pointer("/attributes/name").map_or_else(|| text_at(app, "/id"), brief)
}

fn events(app: &Value) -> &[Value] {
    app.pointer("/attributes/events").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn listed(items: Option<&Value>) -> String {
    let items = items.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().map(brief).collect::<Vec<_>>().join(", ")
}
