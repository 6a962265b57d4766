//! The real binary, as its users meet it: help, offline commands, and its talk with a server of a few fixed answers.
//!
//! What the commands do to a whole system is told in the workspace's `tests` crate.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod actions;
mod apps;
mod balance;
mod dead_letters;
mod doctor;
mod email_hooks;
mod eval;
mod examples;
mod help;
mod holding;
mod klasses;
mod listen;
mod mail;
mod mailbox;
mod offline;
mod org;
mod projects;
mod records;
mod replays;
mod requests;
mod searching;
mod server;
mod trigger;
mod webhooks;
mod why;
mod workflow_tests;
mod workflows;

use std::{
    io::{ErrorKind, Write},
    path::Path,
    process::{Command, Output, Stdio},
};

/// What a command did.
struct Done {
    code: i32,
    out: String,
    err: String,
}

/// Runs `hookwright` in `dir`, so that no key of a local mode nearby is found.
fn hookwright(dir: &Path, words: &[&str]) -> Done {
    done(&command(dir, words).output().unwrap())
}

/// As [`hookwright`], with `input` on standard input.
fn hookwright_reading(dir: &Path, words: &[&str], input: &[u8]) -> Done {
    let mut child =
        command(dir, words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing may have ended by now; then nobody takes the input.
    match child.stdin.take().unwrap().write_all(input) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        written => written.unwrap(),
    }
    done(&child.wait_with_output().unwrap())
}

fn command(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwright"));
    command
        .current_dir(dir)
        .args(words)
        .env_remove("HOOKWRIGHT_URL")
        .env_remove("HOOKWRIGHT_API_KEY")
        .env_remove("HOOKWRIGHT_HOOK_KEY");
    command
}

fn done(output: &Output) -> Done {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Done { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
}
