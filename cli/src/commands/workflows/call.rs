//! `hookwright workflows call`: starts a callable workflow and waits for its answer.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    client::Address,
    failure::Failure,
    output::{Page, text_at},
    session::Session,
    source,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Call a callable workflow, and wait for its answer
    #[command(after_help = "\
Examples:
  hookwright workflows call 6a1f2e3d4c5b6a7980a1b2c3 --inputs '{\"orderId\": \"1234\"}'
  hookwright workflows call 6a1f2e3d4c5b6a7980a1b2c3 --inputs order.json --wait 0

A run that is still under way after the wait goes on; `hookwright runs show` tells how far it is.")]
    Call {
        /// The workflow's id
        id: String,
        /// What step 1 sees: an object as JSON, a file with one, or - for standard input [default: {}]
        #[arg(long, value_name = "JSON|FILE")]
        inputs: Option<String>,
        /// How many seconds to wait for the answer, at most 25
        #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=25))]
        wait: u32,
    },
}

/// Carries the command out.
pub(super) fn run(command: Command, session: &Session) -> Result<(), Failure> {
    match command {
        Command::Call { id, inputs, wait } => {
            let inputs = inputs.map(|text| source::read_json("--inputs", &text)).transpose()?;
            let body = json!({ "inputs": inputs.unwrap_or_else(|| json!({})) }).to_string().into_bytes();
            let wait = wait.to_string();
            let address = Address::of(&["workflows", &id, "call"]).query("wait", Some(&wait));
            session.show(&session.client.post(&address, body)?, view)
        }
    }
}

fn view(run: &Value) -> Page {
    let mut page = Page::default();
    let id = text_at(run, "/id");
    let mut fields = vec![("run", id.clone()), ("state", text_at(run, "/attributes/state"))];
    if let Some(message) = run.pointer("/attributes/error/message").and_then(Value::as_str) {
        fields.push(("error", message.to_owned()));
    }
    page.fields(&fields);
    match run.pointer("/attributes/response/output") {
        Some(output) => page.json(output),
        None => page.line(format!("`hookwright runs show {id}` tells how far it is.")),
    }
    page
}
