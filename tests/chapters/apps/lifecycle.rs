//! Install, upgrade, uninstall: what is there after each, also where something was in the way or came in between.

use serde_json::{Value, json};
use tests::world::{World, workflow_of};

use super::{ecommstore, ecommstore_in, hook_of, install, installed, problems, register};

#[tokio::test]
async fn what_the_org_has_already_is_in_the_way_and_nothing_is_made_then() {
    let event = "kustomer.app.ecommstore.company.create";
    let end = json!([{ "id": "end", "transitions": [] }]);
    for (path, draft, said) in [
        (
            "/v1/workflows",
            workflow_of("simple-company-create-workflow", event, end),
            "a workflow `simple-company-create-workflow`",
        ),
        ("/v1/klasses", json!({ "name": "ecommstore-order" }), "a klass `ecommstore-order`"),
        ("/v1/hooks/web", json!({ "title": "Mine", "eventName": event }), "the web hook"),
    ] {
        let world = World::new().await;
        let made = world.api("POST", path, draft).await.expect(201);
        register(&world, &ecommstore()).await.expect(201);
        let answer = install(&world, "ecommstore").await.expect(409);
        assert_eq!(answer.code(), "names_taken", "{path}");
        assert!(answer.text.contains(said), "{}", answer.text);
        assert_eq!(world.get("/v1/apps/ecommstore").await.expect(404).code(), "not_found");
        let count = async |path: &str| world.get(path).await.body["data"].as_array().unwrap().len();
        let counts = [count("/v1/workflows").await, count("/v1/klasses").await, count("/v1/hooks/form").await];
        assert!(counts.iter().sum::<usize>() <= 1, "{counts:?}");
        let sort = if path == "/v1/klasses" { "ecommstore-order".to_owned() } else { made.id() };
        world.api("DELETE", &format!("{path}/{sort}"), Value::Null).await.expect(204);
        install(&world, "ecommstore").await.expect(201);
    }
}

#[tokio::test]
async fn what_cannot_be_installed_says_why() {
    let world = World::new().await;
    assert_eq!(install(&world, "nothing").await.expect(404).code(), "unknown_app");
    register(&world, &ecommstore()).await.expect(201);
    for (body, status, code) in [
        (json!({ "app": "ecommstore", "version": "0.0.2" }), 404, "unknown_version"),
        (json!({ "version": "0.0.1" }), 400, "bad_attribute"),
        (json!({ "app": "ecommstore", "verson": "0.0.1" }), 400, "bad_attribute"),
        (json!({ "app": 5 }), 400, "bad_attribute"),
    ] {
        assert_eq!(world.api("POST", "/v1/apps", body.clone()).await.expect(status).code(), code, "{body}");
    }
    install(&world, "ecommstore").await.expect(201);
    assert_eq!(install(&world, "ecommstore").await.expect(409).code(), "already_installed");
    for (method, body) in [("PUT", json!({})), ("DELETE", Value::Null)] {
        assert_eq!(world.api(method, "/v1/apps/other", body).await.expect(404).code(), "not_found");
    }
}

#[tokio::test]
async fn dependencies_come_first_and_go_last() {
    let world = World::new().await;
    let app = |name: &str, version: &str, dependencies: Value| json!({ "app": name, "version": version, "title": "t", "dependencies": dependencies });
    register(&world, &app("base", "1.2.0", json!(["kustomer-^1.4.11", "hooks-^1.0.0", "shopify-^1.0.0"])))
        .await
        .expect(201);
    register(&world, &app("shop", "1.0.0", json!(["base-^1.1.0"]))).await.expect(201);
    let refused = install(&world, "shop").await.expect(409);
    assert!(refused.code() == "dependency_unmet" && refused.text.contains("install base ^1.1.0"), "{}", refused.text);
    install(&world, "base").await.expect(201);
    install(&world, "shop").await.expect(201);
    let refused = world.api("DELETE", "/v1/apps/base", Value::Null).await.expect(409);
    assert!(refused.code() == "needed_by" && refused.text.contains("shop"), "{}", refused.text);
    register(&world, &app("base", "2.0.0", json!([]))).await.expect(201);
    assert_eq!(world.api("PUT", "/v1/apps/base", json!({})).await.expect(409).code(), "needed_by");
    register(&world, &app("base", "2.1.0", json!([]))).await.expect(201);
    register(&world, &app("late", "1.0.0", json!(["base-^2.0.0"]))).await.expect(201);
    let refused = install(&world, "late").await.expect(409);
    assert!(refused.text.contains("base is installed as 1.2.0"), "{}", refused.text);
    for path in ["/v1/apps/shop", "/v1/apps/base"] {
        world.api("DELETE", path, Value::Null).await.expect(204);
    }
}

