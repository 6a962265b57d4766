//! The world that the chapters' stories are told in.

pub mod faults;
pub mod world;

pub use world::{Answer, World};
