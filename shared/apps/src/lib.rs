//! The built-in apps as data: what each provider sends, how it proves itself, and which events its arrivals are.
//!
//! A provider is a folder under `providers/`: one `app.json` and a sample of every event. Adding one needs no Rust as long as its
//! signature has a shape that the crate `verify` knows; what the files may say is written in `docs/apps.md`.
//! What this crate never does: check a signature, read a clock, do I/O, panic on what an arrival holds.

mod app;
mod handshake;
mod manifest;
mod split;
mod template;

pub mod mapping;
pub mod samples;

pub use app::{App, EventSpec, Fired, all, find};
pub use handshake::Handshake;
pub use mapping::Input;
