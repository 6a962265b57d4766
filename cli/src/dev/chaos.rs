//! `dev --chaos SEED`: what the simulator does to the executor, done to the real stack, so that anybody can see the contract hold.
//!
//! Messages are doubled, put off and delivered in another order; calls of the store, the queue, services and mail fail, or do
//! what they should and fail all the same; and whatever executes a message is killed between any two of those calls. What comes
//! in at hooks and the management API is left alone, so that a sender is answered as always.

mod ports;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

pub(super) use ports::Chaotic;

/// Of a thousand calls, how many fail in each way, and at how many whatever makes them is killed.
const REFUSED: u64 = 20;
const LOST: u64 = 10;
const APPLIED_UNSEEN: u64 = 20;
const KILLED: u64 = 10;

/// Of a thousand deliveries, how many are made twice, and how many are put off.
const DOUBLED: u64 = 100;
const PUT_OFF: u64 = 100;

/// How long a delivery is put off at the most.
const PUT_OFF_LIMIT_SECONDS: u64 = 5;

tokio::task_local! {
    /// What kills the task that executes a message.
    static KILL: Arc<Notify>;
}

/// What decides what goes wrong, and counts it.
pub(super) struct Chaos {
    seed: u64,
    drawn: AtomicU64,
    tally: Mutex<BTreeMap<&'static str, u64>>,
}

/// How a call of a port ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Proceeds,
    Refused,
    Lost,
    AppliedUnseen,
    Killed,
}

/// What becomes of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivering {
    /// It is executed.
    Once,
    /// It is executed by two at the same time.
    Twice,
    /// It comes again in so many seconds, behind others.
    Later(u64),
}

impl Chaos {
    pub(super) fn of(seed: u64) -> Arc<Self> {
        Arc::new(Self { seed, drawn: AtomicU64::new(0), tally: Mutex::default() })
    }

    /// What becomes of the next delivery.
    pub(super) fn delivering(&self) -> Delivering {
        match self.below(1_000) {
            drawn if drawn < DOUBLED => {
                self.count("deliveries doubled");
                Delivering::Twice
            }
            drawn if drawn < DOUBLED + PUT_OFF => {
                self.count("deliveries put off");
                Delivering::Later(1 + self.below(PUT_OFF_LIMIT_SECONDS))
            }
            _ => Delivering::Once,
        }
    }

    /// What comes of `work`, unless it is killed before.
    pub(super) async fn endanger<T>(work: impl Future<Output = T>) -> Option<T> {
        let kill = Arc::new(Notify::new());
        tokio::select! {
            biased;
            () = kill.notified() => None,
            done = KILL.scope(Arc::clone(&kill), work) => Some(done),
        }
    }

    fn fate(&self) -> Fate {
        let drawn = self.below(1_000);
        let ways = [
            (REFUSED, Fate::Refused, "calls refused"),
            (LOST, Fate::Lost, "calls lost"),
            (APPLIED_UNSEEN, Fate::AppliedUnseen, "calls done and told as failed"),
            (KILLED, Fate::Killed, "executions killed"),
        ];
        let mut end = 0;
        for (per_mille, fate, name) in ways {
            end += per_mille;
            if drawn < end {
                self.count(name);
                return fate;
            }
        }
        Fate::Proceeds
    }

    /// Stands still until the task is killed; not at all where nothing can be killed.
    async fn die(&self) {
        if KILL.try_with(|kill| kill.notify_one()).is_ok() {
            std::future::pending::<()>().await;
        }
    }

    fn count(&self, what: &'static str) {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += 1;
    }

    /// A number below `bound`. Which one follows from the seed and from how many were drawn before.
    fn below(&self, bound: u64) -> u64 {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        let mixed = self.seed.wrapping_add(drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or_default()
    }
}

/// What went wrong so far, in one line.
impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let told: Vec<String> = tally.iter().map(|(what, count)| format!("{count} {what}")).collect();
        match told.as_slice() {
            [] => write!(f, "Chaos {}: nothing went wrong yet.", self.seed),
            told => write!(f, "Chaos {}: {}.", self.seed, told.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_killed_task_ends_and_one_that_is_not_goes_on() {
        let chaos = Chaos::of(1);
        assert_eq!(Chaos::endanger(async { 5 }).await, Some(5));
        let dies = Chaos::endanger(async {
            chaos.die().await;
            5
        });
        assert_eq!(dies.await, None);
        // Nothing outside of an execution can be killed, such as a tick.
        chaos.die().await;
    }

    #[test]
    fn a_seed_draws_the_same_every_time_and_everything_goes_wrong_in_the_end() {
        let draw = |seed| {
            let chaos = Chaos::of(seed);
            let fates: Vec<Fate> = (0..2_000).map(|_| chaos.fate()).collect();
            let deliveries: Vec<Delivering> = (0..200).map(|_| chaos.delivering()).collect();
            (fates, deliveries, chaos.to_string())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7).0, draw(8).0);
        let (fates, deliveries, told) = draw(7);
        for fate in [Fate::Proceeds, Fate::Refused, Fate::Lost, Fate::AppliedUnseen, Fate::Killed] {
            assert!(fates.contains(&fate), "{fate:?}");
        }
        assert!(deliveries.contains(&Delivering::Twice) && deliveries.contains(&Delivering::Once));
        assert!(told.starts_with("Chaos 7: ") && told.contains(" executions killed"), "{told}");
    }
}
