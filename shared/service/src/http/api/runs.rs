//! Runs with every step, and transactions with the trace of why which workflow ran.

use domain::{
    Rejected, Rejection, Run, RunId, RunState, TransactionId, WorkflowId,
    exact::{self, object},
};
use engine::{
    Setup,
    journal::{Entry, Outcome},
    pending::Pending,
};
use futures_util::future::try_join3;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, not_found},
    resource::{leave_large_values_out, many, one, org_relationship, resource},
    search::{PAGE_RUNS, Search},
};
use crate::{
    directory::variables,
    http::{ANSWER_LIMIT_BYTES, answer::json_response},
    installations,
    ports::Store,
    runs::{self, Considered, JournalEntry, Replayed, Shape, StoredRun, StoredTransaction},
};

/// How many pages of runs one request looks through for runs of the state it asks for.
const FILTER_PAGES_LIMIT: usize = 10;

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = call.id("id", WorkflowId::parse)?;
    let state = call.query("state").map(|word| state(&word)).transpose()?;
    let started = (call.instant("from")?, call.instant("until")?);
    let search = Search::of_query(call)?;
    let mut paging = call.paging()?;
    let size = paging.limit;
    if search.is_some() {
        paging.limit = size.min(PAGE_RUNS);
    }
    let mut found: Vec<Run> = Vec::new();
    for _ in 0..FILTER_PAGES_LIMIT {
        let store = call.management.store.as_ref();
        let listing = runs::list_runs(store, call.caller.org, workflow, started, paging.clone()).await?;
        let runs = listing.items.into_iter().filter(|run| state.is_none_or(|state| run.state == state)).collect();
        found.extend(match &search {
            Some(search) => search.fitting(store, runs).await?,
            None => runs,
        });
        paging.after = listing.next;
        if paging.after.is_none() || !found.is_empty() {
            break;
        }
    }
    let resources = found.iter().map(|run| run_resource(call, run, None)).collect();
    Ok(many(call, resources, size, paging.after.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    run_response(call, StatusCode::OK, call.id("id", RunId::parse)?).await
}

/// The run as it is now, with every step.
pub(super) async fn run_response(call: &Call<'_>, status: StatusCode, id: RunId) -> Result<Response, Refused> {
    let store = call.management.store.as_ref();
    let StoredRun { run, entries, .. } = runs::find_run(store, call.caller.org, id).await?.ok_or_else(not_found)?;
    let transaction = runs::find_transaction(store, run.org, run.transaction_id).await?;
    let trigger_output = transaction.map_or(Value::Null, |stored| {
        let considered = stored.considered_for(&run);
        considered.map_or_else(|| stored.transaction.document(), |considered| stored.trigger_output(considered))
    });
    let mut steps: Vec<Value> = entries
        .iter()
        .enumerate()
        .filter(|(index, entry)| !is_continued(entry, entries.get(index + 1..).unwrap_or_default()))
        .map(|(index, entry)| {
            step(index, entry, begun_by(entry, entries.get(..index).unwrap_or_default()), &trigger_output)
        })
        .collect();
    // Last among them only to be masked as they are.
    steps.extend(run.response.clone());
    mask_secrets(store, &run, &mut steps).await?;
    let response = if run.response.is_some() { steps.pop() } else { None };
    let run = Run { response, ..run };
    let whole = one(status, run_resource(call, &run, Some(steps.clone())));
    if whole.body().len() <= ANSWER_LIMIT_BYTES {
        return Ok(whole);
    }
    steps.iter_mut().for_each(|step| leave_large_values_out(step, &["input", "output", "transition"]));
    Ok(one(status, run_resource(call, &run, Some(steps))))
}

pub(super) async fn transaction(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", TransactionId::parse)?;
    let store = call.management.store.as_ref();
    let found = runs::find_transaction(store, call.caller.org, id).await?;
    let Some(stored) = found else {
        let detail = "There is no transaction with this id in your org. One that was accepted a moment ago can be read once an executor has taken it, and one that its hook holds once the hook goes on.";
        return Err(Rejected::new(Rejection::NotFound, "not_found", detail).into());
    };
    let trace = trace(call, &stored).await?;
    let repeats = runs::find_tally(store, call.caller.org, id).await?;
    let mut document = stored.transaction.document();
    let links = json!({ "self": format!("/v1/transactions/{id}") });
    // What was published is its publisher's, whose `links` are something else.
    if let (None, Some(document)) = (&stored.transaction.fired, document.as_object_mut()) {
        document.insert("links".to_owned(), links.clone());
    }
    let event = stored.transaction.fired.as_ref().map_or(Value::Null, |event| event.about());
    let meta = object([("trace", trace), ("event", event), ("repeats", json!(repeats))]);
    Ok(json_response(StatusCode::OK, &object([("data", document), ("meta", meta), ("links", links)])))
}

fn state(word: &str) -> Result<RunState, Refused> {
    RunState::parse(word).ok_or_else(|| {
        let detail = "The query parameter `state` is one of running, waiting, held, succeeded, failed, cancelled.";
        Rejected::at("state", "bad_query", detail).into()
    })
}

fn run_resource(call: &Call<'_>, run: &Run, steps: Option<Vec<Value>>) -> Value {
    let mut attributes = json!({
        "state": run.state,
        "workflowId": run.workflow_id,
        "workflowHash": run.workflow_hash,
        "transactionId": run.transaction_id,
        "startedAt": run.started_at,
        "endedAt": run.ended_at,
        "resumesAt": run.resumes_at,
        "key": run.line.as_ref().map(|line| &line.key),
        "collectedInto": run.collected_into,
        "heldFor": super::outcomes::held_for(run),
        "replayOf": run.replay_of.map(|replay| json!({ "run": replay.run, "effects": replay.effects, "key": replay.key })),
        "replayedAs": run.replayed_as,
        "error": run.error,
    });
    if let (Some(steps), Some(attributes)) = (steps, attributes.as_object_mut()) {
        attributes.insert("response".to_owned(), run.response.clone().unwrap_or_default());
        attributes.insert("steps".to_owned(), Value::Array(steps));
    }
    let mut relationships = org_relationship(call);
    if let Some(relationships) = relationships.as_object_mut() {
        relationships.insert("workflow".to_owned(), related("workflow", "/v1/workflows", &run.workflow_id.to_string()));
        relationships.insert(
            "transaction".to_owned(),
            related("transaction", "/v1/transactions", &run.transaction_id.to_string()),
        );
    }
    resource("run", &run.id.to_string(), &format!("/v1/runs/{}", run.id), attributes, relationships)
}

fn related(kind: &str, collection: &str, id: &str) -> Value {
    json!({ "data": { "type": kind, "id": id }, "links": { "self": format!("{collection}/{id}") } })
}

/// Whether a later entry says what came of a step that had only begun.
fn is_continued(entry: &JournalEntry, later: &[JournalEntry]) -> bool {
    is_pending(entry) && later.iter().any(|later| is_same_attempt(entry, later))
}

/// The entry with which the step began whose end this one tells.
fn begun_by<'e>(entry: &JournalEntry, earlier: &'e [JournalEntry]) -> Option<&'e JournalEntry> {
    if !has_two_entries(&entry.entry) {
        return None;
    }
    earlier.iter().rev().find(|earlier| is_pending(earlier) && is_same_attempt(earlier, entry))
}

