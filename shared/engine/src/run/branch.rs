//! One line of a run: the trunk, or a branch that a loop or a parallel step opened. It knows what its steps left, where it
//! is, and how an entry moves it on.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde_json::{Map, Value, json};

use super::fork::Fork;
use super::{Ending, Illegal, STEP_LIMIT_VISITS};
use crate::definition::{Definition, ErrorAction, Step};
use crate::evaluation::{Asker, Context};
use crate::flow::RESPOND;
use crate::journal::{Entry, Failure, Outcome, Retry, RunFailure, TransitionTaken};
use crate::pending::{Call, Pending, Wait};
use crate::surroundings::Surroundings;

/// One line of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Branch {
    /// `each#1.37`, and of one inside of it `each#1.37/inner#1.2`; empty for the trunk.
    pub(super) path: String,
    /// An object: what each of its own steps left, by step id.
    pub(super) outputs: Value,
    pub(super) error: Option<Value>,
    pub(super) position: Position,
    /// Visits that are over, by the place of the step.
    visits: BTreeMap<usize, u32>,
    /// Attempts at the present visit that are over.
    pub(super) attempts: u32,
    /// Those of them that came before somebody had the run replayed, and do not count for how often it is tried again.
    pub(super) replayed_attempts: u32,
    /// When it came to the visit it is at, whatever was tried since.
    pub(super) came_at: Timestamp,
    /// Before this nothing is tried again.
    pub(super) rests_until: Option<Timestamp>,
    /// What the last step that left something left.
    pub(super) last: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Position {
    /// Before the step at this place.
    At(usize),
    /// In the step at this place, which has begun.
    In(usize, Held),
    Ended(Ending),
}

/// What a step that has begun is held by.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held {
    Wait(Wait),
    Call(Call),
    Fork(Box<Fork>),
}

/// What an entry does to the whole run.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    None,
    /// The run is over.
    End(Ending),
    /// It begins again behind the trigger.
    BeginAgain,
}

impl Branch {
    pub(super) fn new(path: String, outputs: Map<String, Value>, position: Position, now: Timestamp) -> Branch {
        Branch {
            path,
            outputs: Value::Object(outputs),
            error: None,
            position,
            visits: BTreeMap::new(),
            attempts: 0,
            replayed_attempts: 0,
            came_at: now,
            rests_until: None,
            last: Value::Null,
        }
    }

    pub(super) fn visit(&self, place: usize) -> u32 {
        self.visits.get(&place).map_or(1, |visits| visits + 1)
    }

    pub(super) fn attempt(&self) -> u32 {
        self.attempts + 1
    }

    /// The place of the step it is before or in.
    pub(super) fn place(&self) -> Option<usize> {
        match &self.position {
            Position::At(place) | Position::In(place, _) => Some(*place),
            Position::Ended(_) => None,
        }
    }

    /// How the run has to end because it comes to the step at `place` too often.
    pub(super) fn circling(&self, place: usize, step: &Step) -> Option<Ending> {
        (self.visit(place) > STEP_LIMIT_VISITS).then(|| {
            let times = format!("The run has come to step \"{}\" {STEP_LIMIT_VISITS} times", step.id);
            let message = format!("{times} and was ended; it may be going in circles.");
            Ending::Failed(RunFailure::new("visit_limit", message))
        })
    }

    pub(super) fn end_visit(&mut self, place: usize) {
        (self.attempts, self.replayed_attempts) = (0, 0);
        *self.visits.entry(place).or_default() += 1;
    }

    /// Keeps what a step left where expressions find it. A step without output leaves nothing, not `null`.
    pub(super) fn keep(&mut self, step: &str, outcome: &Outcome) {
        let attempt = self.attempt();
        let Value::Object(outputs) = &mut self.outputs else { return };
        match outcome {
            Outcome::Output(Value::Null) => {
                outputs.shift_remove(step);
            }
            Outcome::Output(output) => {
                outputs.insert(step.to_owned(), output.clone());
                self.last.clone_from(output);
            }
            Outcome::Failed(failure) => {
                outputs.shift_remove(step);
                self.error = Some(error_of(failure, attempt, step));
            }
            Outcome::Pending(_) | Outcome::Stopped(_) => {}
        }
    }

    /// Moves the branch to where an entry of its own, made at `now`, says it went.
    pub(super) fn follow(
        &mut self,
        definition: &Definition,
        entry: &Entry,
        retries: Option<Retry>,
        now: Timestamp,
    ) -> Result<Effect, Illegal> {
        let place = self.place().ok_or(Illegal::Over)?;
        self.rests_until = None;
        let failure = match &entry.outcome {
            Outcome::Output(_) => return self.leave(definition, place, entry, now),
            Outcome::Pending(pending) => {
                self.position = Position::In(place, self.held(definition, entry, pending, now)?);
                return Ok(Effect::None);
            }
            Outcome::Stopped(stop) => {
                let ending = stop.failure.as_ref().map(|failure| Ending::Failed(stopped(entry, failure)));
                return Ok(Effect::End(ending.unwrap_or(Ending::Succeeded)));
            }
            Outcome::Failed(failure) => failure,
        };
        let answer = entry.error_case.as_ref().and_then(|taken| taken.action);
        match (retries, answer) {
            (Some(Retry::Action), _) => {
                self.attempts += 1;
                self.rests_until = entry.resumes_at;
                self.position = Position::At(place);
            }
            (Some(Retry::Replay), _) => {
                self.attempts += 1;
                self.replayed_attempts = self.attempts;
                self.position = Position::At(place);
            }
            (Some(Retry::Workflow), _) => {
                self.end_visit(place);
                return Ok(Effect::BeginAgain);
            }
            (None, Some(ErrorAction::Continue)) => return self.leave(definition, place, entry, now),
            (None, Some(ErrorAction::StopProcessing)) => self.position = Position::Ended(Ending::Succeeded),
            (None, Some(ErrorAction::RetryAction | ErrorAction::RetryWorkflow) | None) => {
                self.position = Position::Ended(Ending::Failed(run_failure(entry, failure)));
            }
        }
        Ok(Effect::None)
    }

