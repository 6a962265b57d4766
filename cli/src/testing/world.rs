//! A whole Hookwright for one case: the service's own doors and executor over ports in memory, spoken to as by a client.
//!
//! The clock stands still until [`World::settle`] or [`World::pass_to`] moves it, and chance counts up, so that a case gives
//! the same bytes whenever it runs. Nothing here can reach a network.

use std::sync::Arc;

use domain::{ApiKey, ApiKeyId, ApiKeySecret, OrgId, Role, Timestamp, exact};
use local::Outbox;
use serde_json::Value;
use service::{
    Door, Executor, Limits, MailDoor, Management, RECEIVES_LIMIT, Senders, Ticker,
    actions::Mailing,
    directory::keys::{self, KeyCache},
    http::{
        Front, Request,
        api::{MailSetup, MailWay},
        form, web,
    },
    memory::{FixedWorld, MemoryBlobs, MemoryCalls, MemoryMails, MemoryQueue, MemoryStore, MemoryWeb},
    ports::World as _,
    ticker::TICK_LIMIT_TIMERS,
};

use super::{mailbox::Mailbox, mocks::MockedCalls};
use crate::failure;

/// Where addresses of hooks and links to answers begin.
const PUBLIC_URL: &str = "http://hooks.test";

/// Where addresses of email hooks are.
pub(crate) const MAIL_DOMAIN: &str = "hooks.test";

const ORG: &str = "581392b55ac7a2110099d9c8";

/// As in production: six times the time a message may take.
const VISIBILITY_SECONDS: i64 = 360;

/// The most messages of a case. *Why*: a workflow that sets itself off would go on for ever.
const MESSAGES_LIMIT: usize = 10_000;

const PAGE_SIZE: usize = 100;

/// Everything there is.
pub(crate) struct World {
    clock: Arc<FixedWorld>,
    queue: Arc<MemoryQueue>,
    door: Arc<Door>,
    executor: Executor,
    ticker: Ticker,
    management: Management,
    admin: String,
    sender: String,
    messages: usize,
    /// Mails that come in.
    pub(crate) mails: Arc<MemoryMails>,
    /// The door that they come in by.
    pub(crate) mail_door: Arc<MailDoor>,
    /// Mails that go out.
    pub(crate) mailbox: Arc<Mailbox>,
    /// The world outside.
    pub(crate) calls: Arc<MockedCalls>,
    /// Why messages were given up.
    pub(crate) dead_letters: Vec<String>,
}

/// What a door answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The body; a text where it is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    /// What it says, where it is a success.
    ///
    /// *Errors*: each reason for a refusal, in a sentence.
    pub(crate) fn success(self) -> Result<Value, Vec<String>> {
        if self.status < 400 {
            return Ok(self.body);
        }
        let errors = self.body.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        match errors {
            [] => Err(vec![format!("The answer was {}.", self.status)]),
            errors => Err(errors.iter().map(failure::sentence).collect()),
        }
    }
}

