//! Actions of apps: what is called, what the step leaves, and which version a run is bound to.

use std::sync::Arc;

use serde_json::{Value, json};
use service::{
    memory::MemoryCalls,
    ports::{NotCalled, Unavailable},
};
use tests::world::{FormHook, World, always, workflow_of};

use super::{ecommstore_in, hook_of, installed, problems, register};

const URL: &str = "https://api.example/orders/o-1";
const SECRET: &str = "obviously-fake-Key-0123456789";
const FIND: &str = "kustomer.app.ecommstore.order.find";

/// The seed's definition with an action that finds an order, and a workflow that uses it for what is posted.
fn with_action(version: &str) -> Value {
    let mut definition = ecommstore_in(version);
    definition["triggers"] = json!([]);
    definition["actions"] = json!([{
        "name": "order.find",
        "type": "rest_api",
        "appSettings": { "key": { "key": "ecommstore.default.apiKey" }, "region": { "key": "ecommstore.default.region" } },
        "inputSchema": { "type": "object", "properties": { "orderId": { "type": "string", "minLength": 1 } }, "required": ["orderId"] },
        "inputTemplate": {
            "uri": "https://api.example/orders/{{orderId}}",
            "method": "post",
            "headers": { "Authorization": "Bearer {{{key}}}" },
            "data": { "region": "/#region", "note": "/#note" },
        },
        "outputTemplate": { "status": "/#response.statusCode", "order": "/#body" },
        "outputSchema": { "type": "object", "properties": { "order": { "type": "object" } }, "required": ["order"] },
    }]);
    let params = json!({ "orderId": "/#steps.1.attributes.data.orderId", "note": "/#steps.1.attributes.data.note", "key": "/#steps.1.attributes.data.key" });
    definition["workflows"][0]["steps"] = json!([
        { "id": "step2", "action": "order.find", "params": params, "appVersion": format!("ecommstore-^{version}"), "transitions": always("make") },
        { "id": "make", "action": "kustomer.company.create", "params": { "name": "/#steps.step2.order.name" }, "transitions": [] },
    ]);
    definition
}

/// A world that can call services, in which the app is installed and set up.
async fn world_with(definition: &Value) -> (World, Arc<MemoryCalls>, FormHook) {
    let mut world = World::new().await;
    let calls = Arc::<MemoryCalls>::default();
    let executor = service::Executor::new(world.store.clone(), world.queue.clone(), world.clock.clone());
    world.executor = executor.with_calls(calls.clone());
    let app = installed(&world, definition).await;
    world.api("PUT", "/v1/apps/ecommstore/settings", json!({ "default": { "apiKey": SECRET } })).await.expect(200);
    let hook = hook_of(&app, 0);
    (world, calls, hook)
}

fn answer(calls: &MemoryCalls, url: &str, body: &Value) {
    calls.answer(url, 200, &[("content-type", "application/json")], &body.to_string());
}

#[tokio::test]
async fn an_action_makes_its_call_of_params_and_settings_and_leaves_what_its_template_gives() {
    let (world, calls, hook) = world_with(&with_action("1.0.0")).await;
    answer(&calls, URL, &json!({ "name": "Acme", "total": 12.50 }));
    // Whoever posts `key` does not put it in the place of the setting.
    let posted = json!({ "orderId": "o-1", "note": "{{{key}}} /#key", "key": "stolen" });
    let run = world.run_of(&world.arrive(&hook, posted).await).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["steps"][1]["action"], FIND);
    assert_eq!(
        run["steps"][1]["output"].to_string(),
        json!({ "status": 200, "order": { "name": "Acme", "total": 12.50 } }).to_string()
    );
    assert_eq!(run["steps"][2]["output"]["name"], "Acme");

    let made = calls.made();
    let [call] = made.as_slice() else { panic!("{made:?}") };
    let key = call.headers.iter().find(|header| header.name() == "authorization").unwrap();
    assert_eq!((key.value(), key.is_credential()), (format!("Bearer {SECRET}").as_str(), true));
    let body: Value = serde_json::from_slice(&call.body.as_ref().unwrap().bytes).unwrap();
    assert_eq!(body, json!({ "region": "eu", "note": "{{{key}}} /#key" }));
    assert_eq!(call.headers.iter().find(|header| header.name() == "idempotency-key").unwrap().value(), {
        let id = world.get(&format!("/v1/transactions/{}", run["transactionId"].as_str().unwrap())).await;
        format!("{}/step2/1", id.body["meta"]["trace"]["considered"][0]["run"]["id"].as_str().unwrap())
    });
}

