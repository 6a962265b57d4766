//! Secrets that owners give: of guards, variables, and settings that are refused.

use serde_json::json;
use tests::world::{always, workflow_of};

use super::Story;

/// A guarded form, and a run of it that fails.
pub(super) async fn drive_form(story: &mut Story) {
    let guard = json!({
        "origins": ["https://shop.example"],
        "turnstileSecret": story.canaries.plant("Turnstile secret"),
        "recaptchaSecret": story.canaries.plant("reCAPTCHA secret"),
    });
    let attributes = json!({ "title": "Form", "debug": true, "tape": true, "guard": guard });
    let guarded = story.world.form_hook_with(attributes).await;
    story.post(&guarded.path, &[], "{}").await.expect(400);
    let path = format!("/v1/hooks/form/{}", guarded.id);
    let changed = story.world.api("PATCH", &path, json!({ "guard": { "honeypot": "website" } })).await.expect(200);
    story.note("the answer to a changed hook", &changed);

    let open = story.world.form_hook_with(json!({ "title": "Open", "debug": true, "tape": true })).await;
    for hash in [&guarded.hash, &open.hash] {
        story.canaries.add("hash of a form hook", hash);
        story.hashes.push(hash.clone());
    }
    let steps = json!([
        { "id": "good", "action": "kustomer.company.create", "params": { "name": "n", "locations": ["/#steps.1"] }, "transitions": always("bad") },
        { "id": "bad", "action": "kustomer.note.create", "params": { "customer": "/#steps.good.id", "body": "/#steps.1" }, "transitions": [] },
    ]);
    story.world.workflow(workflow_of("fails", &open.event, steps)).await;
    drive_variable(story, &open.event).await;
    drive_app_setting(story, &open.event).await;
    story.post(&open.path, &[], "{\"a\":1}").await.expect(202);
    let again = ("idempotency-key".to_owned(), "one".to_owned());
    story.post(&open.path, std::slice::from_ref(&again), "{\"a\":2}").await.expect(202);
    story.post(&open.path, std::slice::from_ref(&again), "{\"a\":2}").await.expect(202);
    story.post(&open.path, std::slice::from_ref(&again), "{\"a\":3}").await.expect(409);
    story.post(&open.path, &[], "{").await.expect(400);
}

/// A workflow that uses a variable in params, in conditions and in a failure.
async fn drive_variable(story: &mut Story, event: &str) {
    let steps = json!([{ "id": "find", "transitions": [] }]);
    let workflow = story.world.workflow(workflow_of("uses-a-variable", event, steps)).await;
    let (first, value) =
        (story.canaries.plant("first value of a variable"), story.canaries.plant("value of a variable"));
    let variables = format!("/v1/workflows/{workflow}/variables");
    let variable = json!({ "name": "api key", "value": first });
    let variable = story.world.api("POST", &variables, variable).await.expect(201);
    story.note("a new variable", &variable);
    let path = format!("/v1/workflow-variables/{}", variable.id());
    let changed = story.world.api("PATCH", &path, json!({ "value": value })).await.expect(200);
    story.note("a changed variable", &changed);
    let reference = format!("/#variables.{}", variable.id());
    let holds = |op: &str| json!({ "op": op, "values": [reference, "another"] });
    let steps = json!([
        { "id": "find", "action": "kustomer.customer.find-by-email", "params": { "email": reference },
          "transitions": [{ "target": "end", "condition": holds("eq") }],
          "errorCases": [{ "errorAction": { "type": "continue" }, "condition": { "op": "or", "values": [holds("contains")] } }] },
        { "id": "end", "transitions": [] },
    ]);
    let changes = json!({ "steps": steps });
    story.world.api("PATCH", &format!("/v1/workflows/{workflow}"), changes.clone()).await.expect(200);
    story.world.api("PUT", &format!("/v1/workflows/{workflow}/draft"), changes).await.expect(200);
}

/// An outbound webhook whose secret was rotated, and whose endpoint answers with what it should keep to itself.
pub(super) async fn drive_outbound(story: &mut Story) {
    const ENDPOINT: &str = "https://shop.example/told";
    let draft = json!({ "url": ENDPOINT, "events": ["*"] });
    let made = story.world.api("POST", "/v1/webhooks", draft).await.expect(201);
    let path = format!("/v1/webhooks/{}", made.id());
    let rotated = story.world.api("POST", &format!("{path}/rotate-secret"), json!({})).await.expect(200);
    for (name, answer) in [("first secret of a webhook", &made), ("secret of a webhook", &rotated)] {
        story.canaries.add(name, answer.attribute("secret").as_str().unwrap());
    }
    let echo = format!("echo {} {}", made.attribute("secret"), rotated.attribute("secret")).replace('"', "");
    story.world.calls.answer(ENDPOINT, 500, &[], &echo);
    let changed = story.world.api("PATCH", &path, json!({ "enabled": true })).await.expect(200);
    story.note("the answer to a changed webhook of others", &changed);
    let told = story.world.api("POST", "/v1/events", json!({ "name": "shop.paid" })).await.expect(201);
    story.note("a published event", &told);
    let pinged = story.world.api("POST", &format!("{path}/ping"), json!({})).await.expect(201);
    story.note("a test event", &pinged);
    for (field, value) in [("url", json!([1])), ("events", json!(["kustomer.hooks.*"])), ("enabled", json!("yes"))] {
        let refused = story.world.api("PATCH", &path, json!({ field: value })).await.expect(400);
        story.note("a refused change", &refused);
    }
}

