//! Cases: what is given, what happens, and what is expected.
//!
//! A case is read twice: when its file is, for what is wrong with it, and in its own world once more, where its placeholders have
//! a meaning.

use std::{
    fs,
    path::{Component, Path},
};

use domain::Timestamp;
use serde_json::{Map, Value};

use super::{
    expected::Expected,
    mocks::Mock,
    reading::{At, Reading},
    span::{self, SPAN},
};

/// When a case begins that does not say: a Monday morning.
pub(crate) const DEFAULT_NOW: &str = "2026-01-05T09:00:00.000Z";

/// How long a case goes on that does not say. *Why*: longer than the longest wait, which is a year.
const DEFAULT_UNTIL_SECONDS: i64 = 400 * 86_400;

/// The most events of a case.
const EVENTS_LIMIT: usize = 1_000;

const CASE_KEYS: [&str; 16] = [
    "name", "given", "mocks", "hook", "event", "record", "call", "answer", "step", "data", "inputs", "headers", "mail",
    "events", "until", "expect",
];
const ARRIVAL_KEYS: [&str; 11] =
    ["after", "hook", "event", "record", "call", "answer", "step", "data", "inputs", "headers", "mail"];
const GIVEN_KEYS: [&str; 6] = ["now", "org", "schedules", "settings", "variables", "records"];

/// What says what happens, one of them.
const WAYS: [&str; 5] = ["hook", "event", "record", "call", "answer"];

/// The collections of records, beside `klasses/NAME`.
pub(crate) const COLLECTIONS: [&str; 7] =
    ["customers", "conversations", "messages", "notes", "companies", "users", "tags"];

/// Whether records of a kind are under this path of the API.
pub(crate) fn is_collection(path: &str) -> bool {
    let is_klass = |name: &str| !name.is_empty() && !name.contains('/');
    COLLECTIONS.contains(&path) || path.strip_prefix("klasses/").is_some_and(is_klass)
}

/// One case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// What it is about.
    pub(crate) name: String,
    /// What is there before.
    pub(crate) given: Given,
    /// What the world outside answers.
    pub(crate) mocks: Vec<Mock>,
    /// What happens, in order.
    pub(crate) arrivals: Vec<Arrival>,
    /// How many seconds from its start it goes on.
    pub(crate) until_seconds: i64,
    /// What has to be.
    pub(crate) expected: Expected,
    /// As it is written.
    pub(crate) raw: Value,
    /// Where it is written.
    pub(crate) path: String,
}

/// What is there before anything happens.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The time.
    pub(crate) now: Timestamp,
    /// Settings of the org, as the API takes them.
    pub(crate) org: Option<Value>,
    /// Business schedules, likewise.
    pub(crate) schedules: Vec<Value>,
    /// Settings of apps, by app.
    pub(crate) settings: Vec<(String, Value)>,
    /// Variables: of which workflow, under which name, with which value.
    pub(crate) variables: Vec<(String, String, String)>,
    /// Records, in order.
    pub(crate) records: Vec<Record>,
}

/// A record that is there.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The API's collection: `customers`, `klasses/order`.
    pub(crate) collection: String,
    /// What placeholders call it.
    pub(crate) name: Option<String>,
    /// What it is made of, as the API takes it.
    pub(crate) attributes: Map<String, Value>,
}

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// How long after what happened before.
    pub(crate) after_seconds: i64,
    /// What it is.
    pub(crate) what: What,
}

/// What happens.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A body is posted to a form hook or a webhook, or data comes in a mail.
    Posted { hook: String, data: Value, headers: Vec<(String, String)> },
    /// A mail comes to an email hook, as it is.
    Mailed { hook: String, mail: Vec<u8> },
    /// An event is published.
    Published { event: String, data: Value },
    /// A record is made through the API, or changed where the path names one.
    Written { path: String, attributes: Value },
    /// A workflow is called.
    Called { workflow: String, inputs: Value },
    /// A run that waits for an answer is given one.
    Answered { choice: String, step: Option<String>, data: Value },
}

