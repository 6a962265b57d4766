//! Why a change of records was not made.

use domain::Failure;

use crate::ports::Unavailable;

/// Why records were not read or changed as they should have been.
#[derive(Debug)]
pub enum NotDone {
    /// It cannot be done: a step fails with this, a request is refused.
    Failed(Failure),
    /// It cannot be done because of what the attribute or param `field` is.
    Wrong {
        /// Its name.
        field: String,
        /// Why.
        failure: Failure,
    },
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

    /// It cannot be done because of `field`, for this reason.
    pub(crate) fn wrong(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Wrong { field: field.to_owned(), failure: Failure::new(code, message) }
    }

    /// What a step fails with.
    ///
    /// *Errors*: [`Unavailable`], where it may be done later.
    pub(crate) fn into_failure(self) -> Result<Failure, Unavailable> {
        match self {
            Self::Failed(failure) | Self::Wrong { failure, .. } => Ok(failure),
            Self::Unavailable(error) => Err(error),
        }
    }
}
