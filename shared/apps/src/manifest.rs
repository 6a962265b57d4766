//! An `app.json` ready for use: every mapping parsed, every key known.

use domain::Reply;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    EventSpec, Fired, Handshake,
    handshake::HandshakeDocument,
    mapping::{Context, Lets, Mapping},
    split::{Levels, SplitDocument},
    template::Template,
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
    pub(crate) read_as: Option<String>,
    pub(crate) handshake: Option<Handshake>,
    pub(crate) echo: Option<Echo>,
    pub(crate) ping: Option<Mapping>,
    pub(crate) split: Vec<Levels>,
    pub(crate) delivery_id: Option<Mapping>,
    pub(crate) occurred_at: Option<Mapping>,
    pub(crate) reply: Option<Reply>,
    pub(crate) reply_within_seconds: Option<u32>,
    pub(crate) notes: Vec<String>,
    pub(crate) lets: Lets,
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
    name: Template,
    aliases: Vec<Template>,
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
        let lets = Lets::parse(&document.lets)?;
        let mapping = |json: Option<Value>, place: &str| {
            json.map(|json| Mapping::parse(&json, &lets).map_err(|problem| format!("{place}: {problem}"))).transpose()
        };
        let (handshake, echo) = handshake(document.handshake, &lets)?;
        let (specs, rules) = events(document.events, &lets)?;
        Ok(Self {
            name: document.name,
            display_name: document.display_name,
            docs: document.docs,
            auth: document.auth,
            methods: document.methods,
            headers: document.headers,
            read_as: document.read_as,
            handshake,
            echo,
            ping: mapping(document.ping, "ping")?,
            split: document.split.map(Levels::alternatives).transpose()?.unwrap_or_default(),
            delivery_id: mapping(document.delivery_id, "deliveryId")?,
            occurred_at: mapping(document.occurred_at, "occurredAt")?,
            reply: document.reply,
            reply_within_seconds: document.reply_within_seconds,
            notes: document.notes,
            specs,
            rules,
            lets,
        })
    }

    /// The events of an arrival. One whose name the arrival brings is left to the event that always has that name.
    pub(crate) fn fired(&self, context: &Context<'_>) -> Vec<Fired> {
        let is_listed = |name: &str| self.specs.iter().any(|spec| spec.name == name);
        let mut fired = Vec::new();
        for rule in &self.rules {
            let data = rule.data(context);
            let name = rule.name.name(context);
            if data.is_empty() || (!rule.name.is_fixed() && is_listed(&name)) {
                continue;
            }
            let aliases: Vec<String> = rule.aliases.iter().map(|alias| alias.name(context)).collect();
            let event = |data| Fired { name: name.clone(), aliases: aliases.clone(), data };
            fired.extend(data.into_iter().map(event));
        }
        fired
    }
}

impl Rule {
    /// The data of each event that the arrival is; what is no object is none.
    fn data(&self, context: &Context<'_>) -> Vec<Value> {
        let mut data = match &self.each {
            Some(each) => self.data_of_items(&each.value(context).unwrap_or_default(), context),
            None if self.when.as_ref().is_none_or(|when| when.holds(context)) => {
                self.data.value(context).into_iter().collect()
            }
            None => Vec::new(),
        };
        data.retain(Value::is_object);
        data
    }

    fn data_of_items(&self, items: &Value, context: &Context<'_>) -> Vec<Value> {
        let items = items.as_array().into_iter().flatten();
        let wanted = items.filter(|item| self.when.as_ref().is_none_or(|when| when.holds_for(context, item)));
        wanted.filter_map(|item| self.data.value_for(context, item)).collect()
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
    read_as: Option<String>,
    handshake: Option<HandshakeDocument>,
    ping: Option<Value>,
    split: Option<SplitDocument>,
    delivery_id: Option<Value>,
    occurred_at: Option<Value>,
    reply: Option<Reply>,
    reply_within_seconds: Option<u32>,
    /// Sentences for whoever connects the provider.
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default, rename = "let")]
    lets: Map<String, Value>,
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

fn handshake(document: Option<HandshakeDocument>, lets: &Lets) -> Result<(Option<Handshake>, Option<Echo>), String> {
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
            let when = Mapping::parse(&when, lets).map_err(in_handshake)?;
            let text = Mapping::parse(&echo, lets).map_err(in_handshake)?;
            (Some(Handshake::BodyEcho), Some(Echo { when, text }))
        }
        Some(HandshakeDocument::Sns) => (Some(Handshake::Sns), None),
    })
}

fn events(documents: Vec<EventDocument>, lets: &Lets) -> Result<(Vec<EventSpec>, Vec<Rule>), String> {
    let mut specs = Vec::with_capacity(documents.len());
    let mut rules = Vec::with_capacity(documents.len());
    for event in documents {
        let mapping = |json: &Value, place: &str| {
            Mapping::parse(json, lets).map_err(|problem| format!("{} of {}: {problem}", place, event.name))
        };
        let name = Template::parse(&event.name, lets)?;
        let aliases: Vec<_> =
            event.aliases.iter().map(|alias| Template::parse(alias, lets)).collect::<Result<_, _>>()?;
        specs.push(EventSpec {
            name: name.shown(),
            aliases: aliases.iter().map(Template::shown).collect(),
            display_name: event.display_name.clone(),
            topic: event.topic.clone(),
        });
        rules.push(Rule {
            when: event.when.as_ref().map(|json| mapping(json, "when")).transpose()?,
            each: event.each.as_ref().map(|json| mapping(json, "each")).transpose()?,
            data: mapping(&event.data, "data")?,
            name,
            aliases,
        });
    }
    Ok((specs, rules))
}
