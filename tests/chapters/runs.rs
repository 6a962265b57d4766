//! Runs: one for each transaction and workflow, whatever happens on the way.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::{
    Executor,
    memory::{FixedWorld, MemoryStore},
    ports::Item,
};
use tests::{
    faults::{Fault, FaultyStore},
    world::{NOON, World, always, tutorial_order, tutorial_workflow, workflow_of},
};

#[tokio::test]
async fn a_redelivered_transaction_starts_no_second_run_and_makes_no_second_order() {
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    let workflow = world.workflow(tutorial_workflow(&hook.event)).await;
    world.post(&hook, tutorial_order()).await.expect(202);
    let message = world.queue.receive(1, 60).remove(0).body;

    for _ in 0..3 {
        world.executor.execute(&message).await.unwrap();
    }

    let runs = world.get(&format!("/v1/workflows/{workflow}/runs")).await;
    assert_eq!(runs.body["data"].as_array().unwrap().len(), 1);
    let customers = world.customers().await;
    assert_eq!(world.timeline(customers[0]["id"].as_str().unwrap()).await.len(), 1);
}

#[tokio::test]
async fn a_redelivery_runs_the_workflows_that_listened_when_the_transaction_first_came() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "end", "transitions": [] }]);
    let first = world.workflow(workflow_of("first", &hook.event, steps.clone())).await;
    world.post(&hook, tutorial_order()).await.expect(202);
    let message = world.queue.receive(1, 60).remove(0).body;
    world.executor.execute(&message).await.unwrap();

    let late = world.workflow(workflow_of("late", &hook.event, steps)).await;
    world.api("DELETE", &format!("/v1/workflows/{first}"), Value::Null).await.expect(204);
    world.executor.execute(&message).await.unwrap();

    for (workflow, count) in [(first, 1), (late, 0)] {
        let runs = world.get(&format!("/v1/workflows/{workflow}/runs")).await;
        assert_eq!(runs.body["data"].as_array().unwrap().len(), count);
    }
}

/// What the tutorial leaves in the store when nothing fails, without times.
async fn crash_free_items() -> Vec<Item> {
    let (world, store) = world_with_order().await;
    world.work().await;
    store.items()
}

/// A world in which the tutorial's order is on the queue.
async fn world_with_order() -> (World, Arc<MemoryStore>) {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(store.clone(), clock).await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    world.workflow(tutorial_workflow(&hook.event)).await;
    world.post(&hook, tutorial_order()).await.expect(202);
    (world, store)
}

#[tokio::test]
async fn a_crash_at_any_call_of_the_store_ends_as_if_there_had_been_none() {
    let expected = crash_free_items().await;
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut crashes = 0;
        for offset in 0.. {
            let (world, store) = world_with_order().await;
            let faulty = Arc::new(FaultyStore::new(store.clone(), fault));
            let executor = Executor::new(faulty.clone(), world.queue.clone(), world.clock.clone());
            let message = world.queue.receive(1, 60).remove(0).body;

            faulty.fail_in(offset);
            let outcome = executor.execute(&message).await;
            if outcome.is_ok() {
                break;
            }
            crashes += 1;
            faulty.heal();
            // Another process takes the message up, as after a crash: it remembers nothing.
            Executor::new(store.clone(), world.queue.clone(), world.clock.clone()).execute(&message).await.unwrap();

            assert_eq!(store.items(), expected, "{fault:?} at call {offset}");
        }
        assert!(crashes >= 5, "{fault:?}: the executor calls the store at least five times, not {crashes}");
    }
}

