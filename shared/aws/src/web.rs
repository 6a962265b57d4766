//! The web, as far as a request may reach.
//!
//! An address comes from whoever set up a hook or a workflow, or from the data of strangers, so it is judged twice: as text
//! before anything is asked, and as what its host resolves to, when a connection is made. The connection goes to the very
//! addresses that were judged; nobody resolves the name a second time. *Source*: `reliability.md`, S16.
//!
//! ```text
//! text ─→ Place (judged) ─→ client ─→ dialer: name ─→ addresses (all judged) ─→ connection ─→ TLS for the host's name
//! ```

mod client;
mod dialer;
mod names;
mod place;
mod public;
mod reach;

#[cfg(test)]
pub(crate) mod given;
#[cfg(test)]
mod laws;

pub(crate) use client::{Client, ReadError, SendError, read};
pub(crate) use place::{Place, Refused};
pub(crate) use reach::Reach;
#[cfg(test)]
pub(crate) use {client::Roots, names::Names};

pub use reach::{Destination, WrongDestination};
