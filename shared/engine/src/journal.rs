//! What a run leaves behind: one entry per step, with everything that is needed to explain it and to take it up again.
//!
//! Entries are read later, perhaps by a newer program, so they are plain data and their JSON is a contract. When a
//! step was performed and how often it was tried belongs to whoever performs it, and is kept beside the entry.

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use domain::{Failure, RunFailure};

use domain::Timestamp;

use crate::definition::ErrorAction;
use crate::fault::Fault;
use crate::pending::Pending;
use crate::verdict::{Verdict, is_none_left_out};

/// One step's entry.
///
/// *Shape* — `{"step":"find","visit":1,"action":"kustomer.customer.find-by-email","input":{"email":"a@example.com"},
/// "outcome":{"output":{"id":"5a…"}},"transition":{"target":"order","conditions":[{"target":"order","verdict":{…}}]}}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The step's id; the trigger's own for the entry a run begins with.
    pub step: String,
    /// The branch it ran in, `each#1.37`; empty in the trunk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub branch: String,
    /// How many times the run has come to this step, from 1. Attempts at one visit share its number.
    pub visit: u32,
    /// Which attempt at the visit it was, from 1.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub attempt: u32,
    /// The action; none for the trigger and for steps that only hold conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The params as resolved, when there was something to perform.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "domain::exact")]
    pub input: Option<Value>,
    /// What led nowhere in the params, in sentences: the first ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// How the step's error cases answered a failure, when it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_case: Option<ErrorCaseTaken>,
    /// What is tried again after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retry>,
    /// When it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Timestamp>,
    /// Where the run went; none when it failed, stopped or tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<TransitionTaken>,
}

/// What came of a step: `{"output":…}` or `{"failed":{"code","message"}}`; of one that is not over `{"pending":{…}}`, and of one
/// that ends the run `{"stopped":{…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It left this behind; `null` for a step without an action.
    Output(#[serde(with = "domain::exact")] Value),
    /// It failed.
    Failed(Failure),
    /// It has begun, and a later entry of the same visit says what came of it.
    Pending(Pending),
    /// It ended the run.
    Stopped(Stop),
}

/// How a step ended the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// Why it failed; none where it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// What is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retry {
    /// The step, at the same visit.
    Action,
    /// The run, from the trigger on.
    Workflow,
    /// The step, at the same visit, because a person has the run replayed; its attempts are counted anew.
    Replay,
}

fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_first(attempt: &u32) -> bool {
    *attempt == 1
}

/// Which transition was taken, and what was asked on the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransitionTaken {
    /// The step the run went to; none when no condition held, which ends the run.
    pub target: Option<String>,
    /// The transitions considered, in order, up to the one taken.
    pub conditions: Vec<Considered>,
    /// How many considered ones are not among `conditions`. The one taken is, as the last.
    #[serde(default, skip_serializing_if = "is_none_left_out")]
    pub left_out: usize,
    /// Where none was taken, why one of them could not be worked out; the run fails then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// A transition that was considered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Considered {
    /// Where it leads.
    pub target: String,
    /// Whether it was open, and why.
    pub verdict: Verdict,
}

/// How error cases answered a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorCaseTaken {
    /// The answer; none when no case held, which fails the run.
    pub action: Option<ErrorAction>,
    /// The cases considered, in order, up to the one that held.
    pub conditions: Vec<Verdict>,
    /// How many considered ones are not among `conditions`. The one that held is, as the last.
    #[serde(default, skip_serializing_if = "is_none_left_out")]
    pub left_out: usize,
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::new(fault.code(), fault.to_string())
    }
}
