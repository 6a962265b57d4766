//! What is asked of the documents of a project, each by itself and beside the others.

use std::collections::{BTreeMap, HashMap};

use domain::Klass;
use engine::{
    Catalogue, Problem,
    app::{self, AppDefinition, app_of},
    problem::Severity,
};
use serde_json::{Map, Value, json};
use service::actions::catalogue;

use super::{
    Entry, Part, Project, hook_checks,
    placeholders::{self, Placeholder, Thing, key_path},
    problem,
};

const KLASS_KEYS: [&str; 5] = ["name", "displayName", "icon", "color", "metadata"];

/// Stands for an id that only an org has.
const SOME_ID: &str = "000000000000000000000000";

type Faults = Vec<(String, Vec<Problem>)>;

/// Every file with what is wrong with it.
pub(super) fn check(project: &Project) -> Faults {
    let actions = actions(&project.apps);
    let mut faults = Faults::new();
    let mut tell = |entry: &Entry, problems: Vec<Problem>| {
        let problems: Vec<Problem> =
            problems.into_iter().filter(|problem| problem.severity == Severity::Error).collect();
        if !problems.is_empty() {
            faults.push((entry.file.clone(), problems));
        }
    };
    for entry in &project.klasses {
        let named = named_as_its_file(entry, "name");
        tell(entry, klass(&entry.document).into_iter().chain(named).chain(no_placeholders(entry)).collect());
    }
    for entry in &project.apps {
        let found = app::check(&json!(entry.document), catalogue(), others(entry, &actions));
        let named = named_as_its_file(entry, "app");
        tell(entry, found.problems.into_iter().chain(named).chain(no_placeholders(entry)).collect());
    }
    for entry in &project.hooks {
        tell(entry, hook_checks::check(&entry.document).into_iter().chain(no_placeholders(entry)).collect());
    }
    for entry in &project.workflows {
        tell(entry, workflow(entry, project, &actions));
    }
    faults.extend(project.tests.iter().filter_map(|tests| {
        let is_there = project.workflows.iter().any(|entry| entry.handle == tests.workflow);
        let message = format!("There is no workflow {0}.json beside these tests of {0}.", tests.workflow);
        (!is_there).then(|| (tests.path.display().to_string(), vec![problem("$", "no_workflow", message)]))
    }));
    faults.extend(Part::ALL.into_iter().flat_map(|part| same_handles(project.entries(part))));
    faults.extend(same_names(&project.workflows, "$.name", |entry| {
        Some(entry.text("name").to_owned()).filter(|name| !name.is_empty())
    }));
    faults.extend(same_names(&project.hooks, "$.title", |entry| {
        let title = Some(entry.text("title").trim()).filter(|title| !title.is_empty())?;
        Some(format!("{}/{title}", entry.text("kind")))
    }));
    faults
}

/// What the steps of workflows can do by the apps of the project.
fn actions(apps: &[Entry]) -> Vec<(String, Value)> {
    let definitions = apps.iter().filter_map(|entry| AppDefinition::parse(&app::prefixed(&json!(entry.document))).ok());
    definitions
        .flat_map(|app| app.actions.into_iter().map(|action| (action.name.clone(), action.params_schema())))
        .collect()
}

/// The actions that the workflows of an app may use beside its own.
fn others(entry: &Entry, actions: &[(String, Value)]) -> Vec<(String, Value)> {
    let own = entry.text("app");
    let mut others: Vec<_> = actions.iter().filter(|(name, _)| app_of(name) != Some(own)).cloned().collect();
    for workflow in entry.document.get("workflows").and_then(Value::as_array).into_iter().flatten() {
        let elsewhere = elsewhere(workflow, &others).into_iter().filter(|(name, _)| app_of(name) != Some(own));
        others.extend(elsewhere.collect::<Vec<_>>());
    }
    others
}

/// Actions of apps that are not in the project. Whether they are installed, a server knows.
fn elsewhere(workflow: &Value, known: &[(String, Value)]) -> Vec<(String, Value)> {
    let apps: Vec<&str> = known.iter().filter_map(|(name, _)| app_of(name)).collect();
    let steps = workflow.get("steps").and_then(Value::as_array).into_iter().flatten();
    let named = steps.filter_map(|step| step.get("action").and_then(Value::as_str));
    let foreign = named.filter(|action| app_of(action).is_some_and(|app| !apps.contains(&app)));
    foreign.map(|action| (action.to_owned(), json!(true))).collect()
}