/// A workflow that uses a secret setting of an app in params, in conditions and in a failure.
async fn drive_app_setting(story: &mut Story, event: &str) {
    let settings = json!({ "default": { "apiKey": { "type": "secret" } } });
    let app = json!({ "app": "store", "version": "1.0.0", "title": "Store", "settings": settings });
    story.world.api("POST", "/v1/apps/available", app).await.expect(201);
    story.world.api("POST", "/v1/apps", json!({ "app": "store" })).await.expect(201);
    let path = "/v1/apps/store/settings";
    for what in ["first secret of an app", "secret of an app"] {
        let secret = story.canaries.plant(what);
        let answer = story.world.api("PUT", path, json!({ "default": { "apiKey": secret } })).await.expect(200);
        story.note("the answer to a new secret of an app", &answer);
        let refused = json!({ "default": { "apiKey": { "is": secret }, "apikey": secret } });
        let answer = story.world.api("PUT", path, refused).await.expect(400);
        story.note("the answer to a refused secret of an app", &answer);
    }
    let reads = "/#fn:getAppSetting,store.default.apiKey";
    let made = "{{toUpper (getAppSetting 'store.default.apiKey')}}";
    let holds = |op: &str, value: &str| json!({ "op": op, "values": [value, "another"] });
    let steps = json!([
        { "id": "find", "action": "kustomer.customer.update", "params": { "id": reads, "name": made },
          "transitions": [{ "target": "end", "condition": holds("eq", made) }],
          "errorCases": [{ "errorAction": { "type": "continue" }, "condition": { "op": "or", "values": [holds("contains", reads)] } }] },
        { "id": "end", "transitions": [] },
    ]);
    story.world.workflow(workflow_of("uses-a-setting", event, steps)).await;
    let question = json!({ "expression": [reads, made] });
    let answer = story.world.api("POST", "/v1/evaluate", question).await.expect(200);
    story.note("an evaluation", &answer);
}

/// What management refuses, which must not quote it.
pub(super) async fn drive_refused_settings(story: &mut Story) {
    let secret = story.canaries.plant("secret of a refused setting");
    for auth in [
        json!({ "scheme": "shopify", "secrets": secret }),
        json!({ "scheme": "shopify", "secrets": [{ "is": secret }] }),
        json!({ "scheme": "shopify", "secrets": [secret], "toleranceSeconds": -1 }),
        json!({ "scheme": "shopify", "secrets": [format!("{secret}{}", "x".repeat(5_000))] }),
        json!({ "scheme": "standard-webhooks", "secrets": [format!("whsec_!{secret}")] }),
        json!({ "scheme": "basic", "secrets": [secret] }),
        json!({ "scheme": "meta", "secrets": [secret], "verifyToken": [secret] }),
    ] {
        let draft = json!({ "title": "Refused", "auth": auth });
        let answer = story.world.api("POST", "/v1/hooks/web", draft).await.expect(400);
        story.note("the answer to a refused setting", &answer);
    }
    for refused in [
        json!({ "key": format!("{secret} {secret}") }),
        json!({ "key": [secret] }),
        json!({ "key": secret.repeat(20) }),
        json!({ "mail": { "key": secret } }),
        json!({ "mail": { "senders": [secret] } }),
        json!({ "mail": { "policy": { "spam": secret } } }),
    ] {
        let mut draft = json!({ "title": "Refused" });
        draft.as_object_mut().unwrap().extend(refused.as_object().unwrap().clone());
        let answer = story.world.api("POST", "/v1/hooks/email", draft).await.expect(400);
        story.note("the answer to a refused setting", &answer);
    }
    let guard = json!({ "title": "Refused", "guard": { "turnstileSecret": { "is": secret } } });
    let answer = story.world.api("POST", "/v1/hooks/form", guard).await.expect(400);
    story.note("the answer to a refused guard", &answer);
    let dead = story.canaries.plant("message that is no transaction");
    for message in [dead.clone(), format!("{{\"v\":1,\"event\":\"{dead}\"}}"), format!("{{\"v\":\"{dead}\"}}")] {
        service::ports::Queue::send(story.world.queue.as_ref(), story.world.org, message).await.unwrap();
    }
}