#[tokio::test]
async fn a_run_that_was_written_halfway_is_carried_on_and_repeats_nothing() {
    // 120 companies take three writes, so that there are crashes between the writes of one run.
    let steps: Vec<Value> = (0..120)
        .map(|index| {
            let next = if index < 119 { always(&format!("s{}", index + 1)) } else { json!([]) };
            json!({ "id": format!("s{index}"), "action": "kustomer.company.create", "params": { "name": format!("c{index}") }, "transitions": next })
        })
        .collect();
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        for offset in 0.. {
            let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
            let store = Arc::new(MemoryStore::new(clock.clone()));
            let world = World::over(store.clone(), clock).await;
            let hook = world.form_hook().await;
            let workflow = world.workflow(workflow_of("long", &hook.event, json!(steps))).await;
            world.post(&hook, json!({})).await.expect(202);
            let message = world.queue.receive(1, 60).remove(0).body;
            let faulty = Arc::new(FaultyStore::new(store.clone(), fault));

            faulty.fail_in(offset);
            let outcome =
                Executor::new(faulty.clone(), world.queue.clone(), world.clock.clone()).execute(&message).await;
            faulty.heal();
            Executor::new(faulty, world.queue.clone(), world.clock.clone()).execute(&message).await.unwrap();

            let companies = store.items().iter().filter(|item| item.key.partition.contains("#company#")).count();
            assert_eq!(companies, 120, "{fault:?} at call {offset}");
            let runs = world.get(&format!("/v1/workflows/{workflow}/runs?state=succeeded")).await;
            let run = runs.body["data"][0]["id"].as_str().unwrap().to_owned();
            let run = world.get(&format!("/v1/runs/{run}")).await;
            assert_eq!(run.attribute("steps").as_array().unwrap().len(), 121, "{fault:?} at call {offset}");
            if outcome.is_ok() {
                assert!(offset >= 5, "the run takes at least three writes and two reads");
                break;
            }
        }
    }
}

#[tokio::test]
async fn two_orders_of_one_new_customer_at_the_same_time_make_one_customer() {
    let (world, _store) = world_with_order().await;
    let hook = world.get("/v1/hooks/form").await.body["data"][0]["attributes"]["url"].as_str().unwrap().to_owned();
    let path = hook.strip_prefix("http://hooks.test").unwrap();
    world.send("POST", path, &[("content-type", "application/json")], tutorial_order().to_string()).await.expect(202);
    let messages: Vec<_> = world.queue.receive(10, 60).into_iter().map(|delivery| delivery.body).collect();
    assert_eq!(messages.len(), 2);

    let (first, second) = tokio::join!(world.executor.execute(&messages[0]), world.executor.execute(&messages[1]));
    first.unwrap();
    second.unwrap();

    let customers = world.customers().await;
    assert_eq!(customers.len(), 1);
    assert_eq!(world.timeline(customers[0]["id"].as_str().unwrap()).await.len(), 2);
}

#[tokio::test]
async fn the_same_message_in_two_executors_at_once_makes_one_order() {
    let (world, store) = world_with_order().await;
    let message = world.queue.receive(1, 60).remove(0).body;
    let other = Executor::new(store, world.queue.clone(), world.clock.clone());

    let (first, second) = tokio::join!(world.executor.execute(&message), other.execute(&message));
    first.unwrap();
    second.unwrap();

    let customers = world.customers().await;
    assert_eq!(customers.len(), 1);
    assert_eq!(world.timeline(customers[0]["id"].as_str().unwrap()).await.len(), 1);
}

#[tokio::test]
async fn a_run_finishes_on_the_definition_it_began_with() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let create = |name: &str| json!([{ "id": "make", "action": "kustomer.company.create", "params": { "name": name }, "transitions": [] }]);
    let workflow = world.workflow(workflow_of("company", &hook.event, create("before"))).await;
    let transaction = world.arrive(&hook, json!({})).await;

    world.api("PUT", &format!("/v1/workflows/{workflow}"), json!({ "steps": create("after") })).await.expect(200);

    assert_eq!(world.run_of(&transaction).await["steps"][1]["output"]["name"], "before");
    let later = world.arrive(&hook, json!({})).await;
    assert_eq!(world.run_of(&later).await["steps"][1]["output"]["name"], "after");
}

#[tokio::test]
async fn a_message_that_is_no_transaction_is_refused() {
    let world = World::new().await;
    for message in ["", "{}", "not json", "{\"v\":2}", "[[[[[[[[["] {
        assert!(world.executor.execute(message).await.is_err(), "{message}");
    }
}

