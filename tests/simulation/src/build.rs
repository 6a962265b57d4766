//! Which build a process is of: this one, or one that comes after it, beside which this one goes on for a while.

use std::borrow::Cow;

use service::ports::{Change, Item, Table};

/// A build of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// The one that is here.
    This,
    /// One that knows more: whatever it writes of a run, and whatever it sends, says a thing that this one has never heard of.
    Next,
}

/// What only the next build says.
const NEWS: &str = r#""knownToTheNextBuild":{"since":2}"#;

impl Build {
    /// The other one: an upgrade, or the way back.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::This => Self::Next,
            Self::Next => Self::This,
        }
    }

    /// The changes as this build writes them.
    pub(crate) fn written(self, changes: &[Change]) -> Cow<'_, [Change]> {
        let change = |change: &Change| match change {
            Change::Put(item, expectation) if item.key.table == Table::Runs => {
                let document = self.said(item.document.clone());
                Change::Put(Item { document, ..item.clone() }, *expectation)
            }
            Change::Put(..) | Change::Delete(..) => change.clone(),
        };
        match self {
            Self::This => Cow::Borrowed(changes),
            Self::Next => changes.iter().map(change).collect(),
        }
    }

    /// An object as this build says it; anything else stays as it is.
    pub(crate) fn said(self, text: String) -> String {
        match (self, text.strip_prefix('{')) {
            (Self::This, _) | (Self::Next, None) => text,
            (Self::Next, Some("}")) => format!("{{{NEWS}}}"),
            (Self::Next, Some(rest)) => format!("{{{NEWS},{rest}"),
        }
    }
}
