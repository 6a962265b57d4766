//! The contract holds whatever goes wrong, and what breaks it can be found again.

use std::thread::available_parallelism;

use simulation::{Fault, Plan, play, shortest, simulate};

/// How many faults happen here; `simulate` plays as many more as it is told.
const FAULTS: usize = 10_000;

#[test]
fn whatever_goes_wrong_everything_accepted_comes_to_its_end_once() {
    let threads = available_parallelism().map_or(1, usize::from);
    let campaign = play(1, FAULTS, threads, |_| {});
    let broken: Vec<_> = campaign.broken.iter().map(|report| (report.seed, &report.violations)).collect();
    assert!(broken.is_empty(), "again: cargo run --release -p simulation -- --seed SEED; {broken:#?}");
    for fault in Fault::ALL {
        assert!(campaign.of_kind.contains_key(&fault), "no {fault:?} among {:?}", campaign.of_kind);
    }
    assert!(campaign.ends.succeeded > campaign.ends.failed, "{:?}", campaign.ends);
    assert!(campaign.ends.replayed > 0, "nothing was replayed");
    assert!(campaign.ends.repeated_effects > 0, "no effect was repeated, so none was ever in doubt");
}

#[test]
fn worlds_that_have_broken_the_contract_once_hold_it() {
    for seed in [27, 215, 8_708, 15_374] {
        assert_eq!(simulate(seed, Plan::All).violations, Vec::<String>::new(), "{seed}");
    }
}

#[test]
fn a_seed_is_the_same_world_every_time() {
    for seed in 1..=8 {
        let (one, other) = (simulate(seed, Plan::All), simulate(seed, Plan::All));
        assert_eq!((one.digest, one.decisions, one.faults), (other.digest, other.decisions, other.faults), "{seed}");
    }
}

#[test]
fn without_faults_every_run_succeeds_or_gives_way_to_a_later_one() {
    for seed in 1..=40 {
        let report = simulate(seed, Plan::Only(std::iter::empty().collect()));
        assert_eq!(report.violations, Vec::<String>::new(), "{seed}");
        assert_eq!((report.faults.len(), report.ends.failed, report.dead_letters), (0, 0, 0), "{seed}");
    }
}

#[test]
fn a_failure_is_made_as_short_as_what_it_takes() {
    for needed in [vec![], vec![7], vec![3, 90], vec![0, 50, 99], vec![10, 11, 12, 13]] {
        let fails = |kept: &[u64]| needed.iter().all(|decision| kept.contains(decision));
        assert_eq!(shortest((0..100).collect(), fails), needed);
    }
}
