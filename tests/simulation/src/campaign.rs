//! Many worlds, until enough has gone wrong.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::{Ends, Fault, Plan, Report, simulate};

/// What came of many worlds.
#[derive(Debug, Clone, Default)]
pub struct Campaign {
    /// How many worlds were played.
    pub worlds: u64,
    /// How many faults happened in them.
    pub faults: usize,
    /// Of each kind.
    pub of_kind: BTreeMap<Fault, usize>,
    /// How the runs ended.
    pub ends: Ends,
    /// How many messages were dead letters for a while.
    pub dead_letters: usize,
    /// The worlds in which the contract was broken; the first ends the campaign.
    pub broken: Vec<Report>,
}

/// Plays worlds from `first_seed` on, `threads` at a time, until `faults` have happened, and tells `say` after each.
pub fn play(first_seed: u64, faults: usize, threads: usize, say: impl Fn(&Campaign) + Sync) -> Campaign {
    let (next, campaign) = (AtomicU64::new(first_seed), Mutex::new(Campaign::default()));
    let lock = || campaign.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let report = simulate(next.fetch_add(1, Ordering::SeqCst), Plan::All);
                    let mut campaign = lock();
                    campaign.add(report);
                    say(&campaign);
                    if campaign.faults >= faults || !campaign.broken.is_empty() {
                        return;
                    }
                }
            });
        }
    });
    campaign.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Campaign {
    fn add(&mut self, report: Report) {
        self.worlds += 1;
        self.faults += report.faults.len();
        for (_, fault) in &report.faults {
            *self.of_kind.entry(*fault).or_default() += 1;
        }
        self.ends += report.ends;
        self.dead_letters += report.dead_letters;
        if !report.violations.is_empty() {
            self.broken.push(report);
        }
    }
}
