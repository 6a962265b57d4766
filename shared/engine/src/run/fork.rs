//! The branches of one loop or parallel step: which have begun, and what came of those that are over.

use domain::{Failure, Timestamp};
use serde_json::{Map, Value, json};

use super::branch::{Branch, Effect, Held, Position, place_of};
use super::{Ending, Illegal};
use crate::definition::Definition;
use crate::journal::{Entry, Outcome, Retry, RunFailure};
use crate::limits::INPUT_LIMIT_BYTES;
use crate::pending::{ForEach, Join, OnItemFailure, Parallel};

/// How many failures of items a loop tells that goes on after them.
const FAILURES_LIMIT: usize = 100;

/// The branches of one step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fork {
    /// What the paths of its branches begin with: `each#1.`.
    prefix: String,
    kind: Kind,
    concurrency: usize,
    begun: usize,
    active: Vec<(usize, Branch)>,
    /// What came of each branch, `null` of those that came to nothing.
    results: Vec<Value>,
    failures: Vec<(usize, RunFailure)>,
    /// The one that was the first to succeed.
    winner: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Items { step: String, items: Vec<Value>, start: usize, on_failure: OnItemFailure },
    Steps { starts: Vec<(String, usize)>, join: Join },
}

impl Fork {
    pub(super) fn of_items(
        definition: &Definition,
        parent: &Branch,
        entry: &Entry,
        each: &ForEach,
        now: Timestamp,
    ) -> Result<Fork, Illegal> {
        let kind = Kind::Items {
            step: entry.step.clone(),
            items: each.items.clone(),
            start: place_of(definition, &each.start)?,
            on_failure: each.on_item_failure,
        };
        Ok(Fork::opened(kind, prefix(&parent.path, entry), each.items.len(), each.concurrency, now))
    }

    pub(super) fn of_steps(
        definition: &Definition,
        parent: &Branch,
        entry: &Entry,
        parallel: &Parallel,
        now: Timestamp,
    ) -> Result<Fork, Illegal> {
        let starts = parallel.start.iter().map(|step| Ok((step.clone(), place_of(definition, step)?)));
        let starts: Vec<(String, usize)> = starts.collect::<Result<_, Illegal>>()?;
        let count = starts.len();
        Ok(Fork::opened(Kind::Steps { starts, join: parallel.join }, prefix(&parent.path, entry), count, count, now))
    }

    fn opened(kind: Kind, prefix: String, count: usize, concurrency: usize, now: Timestamp) -> Fork {
        let mut fork = Fork {
            prefix,
            kind,
            concurrency,
            begun: 0,
            active: Vec::new(),
            results: vec![Value::Null; count],
            failures: Vec::new(),
            winner: None,
        };
        fork.begin_more(now);
        fork
    }

    /// How many branches it has in all.
    pub(super) fn count(&self) -> usize {
        self.results.len()
    }

    /// Those under way, in order.
    pub(super) fn branches(&self) -> impl Iterator<Item = &Branch> {
        self.active.iter().map(|(_, branch)| branch)
    }

    /// The branch at `path`, or the one around it.
    pub(super) fn towards(&self, path: &str) -> Option<&Branch> {
        self.branches().find(|branch| leads_to(branch, path))
    }

    /// The same, to be changed.
    pub(super) fn towards_mut(&mut self, path: &str) -> Option<&mut Branch> {
        self.active.iter_mut().map(|(_, branch)| branch).find(|branch| leads_to(branch, path))
    }

    /// Moves the branch that `entry` is of.
    pub(super) fn follow(
        &mut self,
        definition: &Definition,
        entry: &Entry,
        retries: Option<Retry>,
        now: Timestamp,
    ) -> Result<Effect, Illegal> {
        let place = self.active.iter().position(|(_, branch)| leads_to(branch, &entry.branch));
        let Some((place, (index, branch))) = place.and_then(|place| Some((place, self.active.get_mut(place)?))) else {
            return Err(Illegal::NoSuchBranch(entry.branch.clone()));
        };
        let index = *index;
        let effect = follow(branch, definition, entry, retries, now)?;
        if let Position::Ended(ending) = &branch.position {
            let (ending, result) = (ending.clone(), std::mem::take(&mut branch.last));
            self.active.remove(place);
            self.settle(index, ending, result);
            self.begin_more(now);
        }
        Ok(effect)
    }

    /// Keeps what a step of the branch at `path` left.
    fn keep(&mut self, path: &str, step: &str, outcome: &Outcome) {
        if let Some(branch) = self.towards_mut(path) {
            keep(branch, path, step, outcome);
        }
    }

    fn settle(&mut self, index: usize, ending: Ending, result: Value) {
        match ending {
            Ending::Succeeded => {
                if let Some(place) = self.results.get_mut(index) {
                    *place = result;
                }
                if matches!(self.kind, Kind::Steps { join: Join::Any, .. }) {
                    self.winner = Some(index);
                    self.active.clear();
                }
            }
            Ending::Failed(failure) => {
                self.failures.push((index, failure));
                if self.ends_by_failure() {
                    self.active.clear();
                }
            }
        }
    }

    /// Whether one failure is the end of it.
    fn ends_by_failure(&self) -> bool {
        match &self.kind {
            Kind::Items { on_failure, .. } => *on_failure == OnItemFailure::Fail,
            Kind::Steps { join, .. } => *join == Join::All,
        }
    }

    fn is_decided(&self) -> bool {
        self.winner.is_some() || (self.ends_by_failure() && !self.failures.is_empty())
    }

