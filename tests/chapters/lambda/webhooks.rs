//! Webhooks: signatures, keys and handshakes as API Gateway hands them over.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tests::lambda::{Deployment, http_event, in_base64};

use super::BINARIES;

#[tokio::test]
async fn a_signed_webhook_is_taken_and_runs_what_listens_to_its_app() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = json!({ "title": "Shop", "auth": { "scheme": "shopify", "secrets": ["shop secret"] } });
    let (id, path, _) = deployment.new_webhook(hook).await;
    let workflow = json!({
        "name": "order-changed",
        "trigger": {
            "eventName": "shopify.order.update",
            "transitions": [{ "target": "note", "condition": { "op": "true", "values": [true] } }],
        },
        "steps": [{
            "id": "note",
            "action": "kustomer.customer.create",
            "params": { "email": "shop@example.com" },
            "transitions": [],
        }],
    });
    deployment.api("POST", "/v1/workflows", workflow).await.expect(201);
    let draft = json!({ "event": "shopify.order.update" });
    let sample = deployment.api("POST", &format!("/v1/hooks/web/{id}/samples"), draft).await.expect(200);
    let headers = sample.attribute("headers");
    let headers: Vec<(&str, &str)> =
        headers.as_array().unwrap().iter().map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    let body = STANDARD.decode(sample.attribute("bodyBase64").as_str().unwrap()).unwrap();

    let mut spoilt = body.clone();
    spoilt.push(b' ');
    let answer = deployment.send("POST", &path, &headers, spoilt).await.expect(401);
    assert!(!answer.text.contains("shop secret"));
    assert_eq!(deployment.aws.take_messages(), [] as [String; 0]);

    // API Gateway hands over as base64 whatever it does not take for text; a signature is over the bytes.
    let mut event = http_event("POST", &path, &headers, &body);
    in_base64(&mut event, &body);
    deployment.pass_on(&event).await.unwrap().expect(202);
    assert_eq!(deployment.work().await, [] as [String; 0]);

    assert_eq!(deployment.list("/v1/customers").await.len(), 1);
    let refusals = deployment.list(&format!("/v1/hooks/web/{id}/refusals")).await;
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0]["attributes"]["sourceAddress"], "192.0.2.1");
}

#[tokio::test]
async fn a_webhook_takes_a_key_with_the_hooks_role_from_where_the_key_may_be_used() {
    let deployment = Deployment::start(BINARIES).await;
    let (_, path, _) = deployment.new_webhook(json!({ "title": "Orders" })).await;
    let new_key = async |roles: Value| {
        let draft = json!({ "name": "sender", "roles": roles, "cidrs": ["192.0.2.0/24"] });
        let key = deployment.api("POST", "/v1/api-keys", draft).await.expect(201);
        format!("Bearer {}", key.attribute("token").as_str().unwrap())
    };
    let (sender, reader) = (new_key(json!(["org.hooks"])).await, new_key(json!(["org.permission.hook.read"])).await);
    let post = |authorization: &str| {
        http_event(
            "POST",
            &path,
            &[("authorization", authorization), ("content-type", "application/json")],
            b"{\"a\":1}",
        )
    };

    deployment.pass_on(&post(&sender)).await.unwrap().expect(202);
    deployment.pass_on(&post(&reader)).await.unwrap().expect(403);
    deployment.pass_on(&post("Bearer nonsense")).await.unwrap().expect(401);
    deployment.send("POST", &path, &[], "{}").await.expect(401);
    // Where it comes from is what the gateway saw, whatever a header says.
    let mut elsewhere = post(&sender);
    elsewhere["requestContext"]["http"]["sourceIp"] = json!("198.51.100.1");
    elsewhere["headers"]["x-forwarded-for"] = json!("192.0.2.1");
    deployment.pass_on(&elsewhere).await.unwrap().expect(401);
    assert_eq!(deployment.aws.take_messages().len(), 1);
}

#[tokio::test]
async fn a_handshake_is_answered_at_both_forms_of_an_address() {
    let deployment = Deployment::start(BINARIES).await;
    let hook = json!({ "title": "Pages", "auth": { "scheme": "meta", "secrets": ["s"], "verifyToken": "agreed" } });
    let (_, path, hash) = deployment.new_webhook(hook).await;
    // API Gateway cannot tell the short form from a hook's resource, so api answers that one.
    for path in [path, format!("/v1/hooks/web/{hash}")] {
        let query = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=";
        let answer = deployment.send("GET", &format!("{path}?{query}agreed"), &[], "").await.expect(200);
        assert_eq!(answer.text, "1158201444");
        let answer = deployment.send("GET", &format!("{path}?{query}guessed"), &[], "").await.expect(403);
        assert!(!answer.text.contains("1158201444"));
    }
}
