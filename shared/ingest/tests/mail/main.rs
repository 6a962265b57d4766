//! Mails as they come: a corpus of real and made-up ones, and mails made to break programs that read mail.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what checks a mail panics as the tests that call it do"
)]

mod abuse;
mod addresses;
#[allow(unreachable_pub, reason = "the other crate that has this file shows it to its chapters")]
#[path = "../../../../tests/support/comparable.rs"]
mod comparable;
mod corpus;
mod encodings;
mod files;
mod laws;
mod structure;

use ingest::mail::{Mail, Wishes};

/// Reads a mail as a hook without wishes does.
fn read(raw: &[u8]) -> Mail {
    ingest::mail::read(raw, &Wishes::default())
}

/// The codes of the notes, in order.
fn codes(mail: &Mail) -> Vec<&'static str> {
    mail.notes.iter().map(|note| note.code).collect()
}
