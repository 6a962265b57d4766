//! The world outside, as a case says that it answers.
//!
//! The first mock that fits a call and has an answer left gives it. A call that none fits is an unexpected one: its step fails, and so does
//! the case. An address that production would not call over https is refused here too.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws::WebDestinations;
use domain::{Failure, exact};
use serde_json::{Map, Value, json};
use service::ports::{CallAnswer, Calls, Destinations, Method, NotCalled, OutgoingCall, Unavailable, Web};

use super::reading::{At, Reading, meant};

const MOCK_KEYS: [&str; 8] = ["method", "url", "status", "headers", "body", "fail", "times", "answers"];
const ANSWER_KEYS: [&str; 5] = ["status", "headers", "body", "fail", "times"];
const FAILURES: [&str; 2] = ["timeout", "refused"];

/// The most times of an answer.
const TIMES_LIMIT: u64 = 1_000_000;

/// The most mocks of a case, and answers of a mock.
const MOCKS_LIMIT: usize = 1_000;

/// What some service answers.
#[derive(Debug, Clone)]
pub(crate) struct Mock {
    method: Option<Method>,
    /// An address; `*` stands for any text.
    url: String,
    answers: Vec<Answer>,
}

/// One of its answers.
#[derive(Debug, Clone)]
struct Answer {
    ending: Ending,
    /// How often it is given; for ever where nothing is said.
    times: Option<u64>,
}

#[derive(Debug, Clone)]
enum Ending {
    Answered { status: u16, headers: Vec<(String, String)>, body: String },
    TimedOut,
    Refused,
}

impl Mock {
    /// All mocks of a case.
    pub(crate) fn read_all(reading: &mut Reading<'_>, at: Option<&At<'_>>) -> Vec<Self> {
        let Some(at) = at.filter(|at| reading.list(at, "`mocks`")) else { return Vec::new() };
        if at.elements().count() > MOCKS_LIMIT {
            reading.problem(&at.path, format!("A case has at most {MOCKS_LIMIT} mocks."));
            return Vec::new();
        }
        at.elements().filter_map(|mock| Self::read(reading, &mock)).collect()
    }

    fn read(reading: &mut Reading<'_>, at: &At<'_>) -> Option<Self> {
        reading.object(at, "A mock", &MOCK_KEYS)?;
        let Some(url) = at.member("url") else {
            reading.problem(&at.path, "A mock has a `url`, in which * stands for any text.");
            return None;
        };
        let url = reading.text(&url, "`url`")?.to_owned();
        let method = match at.member("method") {
            None => None,
            Some(method) => {
                let name = reading.text(&method, "`method`")?;
                let parsed = Method::parse(name);
                if parsed.is_none() {
                    let known = Method::ALL.map(Method::name);
                    reading.problem(&method.path, format!("There is no method \"{name}\". {}", meant(name, &known)));
                }
                parsed
            }
        };
        let answers = match at.member("answers") {
            None => Answer::read(reading, at, None).into_iter().collect(),
            Some(answers) => several(reading, at, &answers),
        };
        Some(Self { method, url, answers })
    }

    fn fits(&self, call: &OutgoingCall) -> bool {
        self.method.is_none_or(|method| method == call.method) && fits(&self.url, &call.url)
    }
}

fn several(reading: &mut Reading<'_>, mock: &At<'_>, at: &At<'_>) -> Vec<Answer> {
    for key in ANSWER_KEYS {
        if let Some(own) = mock.member(key) {
            reading.problem(&own.path, "An answer stands in the mock itself or in `answers`, not in both.");
        }
    }
    if !reading.list(at, "`answers`") {
        return Vec::new();
    }
    let count = at.elements().count();
    if count == 0 || count > MOCKS_LIMIT {
        reading.problem(&at.path, format!("A mock has 1 to {MOCKS_LIMIT} answers."));
        return Vec::new();
    }
    let mut answers = Vec::with_capacity(count);
    for (index, answer) in at.elements().enumerate() {
        if reading.object(&answer, "An answer", &ANSWER_KEYS).is_some() {
            // The last one stays.
            let times = if index + 1 < count { Some(1) } else { None };
            answers.extend(Answer::read(reading, &answer, times));
        }
    }
    answers
}

