//! Making an org what a project says: klasses, apps, hooks, workflows, and at last what goes.
//!
//! It ends at the first refusal, having told what was done and what was not. Whoever applies the project again goes on
//! there, since what was done is found to be as it should.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    super::problems,
    org::{Org, definition, stamp, version_of},
    plan::{Act, Item, Plan, known, learn, said},
    secrets::Secrets,
    told,
};
use crate::{
    client::Address,
    failure::{Failure, Refusal},
    output::{self, Format, Page},
    project::{Entry, Part, Project, hooks, order::Move, placeholders, placeholders::Placeholder, workflows},
    session::Session,
};

/// One thing to do.
#[derive(Clone, Copy)]
enum Step<'i> {
    /// Give a workflow an id.
    Reserve(&'i Item<'i>),
    /// What the item says.
    Do(&'i Item<'i>),
}

/// The answer to a step: the id and what else is to be told.
struct Answer {
    id: String,
    /// Addresses, what is still to be set.
    more: Vec<String>,
    /// The document with the server's warnings.
    document: Value,
}

/// A project that is being applied.
struct Work<'w> {
    session: &'w Session,
    org: &'w Org,
    secrets: &'w Secrets,
    known: HashMap<Placeholder, String>,
}

/// Carries the plan out.
///
/// *Errors*: the first refusal; what was done until then stays.
pub(super) fn apply(
    session: &Session,
    project: &Project,
    org: &Org,
    plan: &Plan<'_>,
    secrets: &Secrets,
) -> Result<(), Failure> {
    let steps = steps(project, plan);
    let mut work = Work { session, org, secrets, known: known(project, org) };
    let mut done: Vec<Value> = Vec::new();
    let mut outcome = Ok(());
    for (place, step) in steps.iter().enumerate() {
        match work.perform(step) {
            Ok(answer) => done.extend(tell(session, step, &answer)?),
            Err(failure) => {
                if session.format == Format::Human {
                    output::print_error(&not_done(steps.get(place..).unwrap_or_default()));
                }
                outcome = Err(failure);
                break;
            }
        }
    }
    let left = plan.pending() - done.len();
    let same = plan.items.iter().filter(|item| item.act == Act::Nothing).count();
    match session.format {
        Format::Human if outcome.is_err() => {}
        Format::Human if done.is_empty() => output::print(&Page::of_line(format!("Nothing to do; {same} unchanged.")))?,
        Format::Human => output::print(&Page::of_line(format!("Done: {} changed, {same} unchanged.", done.len())))?,
        Format::Json => {
            let attributes = json!({ "done": done, "notDone": left, "unchanged": same });
            let mut page = Page::default();
            page.json(&json!({ "data": { "type": "project_apply", "attributes": attributes } }));
            output::print(&page)?;
        }
    }
    outcome
}

/// What is done, in its order.
fn steps<'i>(project: &Project, plan: &'i Plan<'i>) -> Vec<Step<'i>> {
    let of_workflow = |place: usize| {
        let handle = project.workflows.get(place).map(|entry| entry.handle.as_str());
        let is_it =
            |item: &&Item<'_>| item.part == Part::Workflows && item.entry.map(|entry| entry.handle.as_str()) == handle;
        plan.items.iter().find(|item| item.act.is_change() && is_it(item))
    };
    let is_made = |item: &&Item<'_>| item.part != Part::Workflows && matches!(item.act, Act::Create | Act::Update);
    let moves = plan.moves.iter().filter_map(|step| match step {
        Move::Reserve(place) => of_workflow(*place).map(Step::Reserve),
        Move::Write(place) => of_workflow(*place).map(Step::Do),
    });
    let made = plan.items.iter().filter(is_made).map(Step::Do);
    let gone = plan.items.iter().filter(|item| item.act == Act::Delete).map(Step::Do);
    made.chain(moves).chain(gone).collect()
}