#[tokio::test]
async fn a_step_whose_reference_is_missing_fails_the_run_with_a_sentence() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "find", "action": "kustomer.customer.find-by-email", "params": { "email": "/#steps.1.attributes.data.mail" }, "transitions": [] }]);
    world.workflow(workflow_of("find", &hook.event, steps)).await;

    let transaction = world.arrive(&hook, tutorial_order()).await;

    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(run["error"]["code"], "missing_param");
    let missing = "The param `email` is missing. If it is a reference, what it points to was not there in this run.";
    assert_eq!(
        run["error"],
        json!({
            "code": "missing_param",
            "message": format!("Step \"find\" (kustomer.customer.find-by-email) failed: {missing}"),
            "step": "find",
            "action": "kustomer.customer.find-by-email",
            "visit": 1,
            "attempt": 1,
        })
    );
    assert_eq!(run["steps"][1]["error"], json!({ "code": "missing_param", "message": missing }));
    assert_eq!(run["steps"][1]["input"], json!({}));
    let led_nowhere = run["steps"][1]["missing"][0].as_str().unwrap();
    let begins = "`/#steps.1.attributes.data.mail` is missing: `steps.1.attributes.data` has no `mail`.";
    assert!(led_nowhere.starts_with(begins), "{led_nowhere}");
}

#[tokio::test]
async fn a_failed_step_leaves_nothing_behind_and_an_error_case_may_go_on() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([
        {
            "id": "message",
            "action": "kustomer.message.create",
            "params": { "customer": "581392b55ac7a2110099d9c8", "body": "hello" },
            "errorCases": [{ "condition": { "op": "and", "values": [] }, "errorAction": { "type": "continue" } }],
            "transitions": always("company"),
        },
        { "id": "company", "action": "kustomer.company.create", "params": { "name": "{{{error.code}}}" }, "transitions": [] },
    ]);
    world.workflow(workflow_of("go-on", &hook.event, steps)).await;

    let transaction = world.arrive(&hook, json!({})).await;

    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["steps"][1]["error"]["code"], "not_found");
    assert_eq!(run["steps"][2]["output"]["name"], "not_found");
}

#[tokio::test]
async fn a_retried_step_is_journaled_attempt_by_attempt_and_then_fails() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([{
        "id": "note",
        "action": "kustomer.note.create",
        "params": { "customer": "nobody", "body": "hello" },
        "errorCases": [{ "condition": { "op": "true", "values": [] }, "errorAction": { "type": "retry-action" } }],
        "transitions": [],
    }]);
    world.workflow(workflow_of("again", &hook.event, steps)).await;

    let transaction = world.arrive(&hook, json!({})).await;

    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "failed");
    let attempts: Vec<u64> =
        run["steps"].as_array().unwrap().iter().skip(1).map(|step| step["attempts"].as_u64().unwrap()).collect();
    assert_eq!(attempts, [1, 2, 3]);
}

#[tokio::test]
async fn a_loop_ends_after_1_000_visits_of_one_step() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([{
        "id": "loop",
        "transitions": [{ "target": "loop", "condition": { "op": "dne", "values": ["/#steps.1.attributes.data.stop"] } }],
    }]);
    world.workflow(workflow_of("loop", &hook.event, steps)).await;

    let transaction = world.arrive(&hook, json!({})).await;
    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(run["error"]["code"], "visit_limit");
    assert_eq!(run["steps"].as_array().unwrap().len(), 1_001);

    let stopped = world.arrive(&hook, json!({ "stop": 1 })).await;
    assert_eq!(world.run_of(&stopped).await["state"], "succeeded");
}

