//! Scheduled runs: calls of a workflow that are to be made at a time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Failure, Lineage, OrgId, RecurringScheduleId, RunId, ScheduledRunId, Timestamp, WorkflowId};

/// A call of a workflow that is to be made at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledRun {
    /// The scheduled run.
    pub id: ScheduledRunId,
    /// Its owner.
    pub org: OrgId,
    /// The workflow that is to be called.
    pub workflow: WorkflowId,
    /// What it is called with.
    #[serde(with = "crate::exact")]
    pub inputs: Value,
    /// When.
    pub run_at: Timestamp,
    /// How far it is.
    pub state: ScheduledState,
    /// What the call follows from, where a step of a run scheduled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<Lineage>,
    /// The recurring schedule of which it is an occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<RecurringScheduleId>,
    /// When it was scheduled.
    pub created_at: Timestamp,
    /// Until when it has to wait for its turn, because the org has had as many as it may in this quarter of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delayed_until: Option<Timestamp>,
    /// The run that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Why it became none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// How far a scheduled run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduledState {
    /// Its time has not come.
    Waiting,
    /// It became a run.
    Started,
    /// It could not be started.
    Failed,
    /// Somebody took it back.
    Cancelled,
}
