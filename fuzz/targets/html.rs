//! The HTML of a mail: scripts, microdata, character references.
//!
//! It stands in a mail without transfer encoding, so that what is fuzzed is HTML and nothing around it.
#![no_main]

use fuzz::check_mail;
use ingest::mail::{Entities, Wishes};
use libfuzzer_sys::fuzz_target;

const HEADER: &[u8] = b"Content-Type: text/html; charset=utf-8\r\n\r\n";

fuzz_target!(|html: &str| {
    let raw = [HEADER, html.as_bytes()].concat();
    check_mail(&raw, &Wishes::default());
    check_mail(&raw, &Wishes { key: Some("0123456789abcdef"), entities: Entities::Decoded });
});
