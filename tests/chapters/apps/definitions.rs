//! What is refused when a version is registered, all of it at once, and what is kept.

use serde_json::{Value, json};
use tests::world::{World, workflow_of};

use super::{ecommstore, ecommstore_in, problems, register};

/// The seed's definition with `value` at the pointer, or without what is there.
fn with(pointer: &str, value: Value) -> Value {
    let mut definition = ecommstore();
    let (owner, key) = pointer.rsplit_once('/').unwrap();
    match definition.pointer_mut(owner).unwrap() {
        Value::Object(members) if value.is_null() => drop(members.shift_remove(key)),
        Value::Object(members) => drop(members.insert(key.to_owned(), value)),
        Value::Array(elements) => elements.push(value),
        other => panic!("{owner} is {other}"),
    }
    definition
}

#[tokio::test]
async fn every_fault_is_refused_by_its_code_and_place() {
    let world = World::new().await;
    let hook = |name: &str, kind: &str| json!({ "eventName": name, "type": kind });
    let rest = |name: &str| json!({ "name": name, "type": "rest_api" });
    let action = |key: &str, value: Value| {
        let mut action = rest("find");
        action[key] = value;
        json!([action])
    };
    let setting = |value: Value| json!({ "default": { "region": value } });
    for (pointer, value, code, path) in [
        ("/app", Value::Null, "missing_field", "$.app"),
        ("/version", Value::Null, "missing_field", "$.version"),
        ("/title", Value::Null, "missing_field", "$.title"),
        ("/title", json!(""), "empty_field", "$.title"),
        ("/title", json!("t".repeat(257)), "too_long", "$.title"),
        ("/app", json!("e-commstore"), "bad_name", "$.app"),
        ("/app", json!("my store"), "bad_name", "$.app"),
        ("/app", json!("Store"), "bad_name", "$.app"),
        ("/app", json!("kustomer"), "reserved_name", "$.app"),
        ("/app", json!("shopify"), "reserved_name", "$.app"),
        ("/app", json!("mail"), "reserved_name", "$.app"),
        ("/app", json!("available"), "reserved_name", "$.app"),
        ("/version", json!("1"), "bad_version", "$.version"),
        ("/version", json!("v1.0.0"), "bad_version", "$.version"),
        ("/version", json!("1.0.0+build"), "bad_version", "$.version"),
        ("/version", json!(1), "wrong_type", "$.version"),
        ("/workflow", json!([]), "unknown_key", "$.workflow"),
        ("/visibility", json!("secret"), "unknown_visibility", "$.visibility"),
        ("/description", json!("d".repeat(4_097)), "too_long", "$.description"),
        ("/dependencies", json!("kustomer-^1.0.0"), "wrong_type", "$.dependencies"),
        ("/dependencies", json!(["kustomer"]), "bad_dependency", "$.dependencies[0]"),
        ("/dependencies", json!([5]), "wrong_type", "$.dependencies[0]"),
        ("/dependencies", json!(["kustomer-^2.0.0"]), "dependency_unmet", "$.dependencies[0]"),
        ("/dependencies", json!(["ecommstore-^1.0.0"]), "cyclic_dependency", "$.dependencies[0]"),
        ("/dependencies", json!(["hooks-^1.0.0", "hooks-^1.1.0"]), "duplicate_name", "$.dependencies[1]"),
        ("/hooks/1", hook("company.create", "form"), "duplicate_name", "$.hooks[1].eventName"),
        ("/hooks/1", hook("kustomer.app.other.x", "form"), "foreign_name", "$.hooks[1].eventName"),
        ("/hooks/1", hook("kustomer.company.create", "form"), "foreign_name", "$.hooks[1].eventName"),
        ("/hooks/1", hook("company create", "form"), "bad_name", "$.hooks[1].eventName"),
        ("/hooks/1", hook("", "form"), "empty_field", "$.hooks[1].eventName"),
        (
            "/hooks/1",
            hook(&"e".repeat(257 - "kustomer.app.ecommstore.".len()), "form"),
            "too_long",
            "$.hooks[1].eventName",
        ),
        ("/hooks/1", hook("x", "fax"), "unknown_type", "$.hooks[1].type"),
        ("/hooks/1", json!({ "eventName": "x" }), "missing_field", "$.hooks[1].type"),
        ("/hooks/1", json!("x"), "wrong_type", "$.hooks[1]"),
        ("/triggers/1", json!({ "eventName": "company.create" }), "duplicate_name", "$.triggers[1].eventName"),
        (
            "/triggers/0/outputTemplate",
            json!({ "a": "{{#if data.x}}" }),
            "bad_template",
            "$.triggers[0].outputTemplate.a",
        ),
        ("/triggers/0/outputSchema", json!({ "type": "text" }), "bad_schema", "$.triggers[0].outputSchema"),
        ("/triggers/0/outputSchema", json!({ "$ref": "#" }), "bad_schema", "$.triggers[0].outputSchema"),
        (
            "/triggers/0/outputSchema",
            json!({ "title": "t".repeat(65_536) }),
            "bad_schema",
            "$.triggers[0].outputSchema",
        ),
        ("/settings", json!([]), "wrong_type", "$.settings"),
        ("/settings", setting(json!({})), "missing_field", "$.settings.default.region.type"),
        ("/settings", setting(json!({ "type": "date" })), "unknown_type", "$.settings.default.region.type"),
        (
            "/settings",
            setting(json!({ "type": "number", "defaultValue": "5" })),
            "wrong_type",
            "$.settings.default.region.defaultValue",
        ),
        (
            "/settings",
            setting(json!({ "type": "secret", "defaultValue": "s3cret" })),
            "secret_in_definition",
            "$.settings.default.region.defaultValue",
        ),
        ("/settings", json!({ "de fault": {} }), "bad_name", "$.settings['de fault']"),
        ("/klasses/1", json!({ "name": "ecommstore-order" }), "duplicate_name", "$.klasses[1].name"),
        ("/klasses/1", json!({ "name": "order" }), "foreign_name", "$.klasses[1].name"),
        ("/klasses/1", json!({ "name": "ecommstore-an order" }), "bad_name", "$.klasses[1].name"),
        ("/klasses/1", json!({ "name": "order", "metadata": { "standard": true } }), "bad_name", "$.klasses[1].name"),
        (
            "/klasses/0/metadata",
            json!({ "properties": { "order": {} } }),
            "bad_attribute",
            "$.klasses[0].metadata.properties.order",
        ),
        ("/actions", action("type", json!("kode")), "unsupported_type", "$.actions[0].type"),
        ("/actions", action("type", json!("rest")), "unknown_type", "$.actions[0].type"),
        (
            "/actions",
            json!([rest("find"), rest("kustomer.app.ecommstore.find")]),
            "duplicate_name",
            "$.actions[1].name",
        ),
        ("/actions", json!([rest("kustomer.company.create")]), "foreign_name", "$.actions[0].name"),
        ("/actions", action("inputSchema", json!({ "properties": [] })), "bad_schema", "$.actions[0].inputSchema"),
        (
            "/actions",
            action("inputTemplate", json!({ "uri": "/#" })),
            "bad_reference",
            "$.actions[0].inputTemplate.uri",
        ),
        ("/actions", action("inputTemplate", json!("/#call")), "unwritten_headers", "$.actions[0].inputTemplate"),
        (
            "/actions",
            action("inputTemplate", json!({ "headers": "/#h" })),
            "unwritten_headers",
            "$.actions[0].inputTemplate",
        ),
        (
            "/actions",
            action("appSettings", json!({ "key": { "key": "ecommstore.default.apikey" } })),
            "unknown_setting",
            "$.actions[0].appSettings.key.key",
        ),
        (
            "/actions",
            action("appSettings", json!({ "key": { "key": "other.default.apiKey" } })),
            "unknown_setting",
            "$.actions[0].appSettings.key.key",
        ),
        ("/workflows/1", ecommstore()["workflows"][0].clone(), "duplicate_name", "$.workflows[1].name"),
        ("/workflows/1", json!({ "steps": [] }), "missing_field", "$.workflows[1].name"),
        ("/workflows/0/steps/0/action", json!("company.create"), "unknown_action", "$.workflows[0].steps[0].action"),
        (
            "/workflows/0/steps/0/action",
            json!("kustomer.app.other.find"),
            "unknown_action",
            "$.workflows[0].steps[0].action",
        ),
        ("/workflows/0/steps/0/params", json!({}), "missing_param", "$.workflows[0].steps[0].params"),
        ("/workflows/0/trigger/transitions", Value::Null, "missing_field", "$.workflows[0].trigger.transitions"),
    ] {
        let answer = register(&world, &with(pointer, value.clone())).await.expect(400);
        let told = problems(&answer);
        assert!(told.contains(&(code.to_owned(), path.to_owned())), "{pointer} {value}: {told:?}");
        let sentences = answer.body["errors"].as_array().unwrap();
        assert!(sentences.iter().all(|error| error["detail"].as_str().unwrap().ends_with(['.', '?'])), "{sentences:?}");
    }
    assert_eq!(world.get("/v1/apps/available").await.expect(200).body["data"], json!([]));
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let world = World::new().await;
    let mut definition = ecommstore();
    definition["version"] = json!("one");
    definition["wokflows"] = json!([]);
    definition["hooks"][0]["type"] = json!("from");
    definition["workflows"][0]["steps"][0]["action"] = json!("kustomer.company.creat");
    let answer = register(&world, &definition).await.expect(400);
    let told: Vec<String> = problems(&answer).into_iter().map(|(code, _)| code).collect();
    for code in ["bad_version", "unknown_key", "unknown_type", "unknown_action"] {
        assert!(told.iter().any(|told| told == code), "{code} is not in {told:?}");
    }
    let suggestions: Vec<Value> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| error["meta"]["suggestion"].clone()).collect();
    for suggestion in ["workflows", "form", "kustomer.company.create"] {
        assert!(suggestions.contains(&json!(suggestion)), "{suggestions:?}");
    }
}

