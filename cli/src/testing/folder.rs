//! The folder that is tested: hooks, klasses, apps and workflows, and the tests beside them.
//!
//! ```text
//! DIR/hooks/NAME.json            a hook: its kind and its settings, as the API takes them
//! DIR/klasses/NAME.json          a klass
//! DIR/apps/NAME.json             the definition of an app
//! DIR/workflows/NAME.json        a workflow
//! DIR/workflows/NAME.test.yaml   tests of that workflow, also .yml and .json
//! ```
//!
//! A folder of workflows alone will do, and so will one file of tests: what lies around it is read as well.

use std::{
    fs,
    path::{Path, PathBuf},
};

use engine::check::DOCUMENT_LIMIT_BYTES;
use serde_json::Value;

use super::reading::Problem;
use crate::project::{
    Entry,
    files::{self, HANDLE_LIMIT_CHARS, TESTS_ENDS},
};

/// The most files of a part.
const FILES_LIMIT: usize = 1_000;

const PARTS: [&str; 4] = ["hooks", "klasses", "apps", "workflows"];

/// What is in the folder, each part sorted by file name.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    /// Hooks.
    pub(crate) hooks: Vec<Entry>,
    /// Klasses.
    pub(crate) klasses: Vec<Entry>,
    /// Apps.
    pub(crate) apps: Vec<Entry>,
    /// Workflows.
    pub(crate) workflows: Vec<Entry>,
    /// Tests.
    pub(crate) tests: Vec<Tests>,
    /// Whether these are the tests of all workflows, and not those of one file.
    pub(crate) has_all_tests: bool,
}

/// A file with tests.
#[derive(Debug, Clone)]
pub(crate) struct Tests {
    /// The stem of its file: the handle of the workflow that it is about, if there is one.
    pub(crate) handle: String,
    /// Its file, as people know it.
    pub(crate) file: String,
    /// Where it is.
    pub(crate) folder: PathBuf,
    /// What is in it.
    pub(crate) text: String,
}

/// Which places a path stands for.
struct Places {
    /// Where the folders of the parts are, if there are any.
    root: Option<PathBuf>,
    workflows: PathBuf,
    /// The only file with tests that counts.
    only: Option<PathBuf>,
}

impl Folder {
    /// What is in `path`.
    ///
    /// *Errors*: all that is wrong with its files.
    pub(crate) fn read(path: &Path) -> Result<Self, Vec<Problem>> {
        let places =
            Places::of(path).map_err(|message| vec![Problem::of_file(&path.display().to_string(), message)])?;
        let mut problems = Vec::new();
        let mut folder = Self { has_all_tests: places.only.is_none(), ..Self::default() };
        for part in PARTS {
            let dir = match (&places.root, part) {
                (_, "workflows") => places.workflows.clone(),
                (Some(root), part) => root.join(part),
                (None, _) => continue,
            };
            for file in listed(&dir, &mut problems) {
                let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                let tests = TESTS_ENDS.iter().find_map(|end| name.strip_suffix(end)).filter(|_| part == "workflows");
                let read = match (tests, name.strip_suffix(".json")) {
                    (Some(_), _) if places.only.as_ref().is_some_and(|only| *only != file) => continue,
                    (Some(handle), _) => tests_of(handle, &file, &dir).map(|tests| folder.tests.push(tests)),
                    (None, Some(handle)) => entry(handle, &file).map(|entry| folder.part(part).push(entry)),
                    // What an editor leaves behind, and what people tell each other.
                    (None, None) => Ok(()),
                };
                problems.extend(read.err());
            }
        }
        if folder.tests.is_empty() && problems.is_empty() {
            let message = "There are no tests here. They stand beside workflows, in files called NAME.test.yaml.";
            problems.push(Problem::of_file(&path.display().to_string(), message));
        }
        if problems.is_empty() { Ok(folder) } else { Err(problems) }
    }

    fn part(&mut self, part: &str) -> &mut Vec<Entry> {
        match part {
            "hooks" => &mut self.hooks,
            "klasses" => &mut self.klasses,
            "apps" => &mut self.apps,
            _ => &mut self.workflows,
        }
    }