#[tokio::test]
async fn an_upgrade_keeps_addresses_and_ids_takes_the_old_away_and_never_goes_down() {
    let world = World::new().await;
    let before = installed(&world, &ecommstore()).await;
    let mut newer = ecommstore_in("0.1.0");
    newer["hooks"].as_array_mut().unwrap().push(json!({ "eventName": "order", "type": "web" }));
    newer["klasses"] = json!([{ "name": "ecommstore-refund" }]);
    newer["workflows"][0]["description"] = json!("Newer.");
    newer["workflows"].as_array_mut().unwrap().push(workflow_of(
        "second",
        "order",
        json!([{ "id": "end", "transitions": [] }]),
    ));
    register(&world, &newer).await.expect(201);
    register(&world, &ecommstore_in("0.2.0")).await.expect(201);
    let upgrade = async |version: &str| world.api("PUT", "/v1/apps/ecommstore", json!({ "version": version })).await;

    let after = upgrade("0.1.0").await.expect(200);
    assert_eq!(after.attribute("hooks")[0], before.attribute("hooks")[0]);
    assert_eq!(after.attribute("workflows")[0], before.attribute("workflows")[0]);
    assert_eq!(after.attribute("klasses"), json!(["ecommstore-refund"]));
    assert_eq!(
        (after.attribute("createdAt"), after.attribute("version")),
        (before.attribute("createdAt"), json!("0.1.0"))
    );
    let workflow = format!("/v1/workflows/{}", after.attribute("workflows")[0]["id"].as_str().unwrap());
    let shown = world.get(&workflow).await.expect(200);
    assert_eq!((shown.attribute("description"), shown.attribute("rev")), (json!("Newer."), json!(2)));
    assert_eq!(shown.body["data"]["relationships"]["app"]["data"]["id"], "ecommstore");
    world.get("/v1/klasses/ecommstore-order").await.expect(404);
    world.get("/v1/klasses/ecommstore-refund").await.expect(200);

    assert_eq!(upgrade("0.1.0").await.expect(200).body, after.body, "the same again changes nothing");
    assert_eq!(upgrade("0.0.1").await.expect(409).code(), "downgrade");
    assert_eq!(upgrade("9.0.0").await.expect(404).code(), "unknown_version");
    let last = upgrade("0.2.0").await.expect(200);
    let counts = ["hooks", "workflows", "klasses"].map(|key| last.attribute(key).as_array().unwrap().len());
    assert_eq!(counts, [1, 1, 1]);
    let gone = format!("/v1/workflows/{}", after.attribute("workflows")[1]["id"].as_str().unwrap());
    world.get(&gone).await.expect(404);
    let gone = &after.attribute("hooks")[1];
    world.get(&format!("/v1/hooks/web/{}", gone["id"].as_str().unwrap())).await.expect(404);
}

