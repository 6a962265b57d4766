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
//!
//! A run is a trunk and the branches that loops and parallel steps open. [`Progress::ready`] names those in which something
//! can be done; in each of them the run goes on by itself, in whatever order the caller likes.

mod branch;
mod fork;
mod progress;
mod reopen;
mod retry;

use domain::{Failure, Timestamp};
use serde_json::{Map, Value, json};

use crate::definition::Definition;
use crate::evaluation::{Asker, Context, Evaluation};
use crate::explanation::Explanation;
use crate::expression::{Expression, Use};
use crate::fault::Fault;
use crate::flow;
use crate::journal::{Entry, Outcome, RunFailure};
use crate::problem::Place;
use crate::surroundings::Surroundings;

use branch::{Held, Position, Sight};

pub use progress::{Progress, RUN_LIMIT_STEPS, STEP_LIMIT_VISITS, Waiting, WaitsFor};
pub use reopen::{NotReopened, Reopening, departure};
pub use retry::{
    RETRY_LIMIT_SECONDS, RUN_LIMIT_BEGINNINGS, SYSTEM_LIMIT_ATTEMPTS, VISIT_LIMIT_ATTEMPTS, retry_delay_seconds,
};

/// The path of the line that every run begins with.
pub const TRUNK: &str = "";

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
    /// There is nothing to perform: [`record`] this outcome. It is `null` for a step that only holds conditions, a failure
    /// when the params could not be resolved, and whatever an action of the `flow.` namespace comes to.
    Settled {
        /// The step's id.
        step: String,
        /// As in `Perform`.
        visit: u32,
        /// What to record as the input.
        given: Given,
        /// What to record.
        outcome: Outcome,
    },
    /// Nothing can be done in this branch now.
    Waiting,
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
    /// The entry is of a branch that is not open.
    #[error("the journal has a branch \"{0}\" that is not open")]
    NoSuchBranch(String),
    /// The entry leads to a step the definition does not have.
    #[error("the journal leads to a step \"{0}\" that the workflow does not have")]
    NoSuchStep(String),
}

/// Begins a run: the trigger's output is stored and its transitions are judged.
pub fn start(definition: &Definition, trigger_output: Value, surroundings: &Surroundings<'_>) -> Progress {
    let mut progress = Progress::new(definition, trigger_output, surroundings.now);
    let asker = Asker { branch: TRUNK, step: &definition.trigger.id, visit: 1, part: "transitions" };
    let sight = Sight::of(&[&progress.trunk]);
    let context = sight.context(*surroundings, asker);
    progress.opening = progress::choose(&definition.trigger.transitions, context, &mut Explanation::new());
    progress.trunk.position = progress.opening_position(definition);
    progress
}

/// What the run does next in one of its branches; `now` of the surroundings is when it came there. Asking twice in the same
/// surroundings gives the same answer.
pub fn next(definition: &Definition, progress: &Progress, branch: &str, surroundings: &Surroundings<'_>) -> Decision {
    if let Some(ending) = progress.ending() {
        return Decision::Finished(ending);
    }
    let line = progress.line(branch);
    let Some((here, place)) = line.last().and_then(|here| Some((*here, here.place()?))) else {
        return Decision::Waiting;
    };
    let Some(step) = definition.steps.get(place) else {
        let message = "The run belongs to another version of the workflow.";
        return Decision::Finished(Ending::Failed(RunFailure::new("wrong_definition", message)));
    };
    if let Some(ending) = here.circling(place, step) {
        return Decision::Finished(ending);
    }
    let (id, visit, given) = (step.id.clone(), here.visit(place), Given::default());
    match &here.position {
        Position::At(_) => {}
        Position::In(_, Held::Fork(fork)) if fork.is_over() => {
            return Decision::Settled { step: id, visit, given, outcome: fork.outcome() };
        }
        Position::In(_, Held::Fork(_) | Held::Wait(_) | Held::Call(_)) | Position::Ended(_) => {
            return Decision::Waiting;
        }
    }
    let Some(action) = &step.action else {
        return Decision::Settled { step: id, visit, given, outcome: Outcome::Output(Value::Null) };
    };
    let asker = Asker { branch, step: &step.id, visit, part: "params" };
    let params = match &step.params {
        Some(params) => params_of(params, Sight::of(&line).context(*surroundings, asker)),
        None => Ok(Params { input: json!({}), shown: None, missing: Vec::new() }),
    };
    let params = match params {
        Ok(params) => params,
        Err(fault) => {
            return Decision::Settled { step: id, visit, given, outcome: Outcome::Failed(Fault::into(fault)) };
        }
    };
    match flow::settle(action, &params.input, progress.here(&line, surroundings.now)) {
        Some(Outcome::Output(output)) => {
            let outcome = answered(definition, output);
            Decision::Settled { step: id, visit, given: params.given(), outcome }
        }
        Some(outcome) => Decision::Settled { step: id, visit, given: params.given(), outcome },
        None => Decision::Perform { step: id, visit, action: action.clone(), params },
    }
}

