//! The ports in memory: what each of them means, in as few lines as it takes.
//!
//! Not a mock: it keeps state and obeys every sentence of the ports' documentation, also the unpleasant ones (a
//! keys-only listing still names what has expired). One contract suite runs over these and over the real adapters.

mod blobs;
mod calls;
mod mail;
mod queue;
mod store;
mod web;
mod world;

pub use blobs::MemoryBlobs;
pub use calls::MemoryCalls;
pub use mail::{MemoryMails, MemoryPost};
pub use queue::{Delivery, MemoryQueue};
pub use store::MemoryStore;
pub use web::MemoryWeb;
pub use world::FixedWorld;