impl Answer {
    fn read(reading: &mut Reading<'_>, at: &At<'_>, times: Option<u64>) -> Option<Self> {
        let times = match at.member("times") {
            None => times,
            Some(times) => Some(reading.number(&times, "`times`", (1, TIMES_LIMIT))?),
        };
        if let Some(fail) = at.member("fail") {
            for key in ["status", "headers", "body"] {
                if let Some(beside) = at.member(key) {
                    reading.problem(&beside.path, "A call that fails has no answer; leave this, or `fail`.");
                }
            }
            let word = reading.text(&fail, "`fail`")?;
            let ending = match word {
                "timeout" => Ending::TimedOut,
                "refused" => Ending::Refused,
                _ => {
                    reading.problem(&fail.path, format!("No call fails with \"{word}\". {}", meant(word, &FAILURES)));
                    return None;
                }
            };
            return Some(Self { ending, times });
        }
        let status = match at.member("status") {
            None => 200,
            Some(status) => u16::try_from(reading.number(&status, "`status`", (100, 599))?).ok()?,
        };
        let given = at.member("headers").filter(|headers| reading.mapping(headers, "`headers`"));
        let mut headers = Vec::new();
        for (name, value) in given.iter().flat_map(At::members) {
            headers.push((name.to_lowercase(), reading.text(&value, "The value of a header")?.to_owned()));
        }
        let (body, content_type) = match at.value.get("body") {
            None | Some(Value::Null) => (String::new(), None),
            Some(Value::String(text)) => (text.clone(), Some("text/plain; charset=utf-8")),
            Some(body) => (body.to_string(), Some("application/json")),
        };
        let is_typed = headers.iter().any(|(name, _)| name == "content-type");
        headers.extend(content_type.filter(|_| !is_typed).map(|kind| ("content-type".to_owned(), kind.to_owned())));
        Some(Self { ending: Ending::Answered { status, headers, body }, times })
    }
}

/// Whether `text` is what `pattern` stands for, in which `*` is any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, behind)) => left = behind,
            None => return false,
        }
    }
    left.ends_with(last)
}

/// What was called and what answers.
pub(crate) struct MockedCalls {
    destinations: WebDestinations,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Each answer with how often it has been given.
    mocks: Vec<(Mock, Vec<u64>)>,
    made: Vec<Value>,
    unexpected: Vec<String>,
}

impl Default for MockedCalls {
    fn default() -> Self {
        Self { destinations: WebDestinations::new(Vec::new()), state: Mutex::default() }
    }
}

impl MockedCalls {
    /// Has these mocks answer from here on.
    pub(crate) fn answer_with(&self, mocks: Vec<Mock>) {
        self.state().mocks = mocks.into_iter().map(|mock| (mock.clone(), vec![0; mock.answers.len()])).collect();
    }

    /// Every call that was made, in order: `method`, `url`, `headers`, `body`.
    pub(crate) fn made(&self) -> Vec<Value> {
        self.state().made.clone()
    }

    /// Every call that no mock fits, in order: `GET https://…`.
    pub(crate) fn unexpected(&self) -> Vec<String> {
        self.state().unexpected.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refusal(&self, call: &OutgoingCall) -> Option<Failure> {
        match call.web {
            Web::Https => self.destinations.judge(&call.url).err(),
            Web::HttpsAndHttp => None,
        }
    }
}

impl State {
    fn next(&mut self, call: &OutgoingCall) -> Option<Ending> {
        for (mock, given) in self.mocks.iter_mut().filter(|(mock, _)| mock.fits(call)) {
            for (answer, given) in mock.answers.iter().zip(given) {
                if answer.times.is_none_or(|times| *given < times) {
                    *given += 1;
                    return Some(answer.ending.clone());
                }
            }
        }
        None
    }
}

#[async_trait]
impl Calls for MockedCalls {
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        if let Some(failure) = self.refusal(call) {
            return Err(NotCalled::Refused(failure));
        }
        let mut state = self.state();
        let Some(ending) = state.next(call) else {
            let named = format!("{} {}", call.method.name(), call.url);
            let message = format!("The test has no mock for {named}.");
            state.unexpected.push(named);
            return Err(NotCalled::Refused(Failure::new("unexpected_call", message)));
        };
        state.made.push(document(call));
        let because = |cause: &str| Unavailable { port: "calls", cause: cause.to_owned() };
        match ending {
            Ending::Answered { status, headers, body } => Ok(CallAnswer { status, headers, body: body.into() }),
            Ending::TimedOut => Err(NotCalled::TimedOut(because("the test lets this call time out"))),
            Ending::Refused => Err(NotCalled::NotSent(because("the test refuses this connection"))),
        }
    }
}

/// A call as tests see it.
fn document(call: &OutgoingCall) -> Value {
    let headers: Map<String, Value> =
        call.headers.iter().map(|header| (header.name().to_owned(), json!(header.value()))).collect();
    let body = call.body.as_ref().map_or(Value::Null, |body| {
        let text = String::from_utf8_lossy(&body.bytes);
        exact::parse(&text).unwrap_or_else(|_| Value::String(text.into_owned()))
    });
    exact::object([
        ("method", json!(call.method.name())),
        ("url", json!(call.url)),
        ("headers", Value::Object(headers)),
        ("body", body),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (pattern, text) in [
            ("https://a.example/x", "https://a.example/x"),
            ("https://a.example/*", "https://a.example/"),
            ("*", "https://a.example/x"),
            ("https://*.example/*/y?*", "https://a.example/x/y?z=1"),
            ("a*a", "aa"),
            ("**x**", "axb"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("https://a.example/x", "https://a.example/xy"), ("a*a", "a"), ("*x", "xa"), ("a*b*c", "acb"), ("", "a")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