fn klass(document: &Map<String, Value>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = document
        .keys()
        .filter(|key| !KLASS_KEYS.contains(&key.as_str()))
        .map(|key| {
            let message = format!("A klass has no `{key}`; it has {}.", KLASS_KEYS.join(", "));
            problem(key_path("$", key), "unknown_key", message)
        })
        .collect();
    let name = document.get("name").and_then(Value::as_str).unwrap_or_default();
    if let Err(sentence) = Klass::check_name(name) {
        problems.push(problem("$.name", "bad_name", format!("{sentence}.")));
    }
    for key in ["displayName", "icon", "color"] {
        if document.get(key).is_some_and(|value| !value.is_string() && !value.is_null()) {
            problems.push(problem(key_path("$", key), "wrong_type", format!("`{key}` is a text.")));
        }
    }
    match document.get("metadata") {
        None => {}
        Some(Value::Object(metadata)) => {
            let found = Klass::check_metadata(metadata).into_iter();
            problems.extend(found.map(|(path, sentence)| problem(path, "bad_attribute", format!("{sentence}."))));
        }
        Some(_) => problems.push(problem("$.metadata", "wrong_type", "`metadata` is an object.")),
    }
    problems
}

fn workflow(entry: &Entry, project: &Project, actions: &[(String, Value)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, named) in placeholders::named(&entry.document) {
        let message = match &named {
            Ok(named) if is_there(named, project) => continue,
            Ok(named) => match named.thing {
                Thing::HookId | Thing::HookHash => {
                    format!("{named} names no file: there is no hooks/{}.json.", named.handle)
                }
                Thing::WorkflowId => format!("{named} names no file: there is no workflows/{}.json.", named.handle),
            },
            Err(text) => format!(
                "`{}` is no placeholder. There are ${{hooks.NAME.id}}, ${{hooks.NAME.hash}} and ${{workflows.NAME.id}}; $${{ is text.",
                domain::shortened(text, 80)
            ),
        };
        problems.push(problem(path, "bad_placeholder", message));
    }
    let some = |placeholder: &Placeholder| {
        Some(match placeholder.thing {
            Thing::HookId | Thing::WorkflowId => SOME_ID.to_owned(),
            Thing::HookHash => "0".repeat(64),
        })
    };
    let document = Value::Object(placeholders::filled(&entry.document, &some));
    let known: Vec<(String, Value)> = actions.iter().cloned().chain(elsewhere(&document, actions)).collect();
    let checked = match Catalogue::over(catalogue(), known) {
        Ok(catalogue) => engine::check(&document, &catalogue),
        // A schema that is none is told of the app that has it.
        Err(_) => engine::check(&document, catalogue()),
    };
    problems.extend(checked.problems);
    problems
}

fn is_there(named: &Placeholder, project: &Project) -> bool {
    let entries = match named.thing {
        Thing::HookId | Thing::HookHash => &project.hooks,
        Thing::WorkflowId => &project.workflows,
    };
    entries.iter().any(|entry| entry.handle == named.handle)
}

/// An id of an org in a klass, an app or a hook would have to come from what is applied after it.
fn no_placeholders(entry: &Entry) -> Vec<Problem> {
    let found = placeholders::named(&entry.document).into_iter().filter(|(_, named)| named.is_ok());
    let message = "Placeholders stand in workflows only, whose texts they are filled into.";
    found.map(|(path, _)| problem(path, "bad_placeholder", message)).collect()
}

fn named_as_its_file(entry: &Entry, key: &str) -> Option<Problem> {
    let name = entry.document.get(key).and_then(Value::as_str)?;
    let message = format!("The file has to be called as its `{key}`: {name}.json.");
    (name != entry.handle).then(|| problem(key_path("$", key), "other_name", message))
}

/// Two files of one name on a disk that knows no upper and lower case.
fn same_handles(entries: &[Entry]) -> Faults {
    let mut first: HashMap<String, &Entry> = HashMap::new();
    let mut faults = Faults::new();
    for entry in entries {
        if let Some(other) = first.insert(entry.handle.to_ascii_lowercase(), entry) {
            let message = format!("On some disks this is the same file as {}. Give it another name.", other.file);
            faults.push((entry.file.clone(), vec![problem("$", "duplicate_name", message)]));
        }
    }
    faults
}

/// Entries that an org could not tell from each other.
fn same_names(entries: &[Entry], path: &str, name: impl Fn(&Entry) -> Option<String>) -> Faults {
    let mut first: BTreeMap<String, &Entry> = BTreeMap::new();
    let mut faults = Faults::new();
    for entry in entries {
        // What has none is told elsewhere.
        let Some(name) = name(entry) else { continue };
        if let Some(other) = first.get(&name) {
            let message = format!("{} has the same; an org knows it by that. Give one of them another.", other.file);
            faults.push((entry.file.clone(), vec![problem(path, "duplicate_name", message)]));
        } else {
            first.insert(name, entry);
        }
    }
    faults
}
