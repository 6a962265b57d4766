//! The world that the chapters' stories are told in.

pub mod comparable;
pub mod estate;
pub mod faults;
pub mod lambda;
pub mod letters;
pub mod mail;
pub mod providers;
pub mod schemas;
pub mod sinks;
pub mod world;

pub use world::{Answer, World};