#[tokio::test]
async fn runs_are_listed_by_workflow_state_and_time_newest_first() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "company", "action": "kustomer.company.create", "params": { "name": "/#steps.1.attributes.data.name" }, "transitions": [] }]);
    let workflow = world.workflow(workflow_of("company", &hook.event, steps)).await;
    let mut transactions = Vec::new();
    for data in [json!({ "name": "a" }), json!({}), json!({ "name": "b" }), json!({ "name": "c" })] {
        transactions.push(world.arrive(&hook, data).await);
        world.clock.pass_seconds(60);
    }
    let listed = async |query: &str| -> Vec<String> {
        let answer = world.get(&format!("/v1/workflows/{workflow}/runs{query}")).await.expect(200);
        let runs = answer.body["data"].as_array().unwrap().clone();
        runs.iter().map(|run| run["attributes"]["transactionId"].as_str().unwrap().to_owned()).collect()
    };

    let newest_first: Vec<String> = transactions.iter().rev().cloned().collect();
    assert_eq!(listed("").await, newest_first);
    assert_eq!(listed("?state=failed").await, [transactions[1].clone()]);
    assert_eq!(listed("?state=cancelled").await, [] as [String; 0]);
    assert_eq!(
        listed("?from=2026-11-22T12:01:00Z&until=2026-11-22T12:03:00Z").await,
        [transactions[2].clone(), transactions[1].clone()]
    );

    let first = world.get(&format!("/v1/workflows/{workflow}/runs?pageSize=3")).await;
    assert_eq!(first.body["meta"], json!({ "page": 1, "pageSize": 3 }));
    let second = world.get(first.body["links"]["next"].as_str().unwrap()).await.expect(200);
    assert_eq!(second.body["data"][0]["attributes"]["transactionId"], transactions[0].as_str());
    assert_eq!(second.body["meta"]["page"], 2);
    assert_eq!(second.body["links"]["next"], Value::Null);
}

#[tokio::test]
async fn the_trace_tells_why_nothing_ran() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    let unheard = world.arrive(&hook, json!({})).await;
    let trace = |answer: tests::Answer| answer.body["meta"]["trace"].clone();
    let told = trace(world.get(&format!("/v1/transactions/{unheard}")).await);
    assert_eq!(told["reason"], "No workflow listens to this event.");
    assert_eq!(told["considered"], json!([]));

    let mut document = workflow_of("asleep", &hook.event, json!([{ "id": "end", "transitions": [] }]));
    document["enabled"] = json!(false);
    let workflow = world.workflow(document).await;
    let unstarted = world.arrive(&hook, json!({})).await;
    let told = trace(world.get(&format!("/v1/transactions/{unstarted}")).await);
    assert_eq!(told["reason"], "Every workflow that listens to this event is disabled or replaced.");
    assert_eq!(told["considered"][0]["verdict"], "disabled");

    world.api("PUT", &format!("/v1/workflows/{workflow}"), json!({ "enabled": true, "trigger": {
        "eventName": hook.event,
        "transitions": [{ "target": "end", "condition": { "op": "eq", "values": ["/#steps.1.attributes.data.kind", "order"] } }],
    } })).await.expect(200);
    let refused = world.arrive(&hook, json!({ "kind": "return" })).await;
    let told = trace(world.get(&format!("/v1/transactions/{refused}")).await);
    assert_eq!(told["considered"][0]["verdict"], "started");
    assert_eq!(told["considered"][0]["transition"]["target"], Value::Null);
    assert_eq!(
        told["considered"][0]["transition"]["conditions"][0]["verdict"],
        json!({
            "op": "eq",
            "values": ["return", "order"],
            "from": ["/#steps.1.attributes.data.kind", null],
            "result": false,
        })
    );
}

#[tokio::test]
async fn one_workflow_that_cannot_go_on_does_not_keep_another_from_its_run() {
    let world = World::new().await;
    let hook = world.form_hook().await;
    for name in ["first", "second"] {
        let steps = json!([{ "id": "company", "action": "kustomer.company.create", "params": { "name": name }, "transitions": [] }]);
        world.workflow(workflow_of(name, &hook.event, steps)).await;
    }
    let transaction = world.post(&hook, json!({})).await.expect(202).id();
    let message = world.queue.receive(1, 60).remove(0).body;
    let faulty = Arc::new(FaultyStore::new(world.store.clone(), Fault::Refuses));
    // Calls: who listens, admission, then the first workflow's definition.
    faulty.fail_in(2);
    assert!(Executor::new(faulty, world.queue.clone(), world.clock.clone()).execute(&message).await.is_err());

    let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
    let states: Vec<Value> =
        trace["considered"].as_array().unwrap().iter().map(|line| line["run"]["state"].clone()).collect();
    assert_eq!(states, [Value::Null, json!("succeeded")]);
}
