//! What has to be seen to before a run begins whose workflow controls its flow: its turn, a quiet time, or others to collect.
//!
//! ```text
//! one at a time   wait in the line; the first takes the turn if it is free, and whoever ends passes it on
//! debounce        wait until the quiet time is over; a later arrival takes the place, and this one is superseded
//! collect         the first waits for the others; each of those is collected into it
//! ```
//!
//! Nothing here has an entry in the journal. A run that has one has begun.

use std::iter;

use domain::{Failure, Line, LineKind, Run, RunState, Timestamp};
use engine::{
    Definition, Surroundings,
    control::{FlowControl, Mode},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{super::Executor, Journey, Place, embark::new_run};
use crate::{
    ports::{Change, Unavailable, WriteError},
    runs::{self, Batch, Last, LineHead, Queued, RunRef, StoredLine, StoredRun},
    waking::wake,
};

/// The most bytes that the arrivals of one run have together as JSON.
const COLLECT_LIMIT_BYTES: usize = 1_000_000;

/// How old an arrival is at least when its run takes the turn. *Why*: messages are executed side by side, and one that was
/// accepted moments before may come to its line moments later.
const SETTLING_SECONDS: u32 = 1;

/// How much of a key is shown.
const SHOWN_CHARACTERS: usize = 200;

/// What is to be done about a run that has not begun.
pub(super) enum Admission {
    /// It begins.
    Begins(Box<Entering>),
    /// It waits, and will be woken.
    Waits,
    /// It is over: another run is for what it was for.
    Over,
}

/// How a run begins.
#[derive(Default)]
pub(super) struct Entering {
    /// The head of its line once it has begun, if that is to be written with its beginning.
    pub(super) head: Option<(StoredLine, LineHead)>,
    /// What else is written then.
    pub(super) changes: Vec<Change>,
    /// What it is for.
    pub(super) collected: Option<Vec<Value>>,
}

impl Entering {
    /// That a run begins like this.
    pub(super) fn admitted(self) -> Admission {
        Admission::Begins(Box::new(self))
    }
}

impl Executor {
    /// Whether the run may begin.
    ///
    /// *Errors*: [`WriteError::Conflict`] where somebody else has changed the line: what is true now decides.
    pub(super) async fn admit(
        &self,
        place: Place<'_>,
        definition: &Definition,
        surroundings: &Surroundings<'_>,
        stored: Option<&StoredRun>,
    ) -> Result<Result<Admission, Failure>, WriteError> {
        let Some(control) = definition.control() else { return Ok(Ok(Entering::default().admitted())) };
        let line = match stored.and_then(|stored| stored.run.line.clone()) {
            Some(line) => line,
            None => match definition.control_key(control, place.trigger_output, surroundings) {
                Ok(key) => line_of(control, &key),
                Err(failure) => return Ok(Err(failure)),
            },
        };
        let now = self.world.now();
        let replay = stored.map(|stored| &stored.run).filter(|run| run.replay_of.is_some() || run.is_queued);
        if let Some(replay) = replay.filter(|_| control.mode != Mode::OneAtATime) {
            // Whoever has a run replayed wants that one, now, and for what it was for.
            let collected = self.collected(replay).await?;
            return Ok(Ok(Entering { collected, ..Entering::default() }.admitted()));
        }
        let new = || new_run(place.transaction, place.considered, place.id, now);
        let run = Run { line: Some(line.clone()), ..replay.cloned().unwrap_or_else(new) };
        let at = Candidate { place, stored, run, line, now };
        Ok(Ok(match control.mode {
            Mode::OneAtATime => self.admit_in_turn(at).await?,
            Mode::Debounce { quiet_seconds, at_most_seconds } => {
                self.admit_after_quiet(at, quiet_seconds, at_most_seconds).await?
            }
            Mode::Collect { within_seconds, count } => self.admit_to_batch(at, within_seconds, count).await?,
        }))
    }

    /// The arrivals that a run is for which has begun; nothing where that is its own alone.
    pub(super) async fn collected(&self, run: &Run) -> Result<Option<Vec<Value>>, Unavailable> {
        let Some(line) = run.line.as_ref().filter(|line| line.kind == LineKind::Collect) else { return Ok(None) };
        runs::collected(self.store.as_ref(), run, line).await.map(Some)
    }

    /// The changes of the run's line that are written with the run: as it begins, and as it ends.
    pub(super) async fn line_changes(&self, journey: &Journey<'_>) -> Result<Vec<Change>, Unavailable> {
        let (run, now) = (&journey.run, self.world.now());
        let Some((line, head)) = &journey.entering.head else {
            return match run.state.is_final() {
                true => runs::leaving_changes(self.store.as_ref(), run, now).await,
                false => Ok(Vec::new()),
            };
        };
        let head = if run.state.is_final() { LineHead::Free } else { *head };
        Ok(iter::once(line.put(head, now)?).chain(journey.entering.changes.iter().cloned()).collect())
    }

    /// Passes on the turn of a run that is over.
    pub(super) async fn leave_line(&self, run: &Run) -> Result<(), Unavailable> {
        match &run.line {
            Some(line) => self.pass_turn(run, line).await,
            None => Ok(()),
        }
    }

    async fn admit_in_turn(&self, at: Candidate<'_>) -> Result<Admission, WriteError> {
        let store = self.store.as_ref();
        let line = runs::find_line(store, &at.run, &at.line).await?;
        match line.head.member() {
            _ if at.stored.is_none_or(|stored| stored.run.line.is_none()) => self.join(&at, &line).await?,
            Some(holder) if holder.run == at.run.id => return Ok(Entering::default().admitted()),
            // Whoever gave it the turn may not have come to wake it.
            Some(holder) => wake(self.queue.as_ref(), at.run.org, holder, 0).await?,
            None => match line.first(store).await? {
                Some((first, taken_out)) if first.member.run == at.run.id && is_settled(&first, at.now) => {
                    let head = Some((line, LineHead::Turn(first.member)));
                    return Ok(Entering { head, changes: vec![taken_out], ..Entering::default() }.admitted());
                }
                Some(_) | None => {}
            },
        }
        // Whoever had the turn may have ended before this one stood in the line.
        self.pass_turn(&at.run, &at.line).await?;
        Ok(Admission::Waits)
    }

    async fn join(&self, at: &Candidate<'_>, line: &StoredLine) -> Result<(), WriteError> {
        let waiting = Run { state: RunState::Waiting, ..at.run.clone() };
        let mut changes = runs::run_changes(&waiting, at.stored, &[], &[])?;
        // A replay stands behind those that wait already.
        let accepted_at = match at.run.replay_of {
            Some(_) => at.run.started_at,
            None => at.place.transaction.created_at,
        };
        changes.push(line.join(Queued { member: at.member(), accepted_at }, at.now)?);
        tracing::info!(run.id = %at.run.id, "a run waits for its turn");
        self.store.write(&changes).await
    }

    /// Gives the turn to the first in the line, where nobody has it or `run`, which is over, still has.
    pub(super) async fn pass_turn(&self, run: &Run, line: &Line) -> Result<(), Unavailable> {
        if line.kind != LineKind::Turn {
            return Ok(());
        }
        let (store, now) = (self.store.as_ref(), self.world.now());
        let stored = runs::find_line(store, run, line).await?;
        let is_free = stored.head.member().is_none_or(|holder| run.state.is_final() && holder.run == run.id);
        if !is_free {
            return match stored.head.member() {
                // It has the turn and may not know.
                Some(holder) if run.state.is_final() => wake(self.queue.as_ref(), run.org, holder, 0).await,
                Some(_) | None => Ok(()),
            };
        }
        let Some((first, taken_out)) = stored.first(store).await? else {
            // Whoever was first may have the turn since the head was read, from somebody who ended before waking it.
            let since = runs::find_line(store, run, line).await?;
            return match since.head.member() {
                Some(holder) if since != stored => wake(self.queue.as_ref(), run.org, holder, 0).await,
                Some(_) | None => Ok(()),
            };
        };
        if !is_settled(&first, now) {
            // It takes the turn itself then, if nobody has come before it. It is woken by its own coming, or by who has just ended.
            let is_to_be_woken = first.member.run == run.id || run.state.is_final();
            return match is_to_be_woken {
                true => wake(self.queue.as_ref(), run.org, first.member, SETTLING_SECONDS).await,
                false => Ok(()),
            };
        }
        match store.write(&[stored.put(LineHead::Turn(first.member), now)?, taken_out]).await {
            Ok(()) => wake(self.queue.as_ref(), run.org, first.member, 0).await,
            // Somebody else has passed it on, or taken it.
            Err(WriteError::Conflict { found: Some(_), .. }) => Ok(()),
            Err(WriteError::Conflict { found: None, .. }) => {
                Err(Unavailable { port: "store", cause: "others were writing at the line all the while".to_owned() })
            }
            Err(WriteError::Unavailable(error)) => Err(error),
        }
    }

    async fn admit_after_quiet(
        &self,
        at: Candidate<'_>,
        quiet_seconds: i64,
        at_most_seconds: i64,
    ) -> Result<Admission, WriteError> {
        let (store, accepted_at) = (self.store.as_ref(), at.place.transaction.created_at);
        let line = runs::find_line(store, &at.run, &at.line).await?;
        let before = match line.head {
            LineHead::Last(last) => Some(last),
            LineHead::Free | LineHead::Turn(_) | LineHead::Batch(_) => None,
        };
        if let Some(stored) = at.stored {
            let is_last = before.is_some_and(|last| last.member.run == at.run.id);
            return match stored.run.resumes_at.filter(|due| *due > at.now) {
                Some(due) => self.wait_until(&at, due).await,
                None => {
                    let head = is_last.then_some((line, LineHead::Free));
                    Ok(Entering { head, ..Entering::default() }.admitted())
                }
            };
        }
        let earlier = match before {
            Some(last) if (last.accepted_at, last.member.transaction) > (accepted_at, at.place.transaction.id) => {
                let over = superseded(&at.run, last.member, at.now);
                self.store.write(&runs::run_changes(&over, None, &[], &[])?).await?;
                return Ok(Admission::Over);
            }
            Some(last) => runs::find_run(store, at.run.org, last.member.run).await?.zip(Some(last)),
            None => None,
        };
        let earlier = earlier.filter(|(stored, _)| !stored.run.state.is_final());
        let first_at = earlier.as_ref().map_or(at.now, |(_, last)| last.first_at);
        let latest = first_at.plus_seconds(at_most_seconds).max(at.now);
        let due = at.now.plus_seconds(quiet_seconds).min(latest);
        let last = Last { member: at.member(), accepted_at, first_at };
        let mut changes = at.waiting_changes(due)?;
        changes.push(line.put(LineHead::Last(last), at.now)?);
        if let Some((stored, _)) = &earlier {
            let over = superseded(&stored.run, at.member(), at.now);
            changes.extend(runs::run_changes(&over, Some(stored), &[], &stored.told)?);
        }
        self.store.write(&changes).await?;
        if let Some((_, last)) = earlier {
            // Whoever waits for it has to know that it is over.
            wake(self.queue.as_ref(), at.run.org, last.member, 0).await?;
        }
        self.wait_until(&at, due).await
    }

    async fn admit_to_batch(
        &self,
        at: Candidate<'_>,
        within_seconds: i64,
        count: u32,
    ) -> Result<Admission, WriteError> {
        let store = self.store.as_ref();
        let line = runs::find_line(store, &at.run, &at.line).await?;
        let open = match line.head {
            LineHead::Batch(batch) => Some(batch),
            LineHead::Free | LineHead::Turn(_) | LineHead::Last(_) => None,
        };
        if at.stored.is_some() {
            let own = open.filter(|batch| batch.member.run == at.run.id);
            if let Some(batch) = own.filter(|batch| batch.due_at > at.now) {
                return self.wait_until(&at, batch.due_at).await;
            }
            let collected = runs::collected(store, &at.run, &at.line).await?;
            let head = own.is_some().then_some((line, LineHead::Free));
            return Ok(Entering { head, collected: Some(collected), ..Entering::default() }.admitted());
        }
        let bytes = at.place.trigger_output.to_string().len();
        let (accepted_at, seen) = (at.place.transaction.created_at, at.place.trigger_output);
        if let Some(batch) = open.filter(|batch| batch.bytes + bytes <= COLLECT_LIMIT_BYTES) {
            let after = Batch { count: batch.count + 1, bytes: batch.bytes + bytes, ..batch };
            let is_full = after.count >= count;
            let over = Run {
                state: RunState::Succeeded,
                ended_at: Some(at.now),
                collected_into: Some(batch.member.run),
                ..at.run.clone()
            };
            let mut changes = runs::run_changes(&over, None, &[], &[])?;
            changes.push(line.put(if is_full { LineHead::Free } else { LineHead::Batch(after) }, at.now)?);
            changes.push(line.collect(batch.member.run, at.member(), accepted_at, seen, at.now)?);
            self.store.write(&changes).await?;
            if is_full {
                wake(self.queue.as_ref(), at.run.org, batch.member, 0).await?;
            }
            return Ok(Admission::Over);
        }
        let due_at = at.now.plus_seconds(within_seconds);
        let mut changes = at.waiting_changes(due_at)?;
        changes.push(line.put(LineHead::Batch(Batch { member: at.member(), due_at, count: 1, bytes }), at.now)?);
        changes.push(line.collect(at.run.id, at.member(), accepted_at, seen, at.now)?);
        self.store.write(&changes).await?;
        if let Some(full) = open {
            wake(self.queue.as_ref(), at.run.org, full.member, 0).await?;
        }
        self.wait_until(&at, due_at).await
    }

    async fn wait_until(&self, at: &Candidate<'_>, due: Timestamp) -> Result<Admission, WriteError> {
        self.wake_later(at.place.transaction, at.run.id, due).await?;
        Ok(Admission::Waits)
    }
}

/// A run that wants to begin.
struct Candidate<'a> {
    place: Place<'a>,
    /// What the store has of it.
    stored: Option<&'a StoredRun>,
    /// The same, or what it would be.
    run: Run,
    line: Line,
    now: Timestamp,
}

