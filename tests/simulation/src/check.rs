//! What has to be true once everything has come to its end, whatever went wrong before.

mod flow;
mod replays;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::AddAssign,
};

use domain::{Run, RunId, RunState, TransactionId};
use engine::journal::{Entry, Outcome};
use serde_json::Value;
use service::{
    ports::Table,
    runs::{JournalEntry, StoredTransaction},
};

use crate::{
    outside::Ledger,
    scheduler::{Scheduler, Sent},
};

/// Why a run may fail in a world in which services cannot be reached, answers get lost, and nobody may repeat some calls.
const FAILURES: [&str; 8] = [
    "branch_failed",
    "unknown_outcome",
    "rest_not_reached",
    "rest_timeout",
    "rest_no_answer",
    "mail_not_sent",
    "item_failed",
    "call_failed",
];

/// The call that its step forbids to repeat.
const NEVER_REPEATED: &str = "https://ledger.test/entries";

/// All that stands, read from the store.
pub(crate) struct Findings {
    pub(crate) transactions: BTreeMap<TransactionId, StoredTransaction>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) journals: BTreeMap<RunId, Vec<JournalEntry>>,
    pub(crate) ledger: Ledger,
    records: Vec<(String, Value)>,
}

/// How many runs came to which end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ends {
    /// Runs that succeeded.
    pub succeeded: usize,
    /// Runs that failed, visibly.
    pub failed: usize,
    /// Runs that were cancelled, which is what becomes of those that a later arrival took the place of.
    pub cancelled: usize,
    /// Calls and mails that arrived more than once, each under one key.
    pub repeated_effects: usize,
    /// Runs that failed and were replayed: from the step that failed, or from the start.
    pub replayed: usize,
}

impl AddAssign for Ends {
    fn add_assign(&mut self, other: Self) {
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
        self.repeated_effects += other.repeated_effects;
        self.replayed += other.replayed;
    }
}

/// Every sentence of the contract that does not hold, and how the runs ended.
pub(crate) fn check(scheduler: &mut Scheduler) -> (Vec<String>, Ends) {
    let findings = Findings::of(scheduler);
    let mut broken = Vec::new();
    the_balance_adds_up(scheduler, &findings, &mut broken);
    accepted_is_there(scheduler, &findings, &mut broken);
    every_run_is_over(&findings, &mut broken);
    keys_are_one_effect(&findings, &mut broken);
    records_are_written_once(&findings, &mut broken);
    events_are_fired_once(&findings, &mut broken);
    flow::arrivals_are_collected_once(&findings, &mut broken);
    flow::the_last_arrival_is_not_superseded(&findings, &mut broken);
    flow::each_occurrence_is_made_once(scheduler, &mut broken);
    replays::what_was_done_is_kept(scheduler, &findings, &mut broken);
    if !scheduler.has_stalled() {
        flow::one_at_a_time(scheduler, &findings, &mut broken);
    }
    let count = |state| findings.runs.values().filter(|run| run.state == state).count();
    let repeats = findings.ledger.entries.values().filter(|arrived| arrived.times > 1).count();
    let ends = Ends {
        succeeded: count(RunState::Succeeded),
        failed: count(RunState::Failed),
        cancelled: count(RunState::Cancelled),
        repeated_effects: repeats,
        replayed: scheduler.replays.iter().filter(|replay| replay.replayed_as.is_some()).count(),
    };
    (broken, ends)
}

