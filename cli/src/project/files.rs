//! The files of a project: which there are, and what is in them. Nothing that leads out of the folder is followed.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use engine::{Problem, check::DOCUMENT_LIMIT_BYTES};
use serde_json::Value;

use super::{Part, problem};

/// The most characters of the stem of a file. *Why*: that of a workflow's name.
pub(crate) const HANDLE_LIMIT_CHARS: usize = 128;

/// The ends of files with tests.
pub(crate) const TESTS_ENDS: [&str; 3] = [".test.yaml", ".test.yml", ".test.json"];

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A document that is applied.
    Document,
    /// Tests of the workflow of the same name.
    Tests,
}

/// A file and its text.
#[derive(Debug)]
pub(super) struct File {
    pub(super) handle: String,
    pub(super) kind: FileKind,
    pub(super) label: String,
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// What was found in a folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) folders: Vec<Part>,
    pub(super) files: Vec<(Part, File)>,
    pub(super) faults: Vec<(String, Vec<Problem>)>,
}

/// Everything in the folders of the parts, sorted by name.
///
/// *Errors*: a sentence, where the folder is none, or none of a project.
pub(super) fn read(dir: &Path) -> Result<Found, String> {
    let shown = dir.display();
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return Err(format!("{shown} is no folder.")),
        Err(error) => return Err(format!("The folder {shown} cannot be read: {error}.")),
    }
    let mut found = Found::default();
    for part in Part::ALL {
        let path = dir.join(part.folder());
        match fs::symlink_metadata(&path) {
            Ok(folder) if folder.is_dir() => {
                found.folders.push(part);
                read_part(part, &path, &mut found);
            }
            Ok(_) => {
                let message = "This has to be a folder, and no link to one.";
                found.faults.push((path.display().to_string(), vec![problem("$", "not_a_folder", message)]));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => found.faults.push(unreadable(&path, &error)),
        }
    }
    if found.folders.is_empty() && found.faults.is_empty() {
        let names = Part::ALL.map(Part::folder).join(", ");
        return Err(format!("The folder {shown} is no project: it has none of the folders {names}."));
    }
    Ok(found)
}

/// Whether `stem` can be the name of a file of a project.
pub(crate) fn is_handle(stem: &str) -> bool {
    is_plain(stem) && !stem.ends_with(".test")
}

/// Whether `stem` has no more than the characters of a handle.
pub(crate) fn is_plain(stem: &str) -> bool {
    stem.starts_with(|first: char| first.is_ascii_alphanumeric())
        && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && stem.len() <= HANDLE_LIMIT_CHARS
}

/// The JSON document in a file with this text, and the keys in it that come twice.
///
/// *Errors*: it is none.
pub(crate) fn json(text: &str) -> Result<(Value, Vec<Problem>), Problem> {
    let (value, notes) = ingest::json::parse_of_owner(text.as_bytes()).map_err(|refusal| {
        let detail = refusal.detail();
        let message = detail.strip_prefix("The body ").map_or(detail.to_owned(), |rest| format!("The file {rest}"));
        problem("$", refusal.code(), message)
    })?;
    let repeated = ingest::json::repeated_keys(notes).map(|note| problem(note.path, note.code, note.message));
    Ok((value, repeated.collect()))
}

fn read_part(part: Part, folder: &Path, found: &mut Found) {
    let listed = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = match listed {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(error) => {
            found.faults.push(unreadable(folder, &error));
            return;
        }
    };
    paths.sort();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // What a desktop or an editor leaves behind, and what people tell each other, is no part of the project.
        if name.starts_with('.') || name.ends_with(".md") {
            continue;
        }
        match file(part, &name, &path) {
            Ok(file) => found.files.push((part, file)),
            Err(fault) => found.faults.push((path.display().to_string(), vec![fault])),
        }
    }
}

fn file(part: Part, name: &str, path: &Path) -> Result<File, Problem> {
    let tests = TESTS_ENDS.iter().find_map(|end| name.strip_suffix(end)).filter(|_| part == Part::Workflows);
    let (handle, kind) = match (tests, name.strip_suffix(".json")) {
        (Some(handle), _) => (handle, FileKind::Tests),
        (None, Some(handle)) => (handle, FileKind::Document),
        (None, None) => {
            let message = match part {
                Part::Workflows => "Workflows are files called NAME.json, and their tests NAME.test.yaml.".to_owned(),
                Part::Klasses | Part::Apps | Part::Hooks => {
                    format!("What is in {} are files called NAME.json.", part.folder())
                }
            };
            return Err(problem("$", "unknown_file", message));
        }
    };
    if !is_handle(handle) {
        let message = format!(
            "The name of a file begins with a letter or a digit, goes on with letters, digits, `.`, `-` and `_`, and has at most {HANDLE_LIMIT_CHARS} characters before .json."
        );
        return Err(problem("$", "bad_name", message));
    }
    let text = text(path)?;
    Ok(File { handle: handle.to_owned(), kind, label: path.display().to_string(), path: path.to_owned(), text })
}

fn text(path: &Path) -> Result<String, Problem> {
    let cannot = |error: io::Error| problem("$", "unreadable", format!("It cannot be read: {error}."));
    // Asked of the file itself and not of where it leads.
    let is_file = fs::symlink_metadata(path).map_err(cannot)?.is_file();
    if !is_file {
        let message = "This is no file of its own. Links, folders and devices are not read; put the file itself here.";
        return Err(problem("$", "not_a_file", message));
    }
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| {
        let limit = u64::try_from(DOCUMENT_LIMIT_BYTES).unwrap_or(u64::MAX);
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)
    });
    read.map_err(cannot)?;
    if bytes.len() > DOCUMENT_LIMIT_BYTES {
        let message = format!("A file of a project has at most {DOCUMENT_LIMIT_BYTES} bytes; this one has more.");
        return Err(problem("$", "document_too_large", message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        problem("$", "broken_text", format!("The file is no UTF-8: byte {at} begins no character. Save it as UTF-8."))
    })
}

fn unreadable(path: &Path, error: &io::Error) -> (String, Vec<Problem>) {
    (path.display().to_string(), vec![problem("$", "unreadable", format!("It cannot be read: {error}."))])
}
