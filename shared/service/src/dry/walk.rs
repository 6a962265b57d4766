//! The walk itself.

use std::collections::BTreeSet;

use domain::{Failure, Timestamp};
use engine::{
    Surroundings,
    journal::Outcome,
    run::{self, Decision as Next, Given, Illegal, Params, Progress, WaitsFor},
};
use serde_json::json;

use super::{Decision, Purpose, Source, Stop, WALK_LIMIT_STEPS, Walk, Walked, recorded::Visit};
use crate::{
    actions::{self, Action, Actor},
    announce::Author,
    ports::Unavailable,
    records::Unit,
};

/// When all waits are over.
const FAR: Timestamp = Timestamp::from_millisecond(253_370_764_800_000);

/// What is known of what a step comes to.
enum Came {
    To(Source, Outcome, Option<Timestamp>),
    Unknown(Source),
}

/// How far the walk has come.
struct Way<'w, 'a> {
    walk: &'w Walk<'a>,
    progress: Progress,
    seed: String,
    clock: Timestamp,
    /// Steps whose output nobody knows, by branch.
    unknown: BTreeSet<(String, String)>,
    stopped: BTreeSet<String>,
    walked: Walked,
}

/// Walks through `walk`.
///
/// *Errors*: [`Unavailable`]; its journal was followed before.
pub(crate) async fn walk(walk: &Walk<'_>) -> Result<Walked, Unavailable> {
    let seed = walk.run.to_string();
    let surroundings = Surroundings { setup: walk.setup, now: walk.now, seed: &seed };
    let output = walk.trigger_output.clone();
    let (progress, is_start) = match walk.entries.is_empty() {
        true => (run::start(walk.definition, output, &surroundings), true),
        false => {
            let entries = walk.entries.iter().map(|(entry, at)| (entry, *at));
            (run::replay(walk.definition, output, entries, &surroundings).map_err(illegal)?, false)
        }
    };
    let opening = progress.trigger_entry(walk.definition).transition.filter(|_| is_start);
    let trigger = walk.definition.trigger().id().to_owned();
    let walked = Walked { opening, trigger, decisions: Vec::new(), ending: None, stops: Vec::new() };
    let (unknown, stopped) = (BTreeSet::new(), BTreeSet::new());
    let mut way = Way { walk, progress, seed, clock: walk.now, unknown, stopped, walked };
    while way.step().await? {}
    Ok(way.walked)
}

fn illegal(illegal: Illegal) -> Unavailable {
    Unavailable { port: "engine", cause: illegal.to_string() }
}

impl Way<'_, '_> {
    /// Takes one step; `false` at the end.
    async fn step(&mut self) -> Result<bool, Unavailable> {
        let Some(branch) = self.ready() else { return Ok(false) };
        let came_at = self.progress.came_at(&branch).unwrap_or(self.clock);
        let next = run::next(self.walk.definition, &self.progress, &branch, &self.surroundings(came_at));
        if self.walked.decisions.len() >= WALK_LIMIT_STEPS && !matches!(next, Next::Finished(_)) {
            let why = format!("A dry run takes at most {WALK_LIMIT_STEPS} steps.");
            self.walked.stops.push(Stop { branch, step: String::new(), why });
            return Ok(false);
        }
        match next {
            Next::Finished(ending) => {
                self.walked.ending = Some(ending);
                return Ok(false);
            }
            Next::Waiting => self.wait(&branch)?,
            Next::Settled { step, visit, given, outcome } => self.settle(&branch, (step, visit), given, outcome)?,
            Next::Perform { step, visit, action, params } => {
                self.perform(&branch, (step, visit), &action, params).await?;
            }
        }
        Ok(true)
    }

    /// The first branch in which something can be done: one that waits only where no other is left.
    fn ready(&self) -> Option<String> {
        let first = |at| self.progress.ready(at).into_iter().find(|branch| !self.stopped.contains(*branch));
        first(self.clock).or_else(|| first(FAR)).map(str::to_owned)
    }

