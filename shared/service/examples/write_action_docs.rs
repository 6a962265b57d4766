//! Writes what is made of the descriptions of the actions anew: parts of `docs/actions.md` and of `docs/schemas/workflow.json`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what it is given is our own"
)]

#[path = "../tests/docs/layout.rs"]
mod layout;
#[path = "../tests/docs/page.rs"]
mod page;
#[path = "../tests/docs/schema.rs"]
mod schema;

use std::{fs, io};

fn main() -> io::Result<()> {
    let text = fs::read_to_string(page::path())?;
    fs::write(page::path(), page::made_anew(&text))?;
    let text = fs::read_to_string(schema::path())?;
    fs::write(schema::path(), schema::made_anew(&text))
}
