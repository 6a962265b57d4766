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
mod retry;

use serde_json::{Value, json};

use crate::definition::Definition;
use crate::evaluation::{Asker, Context, Evaluation};
use crate::explanation::Explanation;
use crate::expression::{Expression, Use};
use crate::fault::Fault;
use crate::journal::{Entry, Outcome, RunFailure};
use crate::problem::Place;
use crate::surroundings::Surroundings;

pub use progress::{Progress, RUN_LIMIT_STEPS, STEP_LIMIT_VISITS};
pub use retry::{
    RETRY_LIMIT_SECONDS, RUN_LIMIT_BEGINNINGS, SYSTEM_LIMIT_ATTEMPTS, VISIT_LIMIT_ATTEMPTS, retry_delay_seconds,
};

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// No transition was open, or an error case stopped it.
    Succeeded,
    /// A step failed and nothing answered, or a limit was passed.
    Failed(RunFailure),
}

/// The params of a step, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// What the action is given; `{}` when the step has no params.
    pub input: Value,
    /// The same without the values of variables; none where there is no difference.
    shown: Option<Value>,
    missing: Vec<String>,
}

/// The params of a step as its entry keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// As people may read them; none when nothing was performed.
    pub input: Option<Value>,
    /// What led nowhere in them, in sentences.
    pub missing: Vec<String>,
}

impl Params {
    /// The params that are made of a step's, with what people may read of them where that is something else.
    pub fn of(input: Value, shown: Option<Value>) -> Params {
        Params { input, shown, missing: Vec::new() }
    }

    /// The input as people may read it. What differs from the input holds the value of a variable, or is made of one.
    pub fn shown(&self) -> &Value {
        self.shown.as_ref().unwrap_or(&self.input)
    }

