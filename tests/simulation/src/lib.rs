//! The durability contract, tried out: the production service over memory ports, and one seeded scheduler that delivers,
//! duplicates, delays, reorders, kills, lies and stalls. Every choice follows from the seed, so a seed is a failure's address.
//!
//! ```text
//! seed ─→ estate and arrivals ─→ scheduler ┌ a call passes the gate │ a message is delivered │ time passes │ … ┐ ─→ drain ─→ check
//!                                          └──────────── or something goes wrong ──────────────────────────┘
//! ```

mod bug;
mod build;
mod campaign;
mod chance;
mod check;
mod estate;
mod exhaustive;
mod fault;
mod gate;
mod outside;
mod ports;
mod process;
mod scheduler;
mod shelf;
mod shrink;
mod stage;
mod tasks;

use std::panic::{AssertUnwindSafe, catch_unwind};

use scheduler::Scheduler;

pub use bug::{Bug, Change, bugs, root};
pub use campaign::{Campaign, play};
pub use check::Ends;
pub use exhaustive::{Case, Played, Upset};
pub use fault::{Fault, Plan};
pub use shrink::{shortest, shrink};

/// What came of one seed.
#[derive(Debug, Clone)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// How many decisions the scheduler made.
    pub decisions: u64,
    /// What went wrong, at which decision.
    pub faults: Vec<(u64, Fault)>,
    /// Which sentences of the contract did not hold; none where all is well.
    pub violations: Vec<String>,
    /// How the runs ended.
    pub ends: Ends,
    /// How many messages were dead letters for a while.
    pub dead_letters: usize,
    /// Everything that stands at the end, as one number.
    pub digest: u64,
}

/// Plays the world of `seed`, with the faults that `plan` allows.
pub fn simulate(seed: u64, plan: Plan) -> Report {
    let mut scheduler = Scheduler::new(seed, plan);
    let played = catch_unwind(AssertUnwindSafe(|| {
        scheduler.run();
        if scheduler.violations.is_empty() {
            return Some(check::check(&mut scheduler));
        }
        None
    }));
    let (mut violations, ends) = match played {
        Ok(Some((broken, ends))) => (broken, ends),
        Ok(None) => (Vec::new(), Ends::default()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            (vec![format!("it panicked: {}", text.unwrap_or_default())], Ends::default())
        }
    };
    violations.extend(scheduler.violations.clone());
    Report {
        seed,
        decisions: scheduler.decisions(),
        faults: scheduler.faults.clone(),
        violations,
        ends,
        dead_letters: scheduler.dead_letters,
        digest: scheduler.digest(),
    }
}
