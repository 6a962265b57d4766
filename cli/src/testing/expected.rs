//! What a case expects.

use domain::RunState;
use serde_json::Value;

use super::{
    matching,
    reading::{At, Reading, meant},
    span::{Moment, SPAN},
};

/// The most that is counted.
const COUNT_LIMIT: u64 = 1_000_000;

const RUN_KEYS: [&str; 5] = ["state", "path", "outputs", "timers", "error"];
const KEYS: [&str; 11] =
    ["state", "path", "outputs", "timers", "error", "runs", "notStarted", "records", "calls", "mails", "answer"];
const STATES: [&str; 6] = ["running", "waiting", "held", "succeeded", "failed", "cancelled"];
const RECORDS_KEYS: [&str; 2] = ["count", "include"];

/// What has to be in the end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expected {
    /// Of the one run that the case is about.
    pub(crate) run: OfRun,
    /// Of the runs of each workflow, in the order they began.
    pub(crate) runs: Vec<(String, Vec<OfRun>)>,
    /// Workflows that started no run.
    pub(crate) not_started: Vec<String>,
    /// Records by collection.
    pub(crate) records: Vec<(String, OfRecords)>,
    /// Calls to the world outside, in order.
    pub(crate) calls: Option<Sequence>,
    /// Mails, in order.
    pub(crate) mails: Option<Sequence>,
    /// What the last event of the case was answered.
    pub(crate) answer: Option<Value>,
}

/// What has to be of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct OfRun {
    /// Its state.
    pub(crate) state: Option<String>,
    /// The steps it took, without the trigger.
    pub(crate) path: Option<Vec<String>>,
    /// What steps put out last.
    pub(crate) outputs: Vec<(String, Value)>,
    /// Until when it waited, each time.
    pub(crate) timers: Option<Vec<Moment>>,
    /// The code of its error, or parts of the error.
    pub(crate) error: Option<Value>,
}

/// What has to be of the records of a collection.
#[derive(Debug, Clone, Default)]
pub(crate) struct OfRecords {
    /// How many there are.
    pub(crate) count: Option<u64>,
    /// Those that are among them.
    pub(crate) include: Vec<Value>,
}

/// Things in order.
#[derive(Debug, Clone)]
pub(crate) enum Sequence {
    /// So many.
    Count(u64),
    /// These.
    Each(Vec<Value>),
}

impl Expected {
    /// What is written `at`.
    pub(crate) fn read(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Self> {
        let members = reading.object(at, "`expect`", &KEYS)?;
        if members.values().all(Value::is_null) {
            reading.problem(&at.path, format!("`expect` says something about {}.", KEYS.join(", ")));
        }
        let run = OfRun::read(reading, at);
        let mut runs = Vec::new();
        let by_workflow = at.member("runs").filter(|runs| reading.mapping(runs, "`runs`"));
        for (workflow, of) in by_workflow.iter().flat_map(At::members) {
            let each: Vec<At<'_>> = if of.value.is_array() { of.elements().collect() } else { vec![of] };
            let mut all = Vec::with_capacity(each.len());
            for of in each {
                if reading.object(&of, "What a run has to be", &RUN_KEYS).is_some() {
                    all.push(OfRun::read(reading, &of));
                }
            }
            runs.push((workflow.to_owned(), all));
        }
        let answer = at.member("answer");
        let answer = answer.and_then(|answer| value(reading, &answer));
        Some(Self {
            run,
            runs,
            not_started: texts(reading, at.member("notStarted").as_ref(), "`notStarted`").unwrap_or_default(),
            records: records(reading, at),
            calls: at.member("calls").and_then(|calls| Sequence::read(reading, &calls, "`calls`")),
            mails: at
                .member("mails")
                .and_then(|mails| Sequence::read(reading, &mails, "`mails`"))
                .map(Sequence::of_mails),
            answer,
        })
    }
}

impl OfRun {
    fn read(reading: &mut Reading<'_>, at: &At<'_>) -> Self {
        let state = at.member("state").and_then(|state| {
            let word = reading.text(&state, "`state`")?;
            if RunState::parse(word).is_none() {
                reading.problem(&state.path, format!("There is no state \"{word}\". {}", meant(word, &STATES)));
            }
            Some(word.to_owned())
        });
        let outputs = at.member("outputs").filter(|outputs| reading.mapping(outputs, "`outputs`"));
        let mut by_step = Vec::new();
        for (step, _) in outputs.iter().flat_map(At::members) {
            if let Some(output) = outputs.as_ref().and_then(|outputs| outputs.member(step)) {
                by_step.extend(value(reading, &output).map(|output| (step.to_owned(), output)));
            } else {
                by_step.push((step.to_owned(), Value::Null));
            }
        }
        let error = at.member("error").filter(|error| {
            let is_one = error.value.is_string() || error.value.is_object();
            if !is_one {
                reading.problem(&error.path, "`error` is the code of an error, or an object with parts of one.");
            }
            is_one
        });
        let error = error.and_then(|error| value(reading, &error));
        let timers = at.member("timers").and_then(|timers| {
            reading
                .list(&timers, "`timers`")
                .then(|| timers.elements().filter_map(|timer| moment(reading, &timer)).collect())
        });
        let path = texts(reading, at.member("path").as_ref(), "`path`");
        Self { state, path, outputs: by_step, timers, error }
    }

