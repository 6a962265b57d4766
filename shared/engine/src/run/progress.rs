//! How far a run has come: what its steps left, where it is, and how an entry moves it on.
//!
//! Judging ([`choose`], [`answer`]) only reads; `keep` and `follow` change the state, and both work from an entry alone.

use serde_json::{Map, Value, json};

use super::retry::{RUN_LIMIT_BEGINNINGS, attempts_limit};
use super::{Ending, Illegal};
use crate::condition::judge_until;
use crate::definition::{Definition, ErrorAction, Step, Transition};
use crate::evaluation::Evaluation;
use crate::evaluation::{Asker, Context};
use crate::explanation::Explanation;
use crate::journal::{Considered, Entry, ErrorCaseTaken, Failure, Outcome, Retry, RunFailure, TransitionTaken};
use crate::surroundings::Surroundings;

/// A run ends as failed when it would take more steps. *Source* — the decision table of `docs/workflow-format.md`.
pub const RUN_LIMIT_STEPS: u32 = 10_000;

/// A run ends as failed when it would come to one step more often. *Source* — as above.
pub const STEP_LIMIT_VISITS: u32 = 1_000;

/// How far a run has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// An object: what each step left, by step id.
    outputs: Value,
    error: Option<Value>,
    pub(super) position: Position,
    /// Where the trigger led, for the journal and for beginning again.
    pub(super) opening: TransitionTaken,
    /// Visits that are over, by the place of the step.
    visits: Vec<u32>,
    steps: u32,
    /// Attempts at the present visit that are over.
    attempts: u32,
    beginnings: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Position {
    /// Before the step at this place.
    At(usize),
    Ended(Ending),
}

impl Progress {
    pub(super) fn new(definition: &Definition, trigger_output: Value) -> Progress {
        let mut outputs = Map::with_capacity(definition.steps.len() + 1);
        outputs.insert(definition.trigger.id.clone(), trigger_output);
        Progress {
            outputs: Value::Object(outputs),
            error: None,
            position: Position::Ended(Ending::Succeeded),
            opening: TransitionTaken { target: None, conditions: Vec::new(), left_out: 0, fault: None },
            visits: vec![0; definition.steps.len()],
            steps: 0,
            attempts: 0,
            beginnings: 1,
        }
    }

    pub(super) fn resumed(
        definition: &Definition,
        trigger_output: Value,
        opening: TransitionTaken,
    ) -> Result<Progress, Illegal> {
        let mut progress = Progress::new(definition, trigger_output);
        progress.position = position_after(definition, &definition.trigger.id, &opening)?;
        progress.opening = opening;
        Ok(progress)
    }

    /// The journal's first entry, the trigger's: its output and where it led.
    pub fn trigger_entry(&self, definition: &Definition) -> Entry {
        let id = &definition.trigger.id;
        Entry {
            step: id.clone(),
            visit: 1,
            attempt: 1,
            action: None,
            input: None,
            missing: Vec::new(),
            outcome: Outcome::Output(self.outputs.get(id).cloned().unwrap_or_default()),
            error_case: None,
            retries: None,
            transition: Some(self.opening.clone()),
        }
    }

