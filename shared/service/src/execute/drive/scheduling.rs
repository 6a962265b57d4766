//! Steps that have a workflow called later: what is scheduled is written with the step.

use domain::{Failure, ScheduledRun, ScheduledRunId, ScheduledState};
use engine::{
    flow::{missing, value, wrong},
    journal::Outcome,
    run::Params,
};
use serde_json::{Map, Value, json};

use super::{
    super::Executor,
    Journey,
    callee::{Visit, inputs_of},
};
use crate::{
    actions, calling,
    envelope::{Named, Scheduled},
    ports::{Change, Unavailable},
    records::Unit,
    runs,
    scheduling::{read_run_at, remind},
};

/// *Source*: reference, section 4.7.
const SCHEDULE: &str = "kustomer.app.scheduler.schedule-workflow";

/// Whether `action` schedules a call.
pub(super) fn is_schedule(action: &str) -> bool {
    action == SCHEDULE
}

impl Executor {
    /// Schedules the call of the workflow that the step names.
    pub(super) async fn schedule_workflow(
        &self,
        journey: &Journey<'_>,
        unit: &mut Unit<'_>,
        at: Visit<'_>,
        params: &Params,
    ) -> Result<Outcome, Unavailable> {
        let none = Map::new();
        let given = params.input.as_object().unwrap_or(&none);
        let (store, org) = (self.store.as_ref(), journey.transaction.org);
        let (name, inputs, run_at) = match (asked(given), read_run_at(given.get("runAt"), unit.now())) {
            (Ok((name, inputs)), Ok(run_at)) => (name, inputs, run_at),
            (Err(failure), _) | (_, Err(failure)) => return Ok(Outcome::Failed(failure)),
        };
        let (workflow, definition) = match self.definitions.callable(store, org, &name).await? {
            Ok((workflow, definition)) => (workflow.value, definition),
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        if let Some(failure) = calling::refusal(&workflow, &definition, &inputs) {
            return Ok(Outcome::Failed(failure));
        }
        let run = ScheduledRun {
            id: ScheduledRunId::for_step(journey.run.id, &actions::instance(at.branch, at.step), at.visit),
            org,
            workflow: workflow.id,
            inputs,
            run_at,
            state: ScheduledState::Waiting,
            lineage: Some(journey.transaction.lineage_of(journey.run.id)),
            schedule: None,
            created_at: unit.now(),
            delayed_until: None,
            run: None,
            error: None,
        };
        remind(self.queue.as_ref(), Named::Scheduled(Scheduled { org, scheduled: run.id }), run_at, unit.now()).await?;
        for change in runs::scheduled_changes(&run)? {
            if let Change::Put(item, _) = change {
                unit.put_item(item);
            }
        }
        Ok(Outcome::Output(
            json!({ "id": run.id, "type": "scheduled_run", "workflow": run.workflow, "runAt": run.run_at }),
        ))
    }
}

fn asked(params: &Map<String, Value>) -> Result<(String, Value), Failure> {
    match value(params, "workflowId").or_else(|| value(params, "workflow")) {
        Some(Value::String(name)) if !name.is_empty() => Ok((name.clone(), inputs_of(params)?)),
        Some(_) => Err(wrong("workflowId", "the id or the name of a workflow")),
        None => Err(missing("workflowId")),
    }
}