    /// Whether nothing is expected of the run.
    pub(crate) fn is_silent(&self) -> bool {
        let Self { state, path, outputs, timers, error } = self;
        state.is_none() && path.is_none() && outputs.is_empty() && timers.is_none() && error.is_none()
    }
}

impl Sequence {
    fn read(reading: &mut Reading<'_>, at: &At<'_>, what: &str) -> Option<Self> {
        if at.value.is_number() {
            return reading.number(at, what, (0, COUNT_LIMIT)).map(Self::Count);
        }
        if !at.value.is_array() {
            reading.problem(&at.path, format!("{what} is a list of all there are, in order, or how many there are."));
            return None;
        }
        let mut each = Vec::new();
        for element in at.elements() {
            if reading.mapping(&element, "Each of them") {
                each.extend(value(reading, &element));
            }
        }
        Some(Self::Each(each))
    }

    /// A mail's `text` and `html` are what it contains, and one recipient needs no list.
    fn of_mails(self) -> Self {
        match self {
            Self::Count(count) => Self::Count(count),
            Self::Each(mut each) => {
                for mail in each.iter_mut().filter_map(Value::as_object_mut) {
                    for (key, value) in mail.iter_mut().filter(|(_, value)| value.is_string()) {
                        match key.as_str() {
                            "text" | "html" => *value = matching::contains(value.take()),
                            "to" | "cc" | "recipients" => *value = Value::Array(vec![value.take()]),
                            _ => {}
                        }
                    }
                }
                Self::Each(each)
            }
        }
    }
}

fn records(reading: &mut Reading<'_>, at: &At<'_>) -> Vec<(String, OfRecords)> {
    let by_collection = at.member("records").filter(|records| reading.mapping(records, "`records`"));
    let mut records = Vec::new();
    for (collection, of) in by_collection.iter().flat_map(At::members) {
        let expected = if of.value.is_number() {
            OfRecords { count: reading.number(&of, "A count of records", (0, COUNT_LIMIT)), include: Vec::new() }
        } else if of.value.is_array() {
            OfRecords { count: None, include: included(reading, &of) }
        } else if reading.object(&of, "What is expected of records", &RECORDS_KEYS).is_some() {
            let count = of.member("count").and_then(|count| reading.number(&count, "`count`", (0, COUNT_LIMIT)));
            let include = of.member("include").filter(|list| reading.list(list, "`include`"));
            OfRecords { count, include: include.map(|list| included(reading, &list)).unwrap_or_default() }
        } else {
            continue;
        };
        records.push((collection.to_owned(), expected));
    }
    records
}

fn included(reading: &mut Reading<'_>, list: &At<'_>) -> Vec<Value> {
    list.elements().filter_map(|record| value(reading, &record)).collect()
}

/// A value that something is held against; its markers are known ones.
fn value(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Value> {
    for (path, message) in matching::misused_markers(at.value, &at.path) {
        reading.problem(&path, message);
    }
    Some(at.value.clone())
}

fn texts(reading: &mut Reading<'_>, at: Option<&At<'_>>, what: &str) -> Option<Vec<String>> {
    let at = at?;
    if !reading.list(at, what) {
        return None;
    }
    let mut texts = Vec::new();
    for element in at.elements() {
        // YAML reads the id of a step that is called 1 as a number.
        match element.value {
            Value::Number(number) => texts.push(number.to_string()),
            Value::String(text) => texts.push(text.clone()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                reading.problem(&element.path, format!("{what} is a list of texts."));
            }
        }
    }
    Some(texts)
}

fn moment(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Moment> {
    let moment = Moment::read(at.value);
    if moment.is_none() {
        reading.problem(&at.path, format!("A timer is an instant, or {SPAN}, from the start of the case."));
    }
    moment
}
