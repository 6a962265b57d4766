//! An `app.json` ready for use: every mapping parsed, every key known.

use domain::Reply;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    EventSpec, Handshake, Input,
    handshake::HandshakeDocument,
    mapping::Mapping,
    split::{Levels, SplitDocument},
};

/// What one provider's file says.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) docs: String,
    pub(crate) auth: Option<Value>,
    pub(crate) methods: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) handshake: Option<Handshake>,
    pub(crate) echo: Option<Echo>,
    pub(crate) ping: Option<Mapping>,
    pub(crate) split: Vec<Levels>,
    pub(crate) delivery_id: Option<Mapping>,
    pub(crate) occurred_at: Option<Mapping>,
    pub(crate) reply: Option<Reply>,
    pub(crate) reply_within_seconds: Option<u32>,
    /// One for each of `rules`, in the same order.
    pub(crate) specs: Vec<EventSpec>,
    pub(crate) rules: Vec<Rule>,
}

/// When a body is given back, and what of it.
#[derive(Debug)]
pub(crate) struct Echo {
    pub(crate) when: Mapping,
    pub(crate) text: Mapping,
}

/// How an event is recognised and what becomes of the arrival.
#[derive(Debug)]
pub(crate) struct Rule {
    when: Option<Mapping>,
    each: Option<Mapping>,
    data: Mapping,
}

impl Manifest {
    /// Reads a file.
    ///
    /// *Errors*: a sentence for whoever wrote the file.
    pub(crate) fn parse(source: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(source).map_err(|error| error.to_string())?;
        let defined = document.define;
        let mapping = |json: Option<Value>, place: &str| {
            json.map(|json| Mapping::parse(&json, &defined).map_err(|problem| format!("{place}: {problem}"))).transpose()
        };
        let (handshake, echo) = handshake(document.handshake, &defined)?;
        let (specs, rules) = events(document.events, &defined)?;
        Ok(Self {
            name: document.name,
            display_name: document.display_name,
            docs: document.docs,
            auth: document.auth,
            methods: document.methods,
            headers: document.headers,
            handshake,
            echo,
            ping: mapping(document.ping, "ping")?,
            split: document.split.map(Levels::alternatives).transpose()?.unwrap_or_default(),
            delivery_id: mapping(document.delivery_id, "deliveryId")?,
            occurred_at: mapping(document.occurred_at, "occurredAt")?,
            reply: document.reply,
            reply_within_seconds: document.reply_within_seconds,
            specs,
            rules,
        })
    }
}

impl Rule {
    /// The data of each event that `input` is.
    pub(crate) fn data(&self, input: &Input<'_>) -> Vec<Value> {
        if self.when.as_ref().is_some_and(|when| !when.holds(input)) {
            return Vec::new();
        }
        let Some(each) = &self.each else { return self.data.value(input).into_iter().collect() };
        match each.value(input) {
            Some(Value::Array(items)) => items.iter().filter_map(|item| self.data.value_for(input, item)).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) | None => Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    name: String,
    display_name: String,
    docs: String,
    auth: Option<Value>,
    #[serde(default = "post_only")]
    methods: Vec<String>,
    #[serde(default)]
    headers: Vec<String>,
    handshake: Option<HandshakeDocument>,
    ping: Option<Value>,
    split: Option<SplitDocument>,
    delivery_id: Option<Value>,
    occurred_at: Option<Value>,
    reply: Option<Reply>,
    reply_within_seconds: Option<u32>,
    /// Mappings with a name, for `{"$use": "name"}`.
    #[serde(default)]
    define: Map<String, Value>,
    events: Vec<EventDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EventDocument {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    display_name: String,
    topic: Option<String>,
    when: Option<Value>,
    each: Option<Value>,
    data: Value,
}

fn post_only() -> Vec<String> {
    vec!["POST".to_owned()]
}

fn handshake(
    document: Option<HandshakeDocument>,
    defined: &Map<String, Value>,
) -> Result<(Option<Handshake>, Option<Echo>), String> {
    let in_handshake = |problem| format!("handshake: {problem}");
    Ok(match document {
        None => (None, None),
        Some(HandshakeDocument::QueryToken { challenge, token, mode }) => {
            (Some(Handshake::QueryToken { challenge, token, mode }), None)
        }
        Some(HandshakeDocument::QueryHmac { challenge, response }) => {
            (Some(Handshake::QueryHmac { challenge, response }), None)
        }
        Some(HandshakeDocument::BodyEcho { when, echo }) => {
            let when = Mapping::parse(&when, defined).map_err(in_handshake)?;
            let text = Mapping::parse(&echo, defined).map_err(in_handshake)?;
            (Some(Handshake::BodyEcho), Some(Echo { when, text }))
        }
        Some(HandshakeDocument::Sns) => (Some(Handshake::Sns), None),
    })
}

fn events(
    documents: Vec<EventDocument>,
    defined: &Map<String, Value>,
) -> Result<(Vec<EventSpec>, Vec<Rule>), String> {
    let mut specs = Vec::with_capacity(documents.len());
    let mut rules = Vec::with_capacity(documents.len());
    for event in documents {
        let mapping = |json: &Value, place: &str| {
            Mapping::parse(json, defined).map_err(|problem| format!("{} of {}: {problem}", place, event.name))
        };
        if !event.data.is_object() {
            return Err(format!("data of {}: it is an object", event.name));
        }
        rules.push(Rule {
            when: event.when.as_ref().map(|json| mapping(json, "when")).transpose()?,
            each: event.each.as_ref().map(|json| mapping(json, "each")).transpose()?,
            data: mapping(&event.data, "data")?,
        });
        specs.push(EventSpec {
            name: event.name,
            aliases: event.aliases,
            display_name: event.display_name,
            topic: event.topic,
        });
    }
    Ok((specs, rules))
}
