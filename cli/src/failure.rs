//! Why a command was not carried out: by who has to act, which is also what the exit code says.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::output::{self, Format, Page, text_at};

const REFUSED_EXIT: u8 = 1;
const CASES_FAILED_EXIT: u8 = 1;
const USAGE_EXIT: u8 = 2;
const NOT_FOUND_EXIT: u8 = 3;
const CREDENTIALS_EXIT: u8 = 4;
const UNAVAILABLE_EXIT: u8 = 5;
const PROBLEMS_EXIT: u8 = 6;
const PENDING_EXIT: u8 = 7;

/// Why a command was not carried out.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line has to change, or a file it names.
    Usage(String),
    /// The server gave a reason.
    Refused(Refusal),
    /// The world has to recover, or the address to change.
    Unavailable(String),
    /// What a hook answered to a sample was no success and has been printed; this is its status.
    Answered(u16),
    /// `lint` found problems and has printed them, or a project has them.
    Problems,
    /// There is something to do for a project, which has been printed; whoever asked wants to know it by the exit code.
    Pending,
    /// Cases of tests failed, which has been printed.
    CasesFailed,
    /// What is wrong with the files that a command was given has been printed.
    FilesWrong,
    /// Nobody reads the output any more, so there is nobody to tell.
    OutputClosed,
}

/// A refusal by the server.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The HTTP status, 400 or more.
    pub(crate) status: u16,
    /// The JSON:API errors as they came; `null` when the body was no JSON.
    pub(crate) document: Value,
    /// What this program can add about the key it sent.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// What the API would say of something that it has only in a list.
    pub(crate) fn not_found(detail: String) -> Self {
        let document =
            json!({ "errors": [{ "status": "404", "code": "not_found", "title": "Not Found", "detail": detail }] });
        Self::Refused(Refusal { status: 404, document, hint: None })
    }
}

/// Tells the failure on standard error and gives its exit code.
pub(crate) fn report(failure: &Failure, format: Format) -> ExitCode {
    let page = match failure {
        Failure::OutputClosed => return ExitCode::SUCCESS,
        Failure::Refused(refusal) => refusal.page(format),
        Failure::Usage(sentence) | Failure::Unavailable(sentence) => Page::of_line(format!("error: {sentence}")),
        Failure::Answered(_) | Failure::Problems | Failure::Pending | Failure::CasesFailed | Failure::FilesWrong => {
            Page::default()
        }
    };
    output::print_error(&page);
    ExitCode::from(exit_code(failure))
}

fn exit_code(failure: &Failure) -> u8 {
    match failure {
        Failure::OutputClosed => 0,
        Failure::CasesFailed => CASES_FAILED_EXIT,
        Failure::Usage(_) | Failure::FilesWrong => USAGE_EXIT,
        Failure::Unavailable(_) => UNAVAILABLE_EXIT,
        Failure::Problems => PROBLEMS_EXIT,
        Failure::Pending => PENDING_EXIT,
        Failure::Refused(Refusal { status, .. }) | Failure::Answered(status) => match status {
            404 => NOT_FOUND_EXIT,
            401 | 403 => CREDENTIALS_EXIT,
            500.. => UNAVAILABLE_EXIT,
            _ => REFUSED_EXIT,
        },
    }
}

impl Refusal {
    fn page(&self, format: Format) -> Page {
        let mut page = Page::default();
        match (format, self.document.get("errors").and_then(Value::as_array)) {
            (Format::Json, Some(_)) => page.json(&self.document),
            (Format::Human, Some(errors)) if !errors.is_empty() => {
                for error in errors {
                    page.line(format!("error: {}", sentence(error)));
                }
            }
            (Format::Human | Format::Json, _) => page.line(format!("error: {}", self.unexplained())),
        }
        if let (Format::Human, Some(hint)) = (format, &self.hint) {
            page.line(hint);
        }
        page
    }

    /// A gateway in front of the server refuses in its own words: `{"message":"Too Many Requests"}`.
    fn unexplained(&self) -> String {
        match self.document.get("message").and_then(Value::as_str) {
            Some(message) => format!("The server answered {}: {message}", self.status),
            None => format!("The server answered {} and gave no reason.", self.status),
        }
    }
}

/// An error of the API in a sentence, with its code and path.
pub(crate) fn sentence(error: &Value) -> String {
    let detail =
        error.get("detail").or_else(|| error.get("title")).and_then(Value::as_str).unwrap_or("No reason was given.");
    let code = text_at(error, "/code");
    match error.pointer("/source/path").and_then(Value::as_str) {
        Some(path) => format!("{detail} ({code} at {path})"),
        None => format!("{detail} ({code})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, document: Value) -> Failure {
        Failure::Refused(Refusal { status, document, hint: None })
    }

    #[test]
    fn the_exit_code_says_who_has_to_act() {
        let rows = [
            (refusal(400, Value::Null), 1),
            (refusal(409, Value::Null), 1),
            (refusal(429, Value::Null), 1),
            (Failure::Usage(String::new()), 2),
            (refusal(404, Value::Null), 3),
            (refusal(401, Value::Null), 4),
            (refusal(403, Value::Null), 4),
            (refusal(500, Value::Null), 5),
            (refusal(503, Value::Null), 5),
            (Failure::Unavailable(String::new()), 5),
            (Failure::Answered(401), 4),
            (Failure::Answered(500), 5),
            (Failure::Problems, 6),
            (Failure::Pending, 7),
            (Failure::CasesFailed, 1),
            (Failure::FilesWrong, 2),
            (Failure::OutputClosed, 0),
        ];
        for (failure, code) in rows {
            assert_eq!(exit_code(&failure), code, "{failure:?}");
        }
    }

    #[test]
    fn every_error_is_told_with_its_sentence_code_and_path() {
        let document = json!({"errors": [
            {"status": "400", "code": "unknown_target", "detail": "There is no step.", "source": {"path": "$.steps[0]"}},
            {"status": "400", "code": "bad_query", "detail": "No."},
        ]});
        let refusal = Refusal { status: 400, document, hint: Some("A hint.".to_owned()) };
        let told = refusal.page(Format::Human).to_string();
        assert_eq!(told, "error: There is no step. (unknown_target at $.steps[0])\nerror: No. (bad_query)\nA hint.\n");
    }

    #[test]
    fn a_gateways_own_words_are_passed_on() {
        let refusal = Refusal { status: 429, document: json!({"message": "Too Many Requests"}), hint: None };
        assert_eq!(refusal.page(Format::Human).to_string(), "error: The server answered 429: Too Many Requests\n");
    }
}
