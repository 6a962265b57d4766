//! Settings of an installed app: those of its definition, each of its type, and secrets that are never given out.

use serde_json::{Value, json};
use tests::world::{World, always, workflow_of};

use super::{ecommstore, ecommstore_in, installed, problems, register};

const PATH: &str = "/v1/apps/ecommstore/settings";
const SECRET: &str = "obviously-fake-Key-0123456789";

#[tokio::test]
async fn what_the_definition_names_holds_and_nothing_else_may_be_set() {
    let world = World::new().await;
    installed(&world, &ecommstore()).await;
    assert_eq!(world.get(PATH).await.expect(200).body["data"]["attributes"], json!({ "default": { "region": "eu" } }));
    let changed =
        world.api("PUT", PATH, json!({ "default": { "region": "us", "limit": 5.0, "apiKey": SECRET } })).await;
    let shown = json!({ "default": { "region": "us", "limit": 5.0, "apiKey": "••••6789" } });
    assert_eq!(changed.expect(200).body["data"]["attributes"].to_string(), shown.to_string());
    // Whoever sends back what was shown changes nothing.
    world.api("PUT", PATH, shown.clone()).await.expect(200);
    world.api("PUT", PATH, json!({ "default": { "region": null } })).await.expect(200);
    let app = world.get("/v1/apps/ecommstore").await.expect(200);
    assert_eq!(app.attribute("missingSettings"), json!([]));
    assert!(!app.text.contains(SECRET) && !world.get(PATH).await.text.contains(SECRET));
    assert_eq!(world.get(PATH).await.body["data"]["attributes"]["default"]["region"], "eu");

    for (sent, code, place) in [
        (json!({ "default": { "regoin": "us" } }), "unknown_setting", "$.default.regoin"),
        (json!({ "other": { "region": "us" } }), "unknown_setting", "$.other.region"),
        (json!({ "default": { "region": 5 } }), "bad_attribute", "$.default.region"),
        (json!({ "default": { "limit": "5" } }), "bad_attribute", "$.default.limit"),
        (json!({ "default": { "apiKey": "abc" } }), "bad_attribute", "$.default.apiKey"),
        (json!({ "default": { "apiKey": "x".repeat(4_097) } }), "bad_attribute", "$.default.apiKey"),
        (json!({ "default": { "apiKey": { "is": SECRET } } }), "bad_attribute", "$.default.apiKey"),
    ] {
        let answer = world.api("PUT", PATH, sent.clone()).await.expect(400);
        assert_eq!(problems(&answer), [(code.to_owned(), place.to_owned())], "{sent}");
        assert!(!answer.text.contains(SECRET), "{}", answer.text);
    }
    for bytes in [4, 4_096] {
        world.api("PUT", PATH, json!({ "default": { "apiKey": "x".repeat(bytes) } })).await.expect(200);
    }
}

/// A workflow over its own hook that puts the secret into a company's name, plainly and made into something else.
async fn run_with_the_secret(world: &World) -> (String, Value) {
    let hook = world.form_hook().await;
    let reads = "getAppSetting,ecommstore.default.apiKey";
    let conditions = json!([
        { "op": "eq", "values": [format!("/#fn:{reads}"), "nope"] },
        { "op": "eq", "values": ["{{{toUpper (getAppSetting 'ecommstore.default.apiKey')}}}", "nope"] },
        { "op": "eq", "values": ["{{{toUpper steps.a.name}}}", "nope"] },
    ]);
    let upper = json!({ "customer": "x", "body": "{{{toUpper steps.a.name}}} {{{getAppSetting 'ecommstore.default.apiKey'}}}" });
    let goes_on = json!([{ "errorAction": { "type": "continue" }, "condition": { "op": "and", "values": [] } }]);
    let steps = json!([
        { "id": "a", "action": "kustomer.company.create", "params": { "name": format!("/#fn:{reads}") }, "transitions": always("b") },
        { "id": "b", "action": "kustomer.note.create", "params": upper, "errorCases": goes_on,
          "transitions": [{ "target": "c", "condition": { "op": "or", "values": conditions } }] },
        { "id": "c", "transitions": [] },
    ]);
    world.workflow(workflow_of("reads-the-secret", &hook.event, steps)).await;
    let transaction = world.arrive(&hook, json!({})).await;
    (transaction.clone(), world.run_of(&transaction).await)
}

