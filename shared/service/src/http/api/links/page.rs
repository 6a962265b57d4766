//! What whoever opened a link is shown: a page for a browser, or the same as JSON.
//!
//! A page has no scripts, no styles and nothing from elsewhere; every text in it may come from a stranger and is escaped.

use bytes::Bytes;
use domain::{Timestamp, exact::object};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::http::answer::{Response, error_response, json_response};

/// Nothing is loaded, nobody frames it, and its form leads nowhere else.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Which of the two is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    Browser,
    Program,
}

impl Reader {
    /// A program says that it takes JSON, and not HTML.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_program = accepted.contains("application/json") && !accepted.contains("text/html");
        if is_program { Self::Program } else { Self::Browser }
    }
}

/// What is shown.
pub(super) struct Page {
    status: StatusCode,
    title: &'static str,
    /// What stands below the title; none of it is HTML.
    sentence: String,
    kind: Kind,
}

enum Kind {
    Question { choices: Vec<String>, question: Option<String>, ends_at: Timestamp },
    Answered { choice: Option<String>, at: Timestamp },
    Refused { code: &'static str },
}

impl Page {
    /// The question, with a button for each choice, or one where there are none.
    pub(super) fn question(question: Option<&str>, choices: &[String], ends_at: Timestamp) -> Self {
        let sentence = question.unwrap_or("Somebody waits for your answer.").to_owned();
        let kind = Kind::Question { choices: choices.to_vec(), question: question.map(str::to_owned), ends_at };
        Self { status: StatusCode::OK, title: "Your answer, please", sentence, kind }
    }

    /// That the answer was taken.
    pub(super) fn answered(choice: Option<&str>, at: Timestamp) -> Self {
        let sentence = match choice {
            Some(choice) => format!("You answered: {choice}. You may close this page."),
            None => "You have answered. You may close this page.".to_owned(),
        };
        let kind = Kind::Answered { choice: choice.map(str::to_owned), at };
        Self { status: StatusCode::OK, title: "Thank you", sentence, kind }
    }

    fn refused(status: StatusCode, code: &'static str, title: &'static str, sentence: impl Into<String>) -> Self {
        Self { status, title, sentence: sentence.into(), kind: Kind::Refused { code } }
    }

    /// That this is no link. It says the same to whatever is tried.
    pub(super) fn unknown() -> Self {
        let sentence = "This link is not one that answers anything. Open it as it was sent to you, whole.";
        Self::refused(StatusCode::NOT_FOUND, "unknown_link", "Unknown link", sentence)
    }

    /// That it was good for a year.
    pub(super) fn expired() -> Self {
        let sentence = "This link has expired. Ask whoever sent it for another one.";
        Self::refused(StatusCode::GONE, "link_expired", "Expired", sentence)
    }

    /// That somebody was first.
    pub(super) fn answered_before() -> Self {
        let sentence = "This was answered before. The first answer counts, and nothing was changed now.";
        Self::refused(StatusCode::CONFLICT, "answered_before", "Answered before", sentence)
    }

    /// That the run does not wait any more.
    pub(super) fn run_over() -> Self {
        let sentence = "What this was about is over, so no answer is taken any more.";
        Self::refused(StatusCode::CONFLICT, "run_over", "Over", sentence)
    }

    /// That it is too early or too late.
    pub(super) fn not_waiting() -> Self {
        let sentence = "Nobody waits for this answer now: its time is up, or it has not come to that yet. If you were just sent the link, \
                        try again in a minute.";
        Self::refused(StatusCode::CONFLICT, "not_waiting", "Not now", sentence)
    }

    /// That the answer is none of `choices`.
    pub(super) fn no_choice(choices: &[String]) -> Self {
        let sentence = format!("That is none of the answers to this question: {}.", choices.join(", "));
        Self::refused(StatusCode::BAD_REQUEST, "bad_choice", "No such answer", sentence)
    }

    /// That the body is over `limit`.
    pub(super) fn too_large(limit: usize) -> Self {
        let sentence = format!("An answer by a link has at most {limit} bytes.");
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "Too large", sentence)
    }

    /// The page as `reader` wants it. Nobody keeps it, and nobody that it links to is told where it was.
    pub(super) fn response(self, reader: Reader) -> Response {
        let mut response = match reader {
            Reader::Browser => {
                let mut response = Response::new(Bytes::from(self.html()));
                *response.status_mut() = self.status;
                response.headers_mut().insert(header::CONTENT_TYPE, HTML);
                response
            }
            Reader::Program => self.json(),
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        for (name, value) in [
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::VARY, "accept"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
        response
    }

    fn json(self) -> Response {
        let (kind, attributes): (&str, Value) = match self.kind {
            Kind::Question { choices, question, ends_at } => {
                let parts = [("question", json!(question)), ("choices", json!(choices)), ("expiresAt", json!(ends_at))];
                ("question", object(parts))
            }
            Kind::Answered { choice, at } => ("answer", object([("choice", json!(choice)), ("at", json!(at))])),
            Kind::Refused { code } => return error_response(self.status, code, &self.sentence),
        };
        json_response(self.status, &json!({ "data": { "type": kind, "attributes": attributes } }))
    }

    fn html(&self) -> String {
        let form = match &self.kind {
            Kind::Question { choices, .. } => form(choices),
            Kind::Answered { .. } | Kind::Refused { .. } => String::new(),
        };
        let sentence = escaped(&self.sentence).replace('\n', "<br>");
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex, nofollow\">\n<title>{title}</title>\n</head>\n<body>\n\
             <h1>{title}</h1>\n<p>{sentence}</p>\n{form}</body>\n</html>\n",
            title = self.title,
        )
    }
}

/// A form that posts to where the page is.
fn form(choices: &[String]) -> String {
    let button = |choice: &String| {
        let choice = escaped(choice);
        format!("<p><button name=\"choice\" value=\"{choice}\">{choice}</button></p>\n")
    };
    let buttons = match choices {
        [] => "<p><button>Answer</button></p>\n".to_owned(),
        choices => choices.iter().map(button).collect(),
    };
    format!("<form method=\"post\">\n{buttons}</form>\n")
}

/// `text` as HTML has it, inside of quotes as well.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
