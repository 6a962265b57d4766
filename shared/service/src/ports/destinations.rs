//! Where the org's own calls may lead.

use domain::Failure;

/// Addresses that an owner gives, as far as their text tells whether they may be called.
pub trait Destinations: Send + Sync {
    /// Says why `url` will never be called, in a sentence that names no address; no name is looked up for it.
    ///
    /// Only `https` to the public web, and what the operator allows beside it. What passes here is judged again by whoever
    /// makes the call, when it is known where the name leads.
    fn judge(&self, url: &str) -> Result<(), Failure>;
}
