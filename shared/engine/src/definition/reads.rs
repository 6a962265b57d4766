//! Which steps' outputs the parts of a step read, so that whoever does not know one of them knows what else is not known.

use std::collections::BTreeSet;

use super::{Definition, Step, Transition};
use crate::expression::Use;
use crate::path::Path;
use crate::problem::Place;

/// The steps that something reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// These.
    Steps(BTreeSet<String>),
    /// Whatever there is.
    All,
}

impl Reads {
    fn nothing() -> Reads {
        Reads::Steps(BTreeSet::new())
    }

    fn see(&mut self, used: &Use<'_>) {
        match used {
            Use::Path(path) if path.root() == "steps" => self.see_path(path),
            // What `transform` calls is named in a text, which may be a path.
            Use::Function("transform") => *self = Reads::All,
            Use::Path(_) | Use::Function(_) => {}
        }
    }

    fn see_path(&mut self, path: &Path) {
        let candidates = path.step_candidates();
        match self {
            Reads::All => {}
            Reads::Steps(_) if candidates.is_empty() => *self = Reads::All,
            Reads::Steps(steps) => steps.extend(candidates),
        }
    }

    /// Those of `unknown` that are read, in order.
    pub fn among<'u>(&self, unknown: &'u BTreeSet<String>) -> Vec<&'u str> {
        let is_read = |id: &&String| match self {
            Reads::All => true,
            Reads::Steps(steps) => steps.contains(*id),
        };
        unknown.iter().filter(is_read).map(String::as_str).collect()
    }
}

impl Definition {
    /// What the trigger's transitions read.
    pub fn trigger_reads(&self) -> Reads {
        of_transitions(&self.trigger.transitions)
    }
}

impl Step {
    /// What its params read.
    pub fn params_read(&self) -> Reads {
        let mut reads = Reads::nothing();
        self.params.iter().for_each(|params| params.for_each_use(&Place::ROOT, &mut |used, _| reads.see(&used)));
        reads
    }

    /// What its transitions read.
    pub fn transitions_read(&self) -> Reads {
        of_transitions(&self.transitions)
    }
}

fn of_transitions(transitions: &[Transition]) -> Reads {
    let mut reads = Reads::nothing();
    for transition in transitions {
        transition.condition.for_each_use(&Place::ROOT, &mut |used, _| reads.see(&used));
    }
    reads
}
