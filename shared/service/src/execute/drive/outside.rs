//! Steps whose effect is outside: at least once, always under the same key, and never guessed.
//!
//! ```text
//! prepare ─→ write all that is pending and the intent, with a claim ─→ the effect ─→ its outcome, written at once
//! ```
//!
//! Whoever finds an intent without an outcome waits while its claim lasts. After that nobody can say what happened,
//! and the step's own policy decides. *Why one write for the pending and the intent*: the write has the run's fence in
//! it, so an executor that was overtaken cannot claim anything, and an intent is there only if the store has all that
//! came before it; whoever still has something to write need not look for one.

use domain::Timestamp;
use engine::{journal::Outcome, run::Params};

use super::{
    super::{CLAIM_PORT, Executor},
    Journey,
    app_action::AppAction,
};
use crate::{
    actions::{Actor, Headers, NotDone, NotPerformed, Occasion, OnUnknownOutcome, OutsideAction, Prepared},
    announce::Author,
    document::Versioned,
    ports::{Unavailable, WriteError},
    records::Unit,
    runs::{self, CLAIM_SECONDS, Intent, Standing},
};

/// A step outside that is next.
pub(super) struct OutsideStep {
    pub(super) step: String,
    pub(super) visit: u32,
    pub(super) action: OutsideAction,
    /// Whose action it is, where it is none of ours.
    pub(super) app: Option<AppAction>,
    pub(super) params: Params,
}

/// A visit as it was come to.
struct Approach {
    /// Which entry of the visit its outcome will be, from 1.
    attempt: u32,
    earlier: Option<Versioned<Intent>>,
    standing: Standing,
    /// When the visit was first claimed, or now.
    dated_at: Timestamp,
}

impl Approach {
    /// How often the visit was tried before.
    fn tries(&self) -> u32 {
        self.earlier.as_ref().map_or(0, |earlier| earlier.value.tries)
    }
}

