//! Calls: requests that are made to services of the web on behalf of somebody who may not know, or hide, where they lead.
//!
//! What must not be sent cannot be built: a [`Method`] is one of seven, a [`CallHeader`] is a line of plain text under a
//! name that is the caller's to give.

mod header;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use domain::Failure;

use super::Unavailable;

pub use header::{CallHeader, HEADER_VALUE_LIMIT_BYTES, Secrecy, WrongHeader};

/// The most bytes of an answer's body. *Why*: it becomes the output of a step, and what a step is given may have as many.
pub const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;

/// The longest a call may take. *Why*: half of a claim, so that its outcome is written while the claim lasts.
pub const CALL_LIMIT_SECONDS: u64 = 30;

/// How many redirects are followed. *Source*: `reliability.md`, S16.
pub const REDIRECTS_LIMIT: usize = 3;

/// The way out for calls.
#[async_trait]
pub trait Calls: Send + Sync {
    /// Makes `call` and gives the answer, whatever its status.
    ///
    /// Only public addresses are reached, as far as its `web` says, and what the operator has allowed beside them. Every address that the host's name stands for is judged, the connection goes to one that was, and so it
    /// is for each redirect that is followed.
    ///
    /// *Once it returns* the other side has answered as a whole.
    /// *Errors*: [`NotCalled`], which says whether it may have been reached all the same. No sentence in it names an address
    /// that a name led to.
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled>;
}

/// A call on its way out. What may hold secrets is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct OutgoingCall {
    /// What is asked for.
    pub method: Method,
    /// Of whom; judged by whoever makes the call.
    pub url: String,
    /// In this order. `host`, `content-length` and all that is about the connection are added by whoever makes the call.
    pub headers: Vec<CallHeader>,
    /// What is said.
    pub body: Option<CallBody>,
    /// From the question for the host to the last byte of the answer, redirects included; at most [`CALL_LIMIT_SECONDS`].
    pub deadline: Duration,
    /// What becomes of an answer that leads elsewhere.
    pub redirects: Redirects,
    /// How the public web may be reached.
    pub web: Web,
}

impl fmt::Debug for OutgoingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(CallHeader::name).collect();
        f.debug_struct("OutgoingCall").field("method", &self.method).field("headers", &names).finish_non_exhaustive()
    }
}

/// What a call says.
#[derive(Clone, PartialEq, Eq)]
pub struct CallBody {
    /// All of it.
    pub bytes: Bytes,
    /// Whether there is a secret in it, which no other origin may learn.
    pub secrecy: Secrecy,
}

/// How the public web may be reached. What the operator allows beside it is reached either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Web {
    /// Over `https` at port 443, because nobody shall read on the way what is said.
    Https,
    /// Over that, and over `http` at port 80.
    HttpsAndHttp,
}

/// What becomes of an answer that leads elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirects {
    /// [`REDIRECTS_LIMIT`] of them are followed, each judged as the first address was.
    ///
    /// *Source*: Fetch, "HTTP-redirect fetch": `303` makes a `GET` of anything but `GET` and `HEAD`, `301` and `302` make one of
    /// a `POST`, `307` and `308` change nothing. Another origin gets no `authorization`, no `cookie` and no secret header; where it
    /// would get a secret body, the call is refused.
    Follow,
    /// It is an answer like others.
    Keep,
}

/// What may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `HEAD`
    Head,
    /// `OPTIONS`
    Options,
}

impl Method {
    /// Every one of them, in the order of the docs.
    pub const ALL: [Self; 7] = [Self::Get, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Head, Self::Options];

    /// The method of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(name))
    }

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }
}

/// What was answered in the end. It is the data of others: nothing of it is printed but the status.
#[derive(Clone, PartialEq, Eq)]
pub struct CallAnswer {
    /// The status.
    pub status: u16,
    /// Names in lower case, each line of its own; what is no UTF-8 in a value is replaced.
    pub headers: Vec<(String, String)>,
    /// At most [`ANSWER_LIMIT_BYTES`], not compressed.
    pub body: Bytes,
}

impl fmt::Debug for CallAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotCalled {
    /// There never will be one that can be given: the address is not allowed, or the answer is too large, compressed, or leads
    /// where no call may follow. The sentence says which, and what to do.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// The other side certainly did not get the call; another try may succeed.
    #[error(transparent)]
    NotSent(Unavailable),
    /// The deadline has passed; it may have got it.
    #[error(transparent)]
    TimedOut(Unavailable),
    /// The connection ended, or the answer was none that HTTP knows, before there was a whole one; it may have got the call.
    #[error(transparent)]
    Broken(Unavailable),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_known_in_any_case_and_no_other_is() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.name()), Some(method));
            assert_eq!(Method::parse(&method.name().to_lowercase()), Some(method));
        }
        for other in ["", "CONNECT", "TRACE", "GET ", "GET /", "PROPFIND"] {
            assert_eq!(Method::parse(other), None, "{other}");
        }
    }

    #[test]
    fn nothing_that_may_be_secret_is_printed() {
        let header = CallHeader::new("x-key", "c4n4ry", Secrecy::Open).unwrap();
        let body = Some(CallBody { bytes: Bytes::from_static(b"c4n4ry"), secrecy: Secrecy::Open });
        let url = "https://example.org/c4n4ry".to_owned();
        let (method, deadline, redirects) = (Method::Get, Duration::from_secs(1), Redirects::Keep);
        let web = Web::Https;
        let call = OutgoingCall { method, url, headers: vec![header], body, deadline, redirects, web };
        let headers = vec![("x-key".to_owned(), "c4n4ry".to_owned())];
        let answer = CallAnswer { status: 200, headers, body: Bytes::from_static(b"c4n4ry") };
        let printed = format!("{call:?} {:?} {answer:?}", call.headers);
        assert!(!printed.contains("c4n4ry") && printed.contains("x-key"), "{printed}");
    }
}
