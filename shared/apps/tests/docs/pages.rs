//! The parts of `docs/providers.md` that are made from the apps and their samples. They are written by
//! `cargo run -p apps --example write_provider_docs`; a test fails while they are not what the apps say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use apps::{App, EventSpec, Handshake, samples};
use serde_json::Value;

use crate::arrival::Arrival;

/// Where the page is.
pub(crate) fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/providers.md")
}

/// The page with every made part as the apps say now.
///
/// *Panics* where the page has no place for an app.
pub(crate) fn made_anew(page: &str) -> String {
    let list = apps::all().iter().fold(LIST_HEAD.to_owned(), |list, app| list + &row(app));
    apps::all().iter().fold(between(page, "list", &list), |page, app| between(&page, app.name(), &part(app)))
}

const LIST_HEAD: &str = "| provider | scheme | proof | methods | handshake | answered within | events |\n| --- | --- | --- | --- | --- | --- | --- |\n";

const END: &str = "<!-- end -->";

fn between(page: &str, name: &str, text: &str) -> String {
    let begin = format!("<!-- made: {name} -->\n");
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/providers.md has no {begin}"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{begin} has no end"));
    format!("{before}{begin}{text}{END}{after}")
}

fn row(app: &App) -> String {
    let anchor = app.display_name().to_lowercase().replace(' ', "-");
    let anchor: String = anchor.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let proof = app.auth().map_or_else(String::new, |auth| shape(auth).to_owned());
    let within = app.reply_within_seconds().map_or_else(String::new, |seconds| format!("{seconds} s"));
    let (handshake, events) = (app.handshake().map_or("", handshake_word), app.event_specs().len());
    let (name, methods) = (app.display_name(), app.methods().join(", "));
    format!("| [{name}](#{anchor}) | `{}` | {proof} | {methods} | {handshake} | {within} | {events} |\n", app.name())
}

fn part(app: &App) -> String {
    let mut text = String::new();
    let mut line = |what: &str, said: String| {
        if !said.is_empty() {
            writeln!(text, "* {what}: {said}").unwrap();
        }
    };
    line("The provider's own pages", app.docs().to_owned());
    line("Signature", app.auth().map_or_else(String::new, signature));
    line("Headers that are kept with an arrival", code_list(app.headers()));
    line("Handshake", app.handshake().map_or_else(String::new, handshake));
    line("Answered with", app.reply().map_or_else(String::new, |reply| format!("`{}`", serde_json::json!(reply))));
    if !app.declares_delivery_ids() {
        line("Repeats", "the provider says nothing by which they are known.".to_owned());
    }
    for note in app.notes() {
        writeln!(text, "* {note}").unwrap();
    }
    text.push_str("\n| event | at the provider | other names | data |\n| --- | --- | --- | --- |\n");
    let keys = keys_by_event(app);
    let mut told: Vec<(&str, Vec<String>)> = Vec::new();
    for event in app.event_specs() {
        let keys = keys_of(app, event, &keys);
        let before = told.iter().find(|(_, others)| *others == keys && keys.len() > FEW_KEYS);
        let data = before.map_or_else(|| code_list(&keys), |(name, _)| format!("as `{name}`"));
        text.push_str(&event_row(event, &data));
        told.push((&event.name, keys));
    }
    text
}

/// Fewer are not worth looking up elsewhere.
const FEW_KEYS: usize = 3;

/// Of an event whose name the arrival brings, those of the first sample of it.
fn keys_of(app: &App, event: &EventSpec, keys: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let is_listed = |name: &str| app.event_specs().iter().any(|spec| spec.name == name);
    let is_one = |name: &str| match event.name.split_once('{') {
        Some((start, _)) => name.starts_with(start) && !is_listed(name),
        None => name == event.name,
    };
    keys.iter().find(|(name, _)| is_one(name)).map(|(_, keys)| keys.clone()).unwrap_or_default()
}

fn event_row(event: &EventSpec, data: &str) -> String {
    let topic = event.topic.as_ref().map_or_else(String::new, |topic| format!("`{}`", escaped(topic)));
    let (name, aliases) = (&event.name, code_list(&event.aliases));
    format!("| `{name}` {} | {topic} | {aliases} | {data} |\n", event.display_name)
}

