//! JSON in mails, block by block: where it may stand, what is mended, what becomes data. Mails as such are tested in `tests/mail`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what checks a block panics as the tests that call it do"
)]

mod combining;
mod json_ld_html;
mod keys;
mod laws;
mod mending;
mod microdata;
mod refusing;
mod scripts;

use std::fs;
use std::path::PathBuf;

use ingest::mail::{Block, Mail, Wishes};
use serde_json::Value;

/// Reads a mail whose one part is this HTML.
fn read(html: &str) -> Mail {
    read_wishing(html, &Wishes::default())
}

fn read_wishing(html: &str, wishes: &Wishes<'_>) -> Mail {
    let mail = format!("MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}");
    ingest::mail::read(mail.as_bytes(), wishes)
}

/// A script tag with this text.
fn script(text: &str) -> String {
    format!("<script type=\"application/ld+json\">{text}</script>")
}

/// The blocks of a mail whose HTML is one script with this text: there is one.
fn block(text: &str) -> Block {
    let mut blocks = read(&script(text)).blocks;
    assert_eq!(blocks.len(), 1, "{text}");
    blocks.remove(0)
}

fn parsed(json: &str) -> Value {
    ingest::json::parse(json.as_bytes()).unwrap().0
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn fixture(path: &str) -> String {
    fs::read_to_string(fixtures().join(path)).unwrap()
}

fn codes(mail: &Mail) -> Vec<&'static str> {
    mail.notes.iter().map(|note| note.code).collect()
}
