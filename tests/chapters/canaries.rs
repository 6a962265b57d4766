//! Canaries: secrets that are planted wherever one may be put in or come by, and are looked for in everything that is
//! kept, queued, logged, printed or answered.

mod owners;
mod senders;

use std::{fmt::Write as _, future::pending, sync::Arc};

use domain::{ApiKey, Guard, Hook, Timestamp, Webhook};
use serde_json::{Value, json};
use service::{
    directory::variables::Variable,
    memory::{FixedWorld, MemoryStore},
    ports::Item,
};
use tests::{
    Answer,
    letters::last_delivery,
    sinks::{Canaries, Logs, all_answers},
    world::{NOON, World},
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
            // What fails is a dead letter at once.
            let last = last_delivery(Some(self.world.org), &delivery.receipt, &delivery.body);
            if let Err(error) = self.world.executor.execute_delivered(&last, pending()).await {
                self.printed.push_str(&format!("{error} {error:?}"));
            }
            self.messages.push(delivery.body);
        }
    }
}

/// Whether secrets may be in the item: a hook, by its id and by its address, an outbound webhook, a variable, or
/// settings of an app.
fn may_hold_secrets(item: &Item) -> bool {
    is_variable(item)
        || is_webhook(item)
        || is_bare(item)
        || is_dead_message(item)
        || item.key.partition.contains("#hooks#")
        || item.key.partition.starts_with("address#")
}

/// Whether it is a message as it was sent, which somebody may have put anything into.
fn is_dead_message(item: &Item) -> bool {
    item.key.partition.contains("#dead-letter#") && item.key.sort == "message"
}

fn is_variable(item: &Item) -> bool {
    item.key.partition.contains("#variables#")
}

fn is_webhook(item: &Item) -> bool {
    item.key.partition.ends_with("#webhooks")
}

/// Whether nothing of ours has what is in the item as a value that could be printed.
fn is_bare(item: &Item) -> bool {
    let partition = &item.key.partition;
    partition.contains("#retired-values#")
        || partition.ends_with("#app-settings")
        || partition.ends_with("#retired-settings")
}

/// What is printed of everything that holds secrets.
fn print_documents(story: &mut Story) {
    for item in story.store.items() {
        if is_variable(&item) {
            let variable: Variable = serde_json::from_str(&item.document).unwrap();
            write!(story.printed, "{variable:?} {variable:#?}").unwrap();
        } else if is_webhook(&item) {
            let webhook: Webhook = serde_json::from_str(&item.document).unwrap();
            write!(story.printed, "{webhook:?} {webhook:#?}").unwrap();
        } else if is_bare(&item) || is_dead_message(&item) {
            // Text and JSON.
        } else if may_hold_secrets(&item) {
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
    senders::drive_webhooks(&mut story).await;
    senders::drive_credentials(&mut story).await;
    owners::drive_form(&mut story).await;
    owners::drive_refused_settings(&mut story).await;
    owners::drive_outbound(&mut story).await;
    story.work().await;
    // What was told has become deliveries by now.
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
    // A letter alone is shown with its message.
    let shown_elsewhere = shown.iter().filter(|(path, _)| !path.starts_with("/v1/dead-letters/"));
    for (place, text) in shown_elsewhere.chain(&story.answers) {
        let is_hook = place.starts_with("/v1/hooks") || place.contains("hook") || place == "a sample";
        let text = story.hashes.iter().filter(|_| is_hook).fold(text.clone(), |text, hash| text.replace(hash, ""));
        found.extend(story.canaries.in_text(place, &text));
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} canaries: {found:#?}", found.len());

    // The search itself sees what there is to see.
    let paths: Vec<&str> = shown.iter().map(|(path, _)| path.as_str()).collect();
    for word in [
        "/arrivals",
        "/refusals",
        "/transactions",
        "/v1/transactions/",
        "/v1/runs/",
        "/export",
        "/versions/2",
        "/draft",
        "/v1/workflow-variables/",
        "/v1/api-keys/",
        "/deliveries/",
        "/v1/dead-letters/",
    ] {
        assert!(paths.iter().any(|path| path.contains(word)), "{word}: {paths:?}");
    }
    assert!(logs.text().contains("refused a request") && story.messages.len() > 20 && story.world.blobs.count() == 0);
    let texts: String = shown.iter().map(|(_, text)| text.as_str()).collect();
    for word in ["reserialised_body", "old_secret", "\"failed\"", "bodyBase64", "\"repeat\"", "shop=plain", "echo ••••"]
    {
        assert!(texts.contains(word), "{word}");
    }
}
