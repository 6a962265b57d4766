//! Steps whose effect is outside: at least once, always under the same key, and never guessed.
//!
//! ```text
//! prepare ─→ write all that is pending and the intent, with a claim ─→ the effect ─→ its outcome, written at once
//! ```
//!
//! Steps of several branches go through it together: one write claims all, and one has all outcomes.
//!
//! Whoever finds an intent without an outcome waits while its claim lasts. After that nobody can say what happened,
//! and the step's own policy decides. *Why one write for the pending and the intent*: the write has the run's fence in
//! it, so an executor that was overtaken cannot claim anything, and an intent is there only if the store has all that
//! came before it; whoever still has something to write need not look for one.

use std::borrow::Cow;

use domain::Timestamp;
use engine::{journal::Outcome, run::Params};
use futures_util::future::join_all;

use super::{
    super::{CLAIM_PORT, Executor},
    Journey,
    app_action::AppAction,
};
use crate::{
    actions::{self, Actor, Headers, NotDone, NotPerformed, Occasion, OnUnknownOutcome, OutsideAction, Prepared},
    announce::Author,
    document::Versioned,
    ports::{Unavailable, WriteError},
    records::{Unit, Work},
    runs::{self, CLAIM_SECONDS, Intent, Standing},
};

/// A step outside that is next.
pub(super) struct OutsideStep {
    /// The branch it is in.
    pub(super) branch: String,
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

/// What is known of a step before it is claimed.
enum Look {
    /// It is to be performed.
    Ready(Approach, Prepared),
    /// It came to this without an effect.
    Settled(Outcome, u32, Timestamp),
}

impl OutsideStep {
    /// The step, told from the same one in other branches.
    fn instance(&self) -> Cow<'_, str> {
        actions::instance(&self.branch, &self.step)
    }

    /// Whether it takes files along.
    pub(super) fn takes_files(&self) -> bool {
        self.action.takes_files(&self.params.input)
    }
}

