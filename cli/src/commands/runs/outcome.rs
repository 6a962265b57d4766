//! `hookwright runs outcome`: says what came of a step of which nobody knows.

use serde_json::{Map, Value, json};

use crate::{failure::Failure, session::Session, source};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's id
    id: String,
    /// What came of the step
    #[arg(value_parser = ["done", "not-done", "failed"])]
    outcome: String,
    /// The step that is asked about, where several are
    #[arg(long)]
    step: Option<String>,
    /// The branch it is in, such as each#1.0
    #[arg(long)]
    branch: Option<String>,
    /// The visit of the step
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    visit: Option<u32>,
    /// What a step that was done leaves behind: JSON, a file with it, or - for standard input [default: {}]
    #[arg(long, value_name = "JSON|FILE")]
    output: Option<String>,
    /// Why a step failed
    #[arg(long)]
    message: Option<String>,
}

/// Carries the command out.
pub(super) fn run(args: Args, session: &Session) -> Result<(), Failure> {
    let output = args.output.map(|text| source::read_json("--output", &text)).transpose()?;
    let mut said = Map::from_iter([("outcome".to_owned(), json!(args.outcome.replace('-', "_")))]);
    let texts = [("step", args.step), ("branch", args.branch), ("message", args.message)];
    said.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))));
    said.extend(args.visit.map(|visit| ("visit".to_owned(), json!(visit))));
    said.extend(output.map(|output| ("output".to_owned(), output)));
    super::ask(session, &args.id, "outcomes", Value::Object(said).to_string().into_bytes())
}

/// What is to be told of a run that is held for steps nobody knows the outcome of.
pub(super) fn asked(attributes: &Value) -> Vec<String> {
    let held_for = attributes.get("heldFor").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let open = held_for.iter().filter(|asked| asked.get("answeredAt").is_none_or(Value::is_null));
    let sentence = |asked: &Value| {
        let message = asked.get("message").and_then(Value::as_str)?;
        Some(format!("{message} Say so by `hookwright runs outcome RUN done|not-done|failed`."))
    };
    open.filter_map(sentence).collect()
}
