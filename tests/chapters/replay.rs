//! Replaying runs: from the step that failed, from the start, dry, many at once; and what another version would have done.

mod crashes;
mod dry;
mod failed;
mod many;
mod start;
mod what_if;

use domain::Failure;
use serde_json::{Value, json};
use service::ports::NotCalled;
use tests::{Answer, world::always};

use crate::rest::{Exchange, URL, header_of, step};

/// What a service says that takes nothing now.
fn refusal() -> NotCalled {
    NotCalled::Refused(Failure::new("closed", "The shop is closed."))
}

/// A customer, a call about her, and a note of what was answered.
fn steps() -> Value {
    json!([
        { "id": "customer", "action": "kustomer.customer.create", "params": { "email": "/#steps.1.attributes.data.email" }, "transitions": always("call") },
        step(json!({ "uri": URL, "method": "POST", "data": { "customer": "/#steps.customer.id" } }), always("note")),
        { "id": "note", "action": "kustomer.note.create", "params": { "customer": "/#steps.customer.id", "body": "{{steps.call.body.id}}" }, "transitions": [] },
    ])
}

fn data() -> Value {
    json!({ "email": "ann@example.com" })
}

/// One whose service refuses the first call and takes the others.
async fn refused() -> Exchange {
    let exchange = Exchange::with_steps(steps()).await;
    exchange.calls.script(URL, Err(refusal()));
    exchange.answer(201, &json!({ "id": "o-1" }));
    exchange
}

/// The ids of the workflow's runs, newest first.
async fn ids(exchange: &Exchange) -> Vec<String> {
    let path = format!("/v1/workflows/{}/runs?pageSize=100", exchange.workflow);
    let runs = exchange.world.get(&path).await.expect(200);
    runs.body["data"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

/// The id of the run that came first.
async fn first(exchange: &Exchange) -> String {
    ids(exchange).await.pop().unwrap()
}

async fn run(exchange: &Exchange, id: &str) -> Value {
    exchange.world.get(&format!("/v1/runs/{id}")).await.expect(200).body["data"]["attributes"].clone()
}

async fn replay(exchange: &Exchange, id: &str, draft: Value) -> Answer {
    exchange.world.api("POST", &format!("/v1/runs/{id}/replays"), draft).await
}

/// The same with an `Idempotency-Key`.
async fn replay_once(exchange: &Exchange, path: &str, key: &str, draft: &Value) -> Answer {
    let bearer = format!("Bearer {}", exchange.world.admin);
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
    exchange.world.send("POST", path, &headers, draft.to_string()).await
}

async fn work(exchange: &Exchange) {
    exchange.world.work_on(&exchange.world.executor).await;
}

/// Which steps ran in which branch, and which way they went.
fn way(run: &Value) -> Vec<String> {
    let steps = run["steps"].as_array().unwrap().iter();
    steps
        .map(|step| {
            let branch = step["branch"].as_str().map(|branch| format!("{branch}/")).unwrap_or_default();
            let retries = step["retries"].as_str().map(|word| format!(" {word}")).unwrap_or_default();
            let kept = if step["kept"] == true { " kept" } else { "" };
            format!("{branch}{}{retries}{kept}", step["id"].as_str().unwrap())
        })
        .collect()
}

/// The keys of the calls that were made, in order.
fn keys(exchange: &Exchange) -> Vec<String> {
    exchange.calls.made().iter().map(|call| header_of(call, "idempotency-key").unwrap()).collect()
}

/// Changes the workflow's steps, which makes another version of it.
async fn publish(exchange: &Exchange, steps: Value) {
    let path = format!("/v1/workflows/{}", exchange.workflow);
    exchange.world.api("PUT", &path, json!({ "steps": steps })).await.expect(200);
}
