//! What another version would have made of the runs that have been.

use serde_json::{Value, json};
use tests::world::{always, workflow_of};

use super::{data, publish, steps};
use crate::rest::Exchange;

/// Two runs of one workflow: one of a customer who ordered for 5, and one for 50.
async fn two_runs() -> Exchange {
    let exchange = Exchange::with_steps(branching(10)).await;
    exchange.answer(201, &json!({ "id": "o-1" }));
    for total in [5, 50] {
        exchange.run(json!({ "email": format!("c{total}@example.com"), "total": total })).await;
    }
    exchange
}

/// The steps, and a company made of orders over `least`.
fn branching(least: u32) -> Value {
    let mut steps = steps();
    steps[2]["transitions"] = json!([{ "target": "large", "condition": { "op": "gt", "values": ["/#steps.1.attributes.data.total", least] } }]);
    steps.as_array_mut().unwrap().push(json!({ "id": "large", "action": "kustomer.company.create", "params": { "name": "/#steps.1.attributes.data.email" }, "transitions": [] }));
    steps
}

async fn what_if(exchange: &Exchange, draft: Value) -> Value {
    let (before, made) = (exchange.store.items(), exchange.calls.made().len());
    let path = format!("/v1/workflows/{}/what-if", exchange.workflow);
    let answer = exchange.world.api("POST", &path, draft).await.expect(200);
    let is_kept = |items: Vec<service::ports::Item>| -> Vec<_> {
        items.into_iter().filter(|item| !item.key.partition.ends_with("#key-use")).collect()
    };
    assert_eq!(is_kept(before), is_kept(exchange.store.items()), "nothing is written");
    assert_eq!((made, exchange.world.queue.depth()), (exchange.calls.made().len(), 0), "nothing is sent");
    answer.body["data"]["attributes"].clone()
}

fn definition(exchange: &Exchange, steps: Value) -> Value {
    json!({ "definition": workflow_of("calls", &exchange.hook.event, steps) })
}