    /// What people may know of them.
    pub fn given(self) -> Given {
        Given { input: Some(self.shown.unwrap_or(self.input)), missing: self.missing }
    }
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
        /// The params.
        params: Params,
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
pub fn start(definition: &Definition, trigger_output: Value, surroundings: &Surroundings<'_>) -> Progress {
    let mut progress = Progress::new(definition, trigger_output);
    let asker = Asker { step: &definition.trigger.id, visit: 1, part: "transitions" };
    let context = progress.context(*surroundings, asker);
    progress.opening = progress::choose(&definition.trigger.transitions, context, &mut Explanation::new());
    progress.position = progress.opening_position(definition);
    progress
}

/// What the run does next. Asking twice in the same surroundings gives the same answer.
pub fn next(definition: &Definition, progress: &Progress, surroundings: &Surroundings<'_>) -> Decision {
    let (place, step) = match progress.here(definition) {
        Ok(here) => here,
        Err(ending) => return Decision::Finished(ending),
    };
    let id = step.id.clone();
    let visit = progress.visit(place);
    let Some(action) = &step.action else {
        return Decision::Settled { step: id, visit, outcome: Outcome::Output(Value::Null) };
    };
    let Some(params) = &step.params else {
        let params = Params { input: json!({}), shown: None, missing: Vec::new() };
        return Decision::Perform { step: id, visit, action: action.clone(), params };
    };

    let asker = Asker { step: &step.id, visit, part: "params" };
    let (input, missing) = match resolved(params, progress.context(*surroundings, asker)) {
        Ok(resolved) => resolved,
        Err(fault) => return Decision::Settled { step: id, visit, outcome: Outcome::Failed(Fault::into(fault)) },
    };
    let has_secrets = surroundings.setup.has_secrets();
    let params = match has_secrets.then(|| shown(params, &input, &missing, progress.context(*surroundings, asker))) {
        Some((shown, missing)) => Params { input, shown: Some(shown), missing },
        None => Params { input, shown: None, missing },
    };
    Decision::Perform { step: id, visit, action: action.clone(), params }
}

/// The params, and what led nowhere in them.
fn resolved(params: &Expression, context: Context<'_>) -> Result<(Value, Vec<String>), Fault> {
    let evaluation = Evaluation::kept(context);
    let input = params.copied(&evaluation)?;
    Ok((input.unwrap_or_else(|| json!({})), evaluation.into_told()))
}

/// The params worked out of masks, because what a function makes of a secret is one, too; and what led nowhere there.
fn shown(params: &Expression, input: &Value, missing: &[String], context: Context<'_>) -> (Value, Vec<String>) {
    let setup = context.surroundings.setup;
    let (masked, steps) = (setup.masked(), masked_steps(params, context));
    let surroundings = Surroundings { setup: &masked, ..context.surroundings };
    let error = context.error.map(|error| setup.mask_copy(error));
    let shown = resolved(params, Context { steps: &steps, error: error.as_ref(), surroundings, ..context });
    // A mask may be longer than what it hides, and so pass a limit that the secret does not.
    shown.unwrap_or_else(|_| {
        let missing = missing.iter().map(|sentence| setup.mask_text(sentence));
        (setup.mask_copy(input), missing.collect())
    })
}

/// What the steps left that the params read, masked. *Why not all of it* — a run of a thousand steps would mask a thousand
/// outputs at each.
fn masked_steps(params: &Expression, context: Context<'_>) -> Value {
    let mut wanted: Vec<String> = Vec::new();
    let mut wants_all = false;
    params.for_each_use(&Place::ROOT, &mut |used, _| {
        if let Use::Path(path) = used
            && path.root() == "steps"
        {
            let candidates = path.step_candidates();
            wants_all |= candidates.is_empty();
            wanted.extend(candidates);
        }
    });
    let setup = context.surroundings.setup;
    let steps = context.steps.as_object().into_iter().flatten();
    let masked = |(id, output): (&String, &Value)| match wants_all || wanted.contains(id) {
        true => (id.clone(), setup.mask_copy(output)),
        // That it is there is told where something else is missing.
        false => (id.clone(), Value::Null),
    };
    Value::Object(steps.map(masked).collect())
}

/// Records what came of the step the run is at, moves the run on, and gives the journal's entry.
///
/// *Errors* — [`Illegal::Over`] when the run has ended.
pub fn record(
    definition: &Definition,
    progress: &mut Progress,
    given: Given,
    outcome: Outcome,
    surroundings: &Surroundings<'_>,
) -> Result<Entry, Illegal> {
    let Given { input, missing } = given;
    let (place, step) = progress.here(definition).map_err(|_| Illegal::Over)?;
    let (visit, attempt) = (progress.visit(place), progress.attempt());
    progress.keep(&step.id, &outcome);
    let asker = Asker { step: &step.id, visit, part: "transitions" };
    let context = progress.context(*surroundings, asker);
    let mut explanation = Explanation::new();
    let error_case = match &outcome {
        Outcome::Output(_) => None,
        Outcome::Failed(_) => progress::answer(step, context, &mut explanation),
    };
    let answer = error_case.as_ref().and_then(|taken| taken.action);
    let (retries, goes_on) = match &outcome {
        Outcome::Output(_) => (None, true),
        Outcome::Failed(failure) => progress.after_failure(failure, answer),
    };
    let transition = goes_on.then(|| progress::choose(&step.transitions, context, &mut explanation));
    let action = step.action.clone();
    let entry = Entry {
        step: step.id.clone(),
        visit,
        attempt,
        action,
        input,
        missing,
        outcome,
        error_case,
        retries,
        transition,
    };
    progress.follow(definition, place, &entry)?;
    Ok(entry)
}

/// Takes a run up where its journal ends. The trigger's own entry may stand first; it then says where the run went.
///
/// *Errors* — [`Illegal`] when the entries are not a run of this definition.
pub fn replay(
    definition: &Definition,
    trigger_output: Value,
    entries: &[Entry],
    surroundings: &Surroundings<'_>,
) -> Result<Progress, Illegal> {
    let (opening, entries) = match entries.split_first() {
        Some((first, rest)) if first.step == definition.trigger.id => (first.transition.clone(), rest),
        Some(_) | None => (None, entries),
    };
    let mut progress = match opening {
        Some(opening) => Progress::resumed(definition, trigger_output, opening)?,
        None => start(definition, trigger_output, surroundings),
    };
    for entry in entries {
        progress.apply(definition, entry)?;
    }
    Ok(progress)
}
