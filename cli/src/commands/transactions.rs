//! `hookwright transactions`: what arrived, and which workflows ran because of it.

use clap::Subcommand;
use serde_json::Value;

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, present_fields, text_at},
    session::Session,
    why,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  hookwright transactions show 6a1f2e3d4c5b6a7980a1b2c3")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a transaction's data, and why which workflow ran
    #[command(after_help = "\
Examples:
  hookwright transactions show 6a1f2e3d4c5b6a7980a1b2c3
  hookwright transactions show 6a1f2e3d4c5b6a7980a1b2c3 --json")]
    Show {
        /// The id, from the answer to whoever posted it
        id: String,
    },
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Show { id } => session.show_document(&session.client.get(&Address::of(&["transactions", &id]))?, view),
    }
}

/// A transaction with its data, and why which workflow ran.
pub(crate) fn view(document: &Value) -> Page {
    let mut page = Page::default();
    let event = document.pointer("/meta/event").filter(|event| event.is_object());
    page.fields(&event.map_or_else(|| arrival(document), fired));
    page.line("");
    page.line("Data:");
    let data = if event.is_some() { "/data" } else { "/data/attributes/data" };
    page.json(document.pointer(data).unwrap_or(&Value::Null));
    page.line("");
    page.line("Why:");
    for sentence in why::trace(document.pointer("/meta/trace").unwrap_or(&Value::Null)) {
        page.line(format!("  {sentence}"));
    }
    page
}

/// What there is to say of what arrived at a hook.
fn arrival(document: &Value) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("transaction", text_at(document, "/data/id")),
        ("arrived", text_at(document, "/data/attributes/createdAt")),
        ("hook", text_at(document, "/data/relationships/hook/data/id")),
    ];
    if let Some(email) = document.pointer("/data/attributes/email") {
        fields.extend(mail(email));
    }
    fields
}

/// What there is to say of an event.
fn fired(event: &Value) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("transaction", text_at(event, "/id")),
        ("event", text_at(event, "/name")),
        ("fired", text_at(event, "/createdAt")),
        ("by", text_at(event, "/client")),
    ];
    fields.extend(present_fields(
        event,
        &[
            ("about", "/dataId"),
            ("run", "/lineage/run"),
            ("began with", "/lineage/root"),
            ("generation", "/lineage/depth"),
        ],
    ));
    fields
}

/// What there is to say of the mail that the data was in.
fn mail(email: &Value) -> Vec<(&'static str, String)> {
    let listed = |name: &str, pointer: &str| {
        let items = email.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().map(|item| text_at(item, pointer)).collect::<Vec<_>>().join(", ")
    };
    let mut fields = vec![("from", listed("from", "/address"))];
    fields.extend(present_fields(email, &[("subject", "/subject"), ("message id", "/messageId"), ("tag", "/tag")]));
    fields.push(("files", listed("attachments", "/fileName")));
    fields.retain(|(_, value)| !value.is_empty());
    fields
}
