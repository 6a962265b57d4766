//! Steps that call another workflow: the call is written with the step, and the run waits for the end of the other one.

use domain::{Event, EventId, Failure, Run, RunState};
use engine::{
    flow::{missing, value, wrong},
    journal::Outcome,
    pending::{Call, Pending},
    run::Params,
};
use serde_json::{Map, Value, json};

use super::{super::Executor, Journey};
use crate::{
    actions,
    announce::Author,
    calling::{self, NewCall},
    ports::Unavailable,
    records::Unit,
    runs::RunRef,
};

/// What a step asks for.
struct Asked {
    workflow: String,
    inputs: Value,
    waits: bool,
}

/// The visit of a step that calls.
#[derive(Clone, Copy)]
pub(super) struct Visit<'a> {
    pub(super) branch: &'a str,
    pub(super) step: &'a str,
    pub(super) visit: u32,
}

/// Whether `action` calls a workflow.
pub(super) fn is_call(action: &str) -> bool {
    action == FLOW_CALL || Event::called_by_name(action).is_some()
}

const FLOW_CALL: &str = "flow.call";

impl Executor {
    /// Calls the workflow that the step names, and has the run wait for it.
    pub(super) async fn call_workflow(
        &self,
        journey: &Journey<'_>,
        unit: &mut Unit<'_>,
        at: Visit<'_>,
        action: &str,
        params: &Params,
    ) -> Result<Outcome, Unavailable> {
        let asked = match asked(action, &params.input) {
            Ok(asked) => asked,
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        let (store, org) = (self.store.as_ref(), journey.transaction.org);
        let (workflow, definition) = match self.definitions.callable(store, org, &asked.workflow).await? {
            Ok(callable) => callable,
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        let author = Author::step(journey.transaction, journey.run.id);
        let caller = RunRef { transaction: journey.transaction.id, run: journey.run.id };
        let new = NewCall {
            id: EventId::for_step(journey.run.id, &attempt_of(journey, at), at.visit),
            author: &author,
            caller: asked.waits.then_some(caller),
            now: unit.now(),
        };
        let (stored, run) = match calling::call(store, &workflow, &definition, asked.inputs, new).await? {
            Ok(called) => called,
            Err(failure) => return Ok(Outcome::Failed(failure)),
        };
        let transaction = stored.transaction.id;
        unit.call(stored);
        Ok(match asked.waits {
            true => Outcome::Pending(Pending::Call(Call { workflow: workflow.value.id, transaction, run })),
            false => Outcome::Output(json!({ "run": run, "workflow": workflow.value.id, "transaction": transaction })),
        })
    }
}

/// A call that is tried again is another one, because the first has come to its end.
fn attempt_of(journey: &Journey<'_>, at: Visit<'_>) -> String {
    let instance = actions::instance(at.branch, at.step);
    match journey.attempts_so_far(at.branch) {
        0 => instance.into_owned(),
        earlier => format!("{instance}~{}", earlier + 1),
    }
}

fn asked(action: &str, input: &Value) -> Result<Asked, Failure> {
    if let Some(id) = Event::called_by_name(action) {
        return Ok(Asked { workflow: id.to_owned(), inputs: input.clone(), waits: true });
    }
    let none = Map::new();
    let params = input.as_object().unwrap_or(&none);
    let workflow = match value(params, "workflow") {
        Some(Value::String(name)) if !name.is_empty() => name.clone(),
        Some(_) => return Err(wrong("workflow", "the name or the id of a workflow")),
        None => return Err(missing("workflow")),
    };
    let inputs = inputs_of(params)?;
    let waits = match value(params, "wait") {
        None | Some(Value::Bool(true)) => true,
        Some(Value::Bool(false)) => false,
        Some(_) => return Err(wrong("wait", "true or false")),
    };
    Ok(Asked { workflow, inputs, waits })
}

/// What the step gives the workflow that it has called; nothing where it does not say.
pub(super) fn inputs_of(params: &Map<String, Value>) -> Result<Value, Failure> {
    match value(params, "inputs") {
        None => Ok(Value::Object(Map::new())),
        Some(inputs @ Value::Object(_)) => Ok(inputs.clone()),
        Some(_) => Err(wrong("inputs", "an object")),
    }
}

/// What comes of the step that called `run`, once that has come to its end.
pub(super) fn outcome_of(run: &Run) -> Option<Outcome> {
    let told = |what: &str| format!("The run {} of the called workflow {what}", run.id);
    match run.state {
        RunState::Running | RunState::Waiting | RunState::Held => None,
        RunState::Succeeded => {
            let response = run.response.as_ref();
            let output = response.and_then(|response| response.get("output")).cloned().unwrap_or_default();
            Some(Outcome::Output(domain::exact::object([("run", json!(run.id)), ("output", output)])))
        }
        RunState::Cancelled => {
            Some(Outcome::Failed(Failure::new("call_cancelled", told("was cancelled by somebody."))))
        }
        RunState::Failed => {
            let why = run.error.as_ref().map(|error| error.message.as_str()).unwrap_or_default();
            Some(Outcome::Failed(Failure::new("call_failed", format!("{}: {why}", told("failed")))))
        }
    }
}