impl World {
    /// An empty world in which it is `now`.
    ///
    /// *Errors*: a sentence; none is known.
    pub(crate) async fn at(now: Timestamp) -> Result<Self, String> {
        let clock = Arc::new(FixedWorld::at(now));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let (blobs, mails) = (Arc::new(MemoryBlobs::default()), Arc::new(MemoryMails::default()));
        let calls = Arc::new(MockedCalls::default());
        let outbox = Arc::new(Outbox::memory(clock.clone()));
        let mailbox = Arc::new(Mailbox::over(outbox.clone()));
        let (addresses, key_cache) = (Arc::default(), Arc::<KeyCache>::default());
        let door = Arc::new(Door {
            store: store.clone(),
            queue: queue.clone(),
            blobs: blobs.clone(),
            uploads: blobs.clone(),
            web: Arc::new(MemoryWeb::default()),
            world: clock.clone(),
            addresses: Arc::clone(&addresses),
            limits: Limits::default(),
            senders: Senders::with_keys(Arc::clone(&key_cache)),
            public_url: Some(PUBLIC_URL.to_owned()),
        });
        let mail_door = Arc::new(MailDoor {
            door: Arc::clone(&door),
            mails: mails.clone(),
            domain: MAIL_DOMAIN.to_owned(),
            bucket: None,
            key_prefix: String::new(),
        });
        let setup =
            MailSetup { door: Arc::clone(&mail_door), way: MailWay::Listener { address: format!("{MAIL_DOMAIN}:25") } };
        let executor = Executor::new(store.clone(), queue.clone(), clock.clone())
            .with_calls(calls.clone())
            .with_address(Some(PUBLIC_URL))
            .with_post(Mailing {
                post: mailbox.clone(),
                blobs,
                domain: Some(MAIL_DOMAIN.to_owned()),
                from: Some(format!("workflows@{MAIL_DOMAIN}")),
            });
        let ticker = Ticker::new(store.clone(), queue.clone(), clock.clone());
        let management = Management {
            store,
            queue: queue.clone(),
            destinations: Arc::new(MemoryCalls::default()),
            world: clock.clone(),
            addresses,
            keys: key_cache,
            public_url: Some(PUBLIC_URL.to_owned()),
            mail: Some(setup),
            outbox: Some(outbox),
            first_key: None,
        };
        let (admin, sender) = (key(&management, "org.admin", 1).await?, key(&management, "org.hooks", 2).await?);
        let dead_letters = Vec::new();
        let messages = 0;
        Ok(Self {
            clock,
            queue,
            door,
            executor,
            ticker,
            management,
            admin,
            sender,
            messages,
            mails,
            mail_door,
            mailbox,
            calls,
            dead_letters,
        })
    }

    /// The present.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A request to the management API, and what it did.
    ///
    /// *Errors*: each reason for a refusal, in a sentence.
    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Vec<String>> {
        self.ask(method, path, body).await.map_err(|sentence| vec![sentence])?.success()
    }

    /// The same, and what was answered.
    ///
    /// *Errors*: a sentence, where there is no such path.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer, String> {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", self.admin));
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(body.into()).map_err(|error| format!("{path} is no path: {error}."))?;
        Ok(self.send(request).await)
    }

    /// A request that reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Vec<String>> {
        self.api("GET", path, None).await
    }

    /// Every resource of a list.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>, Vec<String>> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut next = Some(format!("{path}{mark}pageSize={PAGE_SIZE}"));
        let mut all = Vec::new();
        while let Some(path) = next {
            let mut page = self.get(&path).await?;
            next = page.pointer("/links/next").and_then(Value::as_str).map(str::to_owned);
            if let Some(Value::Array(resources)) = page.get_mut("data").map(Value::take) {
                all.extend(resources);
            }
        }
        Ok(all)
    }

    /// A body on its way to a hook, from somebody who may post to webhooks.
    pub(crate) async fn post(&self, path: &str, headers: &[(String, String)], body: String) -> Result<Answer, String> {
        let mut request = http::Request::post(path).header("authorization", format!("Bearer {}", self.sender));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body.into()).map_err(|error| format!("The headers cannot be sent: {error}."))?;
        Ok(self.send(request).await)
    }

    async fn send(&self, request: Request) -> Answer {
        let response = match Front::of(request.method(), request.uri().path()) {
            Front::Form => form::receive(&self.door, &request).await,
            Front::Web => web::receive(&self.door, &request).await,
            Front::Management => self.management.answer(&request).await,
        };
        let (parts, body) = response.into_parts();
        let text = String::from_utf8_lossy(&body);
        let body = exact::parse(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
        Answer { status: parts.status.as_u16(), body }
    }

    /// Throws away what is on the queue, also what is held back: what is given happened long ago.
    pub(crate) fn forget_messages(&self) {
        let now = self.now();
        while let Some(due) = self.queue.next_visible_at() {
            self.pass_to(due);
            let deliveries = self.queue.receive(PAGE_SIZE, VISIBILITY_SECONDS);
            deliveries.iter().for_each(|delivery| self.queue.delete(&delivery.receipt));
        }
        self.clock.set(now);
    }

    /// Executes what is due now, until nothing is.
    ///
    /// *Errors*: a sentence, where there is no end.
    pub(crate) async fn settle(&mut self) -> Result<(), String> {
        loop {
            let deliveries = self.queue.receive(PAGE_SIZE, VISIBILITY_SECONDS);
            if deliveries.is_empty() {
                match self.ticker.tick(TICK_LIMIT_TIMERS).await {
                    Ok(ticked) if ticked.sent == 0 => return Ok(()),
                    Ok(_) => continue,
                    Err(error) => return Err(format!("The ticker has failed: {error}.")),
                }
            }
            for delivery in deliveries {
                self.messages += 1;
                if self.messages > MESSAGES_LIMIT {
                    return Err(format!(
                        "After {MESSAGES_LIMIT} messages there was still something to do, at {}. A workflow may set itself off, or wait in short steps; `until` ends a case earlier.",
                        self.now()
                    ));
                }
                match self.executor.execute(&delivery.body).await {
                    Ok(()) => self.queue.delete(&delivery.receipt),
                    Err(error) if delivery.receive_count >= RECEIVES_LIMIT => {
                        self.queue.delete(&delivery.receipt);
                        self.dead_letters
                            .push(format!("A message was given up after {RECEIVES_LIMIT} deliveries: {error}."));
                    }
                    // It comes again when its visibility timeout is over.
                    Err(_) => {}
                }
            }
        }
    }

    /// When something is due next: a message that is held back or comes again, or a timer.
    ///
    /// *Errors*: a sentence; none is known.
    pub(crate) async fn next_due(&self) -> Result<Option<Timestamp>, String> {
        let timer = self.ticker.next_due_at().await.map_err(|error| error.to_string())?;
        Ok([self.queue.next_visible_at(), timer].into_iter().flatten().min())
    }

    /// Makes it `instant`; never earlier than it is.
    pub(crate) fn pass_to(&self, instant: Timestamp) {
        self.clock.set(instant.max(self.now()));
    }
}

