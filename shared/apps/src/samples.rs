//! Samples: one realistic request for every event of every app, without its signature, which the crate `verify` makes.

mod body;
mod delivery;

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use body::SampleBody;

include!(concat!(env!("OUT_DIR"), "/samples.rs"));

/// What stands for the event of a sample that is none.
const NO_EVENT: &str = "none";

/// Every sample of an event, by app and file name.
pub fn all() -> Vec<&'static Sample> {
    readable().filter(|sample| !sample.is_silent()).collect()
}

/// The samples that are no event at all, such as a comment that was hidden; tests see that they stay silent.
pub fn silent() -> Vec<&'static Sample> {
    readable().filter(|sample| sample.is_silent()).collect()
}

fn readable() -> impl Iterator<Item = &'static Sample> {
    FILES.iter().filter_map(|file| file.parsed().as_ref().ok())
}

/// The sample of an event or of one of its aliases, `event~variant` for a certain one; of an event that follows from others, one that has it fired.
pub fn find(event_or_alias: &str) -> Option<&'static Sample> {
    find_among(&all(), event_or_alias)
}

/// The same among what one app sends. *Why*: several apps tell some events, such as `concours.payment.receive`.
pub fn find_of(app: &str, event_or_alias: &str) -> Option<&'static Sample> {
    let of_app: Vec<&'static Sample> = all().into_iter().filter(|sample| sample.app == app).collect();
    find_among(&of_app, event_or_alias)
}

fn find_among(samples: &[&'static Sample], event_or_alias: &str) -> Option<&'static Sample> {
    let (name, variant) = match event_or_alias.split_once('~') {
        Some((name, variant)) => (name, Some(variant)),
        None => (event_or_alias, None),
    };
    let event = crate::all()
        .iter()
        .flat_map(crate::App::event_specs)
        .find(|spec| spec.name == name || spec.aliases.iter().any(|alias| alias == name));
    let event = event.map_or(name, |spec| spec.name.as_str());
    let mut own = samples
        .iter()
        .filter(|sample| sample.event == event && (variant.is_none() || sample.variant.as_deref() == variant));
    let first = own.clone().find(|sample| sample.variant.as_deref() == variant).or_else(|| own.next());
    let other = || samples.iter().find(|sample| variant.is_none() && sample.other_events.contains_key(event));
    first.or_else(other).copied()
}

/// The samples whose file cannot be used, as `app/file: why`; tests ask for it.
pub fn problems() -> Vec<String> {
    let problem =
        |file: &File| Some(format!("{}/samples/{}.json: {}", file.app, file.stem, file.parsed().as_ref().err()?));
    FILES.iter().filter_map(problem).collect()
}

/// A request as its provider would send it, apart from the signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The app it belongs to.
    pub app: &'static str,
    /// The event it is first of all; `none` of a sample that is none.
    pub event: String,
    /// Which of several samples of the event, such as `failed`; `None` for the usual one.
    pub variant: Option<String>,
    /// What happened, for people.
    pub title: String,
    /// The HTTP method.
    pub method: String,
    /// The headers by lower-case name, without `Content-Type` where the body's own is meant.
    pub headers: Map<String, Value>,
    /// The query parameters.
    pub query: Map<String, Value>,
    /// The body.
    pub body: SampleBody,
    /// The data that [`event`](Self::event) has; a list where it is fired several times.
    pub expect: Value,
    /// The other events it fires, each with its data where the sample states it: one for each time it is fired.
    pub other_events: Map<String, Value>,
}

impl Sample {
    fn is_silent(&self) -> bool {
        self.event == NO_EVENT
    }

    /// The sample with other values in its body; a path is `customer.email` or `line_items.0.sku`, and leads into texts that hold JSON.
    ///
    /// *Errors*: a sentence about the first path that leads nowhere.
    pub fn with(&self, changes: &[(String, Value)]) -> Result<Self, String> {
        let mut sample = self.clone();
        for (path, value) in changes {
            sample.body.set(path, value.clone())?;
        }
        Ok(sample)
    }

    /// The headers it is sent with, without a signature; the content type comes last.
    pub fn sent_headers(&self) -> Vec<(String, String)> {
        let values = self.headers.iter().filter(|(name, _)| *name != "content-type");
        let mut headers: Vec<(String, String)> = values.map(|(name, value)| (name.clone(), text(value))).collect();
        headers.extend(self.content_type().map(|content_type| ("content-type".to_owned(), content_type.to_owned())));
        headers
    }

    /// The address it is sent to, which is `url` with the sample's query.
    pub fn url_at(&self, url: &str) -> String {
        if self.query.is_empty() {
            return url.to_owned();
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.query.iter().map(|(name, value)| (name, text(value))));
        let sign = if url.contains('?') { '&' } else { '?' };
        format!("{url}{sign}{}", query.finish())
    }

    /// The value of `Content-Type`: the sample's own header, else what its body is.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get("content-type").and_then(Value::as_str).or_else(|| self.body.content_type())
    }
}

/// A value of a header or a query as it is sent.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

struct File {
    app: &'static str,
    stem: &'static str,
    source: &'static str,
    sample: OnceLock<Result<Sample, String>>,
}

impl File {
    const fn embedded(app: &'static str, stem: &'static str, source: &'static str) -> Self {
        Self { app, stem, source, sample: OnceLock::new() }
    }

    fn parsed(&self) -> &Result<Sample, String> {
        self.sample.get_or_init(|| self.parse())
    }

    fn parse(&self) -> Result<Sample, String> {
        let value: Value = domain::exact::parse(self.source).map_err(|error| error.to_string())?;
        let document: Document = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let (event, variant) = match self.stem.split_once('~') {
            Some((event, variant)) => (event, Some(variant.to_owned())),
            None => (self.stem, None),
        };
        let stated = document.event.unwrap_or_else(|| NO_EVENT.to_owned());
        if stated != event {
            return Err(format!("its event is {stated:?}, its file {event:?}"));
        }
        Ok(Sample {
            app: self.app,
            variant,
            title: document.title,
            method: document.method,
            headers: document.headers,
            query: document.query,
            body: SampleBody::of(document.body, document.form, document.text)?,
            expect: document.expect,
            other_events: document.other_events.named(),
            event: stated,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    event: Option<String>,
    title: String,
    #[serde(default = "post")]
    method: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    query: Map<String, Value>,
    body: Option<Value>,
    form: Option<Vec<(String, String)>>,
    text: Option<String>,
    #[serde(default)]
    expect: Value,
    #[serde(default)]
    other_events: OtherEvents,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OtherEvents {
    Names(Vec<String>),
    Data(Map<String, Value>),
}

impl Default for OtherEvents {
    fn default() -> Self {
        Self::Names(Vec::new())
    }
}

impl OtherEvents {
    fn named(self) -> Map<String, Value> {
        match self {
            Self::Names(names) => names.into_iter().map(|name| (name, Value::Null)).collect(),
            Self::Data(data) => data,
        }
    }
}

fn post() -> String {
    "POST".to_owned()
}
