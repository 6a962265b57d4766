//! How far a run has come: its trunk with the branches that are open, and how an entry moves it on.
//!
//! Judging ([`choose`], [`answer`]) only reads; `keep` and `follow` change the state, and both work from an entry alone.

use domain::Timestamp;
use serde_json::{Map, Value};

use super::branch::{Branch, Effect, Held, Position, position_after, response_of};
use super::retry::{RUN_LIMIT_BEGINNINGS, attempts_limit};
use super::{Ending, Illegal, TRUNK, fork};
use crate::condition::judge_until;
use crate::definition::{Definition, ErrorAction, Step, Transition};
use crate::evaluation::{Context, Evaluation};
use crate::explanation::Explanation;
use crate::flow::Here;
use crate::journal::{Considered, Entry, ErrorCaseTaken, Failure, Outcome, Retry, RunFailure, TransitionTaken};
use crate::pending::{Call, Wait};

/// A run ends as failed when it would take more steps. *Source* — the decision table of `docs/workflow-format.md`.
pub const RUN_LIMIT_STEPS: u32 = 10_000;

/// A branch ends as failed when it would come to one step more often. *Source* — as above.
pub const STEP_LIMIT_VISITS: u32 = 1_000;

/// How far a run has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub(super) trunk: Branch,
    /// Where the trigger led, for the journal and for beginning again.
    pub(super) opening: TransitionTaken,
    /// The answer that it gave to whoever called.
    response: Option<Value>,
    steps: u32,
    beginnings: u32,
}

/// A step that waits for something outside of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting<'a> {
    /// The branch it is in.
    pub branch: &'a str,
    /// The step.
    pub step: &'a str,
    /// The visit.
    pub visit: u32,
    /// The attempt at it.
    pub attempt: u32,
    /// What it waits for.
    pub for_what: WaitsFor<'a>,
}

