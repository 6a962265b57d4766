//! What is wrong with a workflow document, said so that its author can mend it.
//!
//! Checks never stop at the first problem: they add to [`Problems`] and go on, so one answer names everything.

use std::fmt;

use serde::Serialize;

use crate::naming::shortened;

/// A suggestion is only made when the names are at least this alike (Jaro-Winkler, 0 to 1).
const SUGGESTION_SIMILARITY: f64 = 0.8;

/// Longer names are not compared, and after so many problems no more suggestions are looked for: both keep a hostile
/// document cheap.
const SUGGESTION_LIMIT_BYTES: usize = 64;
const SUGGESTION_LIMIT_PROBLEMS: usize = 100;

/// A name is compared with so many others: every step of a document.
const SUGGESTION_LIMIT_NAMES: usize = 1_001;

/// So many errors are kept, and as many warnings: more than anybody reads at once, and a hostile document has 10^5.
pub const PROBLEMS_LIMIT: usize = 1_000;

/// Whether a document can be saved with a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is refused.
    Error,
    /// It is saved, and its author is told.
    Warning,
}

/// One thing wrong with a document.
///
/// *Shape* — `{"severity":"error","path":"$.steps[0].transitions[1].target","code":"unknown_target","message":"…","suggestion":"step2"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether it stands in the way of saving.
    pub severity: Severity,
    /// Where it is: `$`, then `.key`, `['odd key']` and `[index]`; keys of more than 80 characters are cut, with a `…`.
    pub path: String,
    /// What kind it is; stable, for programs. All codes are listed in `docs/workflow-format.md`.
    pub code: &'static str,
    /// A sentence that tells the author what to do.
    pub message: String,
    /// The name that was probably meant, where one is close.
    pub suggestion: Option<String>,
}

/// What is wrong with an expression, before it is said where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) code: &'static str,
    /// A sentence that tells the author what to do.
    pub(crate) message: String,
    /// The name that was probably meant, where one is close.
    pub(crate) suggestion: Option<String>,
}

/// All problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    errors: usize,
    warnings: usize,
}

impl Problems {
    /// Adds an error.
    pub(crate) fn add(&mut self, place: &Place<'_>, code: &'static str, message: impl Into<String>) {
        self.push(Severity::Error, place, code, message.into(), None);
    }

    /// Adds a warning.
    pub(crate) fn warn(&mut self, place: &Place<'_>, code: &'static str, message: impl Into<String>) {
        self.push(Severity::Warning, place, code, message.into(), None);
    }

    /// Adds an error about a name that is not among `known`, with the closest of them as a suggestion.
    pub(crate) fn add_unknown(
        &mut self,
        place: &Place<'_>,
        code: &'static str,
        message: String,
        name: &str,
        known: &[&str],
    ) {
        let (message, suggestion) = self.suggested(message, name, known);
        self.push(Severity::Error, place, code, message, suggestion);
    }

    /// Adds a warning about such a name.
    pub(crate) fn warn_unknown(
        &mut self,
        place: &Place<'_>,
        code: &'static str,
        message: String,
        name: &str,
        known: &[&str],
    ) {
        let (message, suggestion) = self.suggested(message, name, known);
        self.push(Severity::Warning, place, code, message, suggestion);
    }

    /// Adds what is wrong with an expression.
    pub(crate) fn add_flaw(&mut self, place: &Place<'_>, Flaw { code, message, suggestion }: Flaw) {
        self.push(Severity::Error, place, code, message, suggestion);
    }

    /// Adds the same as a warning.
    pub(crate) fn warn_flaw(&mut self, place: &Place<'_>, Flaw { code, message, suggestion }: Flaw) {
        self.push(Severity::Warning, place, code, message, suggestion);
    }

    fn suggested(&self, message: String, name: &str, known: &[&str]) -> (String, Option<String>) {
        let is_cheap = self.found.len() < SUGGESTION_LIMIT_PROBLEMS;
        let suggestion = if is_cheap { closest(name, known) } else { None };
        let message = match &suggestion {
            Some(close) => format!("{message} Did you mean \"{close}\"?"),
            None => message,
        };
        (message, suggestion)
    }

    fn push(
        &mut self,
        severity: Severity,
        place: &Place<'_>,
        code: &'static str,
        message: String,
        suggestion: Option<String>,
    ) {
        let count = match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= PROBLEMS_LIMIT {
            self.found.push(Problem { severity, path: place.to_string(), code, message, suggestion });
        }
    }

    /// Whether one of them stands in the way of saving.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The problems, in the order of the checks, at most [`PROBLEMS_LIMIT`] of each severity.
    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.found
    }

    /// The same, while more may be found.
    pub(crate) fn to_vec(&self) -> Vec<Problem> {
        self.found.clone()
    }
}

/// A place in a document, made while walking down it and written out only when there is something to say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    segment: Segment<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Segment<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    /// The whole document, `$`.
    pub(crate) const ROOT: Place<'static> = Place { parent: None, segment: Segment::Root };

    /// The value under `key`.
    pub(crate) fn key(&'a self, key: &'a str) -> Place<'a> {
        Place { parent: Some(self), segment: Segment::Key(key) }
    }

    /// The element at `index`.
    pub(crate) fn index(&'a self, index: usize) -> Place<'a> {
        Place { parent: Some(self), segment: Segment::Index(index) }
    }

    fn path(&self) -> String {
        let mut path = self.parent.map(Place::path).unwrap_or_default();
        match self.segment {
            Segment::Root => path.push('$'),
            Segment::Key(key) if is_plain(key) => {
                path.push('.');
                path.push_str(&shortened(key));
            }
            Segment::Key(key) => {
                path.push_str("['");
                path.push_str(&shortened(key).replace('\\', "\\\\").replace('\'', "\\'"));
                path.push_str("']");
            }
            Segment::Index(index) => path.push_str(&format!("[{index}]")),
        }
        path
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The known name that was probably meant, where one of the first 1,001 is close.
pub(crate) fn closest(name: &str, known: &[&str]) -> Option<String> {
    if name.len() > SUGGESTION_LIMIT_BYTES {
        return None;
    }
    known
        .iter()
        .take(SUGGESTION_LIMIT_NAMES)
        .filter(|candidate| candidate.len() <= SUGGESTION_LIMIT_BYTES)
        .map(|candidate| (strsim::jaro_winkler(name, candidate), *candidate))
        .filter(|(similarity, _)| *similarity >= SUGGESTION_SIMILARITY)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate.to_owned())
}