#[tokio::test]
async fn what_makes_an_app_too_large_is_refused_one_past_the_limit() {
    let world = World::new().await;
    let event = "kustomer.app.ecommstore.company.create";
    let end = || json!([{ "id": "end", "transitions": [] }]);
    let many = |count: usize, make: &dyn Fn(usize) -> Value| Value::Array((0..count).map(make).collect());
    let hooks = |count| many(count, &|number| json!({ "eventName": format!("e{number}"), "type": "form" }));
    let klasses = |count| many(count, &|number| json!({ "name": format!("ecommstore-k{number}") }));
    let workflows = |count| many(count, &|number| workflow_of(&format!("w{number}"), event, end()));
    let triggers = |count| many(count, &|number| json!({ "eventName": format!("e{number}") }));
    let actions = |count| many(count, &|number| json!({ "name": format!("a{number}"), "type": "rest_api" }));
    let dependencies = |count| many(count, &|number| json!(format!("other{number}-^1.0.0")));
    let settings = |count: usize| {
        let named = (0..count).map(|number| (format!("s{number}"), json!({ "type": "string" })));
        json!({ "default": Value::Object(named.collect()) })
    };
    let only = |key: &str, value: Value| json!({ "app": "large", "version": "1.0.0", "title": "Large", key: value });
    let large = |definition: Value| {
        let text = definition.to_string().replace("ecommstore", "large");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let mut number = 0;
    for (key, at, past, code) in [
        ("hooks", hooks(40), hooks(41), "too_many_parts"),
        ("klasses", klasses(80), klasses(81), "too_many_parts"),
        ("workflows", workflows(13), workflows(14), "too_many_parts"),
        ("triggers", triggers(100), triggers(101), "too_many"),
        ("actions", actions(100), actions(101), "too_many"),
        ("dependencies", dependencies(20), dependencies(21), "too_many"),
        ("settings", settings(100), settings(101), "too_many"),
        ("title", json!("t".repeat(256)), json!("t".repeat(257)), "too_long"),
        ("description", json!("d".repeat(4_096)), json!("d".repeat(4_097)), "too_long"),
        ("instructions", json!("i".repeat(65_536)), json!("i".repeat(65_537)), "too_long"),
        (
            "version",
            json!(format!("1.0.0-{}", "a".repeat(58))),
            json!(format!("1.0.0-{}", "a".repeat(59))),
            "bad_version",
        ),
    ] {
        number += 1;
        let text = large(only(key, at)).to_string().replace("large", &format!("large{number}"));
        let at: Value = serde_json::from_str(&text).unwrap();
        register(&world, &at).await.expect(201);
        let told = problems(&register(&world, &large(only(key, past))).await.expect(400));
        assert_eq!(told.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), [code], "{key}");
    }
    let told = register(&world, &only("version", json!(format!("1.0.0-{}", "a".repeat(59))))).await.expect(400).text;
    assert!(told.contains("Shorten the version to 64 bytes."), "{told}");
    for (name, status) in [("n".repeat(64), 201), ("n".repeat(65), 400)] {
        register(&world, &json!({ "app": name, "version": "1.0.0", "title": "t" })).await.expect(status);
    }
}

