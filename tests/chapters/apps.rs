//! Apps that an org registers and installs, from the file to the company that a posted hook makes.

mod actions;
mod definitions;
mod interrupted;
mod lifecycle;
mod settings;
mod triggers;

use serde_json::{Value, json};
use tests::world::{Answer, FormHook, World};

/// The seed's definition, with the hook and the trigger that it needs.
fn ecommstore() -> Value {
    domain::exact::parse(include_str!("../fixtures/ecommstore.json")).unwrap()
}

/// The same as another version.
fn ecommstore_in(version: &str) -> Value {
    let mut definition = ecommstore();
    definition["version"] = json!(version);
    definition
}

async fn register(world: &World, definition: &Value) -> Answer {
    world.api("POST", "/v1/apps/available", definition.clone()).await
}

async fn install(world: &World, app: &str) -> Answer {
    world.api("POST", "/v1/apps", json!({ "app": app })).await
}

/// Registers and installs it.
async fn installed(world: &World, definition: &Value) -> Answer {
    register(world, definition).await.expect(201);
    install(world, definition["app"].as_str().unwrap()).await.expect(201)
}

/// The hook at `place` of an app's answer, a form.
fn hook_of(app: &Answer, place: usize) -> FormHook {
    let hook = &app.attribute("hooks")[place];
    let text = |key: &str| hook[key].as_str().unwrap_or_else(|| panic!("{hook}")).to_owned();
    let path = text("url").strip_prefix("http://hooks.test").unwrap().to_owned();
    let hash = path.rsplit('/').next().unwrap().to_owned();
    FormHook { id: text("id"), event: text("eventName"), path, hash }
}

/// Every problem's code and path, in their order.
fn problems(answer: &Answer) -> Vec<(String, String)> {
    let text = |error: &Value, pointer: &str| error.pointer(pointer).and_then(Value::as_str).unwrap_or("").to_owned();
    let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| (text(error, "/code"), text(error, "/source/path"))).collect()
}

#[tokio::test]
async fn the_app_of_the_seed_is_installed_from_its_file_and_makes_a_company_of_what_is_posted() {
    let world = World::new().await;
    let registered = register(&world, &ecommstore()).await.expect(201);
    assert_eq!(registered.id(), "ecommstore");
    let definition = registered.attribute("definition");
    for (pointer, name) in [
        ("/hooks/0/eventName", "kustomer.app.ecommstore.company.create"),
        ("/triggers/0/eventName", "kustomer.app.ecommstore.company.create"),
        ("/workflows/0/trigger/eventName", "kustomer.app.ecommstore.company.create"),
        ("/workflows/0/steps/0/action", "kustomer.company.create"),
    ] {
        assert_eq!(definition.pointer(pointer), Some(&json!(name)), "{pointer}");
    }
    let app = install(&world, "ecommstore").await.expect(201);
    assert_eq!((app.attribute("version"), app.attribute("state")), (json!("0.0.1"), json!("installed")));
    assert_eq!(app.attribute("klasses"), json!(["ecommstore-order"]));
    assert_eq!(app.attribute("missingSettings"), json!(["default.apiKey"]));

    let posted = json!({ "name": "Acme", "country": "Norway" });
    let transaction = world.arrive(&hook_of(&app, 0), posted).await;
    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["steps"][0]["output"], json!({ "companyName": "Acme", "told": "Acme of Norway" }));
    assert_eq!(run["steps"][1]["output"]["name"], "Acme");
    let company = run["steps"][1]["output"]["id"].as_str().unwrap();
    let company = world.get(&format!("/v1/companies/{company}")).await.expect(200);
    assert_eq!(company.attribute("name"), "Acme");
    let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
    assert_eq!(trace["trigger"], json!({ "app": "ecommstore", "version": "0.0.1" }));
}

#[tokio::test]
async fn apps_that_are_installed_and_those_that_are_built_in_are_one_list() {
    let world = World::new().await;
    let before = world.get("/v1/apps").await.expect(200).body["data"].as_array().unwrap().clone();
    assert!(before.iter().all(|app| app["attributes"]["source"] == "built-in"));
    installed(&world, &ecommstore()).await;
    let after = world.get("/v1/apps").await.expect(200).body["data"].as_array().unwrap().clone();
    assert_eq!((after[0]["id"].clone(), after.len()), (json!("ecommstore"), before.len() + 1));
    assert_eq!(after[0]["attributes"]["source"], "installed");
    assert_eq!(world.get("/v1/apps/ecommstore").await.expect(200).attribute("displayName"), "E-comm Store");
    assert_eq!(world.get("/v1/apps/shopify").await.expect(200).attribute("source"), "built-in");
    for (method, path) in [("PUT", "/v1/apps/shopify"), ("DELETE", "/v1/apps/shopify")] {
        assert_eq!(world.api(method, path, Value::Null).await.expect(409).code(), "built_in");
    }
}