impl Executor {
    /// Performs `steps`, all at the same time, and records their outcomes in order. Gives what is to be written with them:
    /// `unit` where none of them had an effect, else an empty one, because what was pending is written then.
    ///
    /// *Errors*: [`WriteError`]; effects may have happened, which the intents tell whoever comes next.
    pub(super) async fn perform_outside<'u>(
        &'u self,
        journey: &mut Journey<'_>,
        unit: Unit<'u>,
        steps: Vec<OutsideStep>,
    ) -> Result<Unit<'u>, WriteError> {
        // Before all else: whoever waits here has claimed nothing yet, and looks at what is true after the wait. Declared
        // first, it is given back last, when what was prepared is out of memory.
        let _turn = match steps.iter().any(OutsideStep::takes_files) {
            true => Some(self.attaching.lock().await),
            false => None,
        };
        let is_all_written = journey.new.is_empty() && unit.change_count() == 0;
        let (mut ready, mut settled) = (Vec::new(), Vec::new());
        for step in steps {
            match self.look(journey, is_all_written, &step).await? {
                Look::Ready(found, prepared) => ready.push((step, found, prepared)),
                Look::Settled(outcome, tries, dated_at) => settled.push((step, outcome, tries, dated_at)),
            }
        }
        let unit = match ready.is_empty() {
            true => unit,
            false => {
                let intents = self.claim(journey, unit, &ready).await?;
                let performing = ready.into_iter().zip(intents).map(|((step, found, prepared), intent)| {
                    let journey = &*journey;
                    async move {
                        let tries = intent.value.tries;
                        let outcome = self.perform_claimed(journey, &step, &prepared, intent).await?;
                        Ok::<_, Unavailable>((step, outcome, tries, found.dated_at))
                    }
                });
                // Each is waited for: what one of them came to is not lost because another one is not known.
                let performed = join_all(performing).await;
                let mut unknown = None;
                for one in performed {
                    match one {
                        Ok(done) => settled.push(done),
                        Err(error) => unknown = unknown.or(Some(error)),
                    }
                }
                if let Some(error) = unknown {
                    return self.keep_known(journey, settled, error).await;
                }
                Unit::new(self.store.as_ref(), journey.transaction.org, self.world.now())
            }
        };
        self.record_all(journey, settled)?;
        Ok(unit)
    }

    /// Writes what is known of the steps that were performed beside one whose outcome is not, and gives its error.
    async fn keep_known<'u>(
        &'u self,
        journey: &mut Journey<'_>,
        settled: Vec<(OutsideStep, Outcome, u32, Timestamp)>,
        error: Unavailable,
    ) -> Result<Unit<'u>, WriteError> {
        if !settled.is_empty() {
            self.record_all(journey, settled)?;
            self.write(journey, Work::default(), Vec::new()).await?;
        }
        Err(error.into())
    }

    fn record_all(
        &self,
        journey: &mut Journey<'_>,
        mut settled: Vec<(OutsideStep, Outcome, u32, Timestamp)>,
    ) -> Result<(), Unavailable> {
        // The failure of one branch may be the end of those beside it, whose outcomes are kept before.
        settled.sort_by_key(|(_, outcome, ..)| matches!(outcome, Outcome::Failed(_)));
        for (step, outcome, tries, started_at) in settled {
            let times = (started_at, self.world.now());
            if journey.progress.came_at(&step.branch).is_none() {
                tracing::info!(run.id = %journey.run.id, step.branch, "a branch ended while a step of it was performed");
                continue;
            }
            journey.record(&step.branch, (step.params.given(), outcome), tries, times, self.world.as_ref())?;
        }
        Ok(())
    }

    /// Looks whether somebody has been at the step before, and prepares it.
    async fn look(&self, journey: &Journey<'_>, is_all_written: bool, step: &OutsideStep) -> Result<Look, WriteError> {
        let found = self.approach(journey, is_all_written, step).await?;
        let prepared = match self.prepare(journey, step, found.dated_at).await {
            Ok(prepared) => prepared,
            Err(not_done) => {
                let failure = not_done.into_failure()?;
                let tries = found.attempt.max(found.tries() + 1);
                return Ok(Look::Settled(Outcome::Failed(failure), tries, found.dated_at));
            }
        };
        if found.standing == Standing::Unknown && prepared.on_unknown_outcome() == OnUnknownOutcome::Fail {
            let outcome = Outcome::Failed(prepared.unknown_outcome());
            return Ok(Look::Settled(outcome, found.tries(), found.dated_at));
        }
        Ok(Look::Ready(found, prepared))
    }

    /// Looks whether somebody has been at the visit before.
    ///
    /// *Errors*: [`Unavailable`], also while somebody else has the claim.
    async fn approach(
        &self,
        journey: &Journey<'_>,
        is_all_written: bool,
        step: &OutsideStep,
    ) -> Result<Approach, Unavailable> {
        let now = self.world.now();
        let attempt = 1 + journey.attempts_so_far(&step.branch);
        let earlier = match is_all_written {
            true => runs::find_intent(self.store.as_ref(), &journey.run, &step.instance(), step.visit).await?,
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

    async fn prepare(
        &self,
        journey: &Journey<'_>,
        step: &OutsideStep,
        dated_at: Timestamp,
    ) -> Result<Prepared, NotDone> {
        let author = Author::step(journey.transaction, journey.run.id);
        let actor =
            Actor { run: journey.run.id, branch: &step.branch, step: &step.step, visit: step.visit, author: &author };
        let occasion = Occasion { actor, transaction: journey.transaction, dated_at };
        if let Some(app) = &step.app {
            let request =
                app.request(journey.at(&step.branch, &step.step, step.visit), &step.params).map_err(NotDone::Failed)?;
            let headers = if app.writes_headers() { Headers::Written } else { Headers::OfStep(&journey.definition) };
            return step.action.prepare(&self.ways, occasion, headers, &request).await;
        }
        step.action.prepare(&self.ways, occasion, Headers::OfStep(&journey.definition), &step.params).await
    }

    /// Writes all that is pending, and with it the claims on the steps.
    ///
    /// *Errors*: a conflict where the run has moved on, or somebody else has a claim.
    async fn claim(
        &self,
        journey: &mut Journey<'_>,
        unit: Unit<'_>,
        ready: &[(OutsideStep, Approach, Prepared)],
    ) -> Result<Vec<Versioned<Intent>>, WriteError> {
        let (mut claims, mut changes) = (Vec::with_capacity(ready.len()), Vec::with_capacity(ready.len()));
        for (step, Approach { attempt, earlier, .. }, _) in ready {
            let rev = earlier.as_ref().map(|earlier| earlier.rev);
            let value = Intent::claim(earlier.as_ref().map(|earlier| &earlier.value), *attempt, self.world.now());
            changes.push(runs::intent_change(&journey.run, &step.instance(), step.visit, &value, rev)?);
            claims.push(Versioned { rev: rev.unwrap_or_default() + 1, value });
        }
        self.write(journey, unit.into_work(), changes).await?;
        Ok(claims)
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
                Some(app) => match app.output(journey.at(&step.branch, &step.step, step.visit), output) {
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
                runs::release_intent(store, &journey.run, &step.instance(), step.visit, intent).await?;
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