/// The keys that the data of each of the app's events has in any sample, in the order in which they come.
fn keys_by_event(app: &App) -> BTreeMap<String, Vec<String>> {
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sample in samples::all().into_iter().filter(|sample| sample.app == app.name()) {
        for fired in Arrival::of(app, sample).events(app) {
            let known = keys.entry(fired.name).or_default();
            for (key, value) in fired.data.as_object().into_iter().flatten() {
                let shown = shown(key, value);
                match known.iter_mut().find(|known| bare(known) == key) {
                    Some(known) if known.len() < shown.len() => *known = shown,
                    Some(_) => {}
                    None => known.push(shown),
                }
            }
        }
    }
    keys
}

/// `lines[]` for a list, `contact{}` for an object.
fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Array(_) => format!("{key}[]"),
        Value::Object(_) => format!("{key}{{}}"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => key.to_owned(),
    }
}

fn bare(shown: &str) -> &str {
    shown.trim_end_matches("[]").trim_end_matches("{}")
}

fn code_list(texts: &[String]) -> String {
    let distinct: BTreeSet<&String> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "{texts:?}");
    texts.iter().map(|text| format!("`{}`", escaped(text))).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn handshake_word(handshake: &Handshake) -> &'static str {
    match handshake {
        Handshake::QueryToken { .. } => "token",
        Handshake::QueryHmac { .. } => "HMAC of a code",
        Handshake::BodyEcho => "echo",
        Handshake::Sns => "confirmation",
    }
}

fn handshake(handshake: &Handshake) -> String {
    match handshake {
        Handshake::QueryToken { challenge, token, .. } => {
            format!("a GET whose `{token}` has to be the hook's `verifyToken`; `{challenge}` is given back as text.")
        }
        Handshake::QueryHmac { challenge, response } => {
            format!(
                "a GET with `{challenge}`, answered as JSON with its HMAC-SHA256 by the hook's first secret as `{response}`."
            )
        }
        Handshake::BodyEcho => "a signed body whose challenge is given back as text.".to_owned(),
        Handshake::Sns => {
            "a signed SubscriptionConfirmation of a topic of the hook, which is confirmed at Amazon's address."
                .to_owned()
        }
    }
}

fn shape(auth: &Value) -> &str {
    match auth["shape"].as_str().unwrap() {
        "hmac" if auth["digest"] == "sha1" => "HMAC-SHA1",
        "hmac" => "HMAC-SHA256",
        "standard-webhooks" => "HMAC-SHA256 or Ed25519",
        "twilio" => "HMAC-SHA1 of address and form",
        "sns" => "RSA",
        "jwt" => "JWT",
        "basic" => "HTTP Basic",
        "any" => shape(&auth["of"][0]),
        "ed25519" => "Ed25519",
        "rsa-sha256" => "RSA-SHA256",
        other => other,
    }
}

/// The signature in a sentence; those whose shape says all have none.
fn signature(auth: &Value) -> String {
    if let Some(several) = auth["of"].as_array() {
        return several.iter().map(signature).collect::<Vec<_>>().join(" Or ");
    }
    let signature = &auth["signature"];
    let Some(headers) = signature["headers"].as_array() else { return String::new() };
    let headers: Vec<String> = headers.iter().map(|name| format!("`{}`", name.as_str().unwrap())).collect();
    let prefix = signature["prefix"].as_str().map_or_else(String::new, |prefix| {
        let optional = if signature["prefixOptional"] == true { ", which may be missing" } else { "" };
        format!(" behind `{prefix}`{optional}")
    });
    let signed = auth["signed"].as_str().unwrap_or("{body}");
    let encoding = signature["encoding"].as_str().unwrap();
    let window = auth["toleranceSeconds"].as_i64();
    let window = window.map_or_else(String::new, |seconds| format!(" It counts for {seconds} s each way."));
    format!("{} of `{signed}` in {encoding}, in {}{prefix}.{window}", shape(auth), headers.join(" or "))
}
