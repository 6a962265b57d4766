//! `hookwright events`: events of one's own.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, text_at},
    session::Session,
    source,
};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  hookwright events publish kustomer.app.shop.order.paid --data '{\"order\": \"1234\"}'"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Publish an event; workflows whose trigger has its name start a run
    #[command(after_help = "\
Examples:
  hookwright events publish kustomer.app.shop.order.paid --data '{\"order\": \"1234\"}'
  hookwright events publish kustomer.app.shop.order.paid --data paid.json
  echo '{\"order\": \"1234\"}' | hookwright events publish kustomer.app.shop.order.paid --data -")]
    Publish {
        /// The event's name: parts of letters, digits, - and _ with dots between them
        name: String,
        /// What step 1 of a workflow sees: an object as JSON, a file with one, or - for standard input [default: {}]
        #[arg(long, value_name = "JSON|FILE")]
        data: Option<String>,
    },
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Publish { name, data } => {
            let mut draft = Map::from_iter([("name".to_owned(), json!(name))]);
            let data = data.map(|text| source::read_json("--data", &text)).transpose()?;
            draft.extend(data.map(|data| ("data".to_owned(), data)));
            let document = Value::Object(draft).to_string().into_bytes();
            session.show(&session.client.post(&Address::of(&["events"]), document)?, published)
        }
    }
}

fn published(event: &Value) -> Page {
    let mut page = Page::default();
    let id = text_at(event, "/id");
    page.fields(&[
        ("event", text_at(event, "/attributes/name")),
        ("id", id.clone()),
        ("published", text_at(event, "/attributes/createdAt")),
    ]);
    page.line(format!("`hookwright why {id}` tells what it started."));
    page
}
