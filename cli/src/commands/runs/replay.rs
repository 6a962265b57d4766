//! `hookwright runs replay`: has a run go on from the step that failed, or begin anew.

use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    failure::Failure,
    output::{Page, text_at},
    session::Session,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's id
    id: String,
    /// Where it begins: at the step that failed, or at the start, as a run of its own
    #[arg(long, value_name = "WHERE", default_value = "failed", value_parser = ["failed", "start"])]
    from: String,
    #[command(flatten)]
    how: How,
    /// Only tell what it would do
    #[arg(long)]
    dry: bool,
}

/// How runs are replayed.
#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// Go on with the newest definition of the workflow, and not with the one that the run began with
    #[arg(long)]
    latest: bool,
    /// From the start: let effects that are done happen again
    #[arg(long)]
    repeat_effects: bool,
}

impl How {
    /// The same as the API takes it, where it begins `from`.
    pub(crate) fn draft(&self, from: &str) -> Map<String, Value> {
        let mut draft = Map::from_iter([("from".to_owned(), json!(from))]);
        if self.latest {
            draft.insert("definition".to_owned(), json!("latest"));
        }
        if self.repeat_effects {
            draft.insert("effects".to_owned(), json!("repeat"));
        }
        draft
    }
}

/// Carries the command out.
pub(super) fn run(args: Args, session: &Session) -> Result<(), Failure> {
    let mut draft = args.how.draft(&args.from);
    if args.dry {
        draft.insert("dry".to_owned(), json!(true));
    }
    let address = Address::of(&["runs", &args.id, "replays"]);
    let answer = session.client.post(&address, Value::Object(draft).to_string().into_bytes())?;
    session.show(&answer, |answer| if args.dry { dry(answer) } else { super::view(answer) })
}

/// What a replay would do, step by step.
fn dry(answer: &Value) -> Page {
    let attributes = answer.get("attributes").unwrap_or(&Value::Null);
    let mut page = Page::default();
    let ending = attributes.pointer("/ending/state").and_then(Value::as_str).unwrap_or("not known");
    page.fields(&[("run", text_at(attributes, "/run")), ("would end", ending.to_owned())]);
    page.line("");
    let list = |name: &str| attributes.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows = list("steps").iter().map(|step| {
        let target = step.pointer("/transition/target").and_then(Value::as_str).unwrap_or("-").to_owned();
        [super::name(step), text_at(step, "/action"), text_at(step, "/source"), target]
    });
    page.table(["STEP", "ACTION", "OUTPUT", "WOULD GO TO"], rows.collect());
    for stop in list("stops") {
        page.line("");
        page.line(format!("It stops at {}: {}", text_at(stop, "/step"), text_at(stop, "/why")));
    }
    page
}
