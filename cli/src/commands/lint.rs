//! `hookwright workflows lint`: the checks of an import, without a server.
//!
//! It reads and checks exactly as the server does, so a document that passes here is refused there only for its name. Whether
//! variables, the workflow it replaces and actions of installed apps are there, only a server can tell. A definition of an app
//! is checked as it is when it is registered, the apps that it depends on aside.

use engine::{Problem, app, check, check::DOCUMENT_LIMIT_BYTES, problem::Severity};
use ingest::Note;
use serde_json::{Value, json};
use service::actions::catalogue;

use crate::{
    failure::Failure,
    output::{self, Format, Page},
    source,
};

/// Checks each file and prints every problem.
///
/// *Errors*: [`Failure::Problems`] when one of them would be refused; a file that cannot be read.
pub(crate) fn run(files: &[String], format: Format) -> Result<(), Failure> {
    let mut checked = Vec::with_capacity(files.len());
    for file in files {
        checked.push((file.as_str(), problems(&source::read(file)?)));
    }
    output::print(&match format {
        Format::Human => sentences(&checked),
        Format::Json => document(&checked),
    })?;
    let is_refused =
        checked.iter().flat_map(|(_, problems)| problems).any(|problem| problem.severity == Severity::Error);
    if is_refused { Err(Failure::Problems) } else { Ok(()) }
}

fn problems(bytes: &[u8]) -> Vec<Problem> {
    if bytes.len() > DOCUMENT_LIMIT_BYTES {
        let message = format!("A document has at most {DOCUMENT_LIMIT_BYTES} bytes; this file has {}.", bytes.len());
        return vec![whole("document_too_large", message)];
    }
    let (document, notes) = match ingest::json::parse_of_owner(bytes) {
        Ok(read) => read,
        Err(refusal) => {
            let message = refusal.detail().to_owned();
            return vec![whole(refusal.code(), message)];
        }
    };
    let repeated = ingest::json::repeated_keys(notes);
    let mut problems: Vec<Problem> =
        repeated.map(|Note { code, path, message }| Problem { path, ..whole(code, message) }).collect();
    // The answer that `workflows show --json` prints can be imported, too.
    let document =
        document.pointer("/data/attributes").filter(|attributes| attributes.is_object()).unwrap_or(&document);
    let is_app = document.get("app").is_some() || document.get("workflows").is_some();
    problems.extend(match is_app && document.get("trigger").is_none() {
        true => app::check(document, catalogue(), Vec::new()).problems,
        false => check(document, catalogue()).problems,
    });
    problems
}

/// A problem of the whole file.
fn whole(code: &'static str, message: String) -> Problem {
    Problem { severity: Severity::Error, path: "$".to_owned(), code, message, suggestion: None }
}

/// The problems of each file, a line each.
pub(crate) fn sentences(checked: &[(&str, Vec<Problem>)]) -> Page {
    let mut page = Page::default();
    for (file, problems) in checked {
        for Problem { severity, path, code, message, suggestion: _ } in problems {
            let warning = if *severity == Severity::Warning { "warning: " } else { "" };
            page.line(format!("{file}: {path}: {warning}{message} ({code})"));
        }
        if problems.is_empty() {
            page.line(format!("{file}: no problems"));
        }
    }
    page
}

/// The same for programs.
pub(crate) fn document(checked: &[(&str, Vec<Problem>)]) -> Page {
    let files: Vec<Value> =
        checked.iter().map(|(file, problems)| json!({ "file": file, "problems": problems })).collect();
    let mut page = Page::default();
    page.json(&Value::Array(files));
    page
}