#[tokio::test]
async fn a_template_finds_no_setting_of_another_app_and_no_variable() {
    let mut spy = ecommstore_in("1.0.0");
    spy["app"] = json!("spy");
    spy["settings"] = json!({ "default": { "own": { "type": "string", "defaultValue": "mine" } } });
    for part in ["klasses", "hooks", "triggers", "workflows"] {
        spy[part] = json!([]);
    }
    spy["actions"] = json!([{
        "name": "look",
        "type": "rest_api",
        "inputTemplate": {
            "uri": URL,
            "method": "post",
            "data": {
                "own": "/#fn:getAppSetting,spy.default.own",
                "theirs": "/#fn:getAppSetting,ecommstore.default.apiKey",
                "too": "{{{getAppSetting 'ecommstore.default.apiKey'}}}",
            },
        },
        "outputTemplate": { "own": "/#fn:getAppSetting,spy.default.own", "theirs": "/#fn:getAppSetting,ecommstore.default.apiKey" },
    }]);
    let (world, calls, _) = world_with(&with_action("1.0.0")).await;
    installed(&world, &spy).await;
    answer(&calls, URL, &json!({}));
    let hook = world.form_hook().await;
    let steps = json!([{ "id": "a", "action": "kustomer.app.spy.look", "params": {}, "transitions": [] }]);
    world.workflow(workflow_of("looks", &hook.event, steps)).await;
    let run = world.run_of(&world.arrive(&hook, json!({})).await).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["steps"][1]["output"], json!({ "own": "mine" }));
    let body: Value = serde_json::from_slice(&calls.made()[0].body.as_ref().unwrap().bytes).unwrap();
    assert_eq!(body, json!({ "own": "mine", "too": "" }));
}

#[tokio::test]
async fn what_a_service_says_of_a_secret_is_masked_where_the_run_is_read() {
    let (world, calls, hook) = world_with(&with_action("1.0.0")).await;
    answer(&calls, URL, &json!({ "name": format!("you sent {SECRET}") }));
    let run = world.run_of(&world.arrive(&hook, json!({ "orderId": "o-1" })).await).await;
    assert_eq!(run["steps"][2]["output"]["name"], "you sent ••••••••", "{run}");
    assert!(!run.to_string().contains(SECRET), "{run}");
}

#[tokio::test]
async fn params_and_outputs_that_do_not_fit_fail_the_step_and_say_so() {
    for (posted, body, code, said) in [
        (json!({ "orderId": 5 }), json!({}), "wrong_params", "/orderId"),
        (json!({}), json!({}), "wrong_params", "orderId"),
        (json!({ "orderId": "o-1" }), json!([1]), "wrong_output", "/order"),
    ] {
        let (world, calls, hook) = world_with(&with_action("1.0.0")).await;
        answer(&calls, URL, &body);
        let run = world.run_of(&world.arrive(&hook, posted.clone()).await).await;
        assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!(code)), "{posted}: {run}");
        let message = run["error"]["message"].as_str().unwrap();
        assert!(message.contains(said) && message.contains(FIND), "{message}");
        assert_eq!(calls.made().len(), usize::from(code == "wrong_output"), "{posted}");
    }
}

#[tokio::test]
async fn without_templates_the_params_are_the_call_and_the_answer_is_the_output() {
    let mut definition = with_action("1.0.0");
    definition["actions"] = json!([{ "name": "order.find", "type": "rest_api" }]);
    definition["workflows"][0]["steps"] = json!([
        { "id": "step2", "action": "order.find", "params": { "uri": URL, "headers": { "x-a": "b" } }, "transitions": [] },
    ]);
    let (world, calls, hook) = world_with(&definition).await;
    answer(&calls, URL, &json!({ "a": 1 }));
    let run = world.run_of(&world.arrive(&hook, json!({})).await).await;
    assert_eq!(
        (&run["steps"][1]["output"]["body"], &run["steps"][1]["output"]["response"]["statusCode"]),
        (&json!({ "a": 1 }), &json!(200))
    );
    definition["version"] = json!("1.0.1");
    definition["workflows"][0]["steps"][0]["params"]["headers"] = json!("/#steps.1.attributes.data");
    register(&world, &definition).await.expect(201);
    world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(200);
    let run = world.run_of(&world.arrive(&hook, json!({ "authorization": "x" })).await).await;
    assert_eq!((&run["error"]["code"], calls.made().len()), (&json!("wrong_param"), 1), "{run}");
}

