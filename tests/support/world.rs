//! A whole Hookwright in memory, spoken to through its doors only.

use std::sync::Arc;

use bytes::Bytes;
use domain::{ApiKey, ApiKeyId, ApiKeySecret, OrgId, Role, Timestamp};
use local::Outbox;
use serde_json::{Value, json};
use service::{
    Door, Executor, Limits, MailDoor, Management, Senders,
    directory::keys::{self, KeyCache},
    http::{
        Front, Request, Response, SourceAddress,
        api::{MailSetup, MailWay},
        form, web,
    },
    memory::{FixedWorld, MemoryBlobs, MemoryCalls, MemoryMails, MemoryQueue, MemoryStore, MemoryWeb},
    ports::Store,
    ticker::{TICK_LIMIT_TIMERS, Ticker},
};

/// When every story begins.
pub const NOON: &str = "2026-11-22T12:00:00.000Z";

/// How often a queue is waited for until it is empty.
const WORK_LIMIT_ROUNDS: usize = 100;

/// Where addresses of email hooks are, as in the corpus of events.
pub const MAIL_DOMAIN: &str = "hooks.example.net";

/// Where mails lie, likewise.
pub const MAIL_BUCKET: &str = "acme-hook-mail";

/// Long enough that nothing becomes visible again in a story that does not wait for it.
const VISIBILITY_SECONDS: i64 = 60;

/// What a door answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let body = domain::exact::parse(&text).unwrap_or(Value::Null);
        Self { status: parts.status.as_u16(), headers: parts.headers, body, text }
    }

    /// The first error's code.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["code"].as_str().unwrap_or_else(|| panic!("no error in {self:?}"))
    }

    /// The id of the resource.
    pub fn id(&self) -> String {
        self.body["data"]["id"].as_str().unwrap_or_else(|| panic!("no id in {self:?}")).to_owned()
    }

    /// The resource's attribute.
    pub fn attribute(&self, name: &str) -> Value {
        self.body["data"]["attributes"][name].clone()
    }

    /// Asserts the status, showing the whole answer when it is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

/// A form hook that a story has made.
#[derive(Debug, Clone)]
pub struct FormHook {
    pub id: String,
    pub event: String,
    /// The path of its address, org and hash.
    pub path: String,
    pub hash: String,
}

pub struct World {
    pub clock: Arc<FixedWorld>,
    pub store: Arc<dyn Store>,
    pub queue: Arc<MemoryQueue>,
    pub blobs: Arc<MemoryBlobs>,
    pub web: Arc<MemoryWeb>,
    pub calls: Arc<MemoryCalls>,
    pub mails: Arc<MemoryMails>,
    /// Where a mail lies that a story says was sent; workflows send none here.
    pub outbox: Arc<Outbox>,
    pub door: Door,
    pub mail_door: Arc<MailDoor>,
    pub executor: Executor,
    pub management: Management,
    pub org: OrgId,
    pub admin: String,
}

impl World {
    /// An org with an admin key and nothing else.
    pub async fn new() -> Self {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        Self::over(store, clock).await
    }

    /// The same over another store.
    pub async fn over(store: Arc<dyn Store>, clock: Arc<FixedWorld>) -> Self {
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let blobs = Arc::new(MemoryBlobs::default());
        let web = Arc::new(MemoryWeb::default());
        let calls = Arc::new(MemoryCalls::default());
        let (addresses, keys) = (Arc::default(), Arc::<KeyCache>::default());
        let mails = Arc::new(MemoryMails::default());
        let outbox = Arc::new(Outbox::memory(clock.clone()));
        let org = OrgId::parse("581392b55ac7a2110099d9c8").unwrap();
        let door = || Door {
            store: store.clone(),
            queue: queue.clone(),
            blobs: blobs.clone(),
            uploads: blobs.clone(),
            web: web.clone(),
            world: clock.clone(),
            addresses: Arc::clone(&addresses),
            limits: Limits::default(),
            senders: Senders::with_keys(Arc::clone(&keys)),
            public_url: Some("http://hooks.test".to_owned()),
        };
        let mail_door = Arc::new(MailDoor {
            door: Arc::new(door()),
            mails: mails.clone(),
            domain: MAIL_DOMAIN.to_owned(),
            bucket: Some(MAIL_BUCKET.to_owned()),
            key_prefix: "inbound/".to_owned(),
        });
        let way = MailWay::Ses {
            region: "eu-west-1".to_owned(),
            dkim_tokens: vec!["token1".to_owned(), "token2".to_owned(), "token3".to_owned()],
            rule_set: Some("hookwright".to_owned()),
        };
        let mut world = Self {
            door: door(),
            executor: Executor::new(store.clone(), queue.clone(), clock.clone())
                .with_calls(calls.clone())
                .with_address(Some("http://hooks.test")),
            management: Management {
                store: store.clone(),
                queue: queue.clone(),
                destinations: calls.clone(),
                world: clock.clone(),
                addresses: Arc::clone(&addresses),
                keys: Arc::clone(&keys),
                public_url: Some("http://hooks.test".to_owned()),
                mail: Some(MailSetup { door: Arc::clone(&mail_door), way }),
                outbox: Some(outbox.clone()),
                first_key: None,
            },
            clock,
            store,
            queue,
            blobs,
            web,
            calls,
            mails,
            outbox,
            mail_door,
            org,
            admin: String::new(),
        };
        world.admin = world.key(org, &["org.admin"], 1).await;
        world
    }

