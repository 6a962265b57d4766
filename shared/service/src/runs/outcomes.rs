//! What a person says came of a step, where nobody knew.
//!
//! It stands in the place of an answer to the step, one for each try of a visit, and is written together with the head of
//! the run, so that the first one counts.

use domain::{ApiKeyId, Run, Timestamp, UnknownOutcome};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, WaitingStep, find_answer};
use crate::ports::{Change, Expectation, Store, Unavailable};

/// What a person may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// It was done.
    Done,
    /// It was not done, and is to be tried again under the same key.
    NotDone,
    /// The step has failed.
    Failed,
}

impl OutcomeWord {
    /// The word that `text` is.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "done" => Some(Self::Done),
            "not_done" => Some(Self::NotDone),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// Who said what, for the journal.
///
/// *Shape*: `{"outcome":"done","key":"…","at":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// What.
    pub outcome: OutcomeWord,
    /// The API key of whoever said it.
    pub key: ApiKeyId,
    /// When.
    pub at: Timestamp,
}

/// What was said, whole.
///
/// *Shape*: `{"outcome":"done","key":"…","at":"…","output":{"id":"ch_1"}}`; of a failure `message` in the place of `output`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeAnswer {
    /// What.
    pub outcome: OutcomeWord,
    /// The API key of whoever said it.
    pub key: ApiKeyId,
    /// When.
    pub at: Timestamp,
    /// What the step leaves behind, where it was done.
    #[serde(default, with = "domain::exact")]
    pub output: Value,
    /// Why it failed, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl OutcomeAnswer {
    /// Who said what.
    pub const fn answered(&self) -> Answered {
        Answered { outcome: self.outcome, key: self.key, at: self.at }
    }
}

/// The change that writes what came of `unknown`, if nobody has said so before.
pub fn outcome_change(run: &Run, unknown: &UnknownOutcome, answer: &OutcomeAnswer) -> Result<Change, Unavailable> {
    let outcome = domain::exact::value_of(answer)
        .map_err(|error| Unavailable { port: "store", cause: format!("an answer cannot be written: {error}") })?;
    let answer = Answer { at: answer.at, outcome: Some(outcome) };
    let item = place(run, &unknown.branch, &unknown.step, unknown.visit, unknown.tries).item(&answer)?;
    Ok(Change::Put(item, Expectation::Absent))
}

/// What somebody said of the try of a visit, if anybody has.
pub async fn find_outcome(
    store: &dyn Store,
    run: &Run,
    (branch, step): (&str, &str),
    visit: u32,
    tries: u32,
) -> Result<Option<OutcomeAnswer>, Unavailable> {
    let found = find_answer(store, &place(run, branch, step, visit, tries)).await?;
    let Some(outcome) = found.and_then(|answer| answer.outcome) else { return Ok(None) };
    serde_json::from_str(&outcome.to_string()).map(Some).map_err(|error| Unavailable {
        port: "store",
        cause: format!("an answer cannot be read (column {})", error.column()),
    })
}

fn place(run: &Run, branch: &str, step: &str, visit: u32, tries: u32) -> WaitingStep {
    WaitingStep { org: run.org, run: run.id, branch: branch.to_owned(), step: step.to_owned(), visit, attempt: tries }
}