/// What a step waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WaitsFor<'a> {
    /// A time or an answer.
    Wait(&'a Wait),
    /// The end of another run.
    Call(&'a Call),
}

impl Progress {
    pub(super) fn new(definition: &Definition, trigger_output: Value, now: Timestamp) -> Progress {
        let outputs = Map::from_iter([(definition.trigger.id.clone(), trigger_output)]);
        Progress {
            trunk: Branch::new(TRUNK.to_owned(), outputs, Position::Ended(Ending::Succeeded), now),
            opening: TransitionTaken { target: None, conditions: Vec::new(), left_out: 0, fault: None },
            response: None,
            steps: 0,
            beginnings: 1,
        }
    }

    pub(super) fn resumed(
        definition: &Definition,
        trigger_output: Value,
        opening: TransitionTaken,
        now: Timestamp,
    ) -> Result<Progress, Illegal> {
        let mut progress = Progress::new(definition, trigger_output, now);
        progress.trunk.position = position_after(definition, &definition.trigger.id, &opening)?;
        progress.opening = opening;
        Ok(progress)
    }

    /// The journal's first entry, the trigger's: its output and where it led.
    pub fn trigger_entry(&self, definition: &Definition) -> Entry {
        let id = &definition.trigger.id;
        Entry {
            step: id.clone(),
            branch: TRUNK.to_owned(),
            visit: 1,
            attempt: 1,
            action: None,
            input: None,
            missing: Vec::new(),
            outcome: Outcome::Output(self.trunk.outputs.get(id).cloned().unwrap_or_default()),
            error_case: None,
            retries: None,
            resumes_at: None,
            transition: Some(self.opening.clone()),
        }
    }

    /// The branches in which something can be done at `now`, in order; the trunk when the run is over.
    pub fn ready(&self, now: Timestamp) -> Vec<&str> {
        let mut ready = Vec::new();
        if matches!(self.trunk.position, Position::Ended(_)) || self.steps >= RUN_LIMIT_STEPS {
            return vec![TRUNK];
        }
        for_each(&self.trunk, &mut |branch| {
            if is_ready(branch, now) {
                ready.push(branch.path.as_str());
            }
        });
        ready
    }

    /// When something can be done again, where nothing can before.
    pub fn due_at(&self) -> Option<Timestamp> {
        let mut due = None;
        for_each(&self.trunk, &mut |branch| {
            let at = match &branch.position {
                Position::At(_) => branch.rests_until,
                Position::In(_, Held::Wait(wait)) => Some(wait.until),
                Position::In(_, Held::Call(_) | Held::Fork(_)) | Position::Ended(_) => None,
            };
            due = [due, at].into_iter().flatten().min();
        });
        due
    }

    /// Every step that waits for something outside of the run.
    pub fn waiting<'a>(&'a self, definition: &'a Definition) -> Vec<Waiting<'a>> {
        let mut waiting = Vec::new();
        for_each(&self.trunk, &mut |branch| {
            let (place, for_what) = match &branch.position {
                Position::In(place, Held::Wait(wait)) => (*place, WaitsFor::Wait(wait)),
                Position::In(place, Held::Call(call)) => (*place, WaitsFor::Call(call)),
                Position::In(_, Held::Fork(_)) | Position::At(_) | Position::Ended(_) => return,
            };
            if let Some(step) = definition.steps.get(place) {
                let (visit, attempt) = (branch.visit(place), branch.attempt());
                waiting.push(Waiting { branch: &branch.path, step: &step.id, visit, attempt, for_what });
            }
        });
        waiting
    }

    /// The answer that the run gave to whoever called, `{"status":200,"output":…}`.
    pub fn response(&self) -> Option<&Value> {
        self.response.as_ref()
    }

    /// Which attempt at the present visit of the branch is next, from 1.
    pub fn attempt(&self, branch: &str) -> u32 {
        self.line(branch).last().map_or(1, |branch| branch.attempt())
    }

    /// How many attempts at the present visit of the branch came before somebody had the run replayed.
    pub(super) fn replayed_attempts(&self, branch: &str) -> u32 {
        self.line(branch).last().map_or(0, |branch| branch.replayed_attempts)
    }

    /// When the branch came to the visit it is at, whatever was tried since.
    pub fn came_at(&self, branch: &str) -> Option<Timestamp> {
        self.line(branch).last().map(|branch| branch.came_at)
    }

    /// Lets the branch rest until then, before it tries again what has just failed.
    pub fn rest(&mut self, branch: &str, until: Timestamp) {
        if let Some(branch) = branch_mut(&mut self.trunk, branch) {
            branch.rests_until = Some(until);
        }
    }

    /// How often the run has begun, from 1.
    pub fn beginnings(&self) -> u32 {
        self.beginnings
    }

    /// The branch at `path`, behind those around it; nothing where there is none.
    pub(super) fn line(&self, path: &str) -> Vec<&Branch> {
        let mut line = vec![&self.trunk];
        while let Some(last) = line.last().copied() {
            if last.path == path {
                return line;
            }
            let inner = match &last.position {
                Position::In(_, Held::Fork(fork)) => fork.towards(path),
                Position::In(_, Held::Wait(_) | Held::Call(_)) | Position::At(_) | Position::Ended(_) => None,
            };
            match inner {
                Some(inner) => line.push(inner),
                None => break,
            }
        }
        Vec::new()
    }

    /// Where in the run a flow action of the branch is come to.
    pub(super) fn here(&self, line: &[&Branch], now: Timestamp) -> Here {
        let forks = line.iter().filter_map(|branch| match &branch.position {
            Position::In(_, Held::Fork(fork)) => Some(fork.count()),
            Position::In(_, Held::Wait(_) | Held::Call(_)) | Position::At(_) | Position::Ended(_) => None,
        });
        let width = forks.fold(1_usize, |width, count| width.saturating_mul(count.max(1)));
        Here { now, depth: line.len().saturating_sub(1), width, has_responded: self.response.is_some() }
    }

    /// The step that a branch is before or in, the visit and the attempt.
    ///
    /// *Errors* — the run is over, or there is no such branch.
    pub(super) fn at<'d>(&self, definition: &'d Definition, branch: &str) -> Result<(&'d Step, u32, u32), Illegal> {
        if self.ending().is_some() {
            return Err(Illegal::Over);
        }
        let line = self.line(branch);
        let here = line.last().ok_or_else(|| Illegal::NoSuchBranch(branch.to_owned()))?;
        let place = here.place().ok_or(Illegal::Over)?;
        let step = definition.steps.get(place).filter(|step| here.circling(place, step).is_none());
        Ok((step.ok_or(Illegal::Over)?, here.visit(place), here.attempt()))
    }

    /// How the run ended, if it did so, or has to now.
    pub(super) fn ending(&self) -> Option<Ending> {
        if let Position::Ended(ending) = &self.trunk.position {
            return Some(ending.clone());
        }
        (self.steps >= RUN_LIMIT_STEPS).then(|| {
            let message =
                format!("The run has taken {RUN_LIMIT_STEPS} steps and was ended; it may be going in circles.");
            Ending::Failed(RunFailure::new("step_limit", message))
        })
    }

    /// What is tried again after a failure that the error cases answered so, and whether the run goes on as if there
    /// had been none.
    pub(super) fn after_failure(
        &self,
        attempt: u32,
        failure: &Failure,
        answer: Option<ErrorAction>,
    ) -> (Option<Retry>, bool) {
        let tries_again = attempt < attempts_limit(failure);
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

    pub(super) fn apply(&mut self, definition: &Definition, entry: &Entry, now: Timestamp) -> Result<(), Illegal> {
        let (step, visit, _) = self.at(definition, &entry.branch)?;
        if (entry.step.as_str(), entry.visit) != (step.id.as_str(), visit) {
            return Err(Illegal::OutOfOrder {
                found: entry.step.clone(),
                found_visit: entry.visit,
                expected: step.id.clone(),
                expected_visit: visit,
            });
        }
        self.keep(&entry.branch, &entry.step, &entry.outcome);
        self.follow(definition, entry, now)
    }

    pub(super) fn keep(&mut self, branch: &str, step: &str, outcome: &Outcome) {
        fork::keep(&mut self.trunk, branch, step, outcome);
    }

    /// Moves the run to where an entry that was made at `now` says it went.
    pub(super) fn follow(&mut self, definition: &Definition, entry: &Entry, now: Timestamp) -> Result<(), Illegal> {
        if !matches!(entry.outcome, Outcome::Pending(_)) {
            self.steps += 1;
        }
        if let Some(response) = response_of(entry) {
            self.response = Some(response.clone());
        }
        let retries = self.retries(entry);
        match fork::follow(&mut self.trunk, definition, entry, retries, now)? {
            Effect::None => {}
            Effect::End(ending) => self.trunk.position = Position::Ended(ending),
            Effect::BeginAgain => self.begin_again(definition, entry, now),
        }
        Ok(())
    }

    /// What the entry says is tried again. One that an earlier version wrote says only how its error case answered, and was
    /// tried again at once.
    fn retries(&self, entry: &Entry) -> Option<Retry> {
        let Outcome::Failed(failure) = &entry.outcome else { return None };
        let answer = entry.error_case.as_ref().and_then(|taken| taken.action);
        let by_answer = match answer {
            Some(ErrorAction::RetryAction | ErrorAction::RetryWorkflow) => {
                self.after_failure(entry.attempt, failure, answer).0
            }
            Some(ErrorAction::Continue | ErrorAction::StopProcessing) | None => None,
        };
        entry.retries.or(by_answer)
    }

    /// Forgets all but the trigger; visits go on counting, so that no idempotency key is used twice.
    fn begin_again(&mut self, definition: &Definition, entry: &Entry, now: Timestamp) {
        self.beginnings += 1;
        let opening = self.opening_position(definition);
        let trunk = &mut self.trunk;
        if let Position::In(place, Held::Fork(_)) = trunk.position {
            trunk.end_visit(place);
        }
        trunk.error = None;
        if let Value::Object(outputs) = &mut trunk.outputs {
            outputs.retain(|id, _| *id == definition.trigger.id);
        }
        (trunk.position, trunk.came_at, trunk.rests_until) = (opening, now, entry.resumes_at);
    }

    pub(super) fn opening_position(&self, definition: &Definition) -> Position {
        // The target was checked when the definition was parsed, or when the run was taken up.
        position_after(definition, &definition.trigger.id, &self.opening).unwrap_or(Position::Ended(Ending::Succeeded))
    }
}

/// Goes over the branch and all inside of it, in order.
fn for_each<'b>(branch: &'b Branch, see: &mut impl FnMut(&'b Branch)) {
    see(branch);
    if let Position::In(_, Held::Fork(fork)) = &branch.position {
        fork.branches().for_each(|inner| for_each(inner, see));
    }
}

fn is_ready(branch: &Branch, now: Timestamp) -> bool {
    match &branch.position {
        Position::At(_) => branch.rests_until.is_none_or(|until| until <= now),
        Position::In(_, Held::Wait(wait)) => wait.until <= now,
        Position::In(_, Held::Fork(fork)) => fork.is_over(),
        Position::In(_, Held::Call(_)) | Position::Ended(_) => false,
    }
}

fn branch_mut<'b>(branch: &'b mut Branch, path: &str) -> Option<&'b mut Branch> {
    if branch.path == path {
        return Some(branch);
    }
    match &mut branch.position {
        Position::In(_, Held::Fork(fork)) => branch_mut(fork.towards_mut(path)?, path),
        Position::In(_, Held::Wait(_) | Held::Call(_)) | Position::At(_) | Position::Ended(_) => None,
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
