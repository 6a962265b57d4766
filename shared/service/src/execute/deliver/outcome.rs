//! What came of telling an endpoint.

use domain::{Secret, Timestamp};

use super::posting::DEADLINE_SECONDS;
use crate::{
    ports::{CallAnswer, NotCalled},
    runs::{Attempt, AttemptState},
};

/// How much of an answer is kept.
const ANSWER_KEPT_BYTES: usize = 1_024;

/// What the endpoint made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It took it.
    Delivered,
    /// It did not, and may later.
    Failed,
    /// It wants nothing any more.
    Gone,
}

/// What came of an attempt.
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) status: Option<u16>,
    answer: Option<String>,
    pub(super) error: Option<String>,
    pub(super) retry_after_seconds: Option<u32>,
}

impl Outcome {
    /// What the end of a call is; none of the `secrets` is kept, whatever was answered.
    pub(super) fn of(ending: Result<CallAnswer, NotCalled>, secrets: &[&Secret], now: Timestamp) -> Self {
        match ending {
            Ok(answer) => {
                let retry_after_seconds = retry_after(&answer, now);
                Self { answer: Some(kept(&answer, secrets)), retry_after_seconds, ..Self::of_status(answer.status) }
            }
            Err(NotCalled::Refused(failure)) => match failure.status {
                // It answered, with more than is read.
                Some(status) => {
                    let of_status = Self::of_status(status);
                    Self { error: of_status.error.or(Some(failure.message)), ..of_status }
                }
                None => Self::failed(failure.message),
            },
            Err(NotCalled::NotSent(error)) => {
                tracing::debug!(%error, "an endpoint was not reached");
                Self::failed("The endpoint could not be reached.")
            }
            Err(NotCalled::TimedOut(error)) => {
                tracing::debug!(%error, "an endpoint took too long");
                Self::failed(format!("The endpoint did not answer within {DEADLINE_SECONDS} seconds."))
            }
            Err(NotCalled::Broken(error)) => {
                tracing::debug!(%error, "an endpoint broke off");
                Self::failed("The connection ended before there was a whole answer.")
            }
        }
    }

    /// Nothing was answered.
    pub(super) fn failed(sentence: impl Into<String>) -> Self {
        let (status, answer, error) = (None, None, Some(sentence.into()));
        Self { verdict: Verdict::Failed, status, answer, error, retry_after_seconds: None }
    }

    fn of_status(status: u16) -> Self {
        let (verdict, error) = match status {
            200..=299 => (Verdict::Delivered, None),
            300..=399 => {
                let sentence = format!(
                    "The endpoint answered {status}, a redirect, which is not followed. Give the webhook the address where it ends."
                );
                (Verdict::Failed, Some(sentence))
            }
            410 => (Verdict::Gone, Some("The endpoint answered 410: it wants to be told nothing any more.".to_owned())),
            _ => (Verdict::Failed, Some(format!("The endpoint answered {status}."))),
        };
        Self { verdict, status: Some(status), answer: None, error, retry_after_seconds: None }
    }

    /// The record of `attempt` with what came of it.
    pub(super) fn told(&self, attempt: Attempt, ended_at: Timestamp) -> Attempt {
        let duration_ms = ended_at.as_millisecond().saturating_sub(attempt.started_at.as_millisecond());
        let state = match self.verdict {
            Verdict::Delivered => AttemptState::Delivered,
            Verdict::Failed | Verdict::Gone => AttemptState::Failed,
        };
        Attempt {
            state,
            duration_ms: Some(duration_ms.max(0).unsigned_abs()),
            status: self.status,
            answer: self.answer.clone(),
            error: self.error.clone(),
            ..attempt
        }
    }
}

/// How the body of an answer begins, as text.
fn kept(answer: &CallAnswer, secrets: &[&Secret]) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let masked = secrets.iter().fold(text.into_owned(), |text, secret| text.replace(secret.reveal(), "••••"));
    let end = masked.floor_char_boundary(ANSWER_KEPT_BYTES);
    masked.get(..end).unwrap_or_default().to_owned()
}

/// For how long the endpoint asks to be left alone: `120`, or a date.
fn retry_after(answer: &CallAnswer, now: Timestamp) -> Option<u32> {
    let value = answer.headers.iter().find(|(name, _)| name == "retry-after").map(|(_, value)| value.trim())?;
    match value.bytes().all(|byte| byte.is_ascii_digit()) && !value.is_empty() {
        true => Some(value.parse().unwrap_or(u32::MAX)),
        false => {
            let until = Timestamp::parse_http_date(value)?;
            Some(u32::try_from(now.seconds_until(until)).unwrap_or(u32::MAX))
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Failure;

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> CallAnswer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        CallAnswer { status, headers, body: body.to_owned().into() }
    }

    fn of(ending: Result<CallAnswer, NotCalled>) -> Outcome {
        let secret = Secret::new("whsec_hush".to_owned());
        Outcome::of(ending, &[&secret], Timestamp::from_millisecond(0))
    }

    #[test]
    fn only_a_status_of_2xx_is_a_success_and_410_is_the_end() {
        for (status, verdict) in [
            (199, Verdict::Failed),
            (200, Verdict::Delivered),
            (202, Verdict::Delivered),
            (299, Verdict::Delivered),
            (300, Verdict::Failed),
            (308, Verdict::Failed),
            (404, Verdict::Failed),
            (409, Verdict::Failed),
            (410, Verdict::Gone),
            (411, Verdict::Failed),
            (500, Verdict::Failed),
        ] {
            assert_eq!(of(Ok(answer(status, &[], ""))).verdict, verdict, "{status}");
        }
        let too_large =
            |status| Failure { status: Some(status), ..Failure::new("rest_answer_too_large", "Too large.") };
        assert_eq!(of(Err(NotCalled::Refused(too_large(200)))).verdict, Verdict::Delivered);
        assert_eq!(of(Err(NotCalled::Refused(too_large(500)))).verdict, Verdict::Failed);
    }

    #[test]
    fn of_an_answer_a_kibibyte_is_kept_and_no_secret() {
        let kept = |body: &str| of(Ok(answer(200, &[], body))).answer.unwrap();
        assert_eq!(kept(&"a".repeat(1_024)).len(), 1_024);
        assert_eq!(kept(&"a".repeat(1_025)).len(), 1_024);
        // No character is cut in two.
        assert_eq!(kept(&format!("a{}", "ä".repeat(600))).len(), 1_023);
        assert_eq!(kept("you are whsec_hush"), "you are ••••");
        assert_eq!(kept(&format!("{}whsec_hush", "a".repeat(1_020))).find("whs"), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked = |value: &str| of(Ok(answer(503, &[("retry-after", value)], ""))).retry_after_seconds;
        for (value, expected) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 120 ", Some(120)),
            ("99999999999", Some(u32::MAX)),
            ("Thu, 01 Jan 1970 00:02:00 GMT", Some(120)),
            ("Wed, 31 Dec 1969 23:00:00 GMT", Some(0)),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
        ] {
            assert_eq!(asked(value), expected, "{value:?}");
        }
    }
}