    /// A key of `org` with `roles`, made behind the doors.
    pub async fn key(&self, org: OrgId, roles: &[&str], seed: u8) -> String {
        let secret = ApiKeySecret::from_random([seed; 32]);
        let id = ApiKeyId::fresh(Timestamp::parse(NOON).unwrap(), [seed; 8]);
        let roles = roles.iter().map(|role| Role::parse(role).unwrap()).collect();
        let key = ApiKey::new(id, org, "story".to_owned(), roles, &secret, Timestamp::parse(NOON).unwrap());
        keys::create(self.store.as_ref(), &key).await.unwrap();
        secret.token(org, id)
    }

    /// A management request with the admin key.
    pub async fn api(&self, method: &str, path: &str, body: Value) -> Answer {
        self.api_as(&self.admin, method, path, body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.api("GET", path, Value::Null).await
    }

    /// Each page of a list, from `first` on.
    pub async fn pages(&self, first: &str) -> Vec<Answer> {
        let mut pages = Vec::new();
        let mut next = Some(first.to_owned());
        while let Some(path) = next {
            let page = self.get(&path).await.expect(200);
            next = page.body["links"]["next"].as_str().map(str::to_owned);
            pages.push(page);
        }
        pages
    }

    /// What is listed on all pages, from `first` on.
    pub async fn every(&self, first: &str) -> Vec<Value> {
        self.pages(first).await.iter().flat_map(|page| page.body["data"].as_array().unwrap().clone()).collect()
    }

    /// A management request with the key `token`.
    pub async fn api_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// A request as a client sends it, to whichever door its path belongs to.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        self.send_from(None, method, path, headers, body).await
    }

    /// The same from a source address.
    pub async fn send_from(
        &self,
        source: Option<&str>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request: Request = request.body(body.into()).unwrap();
        if let Some(source) = source {
            request.extensions_mut().insert(SourceAddress(source.parse().unwrap()));
        }
        self.deliver(request).await
    }

    /// A request whose every part is the story's own, to whichever door its path belongs to.
    pub async fn deliver(&self, request: Request) -> Answer {
        let response = match Front::of(request.method(), request.uri().path()) {
            Front::Form => form::receive(&self.door, &request).await,
            Front::Web => web::receive(&self.door, &request).await,
            Front::Management => self.management.answer(&request).await,
        };
        Answer::of(response)
    }

    pub async fn form_hook(&self) -> FormHook {
        self.form_hook_with(json!({ "title": "Orders" })).await
    }

    pub async fn form_hook_with(&self, attributes: Value) -> FormHook {
        let answer = self.api("POST", "/v1/hooks/form", attributes).await.expect(201);
        let url = answer.attribute("url").as_str().unwrap().to_owned();
        FormHook {
            id: answer.id(),
            event: answer.attribute("eventName").as_str().unwrap().to_owned(),
            path: url.strip_prefix("http://hooks.test").unwrap().to_owned(),
            hash: answer.attribute("hash").as_str().unwrap().to_owned(),
        }
    }

    /// Posts `body` to the hook as JSON.
    pub async fn post(&self, hook: &FormHook, body: Value) -> Answer {
        self.post_as(hook, "application/json", body.to_string()).await
    }

    pub async fn post_as(&self, hook: &FormHook, content_type: &str, body: impl Into<Bytes>) -> Answer {
        self.send("POST", &hook.path, &[("content-type", content_type)], body).await
    }