impl Case {
    /// The case `at`, whose files lie in `folder`.
    ///
    /// *Errors*: none is given where it has no name or nothing that can be tried; `reading` has the problems.
    pub(crate) fn read(reading: &mut Reading<'_>, at: &At<'_>, folder: &Path) -> Option<Self> {
        reading.object(at, "A case", &CASE_KEYS)?;
        let name = match at.member("name") {
            Some(name) => reading.text(&name, "The name of a case").map(str::trim).filter(|name| !name.is_empty()),
            None => None,
        };
        if name.is_none() {
            reading.problem(&at.path, "A case has a `name`, a text that says what it is about.");
        }
        let given = Given::read(reading, at.member("given").as_ref());
        let mocks = Mock::read_all(reading, at.member("mocks").as_ref());
        let arrivals = arrivals(reading, at, folder);
        let until_seconds = match at.member("until") {
            None => Some(DEFAULT_UNTIL_SECONDS),
            Some(until) => read_span(reading, &until, "`until`"),
        };
        let expected = match at.member("expect") {
            Some(expect) => Expected::read(reading, &expect),
            None => {
                reading.problem(&at.path, "A case has an `expect`, which says what has to be in the end.");
                None
            }
        };
        Some(Self {
            name: name?.to_owned(),
            given: given?,
            mocks,
            arrivals,
            until_seconds: until_seconds?,
            expected: expected?,
            raw: at.value.clone(),
            path: at.path.clone(),
        })
    }
}

impl Given {
    fn read(reading: &mut Reading<'_>, at: Option<&At<'_>>) -> Option<Self> {
        let now = Timestamp::parse(DEFAULT_NOW)?;
        let nothing = Self {
            now,
            org: None,
            schedules: Vec::new(),
            settings: Vec::new(),
            variables: Vec::new(),
            records: Vec::new(),
        };
        let Some(at) = at else { return Some(nothing) };
        reading.object(at, "`given`", &GIVEN_KEYS)?;
        let now = match at.member("now") {
            None => now,
            Some(now) => match now.value.as_str().and_then(Timestamp::parse) {
                Some(instant) => instant,
                None => {
                    reading.problem(&now.path, format!("`now` is an instant such as {DEFAULT_NOW}."));
                    return None;
                }
            },
        };
        let org = at.member("org").filter(|org| reading.mapping(org, "`org`"));
        let schedules = at.member("schedules").filter(|list| reading.list(list, "`schedules`"));
        let settings = at.member("settings").filter(|apps| reading.mapping(apps, "`settings`"));
        Some(Self {
            now,
            org: org.map(|org| org.value.clone()),
            schedules: schedules.iter().flat_map(At::elements).map(|schedule| schedule.value.clone()).collect(),
            settings: settings
                .iter()
                .flat_map(At::members)
                .map(|(app, set)| (app.to_owned(), set.value.clone()))
                .collect(),
            variables: variables(reading, at),
            records: records(reading, at),
        })
    }
}

fn variables(reading: &mut Reading<'_>, given: &At<'_>) -> Vec<(String, String, String)> {
    let workflows = given.member("variables").filter(|all| reading.mapping(all, "`variables`"));
    let mut variables = Vec::new();
    for (workflow, named) in workflows.iter().flat_map(At::members) {
        if !reading.mapping(&named, "What the variables of a workflow stand in") {
            continue;
        }
        for (name, value) in named.members() {
            if let Some(value) = reading.text(&value, "The value of a variable") {
                variables.push((workflow.to_owned(), name.to_owned(), value.to_owned()));
            }
        }
    }
    variables
}

fn records(reading: &mut Reading<'_>, given: &At<'_>) -> Vec<Record> {
    let collections = given.member("records").filter(|all| reading.mapping(all, "`records`"));
    let mut records: Vec<Record> = Vec::new();
    for (collection, list) in collections.iter().flat_map(At::members) {
        if !reading.list(&list, "What the records of a kind stand in") {
            continue;
        }
        for at in list.elements() {
            if !reading.mapping(&at, "A record") {
                continue;
            }
            let mut attributes = at.value.as_object().cloned().unwrap_or_default();
            attributes.shift_remove("as");
            let name = at.member("as").and_then(|name| reading.text(&name, "`as`").map(str::to_owned));
            if name.is_some() && records.iter().any(|record| record.name == name) {
                reading.problem(&at.path, "Another record is called that by its `as` already.");
            }
            records.push(Record { collection: collection.to_owned(), name, attributes });
        }
    }
    records
}