impl Executor {
    /// Performs `step` and records its outcome. Gives what is to be written with it: `unit` where the step came to its
    /// outcome without an effect, else an empty one, because what was pending is written then.
    ///
    /// *Errors*: [`WriteError`]; the effect may have happened, which the intent tells whoever comes next.
    pub(super) async fn perform_outside<'u>(
        &'u self,
        journey: &mut Journey<'_>,
        unit: Unit<'u>,
        step: OutsideStep,
    ) -> Result<Unit<'u>, WriteError> {
        // Before all else: whoever waits here has claimed nothing yet, and looks at what is true after the wait. Declared
        // first, it is given back last, when what was prepared is out of memory.
        let _turn = match step.action.takes_files(&step.params.input) {
            true => Some(self.attaching.lock().await),
            false => None,
        };
        let found = self.approach(journey, &unit, &step).await?;
        let prepared = match self.prepare(journey, &step, found.dated_at).await {
            Ok(prepared) => prepared,
            Err(not_done) => {
                let failure = not_done.into_failure()?;
                let tries = found.attempt.max(found.tries() + 1);
                self.record(journey, step, Outcome::Failed(failure), tries, found.dated_at)?;
                return Ok(unit);
            }
        };
        if found.standing == Standing::Unknown && prepared.on_unknown_outcome() == OnUnknownOutcome::Fail {
            let (outcome, tries) = (Outcome::Failed(prepared.unknown_outcome()), found.tries());
            self.record(journey, step, outcome, tries, found.dated_at)?;
            return Ok(unit);
        }
        let dated_at = found.dated_at;
        let intent = self.claim(journey, unit, &step, found).await?;
        let tries = intent.value.tries;
        let outcome = self.perform_claimed(journey, &step, &prepared, intent).await?;
        self.record(journey, step, outcome, tries, dated_at)?;
        Ok(Unit::new(self.store.as_ref(), journey.transaction.org, self.world.now()))
    }

    /// Looks whether somebody has been at the visit before.
    ///
    /// *Errors*: [`Unavailable`], also while somebody else has the claim.
    async fn approach(
        &self,
        journey: &Journey<'_>,
        unit: &Unit<'_>,
        step: &OutsideStep,
    ) -> Result<Approach, Unavailable> {
        let now = self.world.now();
        let attempt = 1 + journey.attempts_so_far(&step.step, step.visit);
        let is_all_written = journey.new.is_empty() && unit.change_count() == 0;
        let earlier = match is_all_written {
            true => runs::find_intent(self.store.as_ref(), &journey.run, &step.step, step.visit).await?,
            false => None,
        };
        let standing = earlier.as_ref().map_or(Standing::Free, |earlier| earlier.value.standing(attempt, now));
        match standing {
            Standing::Free => {}
            Standing::Claimed => return Err(claimed(journey, step)),
            Standing::Unknown => tracing::warn!(
                run.id = %journey.run.id,
                step.id = step.step,
                visit = step.visit,
                "the outcome of a step is unknown; its policy decides",
            ),
        }
        let dated_at = earlier.as_ref().map_or(now, |earlier| earlier.value.started_at);
        Ok(Approach { attempt, earlier, standing, dated_at })
    }

    fn record(
        &self,
        journey: &mut Journey<'_>,
        step: OutsideStep,
        outcome: Outcome,
        tries: u32,
        started_at: Timestamp,
    ) -> Result<(), Unavailable> {
        journey.record(step.params.given(), outcome, tries, (started_at, self.world.now())).map(|_bytes| ())
    }

    async fn prepare(
        &self,
        journey: &Journey<'_>,
        step: &OutsideStep,
        dated_at: Timestamp,
    ) -> Result<Prepared, NotDone> {
        let author = Author::step(journey.transaction, journey.run.id);
        let actor = Actor { run: journey.run.id, step: &step.step, visit: step.visit, author: &author };
        let occasion = Occasion { actor, transaction: journey.transaction, dated_at };
        if let Some(app) = &step.app {
            let request = app.request(journey.at(&step.step, step.visit), &step.params).map_err(NotDone::Failed)?;
            let headers = if app.writes_headers() { Headers::Written } else { Headers::OfStep(&journey.definition) };
            return step.action.prepare(&self.ways, occasion, headers, &request).await;
        }
        step.action.prepare(&self.ways, occasion, Headers::OfStep(&journey.definition), &step.params).await
    }

    /// Writes all that is pending, and with it the claim on the step.
    ///
    /// *Errors*: a conflict where the run has moved on, or somebody else has the claim.
    async fn claim(
        &self,
        journey: &mut Journey<'_>,
        unit: Unit<'_>,
        step: &OutsideStep,
        found: Approach,
    ) -> Result<Versioned<Intent>, WriteError> {
        let Approach { attempt, earlier, .. } = found;
        let rev = earlier.as_ref().map(|earlier| earlier.rev);
        let value = Intent::claim(earlier.as_ref().map(|earlier| &earlier.value), attempt, self.world.now());
        let intent = runs::intent_change(&journey.run, &step.step, step.visit, &value, rev)?;
        self.write(journey, unit.into_work(), Some(intent)).await?;
        Ok(Versioned { rev: rev.unwrap_or_default() + 1, value })
    }

    /// Performs what was prepared under the claim `intent`.
    ///
    /// Where it certainly was not done, the claim is given back.
    ///
    /// *Errors*: [`Unavailable`]; it may have been done, and the claim stays.
    async fn perform_claimed(
        &self,
        journey: &Journey<'_>,
        step: &OutsideStep,
        prepared: &Prepared,
        intent: Versioned<Intent>,
    ) -> Result<Outcome, Unavailable> {
        match prepared.perform().await {
            Ok(output) => Ok(match &step.app {
                None => Outcome::Output(output),
                Some(app) => match app.output(journey.at(&step.step, step.visit), output) {
                    Ok(output) => Outcome::Output(output),
                    Err(failure) => Outcome::Failed(failure),
                },
            }),
            Err(NotPerformed::Failed(failure)) => Ok(Outcome::Failed(failure)),
            Err(NotPerformed::Unknown(error)) => Err(error),
            Err(NotPerformed::Interrupted(failure, error)) => {
                warn_of(journey, step, &error);
                Ok(Outcome::Failed(failure))
            }
            Err(NotPerformed::NotDone(failure, error)) => {
                let store = self.store.as_ref();
                runs::release_intent(store, &journey.run, &step.step, step.visit, intent).await?;
                warn_of(journey, step, &error);
                Ok(Outcome::Failed(failure))
            }
        }
    }
}

fn warn_of(journey: &Journey<'_>, step: &OutsideStep, error: &Unavailable) {
    // A cause may name a host, and a host may be made of a variable.
    let cause = journey.setup.mask_text(&error.to_string());
    tracing::warn!(run.id = %journey.run.id, step.id = step.step, cause, "a step outside was not done, or not answered");
}

fn claimed(journey: &Journey<'_>, step: &OutsideStep) -> Unavailable {
    let OutsideStep { step, visit, .. } = step;
    let run = journey.run.id;
    let cause = format!(
        "visit {visit} of step {step} of run {run} is claimed by another attempt, for {CLAIM_SECONDS} s at most"
    );
    Unavailable { port: CLAIM_PORT, cause }
}
