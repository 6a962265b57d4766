//! Secrets that senders have: of every scheme, good, wrong and old.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use tests::Answer;

use super::Story;

/// Providers have answers of their own.
#[track_caller]
fn is_taken(answer: &Answer) {
    assert!([200, 202].contains(&answer.status), "{answer:?}");
}

/// A web hook of every kind of secret: good, wrong and old credentials, the same delivery twice.
pub(super) async fn drive_webhooks(story: &mut Story) {
    for scheme in ["shopify", "github", "stripe", "slack", "standard-webhooks", "kustomer", "calendly", "tiktok"] {
        let prefix = if scheme == "standard-webhooks" { "whsec_" } else { "" };
        let [old, secret, added] = ["old", "present", "added"].map(|age| {
            let text = story.canaries.plant(&format!("{age} secret of {scheme}"));
            if prefix.is_empty() { text } else { format!("{prefix}{}", BASE64.encode(text)) }
        });
        let (id, path) = story.web(json!({ "scheme": scheme, "secrets": [old] })).await;
        let body = "{\"a\": 1}";
        let with_old = story.signed(scheme, &old, &path, body);
        for change in [json!({ "secrets": [secret] }), json!({ "addSecrets": [added] })] {
            let resource = format!("/v1/hooks/web/{id}");
            let changed = story.world.api("PATCH", &resource, json!({ "auth": change })).await.expect(200);
            story.note("the answer to a changed hook", &changed);
        }
        let good = story.signed(scheme, &secret, &path, body);
        is_taken(&story.post(&path, &good, body).await);
        is_taken(&story.post(&path, &good, body).await);
        let also_good = story.signed(scheme, &added, &path, "{\"a\": 2}");
        is_taken(&story.post(&path, &also_good, "{\"a\": 2}").await);
        story.post(&path, &with_old, body).await.expect(401);
        story.post(&path, &good, "{\"a\":1}").await.expect(401);
        story.post(&path, &[], body).await.expect(401);
        let unreadable = story.signed(scheme, &secret, &path, "{");
        story.post(&path, &unreadable, "{").await.expect(400);
        let sample = story.world.api("GET", &format!("/v1/apps/{scheme}"), Value::Null).await.expect(200);
        if let Some(event) = sample.body["data"]["attributes"]["events"][0]["name"].as_str() {
            let sample = format!("/v1/hooks/web/{id}/samples");
            let sample = story.world.api("POST", &sample, json!({ "event": event })).await.expect(200);
            story.note("a sample", &sample);
        }
    }
}

/// Credentials that come whole: Basic, a shared header, a token, an API key, the token of a handshake.
pub(super) async fn drive_credentials(story: &mut Story) {
    let password = format!("{}:{}", story.canaries.plant("Basic user"), story.canaries.plant("Basic password"));
    let basic = BASE64.encode(&password);
    story.canaries.add("Basic credentials", &basic);
    let wrong = BASE64.encode(format!("me:{}", story.canaries.plant("wrong Basic password")));
    story.canaries.add("wrong Basic credentials", &wrong);
    let shared = story.canaries.plant("shared header");
    let wrong_shared = story.canaries.plant("wrong shared header");
    let jwt_parts = ["{\"alg\":\"RS256\",\"kid\":\"k\"}", "{\"iss\":\"https://issuer.example\"}"];
    let jwt = jwt_parts.map(|part| BASE64.encode(part).replace('=', "")).join(".");
    let jwt = format!("{jwt}.{}", story.canaries.plant("signature of a JWT"));
    let auth = |value: String| vec![("authorization".to_owned(), value)];

    let (_, path) = story.web(json!({ "scheme": "basic", "secrets": [password] })).await;
    story.post(&path, &auth(format!("Basic {basic}")), "{}").await.expect(202);
    story.post(&path, &auth(format!("Basic {wrong}")), "{}").await.expect(401);
    story.post(&path, &auth(format!("Bearer {jwt}")), "{}").await.expect(401);

    // A name that says nothing about what is in it.
    let draft = json!({ "scheme": "header", "header": "X-Plain-Name", "secrets": [shared] });
    let (_, path) = story.web(draft).await;
    let header = |value: &str| vec![("x-plain-name".to_owned(), value.to_owned())];
    story.post(&path, &header(&shared), "{}").await.expect(202);
    story.post(&path, &header(&wrong_shared), "{}").await.expect(401);

    let draft = json!({ "scheme": "jwt", "issuer": "https://issuer.example", "audience": "us", "jwksUrl": "https://issuer.example/keys" });
    let (_, path) = story.web(draft).await;
    story.post(&path, &auth(format!("Bearer {jwt}")), "{}").await.expect(503);
    story.world.web.put("https://issuer.example/keys", 200, "{\"keys\":[]}");
    story.world.clock.pass_seconds(10);
    story.post(&path, &auth(format!("Bearer {jwt}")), "{}").await.expect(401);

    let key = json!({ "name": "sender", "roles": ["org.hooks"] });
    let key = story.world.api("POST", "/v1/api-keys", key).await.expect(201);
    let rotated = story.world.api("POST", &format!("/v1/api-keys/{}/rotate", key.id()), Value::Null).await.expect(201);
    let (_, path) = story.web(json!({ "scheme": "bearer" })).await;
    for key in [&key, &rotated] {
        let token = key.attribute("token").as_str().unwrap().to_owned();
        story.canaries.add("secret of an API key", token.rsplit_once('_').unwrap().1);
        story.post(&path, &auth(format!("Bearer {token}")), "{}").await.expect(202);
        story.post(&path, &auth(format!("bearer {token}0")), "{}").await.expect(401);
        story.post(&path, &auth(token), "{}").await.expect(401);
    }

    let (secret, verify_token) = (story.canaries.plant("secret of meta"), story.canaries.plant("verify token"));
    let wrong_token = story.canaries.plant("wrong verify token");
    let draft = json!({ "scheme": "meta", "secrets": [secret], "verifyToken": verify_token });
    let (_, path) = story.web(draft).await;
    for (token, status) in [(verify_token, 200), (wrong_token, 403)] {
        let path = format!("{path}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
        let answer = story.world.send("GET", &path, &[], "").await.expect(status);
        story.note("a handshake", &answer);
    }
}