    /// Posts `body`, lets the executor work, and gives the id of the transaction.
    pub async fn arrive(&self, hook: &FormHook, body: Value) -> String {
        let id = self.post(hook, body).await.expect(202).id();
        self.work().await;
        id
    }

    /// Delivers what is on the queue until nothing is. What fails stays and is not delivered again here.
    pub async fn work(&self) {
        self.work_with(&self.executor).await;
    }

    async fn work_with(&self, executor: &Executor) {
        loop {
            let deliveries = self.queue.receive(10, VISIBILITY_SECONDS);
            if deliveries.is_empty() {
                return;
            }
            for delivery in deliveries {
                if executor.execute(&delivery.body).await.is_ok() {
                    self.queue.delete(&delivery.receipt);
                }
            }
        }
    }

    /// Lets `executor` work, and the time pass to whatever the queue holds back or delivers again, until it is empty.
    pub async fn work_on(&self, executor: &Executor) {
        for _ in 0..WORK_LIMIT_ROUNDS {
            self.work_with(executor).await;
            let Some(visible_at) = self.queue.next_visible_at() else { return };
            let now = service::ports::World::now(self.clock.as_ref());
            self.clock.pass_seconds((visible_at.as_millisecond() - now.as_millisecond() + 999) / 1_000);
        }
        panic!("there is still something on the queue");
    }

    /// Lets `seconds` pass, the ticker tick, and what is due then be done.
    pub async fn later(&self, seconds: i64) {
        self.clock.pass_seconds(seconds);
        self.tick().await;
        self.work().await;
    }

    /// Lets the ticker tick, and gives how many timers it sent.
    pub async fn tick(&self) -> usize {
        let ticker = Ticker::new(self.store.clone(), self.queue.clone(), self.clock.clone());
        ticker.tick(TICK_LIMIT_TIMERS).await.unwrap().sent
    }

    /// Creates an enabled workflow and gives its id.
    pub async fn workflow(&self, document: Value) -> String {
        self.api("POST", "/v1/workflows", document).await.expect(201).id()
    }

    /// The klass `order` of the tutorial.
    pub async fn order_klass(&self) {
        let klass = json!({
            "name": "order",
            "displayName": "Order",
            "metadata": { "properties": {
                "orderIDStr": { "displayName": "Order ID" },
                "priceStr": { "displayName": "Price" },
                "quantityNum": { "displayName": "Quantity" },
            } },
        });
        self.api("POST", "/v1/klasses", klass).await.expect(201);
    }

    /// The only run that the transaction started, with every step.
    pub async fn run_of(&self, transaction: &str) -> Value {
        let answer = self.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
        let considered = answer.body["meta"]["trace"]["considered"].as_array().unwrap().clone();
        assert_eq!(considered.len(), 1, "{considered:?}");
        let id = considered[0]["run"]["id"].as_str().unwrap().to_owned();
        self.get(&format!("/v1/runs/{id}")).await.expect(200).body["data"]["attributes"].clone()
    }

    /// Every customer, as the API lists them.
    pub async fn customers(&self) -> Vec<Value> {
        self.get("/v1/customers?pageSize=100").await.expect(200).body["data"].as_array().unwrap().clone()
    }

    /// What is on the timeline of the customer.
    pub async fn timeline(&self, customer: &str) -> Vec<Value> {
        let path = format!("/v1/customers/{customer}/timeline?pageSize=100");
        self.get(&path).await.expect(200).body["data"].as_array().unwrap().clone()
    }
}

/// The tutorial's workflow over the hook's event: look the customer up, create it if need be, put the order on its timeline.
pub fn tutorial_workflow(event: &str) -> Value {
    let document = include_str!("../fixtures/tutorial-workflow.json");
    let mut document: Value = serde_json::from_str(document).unwrap();
    document["trigger"]["eventName"] = json!(event);
    document
}

/// What the tutorial's store posts.
pub fn tutorial_order() -> Value {
    json!({ "orderId": "1234", "price": "$10.25", "quantity": 2, "email": "test@example.com" })
}

/// A workflow named `name` over `event` with these steps behind an always open transition to the first.
pub fn workflow_of(name: &str, event: &str, steps: Value) -> Value {
    let first = steps[0]["id"].clone();
    json!({
        "name": name,
        "enabled": true,
        "trigger": { "eventName": event, "transitions": [{ "target": first, "condition": { "op": "true", "values": [true] } }] },
        "steps": steps,
    })
}

/// Transitions of a step that always goes on to `target`.
pub fn always(target: &str) -> Value {
    json!([{ "target": target, "condition": { "op": "true", "values": [true] } }])
}