    fn begin_more(&mut self, now: Timestamp) {
        while !self.is_decided() && self.active.len() < self.concurrency && self.begun < self.count() {
            let index = self.begun;
            let (outputs, start) = match &mut self.kind {
                Kind::Items { step, items, start, .. } => {
                    let item = items.get_mut(index).map(std::mem::take).unwrap_or_default();
                    let count = self.results.len();
                    let seen =
                        domain::exact::object([("item", item), ("index", json!(index)), ("count", json!(count))]);
                    (Map::from_iter([(step.clone(), seen)]), *start)
                }
                Kind::Steps { starts, .. } => {
                    let Some((_, start)) = starts.get(index) else { return };
                    (Map::new(), *start)
                }
            };
            let path = format!("{}{index}", self.prefix);
            self.active.push((index, Branch::new(path, outputs, Position::At(start), now)));
            self.begun += 1;
        }
    }

    /// Whether all that the step waits for is over.
    pub(super) fn is_over(&self) -> bool {
        self.is_decided() || (self.begun == self.count() && self.active.is_empty())
    }

    /// What came of the step, now that it is over.
    pub(super) fn outcome(&self) -> Outcome {
        match &self.kind {
            Kind::Items { on_failure: OnItemFailure::Fail, .. } => self
                .failed("item_failed", "Item")
                .unwrap_or_else(|| self.output(json!({ "count": self.count() }), Value::Array(self.results.clone()))),
            Kind::Items { on_failure: OnItemFailure::Continue, .. } => {
                let failed: Vec<Value> = self.failures.iter().take(FAILURES_LIMIT).map(told).collect();
                let about = json!({ "count": self.count(), "failedCount": self.failures.len(), "failures": failed });
                self.output(about, Value::Array(self.results.clone()))
            }
            Kind::Steps { join: Join::All, starts } => self.failed("branch_failed", "Branch").unwrap_or_else(|| {
                let named = starts.iter().map(|(step, _)| step.clone()).zip(self.results.iter().cloned());
                self.output(json!({}), Value::Object(named.collect()))
            }),
            Kind::Steps { join: Join::Any, starts } => {
                match self.winner.and_then(|index| Some((index, starts.get(index)?))) {
                    Some((index, (step, _))) => {
                        let result = self.results.get(index).cloned().unwrap_or_default();
                        self.output(json!({ "first": step }), Value::Object(Map::from_iter([(step.clone(), result)])))
                    }
                    None => self.failed("branch_failed", "Branch").unwrap_or(Outcome::Output(Value::Null)),
                }
            }
        }
    }

    fn output(&self, mut about: Value, results: Value) -> Outcome {
        let bytes = results.to_string().len();
        if bytes > INPUT_LIMIT_BYTES {
            let message = format!(
                "What the branches left comes to {bytes} bytes, and at most {INPUT_LIMIT_BYTES} are kept. Let each end with a step that \
                 leaves little, such as kustomer.transform.generic."
            );
            return Outcome::Failed(Failure::new("results_too_large", message));
        }
        if let Value::Object(about) = &mut about {
            about.insert("results".to_owned(), results);
        }
        Outcome::Output(about)
    }

    fn failed(&self, code: &str, noun: &str) -> Option<Outcome> {
        let (index, failure) = self.failures.first()?;
        let named = match &self.kind {
            Kind::Items { .. } => format!("{noun} {index} of {}", self.count()),
            Kind::Steps { starts, .. } => {
                format!("{noun} \"{}\"", starts.get(*index).map_or("", |(step, _)| step.as_str()))
            }
        };
        let message = format!("{named} failed. {}", failure.message);
        Some(Outcome::Failed(Failure { status: failure.status, ..Failure::new(code, message) }))
    }
}

fn told((index, failure): &(usize, RunFailure)) -> Value {
    json!({ "index": index, "code": failure.code, "message": failure.message })
}

/// Moves the branch that `entry` is of: `branch`, or one inside of it.
pub(super) fn follow(
    branch: &mut Branch,
    definition: &Definition,
    entry: &Entry,
    retries: Option<Retry>,
    now: Timestamp,
) -> Result<Effect, Illegal> {
    if branch.path == entry.branch {
        return branch.follow(definition, entry, retries, now);
    }
    match &mut branch.position {
        Position::In(_, Held::Fork(fork)) => fork.follow(definition, entry, retries, now),
        Position::In(_, Held::Wait(_) | Held::Call(_)) | Position::At(_) | Position::Ended(_) => {
            Err(Illegal::NoSuchBranch(entry.branch.clone()))
        }
    }
}

/// Keeps what a step left of the branch at `path`: `branch`, or one inside of it.
pub(super) fn keep(branch: &mut Branch, path: &str, step: &str, outcome: &Outcome) {
    if branch.path == path {
        branch.keep(step, outcome);
    } else if let Position::In(_, Held::Fork(fork)) = &mut branch.position {
        fork.keep(path, step, outcome);
    }
}

fn leads_to(branch: &Branch, path: &str) -> bool {
    path.strip_prefix(branch.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What the paths of the branches begin with that the step of `entry` opens. An attempt that is not the first says so, because
/// what it does is done anew.
pub(super) fn prefix(parent: &str, entry: &Entry) -> String {
    let outer = if parent.is_empty() { String::new() } else { format!("{parent}/") };
    let attempt = if entry.attempt > 1 { format!("~{}", entry.attempt) } else { String::new() };
    format!("{outer}{}#{}{attempt}.", entry.step, entry.visit)
}
