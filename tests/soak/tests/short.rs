//! A short soak; a long one is `cargo run --release -p soak -- --kills 50`.

use std::process::Command;

#[test]
#[ignore = "takes some minutes, because what a killed process has claimed stays claimed for one"]
fn what_was_accepted_outlives_every_kill() {
    let status = Command::new(env!("CARGO_BIN_EXE_soak")).args(["--kills", "5"]).status().unwrap();
    assert!(status.success(), "the ledger above says what was broken");
}
