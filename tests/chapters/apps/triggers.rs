//! What step 1 sees of an app's event, fixed when the transaction is admitted.

use serde_json::{Value, json};
use tests::world::World;

use super::{ecommstore, hook_of, installed, register};

#[tokio::test]
async fn what_does_not_fit_the_schema_starts_no_run_and_the_trace_says_why() {
    let world = World::new().await;
    let app = installed(&world, &ecommstore()).await;
    let hook = hook_of(&app, 0);
    for (posted, said) in [(json!({ "country": "Norway" }), "companyName"), (json!({ "name": 5 }), "/companyName")] {
        let transaction = world.arrive(&hook, posted).await;
        let trace =
            world.get(&format!("/v1/transactions/{transaction}")).await.expect(200).body["meta"]["trace"].clone();
        assert_eq!(
            (&trace["considered"][0]["verdict"], &trace["considered"][0]["run"]),
            (&json!("misfit"), &Value::Null)
        );
        let reason = trace["reason"].as_str().unwrap();
        assert!(reason.contains("outputSchema") && reason.contains(said), "{reason}");
    }
    let workflow = app.attribute("workflows")[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v1/workflows/{workflow}/runs")).await.body["data"], json!([]));
}

#[tokio::test]
async fn a_value_that_takes_too_long_to_check_does_not_fit_and_one_that_is_large_is_only_judged() {
    let schema = |branches: usize| {
        let numbers = vec![json!({ "type": "number" }); branches];
        json!({ "type": "object", "properties": { "list": { "type": "array", "items": { "anyOf": numbers } } } })
    };
    let texts = |count: usize| json!({ "list": vec!["x"; count] });
    for (branches, posted, verdict, said) in [
        (2, texts(2), "misfit", "/list/0"),
        (2, json!({ "list": vec![1; 50_000] }), "started", ""),
        (200, texts(2_000), "misfit", "too large to say what"),
        (2_000, texts(20_000), "misfit", "too large to be held against"),
    ] {
        let world = World::new().await;
        let mut definition = ecommstore();
        definition["triggers"] = json!([{
            "eventName": "company.create",
            "outputTemplate": { "list": "/#data.list" },
            "outputSchema": schema(branches),
        }]);
        let app = installed(&world, &definition).await;
        let transaction = world.arrive(&hook_of(&app, 0), posted).await;
        let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
        assert_eq!(trace["considered"][0]["verdict"], verdict, "{branches}");
        assert!(trace["reason"].as_str().unwrap_or_default().contains(said), "{}", trace["reason"]);
    }
}

#[tokio::test]
async fn a_transaction_that_is_delivered_again_after_an_upgrade_gives_what_it_gave() {
    let world = World::new().await;
    let app = installed(&world, &ecommstore()).await;
    let hook = hook_of(&app, 0);
    let id = world.post(&hook, json!({ "name": "Acme" })).await.expect(202).id();
    let messages: Vec<String> = world.queue.receive(10, 600).into_iter().map(|delivery| delivery.body).collect();
    world.executor.execute(&messages[0]).await.unwrap();
    let first = world.run_of(&id).await;

    let mut newer = super::ecommstore_in("0.0.2");
    newer["triggers"][0]["outputTemplate"]["companyName"] = json!("Another {{data.name}}");
    register(&world, &newer).await.expect(201);
    world.api("PUT", "/v1/apps/ecommstore", json!({ "version": "0.0.2" })).await.expect(200);
    world.executor.execute(&messages[0]).await.unwrap();
    assert_eq!(world.run_of(&id).await, first);
    let next = world.arrive(&hook, json!({ "name": "Acme" })).await;
    assert_eq!(world.run_of(&next).await["steps"][1]["output"]["name"], "Another Acme");
}

#[tokio::test]
async fn without_a_template_and_without_the_app_step_1_is_the_transaction() {
    let world = World::new().await;
    let mut definition = ecommstore();
    definition["triggers"][0].as_object_mut().unwrap().shift_remove("outputTemplate");
    definition["workflows"][0]["steps"][0]["params"]["name"] = json!("/#steps.1.attributes.data.name");
    let app = installed(&world, &definition).await;
    let run = world.run_of(&world.arrive(&hook_of(&app, 0), json!({ "name": "Acme" })).await).await;
    assert_eq!(
        (&run["steps"][0]["output"]["type"], &run["steps"][1]["output"]["name"]),
        (&json!("transaction"), &json!("Acme"))
    );
}

#[tokio::test]
async fn a_template_takes_any_shape_of_data_and_finds_its_creation() {
    for (template, posted, output) in [
        (json!("/#data"), json!({ "a": [1.50] }), json!({ "a": [1.50] })),
        (
            json!({ "all": "/#data.items", "first": "/#data.items[0].id" }),
            json!({ "items": [{ "id": 1 }] }),
            json!({ "all": [{ "id": 1 }], "first": 1 }),
        ),
        (
            json!({ "at": "/#createdAt", "loud": "/#fn:toUpper,data.name" }),
            json!({ "name": "x" }),
            json!({ "at": "2026-11-22T12:00:00.000Z", "loud": "X" }),
        ),
        (json!({ "gone": "/#data.nothing", "list": ["/#data.nothing"] }), json!({}), json!({ "list": [null] })),
        (
            json!({ "plain": "/#data./#steps.1", "text": "{{data.evil}}" }),
            json!({ "evil": "{{data.evil}} /#data" }),
            json!({ "text": "{{data.evil}} /#data" }),
        ),
    ] {
        let world = World::new().await;
        let mut definition = ecommstore();
        definition["triggers"] = json!([{ "eventName": "company.create", "outputTemplate": template }]);
        definition["workflows"][0]["steps"] = json!([{ "id": "step2", "transitions": [] }]);
        let app = installed(&world, &definition).await;
        let run = world.run_of(&world.arrive(&hook_of(&app, 0), posted).await).await;
        assert_eq!(run["steps"][0]["output"].to_string(), output.to_string(), "{template}");
    }
}

#[tokio::test]
async fn a_template_that_passes_a_limit_starts_no_run() {
    let world = World::new().await;
    let mut definition = ecommstore();
    let doubled: Vec<&str> = std::iter::repeat_n("/#data", 200).collect();
    definition["triggers"] = json!([{ "eventName": "company.create", "outputTemplate": { "many": doubled } }]);
    let app = installed(&world, &definition).await;
    let transaction = world.arrive(&hook_of(&app, 0), json!({ "text": "x".repeat(10_000) })).await;
    let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
    assert_eq!(trace["considered"][0]["verdict"], "misfit");
    assert!(trace["reason"].as_str().unwrap().contains("1048576 bytes"), "{trace}");
}
