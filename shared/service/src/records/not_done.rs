//! Why a change of records was not made.

use domain::Failure;

use crate::ports::Unavailable;

/// Why records were not read or changed as they should have been.
#[derive(Debug)]
pub enum NotDone {
    /// It cannot be done: a step fails with this, a request is refused.
    Failed(Failure),
    /// The world must recover; nothing has been done.
    Unavailable(Unavailable),
}

impl From<Unavailable> for NotDone {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl NotDone {
    /// It cannot be done, for this reason.
    pub(crate) fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self::Failed(Failure::new(code, message))
    }
}
