//! The contract of the ports: each sentence of their documentation is a test, run over the twin in memory and over the
//! real adapters on the embedded engine.
//!
//! With `HOOKWRIGHT_TEST_DYNAMODB_ENDPOINT` set, the store's tests run against that DynamoDB as well (a foreign
//! emulator, for a second opinion).

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod given;

mod store_agreement;
mod store_reads;
mod store_writes;

mod faults;

mod queue_durability;
mod queue_fairness;
mod queue_rules;

mod stack;
mod uploads;