#[tokio::test]
async fn the_largest_app_is_installed_and_upgraded_in_one_write_each() {
    let world = World::new().await;
    let app = |version: &str, generation: usize| {
        let workflows: Vec<Value> = (0..13)
            .map(|number| {
                let event = format!("kustomer.app.large.e{generation}");
                workflow_of(&format!("w{generation}-{number}"), &event, json!([{ "id": "end", "transitions": [] }]))
            })
            .collect();
        let settings = json!({ "default": { format!("key{generation}"): { "type": "secret" } } });
        json!({
            "app": "large", "version": version, "title": "Large", "workflows": workflows, "settings": settings,
            "hooks": [{ "eventName": format!("e{generation}"), "type": "form" }],
        })
    };
    super::installed(&world, &app("1.0.0", 1)).await;
    let secret = json!({ "default": { "key1": "obviously-fake" } });
    world.api("PUT", "/v1/apps/large/settings", secret).await.expect(200);
    register(&world, &app("2.0.0", 2)).await.expect(201);
    let upgraded = world.api("PUT", "/v1/apps/large", json!({})).await.expect(200);
    assert_eq!(upgraded.attribute("version"), "2.0.0");
    let names: Vec<Value> =
        upgraded.attribute("workflows").as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert!(names.iter().all(|name| name.as_str().unwrap().starts_with("w2-")) && names.len() == 13, "{names:?}");
    assert_eq!(world.get("/v1/workflows?pageSize=100").await.body["data"].as_array().unwrap().len(), 13);
}

