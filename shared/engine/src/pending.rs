//! Steps that have begun and are not over: what they wait for, or which branches they opened.
//!
//! It stands in the journal, so a run that is taken up again waits for the same thing and goes over the same items,
//! whatever was changed meanwhile.

use domain::{RunId, Timestamp, TransactionId, WorkflowId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a step that is not over waits for.
///
/// *Shape* — `{"wait":{"until":"2026-11-29T12:00:00.000Z"}}`, `{"forEach":{"items":[…],"start":"charge","concurrency":10}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pending {
    /// A time or an answer.
    Wait(Wait),
    /// The end of another run.
    Call(Call),
    /// The ends of its branches, one of each item.
    ForEach(ForEach),
    /// The ends of its branches, one of each step.
    Parallel(Parallel),
}

/// What is waited for; the first of it ends the wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// The time at which it is over anyhow.
    pub until: Timestamp,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Question>,
    /// The event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<AwaitedEvent>,
}

/// An event that is waited for: the first of its name in which all of `matches` hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedEvent {
    /// Its name.
    pub name: String,
    /// What has to stand where in what step 1 would see of it, in the order of the paths.
    pub matches: Vec<Match>,
}

/// What has to stand in an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Match {
    /// What would come behind `/#steps.1.`: `attributes.data.orderId`.
    pub path: String,
    /// The text of what has to stand there; numbers as they are written.
    pub value: String,
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// What is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What may be answered; anything where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

/// A run that was started by a step, which waits for its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The workflow that was called.
    pub workflow: WorkflowId,
    /// The call, as a transaction.
    pub transaction: TransactionId,
    /// The run that it started.
    pub run: RunId,
}

/// The branches of a loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForEach {
    /// What it goes over.
    #[serde(with = "domain::exact")]
    pub items: Vec<Value>,
    /// The step that each branch begins at.
    pub start: String,
    /// How many branches are under way at the same time, 1 to 50.
    pub concurrency: usize,
    /// What follows when an item fails.
    pub on_item_failure: OnItemFailure,
}

/// What follows when an item fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnItemFailure {
    /// The loop fails at once.
    Fail,
    /// The others go on, and the loop tells which failed.
    Continue,
}

/// Branches that begin at different steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parallel {
    /// The steps that the branches begin at.
    pub start: Vec<String>,
    /// Which ends are waited for.
    pub join: Join,
}

/// Which branches have to come to their ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Join {
    /// All of them.
    All,
    /// The first that succeeds; the others are left where they are.
    Any,
}
