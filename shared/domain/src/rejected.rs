//! What the sender of a request must change before it is taken.

use std::fmt;

/// Why a request was refused, as far as the caller needs to know to act on it.
///
/// *Why*: which HTTP status stands for it is known to the HTTP layer alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The request cannot be read, or says something impossible.
    Malformed,
    /// No credentials, or wrong ones.
    Unauthenticated,
    /// Good credentials without the role.
    Forbidden,
    /// Nothing is at that address.
    NotFound,
    /// The address is there; it does not take this method.
    MethodNotAllowed,
    /// It collides with something that is already there.
    Taken,
    /// Over a limit of size.
    TooLarge,
    /// A media type that cannot be read.
    UnsupportedMediaType,
}

/// A refusal: one sentence for the sender, with a code for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The kind of refusal.
    pub rejection: Rejection,
    /// A stable word for programs: `body_too_large`.
    pub code: &'static str,
    /// What is wrong and what to do about it, in a sentence.
    pub detail: String,
    /// Where in the request's document it is wrong, as a JSON path; empty when it is the whole.
    pub path: String,
}

impl Rejected {
    /// A refusal of the whole request.
    pub fn new(rejection: Rejection, code: &'static str, detail: impl Into<String>) -> Self {
        Self { rejection, code, detail: detail.into(), path: String::new() }
    }

    /// A refusal of a part of the document, at `path`.
    pub fn at(path: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { rejection: Rejection::Malformed, code, detail: detail.into(), path: path.into() }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}", self.detail)
        } else {
            write!(f, "{} (at {})", self.detail, self.path)
        }
    }
}
