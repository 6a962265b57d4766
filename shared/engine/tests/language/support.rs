//! What the tests share: known actions, definitions from documents, given data, and a run driven to its end.

use std::sync::LazyLock;

use domain::{ScheduleId, Timestamp};
use engine::condition::{Condition, Verdict};
use engine::definition::Definition;
use engine::expression::{Asker, Context, Fault, resolve};
use engine::journal::{Entry, Failure, Outcome};
use engine::run::{self, Decision, Ending, Progress, next, record, replay, start};
use engine::surroundings::AnswerLinks;
use engine::{Catalogue, Problem, Setup, Surroundings, check};
use serde_json::{Value, json};

/// When every test takes place.
pub(crate) const NOON: &str = "2026-11-28T12:00:00.000Z";

pub(crate) static EMPTY: LazyLock<Setup> = LazyLock::new(Setup::default);

pub(crate) fn parse(text: &str) -> Value {
    domain::exact::parse(text).unwrap()
}

/// The actions of the table of documents.
pub(crate) fn catalogue(actions: &Value) -> Catalogue {
    let schemas = actions.as_object().unwrap().iter().map(|(name, schema)| (name.clone(), schema.clone()));
    Catalogue::new(schemas).unwrap()
}

/// The problems of a document whose steps may use any action of the tests.
pub(crate) fn problems(document: &Value) -> Vec<Problem> {
    let actions = json!({
        "kustomer.customer.find-by-email": {}, "kustomer.customer.create": {}, "kustomer.customer.update": {},
        "kustomer.kobject.create-with-customer": {}, "flow.wait": {},
    });
    check(document, &catalogue(&actions)).problems
}

pub(crate) fn definition(document: &Value) -> Definition {
    Definition::parse(document).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A definition whose trigger leads to the first of `steps`.
pub(crate) fn steps(steps: Value) -> Definition {
    let first = steps[0]["id"].clone();
    definition(&json!({
        "name": "test",
        "trigger": {"eventName": "e", "transitions": [{"target": first, "condition": {"op": "true", "values": []}}]},
        "steps": steps,
    }))
}

/// What a table says is given.
pub(crate) struct Given {
    steps: Value,
    error: Option<Value>,
    now: Timestamp,
    pub(crate) setup: Setup,
}

impl Given {
    pub(crate) fn of(given: &Value) -> Given {
        let variables = given["variables"].as_object().cloned().unwrap_or_default();
        let schedules = given["schedules"].as_array().into_iter().flatten().map(schedule).collect();
        let default = given["defaultSchedule"].as_str().map(|id| ScheduleId::parse(id).unwrap());
        let now = given["now"].as_str().unwrap_or(NOON);
        Given {
            steps: given["steps"].clone(),
            error: given.get("error").cloned(),
            now: Timestamp::parse(now).unwrap(),
            setup: Setup {
                variables,
                retired: Vec::new(),
                app_settings: given["appSettings"].clone(),
                app_secrets: Vec::new(),
                schedules,
                default_schedule: default,
                time_zone: given["timeZone"].as_str().map(str::to_owned),
                answer_links: AnswerLinks::Unset,
            },
        }
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context {
            steps: &self.steps,
            outer: &[],
            error: self.error.as_ref(),
            surroundings: Surroundings { setup: &self.setup, now: self.now, seed: "a run" },
            asker: Asker { branch: "", step: "s", visit: 1, part: "params" },
            scope: None,
        }
    }

    pub(crate) fn resolve(&self, expression: &Value) -> Result<Option<Value>, Fault> {
        resolve(expression, &self.context())
    }

    pub(crate) fn judge(&self, condition: &Value) -> Verdict {
        let condition = Condition::parse(condition).unwrap_or_else(|problems| panic!("{condition}: {problems:?}"));
        condition.judge(&self.context())
    }
}

fn schedule(given: &Value) -> domain::Schedule {
    let mut schedule = given.clone();
    for (key, value) in
        [("org", json!("581392b55ac7a2110099d9c8")), ("createdAt", json!(NOON)), ("updatedAt", json!(NOON))]
    {
        schedule[key] = value;
    }
    serde_json::from_value(schedule).unwrap()
}

/// One row of a table, with what is given for it.
pub(crate) struct Row<'t> {
    pub(crate) given: &'t Value,
    pub(crate) row: &'t Value,
}

