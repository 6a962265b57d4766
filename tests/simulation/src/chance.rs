//! Draws that follow from a seed, and from which decision they are for.
//!
//! No draw depends on how many were made before it. So a replay that leaves a fault out makes the same choices everywhere else
//! for as long as the same things can be chosen, which is what lets a failure be made short.

/// What decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance {
    seed: u64,
}

/// What a draw is for; draws of one decision for different purposes have nothing to do with each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// What happens next.
    Next,
    /// To whom or what it happens.
    Which,
    /// Whether it goes wrong.
    Fault,
    /// How much of it.
    Amount,
    /// What the world is like before anything happens.
    Setting,
}

impl Chance {
    pub(crate) const fn of(seed: u64) -> Self {
        Self { seed }
    }

    /// A number below `bound`, which is at least 1.
    pub(crate) fn below(self, decision: u64, purpose: Purpose, bound: u64) -> u64 {
        let own = mixed(self.seed ^ mixed(decision.wrapping_mul(8) + purpose as u64));
        own % bound.max(1)
    }

    /// One of so many things.
    pub(crate) fn index(self, decision: u64, purpose: Purpose, count: usize) -> usize {
        let drawn = self.below(decision, purpose, u64::try_from(count).unwrap_or(u64::MAX));
        usize::try_from(drawn).unwrap_or_default()
    }
}

/// SplitMix64's finalizer. *Source*: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
const fn mixed(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}
