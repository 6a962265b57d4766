//! Mail to a world: hooks to send it to, deliveries as SES tells of them, and the corpus.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use domain::Timestamp;
use ingest::ses::{Delivery, Place, Verdicts};
use serde_json::{Value, json};
use service::{
    Door, Limits, MailDoor, Senders,
    mail::{MailOutcome, What},
    ports::{Blobs, Mails, Queue, Store, Unavailable},
};

use crate::world::{Answer, MAIL_BUCKET, MAIL_DOMAIN, NOON, World, workflow_of};

/// An email hook that a story has made.
#[derive(Debug, Clone)]
pub struct EmailHook {
    pub id: String,
    pub event: String,
    pub hash: String,
    pub address: String,
    pub short_address: String,
    /// Where the API has it.
    pub path: String,
}

/// A delivery of a mail under `id` to these envelope recipients, all checks passed.
pub fn delivery(id: &str, recipients: &[&str]) -> Delivery {
    Delivery {
        id: id.to_owned(),
        envelope_from: Some("bounce@esp.example".to_owned()),
        recipients: Some(recipients.iter().map(|recipient| (*recipient).to_owned()).collect()),
        verdicts: verdicts("PASS PASS PASS PASS PASS -"),
        received_at: Timestamp::parse(NOON),
        place: Place::Object { bucket: Some(MAIL_BUCKET.to_owned()), key: Some(format!("inbound/{id}")) },
    }
}

/// Verdicts in the order spam, virus, SPF, DKIM, DMARC and DMARC policy; `-` where nothing is said.
pub fn verdicts(words: &str) -> Verdicts {
    let mut words = words.split(' ').map(|word| (word != "-").then(|| word.to_owned()));
    let mut next = || words.next().unwrap();
    let (spam, virus, spf, dkim) = (next(), next(), next(), next());
    Verdicts { spam, virus, spf, dkim, dmarc: next(), dmarc_policy: next() }
}

/// A mail whose HTML has `json` in a script tag.
pub fn order_mail(message_id: &str, json: &str) -> String {
    html_mail(message_id, &format!("<script type=\"application/ld+json\">{json}</script>"))
}

/// A mail with this HTML in it.
pub fn html_mail(message_id: &str, html: &str) -> String {
    mail_with("", message_id, html)
}

/// The same with more header lines, each with its own end.
pub fn mail_with(headers: &str, message_id: &str, html: &str) -> String {
    format!(
        "{headers}From: Shop <orders@shop.example>\r\nTo: Customer <customer@mail.example>\r\nSubject: Your order\r\n\
         Message-ID: {message_id}\r\nDate: Sun, 22 Nov 2026 11:59:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Thank you.</p>{html}</body></html>\r\n"
    )
}

/// The ports that a mail door may have of its own.
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub queue: Arc<dyn Queue>,
    pub blobs: Arc<dyn Blobs>,
    pub mails: Arc<dyn Mails>,
}

impl World {
    pub async fn email_hook(&self) -> EmailHook {
        self.email_hook_with(json!({ "title": "Order mails" })).await
    }

    pub async fn email_hook_with(&self, mut attributes: Value) -> EmailHook {
        attributes.as_object_mut().unwrap().entry("title").or_insert(json!("Order mails"));
        let answer = self.api("POST", "/v1/hooks/email", attributes).await.expect(201);
        let text = |name: &str| answer.attribute(name).as_str().unwrap().to_owned();
        let (event, hash, address, short_address) =
            (text("eventName"), text("hash"), text("email"), text("shortEmail"));
        let id = answer.id();
        EmailHook { path: format!("/v1/hooks/email/{id}"), id, event, hash, address, short_address }
    }

    /// An email hook with these `mail` settings.
    pub async fn mail_hook(&self, mail: Value) -> EmailHook {
        self.email_hook_with(json!({ "mail": mail })).await
    }

    /// Lays `mail` down as SES does and tells of it.
    pub async fn mail(&self, delivery: &Delivery, mail: impl Into<Bytes>) -> Result<Vec<MailOutcome>, Unavailable> {
        self.mails.put(format!("inbound/{}", delivery.id), mail.into());
        self.mail_door.receive(delivery).await
    }