    /// Leaves a step by its entry's transition.
    fn leave(
        &mut self,
        definition: &Definition,
        place: usize,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<Effect, Illegal> {
        self.position = match &entry.transition {
            Some(taken) => position_after(definition, &entry.step, taken)?,
            None => Position::Ended(Ending::Succeeded),
        };
        self.came_at = now;
        self.end_visit(place);
        Ok(Effect::None)
    }

    fn held(&self, definition: &Definition, entry: &Entry, pending: &Pending, now: Timestamp) -> Result<Held, Illegal> {
        Ok(match pending {
            Pending::Wait(wait) => Held::Wait(wait.clone()),
            Pending::Call(call) => Held::Call(call.clone()),
            Pending::ForEach(each) => Held::Fork(Box::new(Fork::of_items(definition, self, entry, each, now)?)),
            Pending::Parallel(parallel) => {
                Held::Fork(Box::new(Fork::of_steps(definition, self, entry, parallel, now)?))
            }
        })
    }
}

/// What expressions in a branch may read: what its own steps left, and those of the branches around it.
pub(super) struct Sight<'a> {
    steps: &'a Value,
    /// Innermost first.
    outer: Vec<&'a Value>,
    error: Option<&'a Value>,
}

impl<'a> Sight<'a> {
    /// Of the last of `line`, the others being around it.
    pub(super) fn of(line: &[&'a Branch]) -> Sight<'a> {
        let mut layers = line.iter().rev().map(|branch| &branch.outputs);
        Sight {
            steps: layers.next().unwrap_or(&Value::Null),
            outer: layers.collect(),
            error: line.iter().rev().find_map(|branch| branch.error.as_ref()),
        }
    }

    pub(super) fn context<'s>(&'s self, surroundings: Surroundings<'s>, asker: Asker<'s>) -> Context<'s> {
        Context { steps: self.steps, outer: &self.outer, error: self.error, surroundings, asker, scope: None }
    }
}

fn error_of(failure: &Failure, attempt: u32, step: &str) -> Value {
    json!({
        "code": failure.code,
        "message": failure.message,
        "status": failure.status,
        "attempt": attempt,
        "retryable": failure.retryable,
        "step": step,
    })
}

/// The run's answer, if the entry gives it.
pub(super) fn response_of(entry: &Entry) -> Option<&Value> {
    match &entry.outcome {
        Outcome::Output(output) if entry.action.as_deref() == Some(RESPOND) => Some(output),
        Outcome::Output(_) | Outcome::Failed(_) | Outcome::Pending(_) | Outcome::Stopped(_) => None,
    }
}

/// Which step, which attempt, which error, in words.
fn run_failure(entry: &Entry, failure: &Failure) -> RunFailure {
    let Entry { step, visit, attempt, action, .. } = entry;
    let action_told = action.as_ref().map(|action| format!(" ({action})")).unwrap_or_default();
    let visit_told = if *visit > 1 { format!(" at visit {visit}") } else { String::new() };
    let attempt_told = if *attempt > 1 { format!(" after {attempt} attempts") } else { String::new() };
    RunFailure {
        code: failure.code.clone(),
        message: format!("Step \"{step}\"{action_told} failed{visit_told}{attempt_told}: {}", failure.message),
        step: Some(step.clone()),
        action: action.clone(),
        visit: Some(*visit),
        attempt: Some(*attempt),
        status: failure.status,
    }
}

/// The failure that an author ends a run with.
fn stopped(entry: &Entry, failure: &Failure) -> RunFailure {
    let (step, action) = (Some(entry.step.clone()), entry.action.clone());
    RunFailure { step, action, visit: Some(entry.visit), ..RunFailure::from(failure.clone()) }
}

/// Where a branch is once it left `step` by the transition that was taken. Where none was open, and one could not be worked
/// out, nobody can say that it is at its end.
pub(super) fn position_after(
    definition: &Definition,
    step: &str,
    taken: &TransitionTaken,
) -> Result<Position, Illegal> {
    match (&taken.target, &taken.fault) {
        (Some(target), _) => place_of(definition, target).map(Position::At),
        (None, None) => Ok(Position::Ended(Ending::Succeeded)),
        (None, Some(fault)) => {
            let message = format!("Which transition of step \"{step}\" is open could not be worked out: {fault}");
            Ok(Position::Ended(Ending::Failed(RunFailure::new("transitions_undecided", message))))
        }
    }
}

pub(super) fn place_of(definition: &Definition, step: &str) -> Result<usize, Illegal> {
    definition.places.get(step).copied().ok_or_else(|| Illegal::NoSuchStep(step.to_owned()))
}