impl Findings {
    fn of(scheduler: &mut Scheduler) -> Self {
        let items = scheduler.stage.durable.store.items();
        let mut transactions = BTreeMap::new();
        let mut records = Vec::new();
        for item in &items {
            let parts: Vec<&str> = item.key.partition.split('#').collect();
            match (item.key.table, parts.get(1).copied(), item.key.sort.as_str()) {
                (Table::Runs, Some("transaction"), "transaction") => {
                    let stored: StoredTransaction = serde_json::from_str(&item.document).expect("a transaction");
                    transactions.insert(stored.transaction.id, stored);
                }
                (Table::Records, Some(kind), "record") => {
                    let kind = kind.to_owned();
                    records.push((kind, serde_json::from_str(&item.document).expect("a record")));
                }
                (Table::Directory | Table::Runs | Table::Records, _, _) => {}
            }
        }
        let ids = transactions.values().flat_map(|stored| stored.considered.iter().filter_map(|one| one.run));
        let mut ids: Vec<RunId> = ids.collect();
        let (mut runs, mut journals) = (BTreeMap::new(), BTreeMap::new());
        while let Some(id) = ids.pop() {
            if let Some(stored) = scheduler.stage.find_run(id) {
                ids.extend(&stored.run.replayed_as);
                runs.insert(id, stored.run);
                journals.insert(id, stored.entries);
            }
        }
        let ledger = scheduler.stage.durable.outside.ledger();
        Self { transactions, runs, journals, ledger, records }
    }

    /// Every entry of every journal, with its run; but for those that only say what another run has done.
    fn entries(&self) -> impl Iterator<Item = (&Run, &Entry)> {
        let own = |run: &Run| self.journals[&run.id].iter().filter(|entry| !entry.is_kept);
        self.runs.values().flat_map(move |run| own(run).map(move |entry| (run, &entry.entry)))
    }

    /// How many steps with `action` succeeded.
    fn succeeded(&self, action: &str) -> usize {
        let of_action = |(_, entry): &(&Run, &Entry)| entry.action.as_deref() == Some(action);
        self.entries().filter(of_action).filter(|(_, entry)| matches!(entry.outcome, Outcome::Output(_))).count()
    }
}

/// Accepted is durable.
fn accepted_is_there(scheduler: &Scheduler, findings: &Findings, broken: &mut Vec<String>) {
    for (arrival, sent) in scheduler.sent.iter().enumerate() {
        if matches!(sent, Sent::NotYet | Sent::UnderWay) {
            broken.push(format!("arrival {arrival} was never answered"));
        }
    }
    for (arrival, ids) in &scheduler.accepted {
        for id in ids.iter().filter(|id| !findings.transactions.contains_key(id)) {
            broken.push(format!("arrival {arrival} was accepted as {id}, and is not there"));
        }
    }
    // Whatever was sent once more, one transaction starts something, and each other says that it repeats that one.
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for stored in findings.transactions.values().filter(|stored| stored.transaction.hook.is_some()) {
        match stored.not_fired.as_ref().map(|reason| reason.code.as_str()) {
            None => *first.entry(stored.transaction.data["n"].to_string()).or_default() += 1,
            Some("repeated") => {
                first.entry(stored.transaction.data["n"].to_string()).or_default();
            }
            Some(other) => broken.push(format!("{} starts nothing: {other}", stored.transaction.id)),
        }
    }
    for (number, count) in first.into_iter().filter(|(_, count)| *count != 1) {
        broken.push(format!("arrival {number} is {count} transactions that start something"));
    }
}

/// What the product itself says of all this: everything accepted is somewhere, and nothing is under way any more.
fn the_balance_adds_up(scheduler: &mut Scheduler, findings: &Findings, broken: &mut Vec<String>) {
    let balance = scheduler.stage.ask("GET", "/v1/balance?pageSize=100", &Value::Null);
    let told = &balance["data"][0]["attributes"];
    let accepted = findings.transactions.values().filter(|stored| stored.transaction.hook.is_some()).count();
    let is_over = ["running", "waiting", "held", "deadLettered"].iter().all(|place| told[*place] == 0);
    if told["accepted"] != accepted || told["addsUp"] != true || !is_over {
        broken.push(format!("{accepted} transactions were accepted, and the balance is {told}"));
    }
}

