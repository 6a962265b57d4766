//! The use cases of Hookwright and the ports they need.
//!
//! No AWS and no environment in here: adapters are handed in by whoever starts it.

pub mod ports;
