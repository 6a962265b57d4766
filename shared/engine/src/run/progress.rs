//! How far a run has come: what its steps left, where it is, and how an entry moves it on.
//!
//! Judging (`choose`, `answer`) only reads; `keep` and `follow` change the state, and both work from an entry alone.

use serde_json::{Map, Value, json};

use super::{Ending, Illegal};
use crate::condition::judge_until;
use crate::definition::{Definition, ErrorAction, Step, Transition};
use crate::explanation::Explanation;
use crate::expression::Context;
use crate::journal::{Considered, Entry, ErrorCaseTaken, Failure, Outcome, TransitionTaken};

/// A run ends as failed when it would take more steps. *Source* — the decision table of `docs/workflows.md`.
pub const RUN_LIMIT_STEPS: u32 = 10_000;

/// A run ends as failed when it would come to one step more often. *Source* — as above.
pub const STEP_LIMIT_VISITS: u32 = 1_000;

/// How often `retry-action` has one visit of a step performed in all.
pub const VISIT_LIMIT_ATTEMPTS: u32 = 3;

/// How often `retry-workflow` has a run begin in all.
pub const RUN_LIMIT_BEGINNINGS: u32 = 3;

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
            opening: TransitionTaken { target: None, conditions: Vec::new(), left_out: 0 },
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
        progress.position = position_of(definition, opening.target.as_deref())?;
        progress.opening = opening;
        Ok(progress)
    }

    /// The journal's first entry, the trigger's: its output and where it led.
    pub fn trigger_entry(&self, definition: &Definition) -> Entry {
        let id = &definition.trigger.id;
        Entry {
            step: id.clone(),
            visit: 1,
            action: None,
            input: None,
            outcome: Outcome::Output(self.outputs.get(id).cloned().unwrap_or_default()),
            error_case: None,
            transition: Some(self.opening.clone()),
        }
    }

    /// What expressions may read now.
    pub fn context(&self) -> Context<'_> {
        Context { steps: &self.outputs, variables: None, error: self.error.as_ref() }
    }

    /// The step the run is before, or how it ended.
    pub(super) fn here<'d>(&self, definition: &'d Definition) -> Result<(usize, &'d Step), Ending> {
        let place = match &self.position {
            Position::At(place) => *place,
            Position::Ended(ending) => return Err(ending.clone()),
        };
        let step = definition.steps.get(place).ok_or_else(|| {
            let message = "The run belongs to another version of the workflow.".to_owned();
            Ending::Failed(Failure { code: "wrong_definition".to_owned(), message })
        })?;
        match self.passed_limit(place, step) {
            Some(failure) => Err(Ending::Failed(failure)),
            None => Ok((place, step)),
        }
    }

    fn passed_limit(&self, place: usize, step: &Step) -> Option<Failure> {
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
        Some(Failure { code: code.to_owned(), message })
    }

    pub(super) fn visit(&self, place: usize) -> u32 {
        self.visits.get(place).map_or(1, |visits| visits + 1)
    }

    /// Judges transitions in order up to the first that is open.
    pub(super) fn choose(&self, transitions: &[Transition], explanation: &mut Explanation) -> TransitionTaken {
        let conditions = transitions.iter().map(|transition| &transition.condition);
        let judged = judge_until(true, conditions, &self.context(), explanation, 0);
        let target = |place: usize| transitions.get(place).map(|transition| transition.target.clone());
        TransitionTaken {
            target: judged.decided.and_then(target),
            conditions: judged
                .told
                .into_iter()
                .filter_map(|(place, verdict)| Some(Considered { target: target(place)?, verdict }))
                .collect(),
            left_out: judged.left_out,
        }
    }

    /// Judges error cases in order up to the first that holds.
    pub(super) fn answer(&self, step: &Step, explanation: &mut Explanation) -> Option<ErrorCaseTaken> {
        if step.error_cases.is_empty() {
            return None;
        }
        let conditions = step.error_cases.iter().map(|case| &case.condition);
        let judged = judge_until(true, conditions, &self.context(), explanation, 0);
        Some(ErrorCaseTaken {
            action: judged.decided.and_then(|place| step.error_cases.get(place)).map(|case| case.action),
            conditions: judged.told.into_iter().map(|(_, verdict)| verdict).collect(),
            left_out: judged.left_out,
        })
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
                self.error = Some(json!({"code": failure.code, "message": failure.message}));
            }
        }
    }

    /// Moves the run to where an entry says it went.
    pub(super) fn follow(&mut self, definition: &Definition, place: usize, entry: &Entry) -> Result<(), Illegal> {
        self.steps += 1;
        let answer = entry.error_case.as_ref().and_then(|taken| taken.action);
        let failure = match &entry.outcome {
            Outcome::Output(_) => return self.leave(definition, place, entry),
            Outcome::Failed(failure) => failure,
        };
        match answer {
            Some(ErrorAction::Continue) => return self.leave(definition, place, entry),
            Some(ErrorAction::StopProcessing) => self.position = Position::Ended(Ending::Succeeded),
            Some(ErrorAction::RetryAction) if self.attempts + 1 < VISIT_LIMIT_ATTEMPTS => self.attempts += 1,
            Some(ErrorAction::RetryWorkflow) if self.beginnings < RUN_LIMIT_BEGINNINGS => {
                self.begin_again(definition, place);
            }
            Some(ErrorAction::RetryAction | ErrorAction::RetryWorkflow) | None => {
                self.position = Position::Ended(Ending::Failed(failure.clone()));
            }
        }
        Ok(())
    }

    /// Leaves a step by its entry's transition.
    fn leave(&mut self, definition: &Definition, place: usize, entry: &Entry) -> Result<(), Illegal> {
        let target = entry.transition.as_ref().and_then(|taken| taken.target.as_deref());
        self.position = position_of(definition, target)?;
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
        position_of(definition, self.opening.target.as_deref()).unwrap_or(Position::Ended(Ending::Succeeded))
    }
}

fn position_of(definition: &Definition, target: Option<&str>) -> Result<Position, Illegal> {
    let Some(target) = target else {
        return Ok(Position::Ended(Ending::Succeeded));
    };
    let place = definition.places.get(target).copied();
    place.map(Position::At).ok_or_else(|| Illegal::NoSuchStep(target.to_owned()))
}
