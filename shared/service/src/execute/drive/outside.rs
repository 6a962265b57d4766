//! Steps whose effect is outside: at least once, always under the same key, and never guessed.
//!
//! ```text
//! prepare ─→ write all that is pending and the intent, with a claim ─→ the effect ─→ its outcome, written at once
//! ```
//!
//! Steps of several branches go through it together: one write claims all, and one has all outcomes.
//!
//! Whoever finds an intent without an outcome waits while its claim lasts. After that nobody can say what happened,
//! and the step's own policy decides; a person may have to ([`unknown`](super::unknown)). *Why one write for the pending and the intent*: the write has the run's fence in
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
    unknown::{self, Asked, Said},
};
use crate::{
    actions::{self, Actor, Headers, NotDone, NotPerformed, Occasion, OnUnknownOutcome, OutsideAction, Prepared},
    announce::Author,
    document::Versioned,
    ports::{Unavailable, WriteError},
    records::{Unit, Work},
    runs::{self, Answered, CLAIM_SECONDS, Intent, Standing},
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
    /// Who said that it has not been done.
    answered: Option<Answered>,
}

impl Settled {
    fn unasked(outcome: Outcome, tries: u32, started_at: Timestamp) -> Self {
        Self { outcome, tries, started_at, answered: None }
    }
}

impl Approach {
    /// Takes it for one that has not been done, because somebody says so.
    fn take_back(&mut self, answered: Answered) {
        (self.standing, self.answered) = (Standing::Free, Some(answered));
    }

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
    Settled(Settled),
    /// A person has to say what came of it.
    Unknown(Asked),
}

/// What came of a step.
struct Settled {
    outcome: Outcome,
    tries: u32,
    started_at: Timestamp,
    /// Who said so, where nobody knew.
    answered: Option<Answered>,
}

/// What comes of a step that is performed under a claim.
enum Performed {
    Settled(Settled),
    Unknown(Asked),
}

impl OutsideStep {
    /// The step, told from the same one in other branches.
    pub(super) fn instance(&self) -> Cow<'_, str> {
        actions::instance(&self.branch, &self.step)
    }

    /// Whether it takes files along.
    pub(super) fn takes_files(&self) -> bool {
        self.action.takes_files(&self.params.input)
    }
}