    fn surroundings(&self, now: Timestamp) -> Surroundings<'_> {
        Surroundings { setup: self.walk.setup, now, seed: &self.seed }
    }

    /// The steps of unknown output that are seen from `branch`.
    fn unknown_from(&self, branch: &str) -> BTreeSet<String> {
        let is_seen = |around: &str| {
            around.is_empty()
                || branch.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.unknown.iter().filter(|(around, _)| is_seen(around)).map(|(_, step)| step.clone()).collect()
    }

    fn unknown_params(&self, branch: &str, step: &str) -> Vec<String> {
        let unknown = self.unknown_from(branch);
        let read = self.walk.definition.step(step).map(|step| step.params_read());
        read.map_or_else(Vec::new, |read| read.among(&unknown).into_iter().map(str::to_owned).collect())
    }

    fn wait(&mut self, branch: &str) -> Result<(), Unavailable> {
        let waiting = self.progress.waiting(self.walk.definition);
        let Some(waiting) = waiting.into_iter().find(|waiting| waiting.branch == branch) else {
            self.stopped.insert(branch.to_owned());
            return Ok(());
        };
        let (step, visit) = (waiting.step.to_owned(), waiting.visit);
        let at = Visit { branch, step: &step, visit };
        let recorded = self.walk.recorded.output(at, "flow.wait").map(|(output, at)| (output.clone(), at));
        let until = match waiting.for_what {
            WaitsFor::Wait(wait) if wait.answer.is_none() && wait.event.is_none() => Some(wait.until),
            WaitsFor::Wait(_) | WaitsFor::Call(_) => None,
        };
        let outcome = match (recorded, until) {
            (Some((output, at)), _) if self.walk.purpose == Purpose::Compare => {
                Some((Source::Recorded, Outcome::Output(output), at))
            }
            (_, Some(until)) => run::waited(&self.progress, branch).map(|outcome| (Source::WorkedOut, outcome, until)),
            (_, None) => None,
        };
        let Some((source, outcome, at)) = outcome else {
            let why = "The run would wait for an answer or an event, and nobody knows which.".to_owned();
            self.stop(branch, &step, why);
            return Ok(());
        };
        self.clock = self.clock.max(at);
        self.go_on(branch, (step, visit), Given::default(), source, outcome)
    }

    fn settle(
        &mut self,
        branch: &str,
        (step, visit): (String, u32),
        given: Given,
        outcome: Outcome,
    ) -> Result<(), Unavailable> {
        // A loop is settled twice: as it begins, by its params; and as it ends, by its branches.
        let is_end = given.input.is_none();
        let unknown = if is_end { Vec::new() } else { self.unknown_params(branch, &step) };
        if !unknown.is_empty() {
            let why = format!("What it is given depends on what {} would leave.", listed(&unknown));
            self.stop(branch, &step, why);
            return Ok(());
        }
        let outer = if branch.is_empty() { String::new() } else { format!("{branch}/") };
        let inner = format!("{outer}{step}#{visit}");
        let of_branches = |around: &str| {
            around.strip_prefix(inner.as_str()).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('~'))
        };
        let is_made_of_unknown = is_end && self.unknown.iter().any(|(around, _)| of_branches(around));
        let source = if is_made_of_unknown { Source::Unknown } else { Source::WorkedOut };
        self.go_on(branch, (step, visit), given, source, outcome)
    }

    async fn perform(
        &mut self,
        branch: &str,
        (step, visit): (String, u32),
        action: &str,
        params: Params,
    ) -> Result<(), Unavailable> {
        let unknown = self.unknown_params(branch, &step);
        let at = Visit { branch, step: &step, visit };
        let came = match actions::has_effect(action) {
            true => self.effect(at, action),
            false if !unknown.is_empty() => Came::Unknown(Source::Unknown),
            false => self.work_out(at, action, &params).await?,
        };
        let (source, outcome) = match came {
            Came::To(source, outcome, at) => {
                self.clock = self.clock.max(at.unwrap_or(self.clock));
                (source, outcome)
            }
            Came::Unknown(source) => (source, Outcome::Output(json!({}))),
        };
        self.go_on(branch, (step, visit), params.given(), source, outcome)?;
        if let Some(decision) = self.walked.decisions.last_mut() {
            decision.unknown_in_input = unknown;
        }
        Ok(())
    }

    fn effect(&self, at: Visit<'_>, action: &str) -> Came {
        let recorded = self.walk.recorded;
        let finished = recorded.output(at, action).map(|(output, at)| (Outcome::Output(output.clone()), at));
        match self.walk.purpose {
            Purpose::Compare => {
                let attempt = self.progress.attempt(at.branch);
                let came = recorded.attempt(at, attempt, action).map(|(outcome, at)| (outcome.clone(), at));
                came.map_or(Came::Unknown(Source::WouldBePerformed), |(outcome, at)| {
                    Came::To(Source::Recorded, outcome, Some(at))
                })
            }
            Purpose::Keep => finished.map_or(Came::Unknown(Source::WouldBePerformed), |(outcome, _)| {
                Came::To(Source::Recorded, outcome, None)
            }),
            Purpose::Repeat => finished.map_or(Came::Unknown(Source::WouldBePerformed), |(outcome, _)| {
                Came::To(Source::Assumed, outcome, None)
            }),
        }
    }

    /// What comes of an action without an effect.
    async fn work_out(&self, at: Visit<'_>, action: &str, params: &Params) -> Result<Came, Unavailable> {
        let recorded = self.walk.recorded;
        let is_same = recorded.input(at) == Some(params.shown());
        if self.walk.purpose == Purpose::Compare
            && is_same
            && let Some((outcome, ended_at)) = recorded.attempt(at, self.progress.attempt(at.branch), action)
        {
            return Ok(Came::To(Source::Recorded, outcome.clone(), Some(ended_at)));
        }
        let Some(Action::Record(action)) = Action::parse(action) else {
            let message = format!("This program does not know the action `{action}`.");
            let failed = Outcome::Failed(Failure::new("unknown_action", message));
            return Ok(Came::To(Source::WorkedOut, failed, None));
        };
        let Walk { store, org, transaction, run, .. } = *self.walk;
        let mut unit = Unit::new(store, org, self.clock);
        let author = Author::step(transaction, run);
        let actor = Actor { run, branch: at.branch, step: at.step, visit: at.visit, author: &author };
        // The unit is thrown away: the action only reads.
        let outcome = match action.perform(&mut unit, actor, &params.input).await {
            Ok(output) => Outcome::Output(output),
            Err(not_done) => Outcome::Failed(not_done.into_failure()?),
        };
        Ok(Came::To(Source::Read, outcome, None))
    }

    /// Records what the step comes to, unless where it goes from there depends on what nobody knows.
    fn go_on(
        &mut self,
        branch: &str,
        (step, visit): (String, u32),
        given: Given,
        source: Source,
        outcome: Outcome,
    ) -> Result<(), Unavailable> {
        let place = (branch.to_owned(), step.clone());
        match source {
            Source::WouldBePerformed | Source::Unknown => self.unknown.insert(place),
            Source::Recorded | Source::WorkedOut | Source::Read | Source::Assumed => self.unknown.remove(&place),
        };
        let action = self.walk.definition.step(&step).and_then(|step| step.action()).map(str::to_owned);
        let mut decision = Decision {
            step: step.clone(),
            branch: branch.to_owned(),
            visit,
            attempt: self.progress.attempt(branch),
            action,
            input: given.input.clone(),
            unknown_in_input: Vec::new(),
            source,
            output: None,
            failure: None,
            is_tried_again: false,
            transition: None,
        };
        match &outcome {
            Outcome::Output(output) if !self.unknown.contains(&(branch.to_owned(), step.clone())) => {
                decision.output = Some(output.clone()).filter(|output| !output.is_null());
            }
            Outcome::Failed(failure) => decision.failure = Some(failure.clone()),
            Outcome::Stopped(stop) => decision.failure.clone_from(&stop.failure),
            Outcome::Output(_) | Outcome::Pending(_) => {}
        }
        let unknown = self.unknown_from(branch);
        let read = self.walk.definition.step(&step).map(|step| step.transitions_read());
        let missing: Vec<String> =
            read.map_or_else(Vec::new, |read| read.among(&unknown).into_iter().map(str::to_owned).collect());
        if !missing.is_empty() && matches!(outcome, Outcome::Output(_)) {
            self.walked.decisions.push(decision);
            let why = format!("Which way it goes from there depends on what {} would leave.", listed(&missing));
            self.stop(branch, &step, why);
            return Ok(());
        }
        let seed = self.seed.clone();
        let surroundings = Surroundings { setup: self.walk.setup, now: self.clock, seed: &seed };
        let is_begun = matches!(outcome, Outcome::Pending(_));
        let entry = run::record(self.walk.definition, &mut self.progress, branch, given, outcome, &surroundings)
            .map_err(illegal)?;
        // What a step that has only begun comes to is told when it ends.
        if !is_begun {
            decision.is_tried_again = entry.retries.is_some();
            decision.transition = entry.transition;
            self.walked.decisions.push(decision);
        }
        Ok(())
    }

    fn stop(&mut self, branch: &str, step: &str, why: String) {
        self.stopped.insert(branch.to_owned());
        self.walked.stops.push(Stop { branch: branch.to_owned(), step: step.to_owned(), why });
    }
}

fn listed(steps: &[String]) -> String {
    steps.iter().map(|step| format!("\"{step}\"")).collect::<Vec<_>>().join(", ")
}
