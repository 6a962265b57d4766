//! `hookwright runs`: executions of workflows, step by step.

mod outcome;
mod replay;
mod search;
mod story;

use clap::Subcommand;
use domain::{RunState, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, present_fields, text_at},
    paging::Paging,
    session::Session,
    source,
};

pub(crate) use replay::How;
use story::{failure, has_failed, name, waits};
pub(crate) use story::{reasons, story};

/// A time below this is told in milliseconds.
const LONG_MILLISECONDS: i64 = 10_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright runs ls --workflow 6a1f2e3d4c5b6a7980a1b2c3 --state failed
  hookwright runs show 6a1f2e3d4c5b6a7980a1b2c4")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs of a workflow, newest first
    #[command(
        visible_alias = "list",
        after_help = "\
Examples:
  hookwright runs ls --workflow 6a1f2e3d4c5b6a7980a1b2c3
  hookwright runs ls --workflow 6a1f2e3d4c5b6a7980a1b2c3 --state failed --from 2026-11-22T00:00:00Z"
    )]
    Ls {
        /// The workflow's id
        #[arg(long, value_name = "ID")]
        workflow: String,
        /// Only runs in this state: running, waiting, held, succeeded, failed or cancelled
        #[arg(long, value_parser = state_word)]
        state: Option<String>,
        /// Only runs that started at this instant or later, such as 2026-11-22T09:30:00Z
        #[arg(long, value_name = "INSTANT")]
        from: Option<String>,
        /// Only runs that started before this instant
        #[arg(long, value_name = "INSTANT")]
        until: Option<String>,
        /// Only runs of what has this value at this place, such as data.orderId=1234; may be given 5 times
        #[arg(long = "where", value_name = "PATH=VALUE")]
        places: Vec<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Find the runs that were started by what has this value at this place, in one workflow or in all
    #[command(after_help = "\
Examples:
  hookwright runs search data.orderId=1234
  hookwright runs search data.orderId=1234 data.status=paid --workflow 6a1f2e3d4c5b6a7980a1b2c3 --from 2026-11-22T00:00:00Z

`data.` is what arrived, `trigger.` what step 1 saw.")]
    Search(search::Args),
    /// End a run that is not over; what it has done stays done
    #[command(after_help = "Examples:\n  hookwright runs cancel 6a1f2e3d4c5b6a7980a1b2c4")]
    Cancel {
        /// The run's id
        id: String,
    },
    /// Hold a run until it is resumed
    #[command(after_help = "Examples:\n  hookwright runs pause 6a1f2e3d4c5b6a7980a1b2c4")]
    Pause {
        /// The run's id
        id: String,
    },
    /// Let a run that is held go on
    #[command(after_help = "Examples:\n  hookwright runs resume 6a1f2e3d4c5b6a7980a1b2c4")]
    Resume {
        /// The run's id
        id: String,
    },
    /// Answer a step of a run that waits for an answer
    #[command(after_help = "\
Examples:
  hookwright runs answer 6a1f2e3d4c5b6a7980a1b2c4 approve
  hookwright runs answer 6a1f2e3d4c5b6a7980a1b2c4 reject --step approval --data '{\"why\": \"too old\"}'")]
    Answer {
        /// The run's id
        id: String,
        /// The choice, where the question has some
        choice: Option<String>,
        /// The step that waits, where several do
        #[arg(long)]
        step: Option<String>,
        /// The branch it is in, such as each#1.0
        #[arg(long)]
        branch: Option<String>,
        /// Anything more: JSON, a file with it, or - for standard input
        #[arg(long, value_name = "JSON|FILE")]
        data: Option<String>,
    },
    /// Say what came of a step for which a run is held because nobody knows
    #[command(after_help = "\
Examples:
  hookwright runs outcome 6a1f2e3d4c5b6a7980a1b2c4 done --output '{\"id\": \"ch_1\"}'
  hookwright runs outcome 6a1f2e3d4c5b6a7980a1b2c4 not-done --step charge
  hookwright runs outcome 6a1f2e3d4c5b6a7980a1b2c4 failed --message 'the bank took it back'

`done`: the step leaves the output; `not-done`: it is tried again under the same key; `failed`: its error cases apply.")]
    Outcome(outcome::Args),
    /// Have a run that is over go on from the step that failed, or begin anew
    #[command(after_help = "\
Examples:
  hookwright runs replay 6a1f2e3d4c5b6a7980a1b2c4
  hookwright runs replay 6a1f2e3d4c5b6a7980a1b2c4 --latest --dry
  hookwright runs replay 6a1f2e3d4c5b6a7980a1b2c4 --from start --repeat-effects

From `failed` it is the same run, and nothing that it has done is done again. From `start` it is another run for the same
transaction, which keeps what was done unless it is told to repeat it.")]
    Replay(replay::Args),
    /// Make a link that answers a step of a run, for somebody without a key
    #[command(after_help = "\
Examples:
  hookwright runs link 6a1f2e3d4c5b6a7980a1b2c4
  hookwright runs link 6a1f2e3d4c5b6a7980a1b2c4 --step approval --choice approve")]
    Link {
        /// The run's id
        id: String,
        /// The step that waits, where several do
        #[arg(long)]
        step: Option<String>,
        /// The branch it is in, such as each#1.0
        #[arg(long)]
        branch: Option<String>,
        /// The only choice that the link gives; all of them without it
        #[arg(long)]
        choice: Option<String>,
    },
    /// Show a run: its steps, when each ran, where it went and why
    #[command(after_help = "\
Examples:
  hookwright runs show 6a1f2e3d4c5b6a7980a1b2c4
  hookwright runs show 6a1f2e3d4c5b6a7980a1b2c4 --values")]
    Show {
        /// The run's id
        id: String,
        /// Print every step's input and output, too
        #[arg(long)]
        values: bool,
    },
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Ls { workflow, state, from, until, places, paging } => {
            let address = Address::of(&["workflows", &workflow, "runs"])
                .query("state", state.as_deref())
                .query("from", from.as_deref())
                .query("until", until.as_deref());
            let address = places.iter().fold(address, |address, place| address.query("where", Some(place)));
            session.list(address, &paging, table)
        }
        Command::Search(args) => search::run(&session, &args),
        Command::Cancel { id } => ask(&session, &id, "cancel", Vec::new()),
        Command::Pause { id } => ask(&session, &id, "pause", Vec::new()),
        Command::Resume { id } => ask(&session, &id, "resume", Vec::new()),
        Command::Answer { id, choice, step, branch, data } => {
            let data = data.map(|text| source::read_json("--data", &text)).transpose()?;
            let mut answer = given([("choice", choice), ("step", step), ("branch", branch)]);
            answer.extend(data.map(|data| ("data".to_owned(), data)));
            ask(&session, &id, "answers", Value::Object(answer).to_string().into_bytes())
        }
        Command::Replay(args) => replay::run(args, &session),
        Command::Outcome(args) => outcome::run(args, &session),
        Command::Link { id, step, branch, choice } => {
            let draft = Value::Object(given([("choice", choice), ("step", step), ("branch", branch)]));
            let address = Address::of(&["runs", &id, "answer-links"]);
            session.show(&session.client.post(&address, draft.to_string().into_bytes())?, link)
        }
        Command::Show { id, values } => {
            let run = session.client.get(&Address::of(&["runs", &id]))?;
            session.show(&run, |run| if values { view_with_values(run) } else { view(run) })
        }
    }
}