#[tokio::test]
async fn a_version_is_registered_once_and_every_later_one_is_higher() {
    let world = World::new().await;
    register(&world, &ecommstore_in("0.1.0")).await.expect(201);
    let again = register(&world, &ecommstore_in("0.1.0")).await.expect(201);
    assert_eq!(again.attribute("versions"), json!(["0.1.0"]), "the same document again changes nothing");
    let mut other = ecommstore_in("0.1.0");
    other["title"] = json!("Another");
    assert_eq!(register(&world, &other).await.expect(409).code(), "version_taken");
    for lower in ["0.0.1", "0.1.0-beta.1"] {
        assert_eq!(register(&world, &ecommstore_in(lower)).await.expect(409).code(), "version_not_higher", "{lower}");
    }
    for higher in ["0.1.1-rc.1", "0.1.1", "0.10.0", "1.0.0"] {
        register(&world, &ecommstore_in(higher)).await.expect(201);
    }
    let path = "/v1/apps/available/ecommstore";
    let newest = world.get(path).await.expect(200);
    assert_eq!(
        (newest.attribute("version"), newest.attribute("definition")["version"].clone()),
        (json!("1.0.0"), json!("1.0.0"))
    );
    let older = world.get(&format!("{path}?version=0.1.0")).await.expect(200);
    assert_eq!(older.attribute("definition")["title"], "E-comm Store");
    assert_eq!(world.get(&format!("{path}?version=9.9.9")).await.expect(404).code(), "not_found");
    let listed = world.get("/v1/apps/available").await.expect(200);
    assert_eq!(
        listed.body["data"][0]["attributes"]["versions"],
        json!(["0.1.0", "0.1.1-rc.1", "0.1.1", "0.10.0", "1.0.0"])
    );
}

