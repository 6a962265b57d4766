//! Calling a workflow: a transaction of its own, which starts a run of that workflow and no other.
//!
//! The call is written by whoever calls, in the write in which it is made, and told like any event. Who waits for the run is
//! written with it, and is woken when the run has come to its end.

use domain::{Event, EventId, Failure, OrgId, RunId, Timestamp, Transaction, exact};
use engine::{Definition, definition::TriggerKind};
use serde_json::{Value, json};

use crate::{
    announce::Author,
    directory::workflows::{self, Trigger, Workflow},
    document::Versioned,
    ports::{Store, Unavailable},
    runs::{self, RunRef, StoredTransaction, verdicts},
};

/// The most bytes that the inputs of a call may have as JSON. *Why*: as many as the data of an arrival.
pub(crate) const INPUTS_LIMIT_BYTES: usize = 1_000_000;

/// The workflow that `name` names, by name or id, if it can be called.
///
/// *Errors*: a failure that says why it cannot.
pub(crate) async fn find_callable(
    store: &dyn Store,
    org: OrgId,
    name: &str,
) -> Result<Result<Versioned<Workflow>, Failure>, Unavailable> {
    let shown = domain::shortened(name, 128);
    let Some(found) = workflows::find_called(store, org, name).await? else {
        let message = format!("There is no workflow \"{shown}\" to call, neither by name nor by id.");
        return Ok(Err(Failure::new("unknown_workflow", message)));
    };
    if !found.value.enabled {
        let message = format!("The workflow \"{shown}\" is disabled. Enable it, then call it again.");
        return Ok(Err(Failure::new("workflow_disabled", message)));
    }
    Ok(Ok(found))
}

/// What a call is made of.
pub(crate) struct NewCall<'a> {
    /// Which one it is; made twice it is the same.
    pub(crate) id: EventId,
    /// Who calls.
    pub(crate) author: &'a Author,
    /// The run that waits for it.
    pub(crate) caller: Option<RunRef>,
    /// When.
    pub(crate) now: Timestamp,
}

/// The call of `workflow`, whose `definition` is that of its hash, with `inputs`: what is to be written, and the run that it
/// starts.
///
/// *Errors*: a failure where the inputs are not what the workflow takes, or it is none that can be called.
pub(crate) async fn call(
    store: &dyn Store,
    workflow: &Versioned<Workflow>,
    definition: &Definition,
    inputs: Value,
    new: NewCall<'_>,
) -> Result<Result<(StoredTransaction, RunId), Failure>, Unavailable> {
    let Versioned { rev, value: head } = workflow;
    if let Some(failure) = refusal(head, definition, &inputs) {
        return Ok(Err(failure));
    }
    let name = Event::name_of_call(head.id);
    let data = exact::object([
        ("attributes", exact::object([("inputs", inputs)])),
        ("relationships", json!({ "workflow": { "data": { "type": "workflow", "id": head.id } } })),
    ]);
    let event = Event {
        id: new.id,
        org: head.org,
        name: name.clone(),
        created_at: new.now,
        client: new.author.client(),
        data,
        changes: Value::Null,
        lineage: new.author.lineage(new.id.into()),
    };
    let transaction = Transaction::of_event(event);
    let run = RunId::for_transaction(transaction.id, head.id);
    let trigger = Trigger {
        workflow: head.id,
        name: head.name.clone(),
        hash: head.hash.clone(),
        version: *rev,
        enabled: true,
        replaces: None,
        apps: head.apps.clone(),
    };
    let triggers = [trigger];
    let mut considered = verdicts(&triggers, |_| run, None);
    runs::pin(store, head.org, &triggers, &mut considered).await?;
    considered.iter_mut().for_each(|considered| considered.caller = new.caller);
    Ok(Ok((StoredTransaction::of_event(name, transaction, considered), run)))
}

/// Why the workflow cannot be called with these inputs.
pub(crate) fn refusal(head: &Workflow, definition: &Definition, inputs: &Value) -> Option<Failure> {
    if definition.trigger().kind() == TriggerKind::Callable {
        return wrong_inputs(&head.name, definition, inputs);
    }
    let message = format!(
        "The workflow \"{}\" is started by its event {} and cannot be called. Give its trigger \"callable\": true.",
        head.name, head.event_name
    );
    Some(Failure::new("not_callable", message))
}

fn wrong_inputs(name: &str, definition: &Definition, inputs: &Value) -> Option<Failure> {
    let bytes = inputs.to_string().len();
    if bytes > INPUTS_LIMIT_BYTES {
        let message =
            format!("The inputs of a call have at most {INPUTS_LIMIT_BYTES} bytes as JSON, and these have {bytes}.");
        return Some(Failure::new("inputs_too_large", message));
    }
    let wrong = definition.problem_of_inputs(inputs)?;
    let message = format!("The workflow \"{name}\" does not take these inputs: {wrong}.");
    Some(Failure::new("wrong_inputs", message))
}