/// Whether steps of this action may leave one entry when they begin and one when they end.
fn has_two_entries(entry: &Entry) -> bool {
    entry.action.as_deref().is_some_and(|action| action.starts_with("flow.") || action.ends_with(".call"))
}

fn is_pending(entry: &JournalEntry) -> bool {
    matches!(entry.entry.outcome, Outcome::Pending(_))
}

fn is_same_attempt(one: &JournalEntry, other: &JournalEntry) -> bool {
    let (one, other) = (&one.entry, &other.entry);
    (one.visit, one.attempt, &one.step, &one.branch) == (other.visit, other.attempt, &other.step, &other.branch)
}

/// A step as it ran. The trigger's output is the transaction, which is not stored a second time.
fn step(index: usize, entry: &JournalEntry, begun: Option<&JournalEntry>, trigger_output: &Value) -> Value {
    let JournalEntry { entry, attempts, started_at, ended_at, answered, replayed, is_kept } = entry;
    let input = entry.input.as_ref().or_else(|| begun?.entry.input.as_ref());
    let missing = begun.map_or(&entry.missing, |begun| &begun.entry.missing);
    let started_at = begun.map_or(started_at, |begun| &begun.started_at);
    let (output, error) = match &entry.outcome {
        Outcome::Output(_) if index == 0 => (trigger_output.clone(), Value::Null),
        Outcome::Output(output) => (output.clone(), Value::Null),
        Outcome::Failed(failure) => (Value::Null, json!(failure)),
        Outcome::Pending(_) => (Value::Null, Value::Null),
        Outcome::Stopped(stop) => (Value::Null, json!(stop.failure)),
    };
    let mut step = Map::new();
    for (key, value) in [
        ("id", json!(entry.step)),
        ("visit", json!(entry.visit)),
        ("action", json!(entry.action)),
        ("input", input.cloned().unwrap_or(Value::Null)),
        ("output", output),
        ("attempts", json!(attempts)),
        ("retries", json!(entry.retries)),
        ("missing", json!(missing)),
        ("startedAt", json!(started_at)),
        ("endedAt", json!(ended_at)),
        ("transition", transition(entry)),
        ("error", error),
    ] {
        step.insert(key.to_owned(), value);
    }
    if !entry.branch.is_empty() {
        step.insert("branch".to_owned(), json!(entry.branch));
    }
    if let Outcome::Pending(pending) = &entry.outcome {
        step.insert("waitsFor".to_owned(), waits_for(pending));
        step.insert("endedAt".to_owned(), Value::Null);
    }
    if let Some(answered) = answered {
        step.insert("answered".to_owned(), json!(answered));
    }
    if let Some(replayed) = replayed {
        let Replayed { at, key, from_hash, to_hash, request: _ } = replayed;
        let told = json!({ "at": at, "key": key, "fromHash": from_hash, "toHash": to_hash });
        step.insert("replayed".to_owned(), told);
    }
    if *is_kept {
        step.insert("kept".to_owned(), json!(true));
    }
    if let Some(error_case) = &entry.error_case {
        step.insert("errorCase".to_owned(), written(error_case));
    }
    Value::Object(step)
}

