//! What the tests share: known actions, definitions from documents, and a run driven to its end.

use engine::definition::Definition;
use engine::expression::Context;
use engine::journal::{Entry, Failure, Outcome};
use engine::run::{Decision, Ending, Progress, next, record, replay, start};
use serde_json::{Value, json};

pub(crate) const ACTIONS: [&str; 5] = [
    "kustomer.customer.find-by-email",
    "kustomer.customer.create",
    "kustomer.customer.update",
    "kustomer.kobject.create-with-customer",
    "flow.wait",
];

pub(crate) fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub(crate) fn definition(document: &Value) -> Definition {
    Definition::parse(document, &ACTIONS).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A definition whose trigger leads to the first of `steps`.
pub(crate) fn steps(steps: Value) -> Definition {
    let first = steps[0]["id"].clone();
    definition(&json!({
        "name": "test",
        "trigger": {"eventName": "e", "transitions": [{"target": first, "condition": {"op": "true", "values": []}}]},
        "steps": steps,
    }))
}

pub(crate) fn context(given: &Value) -> Context<'_> {
    Context { steps: &given["steps"], variables: given.get("variables"), error: given.get("error") }
}

pub(crate) fn failed(code: &str) -> Outcome {
    Outcome::Failed(Failure { code: code.to_owned(), message: format!("It is {code}.") })
}

/// Runs to the end, `perform` playing the actions; checks at every step that the journal gives the same state back.
pub(crate) fn drive(
    definition: &Definition,
    trigger_output: &Value,
    mut perform: impl FnMut(&str, &Value) -> Outcome,
) -> (Vec<Entry>, Ending) {
    let mut progress = start(definition, trigger_output.clone());
    let mut entries = vec![progress.trigger_entry(definition)];
    loop {
        let (input, outcome) = match next(definition, &progress) {
            Decision::Perform { step, input, .. } => {
                let outcome = perform(&step, &input);
                (Some(input), outcome)
            }
            Decision::Settled { outcome, .. } => (None, outcome),
            Decision::Finished(ending) => return (entries, ending),
        };
        entries.push(record(definition, &mut progress, input, outcome).unwrap());
        if entries.len() < 50 {
            assert_eq!(taken_up(definition, trigger_output, &entries), progress);
        }
    }
}

/// The run as another process would take it up: from the journal's JSON.
fn taken_up(definition: &Definition, trigger_output: &Value, entries: &[Entry]) -> Progress {
    let saved = serde_json::to_string(entries).unwrap();
    let read: Vec<Entry> = serde_json::from_str(&saved).unwrap();
    assert_eq!(read, entries);
    let with_trigger = replay(definition, trigger_output.clone(), &read).unwrap();
    let without_trigger = replay(definition, trigger_output.clone(), &read[1..]).unwrap();
    assert_eq!(with_trigger, without_trigger);
    with_trigger
}

/// The ids of the steps in the order they ran.
pub(crate) fn order(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.step.as_str()).collect()
}
