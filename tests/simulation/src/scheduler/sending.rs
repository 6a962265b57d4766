//! What senders do: they send, wait for the answer, and come again where they may.

use domain::{TransactionId, exact};
use serde_json::Value;
use service::http::Response;

use super::Scheduler;
use crate::{estate::Arrival, stage::post};

/// What became of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Nobody has sent it, or nobody was answered.
    NotYet,
    /// Somebody waits for the answer.
    UnderWay,
    /// It was accepted.
    Accepted,
    /// It was sent without a key and not accepted, so its sender does not know.
    GivenUp,
}

impl Scheduler {
    pub(super) fn send(&mut self, arrival: usize) {
        let index = self.some_process();
        let Arrival { key, body } = &self.arrivals[arrival];
        let request = post(&self.estate.path, key.as_deref(), body);
        if !matches!(self.sent[arrival], Sent::Accepted) {
            self.sent[arrival] = Sent::UnderWay;
        }
        self.stage.send(index, arrival, request);
    }

    pub(super) fn answered(&mut self, arrival: usize, response: &Response) {
        let has_key = self.arrivals[arrival].key.is_some();
        let before = self.sent[arrival];
        self.sent[arrival] = match response.status().as_u16() {
            202 => {
                let body: Value = exact::parse(&String::from_utf8_lossy(response.body())).unwrap_or_default();
                let id = body["data"]["id"].as_str().and_then(|id| TransactionId::parse(id).ok());
                let Some(id) = id else {
                    return self.violations.push(format!("a 202 without an id: {body}"));
                };
                self.accepted.entry(arrival).or_default().insert(id);
                Sent::Accepted
            }
            503 if response.headers().contains_key("retry-after") => match before {
                Sent::Accepted => before,
                Sent::NotYet | Sent::UnderWay | Sent::GivenUp if has_key => Sent::NotYet,
                Sent::NotYet | Sent::UnderWay | Sent::GivenUp => Sent::GivenUp,
            },
            other => {
                let text = String::from_utf8_lossy(response.body()).into_owned();
                return self.violations.push(format!("a sender was answered {other}: {text}"));
            }
        };
    }
}
