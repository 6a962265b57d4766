//! No secret that passes through the API is found in the log, though that it was changed is.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    sinks::Canaries,
    world::{NOON, World, workflow_of},
};

use super::log;

struct Story {
    world: World,
    canaries: Canaries,
}

impl Story {
    async fn ask(&self, method: &str, path: &str, body: Value) -> tests::world::Answer {
        let answer = self.world.api(method, path, body).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
        answer
    }

    /// Adds the secret that an answer shows once.
    fn add(&mut self, name: &str, answer: &tests::world::Answer, attribute: &str) {
        let text = answer.attribute(attribute);
        let text = text.as_str().unwrap();
        self.canaries.add(name, text.rsplit('_').next().unwrap());
    }
}

async fn change_hooks(story: &mut Story) {
    let mut plant = |name: &str| story.canaries.plant(name);
    let (one, two, verify) = (plant("web secret"), plant("next web secret"), plant("verify token"));
    let (turnstile, recaptcha) = (plant("turnstile"), plant("recaptcha"));
    let (mail, next_mail) = (plant("key in mails"), plant("next key in mails"));
    let auth = json!({ "scheme": "shopify", "secrets": [one] });
    let web = story.ask("POST", "/v1/hooks/web", json!({ "title": "Web", "auth": auth })).await;
    let path = format!("/v1/hooks/web/{}", web.id());
    story.ask("PATCH", &path, json!({ "auth": { "scheme": "shopify", "secrets": [two] } })).await;
    let meta = json!({ "scheme": "meta", "secrets": [two], "verifyToken": verify });
    story.ask("PATCH", &path, json!({ "auth": meta })).await;
    let guard = json!({ "turnstileSecret": turnstile, "proofOfWorkBits": 8 });
    let form = story.ask("POST", "/v1/hooks/form", json!({ "title": "Form", "guard": guard })).await;
    let path = format!("/v1/hooks/form/{}", form.id());
    story.ask("PATCH", &path, json!({ "guard": { "recaptchaSecret": recaptcha } })).await;
    let email = story.ask("POST", "/v1/hooks/email", json!({ "title": "Mail", "key": mail })).await;
    let path = format!("/v1/hooks/email/{}", email.id());
    story.ask("PATCH", &path, json!({ "key": next_mail })).await;
    for (name, hook) in [("web hash", &web), ("form hash", &form), ("email hash", &email)] {
        story.add(name, hook, "hash");
    }
    story.ask("DELETE", &path, Value::Null).await;
}

async fn change_the_rest(story: &mut Story) {
    let draft = json!({ "name": "ci", "roles": ["org.permission.hook.read"] });
    let key = story.ask("POST", "/v1/api-keys", draft).await;
    let next = story.ask("POST", &format!("/v1/api-keys/{}/rotate", key.id()), Value::Null).await;
    story.add("key", &key, "token");
    story.add("next key", &next, "token");
    story.ask("DELETE", &format!("/v1/api-keys/{}", key.id()), Value::Null).await;

    let document = workflow_of("one", "kustomer.app.made", json!([{ "id": "end", "transitions": [] }]));
    let workflow = story.ask("POST", "/v1/workflows", document).await.id();
    let (value, other) = (story.canaries.plant("variable"), story.canaries.plant("other value"));
    let variables = format!("/v1/workflows/{workflow}/variables");
    let variable = story.ask("POST", &variables, json!({ "name": "v", "value": value })).await.id();
    let path = format!("/v1/workflow-variables/{variable}");
    story.ask("PUT", &path, json!({ "value": other })).await;
    story.ask("DELETE", &path, Value::Null).await;

    let (token, password) = (story.canaries.plant("app token"), story.canaries.plant("app password"));
    // Only the app knows which of its settings are secrets.
    let (pin, region) = (story.canaries.plant("app pin"), story.canaries.plant("app region"));
    let defaults = json!({ "accessToken": token, "region": region });
    let settings = json!({ "default": defaults, "login": { "api_key": token, "pin": pin } });
    story.ask("PUT", "/v1/apps/shop/settings", settings).await;
    story.ask("PUT", "/v1/apps/shop/settings", json!({ "default": { "password": password } })).await;
}

#[tokio::test]
async fn no_secret_is_in_the_log_and_each_change_of_one_is() {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let world = World::over(store.clone(), clock).await;
    let mut canaries = Canaries::default();
    canaries.add("admin key", world.admin.rsplit_once('_').unwrap().1);
    let mut story = Story { world, canaries };
    change_hooks(&mut story).await;
    change_the_rest(&mut story).await;

    let entries = log(&story.world).await;
    let mut found = story.canaries.in_text("the log", &json!(entries).to_string());
    for item in store.items().iter().filter(|item| item.key.partition.contains("#audit")) {
        found.extend(story.canaries.in_text("the store", &format!("{item:?}")));
    }
    assert_eq!(found, [] as [String; 0]);

    let changed = |operation: &str, path: &str| {
        let of_operation = entries.iter().filter(|entry| entry["operation"] == operation);
        let changes = of_operation.flat_map(|entry| entry["changes"].as_array().unwrap());
        changes.filter(|change| change["path"] == path && change.to_string().contains("••••")).count()
    };
    for (operation, path, count) in [
        ("UpdateHook", "$.auth.secrets", 1),
        ("UpdateHook", "$.auth.verifyToken", 1),
        ("UpdateHook", "$.guard.recaptchaSecret", 1),
        ("UpdateHook", "$.mail.key", 1),
        ("CreateApiKey", "$.digest", 1),
        ("UpdateVariable", "$.value", 1),
        ("UpdateAppSettings", "$.default.password", 1),
    ] {
        assert_eq!(changed(operation, path), count, "{operation} {path}");
    }
}
