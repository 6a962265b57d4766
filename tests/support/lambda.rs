//! Hookwright as it runs on Lambda: the functions' own binaries, and AWS's endpoints on this machine.
//!
//! Each function is a process under a Runtime API of its own; a story speaks to it by events, as API Gateway and SQS do.

mod endpoints;
mod event;
mod function;
mod loopback;
mod runtime_api;
mod template;

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use domain::{ApiKeyId, ApiKeySecret, OrgId, Timestamp, exact};
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::world::{Answer, FormHook, NOON, tutorial_workflow};

pub use endpoints::{Endpoints, Service};
pub use event::{
    HOST, Source, action_event, http_event, in_base64, mail_event, queue_event, queue_event_from, tick_event,
};
pub use function::{End, Function};
pub use runtime_api::{Deadline, FunctionError};
pub use template::{Template, Told};

pub const ORG: &str = "581392b55ac7a2110099d9c8";

/// Where the binaries are; cargo tells it to test programs only.
#[derive(Debug, Clone, Copy)]
pub struct Binaries {
    pub form_hook: &'static str,
    pub webhook: &'static str,
    pub email_hook: &'static str,
    pub executor: &'static str,
    pub api: &'static str,
    pub ticker: &'static str,
}

/// The six functions over empty tables, with an admin key in their environment.
pub struct Deployment {
    pub form_hook: Function,
    pub webhook: Function,
    pub email_hook: Function,
    pub executor: Function,
    pub api: Function,
    pub ticker: Function,
    pub aws: Endpoints,
    /// The token of the key whose hash is in the environment.
    pub admin: String,
    template: Template,
}

impl Deployment {
    /// Starts everything.
    pub async fn start(binaries: Binaries) -> Self {
        let aws = Endpoints::start().await;
        let variables = variables(&aws);
        Self {
            form_hook: Function::start(binaries.form_hook, &variables).await,
            webhook: Function::start(binaries.webhook, &variables).await,
            email_hook: Function::start(binaries.email_hook, &variables).await,
            executor: Function::start(binaries.executor, &variables).await,
            api: Function::start(binaries.api, &variables).await,
            ticker: Function::start(binaries.ticker, &variables).await,
            aws,
            admin: admin_secret().token(OrgId::parse(ORG).unwrap(), first_key_id()),
            template: Template::read(),
        }
    }

