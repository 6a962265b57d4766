//! A built-in app and what it makes of an arrival. Its file is read at first use, so a cold start pays for one app, not for all.

use std::sync::OnceLock;

use domain::{Reply, Timestamp};
use serde_json::Value;

use crate::{
    Handshake, Input,
    manifest::Manifest,
    mapping::{Context, Mapping},
    split,
};

include!(concat!(env!("OUT_DIR"), "/apps.rs"));

/// Every built-in app, by name.
pub fn all() -> &'static [App] {
    &APPS
}

/// The app of this name; `None` as well where its file cannot be used, which a test rules out.
pub fn find(name: &str) -> Option<&'static App> {
    APPS.iter().find(|app| app.name == name && app.manifest().is_some())
}

/// A provider: what it sends and how that becomes events.
#[derive(Debug)]
pub struct App {
    name: &'static str,
    source: &'static str,
    manifest: OnceLock<Result<Manifest, String>>,
}

/// An event that an app can fire, without how it is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSpec {
    /// What a workflow listens to, such as `shopify.order.update`; with places such as `github.{x-github-event}` where the arrival
    /// brings the name.
    pub name: String,
    /// Other names that select the same workflows, such as `kustomer.app.shopify.order-update`.
    pub aliases: Vec<String>,
    /// What people call it.
    pub display_name: String,
    /// What the provider calls it.
    pub topic: Option<String>,
}

/// An event that an arrival is.
#[derive(Debug, Clone, PartialEq)]
pub struct Fired {
    /// As in [`EventSpec::name`], with its places filled.
    pub name: String,
    /// As in [`EventSpec::aliases`].
    pub aliases: Vec<String>,
    /// The mapped data, always an object.
    pub data: Value,
}

impl App {
    const fn embedded(name: &'static str, source: &'static str) -> Self {
        Self { name, source, manifest: OnceLock::new() }
    }

    /// Its folder's name, which is also the scheme of its signatures.
    pub fn name(&self) -> &str {
        self.name
    }

    /// What people call it.
    pub fn display_name(&self) -> &str {
        self.manifest().map_or(self.name, |manifest| &manifest.display_name)
    }

    /// Where the provider documents its webhooks.
    pub fn docs(&self) -> &str {
        self.manifest().map_or("", |manifest| &manifest.docs)
    }

    /// How its arrivals are signed, in the words of the crate `verify`; `None` where the hook has to say it.
    pub fn auth(&self) -> Option<&Value> {
        self.manifest()?.auth.as_ref()
    }

    /// The HTTP methods its sender uses.
    pub fn methods(&self) -> &[String] {
        self.manifest().map_or(&[], |manifest| &manifest.methods)
    }

    /// The headers to keep with an arrival, in lower case; never credentials or signatures.
    pub fn headers(&self) -> &[String] {
        self.manifest().map_or(&[], |manifest| &manifest.headers)
    }

    /// The content type to read its bodies as, where its sender states another than it sends (JSON as `text/plain`).
    pub fn read_as(&self) -> Option<&str> {
        self.manifest()?.read_as.as_deref()
    }

    /// What its sender asks of an address before or between events.
    pub fn handshake(&self) -> Option<&Handshake> {
        self.manifest()?.handshake.as_ref()
    }

    /// What its sender has to be answered, where the usual reply would not do.
    pub fn reply(&self) -> Option<&Reply> {
        self.manifest()?.reply.as_ref()
    }

    /// How long its sender waits for the answer, in seconds.
    pub fn reply_within_seconds(&self) -> Option<u32> {
        self.manifest()?.reply_within_seconds
    }

    /// The events it can fire.
    pub fn event_specs(&self) -> &[EventSpec] {
        self.manifest().map_or(&[], |manifest| &manifest.specs)
    }

    /// What whoever connects the provider should know, in sentences.
    pub fn notes(&self) -> &[String] {
        self.manifest().map_or(&[], |manifest| &manifest.notes)
    }

    /// Whether an arrival only asks if somebody is there: it is answered and becomes no transaction.
    pub fn is_ping(&self, input: &Input<'_>) -> bool {
        let Some(manifest) = self.manifest() else { return false };
        manifest.ping.as_ref().is_some_and(|ping| ping.holds(&Context::new(input, &manifest.lets)))
    }

    /// What a [`Handshake::BodyEcho`] has to be answered; `None` for every other arrival.
    pub fn echo(&self, input: &Input<'_>) -> Option<String> {
        let manifest = self.manifest()?;
        let echo = manifest.echo.as_ref()?;
        let context = Context::new(input, &manifest.lets);
        if !echo.when.holds(&context) {
            return None;
        }
        plain_text(echo.text.value(&context)?)
    }

    /// The single bodies of a batch, each of the shape the batch has; `None` where the body is not one.
    ///
    /// *Units and limits*: what stands beside an array is copied into every piece; an array for which that is more than 100,000 values
    /// stays whole.
    pub fn split(&self, body: &Value) -> Option<Vec<Value>> {
        split::pieces(body, self.manifest()?.split.as_slice())
    }

    /// What is the same when the provider delivers the same thing again; never empty.
    pub fn delivery_id(&self, input: &Input<'_>) -> Option<String> {
        self.text(|manifest| manifest.delivery_id.as_ref(), input)
    }

    /// Whether deliveries of this app can be told apart at all.
    pub fn declares_delivery_ids(&self) -> bool {
        self.manifest().is_some_and(|manifest| manifest.delivery_id.is_some())
    }

    /// When it happened by the provider's clock, as `2017-12-22T05:23:02.138Z`.
    pub fn occurred_at(&self, input: &Input<'_>) -> Option<String> {
        let text = self.text(|manifest| manifest.occurred_at.as_ref(), input)?;
        Some(Timestamp::parse(&text)?.to_string())
    }

    /// The events an arrival is, in the order of [`App::event_specs`]; often none, and one event more than once where it has many subjects.
    pub fn events(&self, input: &Input<'_>) -> Vec<Fired> {
        self.manifest().map_or_else(Vec::new, |manifest| manifest.fired(&Context::new(input, &manifest.lets)))
    }

    /// Says what is wrong with this app's file, in a sentence; tests ask it of every app.
    ///
    /// *Errors*: no JSON, a key that is not known, or a mapping that cannot be read.
    pub fn check(&self) -> Result<(), String> {
        let manifest = self.parsed().as_ref().map_err(Clone::clone)?;
        if manifest.name != self.name {
            return Err(format!("its name is {:?}, its folder {:?}", manifest.name, self.name));
        }
        manifest.reply.as_ref().map_or(Ok(()), Reply::check)
    }

    fn text(&self, which: impl Fn(&Manifest) -> Option<&Mapping>, input: &Input<'_>) -> Option<String> {
        let manifest = self.manifest()?;
        plain_text(which(manifest)?.value(&Context::new(input, &manifest.lets))?)
    }

    fn manifest(&self) -> Option<&Manifest> {
        self.parsed().as_ref().ok()
    }

    fn parsed(&self) -> &Result<Manifest, String> {
        self.manifest.get_or_init(|| Manifest::parse(self.source))
    }
}

/// A text or number as text, unless it is empty.
fn plain_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
