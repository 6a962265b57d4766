//! `hookwright why`: what became of a transaction, from the event it fired to the end of each run, in sentences.

use serde_json::Value;

use super::runs;
use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, text_at},
    session::Session,
    why,
};

/// How many workflows are named where none has run.
const NEAREST: usize = 3;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright why 6a1f2e3d4c5b6a7980a1b2c3
  hookwright why 6a1f2e3d4c5b6a7980a1b2c3 --json    (the transaction with its trace, and each run under `included`)")]
pub(crate) struct Args {
    /// The transaction's id, from the answer to whoever posted it
    transaction: String,
}

/// Carries the command out.
pub(crate) fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let mut document = session.client.get(&Address::of(&["transactions", &args.transaction]))?;
    let mut runs = Vec::new();
    for considered in why::considered(&document) {
        if let Some(id) = considered.pointer("/run/id").and_then(Value::as_str) {
            match session.client.get(&Address::of(&["runs", id])) {
                Ok(mut run) => runs.push(run.get_mut("data").map(Value::take).unwrap_or_default()),
                // One that has just been started is not there yet.
                Err(Failure::Refused(refusal)) if refusal.status == 404 => {}
                Err(failure) => return Err(failure),
            }
        }
    }
    let nearest =
        if runs.is_empty() { nearest(&session, &text_at(&document, "/meta/trace/event")) } else { Vec::new() };
    if let Value::Object(members) = &mut document {
        members.insert("included".to_owned(), Value::Array(runs));
    }
    session.show_document(&document, |document| view(document, &nearest))
}

fn view(document: &Value, nearest: &[Value]) -> Page {
    let included = document.get("included").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut page = Page::default();
    let trace = document.pointer("/meta/trace").unwrap_or(&Value::Null);
    let event = document.pointer("/meta/event").filter(|event| event.is_object());
    match event {
        Some(event) => why::event(event).iter().for_each(|sentence| page.line(sentence)),
        None => {
            let kind = text_at(document, "/data/relationships/hook/data/type").replace('_', " ");
            page.line(format!(
                "The transaction {} came in at {} by the {kind} {}.",
                text_at(document, "/data/id"),
                text_at(document, "/data/attributes/createdAt"),
                text_at(document, "/data/relationships/hook/data/id"),
            ));
            why::events(trace).iter().for_each(|sentence| page.line(sentence));
        }
    }
    for considered in why::considered(document) {
        page.line("");
        page.line(why::considered_sentence(considered));
        let run = considered.pointer("/run/id");
        let run = included.iter().find(|included| run.is_some() && included.get("id") == run);
        for sentence in run.into_iter().flat_map(runs::story) {
            page.line(format!("  {sentence}"));
        }
    }
    let ends = why::endings(trace);
    if !ends.is_empty() {
        page.line("");
    }
    ends.iter().for_each(|sentence| page.line(sentence));
    if why::considered(document).is_empty() {
        let at = if event.is_some() { "/meta/event/createdAt" } else { "/data/attributes/createdAt" };
        page.append(told_nearest(nearest, &text_at(trace, "/event"), &text_at(document, at)));
    }
    page
}

/// Workflows whose event is most like the one that was fired. That they cannot be read must not keep the rest from being
/// told.
fn nearest(session: &Session, event: &str) -> Vec<Value> {
    let address = Address::of(&["workflows"]).query("pageSize", Some("100"));
    let Ok(mut document) = session.client.get(&address) else { return Vec::new() };
    let Some(Value::Array(mut workflows)) = document.get_mut("data").map(Value::take) else { return Vec::new() };
    let likeness = |workflow: &Value| strsim::jaro_winkler(event, &text_at(workflow, "/attributes/trigger/eventName"));
    workflows.sort_by(|one, other| likeness(other).total_cmp(&likeness(one)));
    workflows.truncate(NEAREST);
    workflows
}

/// The workflows that could have been meant. One that listens to the event was changed since the transaction came in.
fn told_nearest(workflows: &[Value], event: &str, came_in_at: &str) -> Page {
    let mut page = Page::default();
    for workflow in workflows {
        let (name, id) = (text_at(workflow, "/attributes/name"), text_at(workflow, "/id"));
        let listens = text_at(workflow, "/attributes/trigger/eventName");
        let since = if text_at(workflow, "/attributes/createdAt").as_str() > came_in_at { "made" } else { "changed" };
        page.line(match listens == event {
            true => {
                format!("  Workflow {name} ({id}) listens to it now. It was {since} after the transaction came in.")
            }
            false => format!("  Workflow {name} ({id}) listens to {listens}."),
        });
    }
    if !workflows.iter().any(|workflow| text_at(workflow, "/attributes/trigger/eventName") == event) {
        page.line(format!("A workflow starts by this event once its trigger's eventName is {event}."));
    }
    page
}
