//! Dead letters: what was given up is kept with its reason, holds nobody else up, and finds its way back.

mod keeping;
mod poison;
mod redriving;

use serde_json::{Value, json};
use tests::{
    Answer, World,
    letters::{given_up, work_to_the_end},
    schemas::misfits,
    world::{FormHook, workflow_of},
};

/// A hook, and a workflow that makes a company of each of its arrivals.
async fn company_hook(world: &World) -> FormHook {
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "make", "action": "kustomer.company.create", "transitions": [],
        "params": { "name": "/#steps.1.attributes.data.name" } }]);
    world.workflow(workflow_of("makes", &hook.event, steps)).await;
    hook
}

/// The names of all companies, in order.
async fn companies(world: &World) -> Vec<String> {
    let list = world.get("/v1/companies?pageSize=100").await.expect(200);
    let name = |company: &Value| company["attributes"]["name"].as_str().unwrap().to_owned();
    let mut names: Vec<String> = list.body["data"].as_array().unwrap().iter().map(name).collect();
    names.sort();
    names
}

/// The attributes of the dead letters that the query asks for.
async fn letters(world: &World, query: &str) -> Vec<Value> {
    let list = world.get(&format!("/v1/dead-letters?{query}")).await.expect(200);
    list.body["data"].as_array().unwrap().iter().map(|letter| letter["attributes"].clone()).collect()
}

async fn redrive(world: &World, wish: Value) -> Answer {
    world.api("POST", "/v1/dead-letters/redrive", wish).await
}

#[tokio::test]
async fn a_letter_is_read_with_its_message_its_reason_and_its_attempts() {
    let world = World::new().await;
    let hook = company_hook(&world).await;
    let body = r#"{"name":"n","big":9007199254740993,"e":1e400}"#;
    let transaction = world.post_as(&hook, "application/json", body).await.expect(202).id();
    let message = world.queue.receive(1, 60).remove(0).body;
    let id = given_up(&world, None, "m1", &message).await;

    let shown = world.get(&format!("/v1/dead-letters/{id}")).await.expect(200);

    assert_eq!(misfits("DeadLetter", &shown.body), [] as [String; 0]);
    for (name, value) in [
        ("state", json!("dead")),
        ("kind", json!("transaction")),
        ("attempts", json!(5)),
        ("bytes", json!(message.len())),
        ("event", json!(hook.event)),
        ("hookId", json!(hook.id)),
        ("transactionId", json!(transaction)),
        ("failedAt", json!("2026-11-22T12:00:00.000Z")),
        ("redrivenAt", Value::Null),
    ] {
        assert_eq!(shown.attribute(name), value, "{name}");
    }
    assert_eq!(shown.attribute("reason")["code"], "no_answer");
    assert!(shown.text.contains("9007199254740993") && shown.text.contains("1e400"), "{}", shown.text);
    assert_eq!(shown.attribute("message")["transaction"]["id"], transaction.as_str());
    let list = world.get("/v1/dead-letters").await.expect(200);
    assert_eq!(misfits("DeadLetterList", &list.body), [] as [String; 0]);
    assert_eq!(list.body["data"][0]["attributes"].get("message"), None, "a list reads no messages");
    assert_eq!(list.body["data"][0]["links"]["self"], format!("/v1/dead-letters/{id}"));
}

#[tokio::test]
async fn a_list_is_newest_first_and_narrowed_by_each_filter() {
    let world = World::new().await;
    let hook = company_hook(&world).await;
    world.post(&hook, json!({ "name": "n" })).await.expect(202);
    let message = world.queue.receive(1, 60).remove(0).body;
    for (name, body) in [("m1", "garbage"), ("m2", message.as_str()), ("m3", "[[["), ("m4", "more garbage")] {
        given_up(&world, Some(world.org), name, body).await;
        world.clock.pass_seconds(60);
    }
    let times = |letters: &[Value]| -> Vec<String> {
        letters.iter().map(|letter| letter["failedAt"].as_str().unwrap()[14..16].to_owned()).collect()
    };
    for (query, found) in [
        (String::new(), &["03", "02", "01", "00"][..]),
        ("kind=transaction".to_owned(), &["01"]),
        ("kind=unreadable".to_owned(), &["03", "02", "00"]),
        (format!("hook={}", hook.id), &["01"]),
        (format!("event={}", hook.event), &["01"]),
        ("reason=no_answer&from=2026-11-22T12:01:00Z&until=2026-11-22T12:03:00Z".to_owned(), &["02", "01"]),
        ("reason=panicked".to_owned(), &[]),
        ("state=redriven".to_owned(), &[]),
        ("state=dead".to_owned(), &["03", "02", "01", "00"]),
    ] {
        assert_eq!(times(&letters(&world, &query).await), found, "{query}");
    }
    let page = world.get("/v1/dead-letters?kind=unreadable&pageSize=2").await.expect(200);
    let next = page.body["links"]["next"].as_str().unwrap().to_owned();
    let rest = world.get(&next).await.expect(200);
    assert_eq!(page.body["data"].as_array().unwrap().len() + rest.body["data"].as_array().unwrap().len(), 3);

    for (query, wanted) in [
        ("state=alive", "one of dead, redriven"),
        ("kind=letter", "one of transaction, wake, told, deliver, scheduled, recurs, unreadable"),
        ("reason=bad", "one of unreadable, unavailable, panicked, timed_out, no_answer"),
        ("hook=1", "the id of a hook"),
        ("from=today", "an instant"),
        ("payload=1", "There is no query parameter `payload`"),
    ] {
        let refused = world.get(&format!("/v1/dead-letters?{query}")).await.expect(400);
        assert!(refused.text.contains(wanted), "{query}: {}", refused.text);
    }
}

