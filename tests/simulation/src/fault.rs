//! What can go wrong, and which of it does.

use std::collections::BTreeSet;

/// Something that goes wrong at one decision of the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A call of a port does nothing and says so, as where it is throttled.
    Refused,
    /// A call does nothing, and its caller cannot know.
    Lost,
    /// A call does what it should, and its caller cannot know.
    AppliedUnseen,
    /// A write meets another writer on every try.
    Contended,
    /// A process ends, with all that it had begun.
    Crash,
    /// A process ends when it has done what it has begun, and one of the other build takes its place: the next, whose documents and
    /// messages say more than this one knows of, or this one again. The other processes go on.
    Deploy,
    /// A message that is being executed is delivered once more.
    Duplicate,
    /// A message is held back.
    Late,
    /// A younger message is delivered before an older one.
    Reordered,
    /// A process stands still for longer than claims and visibility timeouts last, and goes on.
    Stall,
    /// The clock of a process jumps.
    Skew,
    /// A workflow is changed.
    Edit,
    /// The hook is paused, or goes on.
    Pause,
    /// The services outside cannot be reached, or can be again.
    Outage,
    /// A sender sends once more what was accepted.
    Resent,
}

impl Fault {
    /// Every one of them.
    pub const ALL: [Self; 15] = [
        Self::Refused,
        Self::Lost,
        Self::AppliedUnseen,
        Self::Contended,
        Self::Crash,
        Self::Deploy,
        Self::Duplicate,
        Self::Late,
        Self::Reordered,
        Self::Stall,
        Self::Skew,
        Self::Edit,
        Self::Pause,
        Self::Outage,
        Self::Resent,
    ];
}

/// Which faults may happen.
#[derive(Debug, Clone)]
pub enum Plan {
    /// All that the seed has.
    All,
    /// Only those at these decisions.
    Only(BTreeSet<u64>),
}

impl Plan {
    /// Whether a fault may happen at `decision`.
    pub(crate) fn allows(&self, decision: u64) -> bool {
        match self {
            Self::All => true,
            Self::Only(decisions) => decisions.contains(&decision),
        }
    }
}