#[tokio::test]
async fn a_run_that_waits_finishes_on_the_version_it_began_with_though_the_app_is_upgraded_and_uninstalled() {
    for last in ["upgrade", "uninstall"] {
        let (world, calls, hook) = world_with(&with_action("1.0.0")).await;
        let down = || Unavailable { port: "calls", cause: "down".to_owned() };
        calls.script(URL, Err(NotCalled::NotSent(down())));
        answer(&calls, URL, &json!({ "name": "Old" }));
        let transaction = world.post(&hook, json!({ "orderId": "o-1" })).await.expect(202).id();
        let first = world.queue.receive(1, 60).remove(0);
        world.executor.execute(&first.body).await.unwrap();
        world.queue.delete(&first.receipt);
        assert_eq!(world.run_of(&transaction).await["state"], "waiting");

        let mut newer = with_action("2.0.0");
        newer["actions"][0]["inputTemplate"]["uri"] = json!("https://new.example/");
        newer["actions"][0]["inputSchema"] = json!({ "required": ["number"] });
        newer["workflows"][0]["steps"][0]["params"] = json!({ "number": 1 });
        register(&world, &newer).await.expect(201);
        world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(200);
        if last == "uninstall" {
            world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await.expect(204);
        }
        world.work_on(&world.executor).await;
        let run = world.run_of(&transaction).await;
        assert_eq!(
            (&run["state"], &run["steps"][3]["output"]["name"]),
            (&json!("succeeded"), &json!("Old")),
            "{last}: {run}"
        );
        let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
        assert_eq!(trace["considered"][0]["apps"], json!({ "ecommstore": "1.0.0" }));
        if last == "upgrade" {
            answer(&calls, "https://new.example/", &json!({ "name": "New" }));
            let run = world.run_of(&world.arrive(&hook, json!({})).await).await;
            assert_eq!(run["steps"][2]["output"]["name"], "New", "{run}");
        }
    }
}

#[tokio::test]
async fn workflows_of_the_org_use_actions_of_installed_apps_and_are_checked_against_them() {
    let (world, calls, _) = world_with(&with_action("1.0.0")).await;
    let hook = world.form_hook().await;
    let document = |action: &str, params: Value, range: &str| {
        let steps =
            json!([{ "id": "find", "action": action, "params": params, "appVersion": range, "transitions": [] }]);
        workflow_of("ours", &hook.event, steps)
    };
    let sound = json!({ "orderId": "o-1" });
    for (document, code, path) in [
        (
            document("kustomer.app.ecommstore.order.fnd", sound.clone(), "ecommstore-^1.0.0"),
            "unknown_action",
            "$.steps[0].action",
        ),
        (document("kustomer.app.other.find", sound.clone(), "other-^1.0.0"), "unknown_action", "$.steps[0].action"),
        (document(FIND, json!({}), "ecommstore-^1.0.0"), "missing_param", "$.steps[0].params"),
        (document(FIND, json!({ "orderId": 5 }), "ecommstore-^1.0.0"), "wrong_param", "$.steps[0].params.orderId"),
    ] {
        let answer = world.api("POST", "/v1/workflows", document).await.expect(400);
        assert_eq!(problems(&answer), [(code.to_owned(), path.to_owned())]);
    }
    let warned =
        world.api("POST", "/v1/workflows", document(FIND, sound.clone(), "ecommstore-^2.0.0")).await.expect(201);
    assert_eq!(warned.body["meta"]["warnings"][0]["code"], "app_version_unmet");
    let run = world.run_of(&world.arrive(&hook, json!({})).await).await;
    assert_eq!(run["error"]["code"], "app_version_unmet", "{run}");

    let path = format!("/v1/workflows/{}", warned.id());
    world.api("PUT", &path, document(FIND, sound, "ecommstore-^1.0.0")).await.expect(200);
    answer(&calls, URL, &json!({ "name": "Ours" }));
    assert_eq!(world.run_of(&world.arrive(&hook, json!({})).await).await["state"], "succeeded");

    // A newer version that has no such action, and none at all.
    let mut without = with_action("1.1.0");
    without["actions"] = json!([]);
    without["workflows"] = json!([]);
    register(&world, &without).await.expect(201);
    world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(200);
    let run = world.run_of(&world.arrive(&hook, json!({})).await).await;
    assert_eq!(run["error"]["code"], "unknown_action", "{run}");
    world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await.expect(204);
    let run = world.run_of(&world.arrive(&hook, json!({})).await).await;
    assert_eq!(run["error"]["code"], "app_not_installed", "{run}");
}

#[tokio::test]
async fn an_app_uses_actions_of_the_apps_that_it_depends_on() {
    let (world, calls, _) = world_with(&with_action("1.0.0")).await;
    let mut user = json!({ "app": "user", "version": "1.0.0", "title": "User", "dependencies": ["ecommstore-^1.0.0"] });
    user["hooks"] = json!([{ "eventName": "told", "type": "form" }]);
    let step = json!({ "id": "find", "action": FIND, "params": { "orderId": "o-1" }, "transitions": [] });
    user["workflows"] = json!([workflow_of("uses-another", "told", json!([step]))]);
    let app = installed(&world, &user).await;
    answer(&calls, URL, &json!({ "name": "Acme" }));
    let run = world.run_of(&world.arrive(&hook_of(&app, 0), json!({})).await).await;
    assert_eq!(run["steps"][1]["output"]["order"]["name"], "Acme", "{run}");
    user["version"] = json!("1.1.0");
    user["dependencies"] = json!([]);
    let refused = register(&world, &user).await.expect(400);
    assert_eq!(problems(&refused)[0], ("unknown_action".to_owned(), "$.workflows[0].steps[0].action".to_owned()));
}
