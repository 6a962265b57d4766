//! `teeth`: puts known bugs into a copy of the tree, one by one, and sees whether the tests notice.
//!
//! Each file of `teeth/` is a bug that some system of this field had: what it was, which tests are to notice, and what to write
//! in the place of what. Without any bug the same tests have to pass first: tests that fail anyway notice nothing.
//! `cargo run -p simulation --bin teeth`, with names of files to try only those.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Instant,
};

use simulation::{Bug, bugs, root};

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let all = bugs();
    let chosen: Vec<&Bug> = all.iter().filter(|bug| wanted.is_empty() || wanted.contains(&bug.name)).collect();
    let copy = root().join("target/teeth/tree");
    copy_tree(&copy);
    let suites: BTreeSet<&str> = chosen.iter().map(|bug| bug.suite.as_str()).collect();
    for suite in suites {
        if !cargo(&copy, suite, &[]) {
            println!("without any bug, cargo {suite} fails: {}", copy.display());
            return ExitCode::FAILURE;
        }
    }
    let (mut tried, mut noticed) = (0, 0);
    for bug in chosen {
        let begun = Instant::now();
        let verdict = bite(bug, &copy);
        tried += 1;
        noticed += usize::from(verdict == Verdict::Noticed);
        println!("{:<44} {verdict:?} by {} ({} s)", bug.name, bug.suite, begun.elapsed().as_secs());
    }
    println!("{noticed} of {tried} bugs were noticed");
    if noticed == tried { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Noticed,
    Missed,
    DoesNotCompile,
}

/// Writes what is committed into `copy`, where only what is different is written, so that little is built anew.
fn copy_tree(copy: &Path) {
    fs::create_dir_all(copy).expect("a folder for the copy");
    let files = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output().expect("git");
    for file in String::from_utf8_lossy(&files.stdout).split('\0').filter(|file| !file.is_empty()) {
        let (from, to) = (root().join(file), copy.join(file));
        let bytes = fs::read(from).unwrap_or_default();
        if fs::read(&to).ok().as_ref() != Some(&bytes) {
            fs::create_dir_all(to.parent().unwrap_or(copy)).expect("a folder");
            fs::write(to, bytes).expect("a file of the copy");
        }
    }
}

fn bite(bug: &Bug, copy: &Path) -> Verdict {
    let changed: Vec<(PathBuf, String)> = bug
        .changes
        .iter()
        .map(|change| {
            let file = copy.join(&change.file);
            let before = fs::read_to_string(&file).expect("a file that the bug is in");
            fs::write(&file, before.replacen(&change.is, &change.becomes, 1)).expect("the file with the bug");
            (file, before)
        })
        .collect();
    let (build, _) = bug.suite.split_once(" -- ").unwrap_or((&bug.suite, ""));
    let verdict = match cargo(copy, build, &["--no-run"]) {
        false => Verdict::DoesNotCompile,
        true if cargo(copy, &bug.suite, &[]) => Verdict::Missed,
        true => Verdict::Noticed,
    };
    for (file, before) in changed {
        fs::write(file, before).expect("the file without the bug");
    }
    verdict
}

/// Whether cargo does with the copy what `words` say.
fn cargo(copy: &Path, words: &str, more: &[&str]) -> bool {
    let mut command = Command::new("cargo");
    command.current_dir(copy).env("CARGO_TARGET_DIR", root().join("target/teeth/build"));
    command.env("RUST_BACKTRACE", "0").args(words.split_whitespace()).args(more);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("cargo").success()
}
