//! Making a failure short.

use std::collections::BTreeSet;

use crate::{Plan, Report, simulate};

/// How many worlds are played at the most to make one failure short.
const TRIES_LIMIT: usize = 400;

/// The fewest faults found with which the seed of `failed` still breaks the contract.
pub fn shrink(failed: &Report) -> Report {
    let all: Vec<u64> = failed.faults.iter().map(|(decision, _)| *decision).collect();
    let play = |kept: &[u64]| simulate(failed.seed, Plan::Only(kept.iter().copied().collect::<BTreeSet<u64>>()));
    play(&shortest(all, |kept| !play(kept).violations.is_empty()))
}

/// The fewest of `all` found for which `fails` still holds, as it does for all of them.
///
/// *Source*: Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002.
pub fn shortest(all: Vec<u64>, fails: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    if fails(&[]) {
        return Vec::new();
    }
    let (mut kept, mut pieces, mut tries) = (all, 2, 0);
    while tries < TRIES_LIMIT && kept.len() > 1 {
        let size = kept.len().div_ceil(pieces);
        let without = |chunk: usize| -> Vec<u64> {
            let is_kept = |(index, _): &(usize, &u64)| index / size != chunk;
            kept.iter().enumerate().filter(is_kept).map(|(_, decision)| *decision).collect()
        };
        let smaller = (0..kept.len().div_ceil(size)).map(without).find(|smaller| {
            tries += 1;
            fails(smaller)
        });
        match smaller {
            Some(smaller) => {
                kept = smaller;
                pieces = 2.max(pieces - 1);
            }
            None if size == 1 => break,
            None => pieces = (pieces * 2).min(kept.len()),
        }
    }
    kept
}