#[tokio::test]
async fn a_secret_reaches_the_step_and_nobody_who_reads_the_run() {
    let world = World::new().await;
    installed(&world, &ecommstore()).await;
    world.api("PUT", PATH, json!({ "default": { "apiKey": SECRET } })).await.expect(200);
    let (transaction, run) = run_with_the_secret(&world).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["steps"][1]["output"]["name"], "••••••••", "{run}");
    assert!(!run.to_string().to_lowercase().contains("obviously-fake"), "{run}");
    let company = run["steps"][1]["output"]["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/companies/{company}")).await.attribute("name"), SECRET);
    let question = json!({ "expression": "/#fn:getAppSetting,ecommstore.default.apiKey" });
    let told = world.api("POST", "/v1/evaluate", question).await.expect(200);
    assert_eq!(told.attribute("value"), "••••••••");

    // As long as runs are kept, a value that is none any more stays masked.
    let is_masked = async |what: &str| {
        let run = world.run_of(&transaction).await;
        assert!(!run.to_string().to_lowercase().contains("obviously-fake"), "{what}: {run}");
    };
    world.api("PUT", PATH, json!({ "default": { "apiKey": "another-fake-value-1234" } })).await.expect(200);
    is_masked("the value was changed").await;
    world.api("PUT", PATH, json!({ "default": { "apiKey": SECRET } })).await.expect(200);
    let mut without = ecommstore_in("0.0.2");
    without["settings"]["default"].as_object_mut().unwrap().shift_remove("apiKey");
    register(&world, &without).await.expect(201);
    world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(200);
    is_masked("the setting is in the definition no more").await;
    world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await.expect(204);
    is_masked("the app was uninstalled").await;
}

#[tokio::test]
async fn a_secret_that_a_newer_version_would_show_has_to_be_set_again_and_stays_masked() {
    let world = World::new().await;
    installed(&world, &ecommstore()).await;
    world.api("PUT", PATH, json!({ "default": { "apiKey": SECRET, "region": "us" } })).await.expect(200);
    let (transaction, _) = run_with_the_secret(&world).await;
    let mut open = ecommstore_in("0.0.2");
    open["settings"]["default"]["apiKey"]["type"] = json!("string");
    register(&world, &open).await.expect(201);
    world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(200);
    let shown = world.get(PATH).await.expect(200);
    assert_eq!(shown.body["data"]["attributes"], json!({ "default": { "region": "us" } }));
    assert_eq!(world.get("/v1/apps/ecommstore").await.attribute("missingSettings"), json!(["default.apiKey"]));
    let run = world.run_of(&transaction).await;
    assert!(!run.to_string().to_lowercase().contains("obviously-fake"), "{run}");
}

#[tokio::test]
async fn workflows_find_defaults_until_something_else_is_set() {
    let world = World::new().await;
    let read = async || {
        let hook = world.form_hook().await;
        let params = json!({ "name": "{{{getAppSetting 'ecommstore.default.region'}}}!" });
        let steps = json!([{ "id": "a", "action": "kustomer.company.create", "params": params, "transitions": [] }]);
        let workflow = world.workflow(workflow_of("reads", &hook.event, steps)).await;
        let name = world.run_of(&world.arrive(&hook, json!({})).await).await["steps"][1]["output"]["name"].clone();
        world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
        name
    };
    // What an org had set before the app was installed stays, as far as the definition takes it.
    let before = json!({ "default": { "region": "us", "limit": "many", "loose": 1 } });
    world.api("PUT", PATH, before).await.expect(200);
    installed(&world, &ecommstore()).await;
    assert_eq!(world.get(PATH).await.body["data"]["attributes"], json!({ "default": { "region": "us" } }));
    assert_eq!(read().await, "us!");
    world.api("PUT", PATH, json!({ "default": { "region": null } })).await.expect(200);
    assert_eq!(read().await, "eu!");
}
