//! Going on in every branch of a run in which something can be done, until there is something to write.

use engine::{
    journal::Outcome,
    run::{Decision, Ending, Given, Params},
};

use serde_json::Value;

use super::{Journey, WRITE_BYTES, WRITE_STEPS, callee, outside::OutsideStep, perform, scheduling, unknown_action};
use crate::{
    actions::{Action, Actor, OutsideAction, RecordAction},
    announce::Author,
    execute::Executor,
    ports::{Unavailable, WRITE_LIMIT_CHANGES},
    records::Unit,
};

/// How many changes of one write are enough.
const WRITE_RECORDS: usize = 50;

/// How many there may be at most: with the run's head, its journal, its timer, its line and an intent they stay under the store's limit.
/// A step that would pass it is done in a write of its own; none needs as many alone.
const WRITE_RECORDS_LIMIT: usize = WRITE_LIMIT_CHANGES - 7;

/// How many steps outside are performed at the same time. *Why*: their intents are written at once.
const OUTSIDE_LIMIT: usize = 40;

/// Why there is something to write.
pub(super) enum Pause {
    /// It is enough for one write.
    Full,
    /// The run is at its end.
    Ended(Ending),
    /// These steps outside are next, each of another branch.
    Outside(Vec<OutsideStep>),
    /// Nothing can be done now.
    Waiting,
}

/// What is to be done about a step.
enum Done {
    /// It came to this, at the so manieth attempt.
    Settled(Given, Outcome, u32),
    /// Nothing: the run that this one replays has done it, and it left this.
    Kept(Given, Value),
    /// It is one outside.
    Outside(OutsideStep),
    /// There is no room for it in this write.
    NoRoom,
    /// The run is over.
    Ended(Ending),
}

impl Executor {
    /// Performs steps on the unit until the run ends, comes to steps outside, waits, or there is enough to write.
    pub(super) async fn advance(&self, journey: &mut Journey<'_>, unit: &mut Unit<'_>) -> Result<Pause, Unavailable> {
        let mut bytes = 0;
        let mut outside: Vec<OutsideStep> = Vec::new();
        while outside.len() < OUTSIDE_LIMIT {
            if unit.change_count() >= WRITE_RECORDS || journey.new.len() >= WRITE_STEPS || bytes >= WRITE_BYTES {
                return Ok(Pause::Full);
            }
            let started_at = self.world.now();
            let Some(branch) = journey.ready(started_at, &outside) else { break };
            match self.take_step(journey, unit, &branch).await? {
                Done::Ended(ending) => return Ok(Pause::Ended(ending)),
                Done::NoRoom => return Ok(Pause::Full),
                // A step that takes files along goes alone, because of the memory it needs.
                Done::Outside(step) if step.takes_files() && !outside.is_empty() => break,
                Done::Outside(step) => {
                    let is_alone = step.takes_files();
                    outside.push(step);
                    if is_alone {
                        break;
                    }
                }
                Done::Kept(given, output) => {
                    let times = (started_at, self.world.now());
                    let came = (given, Outcome::Output(output));
                    bytes += journey.record(&branch, came, 1, times, self.world.as_ref())?;
                    journey.new.iter_mut().last().into_iter().for_each(|new| new.is_kept = true);
                }
                Done::Settled(given, outcome, attempts) => {
                    let times = (started_at, self.world.now());
                    bytes += journey.record(&branch, (given, outcome), attempts, times, self.world.as_ref())?;
                }
            }
        }
        Ok(if outside.is_empty() { Pause::Waiting } else { Pause::Outside(outside) })
    }

    async fn take_step(
        &self,
        journey: &mut Journey<'_>,
        unit: &mut Unit<'_>,
        branch: &str,
    ) -> Result<Done, Unavailable> {
        match journey.next(branch) {
            Decision::Finished(ending) => Ok(Done::Ended(ending)),
            Decision::Settled { given, outcome, .. } => Ok(Done::Settled(given, outcome, 1)),
            Decision::Waiting => {
                let outcome = self.end_wait(journey, unit, branch).await?.ok_or_else(|| unexpected(branch))?;
                Ok(Done::Settled(Given::default(), outcome, 1))
            }
            Decision::Perform { step, visit, action, params } => {
                self.take_action(journey, unit, (branch, step, visit), &action, params).await
            }
        }
    }

    async fn take_action(
        &self,
        journey: &mut Journey<'_>,
        unit: &mut Unit<'_>,
        (branch, step, visit): (&str, String, u32),
        name: &str,
        params: Params,
    ) -> Result<Done, Unavailable> {
        if let Some(output) = journey.kept.find((branch, &step, visit), name).cloned() {
            return Ok(Done::Kept(params.given(), output));
        }
        let attempts = 1 + journey.attempts_so_far(branch);
        let outside = |step, action, app, params| {
            Done::Outside(OutsideStep { branch: branch.to_owned(), step, visit, action, app, params })
        };
        if callee::is_call(name) {
            let at = callee::Visit { branch, step: &step, visit };
            let outcome = self.call_workflow(journey, unit, at, name, &params).await?;
            return Ok(Done::Settled(params.given(), outcome, attempts));
        }
        if scheduling::is_schedule(name) {
            let at = callee::Visit { branch, step: &step, visit };
            let outcome = self.schedule_workflow(journey, unit, at, &params).await?;
            return Ok(Done::Settled(params.given(), outcome, attempts));
        }
        match Action::parse(name) {
            Some(Action::Outside(action)) => Ok(outside(step, action, None, params)),
            Some(Action::Record(action)) => {
                let author = Author::step(journey.transaction, journey.run.id);
                let actor = Actor { run: journey.run.id, branch, step: &step, visit, author: &author };
                let outcome = self.perform_on(unit, action, actor, &params).await?;
                Ok(outcome.map_or(Done::NoRoom, |outcome| Done::Settled(params.given(), outcome, attempts)))
            }
            Some(Action::Flow) => Ok(Done::Settled(params.given(), Outcome::Failed(unknown_action(name)), attempts)),
            None => match self.app_action(journey, &step, name).await? {
                Ok(app) => Ok(outside(step, OutsideAction::RestJson, Some(app), params)),
                Err(failure) => Ok(Done::Settled(params.given(), Outcome::Failed(failure), attempts)),
            },
        }
    }

    /// Performs an action on our own records; nothing where it does not fit into this write.
    async fn perform_on(
        &self,
        unit: &mut Unit<'_>,
        action: RecordAction,
        actor: Actor<'_>,
        params: &Params,
    ) -> Result<Option<Outcome>, Unavailable> {
        let before = (unit.change_count(), unit.mark());
        let outcome = perform(action, unit, actor, &params.input).await?;
        if unit.change_count() > WRITE_RECORDS_LIMIT && before.0 > 0 {
            unit.undo_to(before.1);
            return Ok(None);
        }
        Ok(Some(outcome))
    }
}

fn unexpected(branch: &str) -> Unavailable {
    Unavailable { port: "engine", cause: format!("the branch \"{branch}\" was ready and has nothing to do") }
}