/// The rows of a table; a group without anything given has what the one before it has.
pub(crate) fn rows(table: &Value) -> Vec<Row<'_>> {
    let mut given = &Value::Null;
    let mut rows = Vec::new();
    for group in table.as_array().unwrap() {
        given = group.get("given").unwrap_or(given);
        rows.extend(group["rows"].as_array().unwrap().iter().map(|row| Row { given, row }));
    }
    rows
}

pub(crate) fn failed(code: &str) -> Outcome {
    Outcome::Failed(Failure::new(code, format!("It is {code}.")))
}

/// Nothing is set up, and it is always noon.
pub(crate) fn surroundings() -> Surroundings<'static> {
    Surroundings { setup: &EMPTY, now: Timestamp::parse(NOON).unwrap(), seed: "a run" }
}

/// Runs to the end, `perform` playing the actions; checks at every step that the journal gives the same state back.
pub(crate) fn drive(
    definition: &Definition,
    trigger_output: &Value,
    perform: impl FnMut(&str, &Value) -> Outcome,
) -> (Vec<Entry>, Ending) {
    drive_by(definition, trigger_output, perform, |_| 0)
}

/// The same, where `choose` says which of so many branches that are ready goes on.
pub(crate) fn drive_by(
    definition: &Definition,
    trigger_output: &Value,
    mut perform: impl FnMut(&str, &Value) -> Outcome,
    mut choose: impl FnMut(usize) -> usize,
) -> (Vec<Entry>, Ending) {
    let mut surroundings = surroundings();
    let mut progress = start(definition, trigger_output.clone(), &surroundings);
    let mut entries = vec![progress.trigger_entry(definition)];
    let mut times = vec![surroundings.now];
    loop {
        let ready = progress.ready(surroundings.now);
        let ready = ready.get(choose(ready.len())).map(|branch| (*branch).to_owned());
        let Some(branch) = ready else {
            surroundings.now = progress.due_at().expect("nothing is ready, and nothing ever will be");
            continue;
        };
        let came = Surroundings { now: progress.came_at(&branch).unwrap(), ..surroundings };
        let (given, outcome) = match next(definition, &progress, &branch, &came) {
            Decision::Perform { step, params, .. } => {
                let outcome = perform(&step, &params.input);
                (params.given(), outcome)
            }
            Decision::Settled { given, outcome, .. } => (given, outcome),
            Decision::Waiting => (run::Given::default(), run::waited(&progress, &branch).unwrap()),
            Decision::Finished(ending) => return (entries, ending),
        };
        entries.push(record(definition, &mut progress, &branch, given, outcome, &surroundings).unwrap());
        times.push(surroundings.now);
        if entries.len() < 25 {
            assert_eq!(taken_up(definition, trigger_output, &entries, &times), progress);
        }
    }
}

/// The run as another process would take it up: from the journal's JSON.
fn taken_up(definition: &Definition, trigger_output: &Value, entries: &[Entry], times: &[Timestamp]) -> Progress {
    let saved = serde_json::to_string(entries).unwrap();
    let read: Vec<Entry> = serde_json::from_str(&saved).unwrap();
    assert_eq!(read, entries);
    let surroundings = surroundings();
    let timed = || read.iter().zip(times.iter().copied());
    let with_trigger = replay(definition, trigger_output.clone(), timed(), &surroundings).unwrap();
    let without_trigger = replay(definition, trigger_output.clone(), timed().skip(1), &surroundings).unwrap();
    assert_eq!(with_trigger, without_trigger);
    with_trigger
}

/// The entries, each made at noon.
pub(crate) fn timed(entries: &[Entry]) -> impl Iterator<Item = (&Entry, Timestamp)> {
    entries.iter().map(|entry| (entry, Timestamp::parse(NOON).unwrap()))
}

/// The ids of the steps in the order they ran.
pub(crate) fn order(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.step.as_str()).collect()
}
