//! Writes the made parts of `docs/providers.md` anew, after an app or a sample was changed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what it is given is our own"
)]

#[path = "../tests/apps/arrival.rs"]
mod arrival;
#[path = "../tests/docs/pages.rs"]
mod pages;

use std::{fs, io};

fn main() -> io::Result<()> {
    let page = fs::read_to_string(pages::page_path())?;
    fs::write(pages::page_path(), pages::made_anew(&page))
}