    /// What expressions may read now.
    pub(super) fn context<'a>(&'a self, surroundings: Surroundings<'a>, asker: Asker<'a>) -> Context<'a> {
        Context { steps: &self.outputs, error: self.error.as_ref(), surroundings, asker, scope: None }
    }

    /// Which attempt at the present visit is next, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempts + 1
    }

    /// How often the run has begun, from 1.
    pub fn beginnings(&self) -> u32 {
        self.beginnings
    }

    /// The step the run is before, or how it ended.
    pub(super) fn here<'d>(&self, definition: &'d Definition) -> Result<(usize, &'d Step), Ending> {
        let place = match &self.position {
            Position::At(place) => *place,
            Position::Ended(ending) => return Err(ending.clone()),
        };
        let step = definition.steps.get(place).ok_or_else(|| {
            let message = "The run belongs to another version of the workflow.";
            Ending::Failed(RunFailure::new("wrong_definition", message))
        })?;
        match self.passed_limit(place, step) {
            Some(failure) => Err(Ending::Failed(failure)),
            None => Ok((place, step)),
        }
    }

    fn passed_limit(&self, place: usize, step: &Step) -> Option<RunFailure> {
        let (code, message) = if self.steps >= RUN_LIMIT_STEPS {
            (
                "step_limit",
                format!("The run has taken {RUN_LIMIT_STEPS} steps and was ended; it may be going in circles."),
            )
        } else if self.visit(place) > STEP_LIMIT_VISITS {
            let times = format!("The run has come to step \"{}\" {STEP_LIMIT_VISITS} times", step.id);
            ("visit_limit", format!("{times} and was ended; it may be going in circles."))
        } else {
            return None;
        };
        Some(RunFailure::new(code, message))
    }

    pub(super) fn visit(&self, place: usize) -> u32 {
        self.visits.get(place).map_or(1, |visits| visits + 1)
    }

    /// What is tried again after a failure that the error cases answered so, and whether the run goes on as if there
    /// had been none.
    pub(super) fn after_failure(&self, failure: &Failure, answer: Option<ErrorAction>) -> (Option<Retry>, bool) {
        let tries_again = self.attempt() < attempts_limit(failure);
        match answer {
            Some(ErrorAction::Continue) => (None, true),
            Some(ErrorAction::StopProcessing) => (None, false),
            Some(ErrorAction::RetryAction) => (tries_again.then_some(Retry::Action), false),
            Some(ErrorAction::RetryWorkflow) => {
                ((self.beginnings < RUN_LIMIT_BEGINNINGS).then_some(Retry::Workflow), false)
            }
            // What the world has to mend is tried again without being asked.
            None => ((failure.retryable && tries_again).then_some(Retry::Action), false),
        }
    }

    pub(super) fn apply(&mut self, definition: &Definition, entry: &Entry) -> Result<(), Illegal> {
        let (place, step) = self.here(definition).map_err(|_| Illegal::Over)?;
        let visit = self.visit(place);
        if (entry.step.as_str(), entry.visit) != (step.id.as_str(), visit) {
            return Err(Illegal::OutOfOrder {
                found: entry.step.clone(),
                found_visit: entry.visit,
                expected: step.id.clone(),
                expected_visit: visit,
            });
        }
        self.keep(&step.id, &entry.outcome);
        self.follow(definition, place, entry)
    }

    /// Keeps what a step left where expressions find it. A step without output leaves nothing, not `null`.
    pub(super) fn keep(&mut self, step: &str, outcome: &Outcome) {
        let Value::Object(outputs) = &mut self.outputs else {
            return;
        };
        match outcome {
            Outcome::Output(Value::Null) => {
                outputs.shift_remove(step);
            }
            Outcome::Output(output) => {
                outputs.insert(step.to_owned(), output.clone());
            }
            Outcome::Failed(failure) => {
                outputs.shift_remove(step);
                self.error = Some(json!({
                    "code": failure.code,
                    "message": failure.message,
                    "status": failure.status,
                    "attempt": self.attempt(),
                    "retryable": failure.retryable,
                    "step": step,
                }));
            }
        }
    }

    /// Moves the run to where an entry says it went.
    pub(super) fn follow(&mut self, definition: &Definition, place: usize, entry: &Entry) -> Result<(), Illegal> {
        self.steps += 1;
        let failure = match &entry.outcome {
            Outcome::Output(_) => return self.leave(definition, place, entry),
            Outcome::Failed(failure) => failure,
        };
        let answer = entry.error_case.as_ref().and_then(|taken| taken.action);
        match (self.retries(entry, failure, answer), answer) {
            (Some(Retry::Action), _) => self.attempts += 1,
            (Some(Retry::Workflow), _) => self.begin_again(definition, place),
            (None, Some(ErrorAction::Continue)) => return self.leave(definition, place, entry),
            (None, Some(ErrorAction::StopProcessing)) => self.position = Position::Ended(Ending::Succeeded),
            (None, Some(ErrorAction::RetryAction | ErrorAction::RetryWorkflow) | None) => {
                self.position = Position::Ended(Ending::Failed(run_failure(entry, failure)));
            }
        }
        Ok(())
    }

    /// What the entry says is tried again. One that an earlier version wrote says only how its error case answered, and was
    /// tried again at once.
    fn retries(&self, entry: &Entry, failure: &Failure, answer: Option<ErrorAction>) -> Option<Retry> {
        let by_answer = match answer {
            Some(ErrorAction::RetryAction | ErrorAction::RetryWorkflow) => self.after_failure(failure, answer).0,
            Some(ErrorAction::Continue | ErrorAction::StopProcessing) | None => None,
        };
        entry.retries.or(by_answer)
    }

    /// Leaves a step by its entry's transition.
    fn leave(&mut self, definition: &Definition, place: usize, entry: &Entry) -> Result<(), Illegal> {
        self.position = match &entry.transition {
            Some(taken) => position_after(definition, &entry.step, taken)?,
            None => Position::Ended(Ending::Succeeded),
        };
        self.end_visit(place);
        Ok(())
    }

    /// Forgets all but the trigger; visits go on counting, so that no idempotency key is used twice.
    fn begin_again(&mut self, definition: &Definition, place: usize) {
        self.end_visit(place);
        self.beginnings += 1;
        self.error = None;
        if let Value::Object(outputs) = &mut self.outputs {
            outputs.retain(|id, _| *id == definition.trigger.id);
        }
        self.position = self.opening_position(definition);
    }

    fn end_visit(&mut self, place: usize) {
        self.attempts = 0;
        if let Some(visits) = self.visits.get_mut(place) {
            *visits += 1;
        }
    }

    pub(super) fn opening_position(&self, definition: &Definition) -> Position {
        // The target was checked when the definition was parsed, or when the run was taken up.
        position_after(definition, &definition.trigger.id, &self.opening).unwrap_or(Position::Ended(Ending::Succeeded))
    }
}