#[tokio::test]
async fn what_an_app_brought_along_is_the_apps_and_may_be_switched_off() {
    let world = World::new().await;
    let app = installed(&world, &ecommstore()).await;
    let workflow = format!("/v1/workflows/{}", app.attribute("workflows")[0]["id"].as_str().unwrap());
    let hook = format!("/v1/hooks/form/{}", app.attribute("hooks")[0]["id"].as_str().unwrap());
    for (method, path, body) in [
        ("PUT", workflow.clone(), json!({ "description": "Mine." })),
        ("PUT", format!("{workflow}/draft"), json!({ "description": "Mine." })),
        ("DELETE", workflow.clone(), Value::Null),
        ("DELETE", hook.clone(), Value::Null),
        ("DELETE", "/v1/klasses/ecommstore-order".to_owned(), Value::Null),
    ] {
        assert_eq!(world.api(method, &path, body).await.expect(409).code(), "owned_by_app", "{method} {path}");
    }
    // What an org sets of a hook, and adds to a klass, stays over an upgrade; so does that a workflow is switched off.
    world.api("PATCH", &hook, json!({ "title": "Ours", "debug": true })).await.expect(200);
    let ours = json!({ "metadata": { "properties": { "orderIdStr": {}, "oursStr": {} } } });
    world.api("PUT", "/v1/klasses/ecommstore-order", ours).await.expect(200);
    world.api("PUT", &workflow, json!({ "enabled": false })).await.expect(200);
    let mut newer = ecommstore_in("0.0.2");
    newer["workflows"][0]["description"] = json!("Newer.");
    newer["klasses"][0]["metadata"]["properties"]["totalNum"] = json!({});
    register(&world, &newer).await.expect(201);
    world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(200);
    assert_eq!(world.get(&hook).await.expect(200).attribute("title"), "Ours");
    let klass = world.get("/v1/klasses/ecommstore-order").await.expect(200).attribute("metadata");
    assert_eq!(
        klass["properties"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["orderIdStr", "oursStr", "totalNum"]
    );
    let shown = world.get(&workflow).await.expect(200);
    assert_eq!((shown.attribute("enabled"), shown.attribute("description")), (json!(false), json!("Newer.")));

    let without = json!({ "metadata": { "properties": { "oursStr": {} } } });
    let refused = world.api("PUT", "/v1/klasses/ecommstore-order", without).await.expect(409);
    assert_eq!(problems(&refused), [("owned_by_app".to_owned(), "$.metadata.properties".to_owned())]);
    assert!(refused.text.contains("orderIdStr, totalNum"), "{}", refused.text);
    let with = json!({ "metadata": { "properties": { "orderIdStr": {}, "totalNum": {}, "othersStr": {} } } });
    world.api("PUT", "/v1/klasses/ecommstore-order", with).await.expect(200);

    // A copy takes the place of the workflow.
    let mut copy = newer["workflows"][0].clone();
    copy["name"] = json!("our-own");
    copy["replaces"] = json!("simple-company-create-workflow");
    world.api("PUT", &workflow, json!({ "enabled": true })).await.expect(200);
    world.workflow(copy).await;
    let transaction = world.arrive(&hook_of(&app, 0), json!({ "name": "Acme" })).await;
    let trace = world.get(&format!("/v1/transactions/{transaction}")).await.body["meta"]["trace"].clone();
    let verdicts: Vec<&Value> = trace["considered"].as_array().unwrap().iter().map(|line| &line["verdict"]).collect();
    assert_eq!(verdicts, ["replaced", "started"]);
}

#[tokio::test]
async fn a_workflow_that_an_app_brings_switched_off_stays_as_the_org_has_switched_it() {
    let world = World::new().await;
    let off = |version: &str| {
        let mut definition = ecommstore_in(version);
        definition["workflows"][0]["enabled"] = json!(false);
        definition["workflows"][0]["description"] = json!(version);
        definition
    };
    let app = installed(&world, &off("0.0.1")).await;
    let workflow = format!("/v1/workflows/{}", app.attribute("workflows")[0]["id"].as_str().unwrap());
    assert_eq!(world.get(&workflow).await.expect(200).attribute("enabled"), false);
    world.api("PUT", &workflow, json!({ "enabled": true })).await.expect(200);
    register(&world, &off("0.0.2")).await.expect(201);
    world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(200);
    let shown = world.get(&workflow).await.expect(200);
    assert_eq!((shown.attribute("enabled"), shown.attribute("description")), (json!(true), json!("0.0.2")));
}

#[tokio::test]
async fn an_app_that_is_uninstalled_takes_everything_with_it_but_records_and_runs() {
    let world = World::new().await;
    let app = installed(&world, &ecommstore()).await;
    let hook = hook_of(&app, 0);
    let transaction = world.arrive(&hook, json!({ "name": "Acme" })).await;
    let run = world.run_of(&transaction).await;
    world.api("PUT", "/v1/apps/ecommstore/settings", json!({ "default": { "region": "us" } })).await.expect(200);
    world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await.expect(204);
    assert_eq!(world.post(&hook, json!({})).await.expect(404).code(), "unknown_address");
    for path in ["workflows", "klasses", "hooks/form"] {
        assert_eq!(world.get(&format!("/v1/{path}")).await.expect(200).body["data"], json!([]), "{path}");
    }
    assert_eq!(world.get("/v1/apps/ecommstore/settings").await.expect(200).body["data"]["attributes"], json!({}));
    assert_eq!(world.run_of(&transaction).await, run);
    let company = run["steps"][1]["output"]["id"].as_str().unwrap();
    world.get(&format!("/v1/companies/{company}")).await.expect(200);
    assert_eq!(world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await.expect(404).code(), "not_found");
    world.get("/v1/apps/available/ecommstore").await.expect(200);
    let again = install(&world, "ecommstore").await.expect(201);
    assert_ne!(again.attribute("hooks")[0]["id"], app.attribute("hooks")[0]["id"]);
    world.run_of(&world.arrive(&hook_of(&again, 0), json!({ "name": "Again" })).await).await;
}

#[tokio::test]
async fn workflows_of_one_app_find_each_other_by_the_ids_they_have_in_the_org() {
    let world = World::new().await;
    let own = "5f5a3d0b2c6a4e0019a1b2c3";
    let mut definition = ecommstore();
    definition["workflows"][0]["id"] = json!(own);
    definition["workflows"][0]["steps"][0]["params"]["name"] = json!(format!("by {own}"));
    let event = format!("kustomer.workflow.{own}.call");
    definition["workflows"].as_array_mut().unwrap().push(workflow_of(
        "second",
        &event,
        json!([{ "id": "end", "transitions": [] }]),
    ));
    let app = installed(&world, &definition).await;
    let ids: Vec<String> = app
        .attribute("workflows")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .collect();
    let first = world.get(&format!("/v1/workflows/{}", ids[0])).await.expect(200);
    assert_eq!(first.attribute("steps")[0]["params"]["name"], format!("by {}", ids[0]));
    let second = world.get(&format!("/v1/workflows/{}", ids[1])).await.expect(200);
    assert_eq!(second.attribute("trigger")["eventName"], format!("kustomer.workflow.{}.call", ids[0]));
    assert_ne!(ids[0], own);
}

#[tokio::test]
async fn an_app_with_an_email_hook_needs_mail() {
    let mut world = World::new().await;
    let mut definition = ecommstore();
    definition["hooks"][0]["type"] = json!("email");
    let app = installed(&world, &definition).await;
    let address = app.attribute("hooks")[0]["email"].as_str().unwrap().to_owned();
    assert!(address.ends_with("@hooks.example.net"), "{address}");
    world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await.expect(204);
    world.management.mail = None;
    assert_eq!(install(&world, "ecommstore").await.expect(404).code(), "mail_not_set_up");
}