    /// A request through the HTTP API, to the function that the template's routes lead it to.
    pub async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let event = http_event(method, target, headers, &body.into());
        self.pass_on(&event).await.expect("the function failed")
    }

    /// The same for an event that is written already.
    pub async fn pass_on(&self, event: &Value) -> Result<Answer, FunctionError> {
        let http = &event["requestContext"]["http"];
        let (method, path) = (http["method"].as_str().unwrap(), http["path"].as_str().unwrap());
        let function = match self.template.binary_for(method, path) {
            Some("form-hook") => &self.form_hook,
            Some("webhook") => &self.webhook,
            Some("api") => &self.api,
            other => panic!("{method} {path} leads to {other:?}"),
        };
        function.invoke(event).await.map(|answer| answer_of(&answer))
    }

    /// A management request with the admin key.
    pub async fn api(&self, method: &str, target: &str, body: Value) -> Answer {
        let authorization = format!("Bearer {}", self.admin);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, target, &[("authorization", &authorization), ("content-type", "application/json")], body)
            .await
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.api("GET", target, Value::Null).await.expect(200)
    }

    /// Creates a form hook.
    pub async fn new_hook(&self) -> FormHook {
        let answer = self.api("POST", "/v1/hooks/form", json!({ "title": "Orders" })).await.expect(201);
        let text = |name: &str| answer.attribute(name).as_str().unwrap().to_owned();
        let path = text("url").strip_prefix(&format!("https://{HOST}")).unwrap().to_owned();
        FormHook { id: answer.id(), event: text("eventName"), path, hash: text("hash") }
    }

    /// Creates a webhook with `attributes`: its id, the path of its address, and its hash.
    pub async fn new_webhook(&self, attributes: Value) -> (String, String, String) {
        let answer = self.api("POST", "/v1/hooks/web", attributes).await.expect(201);
        let url = answer.attribute("url").as_str().unwrap().to_owned();
        let path = url.strip_prefix(&format!("https://{HOST}")).unwrap().to_owned();
        (answer.id(), path, answer.attribute("hash").as_str().unwrap().to_owned())
    }

    /// Creates an email hook with `attributes`: its id, its event and its address.
    pub async fn new_email_hook(&self, attributes: Value) -> (String, String, String) {
        let answer = self.api("POST", "/v1/hooks/email", attributes).await.expect(201);
        let text = |name: &str| answer.attribute(name).as_str().unwrap().to_owned();
        (answer.id(), text("eventName"), text("email"))
    }

    /// The tutorial's klass, hook and workflow; posts to the hook put orders on timelines.
    pub async fn new_tutorial(&self) -> FormHook {
        let hook = self.new_hook().await;
        self.new_tutorial_for(&hook.event).await;
        hook
    }

    /// The tutorial's klass and workflow for another event.
    pub async fn new_tutorial_for(&self, event: &str) {
        let properties = json!({
            "orderIDStr": { "displayName": "Order ID" },
            "priceStr": { "displayName": "Price" },
            "quantityNum": { "displayName": "Quantity" },
        });
        let klass = json!({ "name": "order", "displayName": "Order", "metadata": { "properties": properties } });
        self.api("POST", "/v1/klasses", klass).await.expect(201);
        self.api("POST", "/v1/workflows", tutorial_workflow(event)).await.expect(201);
    }

    /// Tells email-hook of a mail that SES has just stored under `id`, for these envelope recipients.
    ///
    /// *Errors*: what it reported, which Lambda takes as the wish to come again.
    pub async fn deliver(&self, id: &str, recipients: &[&str], mail: impl Into<Bytes>) -> Result<(), FunctionError> {
        self.aws.put_mail(id, mail);
        self.tell(&mail_event(id, recipients, &now())).await
    }

    /// Gives `event` to email-hook.
    pub async fn tell(&self, event: &Value) -> Result<(), FunctionError> {
        self.email_hook.invoke(event).await.map(|answer| assert_eq!(answer, Value::Null))
    }

    /// Posts `body` as JSON.
    pub async fn post(&self, hook: &FormHook, body: impl Into<Bytes>) -> Answer {
        self.send("POST", &hook.path, &[("content-type", "application/json")], body).await
    }

    /// Gives all that is on the queue to the executor as one batch, and says which messages it gave back.
    pub async fn work(&self) -> Vec<String> {
        self.execute(&self.aws.take_messages()).await
    }

    /// Gives `messages` to the executor as one batch, and says which of them it gave back.
    pub async fn execute(&self, messages: &[String]) -> Vec<String> {
        self.execute_by(messages, Deadline::Far).await
    }

    /// The same with a choice of when the executor has to be done.
    pub async fn execute_by(&self, messages: &[String], deadline: Deadline) -> Vec<String> {
        self.take_from(Source::Transactions(1), messages, deadline).await
    }

    /// The same from either queue.
    pub async fn take_from(&self, source: Source, messages: &[String], deadline: Deadline) -> Vec<String> {
        let event = queue_event_from(source, messages.iter().map(String::as_str));
        let answer = self.executor.invoke_by(&event, deadline).await.expect("the executor failed as a whole");
        let given_back = answer["batchItemFailures"].as_array().unwrap().clone();
        given_back.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
    }

    /// What the API lists at `path`.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        self.get(path).await.body["data"].as_array().unwrap().clone()
    }

    /// The timeline of the only customer there is.
    pub async fn only_timeline(&self) -> Vec<Value> {
        let customers = self.list("/v1/customers").await;
        assert_eq!(customers.len(), 1, "{customers:?}");
        self.list(&format!("/v1/customers/{}/timeline", customers[0]["id"].as_str().unwrap())).await
    }
}

/// Every variable that a function may read: where AWS is, and who the administrator is.
pub fn variables(aws: &Endpoints) -> Vec<(String, String)> {
    let mut variables = aws.variables();
    variables.push(("HOOKWRIGHT_ORG_ID".to_owned(), ORG.to_owned()));
    variables.push(("HOOKWRIGHT_ADMIN_KEY_HASH".to_owned(), admin_secret().digest()));
    variables
}

fn admin_secret() -> ApiKeySecret {
    ApiKeySecret::from_random([7; 32])
}

fn first_key_id() -> ApiKeyId {
    ApiKeyId::fresh(Timestamp::parse(NOON).unwrap(), [7; 8])
}

/// The present, as SES writes it; functions have no other clock.
pub fn now() -> String {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_millisecond(since_1970.as_millis().try_into().unwrap()).to_string()
}

/// What the HTTP API would send to the client.
fn answer_of(answer: &Value) -> Answer {
    let headers =
        answer["headers"].as_object().unwrap().iter().map(|(name, value)| {
            (HeaderName::try_from(name.as_str()).unwrap(), value.as_str().unwrap().parse().unwrap())
        });
    let text = String::from_utf8(event::answered_body(answer)).unwrap();
    Answer {
        status: answer["statusCode"].as_u64().unwrap().try_into().unwrap(),
        headers: HeaderMap::from_iter(headers),
        body: exact::parse(&text).unwrap_or_default(),
        text,
    }
}