/// A key with `role`, made behind the doors.
async fn key(management: &Management, role: &str, seed: u8) -> Result<String, String> {
    let org = OrgId::parse(ORG).map_err(|error| error.to_string())?;
    let (now, secret) = (management.world.now(), ApiKeySecret::from_random([seed; 32]));
    let id = ApiKeyId::fresh(now, [seed; 8]);
    let key = ApiKey::new(id, org, "tests".to_owned(), vec![Role::parse(role)?], &secret, now);
    keys::create(management.store.as_ref(), &key).await.map_err(|error| error.to_string())?;
    Ok(secret.token(org, id))
}

#[cfg(test)]
mod tests {
    use service::ports::Queue as _;

    use super::*;

    fn org() -> OrgId {
        OrgId::parse(ORG).unwrap()
    }

    async fn world() -> World {
        World::at(Timestamp::from_millisecond(0)).await.unwrap()
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_executed_is_given_up_after_five_deliveries() {
        let mut world = world().await;
        world.queue.send(org(), "no transaction".to_owned()).await.unwrap();
        while let Some(due) = world.next_due().await.unwrap() {
            world.pass_to(due);
            world.settle().await.unwrap();
        }
        assert_eq!(world.messages, 5);
        assert_eq!(world.now().as_second(), 4 * VISIBILITY_SECONDS);
        assert_eq!(
            world.dead_letters,
            ["A message was given up after 5 deliveries: the message is no transaction: line 1, column 2."]
        );
    }

    #[tokio::test]
    async fn ten_thousand_messages_are_executed_and_no_other() {
        let mut world = world().await;
        world.messages = MESSAGES_LIMIT - 1;
        world.queue.send(org(), "no transaction".to_owned()).await.unwrap();
        assert_eq!(world.settle().await, Ok(()));
        world.queue.send(org(), "no transaction".to_owned()).await.unwrap();
        assert!(world.settle().await.unwrap_err().starts_with("After 10000 messages there was still something to do"));
    }

    #[tokio::test]
    async fn time_never_passes_backwards() {
        let world = world().await;
        world.pass_to(Timestamp::from_millisecond(5));
        world.pass_to(Timestamp::from_millisecond(3));
        assert_eq!(world.now(), Timestamp::from_millisecond(5));
    }
}
