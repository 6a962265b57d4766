//! The bugs of `teeth/` can still be put in. Whether they are noticed is what `cargo run -p simulation --bin teeth` tells.

use std::fs;

use simulation::{bugs, root};

/// How many there are to be. *Why*: so many that one kind of mistake does not make the score.
const BUGS_WANTED: usize = 25;

#[test]
fn each_bug_still_has_its_place() {
    let bugs = bugs();
    assert!(bugs.len() >= BUGS_WANTED, "{} bugs", bugs.len());
    for bug in bugs {
        for change in bug.changes {
            let text =
                fs::read_to_string(root().join(&change.file)).unwrap_or_else(|error| panic!("{}: {error}", bug.name));
            let times = text.matches(&change.is).count();
            assert_eq!(
                times, 1,
                "{}: what it changes in {} is there {times} times:\n{}",
                bug.name, change.file, change.is
            );
            assert_ne!(change.is, change.becomes, "{}", bug.name);
        }
    }
}
