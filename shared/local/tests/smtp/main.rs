//! The listener, as clients meet it: bytes over TCP on the loopback address, and what is answered.
//!
//! Where time has to pass, a pipe takes the place of TCP, because the clock that is moved by hand knows nothing of sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod given;

mod commands;
mod mails;
mod smuggling;

mod limits;
mod stopping;
mod timeouts;

mod encryption;
mod programs;
