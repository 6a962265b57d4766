//! What a play leaves behind, told so that two plays can be compared.

use std::collections::BTreeMap;

use domain::{RunId, RunState};
use engine::journal::Outcome;
use serde_json::{Value, json};
use service::{ports::Table, runs::StoredTransaction};

use crate::stage::Stage;

/// Parts of records and outputs that tell when something happened.
const TIMES: [&str; 5] = ["at", "createdAt", "updatedAt", "occurredAt", "until"];

/// How many characters an id has, all of them hex digits.
const ID_CHARACTERS: usize = 24;

/// The runs that wait, in the order of their ids.
pub(super) fn waiting_runs(stage: &mut Stage) -> Vec<RunId> {
    let ids: Vec<RunId> = transactions(stage).iter().flat_map(runs_of).map(|(_, run)| run).collect();
    let is_waiting = |id: &RunId| stage.find_run(*id).is_some_and(|stored| stored.run.state == RunState::Waiting);
    ids.into_iter().filter(is_waiting).collect()
}

/// All of it, as lines in an order that does not depend on ids or times.
pub(super) fn left(stage: &mut Stage) -> String {
    let mut lines = Vec::new();
    for stored in transactions(stage) {
        let data = without_times(stored.transaction.data.clone());
        lines.push(format!("transaction {} {data}", stored.event));
        for (workflow, id) in runs_of(&stored) {
            let Some(found) = stage.find_run(id) else {
                lines.push(format!("run of {workflow} for {data} never began"));
                continue;
            };
            let error = found.run.error.as_ref().map(|error| &error.code);
            lines.push(format!("run of {workflow} for {data} {} {error:?}", found.run.state.word()));
            for entry in found.entries.iter().map(|entry| &entry.entry).filter(|entry| entry.retries.is_none()) {
                let outcome = match &entry.outcome {
                    Outcome::Output(output) => without_times(output.clone()),
                    Outcome::Failed(failure) => json!({ "failed": failure.code }),
                    Outcome::Pending(_) => continue,
                    Outcome::Stopped(_) => json!("stopped"),
                };
                let step = format!("{}/{}#{}", entry.branch, entry.step, entry.visit);
                lines.push(format!("step of {workflow} for {data} {step} {outcome}"));
            }
        }
    }
    for item in stage.durable.store.items().into_iter().filter(|item| item.key.table == Table::Records) {
        let document: Value = serde_json::from_str(&item.document).expect("a document");
        let kind = item.key.partition.split('#').nth(1).unwrap_or_default().to_owned();
        lines.push(format!("{kind} {} {}", item.key.sort, without_times(document)));
    }
    for arrived in stage.durable.outside.ledger().entries.values() {
        // Boundaries and dates of mails are their own.
        let said = if arrived.url.is_empty() { "a mail" } else { arrived.body.as_str() };
        lines.push(format!("outside {} {said} the same every time: {}", arrived.url, !arrived.differs));
    }
    let mut lines: Vec<String> = lines.iter().map(|line| with_names_for_ids(line)).collect();
    lines.sort();
    lines.join("\n")
}

fn transactions(stage: &Stage) -> Vec<StoredTransaction> {
    let items = stage.durable.store.items().into_iter();
    let items = items.filter(|item| item.key.table == Table::Runs && item.key.sort == "transaction");
    items.map(|item| serde_json::from_str(&item.document).expect("a transaction")).collect()
}

fn runs_of(stored: &StoredTransaction) -> Vec<(String, RunId)> {
    let runs = stored.considered.iter().filter_map(|one| Some((one.name.clone(), one.run?)));
    runs.collect()
}

fn without_times(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let members = map.into_iter().filter(|(key, _)| !TIMES.contains(&key.as_str()));
            Value::Object(members.map(|(key, member)| (key, without_times(member))).collect())
        }
        Value::Array(list) => list.into_iter().map(without_times).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

/// Ids follow from when something arrived, which is another time in each play: here they are told by their order in the line.
fn with_names_for_ids(line: &str) -> String {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut told = String::new();
    let mut rest = line;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        match digits {
            0 => {
                let next = rest.chars().next().map_or(1, char::len_utf8);
                told.push_str(&rest[..next]);
                rest = &rest[next..];
            }
            ID_CHARACTERS => {
                let next = names.len();
                let name = *names.entry(rest[..digits].to_owned()).or_insert(next);
                told.push_str(&format!("id{name}"));
                rest = &rest[digits..];
            }
            _ => {
                told.push_str(&rest[..digits]);
                rest = &rest[digits..];
            }
        }
    }
    told
}
