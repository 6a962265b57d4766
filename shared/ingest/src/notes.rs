//! What was noticed in a body that was accepted all the same. A body can have thousands of oddities; only the first fifty are written down.

use std::fmt::Write;

use domain::shortened;
use serde::Serialize;

/// Notes kept per body; one more says that there were more.
const NOTES_LIMIT: usize = 50;

/// Characters of one key in a path: keys can be as long as the body, and fifty paths can go through one key.
const PATH_KEY_LIMIT_CHARS: usize = 60;

/// Characters of a path.
const PATH_LIMIT_CHARS: usize = 500;

/// Something about a body its owner should know although it was accepted.
///
/// *Shape*: `{"code":"duplicate_key","path":"$.items[0].sku","message":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// A stable word for programs (`duplicate_key`, `lone_surrogate_replaced`, …).
    pub code: &'static str,
    /// Where in the data, as a JSON path; `$` when it concerns the whole body. Keys over 60 characters and paths over 500 are cut, with `…`.
    pub path: String,
    /// What happened, in a sentence.
    pub message: String,
}

/// One step of a JSON path.
#[derive(Clone, Copy)]
pub(crate) enum Step<'k> {
    Key(&'k str),
    Index(usize),
}

/// The notes of one body while it is read.
#[derive(Default)]
pub(crate) struct Notes {
    list: Vec<Note>,
    left_out: usize,
}

impl Notes {
    pub(crate) fn add(&mut self, code: &'static str, path: impl Into<String>, message: impl Into<String>) {
        if self.list.len() >= NOTES_LIMIT {
            self.left_out += 1;
            return;
        }
        self.list.push(Note { code, path: path.into(), message: message.into() });
    }

    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    /// Puts a step before the paths of all notes since `first`: a reader on its way up adds where it has been, so that the way down costs
    /// nothing in a body without oddities.
    pub(crate) fn prefix_since(&mut self, first: usize, step: Step<'_>) {
        for note in self.list.iter_mut().skip(first) {
            let mut path = String::with_capacity(note.path.len() + 8);
            push_step(&mut path, step);
            path.push_str(&note.path);
            note.path = path;
        }
    }

    /// Completes the paths of a document that was walked from within.
    pub(crate) fn prefix_with_root(&mut self) {
        for note in &mut self.list {
            note.path.insert(0, '$');
        }
    }

    pub(crate) fn append(&mut self, later: Notes) {
        for note in later.list {
            self.add(note.code, note.path, note.message);
        }
        self.left_out += later.left_out;
    }

    pub(crate) fn into_list(mut self) -> Vec<Note> {
        for note in &mut self.list {
            note.path = shortened(&note.path, PATH_LIMIT_CHARS);
        }
        if self.left_out > 0 {
            self.list.push(Note {
                code: "more_notes",
                path: "$".to_owned(),
                message: format!("{} more notes were left out.", self.left_out),
            });
        }
        self.list
    }
}

/// The path of a top-level key.
pub(crate) fn path_of(key: &str) -> String {
    let mut path = "$".to_owned();
    push_step(&mut path, Step::Key(key));
    path
}

fn push_step(path: &mut String, step: Step<'_>) {
    // Writing to a `String` cannot fail.
    let _ = match step {
        Step::Key(key) if is_plain(key) => write!(path, ".{key}"),
        Step::Key(key) => write!(path, "[{}]", serde_json::Value::from(shortened(key, PATH_KEY_LIMIT_CHARS))),
        Step::Index(index) => write!(path, "[{index}]"),
    };
}

fn is_plain(key: &str) -> bool {
    let is_short = !key.is_empty() && key.len() <= PATH_KEY_LIMIT_CHARS;
    is_short && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'#' | b'-'))
}
