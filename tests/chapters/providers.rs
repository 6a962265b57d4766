//! Every sample of every provider, through the doors: signed, taken, told as events, seen by the workflows that listen.

mod forged;

use std::{collections::BTreeMap, sync::Arc};

use apps::samples::{self, Sample};
use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    Answer,
    providers::{Connected, PoliteStore, WebHook, name_of},
    world::{NOON, World, workflow_of},
};

/// What every webhook fires beside its provider's events.
const ANY_WEBHOOK: &str = "concours.webhook.receive";

/// Fails with all problems at once.
#[track_caller]
fn check_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

fn check(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// What the provider is answered, as its documents ask for: status, content type, body.
fn is_own_reply(app: &str, answer: &Answer) -> bool {
    let content_type = answer.headers.get("content-type").map(|value| value.to_str().unwrap());
    match app {
        "twilio" => {
            (answer.status, content_type, answer.text.as_str()) == (200, Some("text/xml"), "<Response></Response>")
        }
        "meta" | "tiktok" | "postmark" | "gmail" | "slack" => (answer.status, answer.text.as_str()) == (200, ""),
        _ => answer.status == 202 && answer.body["data"]["type"] == "transaction",
    }
}

/// Delivers what is on the queue; the ids of the transactions, in the order of arrival.
async fn execute(world: &World) -> Vec<String> {
    let mut ids = Vec::new();
    for delivery in world.queue.receive(100, 60) {
        world.executor.execute(&delivery.body).await.unwrap();
        world.queue.delete(&delivery.receipt);
        ids.push(transaction_of(&delivery.body));
    }
    ids
}

fn transaction_of(message: &str) -> String {
    let message: Value = serde_json::from_str(message).unwrap();
    message["transaction"]["id"].as_str().unwrap().to_owned()
}

/// The aliases of an event.
fn aliases(app: &str, event: &str) -> Vec<String> {
    let specs = apps::find(app).unwrap().event_specs().iter();
    specs.filter(|spec| spec.name == event).flat_map(|spec| spec.aliases.clone()).collect()
}

/// The events that the sample states, each with what it says about the data.
fn stated(sample: &Sample) -> impl Iterator<Item = (&String, &Value)> {
    sample.other_events.iter().chain([(&sample.event, &sample.expect)])
}

/// A workflow for each event of the sample, for each of its aliases, and for the hook's own event; their ids by what they listen to.
async fn listen(world: &World, hook: &WebHook, sample: &Sample) -> BTreeMap<String, String> {
    let mut names = vec![hook.event.clone(), ANY_WEBHOOK.to_owned()];
    for (event, _) in stated(sample) {
        names.push(event.clone());
        names.extend(aliases(sample.app, event));
    }
    let mut workflows = BTreeMap::new();
    for name in names {
        let document = workflow_of(&name, &name, json!([{ "id": "end", "transitions": [] }]));
        workflows.insert(name, world.workflow(document).await);
    }
    workflows
}

/// How many runs all of them have.
async fn runs(world: &World, workflows: &BTreeMap<String, String>) -> usize {
    let mut count = 0;
    for id in workflows.values() {
        let answer = world.get(&format!("/v1/workflows/{id}/runs?pageSize=100")).await.expect(200);
        count += answer.body["data"].as_array().unwrap().len();
    }
    count
}

/// What the workflows saw as step 1, by what they listen to, and the names of the events that were fired.
#[derive(Default)]
struct Seen {
    outputs: BTreeMap<String, Vec<Value>>,
    fired: Vec<String>,
}

impl Seen {
    async fn of(world: &World, transactions: &[String]) -> Result<Self, String> {
        let mut seen = Self::default();
        for id in transactions {
            let transaction = world.get(&format!("/v1/transactions/{id}")).await.expect(200);
            let trace = &transaction.body["meta"]["trace"];
            for event in trace["events"].as_array().unwrap() {
                seen.fired.push(event.as_str().unwrap().to_owned());
            }
            for line in trace["considered"].as_array().unwrap() {
                let run = world.get(&format!("/v1/runs/{}", line["run"]["id"].as_str().unwrap())).await.expect(200);
                let mut output = run.attribute("steps")[0]["output"].clone();
                if line["event"] != trace["event"] {
                    check_envelope(&mut output, line, &transaction)?;
                }
                seen.outputs.entry(line["workflow"]["name"].as_str().unwrap().to_owned()).or_default().push(output);
            }
        }
        Ok(seen)
    }
}

/// Takes `event` and `payload` off what step 1 saw, and looks at them.
fn check_envelope(output: &mut Value, line: &Value, transaction: &Answer) -> Result<(), String> {
    let object = output.as_object_mut().unwrap();
    let (event, payload) = (object.shift_remove("event"), object.shift_remove("payload"));
    let data = transaction.attribute("data");
    check(payload.as_ref() == Some(&data), || format!("payload is {payload:?}, not {data}"))?;
    let event = event.unwrap_or_default();
    let source = &transaction.body["meta"]["trace"]["source"];
    let is_right = event["name"] == line["event"]
        && event["org"] == transaction.body["data"]["relationships"]["org"]["data"]["id"]
        && event["receivedAt"] == transaction.attribute("createdAt")
        && event["occurredAt"].as_str().and_then(Timestamp::parse).is_some()
        && event["id"].as_str().unwrap().starts_with(&transaction.id())
        && event["source"]
            == json!({
                "kind": "web_hook",
                "provider": source["app"],
                "hook": transaction.body["data"]["relationships"]["hook"]["data"]["id"],
                "deliveryId": source["deliveryId"],
                "verified": true,
                "transaction": transaction.id(),
            });
    check(is_right, || format!("event is {event}"))
}

/// The expected data as it is when the signature has set the time of the message.
fn as_signed(sample: &Sample, body: &[u8], expect: &Value) -> Value {
    if sample.app != "sns" {
        return expect.clone();
    }
    let time = |body: &[u8]| {
        let message: Value = serde_json::from_slice(body).unwrap();
        message["Timestamp"].as_str().unwrap().to_owned()
    };
    serde_json::from_str(&expect.to_string().replace(&time(&sample.body.bytes()), &time(body))).unwrap()
}

fn check_seen(sample: &Sample, body: &[u8], seen: &Seen) -> Result<(), String> {
    let none = Vec::new();
    for (event, expect) in stated(sample) {
        let outputs = seen.outputs.get(event).unwrap_or(&none);
        let expected = match as_signed(sample, body, expect) {
            Value::Array(list) => list,
            Value::Null if !outputs.is_empty() => outputs.clone(),
            one => vec![one],
        };
        check(*outputs == expected, || format!("{event} came as {outputs:?}, not as {expected:?}"))?;
        let fired = seen.fired.iter().filter(|fired| *fired == event).count();
        check(fired == expected.len(), || format!("{event} was fired {fired} times, not {}", expected.len()))?;
        for alias in aliases(sample.app, event) {
            let outputs = seen.outputs.get(&alias);
            check(outputs == Some(&expected), || format!("{alias}, alias of {event}, came as {outputs:?}"))?;
        }
    }
    let is_stated = |fired: &&String| *fired == ANY_WEBHOOK || stated(sample).any(|(event, _)| event == *fired);
    let unstated = seen.fired.iter().find(|fired| !is_stated(fired));
    check(unstated.is_none(), || format!("{unstated:?} was fired and not expected"))
}

/// One sample once, and once more.
async fn once_and_again(sample: &Sample) -> Result<(), String> {
    let world = World::new().await;
    let Connected { hook, letter, .. } = Connected::new(&world, sample).await;
    let workflows = listen(&world, &hook, sample).await;

    let answer = letter.send(&world).await;
    check(is_own_reply(sample.app, &answer), || format!("it was answered {answer:?}"))?;
    let transactions = execute(&world).await;
    let seen = Seen::of(&world, &transactions).await?;
    check_seen(sample, &letter.body, &seen)?;
    let count = runs(&world, &workflows).await;

    world.clock.pass_seconds(1);
    let again = letter.send(&world).await;
    check((again.status, &again.text) == (answer.status, &answer.text), || format!("again it was answered {again:?}"))?;
    let repeated = execute(&world).await;
    check(repeated.iter().all(|id| transactions.contains(id)), || "again it became new transactions".to_owned())?;
    let more = runs(&world, &workflows).await;
    check(more == count, || format!("again it started {} runs", more - count))?;
    twice_at_once(sample, transactions.len(), count).await
}

/// The sample twice at the same moment, which is as good as once.
async fn twice_at_once(sample: &Sample, transactions: usize, count: usize) -> Result<(), String> {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(PoliteStore(Arc::new(MemoryStore::new(clock.clone()))));
    let world = World::over(store, clock).await;
    let Connected { hook, letter, .. } = Connected::new(&world, sample).await;
    let workflows = listen(&world, &hook, sample).await;

    let (one, other) = tokio::join!(letter.send(&world), letter.send(&world));
    check((one.status, &one.text) == (other.status, &other.text), || format!("at once: {one:?} and {other:?}"))?;
    let messages: Vec<String> = world.queue.receive(100, 60).into_iter().map(|delivery| delivery.body).collect();
    let mut ids: Vec<String> = messages.iter().map(|message| transaction_of(message)).collect();
    ids.sort_unstable();
    ids.dedup();
    check(ids.len() == transactions, || format!("at once it became {} transactions", ids.len()))?;
    let (first, second) = messages.split_at(messages.len() / 2);
    for (first, second) in first.iter().zip(second) {
        let (one, other) = tokio::join!(world.executor.execute(first), world.executor.execute(second));
        one.and(other).map_err(|error| format!("at once: {error}"))?;
    }
    let started = runs(&world, &workflows).await;
    check(started == count, || format!("at once it started {started} runs, not {count}"))
}

#[tokio::test]
async fn every_sample_is_taken_and_told_as_its_events_however_often_it_comes() {
    let mut problems = Vec::new();
    for sample in samples::all() {
        if let Err(problem) = once_and_again(sample).await {
            problems.push(format!("{}: {problem}", name_of(sample)));
        }
    }
    check_none(problems);
}

#[tokio::test]
async fn a_sample_that_is_no_event_is_answered_alike_and_fires_nothing_of_its_own() {
    let mut problems = Vec::new();
    for sample in samples::silent() {
        // Pings and handshakes are answered on the spot.
        let becomes_transaction =
            !matches!(name_of(sample).as_str(), "cal/none~ping" | "github/none~ping" | "slack/none~url-verification");
        let world = World::new().await;
        let Connected { letter, .. } = Connected::new(&world, sample).await;
        let answer = letter.send(&world).await;
        let transactions = execute(&world).await;
        let seen = Seen::of(&world, &transactions).await.unwrap();
        let is_right = answer.status / 100 == 2
            && transactions.is_empty() != becomes_transaction
            && seen.fired.iter().all(|fired| fired == ANY_WEBHOOK);
        if !is_right {
            problems.push(format!("{}: {answer:?}, {:?}", name_of(sample), seen.fired));
        }
    }
    check_none(problems);
}
