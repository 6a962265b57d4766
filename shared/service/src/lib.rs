//! The use cases of Hookwright and the ports they need.
//!
//! No AWS and no environment in here: adapters are handed in by whoever starts it. Read in this order: `ports` is what
//! the world must do; `directory`, `runs` and `records` say which document stands under which key; `accept` and
//! `execute` are the two halves of the data path; `installations` are the apps that an org makes part of it; `http` is the door in
//! front of them.

pub mod memory;
pub mod ports;

pub mod actions;
mod announce;
pub mod directory;
mod document;
mod dry;
pub mod records;
mod remembered;
pub mod runs;

pub mod audit;

mod balance;
mod calling;
mod scheduling;

pub mod accept;
pub mod dead_letters;
mod envelope;
mod event_names;
pub mod execute;
pub mod explainer;
pub mod guard;
pub mod hook_settings;
pub mod http;
mod in_flight;
pub mod installations;
mod limits;
pub mod mail;
pub mod senders;
pub mod ticker;
mod uploads;
mod waking;
mod watching;

pub use accept::Door;
pub use dead_letters::{Delivered, RECEIVES_LIMIT};
pub use envelope::{Envelope, Source, UnreadableMessage};
pub use execute::Executor;
pub use http::api::Management;
pub use in_flight::InFlight;
pub use limits::{Limits, Standing};
pub use mail::MailDoor;
pub use senders::Senders;
pub use ticker::Ticker;
