//! What a run does next: the workflow language and the step function of a run, pure.
//!
//! State goes in, a decision comes out. There is no `async`, clock, randomness, environment or I/O in this crate; who
//! performs a step, when, and how often it was tried is the caller's business. The one thing a newcomer would get
//! wrong: **data is never evaluated**. Only what an author wrote in a workflow document is an expression; text that
//! arrives in a payload stays text, whatever it looks like.
//!
//! Reading order: a [`definition`] is a checked workflow document, its params hold [`expression`]s, its transitions
//! hold [`condition`]s, and a [`run`] walks over it leaving one [`journal`] entry per step.

pub mod check;
pub mod control;
pub mod definition;
pub mod diff;

pub mod app;

pub mod run;

pub mod flow;
pub mod journal;
pub mod pending;

pub mod condition;
pub mod explain;
pub mod expression;
pub mod problem;

pub mod answer_link;
pub mod surroundings;

mod evaluation;
mod fault;
mod function;
mod limits;
mod path;
mod template;

mod allowance;
mod cast;
mod decimal;
mod document;
mod explanation;
mod membership;
mod naming;
mod operator;
mod verdict;

pub use check::{Catalogue, check};
pub use definition::Definition;
pub use function::{NoSearch, pattern_for};
pub use problem::Problem;
pub use surroundings::{Setup, Surroundings};