#[tokio::test]
async fn a_discarded_letter_is_gone_with_its_message_and_the_audit_log_says_by_whom() {
    let world = World::new().await;
    let id = given_up(&world, Some(world.org), "m1", "garbage").await;
    let path = format!("/v1/dead-letters/{id}");

    world.api("DELETE", &path, Value::Null).await.expect(204);

    world.get(&path).await.expect(404);
    world.api("DELETE", &path, Value::Null).await.expect(404);
    world.api("POST", &format!("{path}/redrive"), Value::Null).await.expect(404);
    assert_eq!((letters(&world, "").await.len(), world.queue.depth()), (0, 0));
    let entry = world.get("/v1/audit-log?objectType=dead_letter").await.expect(200).body["data"][0].clone();
    assert_eq!(entry["attributes"]["operation"], "DiscardDeadLetter");
    assert_eq!(entry["attributes"]["objectId"], id.as_str());
    assert!(!entry.to_string().contains("garbage"), "{entry}");
}

#[tokio::test]
async fn letters_of_runs_events_deliveries_and_schedules_say_what_they_are_about() {
    let world = World::new().await;
    let steps = json!([{ "id": "ask", "action": "flow.wait", "params": { "answer": { "choices": ["yes"] } }, "transitions": [] }]);
    let mut callable = workflow_of("ask", "kustomer.app.made", steps);
    callable["trigger"]["callable"] = json!(true);
    let workflow = world.workflow(callable).await;
    let webhook = json!({ "url": "https://shop.example/told", "events": ["shop.paid"] });
    world.api("POST", "/v1/webhooks", webhook).await.expect(201);
    world.calls.answer("https://shop.example/told", 500, &[], "");
    world.api("POST", "/v1/events", json!({ "name": "shop.paid" })).await.expect(201);
    let run = world.api("POST", &format!("/v1/workflows/{workflow}/call?wait=0"), json!({})).await.expect(202).id();
    world.work().await;
    world.api("POST", &format!("/v1/runs/{run}/answers"), json!({ "choice": "yes" })).await.expect(200);
    let scheduled = json!({ "workflow": workflow, "runAt": { "type": "relative", "value": 1_000 } });
    world.api("POST", "/v1/scheduled-runs", scheduled).await.expect(201);
    let recurring = json!({ "title": "t", "workflow": workflow, "recurrence": { "every": { "minutes": 1 } } });
    world.api("POST", "/v1/recurring-schedules", recurring).await.expect(201);
    world.clock.pass_seconds(60);
    world.tick().await;
    world.clock.pass_seconds(900);
    for delivery in world.queue.receive(100, 60) {
        given_up(&world, None, &delivery.receipt, &delivery.body).await;
        world.queue.delete(&delivery.receipt);
    }

    for (kind, event) in
        [("told", "shop.paid"), ("deliver", "shop.paid"), ("wake", "-"), ("scheduled", "-"), ("recurs", "-")]
    {
        let found = letters(&world, &format!("kind={kind}")).await;
        let letter = found.first().unwrap_or_else(|| panic!("no {kind}"));
        if event != "-" {
            assert!(found.iter().any(|letter| letter["event"] == event), "{kind}: {found:?}");
        }
        assert_eq!(letter["runId"].is_string(), kind == "wake", "{kind}: {letter}");
    }
    let run_of = letters(&world, "kind=wake").await[0]["runId"].clone();
    assert_eq!(run_of, run.as_str());

    // All of them find their way back, and do what they should have done.
    redrive(&world, json!({ "perSecond": 100 })).await.expect(200);
    work_to_the_end(&world, &world.executor).await;
    assert_eq!(world.get(&format!("/v1/runs/{run}")).await.expect(200).attribute("state"), "succeeded");
    assert_eq!(letters(&world, "").await.len(), 0);
}