/// The answer of a run, if it is what the workflow says that it answers.
fn answered(definition: &Definition, output: Value) -> Outcome {
    match definition.problem_of_response(output.get("output").unwrap_or(&Value::Null)) {
        None => Outcome::Output(output),
        Some(wrong) => {
            let message = format!("The answer is not what the workflow's `response` says: {wrong}.");
            Outcome::Failed(Failure::new("wrong_response", message))
        }
    }
}

/// What becomes of a wait that nothing but its time has ended; none where the branch does not wait.
pub fn waited(progress: &Progress, branch: &str) -> Option<Outcome> {
    let Some(Position::In(_, Held::Wait(wait))) = progress.line(branch).last().map(|branch| &branch.position) else {
        return None;
    };
    let is_plain = wait.answer.is_none() && wait.event.is_none();
    let reason = if is_plain { "time" } else { "timeout" };
    Some(Outcome::Output(json!({ "reason": reason, "until": wait.until })))
}

/// The params resolved, and what people may read of them.
fn params_of(params: &Expression, context: Context<'_>) -> Result<Params, Fault> {
    let (input, missing) = resolved(params, context)?;
    if !context.surroundings.setup.has_secrets() {
        return Ok(Params { input, shown: None, missing });
    }
    let (shown, missing) = shown(params, &input, &missing, context);
    Ok(Params { input, shown: Some(shown), missing })
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
    let shown = resolved(params, Context { steps: &steps, outer: &[], error: error.as_ref(), surroundings, ..context });
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
    let mut masked = Map::new();
    // What an inner branch left hides what one around it did.
    let layers = context.outer.iter().rev().copied().chain([context.steps]);
    for (id, output) in layers.filter_map(Value::as_object).flatten() {
        let shown = match wants_all || wanted.contains(id) {
            true => setup.mask_copy(output),
            // That it is there is told where something else is missing.
            false => Value::Null,
        };
        masked.insert(id.clone(), shown);
    }
    Value::Object(masked)
}

/// Records what came of the step that the branch is at, moves the run on, and gives the journal's entry. `now` of the
/// surroundings is when that came about.
///
/// *Errors* — [`Illegal::Over`] when the run has ended, [`Illegal::NoSuchBranch`] when the branch has.
pub fn record(
    definition: &Definition,
    progress: &mut Progress,
    branch: &str,
    given: Given,
    outcome: Outcome,
    surroundings: &Surroundings<'_>,
) -> Result<Entry, Illegal> {
    let Given { input, missing } = given;
    let (step, visit, attempt) = progress.at(definition, branch)?;
    progress.keep(branch, &step.id, &outcome);
    let line = progress.line(branch);
    let asker = Asker { branch, step: &step.id, visit, part: "transitions" };
    let sight = Sight::of(&line);
    let context = sight.context(*surroundings, asker);
    let mut explanation = Explanation::new();
    let error_case = match &outcome {
        Outcome::Failed(_) => progress::answer(step, context, &mut explanation),
        Outcome::Output(_) | Outcome::Pending(_) | Outcome::Stopped(_) => None,
    };
    let answer = error_case.as_ref().and_then(|taken| taken.action);
    let (retries, goes_on) = match &outcome {
        Outcome::Output(_) => (None, true),
        Outcome::Failed(failure) => {
            let counted = attempt.saturating_sub(progress.replayed_attempts(branch));
            progress.after_failure(counted, failure, answer)
        }
        Outcome::Pending(_) | Outcome::Stopped(_) => (None, false),
    };
    let transition = goes_on.then(|| progress::choose(&step.transitions, context, &mut explanation));
    let entry = Entry {
        step: step.id.clone(),
        branch: branch.to_owned(),
        visit,
        attempt,
        action: step.action.clone(),
        input,
        missing,
        outcome,
        error_case,
        retries,
        resumes_at: None,
        transition,
    };
    progress.follow(definition, &entry, surroundings.now)?;
    Ok(entry)
}

/// Takes a run up where its journal ends; with each entry comes when it was made. The trigger's own entry may stand first; it
/// then says where the run went.
///
/// *Errors* — [`Illegal`] when the entries are not a run of this definition.
pub fn replay<'e>(
    definition: &Definition,
    trigger_output: Value,
    entries: impl IntoIterator<Item = (&'e Entry, Timestamp)>,
    surroundings: &Surroundings<'_>,
) -> Result<Progress, Illegal> {
    let mut entries = entries.into_iter().peekable();
    let first = entries.next_if(|(entry, _)| entry.step == definition.trigger.id);
    let mut progress = match first.and_then(|(entry, at)| Some((entry.transition.clone()?, at))) {
        Some((opening, at)) => Progress::resumed(definition, trigger_output, opening, at)?,
        None => start(definition, trigger_output, surroundings),
    };
    for (entry, at) in entries {
        progress.apply(definition, entry, at)?;
    }
    Ok(progress)
}
