//! Webhooks: who may post, what is answered, what is taken once and what is refused.

mod answers;
mod batches;
mod duplicates;
mod handshakes;
mod keys;
mod repeats;
mod room;
mod samples;
mod secrets;
mod signatures;
mod tape;
mod tokens;

use serde_json::json;
use tests::{Answer, providers::WebHook, world::World};

const JSON: (&str, &str) = ("content-type", "application/json");

/// A hook that anybody may post to.
async fn open_hook(world: &World) -> WebHook {
    WebHook::new(world, json!({ "auth": { "scheme": "none" } })).await
}

/// Posts `body` as JSON.
async fn post(world: &World, hook: &WebHook, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut all = vec![JSON];
    all.extend_from_slice(headers);
    world.send("POST", &hook.path, &all, body.to_owned()).await
}
