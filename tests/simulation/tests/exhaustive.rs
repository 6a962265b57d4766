//! Each example, upset at every call of a port, and at every two of them, ends as if nothing had happened.

use std::{collections::BTreeSet, fs, path::Path};

use service::ticker::TICK_SECONDS;
use simulation::{Case, Played, Upset};

/// Up to how many calls every two of them are tried.
const PAIRS_LIMIT: usize = 40;

#[test]
fn every_example_is_tried() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let examples: BTreeSet<String> =
        folders.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    let tried: BTreeSet<String> = Case::all().iter().map(|case| case.example().to_owned()).collect();
    assert_eq!(tried, examples);
}

#[test]
fn whichever_call_is_the_last_of_a_process_or_fails_an_example_ends_the_same() {
    for case in Case::all() {
        let undisturbed = case.play(&[]);
        assert!(undisturbed.calls > 5, "{}: {} calls", case.name, undisturbed.calls);
        for upset in [Upset::Ends, Upset::Refused, Upset::AppliedUnseen, Upset::Contended] {
            for call in 0..undisturbed.calls {
                let played = case.play(&[(call, upset)]);
                assert_same(&played, &undisturbed, &format!("{}: {upset:?} at call {call}", case.name));
            }
        }
    }
}

#[test]
fn whichever_call_is_the_last_of_a_process_a_run_moves_again_within_two_ticks() {
    for case in Case::all() {
        let undisturbed = case.play(&[]);
        for call in 0..undisturbed.calls {
            let played = case.play(&[(call, Upset::Ends)]);
            let later = played.seconds.saturating_sub(undisturbed.seconds);
            assert!(later <= 2 * TICK_SECONDS.unsigned_abs(), "{}: {later} s later, ended at call {call}", case.name);
        }
    }
}

#[test]
fn whichever_two_calls_are_the_last_of_a_process_an_example_ends_the_same() {
    for case in Case::all() {
        let undisturbed = case.play(&[]);
        for first in 0..undisturbed.calls.min(PAIRS_LIMIT) {
            // Counted on through what follows from the first one, which makes calls of its own.
            let after_first = case.play(&[(first, Upset::Ends)]).calls;
            for second in first + 1..after_first.min(PAIRS_LIMIT) {
                let played = case.play(&[(first, Upset::Ends), (second, Upset::Ends)]);
                assert_same(&played, &undisturbed, &format!("{}: ends at calls {first} and {second}", case.name));
            }
        }
    }
}

/// Shows only what is not the same.
#[track_caller]
fn assert_same(played: &Played, undisturbed: &Played, about: &str) {
    let lines = |left: &Played| left.left.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (ours, theirs) = (lines(played), lines(undisturbed));
    let (more, less): (Vec<_>, Vec<_>) = (ours.difference(&theirs).collect(), theirs.difference(&ours).collect());
    assert!(played.left == undisturbed.left, "{about}\ntoo much: {more:#?}\nmissing: {less:#?}");
}
