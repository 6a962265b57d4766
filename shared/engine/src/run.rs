//! The step function of a run: where it is, what it does next, and what follows from an outcome.
//!
//! ```text
//! start ─→ Progress ─→ next ─→ Perform ─→ (the caller performs it) ─→ record ─→ Entry ─→ next …
//!                        ├───→ Settled ─→ record …
//!                        └───→ Finished
//! ```
//!
//! A [`Progress`] changes only through an entry, and [`replay`] applies saved entries the way [`record`] applies a
//! fresh one, so taking up a run cannot disagree with having run it.

mod progress;

use serde_json::{Value, json};

use crate::definition::{Definition, ErrorAction};
use crate::explanation::Explanation;
use crate::journal::{Entry, Failure, Outcome};

pub use progress::{Progress, RUN_LIMIT_BEGINNINGS, RUN_LIMIT_STEPS, STEP_LIMIT_VISITS, VISIT_LIMIT_ATTEMPTS};

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// No transition was open, or an error case stopped it.
    Succeeded,
    /// A step failed and no error case answered, or a limit was passed.
    Failed(Failure),
}

/// What a run does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Perform the action, then [`record`] the input and its outcome.
    Perform {
        /// The step's id.
        step: String,
        /// How many times the run has come here, from 1; `{run}/{step}/{visit}` is the idempotency key.
        visit: u32,
        /// The action's name.
        action: String,
        /// The params, resolved; `{}` when the step has none.
        input: Value,
    },
    /// There is nothing to perform: [`record`] this outcome without an input. It is `null` for a step that only holds
    /// conditions, and a failure when the params could not be resolved.
    Settled {
        /// The step's id.
        step: String,
        /// As in `Perform`.
        visit: u32,
        /// What to record.
        outcome: Outcome,
    },
    /// The run is over.
    Finished(Ending),
}

/// An entry does not follow from where the run is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Illegal {
    /// Something was to be recorded after the end.
    #[error("the run is over; nothing more can be recorded")]
    Over,
    /// The entry is about another step or visit than the one the run is at.
    #[error(
        "the journal has step \"{found}\" visit {found_visit} where the run is at \"{expected}\" visit {expected_visit}"
    )]
    OutOfOrder {
        /// The step of the entry.
        found: String,
        /// The visit of the entry.
        found_visit: u32,
        /// The step the run is at.
        expected: String,
        /// The visit it would be.
        expected_visit: u32,
    },
    /// The entry leads to a step the definition does not have.
    #[error("the journal leads to a step \"{0}\" that the workflow does not have")]
    NoSuchStep(String),
}

/// Begins a run: the trigger's output is stored and its transitions are judged.
pub fn start(definition: &Definition, trigger_output: Value) -> Progress {
    let mut progress = Progress::new(definition, trigger_output);
    progress.opening = progress.choose(&definition.trigger.transitions, &mut Explanation::new());
    progress.position = progress.opening_position(definition);
    progress
}

/// What the run does next. Asking twice gives the same answer.
pub fn next(definition: &Definition, progress: &Progress) -> Decision {
    let (place, step) = match progress.here(definition) {
        Ok(here) => here,
        Err(ending) => return Decision::Finished(ending),
    };
    let id = step.id.clone();
    let visit = progress.visit(place);
    let Some(action) = &step.action else {
        return Decision::Settled { step: id, visit, outcome: Outcome::Output(Value::Null) };
    };

    let input = match &step.params {
        Some(params) => params.input(&progress.context()),
        None => Ok(None),
    };
    match input {
        Ok(input) => {
            let input = input.unwrap_or_else(|| json!({}));
            Decision::Perform { step: id, visit, action: action.clone(), input }
        }
        Err(fault) => Decision::Settled { step: id, visit, outcome: Outcome::Failed(fault.into()) },
    }
}

/// Records what came of the step the run is at, moves the run on, and gives the journal's entry.
///
/// *Errors* — [`Illegal::Over`] when the run has ended.
pub fn record(
    definition: &Definition,
    progress: &mut Progress,
    input: Option<Value>,
    outcome: Outcome,
) -> Result<Entry, Illegal> {
    let (place, step) = progress.here(definition).map_err(|_| Illegal::Over)?;
    let visit = progress.visit(place);
    progress.keep(&step.id, &outcome);
    let mut explanation = Explanation::new();
    let (error_case, goes_on) = match &outcome {
        Outcome::Output(_) => (None, true),
        Outcome::Failed(_) => {
            let taken = progress.answer(step, &mut explanation);
            let goes_on = taken.as_ref().is_some_and(|taken| taken.action == Some(ErrorAction::Continue));
            (taken, goes_on)
        }
    };
    let transition = goes_on.then(|| progress.choose(&step.transitions, &mut explanation));
    let entry =
        Entry { step: step.id.clone(), visit, action: step.action.clone(), input, outcome, error_case, transition };
    progress.follow(definition, place, &entry)?;
    Ok(entry)
}

/// Takes a run up where its journal ends. The trigger's own entry may stand first; it then says where the run went.
///
/// *Errors* — [`Illegal`] when the entries are not a run of this definition.
pub fn replay(definition: &Definition, trigger_output: Value, entries: &[Entry]) -> Result<Progress, Illegal> {
    let (opening, entries) = match entries.split_first() {
        Some((first, rest)) if first.step == definition.trigger.id => (first.transition.clone(), rest),
        Some(_) | None => (None, entries),
    };
    let mut progress = match opening {
        Some(opening) => Progress::resumed(definition, trigger_output, opening)?,
        None => start(definition, trigger_output),
    };
    for entry in entries {
        progress.apply(definition, entry)?;
    }
    Ok(progress)
}
