//! Arrivals while something does not answer, or while their hook is paused: each is taken and runs once in the end, or is told
//! to come again.

mod faults;
mod pausing;
mod queue;
mod releasing;
mod store;

use std::sync::Arc;

use serde_json::{Value, json};
use service::ports::{Blobs, Queue, Store};
use tests::{
    Answer,
    faults::{Fault, Faulty, Fuse},
    providers::WebHook,
    world::{FormHook, World, workflow_of},
};

/// The fuses of a door's ports.
struct Fuses {
    store: Arc<Fuse>,
    queue: Arc<Fuse>,
    blobs: Arc<Fuse>,
}

/// Puts fuses before the ports of the doors that are posted to. The executor, the ticker and the API keep theirs.
fn fused(world: &mut World, fault: Fault) -> Fuses {
    let fuse = || Arc::new(Fuse::new(fault));
    let fuses = Fuses { store: fuse(), queue: fuse(), blobs: fuse() };
    world.door.store = Arc::new(Faulty::<dyn Store>::sharing(world.door.store.clone(), fuses.store.clone()));
    world.door.queue = Arc::new(Faulty::<dyn Queue>::sharing(world.door.queue.clone(), fuses.queue.clone()));
    world.door.blobs = Arc::new(Faulty::<dyn Blobs>::sharing(world.door.blobs.clone(), fuses.blobs.clone()));
    fuses
}

/// A workflow that listens to `event` and only ends.
async fn listener(world: &World, event: &str) -> String {
    world.workflow(workflow_of(&format!("listener-{event}"), event, json!([{ "id": "end", "transitions": [] }]))).await
}

/// The transactions that the workflow has run for, by their ids, which grow with time.
async fn ran_for(world: &World, workflow: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = Some(format!("/v1/workflows/{workflow}/runs?pageSize=100"));
    while let Some(path) = next {
        let page = world.get(&path).await.expect(200).body;
        let runs = page["data"].as_array().unwrap();
        found.extend(runs.iter().map(|run| run["attributes"]["transactionId"].as_str().unwrap().to_owned()));
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    found.sort();
    found
}

/// A webhook that anybody may post to.
async fn open_hook(world: &World, mut attributes: Value) -> WebHook {
    attributes["auth"] = json!({ "scheme": "none" });
    WebHook::new(world, attributes).await
}

async fn keyed(world: &World, path: &str, key: &str, body: &Value) -> Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    world.send("POST", path, &headers, body.to_string()).await
}

async fn set(world: &World, hook: &FormHook, attributes: Value) -> Answer {
    world.api("PATCH", &format!("/v1/hooks/form/{}", hook.id), attributes).await
}

/// What the hook holds, as the API lists it.
async fn held(world: &World, hook: &FormHook) -> Value {
    world.get(&format!("/v1/hooks/form/{}/held?pageSize=100", hook.id)).await.expect(200).body
}

fn ids(list: &Value) -> Vec<String> {
    list["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}