impl Work<'_> {
    fn perform(&mut self, step: &Step<'_>) -> Result<Answer, Failure> {
        match step {
            Step::Reserve(item) => match item.entry {
                Some(entry) => self.reserve(entry),
                None => Ok(Answer::of(Value::Null, String::new())),
            },
            Step::Do(item) => match (item.act, item.entry) {
                (Act::Create, Some(entry)) => self.create(item.part, entry),
                (Act::Update, Some(entry)) => self.update(item, entry),
                (Act::Delete, _) => self.delete(item),
                (Act::Create | Act::Update | Act::Nothing | Act::Leave, _) => {
                    Ok(Answer::of(Value::Null, String::new()))
                }
            },
        }
    }

    fn reserve(&mut self, entry: &Entry) -> Result<Answer, Failure> {
        let document = workflows::reserved(entry.text("name"));
        let answer = self.session.client.post(&Address::of(&["workflows"]), bytes(document))?;
        Ok(self.learned(Part::Workflows, entry, answer))
    }

    fn create(&mut self, part: Part, entry: &Entry) -> Result<Answer, Failure> {
        let client = &self.session.client;
        let answer = match part {
            Part::Klasses => client.post(&Address::of(&["klasses"]), bytes(entry.document.clone()))?,
            Part::Apps => {
                let warnings = self.register(entry)?;
                let wanted = json!({ "app": entry.text("app"), "version": version_of(entry) });
                let installed = client.post(&Address::of(&["apps"]), wanted.to_string().into_bytes())?;
                with_warnings(installed, warnings)
            }
            Part::Hooks => {
                let settings = said(part, entry, &self.known);
                let draft = hooks::draft(&settings, self.secrets.of(&entry.handle));
                client.post(&Address::of(&["hooks", entry.text("kind")]), bytes(draft))?
            }
            Part::Workflows => {
                let document = self.filled(entry);
                match self.known.get(&own(entry)) {
                    // It was given an id a moment ago.
                    Some(id) => {
                        let change = workflows::change(&workflows::reserved(entry.text("name")), &document);
                        client.put(&Address::of(&["workflows", id]), bytes(change))?
                    }
                    None => client.post(&Address::of(&["workflows"]), bytes(workflows::draft(&document)))?,
                }
            }
        };
        Ok(self.learned(part, entry, answer))
    }

    fn update(&mut self, item: &Item<'_>, entry: &Entry) -> Result<Answer, Failure> {
        let Some(standing) = item.standing else { return self.create(item.part, entry) };
        let client = &self.session.client;
        let address = address(item);
        let change = match item.part {
            Part::Apps => {
                let warnings = self.register(entry)?;
                let wanted = json!({ "version": version_of(entry) });
                let upgraded = client.put(&address, wanted.to_string().into_bytes())?;
                return Ok(self.learned(item.part, entry, with_warnings(upgraded, warnings)));
            }
            Part::Klasses => klass_change(&entry.document),
            Part::Hooks => {
                let after = said(item.part, entry, &self.known);
                hooks::change(&standing.document, &after, &standing.shown, self.secrets.of(&entry.handle))
            }
            Part::Workflows => workflows::change(&standing.shown, &self.filled(entry)),
        };
        let now = client.get(&address)?;
        let now = now.pointer("/data/attributes").and_then(Value::as_object).cloned().unwrap_or_default();
        if stamp(&now) != standing.stamp() {
            return Err(changed_meanwhile(item));
        }
        let answer = client.put(&address, bytes(change))?;
        let mut told = self.learned(item.part, entry, answer);
        let rev = |value: Option<&Value>| value.and_then(Value::as_u64);
        let (before, after) = (rev(standing.shown.get("rev")), rev(told.document.pointer("/data/attributes/rev")));
        if before.zip(after).is_some_and(|(before, after)| after > before + 1) {
            told.more.push(format!(
                "somebody else changed it at the same moment; see `hookwright workflows versions {}`",
                standing.id
            ));
        }
        Ok(told)
    }

    fn delete(&self, item: &Item<'_>) -> Result<Answer, Failure> {
        let id = item.standing.map(|standing| standing.id.clone()).unwrap_or_default();
        match self.session.client.delete(&address(item)) {
            Ok(answer) => Ok(Answer::of(answer, id)),
            // Somebody else did it.
            Err(Failure::Refused(refusal)) if refusal.status == 404 => Ok(Answer::of(Value::Null, id)),
            Err(failure) => Err(failure),
        }
    }

    /// Registers the version, unless that was done, and gives what its author should know.
    fn register(&self, entry: &Entry) -> Result<Vec<Value>, Failure> {
        let (app, document) = (entry.text("app"), definition(entry));
        if self.org.registered.iter().any(|known| known.app == app && known.document == document) {
            return Ok(Vec::new());
        }
        let address = Address::of(&["apps", "available"]);
        let answer = self.session.client.post(&address, bytes(entry.document.clone()))?;
        Ok(answer.pointer("/meta/warnings").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    fn filled(&self, entry: &Entry) -> Map<String, Value> {
        placeholders::filled(&entry.document, &|placeholder| self.known.get(placeholder).cloned())
    }

    fn learned(&mut self, part: Part, entry: &Entry, document: Value) -> Answer {
        let id = match part {
            // What the API takes for its id.
            Part::Klasses => entry.text("name"),
            Part::Apps | Part::Hooks | Part::Workflows => {
                document.pointer("/data/id").and_then(Value::as_str).unwrap_or_default()
            }
        };
        let id = id.to_owned();
        let shown = document.pointer("/data/attributes").and_then(Value::as_object).cloned().unwrap_or_default();
        learn(&mut self.known, part, &entry.handle, &id, &shown);
        let addresses = ["url", "email"].into_iter().filter_map(|key| shown.get(key)?.as_str());
        let mut more: Vec<String> = addresses.map(str::to_owned).collect();
        let missing = shown.get("missingSettings").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if !missing.is_empty() {
            let names: Vec<&str> = missing.iter().filter_map(Value::as_str).collect();
            more.push(format!("to be set with `hookwright apps settings {id}`: {}", names.join(", ")));
        }
        Answer { more, ..Answer::of(document, id) }
    }
}

impl Answer {
    fn of(document: Value, id: String) -> Self {
        Self { id, more: Vec::new(), document }
    }
}

/// What the workflow itself is called in placeholders.
fn own(entry: &Entry) -> Placeholder {
    Placeholder::of(placeholders::Thing::WorkflowId, &entry.handle)
}

fn bytes(document: Map<String, Value>) -> Vec<u8> {
    Value::Object(document).to_string().into_bytes()
}

/// A klass keeps what it is not told, and metadata as a whole.
fn klass_change(document: &Map<String, Value>) -> Map<String, Value> {
    let nothing =
        [("displayName", Value::Null), ("icon", Value::Null), ("color", Value::Null), ("metadata", json!({}))];
    let mut change: Map<String, Value> = nothing.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    change.extend(document.clone());
    change
}

fn with_warnings(mut document: Value, warnings: Vec<Value>) -> Value {
    if let (false, Some(document)) = (warnings.is_empty(), document.as_object_mut()) {
        document.insert("meta".to_owned(), json!({ "warnings": warnings }));
    }
    document
}

fn address(item: &Item<'_>) -> Address {
    let standing = item.standing;
    let id = standing.map(|standing| standing.id.as_str()).unwrap_or_default();
    match (item.part, standing.and_then(|standing| standing.kind)) {
        (Part::Hooks, Some(kind)) => Address::of(&["hooks", kind.word(), id]),
        (part, _) => Address::of(&[part.folder(), id]),
    }
}

fn changed_meanwhile(item: &Item<'_>) -> Failure {
    let detail = format!(
        "The {} {} was changed by somebody else since the plan was made. See `hookwright workflows diff` and apply again.",
        item.part.noun(),
        item.name()
    );
    let error = json!({ "status": "409", "code": "changed_meanwhile", "title": "Conflict", "detail": detail });
    Failure::Refused(Refusal { status: 409, document: json!({ "errors": [error] }), hint: None })
}

/// Says what was done; gives it for programs, where it is a thing of its own.
fn tell(session: &Session, step: &Step<'_>, answer: &Answer) -> Result<Option<Value>, Failure> {
    let Step::Do(item) = step else { return Ok(None) };
    let warnings = answer.document.pointer("/meta/warnings");
    if session.format == Format::Human {
        let id = if item.standing.is_none() && answer.id != item.name() {
            format!(" ({})", answer.id)
        } else {
            String::new()
        };
        let mut page =
            Page::of_line(format!("{}{id}", told::line(&Item { note: None, changes: Default::default(), ..**item })));
        answer.more.iter().for_each(|more| page.line(format!("    {more}")));
        page.append(problems("    warning", warnings));
        output::print(&page)?;
    }
    let mut told = told::resource(item);
    if let Some(told) = told.as_object_mut() {
        told.insert("id".to_owned(), json!(answer.id));
        told.insert("warnings".to_owned(), warnings.cloned().unwrap_or_else(|| json!([])));
    }
    Ok(Some(told))
}

fn not_done(steps: &[Step<'_>]) -> Page {
    let items: Vec<&Item<'_>> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Do(item) => Some(*item),
            Step::Reserve(_) => None,
        })
        .collect();
    let mut page = Page::default();
    let refused = steps.first().map(|(Step::Do(item) | Step::Reserve(item))| *item);
    if let Some(item) = refused {
        let what =
            item.entry.map_or_else(|| format!("{} {}", item.part.noun(), item.name()), |entry| entry.file.clone());
        page.line(format!("{what} was refused, and nothing after it was done. Apply again to go on:"));
    }
    items.into_iter().for_each(|item| page.line(format!("not done: {}", told::line(item))));
    page
}