fn arrivals(reading: &mut Reading<'_>, case: &At<'_>, folder: &Path) -> Vec<Arrival> {
    let own = WAYS.iter().any(|way| case.member(way).is_some());
    let Some(events) = case.member("events") else {
        return Arrival::read(reading, case, folder).into_iter().collect();
    };
    if own {
        reading.problem(&events.path, "What happens stands in the case itself or in `events`, not in both.");
    }
    if !reading.list(&events, "`events`") {
        return Vec::new();
    }
    let count = events.elements().count();
    if count == 0 || count > EVENTS_LIMIT {
        reading.problem(&events.path, format!("A case has 1 to {EVENTS_LIMIT} events."));
        return Vec::new();
    }
    let mut arrivals = Vec::with_capacity(count);
    for event in events.elements() {
        if reading.object(&event, "An event of a case", &ARRIVAL_KEYS).is_some() {
            arrivals.extend(Arrival::read(reading, &event, folder));
        }
    }
    arrivals
}

impl Arrival {
    fn read(reading: &mut Reading<'_>, at: &At<'_>, folder: &Path) -> Option<Self> {
        let after_seconds = match at.member("after") {
            None => 0,
            Some(after) => read_span(reading, &after, "`after`")?,
        };
        let ways: Vec<(&str, At<'_>)> = WAYS.iter().filter_map(|way| Some((*way, at.member(way)?))).collect();
        let [(way, named)] = ways.as_slice() else {
            reading.problem(
                &at.path,
                "Say what happens: one of `hook`, `event`, `record`, `call` or `answer`; several stand in `events`.",
            );
            return None;
        };
        let name = reading.text(named, &format!("`{way}`"))?.to_owned();
        let data = at.value.get("data").cloned();
        let what = match *way {
            "hook" => posted(reading, at, folder, name, data),
            "event" => Some(What::Published { event: name, data: data.unwrap_or_default() }),
            "record" => {
                Some(What::Written { path: name, attributes: data.unwrap_or_else(|| Value::Object(Map::new())) })
            }
            "call" => {
                let inputs = at.value.get("inputs").cloned().unwrap_or_else(|| Value::Object(Map::new()));
                Some(What::Called { workflow: name, inputs })
            }
            _ => {
                let step = at.member("step").and_then(|step| reading.text(&step, "`step`")).map(str::to_owned);
                Some(What::Answered { choice: name, step, data: data.unwrap_or_default() })
            }
        };
        for (key, of) in [("headers", "hook"), ("mail", "hook"), ("inputs", "call"), ("step", "answer")] {
            if let Some(key) = at.member(key).filter(|_| *way != of) {
                reading.problem(&key.path, format!("This goes with `{of}`, and here is `{way}`."));
            }
        }
        Some(Self { after_seconds, what: what? })
    }
}

fn posted(reading: &mut Reading<'_>, at: &At<'_>, folder: &Path, hook: String, data: Option<Value>) -> Option<What> {
    let headers = at.member("headers").filter(|headers| reading.mapping(headers, "`headers`"));
    let mut pairs = Vec::new();
    for (name, value) in headers.iter().flat_map(At::members) {
        pairs.push((name.to_owned(), reading.text(&value, "The value of a header")?.to_owned()));
    }
    let Some(file) = at.member("mail") else {
        return Some(What::Posted { hook, data: data.unwrap_or_else(|| Value::Object(Map::new())), headers: pairs });
    };
    if data.is_some() {
        reading.problem(&file.path, "A mail brings its own data; leave `data` or `mail`.");
        return None;
    }
    let name = reading.text(&file, "`mail`")?;
    let is_inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_inside {
        reading.problem(&file.path, "`mail` names a file beside the test, or in a folder there.");
        return None;
    }
    match fs::read(folder.join(name)) {
        Ok(mail) => Some(What::Mailed { hook, mail }),
        Err(error) => {
            reading.problem(&file.path, format!("The file {name} cannot be read: {error}."));
            None
        }
    }
}

fn read_span(reading: &mut Reading<'_>, at: &At<'_>, what: &str) -> Option<i64> {
    let seconds = at.value.as_str().and_then(span::seconds);
    if seconds.is_none() {
        reading.problem(&at.path, format!("{what} is {SPAN}."));
    }
    seconds
}
