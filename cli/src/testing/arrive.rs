//! Letting happen what a case says, by the door that it comes in by.

use std::fmt::Write as _;

use bytes::Bytes;
use domain::exact;
use ingest::ses::{Delivery, Place, Verdicts};
use mail_builder::{
    MessageBuilder,
    headers::{date::Date, message_id::MessageId},
};
use serde_json::{Map, Value, json};
use service::mail::What as MailWhat;

use super::{
    case::{What, is_collection},
    setup::{Estate, Hook},
    world::{Answer, MAIL_DOMAIN, World},
};

const CONTENT_TYPE: &str = "content-type";

/// What came of something that happened.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// What it was, in a few words.
    pub(crate) what: String,
    /// What was answered: `status` and `body`; of a mail `state`, and `reason` where there is one.
    pub(crate) answer: Value,
    /// Each reason for a refusal.
    pub(crate) refusals: Vec<String>,
    /// The transaction that it became.
    pub(crate) transaction: Option<String>,
}

impl Arrived {
    fn of(what: String, answer: Answer) -> Self {
        let Answer { status, body } = &answer;
        let document = exact::object([("status", json!(status)), ("body", body.clone())]);
        let transaction = body.pointer("/data/id").and_then(Value::as_str).map(str::to_owned);
        let refusals = answer.clone().success().err().unwrap_or_default();
        Self { what, answer: document, refusals, transaction }
    }
}

/// Lets `what` happen; `count` things happened before.
///
/// *Errors*: a sentence, where it cannot even be tried.
pub(crate) async fn arrive(world: &World, estate: &Estate, what: &What, count: usize) -> Result<Arrived, String> {
    match what {
        What::Posted { hook, data, headers } => {
            let (name, hook) = named(estate, hook)?;
            if hook.kind == "email" {
                let mail = mail_of(world, hook, data, count)?;
                return mailed(world, name, hook, mail, count).await;
            }
            let (headers, body) = body(headers, data);
            Ok(Arrived::of(format!("the post to {name}"), world.post(&hook.address, &headers, body).await?))
        }
        What::Mailed { hook, mail } => {
            let (name, hook) = named(estate, hook)?;
            mailed(world, name, hook, mail.clone(), count).await
        }
        What::Published { event, data } => {
            let document = exact::object([("name", json!(event)), ("data", data.clone())]);
            let answer = world.ask("POST", "/v1/events", Some(&document)).await?;
            Ok(Arrived::of(format!("the event {event}"), answer))
        }
        What::Written { path, attributes } => {
            let method = if is_collection(path) { "POST" } else { "PATCH" };
            let answer = world.ask(method, &format!("/v1/{path}"), Some(attributes)).await?;
            // Its id is that of a record.
            Ok(Arrived { transaction: None, ..Arrived::of(format!("the change of {path}"), answer) })
        }
        What::Called { workflow, inputs } => {
            let found = estate.workflows.iter().find(|(_, handle)| handle == workflow);
            let (id, _) = found.ok_or_else(|| format!("There is no workflow {workflow} to call."))?;
            let document = exact::object([("inputs", inputs.clone())]);
            let answer = world.ask("POST", &format!("/v1/workflows/{id}/call?wait=0"), Some(&document)).await?;
            let called = Arrived::of(format!("the call of {workflow}"), answer);
            let transaction = called.answer.pointer("/body/data/attributes/transactionId").and_then(Value::as_str);
            Ok(Arrived { transaction: transaction.map(str::to_owned), ..called })
        }
        What::Answered { choice, step, data } => {
            let run = waiting_run(world, estate).await?;
            let mut answer = Map::from_iter([("choice".to_owned(), json!(choice)), ("data".to_owned(), data.clone())]);
            answer.extend(step.as_ref().map(|step| ("step".to_owned(), json!(step))));
            let answer = Value::Object(answer);
            let answer = world.ask("POST", &format!("/v1/runs/{run}/answers"), Some(&answer)).await?;
            Ok(Arrived { transaction: None, ..Arrived::of(format!("the answer {choice}"), answer) })
        }
    }
}

