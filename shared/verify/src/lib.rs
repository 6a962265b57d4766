//! Provider signatures and handshakes, over raw bytes.
//!
//! A [`Scheme`] is data (an app's `auth`), [`Settings`] are one hook's secrets, a [`Verifier`] is both with its keys prepared. What is
//! easily got wrong: the body must be the bytes that came, before any parsing, and the URL the one that the sender used.
//!
//! What this crate never does: read a clock, wait, fetch anything, log, show a secret, panic on input. It draws no random number but
//! those that `ring` blinds private keys with in [`sign`]. All arithmetic is `ring`'s.

mod clock;
mod credentials;
mod detached;
mod diagnose;
mod encoding;
pub mod handshake;
mod headers;
mod jwt;
mod private_key;
mod public_key;
mod refusal;
mod scheme;
mod scheme_document;
mod settings;
pub mod sign;
mod sns;
mod template;
mod twilio;
mod verifier;

pub use clock::{TOLERANCE_LIMIT_SECONDS, TOLERANCE_SECONDS};
pub use credentials::same;
pub use detached::SIGNATURES_LIMIT;
pub use diagnose::{Reason, diagnose};
pub use public_key::{PublicKey, certificate_key, jwks_keys};
pub use refusal::Refusal;
pub use scheme::{Scheme, Shown, SignedWith};
pub use settings::{KEYS_LIMIT, Problem, Settings};
pub use verifier::{Arrival, Needs, Verified, Verifier};
