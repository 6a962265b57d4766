//! Files of tests: read, and held against what is in the folder, before anything is run.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    case::{COLLECTIONS, Case, What, is_collection},
    folder::{Folder, Tests, json},
    placeholder,
    reading::{At, Problem, Reading, meant},
    yaml::{self, Place},
};

/// The most cases of a file.
const CASES_LIMIT: usize = 1_000;

/// Tests that can be run.
#[derive(Debug)]
pub(crate) struct Suite<'f> {
    /// The file.
    pub(crate) tests: &'f Tests,
    /// The workflow of its name, if there is one.
    pub(crate) workflow: Option<String>,
    /// Its cases.
    pub(crate) cases: Vec<Case>,
}

/// The tests of the folder.
///
/// *Errors*: all that is wrong with them.
pub(crate) fn suites(folder: &Folder) -> Result<Vec<Suite<'_>>, Vec<Problem>> {
    let (mut suites, mut problems) = (Vec::new(), Vec::new());
    for tests in &folder.tests {
        match suite(folder, tests) {
            Ok(suite) => suites.push(suite),
            Err(told) => problems.extend(told),
        }
    }
    if problems.is_empty() { Ok(suites) } else { Err(problems) }
}

fn suite<'f>(folder: &Folder, tests: &'f Tests) -> Result<Suite<'f>, Vec<Problem>> {
    let (value, places) = parse(tests).map_err(|problem| vec![problem])?;
    let mut reading = Reading::new(&tests.file, &places);
    let root = At::root(&value);
    let mut cases: Vec<Case> = Vec::new();
    if reading.object(&root, "A file of tests", &["cases"]).is_some() {
        let list = root.member("cases").filter(|cases| reading.list(cases, "`cases`"));
        let count = list.as_ref().map_or(0, |list| list.elements().count());
        if count == 0 || count > CASES_LIMIT {
            reading.problem("$", format!("A file of tests has `cases`, a list of 1 to {CASES_LIMIT}."));
        }
        for at in list.iter().flat_map(At::elements).take(CASES_LIMIT) {
            let Some(case) = Case::read(&mut reading, &at, &tests.folder) else { continue };
            if cases.iter().any(|other| other.name == case.name) {
                reading.problem(&at.path, format!("Another case is called \"{}\" already.", case.name));
            }
            check_names(&mut reading, folder, &case, &at);
            cases.push(case);
        }
    }
    if !reading.problems.is_empty() {
        return Err(reading.problems);
    }
    let workflow = folder.workflow(&tests.handle).map(|entry| entry.handle.clone());
    Ok(Suite { tests, workflow, cases })
}

fn parse(tests: &Tests) -> Result<(Value, HashMap<String, Place>), Problem> {
    if tests.file.ends_with(".json") {
        let value = json(&tests.text).map_err(|message| Problem::of_file(&tests.file, message))?;
        return Ok((value, HashMap::new()));
    }
    match yaml::parse(&tests.text) {
        Ok(document) => Ok((document.value, document.places)),
        Err(unreadable) => {
            let (place, message) = (Some(unreadable.place), unreadable.message);
            Err(Problem { file: tests.file.clone(), place, path: None, message })
        }
    }
}

/// Names of things that the folder does not have.
fn check_names(reading: &mut Reading<'_>, folder: &Folder, case: &Case, at: &At<'_>) {
    let hooks: Vec<&str> = folder.hooks.iter().map(|entry| entry.handle.as_str()).collect();
    let workflows: Vec<&str> = folder.workflows.iter().map(|entry| entry.handle.as_str()).collect();
    for arrival in &case.arrivals {
        if let What::Posted { hook, .. } | What::Mailed { hook, .. } = &arrival.what
            && !hooks.contains(&hook.as_str())
        {
            reading.problem(&at.path, format!("There is no hook \"{hook}\" in hooks/. {}", meant(hook, &hooks)));
        }
    }
    // Those that an app brings are only known by their own names, once it is installed.
    if folder.apps.is_empty() {
        let expected = &case.expected;
        let named = expected.runs.iter().map(|(workflow, _)| workflow).chain(&expected.not_started);
        let named = named.chain(case.given.variables.iter().map(|(workflow, _, _)| workflow));
        for workflow in named.filter(|workflow| !workflows.contains(&workflow.as_str())) {
            let message = format!("There is no workflow \"{workflow}\" in workflows/. {}", meant(workflow, &workflows));
            reading.problem(&at.path, message);
        }
    }
    let given = case.given.records.iter().map(|record| &record.collection);
    for collection in given.chain(case.expected.records.iter().map(|(collection, _)| collection)) {
        if !is_collection(collection) {
            let message = format!("There are no records \"{collection}\". {}", meant(collection, &COLLECTIONS));
            reading.problem(&at.path, format!("{message} Those of a klass are klasses/NAME."));
        }
    }
    let mut known: Vec<String> =
        hooks.iter().flat_map(|hook| [format!("hooks.{hook}.id"), format!("hooks.{hook}.hash")]).collect();
    known.extend(workflows.iter().map(|workflow| format!("workflows.{workflow}.id")));
    let records = case.given.records.iter().filter_map(|record| record.name.as_ref());
    known.extend(records.map(|name| format!("records.{name}.id")));
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    for name in placeholder::named(at.value) {
        if !known.contains(&name) {
            reading.problem(&at.path, format!("Nothing is known of ${{{name}}}. {}", meant(name, &known)));
        }
    }
}