/// An object of what was said.
fn given(texts: [(&str, Option<String>); 3]) -> Map<String, Value> {
    texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))).collect()
}

fn link(link: &Value) -> Page {
    let attributes = link.get("attributes").unwrap_or(&Value::Null);
    let mut page = Page::default();
    page.fields(&[
        ("link", text_at(attributes, "/url")),
        ("step", text_at(attributes, "/step")),
        ("until", text_at(attributes, "/expiresAt")),
    ]);
    page.line("");
    page.line("Whoever has this link may answer. Send it to nobody else.");
    page
}

fn ask(session: &Session, id: &str, what: &str, body: Vec<u8>) -> Result<(), Failure> {
    session.show(&session.client.post(&Address::of(&["runs", id, what]), body)?, view)
}

fn state_word(word: &str) -> Result<String, String> {
    match RunState::parse(word) {
        Some(state) => Ok(state.word().to_owned()),
        None => Err("a state is running, waiting, held, succeeded, failed or cancelled".to_owned()),
    }
}

fn table(runs: &[Value]) -> Page {
    if runs.is_empty() {
        return Page::of_line("There are no such runs.");
    }
    let mut page = Page::default();
    let rows = runs.iter().map(|run| {
        let attributes = run.get("attributes").unwrap_or(&Value::Null);
        let state = text_at(attributes, "/state");
        [text_at(run, "/id"), state, text_at(attributes, "/startedAt"), took(attributes), failure(attributes)]
    });
    page.table(["ID", "STATE", "STARTED", "TOOK", "ERROR"], rows.collect());
    page
}

