//! Outbound webhooks: who is told of what, how it is signed, how often it is tried, and what its owner learns of it.

mod crashes;
mod failing;
mod resending;
mod settings;
mod signatures;
mod telling;

use domain::Timestamp;
use serde_json::{Value, json};
use service::ports::{OutgoingCall, World as _};
use tests::{schemas::misfits, world::World};

/// Where most stories have their endpoint.
const ENDPOINT: &str = "https://shop.example/told";

/// A webhook that a story has made.
struct Made {
    path: String,
    id: String,
    secret: String,
}

async fn webhook(world: &World, url: &str, events: &[&str]) -> Made {
    let made = world.api("POST", "/v1/webhooks", json!({ "url": url, "events": events })).await.expect(201);
    assert_eq!(misfits("NewWebhook", &made.body), Vec::<String>::new());
    let secret = made.attribute("secret").as_str().unwrap().to_owned();
    Made { path: format!("/v1/webhooks/{}", made.id()), id: made.id(), secret }
}

/// Publishes `shop.paid` and gives the event's id. Nothing is told yet.
async fn publish(world: &World) -> String {
    let draft = json!({ "name": "shop.paid", "data": { "orderId": "1234" } });
    world.api("POST", "/v1/events", draft).await.expect(201).id()
}

/// What the endpoint at `url` was told, in order.
fn told(world: &World, url: &str) -> Vec<OutgoingCall> {
    world.calls.made().into_iter().filter(|call| call.url == url).collect()
}

fn header(call: &OutgoingCall, name: &str) -> String {
    let found = call.headers.iter().find(|header| header.name() == name);
    found.unwrap_or_else(|| panic!("no {name} in {call:?}")).value().to_owned()
}

fn body(call: &OutgoingCall) -> Value {
    domain::exact::parse(std::str::from_utf8(&call.body.as_ref().unwrap().bytes).unwrap()).unwrap()
}

/// The deliveries to the webhook, newest first, of a state where `query` says so.
async fn deliveries(world: &World, made: &Made, query: &str) -> Vec<Value> {
    let list = world.get(&format!("{}/deliveries{query}", made.path)).await.expect(200);
    assert_eq!(misfits("DeliveryList", &list.body), Vec::<String>::new());
    list.body["data"].as_array().unwrap().clone()
}

/// The only delivery to the webhook, with its attempts.
async fn delivery(world: &World, made: &Made) -> Value {
    let all = deliveries(world, made, "").await;
    assert_eq!(all.len(), 1, "{all:?}");
    let whole = world.get(all[0]["links"]["self"].as_str().unwrap()).await.expect(200);
    assert_eq!(misfits("Delivery", &whole.body), Vec::<String>::new());
    whole.body["data"].clone()
}

/// The webhook as it is shown.
async fn shown(world: &World, made: &Made) -> Value {
    let shown = world.get(&made.path).await.expect(200);
    assert_eq!(misfits("Webhook", &shown.body), Vec::<String>::new());
    shown.body["data"]["attributes"].clone()
}

/// Lets `seconds` pass and everything happen in them at its time.
async fn pass(world: &World, seconds: i64) {
    let until = world.clock.now().plus_seconds(seconds);
    loop {
        world.work().await;
        match world.queue.next_visible_at() {
            Some(at) if at <= until => world.clock.set(at.max(world.clock.now())),
            Some(_) | None => break,
        }
    }
    world.clock.set(until);
}

/// The seconds from each instant to the next.
fn gaps(instants: &[Value]) -> Vec<i64> {
    let instants: Vec<i64> =
        instants.iter().map(|at| Timestamp::parse(at.as_str().unwrap()).unwrap().as_second()).collect();
    instants.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// One member of each.
fn all(values: &[Value], pointer: &str) -> Vec<Value> {
    values.iter().map(|value| value.pointer(pointer).cloned().unwrap_or_default()).collect()
}

fn attempts(delivery: &Value) -> Vec<Value> {
    delivery["attributes"]["attempts"].as_array().unwrap().clone()
}
