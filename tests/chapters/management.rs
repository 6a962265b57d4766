//! The management API: keys, roles, pages, errors.

use serde_json::{Value, json};
use service::http::{ROUTES, openapi_document};
use tests::world::World;

/// A path of the route with something in its variable parts.
fn path_of(route: &str) -> String {
    route.replace("{kind}", "form").replace("{id}", "5a345109e578360010eaa1ad").replace("{name}", "order")
}

#[tokio::test]
async fn credentials_that_cannot_be_told_apart_or_read_are_refused() {
    let world = World::new().await;
    let good = format!("Bearer {}", world.admin);
    let long = format!("Bearer {}", "x".repeat(60_000));
    let cases: [(&[(&str, &str)], u16); 8] = [
        (&[("authorization", &good)], 200),
        (&[("authorization", &good.replace("Bearer", "bearer"))], 200),
        (&[("authorization", &good), ("authorization", &good)], 400),
        (&[("authorization", &world.admin)], 401),
        (&[("authorization", "Basic YTpi")], 401),
        (&[("authorization", "Bearer ")], 401),
        (&[("authorization", &long)], 401),
        (&[("authorization", &good.to_uppercase())], 401),
    ];
    for (headers, status) in cases {
        let answer = world.send("GET", "/v1/workflows", headers, "").await;
        assert_eq!(
            answer.status,
            status,
            "{:?}",
            headers.first().map(|header| header.1.chars().take(12).collect::<String>())
        );
        if status == 401 {
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn a_keys_token_is_shown_once_works_and_stops_when_it_is_deleted() {
    let world = World::new().await;
    let draft = json!({ "name": "reader", "roles": ["org.permission.workflow.read"] });
    let made = world.api("POST", "/v1/api-keys", draft).await.expect(201);
    let token = made.attribute("token").as_str().unwrap().to_owned();
    world.api_as(&token, "GET", "/v1/workflows", Value::Null).await.expect(200);
    world.api_as(&token, "POST", "/v1/workflows", json!({})).await.expect(403);

    let secret = token.rsplit('_').next().unwrap();
    for path in ["/v1/api-keys".to_owned(), format!("/v1/api-keys/{}", made.id())] {
        let shown = world.get(&path).await.expect(200);
        assert!(!shown.text.contains("\"token\"") && !shown.text.contains(secret), "{path}");
    }

    world.api("DELETE", &format!("/v1/api-keys/{}", made.id()), Value::Null).await.expect(204);
    world.api_as(&token, "GET", "/v1/workflows", Value::Null).await.expect(401);
}

#[tokio::test]
async fn a_key_expires_at_its_instant() {
    let world = World::new().await;
    let draft = json!({ "name": "short", "roles": ["org.admin"], "expiresAt": "2026-11-22T12:01:00Z" });
    let token =
        world.api("POST", "/v1/api-keys", draft).await.expect(201).attribute("token").as_str().unwrap().to_owned();
    world.clock.pass_seconds(59);
    world.api_as(&token, "GET", "/v1/workflows", Value::Null).await.expect(200);
    world.clock.pass_seconds(1);
    world.api_as(&token, "GET", "/v1/workflows", Value::Null).await.expect(401);
}

#[tokio::test]
async fn nobody_hands_out_a_role_they_do_not_have() {
    let world = World::new().await;
    let keeper = world.key(world.org, &["org.permission.api_key", "org.permission.hook.read"], 60).await;
    for (role, status) in
        [("org.permission.hook.read", 201), ("org.permission.hook", 403), ("org.hooks", 403), ("org.admin", 403)]
    {
        let answer = world.api_as(&keeper, "POST", "/v1/api-keys", json!({ "name": "k", "roles": [role] })).await;
        assert_eq!(answer.status, status, "{role}");
    }
    world.api("POST", "/v1/api-keys", json!({ "name": "k", "roles": ["org.hooks"] })).await.expect(201);
    for wrong in [
        json!({}),
        json!({ "name": "k" }),
        json!({ "name": "k", "roles": [] }),
        json!({ "name": "k", "roles": ["ORG.HOOKS"] }),
        json!({ "name": "", "roles": ["org.hooks"] }),
        json!({ "name": "k", "roles": ["org.hooks"], "cidrs": ["10.0.0.0/33"] }),
        json!({ "name": "k", "roles": ["org.hooks"], "expiresAt": "2020-01-01T00:00:00Z" }),
    ] {
        world.api("POST", "/v1/api-keys", wrong).await.expect(400);
    }
}

#[tokio::test]
async fn the_first_key_of_the_configuration_is_an_admin_of_its_org_only() {
    let mut world = World::new().await;
    let secret = domain::ApiKeySecret::from_random([90; 32]);
    world.management.first_key = Some(service::http::api::FirstKey { org: world.org, digest: secret.digest() });
    let id = domain::ApiKeyId::parse("000000000000000000000002").unwrap();
    world.api_as(&secret.token(world.org, id), "GET", "/v1/workflows", Value::Null).await.expect(200);
    let elsewhere = domain::OrgId::parse("000000000000000000000001").unwrap();
    world.api_as(&secret.token(elsewhere, id), "GET", "/v1/workflows", Value::Null).await.expect(401);
    let other = domain::ApiKeySecret::from_random([91; 32]);
    world.api_as(&other.token(world.org, id), "GET", "/v1/workflows", Value::Null).await.expect(401);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told() {
    let world = World::new().await;
    assert_eq!(world.get("/v1/nonsense").await.expect(404).code(), "unknown_path");
    assert_eq!(world.get("/v1/hooks/fax").await.expect(404).code(), "unknown_kind");
    let answer = world.api("DELETE", "/v1/workflows", Value::Null).await.expect(405);
    assert_eq!(answer.headers["allow"], "POST, GET");
}

#[tokio::test]
async fn bodies_of_requests_are_json_objects_bare_or_as_a_resource() {
    let world = World::new().await;
    let resource = json!({ "data": { "type": "form_hook", "attributes": { "title": "Orders" } } });
    assert_eq!(world.api("POST", "/v1/hooks/form", resource).await.expect(201).attribute("title"), "Orders");
    let bearer = format!("Bearer {}", world.admin);
    for (body, code) in
        [("", "empty_body"), ("{", "malformed_json"), ("[]", "not_an_object"), ("\"x\"", "not_an_object")]
    {
        let answer = world.send("POST", "/v1/hooks/form", &[("authorization", &bearer)], body).await.expect(400);
        assert_eq!(answer.code(), code);
    }
    let largest = format!("{{\"title\":\"Orders\"{}}}", " ".repeat(1_048_576 - 18));
    assert_eq!(largest.len(), 1_048_576);
    world.send("POST", "/v1/hooks/form", &[("authorization", &bearer)], largest.clone()).await.expect(201);
    let answer = world.send("POST", "/v1/hooks/form", &[("authorization", &bearer)], format!("{largest} ")).await;
    assert_eq!(answer.expect(413).code(), "body_too_large");
}

#[tokio::test]
async fn hooks_are_made_listed_changed_and_deleted() {
    let world = World::new().await;
    for (wrong, path) in [
        (json!({}), "$.title"),
        (json!({ "title": " " }), "$.title"),
        (json!({ "title": "x".repeat(257) }), "$.title"),
        (json!({ "title": 1 }), "$.title"),
        (json!({ "title": "t", "description": "x".repeat(4_097) }), "$.description"),
        (json!({ "title": "t", "eventName": "orders" }), "$.eventName"),
        (json!({ "title": "t", "debug": "yes" }), "$.debug"),
        (json!({ "title": "t", "reply": { "status": 500 } }), "$.reply"),
    ] {
        let answer = world.api("POST", "/v1/hooks/form", wrong).await.expect(400);
        assert_eq!(answer.body["errors"][0]["source"]["path"], path);
    }
    let made = world
        .api("POST", "/v1/hooks/form", json!({ "title": "x".repeat(256), "description": "x".repeat(4_096) }))
        .await
        .expect(201);
    let id = made.id();
    assert_eq!(made.body["data"]["type"], "form_hook");
    assert_eq!(made.attribute("eventName"), format!("kustomer.hooks.form.{id}.receive"));
    assert_eq!(made.attribute("hash").as_str().unwrap().len(), 64);
    let app = json!({ "title": "App", "eventName": "kustomer.app.ecommstore.order.create" });
    assert_eq!(
        world.api("POST", "/v1/hooks/form", app).await.expect(201).attribute("eventName"),
        "kustomer.app.ecommstore.order.create"
    );

    let path = format!("/v1/hooks/form/{id}");
    let changed =
        world.api("PATCH", &path, json!({ "title": "New", "debug": true, "description": null })).await.expect(200);
    assert_eq!(
        (changed.attribute("title"), changed.attribute("debug"), changed.attribute("description")),
        (json!("New"), json!(true), Value::Null)
    );
    assert_eq!(changed.attribute("hash"), made.attribute("hash"));

    world.api("PATCH", &path, json!({ "eventName": made.attribute("eventName") })).await.expect(200);
    world.api("PATCH", &path, json!({ "eventName": "kustomer.app.other" })).await.expect(400);

    let page = world.get("/v1/hooks/form?pageSize=1").await.expect(200);
    assert_eq!(page.body["data"].as_array().unwrap().len(), 1);
    let next = world.get(page.body["links"]["next"].as_str().unwrap()).await.expect(200);
    assert_eq!(next.body["data"].as_array().unwrap().len(), 1);
    assert_ne!(next.body["data"][0]["id"], page.body["data"][0]["id"]);
    for wrong in ["garbage", "a.b", "00000000.7b7d"] {
        assert_eq!(world.get(&format!("/v1/hooks/form?after={wrong}")).await.expect(400).code(), "bad_query");
    }
    let elsewhere = page.body["links"]["next"].as_str().unwrap().replace("/v1/hooks/form", "/v1/workflows");
    world.get(&elsewhere).await.expect(400);
    for wrong in ["0", "101", "x"] {
        world.get(&format!("/v1/hooks/form?pageSize={wrong}")).await.expect(400);
    }

    world.api("DELETE", &path, Value::Null).await.expect(204);
    world.get(&path).await.expect(404);
}

#[tokio::test]
async fn the_openapi_document_and_the_routes_are_the_same() {
    let world = World::new().await;
    let document = world.send("GET", "/v1/openapi.json", &[], "").await.expect(200);
    assert_eq!(document.body, openapi_document());
    assert_eq!(document.body["openapi"], "3.1.0");
    let paths = document.body["paths"].as_object().unwrap();
    let mut documented = 0;
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            // The addresses of hooks and of links are in no table of routes.
            if operation["tags"] == json!(["Hook addresses"]) || operation["tags"] == json!(["Answer links"]) {
                continue;
            }
            documented += 1;
            let answer = world.api(&method.to_uppercase(), &path_of(path), Value::Null).await;
            assert!(
                answer.status != 405 && (answer.status != 404 || answer.code() != "unknown_path"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(documented, ROUTES.len());
}