impl Executor {
    /// Performs `steps`, all at the same time, and records their outcomes in order. Gives what is to be written with them:
    /// `unit` where none of them had an effect, else an empty one, because what was pending is written then; and for which of
    /// them a person has to be asked.
    ///
    /// *Errors*: [`WriteError`]; effects may have happened, which the intents tell whoever comes next.
    pub(super) async fn perform_outside<'u>(
        &'u self,
        journey: &mut Journey<'_>,
        unit: Unit<'u>,
        steps: Vec<OutsideStep>,
    ) -> Result<(Unit<'u>, Vec<Asked>), WriteError> {
        // Before all else: whoever waits here has claimed nothing yet, and looks at what is true after the wait. Declared
        // first, it is given back last, when what was prepared is out of memory.
        let _turn = match steps.iter().any(OutsideStep::takes_files) {
            true => Some(self.attaching.lock().await),
            false => None,
        };
        let is_all_written = journey.new.is_empty() && unit.change_count() == 0;
        let (mut ready, mut settled, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps {
            match self.look(journey, is_all_written, &step).await? {
                Look::Ready(found, prepared) => ready.push((step, found, prepared)),
                Look::Settled(came) => settled.push((step, came)),
                Look::Unknown(asked) => unknown.push(asked),
            }
        }
        let unit = match ready.is_empty() {
            true => unit,
            false => {
                let intents = self.claim(journey, unit, &ready).await?;
                let performing = ready.into_iter().zip(intents).map(|((step, found, prepared), intent)| {
                    let journey = &*journey;
                    async move {
                        let performed = self.perform_claimed(journey, &step, &prepared, intent, found.dated_at).await?;
                        Ok::<_, Unavailable>((step, performed))
                    }
                });
                // Each is waited for: what one of them came to is not lost because another one is not known.
                let performed = join_all(performing).await;
                let mut failed = None;
                for one in performed {
                    match one {
                        Ok((step, Performed::Settled(came))) => settled.push((step, came)),
                        Ok((_, Performed::Unknown(asked))) => unknown.push(asked),
                        Err(error) => failed = failed.or(Some(error)),
                    }
                }
                if let Some(error) = failed {
                    return Err(self.keep_known(journey, settled, error).await);
                }
                Unit::new(self.store.as_ref(), journey.transaction.org, self.world.now())
            }
        };
        self.record_all(journey, settled)?;
        // Another branch may have been the end of one that would have to be asked about.
        unknown.retain(|asked| journey.progress.came_at(&asked.branch).is_some());
        Ok((unit, unknown))
    }

    /// Writes what is known of the steps that were performed beside one whose outcome is not, and gives its error.
    async fn keep_known(
        &self,
        journey: &mut Journey<'_>,
        settled: Vec<(OutsideStep, Settled)>,
        error: Unavailable,
    ) -> WriteError {
        if settled.is_empty() {
            return error.into();
        }
        if let Err(error) = self.record_all(journey, settled) {
            return error.into();
        }
        match self.write(journey, Work::default(), Vec::new()).await {
            Ok(()) => error.into(),
            Err(error) => error,
        }
    }

    fn record_all(
        &self,
        journey: &mut Journey<'_>,
        mut settled: Vec<(OutsideStep, Settled)>,
    ) -> Result<(), Unavailable> {
        // The failure of one branch may be the end of those beside it, whose outcomes are kept before.
        settled.sort_by_key(|(_, came)| matches!(came.outcome, Outcome::Failed(_)));
        for (step, Settled { outcome, tries, started_at, answered }) in settled {
            let times = (started_at, self.world.now());
            if journey.progress.came_at(&step.branch).is_none() {
                tracing::info!(run.id = %journey.run.id, step.branch, "a branch ended while a step of it was performed");
                continue;
            }
            journey.record(&step.branch, (step.params.given(), outcome), tries, times, self.world.as_ref())?;
            if let (Some(answered), Some(new)) = (answered, journey.new.last_mut()) {
                new.answered = Some(answered);
            }
        }
        Ok(())
    }

    /// Looks whether somebody has been at the step before, and prepares it.
    async fn look(&self, journey: &Journey<'_>, is_all_written: bool, step: &OutsideStep) -> Result<Look, WriteError> {
        let mut found = self.approach(journey, is_all_written, step).await?;
        if found.standing == Standing::Unknown
            && let Some(answer) = self.answer_about(journey, step, found.tries()).await?
        {
            match unknown::outcome_of(answer) {
                Said::Outcome(outcome, answered) => {
                    let (tries, started_at) = (found.tries(), found.dated_at);
                    let came = Settled { outcome, tries, started_at, answered: Some(answered) };
                    return Ok(Look::Settled(came));
                }
                Said::NotDone(answered) => found.take_back(answered),
            }
        }
        let prepared = match self.prepare(journey, step, found.dated_at).await {
            Ok(prepared) => prepared,
            Err(not_done) => {
                let failure = not_done.into_failure()?;
                let tries = found.attempt.max(found.tries() + 1);
                return Ok(Look::Settled(Settled::unasked(Outcome::Failed(failure), tries, found.dated_at)));
            }
        };
        Ok(match (found.standing, prepared.on_unknown_outcome()) {
            (Standing::Unknown, OnUnknownOutcome::Fail) => {
                let outcome = Outcome::Failed(prepared.unknown_outcome());
                Look::Settled(Settled::unasked(outcome, found.tries(), found.dated_at))
            }
            (Standing::Unknown, OnUnknownOutcome::Ask) => {
                Look::Unknown(Asked::about(step, &prepared, found.tries(), found.dated_at, None))
            }
            (Standing::Unknown, OnUnknownOutcome::Retry) | (Standing::Free | Standing::Claimed, _) => {
                Look::Ready(found, prepared)
            }
        })
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
        let earlier = match is_all_written || journey.may_be_begun(&step.branch) {
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
        Ok(Approach { attempt, earlier, standing, dated_at, answered: None })
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
        for (step, Approach { attempt, earlier, answered, .. }, _) in ready {
            let rev = earlier.as_ref().map(|earlier| earlier.rev);
            let mut value = Intent::claim(earlier.as_ref().map(|earlier| &earlier.value), *attempt, self.world.now());
            value.answered = answered.clone().or(value.answered);
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
        started_at: Timestamp,
    ) -> Result<Performed, Unavailable> {
        let (tries, answered) = (intent.value.tries, intent.value.answered.clone());
        let outcome = match prepared.perform().await {
            Ok(output) => match &step.app {
                None => Outcome::Output(output),
                Some(app) => match app.output(journey.at(&step.branch, &step.step, step.visit), output) {
                    Ok(output) => Outcome::Output(output),
                    Err(failure) => Outcome::Failed(failure),
                },
            },
            Err(NotPerformed::Failed(failure)) => Outcome::Failed(failure),
            Err(NotPerformed::Unknown(error)) => match prepared.on_unknown_outcome() {
                OnUnknownOutcome::Ask => {
                    warn_of(journey, step, &error);
                    return Ok(Performed::Unknown(Asked::about(step, prepared, tries, started_at, Some(intent))));
                }
                OnUnknownOutcome::Retry | OnUnknownOutcome::Fail => return Err(error),
            },
            Err(NotPerformed::Interrupted(failure, error)) => {
                warn_of(journey, step, &error);
                Outcome::Failed(failure)
            }
            Err(NotPerformed::NotDone(failure, error)) => {
                let store = self.store.as_ref();
                runs::release_intent(store, &journey.run, &step.instance(), step.visit, intent).await?;
                warn_of(journey, step, &error);
                Outcome::Failed(failure)
            }
        };
        Ok(Performed::Settled(Settled { outcome, tries, started_at, answered }))
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