    /// Sends `mail` to the hook alone, under an SES id, and gives what became of it there.
    pub async fn mail_to(&self, hook: &EmailHook, id: &str, mail: impl Into<Bytes>) -> MailOutcome {
        let outcomes = self.mail(&delivery(id, &[&hook.address]), mail).await.unwrap();
        let [outcome] = outcomes.as_slice() else { panic!("{outcomes:?}") };
        outcome.clone()
    }

    /// The same, lets the executor work, and gives the transaction as the API shows it.
    pub async fn mailed(&self, hook: &EmailHook, id: &str, mail: impl Into<Bytes>) -> Answer {
        let outcome = self.mail_to(hook, id, mail).await;
        self.work().await;
        self.transaction(&outcome).await
    }

    /// The transaction of the outcome.
    pub async fn transaction(&self, outcome: &MailOutcome) -> Answer {
        self.get(&format!("/v1/transactions/{}", outcome.transaction)).await.expect(200)
    }

    /// A door for mail over these ports, which remembers nothing of what the other one has looked up.
    pub fn mail_door_over(&self, ports: Ports) -> MailDoor {
        let door = Door {
            store: ports.store,
            queue: ports.queue,
            blobs: ports.blobs,
            uploads: self.blobs.clone(),
            web: self.web.clone(),
            world: self.clock.clone(),
            addresses: Arc::default(),
            limits: Limits::default(),
            senders: Senders::with_keys(Arc::default()),
            public_url: None,
        };
        MailDoor {
            door: Arc::new(door),
            mails: ports.mails,
            domain: MAIL_DOMAIN.to_owned(),
            bucket: Some(MAIL_BUCKET.to_owned()),
            key_prefix: "inbound/".to_owned(),
        }
    }

    /// The ports that this world's own mail door has.
    pub fn mail_ports(&self) -> Ports {
        let (store, queue) = (self.store.clone(), self.queue.clone());
        Ports { store, queue, blobs: self.blobs.clone(), mails: self.mails.clone() }
    }

    /// A workflow that listens to the hook and does nothing; its id.
    pub async fn listener(&self, hook: &EmailHook) -> String {
        let steps = json!([{ "id": "end", "transitions": [] }]);
        self.workflow(workflow_of(&format!("listener-{}", hook.id), &hook.event, steps)).await
    }

    /// The runs of a workflow, once the executor has worked.
    pub async fn runs(&self, workflow: &str) -> Vec<Value> {
        self.work().await;
        let answer = self.get(&format!("/v1/workflows/{workflow}/runs?pageSize=100")).await.expect(200);
        answer.body["data"].as_array().unwrap().clone()
    }

    /// What waits in the quarantine of the hook, as the API lists it.
    pub async fn quarantine(&self, hook: &EmailHook) -> Vec<Value> {
        let answer = self.get(&format!("{}/quarantine?pageSize=100", hook.path)).await.expect(200);
        answer.body["data"].as_array().unwrap().clone()
    }

    /// What the hook refused, as the API lists it.
    pub async fn refusals(&self, hook: &EmailHook) -> Vec<Value> {
        let answer = self.get(&format!("{}/refusals", hook.path)).await.expect(200);
        answer.body["data"].as_array().unwrap().clone()
    }

    pub async fn release(&self, hook: &EmailHook, id: &str) -> Answer {
        self.api("POST", &format!("{}/quarantine/{id}/release", hook.path), Value::Null).await
    }
}

/// What became of a mail, in two words: `fired`, `repeated`, `recorded no_data`, `quarantined spam`.
pub fn word(what: What) -> String {
    match what {
        What::Fired => "fired".to_owned(),
        What::Repeated => "repeated".to_owned(),
        What::Recorded(code) => format!("recorded {code}"),
        What::Quarantined(code) => format!("quarantined {code}"),
    }
}

/// Where the corpus is. Its README tells its shape.
pub fn corpus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/fixtures/email")
}

/// A file of the corpus.
pub fn corpus_file(name: &str) -> Bytes {
    std::fs::read(corpus_folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).into()
}

/// What is expected of the corpus.
pub fn corpus() -> Value {
    domain::exact::parse(std::str::from_utf8(&corpus_file("expected.json")).unwrap()).unwrap()
}