    /// The workflow called `handle`.
    pub(crate) fn workflow(&self, handle: &str) -> Option<&Entry> {
        self.workflows.iter().find(|entry| entry.handle == handle)
    }
}

impl Places {
    fn of(path: &Path) -> Result<Self, String> {
        let found = fs::metadata(path).map_err(|error| format!("It cannot be read: {error}."))?;
        if found.is_file() {
            let is_tests = TESTS_ENDS.iter().any(|end| path.to_string_lossy().ends_with(end));
            if !is_tests {
                return Err("This is no file with tests; it would be called NAME.test.yaml.".to_owned());
            }
            let workflows = path.parent().map(or_here).unwrap_or_default();
            let only = path.file_name().map(|name| workflows.join(name));
            return Ok(Self { root: root_of(&workflows), workflows, only });
        }
        let has_parts = PARTS.iter().any(|part| path.join(part).is_dir());
        let workflows = if has_parts { path.join("workflows") } else { path.to_owned() };
        let root = if has_parts { Some(path.to_owned()) } else { root_of(path) };
        Ok(Self { root, workflows, only: None })
    }
}

/// Where the other parts are, for a folder that is called as that of the workflows is.
fn root_of(workflows: &Path) -> Option<PathBuf> {
    let is_part = workflows.file_name().is_some_and(|name| name == "workflows");
    workflows.parent().filter(|_| is_part).map(or_here)
}

fn or_here(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

fn listed(dir: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.retain(|file| !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
    files.sort();
    if files.len() > FILES_LIMIT {
        let message = format!("A folder has at most {FILES_LIMIT} files.");
        problems.push(Problem::of_file(&shown(dir), message));
        return Vec::new();
    }
    files
}

fn tests_of(handle: &str, path: &Path, dir: &Path) -> Result<Tests, Problem> {
    let file = shown(path);
    check_handle(handle, &file)?;
    Ok(Tests { handle: handle.to_owned(), text: text(path, &file)?, folder: dir.to_owned(), file })
}

fn entry(handle: &str, path: &Path) -> Result<Entry, Problem> {
    let file = shown(path);
    check_handle(handle, &file)?;
    match json(&text(path, &file)?) {
        Ok(Value::Object(document)) => Ok(Entry { handle: handle.to_owned(), file, document }),
        Ok(_) => Err(Problem::of_file(&file, "The file has to hold a JSON object.")),
        Err(message) => Err(Problem::of_file(&file, message)),
    }
}

/// The JSON document `text`.
///
/// *Errors*: a sentence; also where a key comes twice.
pub(crate) fn json(text: &str) -> Result<Value, String> {
    let (value, repeated) = files::json(text).map_err(|unreadable| unreadable.message)?;
    match repeated.first() {
        Some(repeated) => Err(format!("{}: {}", repeated.path, repeated.message)),
        None => Ok(value),
    }
}

fn check_handle(handle: &str, file: &str) -> Result<(), Problem> {
    if files::is_plain(handle) {
        return Ok(());
    }
    let message = format!(
        "The name of a file begins with a letter or a digit, goes on with letters, digits, `.`, `-` and `_`, and has at most {HANDLE_LIMIT_CHARS} characters before its end."
    );
    Err(Problem::of_file(file, message))
}

fn text(path: &Path, file: &str) -> Result<String, Problem> {
    let cannot = |error: std::io::Error| Problem::of_file(file, format!("It cannot be read: {error}."));
    let bytes = fs::metadata(path).map_err(cannot)?.len();
    if usize::try_from(bytes).map_or(true, |bytes| bytes > DOCUMENT_LIMIT_BYTES) {
        let message = format!("A file has at most {DOCUMENT_LIMIT_BYTES} bytes; this one has {bytes}.");
        return Err(Problem::of_file(file, message));
    }
    String::from_utf8(fs::read(path).map_err(cannot)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Problem::of_file(file, format!("The file is no UTF-8: byte {at} begins no character. Save it as UTF-8."))
    })
}

/// A path as it was given, without what stands for the folder one is in.
fn shown(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}
