//! What holds of runs that were replayed.

use std::collections::BTreeMap;

use domain::RunId;
use engine::journal::Outcome;

use super::{Findings, key_of};
use crate::scheduler::Scheduler;

/// A replay happens once, however often it is asked for; and from the start it repeats nothing that the first run had finished.
pub(super) fn what_was_done_is_kept(scheduler: &Scheduler, findings: &Findings, broken: &mut Vec<String>) {
    let mut from_start: BTreeMap<RunId, Vec<RunId>> = BTreeMap::new();
    for replay in &scheduler.replays {
        match replay.replayed_as {
            Some(id) if replay.is_from_start => from_start.entry(replay.run).or_default().push(id),
            Some(id) if id != replay.run => broken.push(format!("run {} was to go on, and {id} did", replay.run)),
            Some(_) | None => {}
        }
    }
    for (id, run) in &findings.runs {
        let wanted = from_start.get(id).map(Vec::as_slice).unwrap_or_default();
        if run.replayed_as != wanted {
            broken.push(format!("run {id} was to be replayed as {wanted:?}, and is as {:?}", run.replayed_as));
        }
        let Some(first) = run.replay_of.as_ref() else { continue };
        for entry in findings.journals[&first.run].iter().map(|entry| &entry.entry) {
            let key = key_of(*id, entry);
            if matches!(entry.outcome, Outcome::Output(_)) && findings.ledger.entries.contains_key(&key) {
                broken.push(format!("{key} was done anew, and run {} had finished it", first.run));
            }
        }
    }
}