fn view(run: &Value) -> Page {
    let attributes = run.get("attributes").unwrap_or(&Value::Null);
    let mut page = Page::default();
    let mut fields = vec![
        ("run", text_at(run, "/id")),
        ("state", text_at(attributes, "/state")),
        ("workflow", text_at(attributes, "/workflowId")),
        ("transaction", text_at(attributes, "/transactionId")),
        ("started", text_at(attributes, "/startedAt")),
        ("ended", text_at(attributes, "/endedAt")),
        ("took", took(attributes)),
    ];
    fields.extend(present_fields(
        attributes,
        &[
            ("goes on", "/resumesAt"),
            ("key", "/key"),
            ("collected into", "/collectedInto"),
            ("replays", "/replayOf/run"),
        ],
    ));
    if attributes.get("error").is_some_and(|error| !error.is_null()) {
        fields.push(("error", failure(attributes)));
    }
    page.fields(&fields);
    for sentence in outcome::asked(attributes) {
        page.line("");
        page.line(sentence);
    }
    let steps = attributes.get("steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    page.line("");
    page.table(
        ["STEP", "ACTION", "STATE", "STARTED", "TOOK", "TRIES", "WENT TO"],
        steps.iter().enumerate().map(row).collect(),
    );
    page.line("");
    page.line("Why:");
    for sentence in steps.iter().flat_map(reasons) {
        page.line(format!("  {sentence}"));
    }
    page
}

fn view_with_values(run: &Value) -> Page {
    let mut page = view(run);
    for step in run.pointer("/attributes/steps").and_then(Value::as_array).into_iter().flatten() {
        for (title, part) in [("Input", "input"), ("Output", "output")] {
            if let Some(value) = step.get(part).filter(|value| !value.is_null()) {
                page.line("");
                page.line(format!("{title} of {}:", name(step)));
                page.json(value);
            }
        }
    }
    page
}

fn row((index, step): (usize, &Value)) -> [String; 7] {
    let action = match step.get("action").and_then(Value::as_str) {
        Some(action) => action.to_owned(),
        None if index == 0 => "(trigger)".to_owned(),
        None => "(conditions)".to_owned(),
    };
    let is_last = step.get("retries").is_none_or(Value::is_null);
    let (state, nowhere) = match (waits(step), has_failed(step)) {
        (true, _) => ("waiting", "-"),
        (false, true) => ("failed", if is_last { "(end)" } else { "(again)" }),
        (false, false) => ("done", "(end)"),
    };
    let state = state.to_owned();
    let target = step.pointer("/transition/target").and_then(Value::as_str).unwrap_or(nowhere).to_owned();
    [name(step), action, state, text_at(step, "/startedAt"), took(step), text_at(step, "/attempts"), target]
}

/// How long it was from `startedAt` to `endedAt`.
fn took(document: &Value) -> String {
    let instant = |name| document.get(name).and_then(Value::as_str).and_then(Timestamp::parse);
    let (Some(started), Some(ended)) = (instant("startedAt"), instant("endedAt")) else { return "-".to_owned() };
    let milliseconds = ended.as_millisecond().saturating_sub(started.as_millisecond());
    if milliseconds < LONG_MILLISECONDS { format!("{milliseconds} ms") } else { format!("{} s", milliseconds / 1_000) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run_of(steps: Value) -> Value {
        json!({"id": "r1", "attributes": {
            "state": "failed", "workflowId": "w1", "transactionId": "t1",
            "startedAt": "2026-11-22T09:30:00.000Z", "endedAt": "2026-11-22T09:30:12.500Z",
            "error": {"code": "email_taken", "message": "The address is taken."}, "steps": steps,
        }})
    }

    #[test]
    fn a_run_is_told_step_by_step_with_its_reasons() {
        let told = view(&run_of(json!([
            {"id": "1", "visit": 1, "action": null, "attempts": 1, "error": null,
             "startedAt": "2026-11-22T09:30:00.000Z", "endedAt": "2026-11-22T09:30:00.004Z",
             "transition": {"target": "make", "conditions": [{"target": "make", "verdict": {"op": "true", "result": true}}]}},
            {"id": "make", "visit": 2, "action": "kustomer.customer.create", "attempts": 3, "transition": null,
             "startedAt": "2026-11-22T09:30:00.004Z", "endedAt": "2026-11-22T09:30:12.500Z",
             "error": {"code": "email_taken", "message": "The address is taken."},
             "errorCase": {"action": null, "conditions": []}},
        ])))
        .to_string();
        for line in [
            "took         12 s",
            "error        The address is taken. (email_taken)",
            "1               (trigger)                 done    2026-11-22T09:30:00.000Z  4 ms  1      make",
            "make (visit 2)  kustomer.customer.create  failed  2026-11-22T09:30:00.004Z  12 s  3      (end)",
            "  1 → make, as always.",
            "  make (visit 2) failed at attempt 3: The address is taken. (email_taken)",
            "  None of the error cases of make (visit 2) held.",
        ] {
            assert!(told.lines().any(|told| told == line), "{line}\n--- is not in\n{told}");
        }
    }

    #[test]
    fn a_step_id_from_a_stranger_cannot_act_on_the_terminal() {
        let told = view(&run_of(json!([{"id": "\u{1b}[2J", "transition": {"target": "\u{9b}31m\nfake"}}]))).to_string();
        assert!(
            !told.contains(['\u{1b}', '\u{9b}']) && told.contains("\\u{1b}[2J") && !told.contains("\nfake"),
            "{told}"
        );
    }
}