/// Nothing ends silently: each run that was to begin did, and came to an end that it says the reason of.
fn every_run_is_over(findings: &Findings, broken: &mut Vec<String>) {
    for stored in findings.transactions.values() {
        for considered in &stored.considered {
            let Some(id) = considered.run else { continue };
            let Some(run) = findings.runs.get(&id) else {
                broken.push(format!("{} of transaction {} never began", considered.name, stored.transaction.id));
                continue;
            };
            if run.workflow_hash != considered.hash {
                broken.push(format!("run {id} of {} went over to another version", considered.name));
            }
        }
    }
    for (id, run) in &findings.runs {
        if !run.state.is_final() {
            broken.push(format!("run {id} is {}", run.state.word()));
        }
        let code = run.error.as_ref().map(|error| error.code.as_str());
        if run.state == RunState::Failed && !code.is_some_and(|code| FAILURES.contains(&code)) {
            broken.push(format!("run {id} failed with {:?}", run.error));
        }
    }
}

/// An effect outside has one key, and what is done under a key is always the same.
fn keys_are_one_effect(findings: &Findings, broken: &mut Vec<String>) {
    for (key, arrived) in &findings.ledger.entries {
        if arrived.differs {
            broken.push(format!("what came under {key} was not always the same"));
        }
        if arrived.url == NEVER_REPEATED && arrived.times > 1 {
            broken.push(format!("{key} was repeated {} times and must not be", arrived.times - 1));
        }
        let run = key.split('/').next().and_then(|run| RunId::parse(run).ok());
        if run.is_none_or(|run| !findings.runs.contains_key(&run)) {
            broken.push(format!("{key} is the key of no run"));
        }
    }
    let mut done = BTreeSet::new();
    for (run, entry) in findings.entries() {
        let is_outside = entry
            .action
            .as_deref()
            .is_some_and(|action| action.starts_with("kustomer.rest-api.") || action == "kustomer.app.mail.send");
        if !is_outside || !matches!(entry.outcome, Outcome::Output(_)) {
            continue;
        }
        let key = key_of(run.id, entry);
        if !findings.ledger.entries.contains_key(&key) {
            broken.push(format!("{key} is in the journal and never happened"));
        }
        if !done.insert(key.clone()) {
            broken.push(format!("{key} is in the journal twice"));
        }
    }
}

/// The key that the effect of a step has where `run` does it.
fn key_of(run: RunId, entry: &Entry) -> String {
    let branch = if entry.branch.is_empty() { String::new() } else { format!("{}/", entry.branch) };
    format!("{run}/{branch}{}/{}", entry.step, entry.visit)
}

/// Effects on our own records happen once for each step that succeeded.
fn records_are_written_once(findings: &Findings, broken: &mut Vec<String>) {
    let count = |kind: &str| findings.records.iter().filter(|(own, _)| own.starts_with(kind)).count();
    for (kind, action) in [
        ("note", "kustomer.note.create"),
        ("kobject", "kustomer.kobject.create-with-customer"),
        ("customer", "kustomer.customer.create"),
    ] {
        let (found, expected) = (count(kind), findings.succeeded(action));
        if found != expected {
            let kinds: BTreeSet<&str> = findings.records.iter().map(|(kind, _)| kind.as_str()).collect();
            broken.push(format!("{expected} steps made a {kind}, and there are {found} ({kinds:?})"));
        }
    }
}

/// So do events.
fn events_are_fired_once(findings: &Findings, broken: &mut Vec<String>) {
    let fired = |stored: &&StoredTransaction| stored.event.starts_with("kustomer.app.shop.");
    let (found, published) =
        (findings.transactions.values().filter(fired).count(), findings.succeeded("kustomer.event.publish"));
    // What nobody listens to or waits for is not kept.
    if found > published {
        broken.push(format!("{published} steps published an event, and {found} were fired"));
    }
    let paid = |stored: &&StoredTransaction| stored.event == "kustomer.app.shop.order.paid";
    let paid = findings.transactions.values().filter(paid).count();
    let published = findings.entries().filter(|(_, entry)| {
        entry.step == "publish"
            && matches!(entry.outcome, Outcome::Output(_))
            && entry.input.as_ref().is_some_and(|input| input["name"] == "kustomer.app.shop.order.paid")
    });
    let published = published.count();
    if paid != published {
        broken.push(format!("{published} steps said that an order was paid, and {paid} events were fired"));
    }
}
