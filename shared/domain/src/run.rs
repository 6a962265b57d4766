//! Runs: one execution of a workflow for one transaction.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ApiKeyId, OrgId, RunId, Timestamp, TransactionId, WorkflowId};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// An executor carries it forward, or will when its message is delivered again.
    Running,
    /// It waits for a time or an event.
    Waiting,
    /// A person has to decide about a step whose outcome is unknown.
    Held,
    /// It came to its end.
    Succeeded,
    /// A step failed and no error case took it further.
    Failed,
    /// Somebody ended it.
    Cancelled,
}

impl RunState {
    /// Whether nothing will happen to the run any more.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Running | Self::Waiting | Self::Held => false,
            Self::Succeeded | Self::Failed | Self::Cancelled => true,
        }
    }

    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Running, Self::Waiting, Self::Held, Self::Succeeded, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// Why a step failed: data, because it is read later, perhaps by a newer program.
///
/// *Shape*: `{"code":"email_taken","message":"…"}`; of the world's own failures also `"retryable":true`, and `status` and
/// `retryAfterSeconds` where there was an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// A stable word: `email_taken`.
    pub code: String,
    /// What happened and what to do about it, in a sentence.
    pub message: String,
    /// The HTTP status that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether the same attempt may succeed later, because the world has to recover and not the author to change anything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retryable: bool,
    /// How long the other side asked to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

impl Failure {
    /// A failure with `code`, told by `message`, that trying again does not mend.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: None, retryable: false, retry_after_seconds: None }
    }

    /// The same, which trying again later may mend.
    #[must_use]
    pub fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }
}

/// Why a run failed: which step, which attempt, which error, in words.
///
/// *Shape*: `{"code":"email_taken","message":"Step \"create\" (kustomer.customer.create) failed: …","step":"create",
/// "action":"kustomer.customer.create","visit":1,"attempt":1}`; a run that was ended as a whole has only code and message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunFailure {
    /// The stable word of the step's failure.
    pub code: String,
    /// Which step, which attempt, and what happened, in words.
    pub message: String,
    /// The step that failed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Its action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// How often the run had come to the step, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<u32>,
    /// How often the visit had been tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The HTTP status that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl RunFailure {
    /// The failure of a run that is ended as a whole.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        let (step, action, visit, attempt, status) = (None, None, None, None, None);
        Self { code: code.into(), message: message.into(), step, action, visit, attempt, status }
    }
}

impl From<Failure> for RunFailure {
    fn from(failure: Failure) -> Self {
        Self { status: failure.status, ..Self::new(failure.code, failure.message) }
    }
}

/// The head of a run: everything but its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The run; derived from transaction and workflow.
    pub id: RunId,
    /// Its owner.
    pub org: OrgId,
    /// Where it stands.
    pub state: RunState,
    /// The workflow it executes.
    pub workflow_id: WorkflowId,
    /// The definition it began with and ends with, by the SHA-256 of its JSON.
    pub workflow_hash: String,
    /// The transaction that started it.
    pub transaction_id: TransactionId,
    /// When it started.
    pub started_at: Timestamp,
    /// When it came to its final state.
    pub ended_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<RunFailure>,
    /// When it goes on by itself, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Timestamp>,
    /// The answer that it gave to whoever called: `{"status":200,"output":…}`.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::exact")]
    pub response: Option<Value>,
    /// The line that it stands in for its key, where its workflow controls its flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Line>,
    /// The run that is for its arrival and others, so that this one has no steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_into: Option<RunId>,
    /// The steps for which it is held until a person says what came of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_for: Vec<UnknownOutcome>,
    /// The version of each app whose actions its steps use, where it is not executed as its transaction was admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apps: Option<BTreeMap<String, String>>,
    /// Which run it replays from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<ReplayOf>,
    /// The runs that replay it from the start, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replayed_as: Vec<RunId>,
    /// Whether it stands in its line once more, because it is replayed from where it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_queued: bool,
}

impl Run {
    /// A run that begins at `now`, of which there is nothing yet that may come later.
    pub fn begun(
        id: RunId,
        org: OrgId,
        workflow_id: WorkflowId,
        workflow_hash: String,
        transaction_id: TransactionId,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            org,
            state: RunState::Running,
            workflow_id,
            workflow_hash,
            transaction_id,
            started_at: now,
            ended_at: None,
            error: None,
            resumes_at: None,
            response: None,
            line: None,
            collected_into: None,
            held_for: Vec::new(),
            apps: None,
            replay_of: None,
            replayed_as: Vec::new(),
            is_queued: false,
        }
    }
}

/// Which run a replay replays, and how.
///
/// *Shape*: `{"run":"…","origin":"…","effects":"keep","key":"…"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayOf {
    /// The run that it replays.
    pub run: RunId,
    /// The run that the transaction itself started: the same one, or what that one replays in the end.
    pub origin: RunId,
    /// What becomes of effects that the replayed run has finished.
    pub effects: Effects,
    /// The API key of whoever had it replayed.
    pub key: ApiKeyId,
}

/// What becomes of effects that a replayed run has finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effects {
    /// Their recorded outputs are used, and nothing is done.
    Keep,
    /// They happen again, under the keys of the new run.
    Repeat,
}

/// A step of which nobody knows whether what it does outside was done, and whose author wants a person asked.
///
/// *Shape*: `{"step":"charge","visit":1,"tries":1,"key":"…/charge/1","startedAt":"…","heldAt":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnknownOutcome {
    /// The step.
    pub step: String,
    /// The branch it is in; empty in the trunk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub branch: String,
    /// The visit.
    pub visit: u32,
    /// How often the visit had been tried.
    pub tries: u32,
    /// What it was tried under, and is to be looked for.
    pub key: String,
    /// The `Message-ID` of a mail that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// When the visit was first claimed.
    pub started_at: Timestamp,
    /// When the run was held for it.
    pub held_at: Timestamp,
    /// When a person answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
}

/// The line of the runs of a workflow for one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What they wait for.
    pub kind: LineKind,
    /// The key, cut where it is long.
    pub key: String,
    /// The SHA-256 of the whole key, as hex digits.
    pub digest: String,
}

/// What the runs of a line wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// Their turn.
    Turn,
    /// That nothing comes for a while.
    Debounce,
    /// Others that are collected with them.
    Collect,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_back_from_its_word() {
        for word in ["running", "waiting", "held", "succeeded", "failed", "cancelled"] {
            assert_eq!(RunState::parse(word).map(RunState::word), Some(word));
        }
        assert_eq!(RunState::parse("Running"), None);
    }
}
