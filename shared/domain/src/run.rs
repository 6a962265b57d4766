//! Runs: one execution of a workflow for one transaction.

use serde::{Deserialize, Serialize};

use crate::{OrgId, RunId, Timestamp, TransactionId, WorkflowId};

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

/// Why a step or a run failed: data, because it is read later, perhaps by a newer program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word: `email_taken`.
    pub code: String,
    /// What happened and what to do about it, in a sentence.
    pub message: String,
}

impl Failure {
    /// A failure with `code`, told by `message`.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
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
    pub error: Option<Failure>,
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