/// What a step that is not over waits for; the items of a loop stand in its input.
fn waits_for(pending: &Pending) -> Value {
    match pending {
        Pending::Wait(wait) => object([("wait", written(wait))]),
        Pending::Call(call) => json!({ "run": call.run, "workflow": call.workflow }),
        Pending::ForEach(each) => json!({ "items": each.items.len(), "concurrency": each.concurrency }),
        Pending::Parallel(parallel) => json!({ "branches": parallel.start, "join": parallel.join }),
    }
}

/// Masks what the workflow's variables and secret settings of apps have and had as values in what steps put out; the rest was masked when it was written.
async fn mask_secrets(store: &dyn Store, run: &Run, steps: &mut [Value]) -> Result<(), Refused> {
    let (variables, retired, apps) = try_join3(
        variables::all(store, run.org, run.workflow_id),
        variables::retired(store, run.org, run.workflow_id),
        installations::settings::of_org(store, run.org),
    )
    .await?;
    let variables = variables::values(variables);
    let setup = Setup { variables, retired, app_secrets: apps.secrets, ..Setup::default() };
    for output in steps.iter_mut().filter_map(|step| step.get_mut("output")) {
        setup.mask(output);
    }
    Ok(())
}

/// A part of the journal as JSON. Its values were read from JSON, so they can be written as such.
fn written<T: Serialize>(part: &T) -> Value {
    exact::value_of(part).unwrap_or_default()
}

fn transition(entry: &Entry) -> Value {
    written(&entry.transition)
}

/// How a webhook's transaction came; nothing for the other kinds.
fn source(stored: &StoredTransaction) -> Value {
    let Some(source) = &stored.source else { return Value::Null };
    json!({
        "app": source.app,
        "scheme": source.scheme,
        "method": source.method,
        "query": source.query,
        "headers": source.headers,
        "deliveryId": source.delivery_id,
    })
}

async fn trace(call: &Call<'_>, stored: &StoredTransaction) -> Result<Value, Refused> {
    let ids: Vec<RunId> = stored.considered.iter().filter_map(|considered| considered.run).collect();
    let heads = runs::find_run_heads(call.management.store.as_ref(), call.caller.org, &ids).await?;
    let mut considered = Vec::with_capacity(stored.considered.len());
    for Considered { workflow, name, hash, version, verdict, replaced_by, run, event, apps, caller } in
        &stored.considered
    {
        let event = event.and_then(|position| stored.events.get(usize::try_from(position).ok()?));
        let event = event.map_or(&stored.event, |event| &event.name);
        let workflow = json!({ "id": workflow, "name": name, "hash": hash, "version": version });
        let mut line = json!({ "workflow": workflow, "event": event, "verdict": verdict });
        if let (false, Some(line)) = (apps.is_empty(), line.as_object_mut()) {
            line.insert("apps".to_owned(), json!(apps));
        }
        if let (Some(caller), Some(line)) = (caller, line.as_object_mut()) {
            line.insert("caller".to_owned(), json!({ "run": caller.run, "transaction": caller.transaction }));
        }
        if let (Some(replaced_by), Some(line)) = (replaced_by, line.as_object_mut()) {
            line.insert("replacedBy".to_owned(), json!({ "id": replaced_by }));
        }
        let found = heads.iter().find(|(head, _)| Some(head.id) == *run);
        if let (Some(run), Some(line)) = (run, line.as_object_mut()) {
            line.insert("run".to_owned(), json!({ "id": run, "state": found.map(|(head, _)| head.state) }));
            let first = found.and_then(|(_, first)| first.as_ref());
            line.insert("transition".to_owned(), first.map_or(Value::Null, |first| transition(&first.entry)));
        }
        considered.push(line);
    }
    let misfit = stored.trigger.as_ref().and_then(|trigger| match &trigger.shape {
        Shape::Problem(sentence) => Some(sentence.as_str()),
        Shape::Output(_) => None,
    });
    let none_ran =
        match (stored.considered.is_empty(), stored.considered.iter().any(|considered| considered.run.is_some())) {
            (true, _) => Some("No workflow listens to this event."),
            (false, false) => Some("Every workflow that listens to this event is disabled or replaced."),
            (false, true) => None,
        };
    let reason = stored.not_fired.as_ref().map(|reason| reason.sentence.as_str()).or(misfit).or(none_ran);
    let trigger = stored.trigger.as_ref().map(|trigger| json!({ "app": trigger.app, "version": trigger.version }));
    Ok(object([
        ("event", json!(stored.event)),
        ("events", json!(stored.fired)),
        ("source", source(stored)),
        ("trigger", json!(trigger)),
        ("considered", Value::Array(considered)),
        ("reason", json!(reason)),
        ("notFired", json!(stored.not_fired)),
        ("notes", json!(stored.notes)),
    ]))
}
