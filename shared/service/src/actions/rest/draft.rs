//! What a step asks of a service, every param of it checked.

use std::time::Duration;

use domain::GENERATION_HEADER;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use super::{
    super::{Actor, NotDone, Params, RestBody, params::wrong},
    address,
    answer::Reading,
};
use crate::ports::{CALL_LIMIT_SECONDS, CallBody, CallHeader, Method, OutgoingCall, Redirects, Secrecy, Web};

/// How long a call may take where the step does not say.
const DEFAULT_TIMEOUT_SECONDS: u64 = 20;

/// The most headers of a step. *Why*: servers take about a hundred, ours among them.
const HEADERS_LIMIT: usize = 50;

/// What of a step's id cannot stand in a header as it is; what is not ASCII is encoded anyway.
const NOT_IN_KEY: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'"').add(b'\\');

/// The params of a step that calls a service.
pub(super) struct Draft<'a> {
    pub(super) params: Params<'a>,
    /// The params as people may read them; what differs is a secret.
    pub(super) shown: &'a Value,
    pub(super) kind: RestBody,
}

impl Draft<'_> {
    /// The call of the visit `actor`.
    pub(super) fn call(&self, actor: Actor<'_>) -> Result<OutgoingCall, NotDone> {
        let method = self.method()?;
        let body = self.body(method)?;
        let url = address::of(&self.params.required_text("uri")?, &self.params.object("qs")?)?;
        let headers = self.headers(actor, body.as_ref())?;
        let redirects = if self.flag("followRedirects")? { Redirects::Follow } else { Redirects::Keep };
        let (deadline, web) = (self.deadline()?, Web::HttpsAndHttp);
        Ok(OutgoingCall { method, url, headers, body, deadline, redirects, web })
    }

    /// What is made of the answer's body.
    pub(super) fn reading(&self) -> Result<Reading, NotDone> {
        Ok(if self.flag("json")? { Reading::Json } else { Reading::Text })
    }

    fn method(&self) -> Result<Method, NotDone> {
        let Some(name) = self.params.text("method")? else { return Ok(Method::Get) };
        Method::parse(name.trim()).ok_or_else(|| {
            let names: Vec<&str> = Method::ALL.into_iter().map(Method::name).collect();
            wrong("method", &format!("one of {}, in any case", names.join(", ")))
        })
    }

    fn body(&self, method: Method) -> Result<Option<CallBody>, NotDone> {
        let name = match self.kind {
            RestBody::Generic if self.params.value("data").is_none() => "body",
            RestBody::Generic | RestBody::Json => "data",
        };
        let bytes = match (self.kind, self.params.value(name)) {
            (RestBody::Generic, _) => self.params.text(name)?.map(String::into_bytes),
            (RestBody::Json, None) => None,
            // Editors write it into every step.
            (RestBody::Json, Some(Value::Object(data))) if data.is_empty() && is_without_body(method) => None,
            (RestBody::Json, Some(data @ (Value::Object(_) | Value::Array(_)))) => Some(data.to_string().into_bytes()),
            (RestBody::Json, Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
                return Err(wrong("data", "an object or a list; kustomer.rest-api.generic takes text"));
            }
        };
        let secrecy = self.secrecy(self.params.value(name), self.shown.get(name));
        Ok(bytes.map(|bytes| CallBody { bytes: bytes.into(), secrecy }))
    }

    /// The step's headers, and those that it leaves to us.
    fn headers(&self, actor: Actor<'_>, body: Option<&CallBody>) -> Result<Vec<CallHeader>, NotDone> {
        let written = self.params.object("headers")?;
        if written.len() > HEADERS_LIMIT {
            return Err(wrong("headers", &format!("at most {HEADERS_LIMIT} headers")));
        }
        let mut headers: Vec<CallHeader> = Vec::with_capacity(written.len());
        let is_wanted =
            |(name, value): &(&String, &Value)| !value.is_null() && !name.eq_ignore_ascii_case(GENERATION_HEADER);
        for (name, value) in written.iter().filter(is_wanted) {
            let secrecy = self.secrecy(Some(value), self.shown.get("headers").and_then(|shown| shown.get(name)));
            let header = header(name, value, secrecy)?;
            if headers.iter().any(|earlier| earlier.name() == header.name()) {
                return Err(wrong_header(name, "it is there twice, in another case"));
            }
            headers.push(header);
        }
        let key = key(actor);
        let (accept, content_type) = match self.kind {
            RestBody::Json => ("application/json", "application/json"),
            RestBody::Generic => ("*/*", "text/plain; charset=utf-8"),
        };
        let ours = [
            Some(("idempotency-key", key.as_str())),
            Some(("accept", accept)),
            body.map(|_| ("content-type", content_type)),
        ];
        for (name, value) in ours.into_iter().flatten() {
            if !headers.iter().any(|header| header.name() == name) {
                headers.push(header(name, &Value::from(value), Secrecy::Open)?);
            }
        }
        let generation = actor.author.generation().to_string();
        headers.push(header(GENERATION_HEADER, &Value::from(generation), Secrecy::Open)?);
        Ok(headers)
    }

    fn deadline(&self) -> Result<Duration, NotDone> {
        let Some(text) = self.params.text("timeoutSeconds")? else {
            return Ok(Duration::from_secs(DEFAULT_TIMEOUT_SECONDS));
        };
        let seconds = text.trim().parse().ok().filter(|seconds| (1..=CALL_LIMIT_SECONDS).contains(seconds));
        let wrong = || wrong("timeoutSeconds", &format!("a whole number from 1 to {CALL_LIMIT_SECONDS}"));
        seconds.map(Duration::from_secs).ok_or_else(wrong)
    }

    /// A param that is true or false; true where it is left out.
    fn flag(&self, name: &str) -> Result<bool, NotDone> {
        match self.params.text(name)?.as_deref().map(str::trim) {
            None | Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(wrong(name, "true or false")),
        }
    }

    fn secrecy(&self, value: Option<&Value>, shown: Option<&Value>) -> Secrecy {
        if value == shown { Secrecy::Open } else { Secrecy::Secret }
    }
}

/// `{run}/{step}/{visit}`, the same for every attempt; what a header cannot hold of the step's id is percent-encoded.
pub(super) fn key(actor: Actor<'_>) -> String {
    format!("{}/{}/{}", actor.run, utf8_percent_encode(&actor.instance(), NOT_IN_KEY), actor.visit)
}

fn is_without_body(method: Method) -> bool {
    match method {
        Method::Get | Method::Head => true,
        Method::Post | Method::Put | Method::Patch | Method::Delete | Method::Options => false,
    }
}

fn header(name: &str, value: &Value, secrecy: Secrecy) -> Result<CallHeader, NotDone> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(wrong_header(name, "its value is no text")),
    };
    CallHeader::new(name, &text, secrecy).map_err(|problem| wrong_header(name, &problem.to_string()))
}

/// *Why the name but never the value*: the author has written the name, and the value may be a secret.
fn wrong_header(name: &str, problem: &str) -> NotDone {
    let shown = super::super::params::shown(name);
    NotDone::failed("wrong_header", format!("The header `{}` cannot be sent: {problem}.", shown.escape_debug()))
}
