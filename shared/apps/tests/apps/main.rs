//! The built-in apps, seen through the crate's public functions. A new provider, sample or mapping case is a file or a row; no Rust changes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what checks a file panics as the tests that call it do"
)]

mod arrival;
mod batches;
mod files;
mod handshakes;
mod laws;
mod mappings;
mod samples;
