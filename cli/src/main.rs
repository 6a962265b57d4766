//! The `hookwright` command: local mode, and everything an operator does over the management API.
//!
//! Nothing is decided here that the server decides: a command builds one request, and shows what came back. Data goes
//! to standard output and sentences about failures to standard error; both pass through [`output`], which takes the
//! sting out of control characters, because titles and payloads are written by strangers.

mod commands;
mod dev;

mod client;
mod config;
mod duration;
mod failure;
mod machine;
mod outgoing;
mod output;
mod paging;
mod project;
mod session;
mod signing;
mod source;
mod testing;
mod why;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// *Why*: JSON in and out of the embedded store is mostly small allocations; `docs/performance.md` has the figures.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    commands::run(commands::Cli::parse())
}
