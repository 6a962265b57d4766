//! Canaries: secrets that are planted wherever one may be put in or come by, and are looked for in everything that is
//! kept, queued, logged, printed or answered.

use std::{fmt::Write as _, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use domain::{ApiKey, Guard, Hook, Timestamp};
use serde_json::{Value, json};
use service::{
    memory::{FixedWorld, MemoryStore},
    ports::Item,
};
use tests::{
    Answer,
    sinks::{Canaries, Logs, all_answers},
    world::{NOON, World, always, workflow_of},
};
use verify::{
    Settings,
    sign::{Unsigned, sign},
};

/// Everything that happened: what was planted, and what was answered and queued.
struct Story {
    world: World,
    store: Arc<MemoryStore>,
    canaries: Canaries,
    /// Headers and parameters full of secrets that came with every request.
    passing: Vec<(String, String)>,
    query: String,
    answers: Vec<(String, String)>,
    messages: Vec<String>,
    /// What was printed of what holds secrets.
    printed: String,
    hashes: Vec<String>,
}

/// Headers that carry secrets of senders and proxies, though no hook asks for them.
const PASSING_HEADERS: [&str; 17] = [
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-hub-signature",
    "x-signature",
    "x-session-id",
    "x-amz-security-token",
    "x-goog-iap-jwt-assertion",
    "x-forwarded-authorization",
    "x-gitlab-token",
    "x-client-secret",
    "x-password",
    "x-webhook-hmac",
    "sec-websocket-key",
];

/// Parameters of an address that carry secrets.
const PASSING_PARAMETERS: [&str; 12] = [
    "token",
    "access_token",
    "accessToken",
    "api_key",
    "apikey",
    "key",
    "secret",
    "password",
    "signature",
    "sig",
    "%74oken",
    "auth",
];

impl Story {
    async fn new() -> Self {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let world = World::over(store.clone(), clock).await;
        let mut canaries = Canaries::default();
        let mut passing: Vec<(String, String)> =
            PASSING_HEADERS.iter().map(|name| ((*name).to_owned(), canaries.plant(name))).collect();
        passing.push(("content-type".to_owned(), "application/json".to_owned()));
        let parameter = |name: &&str| format!("{name}={}", canaries.plant(&format!("parameter {name}")));
        let query = PASSING_PARAMETERS.iter().map(parameter).collect::<Vec<_>>().join("&") + "&shop=plain";
        canaries.add("admin key", world.admin.rsplit_once('_').unwrap().1);
        let (answers, messages, printed, hashes) = (Vec::new(), Vec::new(), String::new(), Vec::new());
        Self { world, store, canaries, passing, query, answers, messages, printed, hashes }
    }

    /// A web hook in debug with a tape, whose answers are looked at too. Gives its id and path.
    async fn web(&mut self, auth: Value) -> (String, String) {
        let draft = json!({ "title": "Web", "debug": true, "tape": true, "auth": auth });
        let made = self.world.api("POST", "/v1/hooks/web", draft).await.expect(201);
        let hash = made.attribute("hash").as_str().unwrap().to_owned();
        self.canaries.add("hash of a web hook", &hash);
        self.hashes.push(hash.clone());
        self.note("the answer to a new hook", &made);
        (made.id(), format!("/v1/hooks/web/{hash}"))
    }

    fn note(&mut self, place: &str, answer: &Answer) {
        self.answers.push((place.to_owned(), format!("{:?} {}", answer.headers, answer.text)));
    }

    /// Posts with `own` headers beside those that pass.
    async fn post(&mut self, path: &str, own: &[(String, String)], body: &str) -> Answer {
        let is_own = |name: &str| own.iter().any(|(own, _)| own == name);
        let passing = self.passing.iter().filter(|(name, _)| !is_own(name));
        let headers: Vec<_> = passing.chain(own).map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = format!("{path}?{}", self.query);
        let answer = self.world.send("POST", &path, &headers, body.to_owned()).await;
        self.note(&path.replace(&self.query, "…"), &answer);
        answer
    }

    /// The headers by which `body` is signed, whose values are canaries from here on.
    fn signed(&mut self, scheme: &str, secret: &str, path: &str, body: &str) -> Vec<(String, String)> {
        let url = format!("http://hooks.test{path}?{}", self.query);
        let known = service::senders::scheme(scheme).unwrap();
        let settings = Settings { secrets: vec![secret.to_owned()], ..Settings::default() };
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let request = Unsigned { method: "POST".to_owned(), url, headers, body: body.as_bytes().to_vec() };
        let now = Timestamp::parse(NOON).unwrap().as_second();
        let signed = sign(&known, &settings, None, request, "msg_1", now).unwrap().headers;
        for (name, value) in signed.iter().filter(|(_, value)| value.len() > 20) {
            let signature = value.rsplit(['=', ',']).find(|part| part.len() > 20).unwrap_or(value);
            self.canaries.add(&format!("{scheme}'s {name}"), signature);
        }
        signed
    }

    /// Lets the executor take everything, and keeps what was on the queue.
    async fn work(&mut self) {
        for delivery in self.world.queue.receive(1_000, 60) {
            if let Err(error) = self.world.executor.execute(&delivery.body).await {
                self.printed.push_str(&format!("{error} {error:?}"));
            }
            self.messages.push(delivery.body);
        }
    }
}

/// Providers have answers of their own.
#[track_caller]
fn is_taken(answer: &Answer) {
    assert!([200, 202].contains(&answer.status), "{answer:?}");
}

/// A web hook of every kind of secret: good, wrong and old credentials, the same delivery twice.
async fn drive_webhooks(story: &mut Story) {
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
async fn drive_credentials(story: &mut Story) {
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

/// A guarded form, and a run of it that fails.
async fn drive_form(story: &mut Story) {
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
        { "id": "good", "action": "kustomer.company.create", "params": { "name": "n", "tags": "/#steps.1" }, "transitions": always("bad") },
        { "id": "bad", "action": "kustomer.note.create", "params": { "body": "/#steps.1" }, "transitions": [] },
    ]);
    story.world.workflow(workflow_of("fails", &open.event, steps)).await;
    story.post(&open.path, &[], "{\"a\":1}").await.expect(202);
    let again = ("idempotency-key".to_owned(), "one".to_owned());
    story.post(&open.path, std::slice::from_ref(&again), "{\"a\":2}").await.expect(202);
    story.post(&open.path, std::slice::from_ref(&again), "{\"a\":2}").await.expect(202);
    story.post(&open.path, std::slice::from_ref(&again), "{\"a\":3}").await.expect(409);
    story.post(&open.path, &[], "{").await.expect(400);
}

/// What management refuses, which must not quote it.
async fn drive_refused_settings(story: &mut Story) {
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
        service::ports::Queue::send(story.world.queue.as_ref(), message).await.unwrap();
    }
}

