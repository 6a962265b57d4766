//! Waits, calls, loops and answers: what a run does over time, seen through the doors.

mod branches;
mod calls;
mod control;
mod crashes;
mod events;
mod fairness;
mod links;
mod recurring;
mod scheduled;
mod synchronous;
mod waits;

use serde_json::{Value, json};
use tests::{World, world::always};

/// A workflow that is called, with these steps; its id.
async fn callable(world: &World, name: &str, steps: Value) -> String {
    let first = steps[0]["id"].as_str().unwrap().to_owned();
    let trigger = json!({ "callable": true, "transitions": always(&first) });
    world.workflow(json!({ "name": name, "trigger": trigger, "steps": steps })).await
}

/// Calls the workflow without waiting for it, and gives the id of the run.
async fn called(world: &World, workflow: &str, inputs: Value) -> String {
    let path = format!("/v1/workflows/{workflow}/call?wait=0");
    let run = world.api("POST", &path, json!({ "inputs": inputs })).await.expect(202).id();
    world.work().await;
    run
}

/// A run of these steps.
async fn run_of(world: &World, steps: Value, inputs: Value) -> String {
    let workflow = callable(world, "story", steps).await;
    called(world, &workflow, inputs).await
}

async fn run(world: &World, id: &str) -> Value {
    world.get(&format!("/v1/runs/{id}")).await.expect(200).body["data"]["attributes"].clone()
}

/// The last entry of a step.
fn step<'r>(run: &'r Value, id: &str) -> &'r Value {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().rev().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id} in {run:#}"))
}

/// A step that leaves what it is given.
fn echo(id: &str, input: Value, transitions: Value) -> Value {
    json!({ "id": id, "action": "kustomer.transform.generic", "params": { "input": input }, "transitions": transitions })
}

const DAY: i64 = 86_400;
