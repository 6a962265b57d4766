//! What to look for where it must never be: planted secrets, everything that is logged, and all that the API shows.
//!
//! A canary is looked for as it was planted and as base64 and hex would hide it.

use std::{
    collections::{BTreeSet, VecDeque},
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::world::World;

/// What hangs below a hook and a workflow, where no answer links to it.
const BELOW_HOOK: [&str; 4] = ["transactions", "refusals", "arrivals", "quarantine"];
const BELOW_WORKFLOW: [&str; 6] = ["export", "runs", "versions", "diff", "draft", "variables"];

/// Secrets by what they are.
#[derive(Debug, Default)]
pub struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// A secret that is like no other text.
    pub fn plant(&mut self, name: &str) -> String {
        let text = format!("c4n4ry{:02}{}", self.0.len(), name.replace([' ', '-'], ""));
        self.add(name, &text);
        text
    }

    /// Looks for `text` too, which was made elsewhere.
    pub fn add(&mut self, name: &str, text: &str) {
        self.0.push((name.to_owned(), text.to_owned()));
    }

    /// What of them is in `text`, as sentences that name the place.
    pub fn in_text(&self, place: &str, text: &str) -> Vec<String> {
        let is_in = |canary: &str| {
            let base64 = BASE64.encode(canary);
            let base64 = base64.trim_end_matches('=');
            [canary, &base64[..base64.len() - 1], &hex::encode(canary)].iter().any(|form| text.contains(form))
        };
        let found = self.0.iter().filter(|(_, canary)| is_in(canary));
        found.map(|(name, _)| format!("{name} is in {place}")).collect()
    }
}

/// Everything that is logged on this thread, at every level.
#[derive(Clone, Default)]
pub struct Logs(Arc<Mutex<String>>);

impl Logs {
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    fn write(&self, record: impl FnOnce(&mut Line)) {
        let mut line = Line(String::new());
        record(&mut line);
        let mut text = self.0.lock().unwrap();
        text.push_str(&line.0);
        text.push('\n');
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Logs {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        self.write(|line| attributes.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.write(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(|line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Every answer that a key with all roles gets by reading: from the lists, along every link, and what is known to hang
/// below. Each is given with its path.
pub async fn all_answers(world: &World) -> Vec<(String, String)> {
    let hooks = ["hooks/form", "hooks/web", "hooks/email", "mail-domain"];
    let others = [
        "workflows",
        "org",
        "audit-log",
        "outbox",
        "schedules",
        "klasses",
        "customers",
        "companies",
        "users",
        "tags",
        "webhooks",
        "dead-letters",
        "api-keys",
        "apps",
        "openapi.json",
    ];
    let lists = hooks.iter().chain(&others);
    let mut open: VecDeque<String> = lists.map(|list| format!("/v1/{list}")).collect();
    let mut known: BTreeSet<String> = open.iter().cloned().collect();
    let mut answers = Vec::new();
    while let Some(path) = open.pop_front() {
        let answer = world.get(&path).await;
        let mut linked = links(&answer.body);
        linked.extend(below(&path));
        for path in linked {
            if known.insert(path.clone()) {
                open.push_back(path);
            }
        }
        answers.push((path, format!("{:?} {}", answer.headers, answer.text)));
    }
    answers
}

/// Every link in an answer.
fn links(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let own = ["self", "next"].iter().filter_map(|word| map.get(*word)?.as_str());
            let own = own.filter(|link| link.starts_with("/v1/")).map(str::to_owned);
            own.chain(map.values().flat_map(links)).collect()
        }
        Value::Array(list) => list.iter().flat_map(links).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn below(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split('/').skip(2).collect();
    let words: &[&str] = match *parts.as_slice() {
        ["hooks", _, _] => &BELOW_HOOK,
        ["workflows", _] => &BELOW_WORKFLOW,
        ["customers", _] => &["timeline"],
        ["klasses", _] => &["instances"],
        ["webhooks", _] => &["deliveries"],
        _ => &[],
    };
    words.iter().map(|word| format!("{path}/{word}")).collect()
}
