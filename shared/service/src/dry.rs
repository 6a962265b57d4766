//! Walking through a workflow dry: which way a run would go and what it would do, from what an earlier run has recorded. Nothing is
//! written and nothing is sent.
//!
//! ```text
//! next ─→ an effect: what is recorded, or unknown ┐
//!    └──→ anything else: worked out, or read now  ┴─→ record ─→ next … until it ends, or depends on what is unknown
//! ```
//!
//! What an effect would give is not guessed. The walk goes on behind one as long as nothing reads its output, and says where
//! it stops.

mod compare;
mod recorded;
mod walk;

use domain::{Failure, OrgId, RunId, Timestamp, Transaction};
use engine::{
    Definition, Setup,
    journal::{Entry, TransitionTaken},
    run::Ending,
};
use serde_json::Value;

use crate::ports::Store;

pub(crate) use compare::{Difference, compare};
pub(crate) use recorded::Recorded;
pub(crate) use walk::walk;

/// How many steps a walk takes at the most.
pub(crate) const WALK_LIMIT_STEPS: usize = 1_000;

/// What recorded outputs are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A replay that keeps finished effects: their outputs are what it uses.
    Keep,
    /// A replay that does all again: a recorded output is what the effect is taken to give once more.
    Repeat,
    /// A comparison with the run itself: whatever it recorded happens again, failures too.
    Compare,
}

/// What is walked through.
pub(crate) struct Walk<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) setup: &'a Setup,
    /// Where look-ups read.
    pub(crate) store: &'a dyn Store,
    pub(crate) org: OrgId,
    pub(crate) transaction: &'a Transaction,
    /// The run whose chance is drawn.
    pub(crate) run: RunId,
    pub(crate) trigger_output: Value,
    /// What stays of its journal, where it does not begin at the trigger.
    pub(crate) entries: Vec<(Entry, Timestamp)>,
    pub(crate) recorded: &'a Recorded,
    pub(crate) purpose: Purpose,
    /// When it begins.
    pub(crate) now: Timestamp,
}

/// How it is known what a step leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The run has recorded it, and nothing is done.
    Recorded,
    /// It was worked out.
    WorkedOut,
    /// It was read now.
    Read,
    /// It would be performed, and is taken to give what is recorded.
    Assumed,
    /// It would be performed, and nobody knows what it would give.
    WouldBePerformed,
    /// It depends on something that nobody knows.
    Unknown,
}

impl Source {
    /// The word in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::WorkedOut => "worked out",
            Self::Read => "read now",
            Self::Assumed => "would be performed, and is taken to give what is recorded",
            Self::WouldBePerformed => "would be performed",
            Self::Unknown => "unknown",
        }
    }
}

/// A step as the walk came through it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) step: String,
    pub(crate) branch: String,
    pub(crate) visit: u32,
    pub(crate) attempt: u32,
    pub(crate) action: Option<String>,
    /// As people may read it.
    pub(crate) input: Option<Value>,
    /// The steps of unknown output that the input reads.
    pub(crate) unknown_in_input: Vec<String>,
    pub(crate) source: Source,
    pub(crate) output: Option<Value>,
    pub(crate) failure: Option<Failure>,
    /// Whether it would be tried again.
    pub(crate) is_tried_again: bool,
    pub(crate) transition: Option<TransitionTaken>,
}

/// Where a walk stops knowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) branch: String,
    pub(crate) step: String,
    pub(crate) why: String,
}

/// What came of a walk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Walked {
    /// Where the trigger led; none where the walk began later.
    pub(crate) opening: Option<TransitionTaken>,
    pub(crate) trigger: String,
    pub(crate) decisions: Vec<Decision>,
    /// How the run would end, where that is known.
    pub(crate) ending: Option<Ending>,
    pub(crate) stops: Vec<Stop>,
}
