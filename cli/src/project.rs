//! A project: a folder with the hooks, klasses, apps and workflows of an org, and the tests of the workflows.
//!
//! ```text
//! DIR/hooks/NAME.json                a hook: its kind and its settings, as the API takes them; NAME is what placeholders call it
//! DIR/klasses/NAME.json              a klass
//! DIR/apps/NAME.json                 the definition of an app
//! DIR/workflows/NAME.json            a workflow; its own `name` is what an org knows it by
//! DIR/workflows/NAME.test.yaml       tests of that workflow, also .yml and .json
//! ```
//!
//! What is here knows the folder and no server. All of it is read and checked before anything is done with it, and a
//! document keeps its [placeholders](placeholders) until somebody knows the ids. `docs/projects.md` describes the format.

mod checks;
pub(crate) mod files;
pub(crate) mod hook_checks;
pub(crate) mod hooks;
pub(crate) mod order;
pub(crate) mod placeholders;
pub(crate) mod workflows;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use engine::{Problem, problem::Severity};
use serde_json::{Map, Value};

use files::{File, FileKind};

/// What a folder of a project may hold, in the order in which it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Kinds of custom objects.
    Klasses,
    /// Apps of the org's own.
    Apps,
    /// Addresses that receive data.
    Hooks,
    /// Automations.
    Workflows,
}

impl Part {
    /// All of them, in the order in which they are applied.
    pub(crate) const ALL: [Self; 4] = [Self::Klasses, Self::Apps, Self::Hooks, Self::Workflows];

    /// The folder that they are in.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Klasses => "klasses",
            Self::Apps => "apps",
            Self::Hooks => "hooks",
            Self::Workflows => "workflows",
        }
    }

    /// One of them.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Klasses => "klass",
            Self::Apps => "app",
            Self::Hooks => "hook",
            Self::Workflows => "workflow",
        }
    }
}

/// What is in the folder, each part sorted by file name.
#[derive(Debug, Default)]
pub(crate) struct Project {
    /// Hooks.
    pub(crate) hooks: Vec<Entry>,
    /// Klasses.
    pub(crate) klasses: Vec<Entry>,
    /// Apps.
    pub(crate) apps: Vec<Entry>,
    /// Workflows.
    pub(crate) workflows: Vec<Entry>,
    /// Tests of workflows.
    pub(crate) tests: Vec<Tests>,
    /// The parts that there is a folder for, be it empty.
    pub(crate) folders: Vec<Part>,
}

/// A document of a project, or of a folder that is tested.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The stem of its file, which is what placeholders and tests call it.
    pub(crate) handle: String,
    /// Its file, as people know it: the folder as it was given, and the rest.
    pub(crate) file: String,
    /// The document, with its placeholders.
    pub(crate) document: Map<String, Value>,
}

impl Entry {
    /// The text under `key`; nothing where there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.document.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The tests of a workflow; whoever runs them reads their file, which is UTF-8 and at most a megabyte.
#[derive(Debug, Clone)]
pub(crate) struct Tests {
    /// The handle of the workflow, which is there.
    pub(crate) workflow: String,
    /// Their file.
    pub(crate) path: PathBuf,
}

/// Why a folder is no project.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// The folder itself cannot be read, or holds none of the parts.
    Folder(String),
    /// Files have to change; each with everything that is wrong with it.
    Files(Vec<(String, Vec<Problem>)>),
}

impl Project {
    /// The project in the folder `dir`.
    ///
    /// *Errors*: [`Unusable`], with all that is wrong.
    pub(crate) fn read(dir: &Path) -> Result<Self, Unusable> {
        let found = files::read(dir).map_err(Unusable::Folder)?;
        let mut faults = found.faults;
        let mut project = Self { folders: found.folders, ..Self::default() };
        for (part, file) in found.files {
            match file.kind {
                FileKind::Tests => {
                    project.tests.push(Tests { workflow: file.handle, path: file.path });
                }
                FileKind::Document => match entry(file) {
                    Ok(entry) => project.entries_mut(part).push(entry),
                    Err((file, problems)) => faults.push((file, problems)),
                },
            }
        }
        // What is wrong between documents is only told of those that could be read.
        faults.extend(checks::check(&project));
        if faults.is_empty() { Ok(project) } else { Err(Unusable::Files(by_file(faults))) }
    }

    /// The documents of a part.
    pub(crate) fn entries(&self, part: Part) -> &[Entry] {
        match part {
            Part::Klasses => &self.klasses,
            Part::Apps => &self.apps,
            Part::Hooks => &self.hooks,
            Part::Workflows => &self.workflows,
        }
    }

    fn entries_mut(&mut self, part: Part) -> &mut Vec<Entry> {
        match part {
            Part::Klasses => &mut self.klasses,
            Part::Apps => &mut self.apps,
            Part::Hooks => &mut self.hooks,
            Part::Workflows => &mut self.workflows,
        }
    }
}

/// Each file once, with all that is wrong with it.
fn by_file(faults: Vec<(String, Vec<Problem>)>) -> Vec<(String, Vec<Problem>)> {
    let mut files: BTreeMap<String, Vec<Problem>> = BTreeMap::new();
    for (file, problems) in faults {
        files.entry(file).or_default().extend(problems);
    }
    files.into_iter().collect()
}

/// The document that a file is.
fn entry(file: File) -> Result<Entry, (String, Vec<Problem>)> {
    let File { handle, label, text, .. } = file;
    match files::json(&text) {
        Ok((Value::Object(document), repeated)) if repeated.is_empty() => Ok(Entry { handle, file: label, document }),
        Ok((Value::Object(_), repeated)) => Err((label, repeated)),
        Ok((Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_), _)) => {
            Err((label, vec![problem("$", "not_an_object", "The file has to hold a JSON object.")]))
        }
        Err(unreadable) => Err((label, vec![unreadable])),
    }
}

/// What is wrong at `path` of a file.
pub(crate) fn problem(path: impl Into<String>, code: &'static str, message: impl Into<String>) -> Problem {
    Problem { severity: Severity::Error, path: path.into(), code, message: message.into(), suggestion: None }
}