/// The only run that waits.
async fn waiting_run(world: &World, estate: &Estate) -> Result<String, String> {
    let mut waiting = Vec::new();
    for (id, _) in &estate.workflows {
        let listed = world.list(&format!("/v1/workflows/{id}/runs?state=waiting")).await;
        waiting.extend(listed.map_err(|told| told.join(" "))?);
    }
    match waiting.as_slice() {
        [run] => Ok(run.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()),
        [] => Err("No run waits for an answer when it is given.".to_owned()),
        several => {
            Err(format!("{} runs wait when the answer is given, and nobody can say which is meant.", several.len()))
        }
    }
}

fn named<'e>(estate: &'e Estate, handle: &str) -> Result<(&'e str, &'e Hook), String> {
    let found = estate.hooks.iter().find(|(known, _)| known == handle);
    found.map(|(name, hook)| (name.as_str(), hook)).ok_or_else(|| format!("There is no hook {handle}."))
}

/// The body of a post: JSON, unless it is a text that is said to be something else.
fn body(headers: &[(String, String)], data: &Value) -> (Vec<(String, String)>, String) {
    let mut headers = headers.to_vec();
    let is_typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE));
    if let (Value::String(text), true) = (data, is_typed) {
        return (headers, text.clone());
    }
    if !is_typed {
        headers.push((CONTENT_TYPE.to_owned(), "application/json".to_owned()));
    }
    (headers, data.to_string())
}

/// A mail with this data in the script of its HTML.
fn mail_of(world: &World, hook: &Hook, data: &Value, count: usize) -> Result<Vec<u8>, String> {
    let key = hook.key.as_ref().map(|key| format!(" data-kustomer-key=\"{key}\"")).unwrap_or_default();
    // A value could end the script; in JSON the two ways to write `<` are the same.
    let json = data.to_string().replace('<', r"\u003c");
    let mut html = String::from("<html><body><p>This mail was made for a test.</p>");
    let _ = write!(html, "<script type=\"application/ld+json\"{key}>{json}</script></body></html>");
    let message = MessageBuilder::new()
        .from(("Shop", "shop@shop.test"))
        .to(("Customer", "customer@customer.test"))
        .subject("A mail for a test")
        .date(Date::new(world.now().as_second()))
        .message_id(MessageId::new(format!("{count}@shop.test")))
        .html_body(html);
    message.write_to_vec().map_err(|error| format!("The mail cannot be made: {error}."))
}

async fn mailed(world: &World, name: &str, hook: &Hook, mail: Vec<u8>, count: usize) -> Result<Arrived, String> {
    let id = format!("test-{count}");
    world.mails.put(id.clone(), Bytes::from(mail));
    let passed = || Some("PASS".to_owned());
    let delivery = Delivery {
        id: id.clone(),
        envelope_from: Some("bounce@shop.test".to_owned()),
        recipients: Some(vec![hook.address.clone()]),
        verdicts: Verdicts {
            spam: passed(),
            virus: passed(),
            spf: passed(),
            dkim: passed(),
            dmarc: passed(),
            dmarc_policy: None,
        },
        received_at: Some(world.now()),
        place: Place::Object { bucket: None, key: Some(id) },
    };
    let outcomes = world.mail_door.receive(&delivery).await.map_err(|error| error.to_string())?;
    let Some(outcome) = outcomes.first() else {
        return Err(format!("The hook {name} at {MAIL_DOMAIN} has no address that takes mail."));
    };
    let (state, reason) = match outcome.what {
        MailWhat::Fired => ("fired", None),
        MailWhat::Repeated => ("repeated", None),
        MailWhat::Recorded(reason) => ("recorded", Some(reason)),
        MailWhat::Quarantined(reason) => ("quarantined", Some(reason)),
    };
    let mut answer = Map::new();
    answer.insert("state".to_owned(), json!(state));
    answer.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
    let refusals = reason.map(|reason| format!("The mail was {state}: {reason}.")).into_iter().collect();
    let transaction = Some(outcome.transaction.to_string());
    Ok(Arrived { what: format!("the mail to {name}"), answer: Value::Object(answer), refusals, transaction })
}
