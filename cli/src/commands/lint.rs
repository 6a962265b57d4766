//! `hookwright workflows lint`: the checks of an import, without a server.
//!
//! It reads and checks exactly as the server does, so a document that passes here is refused there only for its name.

use engine::{Definition, Problem};
use serde_json::{Value, json};
use service::actions::Action;

use crate::{
    failure::Failure,
    output::{self, Format, Page},
    source,
};

/// Checks each file and prints every problem.
///
/// *Errors*: [`Failure::Problems`] when there were any; a file that cannot be read.
pub(crate) fn run(files: &[String], format: Format) -> Result<(), Failure> {
    let mut checked = Vec::with_capacity(files.len());
    for file in files {
        checked.push((file.as_str(), problems(&source::read(file)?)));
    }
    output::print(&match format {
        Format::Human => sentences(&checked),
        Format::Json => document(&checked),
    })?;
    if checked.iter().all(|(_, problems)| problems.is_empty()) { Ok(()) } else { Err(Failure::Problems) }
}

fn problems(bytes: &[u8]) -> Vec<Problem> {
    let document = match ingest::json::parse(bytes) {
        Ok((document, _notes)) => document,
        Err(refusal) => {
            let message = refusal.detail().to_owned();
            return vec![Problem { path: "$".to_owned(), code: refusal.code(), message, suggestion: None }];
        }
    };
    // The answer that `workflows show --json` prints can be imported, too.
    let document =
        document.pointer("/data/attributes").filter(|attributes| attributes.is_object()).unwrap_or(&document);
    Definition::parse(document, &Action::names()).err().unwrap_or_default()
}

fn sentences(checked: &[(&str, Vec<Problem>)]) -> Page {
    let mut page = Page::default();
    for (file, problems) in checked {
        for Problem { path, code, message, suggestion: _ } in problems {
            page.line(format!("{file}: {path}: {message} ({code})"));
        }
        if problems.is_empty() {
            page.line(format!("{file}: no problems"));
        }
    }
    page
}

fn document(checked: &[(&str, Vec<Problem>)]) -> Page {
    let files: Vec<Value> =
        checked.iter().map(|(file, problems)| json!({ "file": file, "problems": problems })).collect();
    let mut page = Page::default();
    page.json(&Value::Array(files));
    page
}