/// Judges transitions in order up to the first that is open.
pub(super) fn choose(
    transitions: &[Transition],
    context: Context<'_>,
    explanation: &mut Explanation,
) -> TransitionTaken {
    let conditions = transitions.iter().map(|transition| &transition.condition);
    let judged = judge_until(true, conditions, &Evaluation::new(context), explanation, 0);
    let target = |place: usize| transitions.get(place).map(|transition| transition.target.clone());
    TransitionTaken {
        target: judged.decided.and_then(target),
        conditions: judged
            .told
            .into_iter()
            .filter_map(|(place, verdict)| Some(Considered { target: target(place)?, verdict }))
            .collect(),
        left_out: judged.left_out,
        fault: judged.fault.filter(|_| judged.decided.is_none()),
    }
}

/// Judges error cases in order up to the first that holds.
pub(super) fn answer(step: &Step, context: Context<'_>, explanation: &mut Explanation) -> Option<ErrorCaseTaken> {
    if step.error_cases.is_empty() {
        return None;
    }
    let conditions = step.error_cases.iter().map(|case| &case.condition);
    let judged = judge_until(true, conditions, &Evaluation::new(context), explanation, 0);
    Some(ErrorCaseTaken {
        action: judged.decided.and_then(|place| step.error_cases.get(place)).map(|case| case.action),
        conditions: judged.told.into_iter().map(|(_, verdict)| verdict).collect(),
        left_out: judged.left_out,
    })
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

/// Where the run is once it left `step` by the transition that was taken. Where none was open, and one could not be worked out,
/// nobody can say that the run is at its end.
fn position_after(definition: &Definition, step: &str, taken: &TransitionTaken) -> Result<Position, Illegal> {
    match (&taken.target, &taken.fault) {
        (Some(target), _) => {
            let place = definition.places.get(target).copied();
            place.map(Position::At).ok_or_else(|| Illegal::NoSuchStep(target.clone()))
        }
        (None, None) => Ok(Position::Ended(Ending::Succeeded)),
        (None, Some(fault)) => {
            let message = format!("Which transition of step \"{step}\" is open could not be worked out: {fault}");
            Ok(Position::Ended(Ending::Failed(RunFailure::new("transitions_undecided", message))))
        }
    }
}