#[tokio::test]
async fn the_same_version_makes_no_difference() {
    let exchange = two_runs().await;
    let told = what_if(&exchange, definition(&exchange, branching(10))).await;
    assert_eq!(
        (&told["comparedCount"], &told["differentCount"], &told["stoppedCount"]),
        (&json!(2), &json!(0), &json!(0)),
        "{told}"
    );
    assert_eq!((&told["decisions"], &told["effects"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn what_a_run_found_is_taken_as_it_was_then_and_not_as_it_is_now() {
    let steps = json!([
        { "id": "look", "action": "kustomer.customer.find-by-email", "params": { "email": "/#steps.1.attributes.data.email" },
          "transitions": [{ "target": "known", "condition": { "op": "exists", "values": ["/#steps.look.id"] } }] },
        { "id": "known", "action": "kustomer.company.create", "params": { "name": "known" }, "transitions": [] },
    ]);
    let exchange = Exchange::with_steps(steps.clone()).await;
    exchange.run(data()).await;
    let ann = json!({ "name": "Ann", "email": "ann@example.com" });
    exchange.world.api("POST", "/v1/customers", ann).await.expect(201);
    let told = what_if(&exchange, definition(&exchange, steps)).await;
    assert_eq!((&told["comparedCount"], &told["differentCount"]), (&json!(1), &json!(0)), "{told}");
}

#[tokio::test]
async fn another_threshold_shows_which_runs_would_have_gone_another_way() {
    let exchange = two_runs().await;
    let told = what_if(&exchange, definition(&exchange, branching(1))).await;
    assert_eq!((&told["comparedCount"], &told["differentCount"]), (&json!(2), &json!(1)), "{told}");
    assert_eq!(told["effects"], json!([{ "step": "large", "change": "appears", "count": 1 }]));
    let changed = told["runs"].as_array().unwrap().iter().find(|run| run["isDifferent"] == true).unwrap();
    let decision = changed["decisions"].as_array().unwrap().iter().find(|one| one["step"] == "note").unwrap();
    assert_eq!((&decision["was"], &decision["becomes"]), (&Value::Null, &json!("large")), "{changed}");
    assert_eq!(changed["effects"][0]["becomes"], json!({ "name": "c5@example.com" }));

    let told = what_if(&exchange, definition(&exchange, branching(100))).await;
    assert_eq!(told["effects"], json!([{ "step": "large", "change": "vanishes", "count": 1 }]), "{told}");
}

#[tokio::test]
async fn a_draft_shows_which_calls_change_and_where_nobody_knows_more() {
    let exchange = two_runs().await;
    let mut version = branching(10);
    version[1]["params"]["data"]["source"] = json!("web");
    version[0]["transitions"] = always("first");
    version.as_array_mut().unwrap().push(json!({ "id": "first", "action": "kustomer.company.create", "params": { "name": "first" }, "transitions": always("call") }));
    exchange
        .world
        .api("PUT", &format!("/v1/workflows/{}/draft", exchange.workflow), json!({ "steps": version }))
        .await
        .expect(200);
    let told = what_if(&exchange, json!({ "draft": true })).await;
    assert_eq!(told["differentCount"], 2);
    assert_eq!(
        told["effects"],
        json!([{ "step": "call", "change": "changes", "count": 2 }, { "step": "first", "change": "appears", "count": 2 }]),
        "{told}"
    );
    assert_eq!(told["stoppedCount"], 0, "nothing depends on what the new step would leave");

    let mut version = branching(10);
    version[2]["transitions"] = always("first");
    version[3]["params"]["name"] = json!("large");
    version.as_array_mut().unwrap().push(json!({ "id": "first", "action": "kustomer.company.create", "params": { "name": "first" }, "transitions": [{ "target": "large", "condition": { "op": "eq", "values": ["/#steps.first.name", "first"] } }] }));
    let told = what_if(&exchange, definition(&exchange, version)).await;
    assert_eq!(told["stoppedCount"], 2, "{told}");
    assert_eq!(told["runs"][0]["stops"][0]["step"], "first");
}

#[tokio::test]
async fn runs_are_chosen_by_time_and_number() {
    let exchange = two_runs().await;
    let mut draft = definition(&exchange, branching(1));
    draft["limit"] = json!(1);
    assert_eq!(what_if(&exchange, draft.clone()).await["comparedCount"], 1);
    draft["until"] = json!("2026-11-22T11:00:00Z");
    let none = what_if(&exchange, draft).await;
    assert_eq!((&none["comparedCount"], &none["runs"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn what_is_asked_wrong_is_refused() {
    let exchange = two_runs().await;
    let path = format!("/v1/workflows/{}/what-if", exchange.workflow);
    let whole = workflow_of("calls", &exchange.hook.event, branching(1));
    for (draft, code) in [
        (json!({}), "bad_attribute"),
        (json!({ "draft": true, "definition": whole }), "bad_attribute"),
        (json!({ "definition": "calls" }), "bad_attribute"),
        (json!({ "definition": { "name": "x" } }), "missing_field"),
        (json!({ "definition": whole, "limit": 101 }), "bad_attribute"),
        (json!({ "definition": whole, "limit": 0 }), "bad_attribute"),
        (json!({ "definition": whole, "from": "yesterday" }), "bad_attribute"),
    ] {
        assert_eq!(exchange.world.api("POST", &path, draft.clone()).await.expect(400).code(), code, "{draft}");
    }
    assert_eq!(exchange.world.api("POST", &path, json!({ "draft": true })).await.expect(404).code(), "no_draft");
    let mut most = json!({ "definition": whole });
    most["limit"] = json!(100);
    exchange.world.api("POST", &path, most).await.expect(200);
    publish(&exchange, steps()).await;
    exchange.run(data()).await;
    assert_eq!(what_if(&exchange, definition(&exchange, steps())).await["comparedCount"], 3);
}