impl Candidate<'_> {
    fn member(&self) -> RunRef {
        RunRef { transaction: self.place.transaction.id, run: self.run.id }
    }

    /// The changes that write it as one that waits until `due`.
    fn waiting_changes(&self, due: Timestamp) -> Result<Vec<Change>, Unavailable> {
        let waiting = Run { state: RunState::Waiting, resumes_at: Some(due), ..self.run.clone() };
        let mut changes = runs::run_changes(&waiting, None, &[], &[])?;
        changes.extend(runs::timer_change(&waiting, due, self.now)?);
        Ok(changes)
    }
}

/// Whether whoever came before has come to the line as well.
fn is_settled(queued: &Queued, now: Timestamp) -> bool {
    queued.accepted_at.plus_seconds(i64::from(SETTLING_SECONDS)) <= now
}

fn line_of(control: &FlowControl, key: &str) -> Line {
    let kind = match control.mode {
        Mode::OneAtATime => LineKind::Turn,
        Mode::Debounce { .. } => LineKind::Debounce,
        Mode::Collect { .. } => LineKind::Collect,
    };
    Line { kind, key: domain::shortened(key, SHOWN_CHARACTERS), digest: hex::encode(Sha256::digest(key)) }
}

/// The run, ended because `by` came later for the same key.
fn superseded(run: &Run, by: RunRef, now: Timestamp) -> Run {
    let message = format!("A later arrival for the same key came within the quiet time; the run {} is for it.", by.run);
    let error = Some(Failure::new("superseded", message).into());
    Run { state: RunState::Cancelled, ended_at: Some(now), resumes_at: None, error, ..run.clone() }
}

/// What step 1 sees of the first arrival, and all of them under `collected`.
pub(crate) fn with_collected(seen: &Value, collected: Vec<Value>) -> Value {
    let mut seen = seen.clone();
    if let Value::Object(members) = &mut seen {
        members.insert("collected".to_owned(), json!(collected));
    }
    seen
}