/// Whether secrets may be in the item: a hook, by its id and by its address, or a key.
fn may_hold_secrets(item: &Item) -> bool {
    item.key.partition.contains("#hooks#") || item.key.partition.starts_with("address#")
}

/// What is printed of everything that holds secrets.
fn print_documents(story: &mut Story) {
    for item in story.store.items() {
        if may_hold_secrets(&item) {
            let hook: Hook = serde_json::from_str(&item.document).unwrap();
            let auth = hook.auth.as_ref();
            let settings = Settings {
                secrets: auth.iter().flat_map(|auth| &auth.secrets).map(|s| s.reveal().to_owned()).collect(),
                ..Settings::default()
            };
            let guard: Option<&Guard> = hook.guard.as_ref();
            write!(story.printed, "{auth:?} {settings:?} {guard:?}").unwrap();
            // A hook shows its address to whoever may print it, and nothing else.
            story.printed.push_str(&format!("{hook:?} {hook:#?}").replace(&hook.hash.to_string(), ""));
        } else if item.key.partition.ends_with("#keys") {
            let key: ApiKey = serde_json::from_str(&item.document).unwrap();
            write!(story.printed, "{key:?}").unwrap();
        }
    }
}

#[tokio::test]
async fn no_secret_is_found_anywhere_but_where_it_was_put() {
    let logs = Logs::default();
    let guard = tracing::subscriber::set_default(logs.clone());
    let mut story = Story::new().await;
    drive_webhooks(&mut story).await;
    drive_credentials(&mut story).await;
    drive_form(&mut story).await;
    drive_refused_settings(&mut story).await;
    story.work().await;
    print_documents(&mut story);
    let shown = all_answers(&story.world).await;
    drop(guard);

    let mut found = Vec::new();
    for item in story.store.items().iter().filter(|item| !may_hold_secrets(item)) {
        let place = format!("the store at {}", item.key.partition);
        found.extend(story.canaries.in_text(&place, &format!("{:?} {:?} {}", item.key, item.index, item.document)));
    }
    for message in story.messages.iter().filter(|message| message.starts_with("{\"v\":1,\"event\":\"kustomer.")) {
        found.extend(story.canaries.in_text("the queue", message));
    }
    found.extend(story.canaries.in_text("the log", &logs.text()));
    found.extend(story.canaries.in_text("what is printed", &story.printed));
    for (place, text) in shown.iter().chain(&story.answers) {
        let is_hook = place.starts_with("/v1/hooks") || place.contains("hook") || place == "a sample";
        let text = story.hashes.iter().filter(|_| is_hook).fold(text.clone(), |text, hash| text.replace(hash, ""));
        found.extend(story.canaries.in_text(place, &text));
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} canaries: {found:#?}", found.len());

    // The search itself sees what there is to see.
    let paths: Vec<&str> = shown.iter().map(|(path, _)| path.as_str()).collect();
    for word in
        ["/arrivals", "/refusals", "/transactions", "/v1/transactions/", "/v1/runs/", "/export", "/v1/api-keys/"]
    {
        assert!(paths.iter().any(|path| path.contains(word)), "{word}: {paths:?}");
    }
    assert!(logs.text().contains("refused a request") && story.messages.len() > 20 && story.world.blobs.count() == 0);
    let texts: String = shown.iter().map(|(_, text)| text.as_str()).collect();
    for word in ["reserialised_body", "old_secret", "\"failed\"", "bodyBase64", "\"repeat\"", "shop=plain"] {
        assert!(texts.contains(word), "{word}");
    }
}