#[tokio::test]
async fn an_app_has_a_hundred_versions_and_an_org_a_hundred_apps() {
    let world = World::new().await;
    let bare = |app: &str, version: String| json!({ "app": app, "version": version, "title": "t" });
    for number in 0..100 {
        register(&world, &bare("versions", format!("1.{number}.0"))).await.expect(201);
    }
    let past = register(&world, &bare("versions", "2.0.0".to_owned())).await.expect(409);
    assert_eq!(past.code(), "too_many_versions");
    for number in 1..100 {
        register(&world, &bare(&format!("app{number}"), "1.0.0".to_owned())).await.expect(201);
    }
    assert_eq!(register(&world, &bare("past", "1.0.0".to_owned())).await.expect(409).code(), "too_many_apps");
}

#[tokio::test]
async fn apps_that_depend_on_each_other_are_refused_whichever_comes_last() {
    let world = World::new().await;
    let app = |name: &str, version: &str, dependencies: Value| json!({ "app": name, "version": version, "title": "t", "dependencies": dependencies });
    let first = register(&world, &app("a", "1.0.0", json!(["b-^1.0.0"]))).await.expect(201);
    assert_eq!(first.body["meta"]["warnings"][0]["code"], "unknown_app");
    register(&world, &app("b", "1.0.0", json!(["c-^1.0.0", "kustomer-^1.0.0"]))).await.expect(201);
    let last = register(&world, &app("c", "1.0.0", json!(["a-^1.0.0"]))).await.expect(400);
    assert_eq!(problems(&last), [("cyclic_dependency".to_owned(), "$.dependencies[0]".to_owned())]);
    assert!(last.text.contains("c → a → b → c"), "{}", last.text);
    register(&world, &app("c", "1.0.0", json!([]))).await.expect(201);
    let later = register(&world, &app("c", "1.1.0", json!(["b-^1.0.0"]))).await.expect(400);
    assert_eq!(problems(&later)[0].0, "cyclic_dependency");
}

#[tokio::test]
async fn what_is_kept_and_does_nothing_is_told_and_comes_back() {
    let world = World::new().await;
    let mut definition = ecommstore();
    let extra = json!({ "anything": [1.50, null] });
    for key in ["appDetails", "i18n", "settingsPageConfig", "default", "system"] {
        definition[key] = extra.clone();
    }
    for key in ["commands", "kviews", "widgets", "outboundWebhooks"] {
        definition[key] = json!([{ "name": "card", "resource": "customer" }]);
    }
    definition["hooks"][0]["note"] = json!("kept");
    let registered = register(&world, &definition).await.expect(201);
    let kept = registered.attribute("definition");
    assert_eq!((kept["appDetails"].to_string(), kept["hooks"][0]["note"].clone()), (extra.to_string(), json!("kept")));
    assert_eq!(kept["commands"][0]["name"], "kustomer.app.ecommstore.card");
    let warnings: Vec<&str> = registered.body["meta"]["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["source"]["path"].as_str().unwrap())
        .collect();
    assert_eq!(warnings, ["$.kviews", "$.widgets", "$.commands", "$.outboundWebhooks"]);
}

#[tokio::test]
async fn the_document_of_the_seed_alone_is_taken_and_told_that_nothing_fires_its_event() {
    let world = World::new().await;
    let mut definition = ecommstore();
    for key in ["dependencies", "settings", "hooks", "triggers", "klasses", "visibility", "description"] {
        definition.as_object_mut().unwrap().shift_remove(key);
    }
    let registered = register(&world, &definition).await.expect(201);
    let warning = &registered.body["meta"]["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["source"]["path"]),
        (&json!("unknown_event"), &json!("$.workflows[0].trigger.eventName"))
    );
}
