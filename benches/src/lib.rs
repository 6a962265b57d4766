//! What the benches share: a load generator, the server under load as a child process, the roof, and tables of figures.
//!
//! Load and server run on the same cores, so absolute figures say little; compare within one run only.

pub mod api;
pub mod child;
pub mod figures;
pub mod house;
pub mod ledger;
pub mod load;
pub mod mails;
pub mod roof;
pub mod tutorial;
pub mod webhook;

/// What a bench comes to: nothing, or why it cannot be run.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
