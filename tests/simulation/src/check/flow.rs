//! What holds of workflows that control their flow.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Run, RunState, Timestamp, TransactionId};
use serde_json::Value;

use super::Findings;
use crate::{estate::OCCURS_EVERY_SECONDS, outside::said, scheduler::Scheduler};

/// When a transaction was accepted; of several at the same instant, their ids decide.
type Accepted = (Timestamp, TransactionId);

/// The runs of the workflow `name`, with the transaction's data of each.
fn runs_of<'f>(findings: &'f Findings, name: &str) -> Vec<(&'f Run, &'f Value, Accepted)> {
    let mut found = Vec::new();
    for stored in findings.transactions.values() {
        for considered in stored.considered.iter().filter(|considered| considered.name == name) {
            if let Some(run) = considered.run.and_then(|run| findings.runs.get(&run)) {
                let accepted = (stored.transaction.created_at, stored.transaction.id);
                found.push((run, &stored.transaction.data, accepted));
            }
        }
    }
    found
}

/// Every arrival is in one batch, and in no second one.
pub(super) fn arrivals_are_collected_once(findings: &Findings, broken: &mut Vec<String>) {
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for (key, arrived) in &findings.ledger.entries {
        if arrived.url != "https://batch.test/lists" {
            continue;
        }
        let said = said(arrived);
        let all = said["all"].as_array().cloned().unwrap_or_default();
        if all.is_empty() {
            broken.push(format!("{key} sent a batch without anything in it"));
        }
        for one in all {
            *sent.entry(one["attributes"]["data"]["n"].to_string()).or_default() += 1;
        }
    }
    let runs = runs_of(findings, "batch");
    let failed: BTreeSet<_> =
        runs.iter().filter(|(run, ..)| run.state == RunState::Failed).map(|(run, ..)| run.id).collect();
    for (run, data, _) in runs {
        let number = data["n"].to_string();
        let carrier = run.collected_into.unwrap_or(run.id);
        let times = sent.get(&number).copied().unwrap_or_default();
        let is_failed = failed.contains(&carrier);
        if times > 1 || (times == 0 && !is_failed) {
            broken.push(format!("arrival {number} was in {times} batches"));
        }
    }
}

/// What was accepted last for a key is what a run was for.
pub(super) fn the_last_arrival_is_not_superseded(findings: &Findings, broken: &mut Vec<String>) {
    let mut last: BTreeMap<String, (Accepted, &Run)> = BTreeMap::new();
    for (run, data, accepted) in runs_of(findings, "cart") {
        let newest = last.entry(data["cart"].to_string()).or_insert((accepted, run));
        if accepted > newest.0 {
            *newest = (accepted, run);
        }
    }
    for (cart, (_, run)) in last {
        if run.state == RunState::Cancelled {
            broken.push(format!("the last arrival for {cart} was superseded"));
        }
    }
}

/// Each occurrence of the recurring schedule is one call, and none between the first and the last is left out.
pub(super) fn each_occurrence_is_made_once(scheduler: &mut Scheduler, broken: &mut Vec<String>) {
    let mut planned: Vec<(Timestamp, String)> = Vec::new();
    let mut next = Some("/v1/scheduled-runs?pageSize=100".to_owned());
    while let Some(path) = next {
        let page = scheduler.stage.ask("GET", &path, &Value::Null);
        for made in page["data"].as_array().into_iter().flatten() {
            let attributes = &made["attributes"];
            let at = attributes["runAt"].as_str().and_then(Timestamp::parse);
            if let Some(at) = at.filter(|_| attributes["recurringScheduleId"].is_string()) {
                planned.push((at, attributes["runId"].to_string()));
                if attributes["runId"].is_null() {
                    broken.push(format!("an occurrence began nothing: {attributes}"));
                }
            }
        }
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    planned.sort();
    for pair in planned.windows(2) {
        if let [(earlier, _), (later, _)] = pair
            && earlier.seconds_until(*later) != OCCURS_EVERY_SECONDS
        {
            broken.push(format!("an occurrence at {earlier} is followed by one at {later}"));
        }
    }
    let runs: BTreeSet<&String> = planned.iter().map(|(_, run)| run).collect();
    if runs.len() != planned.len() {
        broken.push(format!("{} occurrences are {} runs", planned.len(), runs.len()));
    }
}

/// Between the first and the last call of a run there is none of another run for the same article; and again where it is replayed,
/// which it is once all are over.
pub(super) fn one_at_a_time(scheduler: &Scheduler, findings: &Findings, broken: &mut Vec<String>) {
    let order = &findings.ledger.order;
    let (before, since) = order.split_at(scheduler.effects_before_replays.min(order.len()));
    one_at_a_time_in(before, findings, broken);
    one_at_a_time_in(since, findings, broken);
}

fn one_at_a_time_in(order: &[String], findings: &Findings, broken: &mut Vec<String>) {
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for key in order {
        let arrived = &findings.ledger.entries[key];
        if arrived.url.starts_with("https://stock.test/") {
            let run = key.split('/').next().unwrap_or_default().to_owned();
            lines.entry(said(arrived)["sku"].to_string()).or_default().push(run);
        }
    }
    for (sku, runs) in lines {
        let mut over = BTreeSet::new();
        let mut current: Option<&String> = None;
        for run in &runs {
            if current.is_some_and(|current| current != run) {
                over.extend(current.cloned());
            }
            if over.contains(run) {
                broken.push(format!("two runs for {sku} were under way at the same time: {runs:?}"));
                break;
            }
            current = Some(run);
        }
    }
}
