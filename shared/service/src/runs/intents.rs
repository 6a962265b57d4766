//! Intents: what a run is about to do outside, or may have done.
//!
//! An intent is written before its effect, in one write with everything that came before it in the run; the effect's
//! result is the journal's entry. An intent without a result whose claim has run out is an unknown outcome: the effect
//! may have happened, and only the step's own policy says what becomes of it.

use domain::{Run, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Answered, RETENTION_SECONDS, item};
use crate::{
    document::{self, Versioned},
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, WriteError},
};

/// How long an executor may take over an effect before another one may ask what came of it.
pub const CLAIM_SECONDS: i64 = 60;

/// The intent of one visit of a step.
///
/// *Shape*: `{"startedAt":"…","claimedUntil":"…","attempt":1,"tries":1}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// When the visit was first claimed; every attempt is dated so.
    pub started_at: Timestamp,
    /// Until when whoever wrote it has it; nothing once it is certain that nothing has happened.
    pub claimed_until: Option<Timestamp>,
    /// Which entry of the visit its result will be, from 1.
    pub attempt: u32,
    /// How often the visit was tried, this claim included.
    pub tries: u32,
    /// Who said that an earlier try had not been done, so that it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

/// What an intent means for whoever comes to its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing has happened that is not in the journal.
    Free,
    /// Somebody is at it.
    Claimed,
    /// It may have happened.
    Unknown,
}

impl Intent {
    /// The claim on a visit that `earlier` was the last one of, if there was one.
    pub fn claim(earlier: Option<&Self>, attempt: u32, now: Timestamp) -> Self {
        Self {
            started_at: earlier.map_or(now, |earlier| earlier.started_at),
            claimed_until: Some(now.plus_seconds(CLAIM_SECONDS)),
            attempt,
            // An attempt that failed before it got as far as a claim is in the journal only.
            tries: attempt.max(earlier.map_or(0, |earlier| earlier.tries) + 1),
            answered: earlier.filter(|earlier| earlier.attempt == attempt).and_then(|earlier| earlier.answered.clone()),
        }
    }

    /// The same, once it is certain that whoever had the claim is done with it and cannot tell what came of it.
    #[must_use]
    pub fn given_up(self, now: Timestamp) -> Self {
        Self { claimed_until: Some(now), ..self }
    }

    /// What it means for whoever is about to make the visit's entry `attempt` at `now`.
    pub fn standing(&self, attempt: u32, now: Timestamp) -> Standing {
        match self.claimed_until {
            None => Standing::Free,
            // The journal has its result.
            Some(_) if self.attempt < attempt => Standing::Free,
            Some(until) if now < until => Standing::Claimed,
            Some(_) => Standing::Unknown,
        }
    }
}

/// The intent of the visit, if one was ever written.
pub async fn find_intent(
    store: &dyn Store,
    run: &Run,
    step: &str,
    visit: u32,
) -> Result<Option<Versioned<Intent>>, Unavailable> {
    let found = store.find(&key(run, step, visit), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// The change that writes `intent` in the place of `earlier`.
pub fn intent_change(
    run: &Run,
    step: &str,
    visit: u32,
    intent: &Intent,
    earlier: Option<u64>,
) -> Result<Change, Unavailable> {
    let Key { partition, sort, .. } = key(run, step, visit);
    let item = item(partition, sort, document::write(intent)?, run.started_at, RETENTION_SECONDS);
    Ok(match earlier {
        None => Change::Put(item, Expectation::Absent),
        Some(rev) => Change::Put(Item { rev: rev + 1, ..item }, Expectation::Rev(rev)),
    })
}

/// Gives the claim `intent`, which was written as `rev`, back: its effect certainly has not happened.
///
/// That somebody else has claimed the visit since is not an error.
pub async fn release_intent(
    store: &dyn Store,
    run: &Run,
    step: &str,
    visit: u32,
    intent: Versioned<Intent>,
) -> Result<(), Unavailable> {
    let released = Intent { claimed_until: None, ..intent.value };
    match store.write(&[intent_change(run, step, visit, &released, Some(intent.rev))?]).await {
        Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

fn key(run: &Run, step: &str, visit: u32) -> Key {
    Key::new(Table::Runs, format!("{}#run#{}", run.org, run.id), format!("intent#{step}#{visit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_a_claim_until_its_time_is_up_or_its_result_is_journaled() {
        let now = Timestamp::from_millisecond(1_000_000);
        let first = Intent::claim(None, 1, now);
        let again = Intent::claim(Some(&first), 1, now.plus_seconds(60));
        let released = Intent { claimed_until: None, ..first.clone() };
        for (intent, attempt, seconds, expected) in [
            (&first, 1, 0, Standing::Claimed),
            (&first, 1, 59, Standing::Claimed),
            (&first, 1, 60, Standing::Unknown),
            (&first, 2, 0, Standing::Free),
            (&again, 1, 60, Standing::Claimed),
            (&released, 1, 0, Standing::Free),
        ] {
            assert_eq!(intent.standing(attempt, now.plus_seconds(seconds)), expected, "{intent:?} {attempt} {seconds}");
        }
        assert_eq!((again.started_at, again.tries), (now, 2));
    }
}
