//! Calls of services of the web: judged, followed through redirects, and read up to a limit.
//!
//! | what comes back | what is given |
//! | --- | --- |
//! | any status | the answer |
//! | a redirect that is to be followed | what the next place answers, if it may be asked |
//! | more than 1 MiB, or anything compressed | a failure that says so; it was asked for as it is |
//! | nothing, half an answer, no HTTP | [`NotCalled::Broken`], or [`NotCalled::NotSent`] where there was no connection |

mod redirect;
mod refusal;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use service::ports::{
    ANSWER_LIMIT_BYTES, CallAnswer, Calls, Method, NotCalled, OutgoingCall, REDIRECTS_LIMIT, Redirects, Unavailable,
    Web,
};
use tokio::time::timeout;

use crate::attempts::with_sources;
use crate::web::{Client, Destination, Place, Reach, ReadError, SendError, read};

use redirect::Next;

pub(crate) use refusal::clause;

/// The way out for calls, as far as the web is public and the operator allows.
pub struct WebCalls {
    /// For calls that are only made over `https`, where the web is public.
    https: Client,
    either: Client,
}

/// A call at one of the places it comes to.
#[derive(Clone)]
struct Stage {
    method: Method,
    place: Place,
    call: OutgoingCall,
}

impl WebCalls {
    /// Reaches public addresses over `https` and `http` at their own ports, and what is `allowed` beside them.
    pub fn new(allowed: Vec<Destination>) -> Self {
        Self::over(|web| Client::new(Reach::new(web, allowed.clone())))
    }

    fn over(client: impl Fn(Web) -> Client) -> Self {
        Self { https: client(Web::Https), either: client(Web::HttpsAndHttp) }
    }

    async fn exchange(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        let client = match call.web {
            Web::Https => &self.https,
            Web::HttpsAndHttp => &self.either,
        };
        let place = Place::parse(&call.url, client.reach()).map_err(refusal::of_destination)?;
        let mut stage = Stage { method: call.method, place, call: call.clone() };
        for followed in 0..=REDIRECTS_LIMIT {
            let answer = send(client, &stage, followed).await?;
            let next = match call.redirects {
                Redirects::Keep => None,
                Redirects::Follow => redirect::next(&stage, &answer, client.reach())?,
            };
            match next {
                None => return given(stage.method, answer).await,
                Some(Next(next)) => stage = next,
            }
        }
        Err(refusal::too_many_redirects())
    }
}

async fn send(client: &Client, stage: &Stage, followed: usize) -> Result<Response<Incoming>, NotCalled> {
    let request = http_request(stage).map_err(|error| NotCalled::NotSent(unavailable(with_sources(&error))))?;
    client.send(request).await.map_err(|error| match error {
        SendError::Refused(refused) if followed == 0 => refusal::of_destination(refused),
        SendError::Refused(refused) => refusal::of_redirect(refused),
        SendError::NotSent(cause) if followed == 0 => NotCalled::NotSent(unavailable(cause)),
        // Whoever sent the redirect got the call.
        SendError::NotSent(cause) | SendError::Broken(cause) => NotCalled::Broken(unavailable(cause)),
    })
}

#[async_trait]
impl Calls for WebCalls {
    async fn call(&self, call: &OutgoingCall) -> Result<CallAnswer, NotCalled> {
        match timeout(call.deadline, self.exchange(call)).await {
            Ok(ended) => ended,
            Err(_) => {
                let cause = format!("no whole answer came within {} ms", call.deadline.as_millis());
                Err(NotCalled::TimedOut(unavailable(cause)))
            }
        }
    }
}

fn http_request(stage: &Stage) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder().method(stage.method.name()).uri(stage.place.uri().clone());
    for header in &stage.call.headers {
        request = request.header(header.name(), header.value());
    }
    if !stage.call.headers.iter().any(|header| header.name() == "user-agent") {
        request = request.header("user-agent", "hookwright");
    }
    let body = stage.call.body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
    if body.is_empty() && has_body(stage.method) {
        request = request.header("content-length", 0);
    }
    request.header("accept-encoding", "identity").body(Full::new(body))
}

/// Whether a server may wait for a body where none is told to be empty. *Source*: RFC 9110, 8.6.
fn has_body(method: Method) -> bool {
    match method {
        Method::Post | Method::Put | Method::Patch => true,
        Method::Get | Method::Head | Method::Delete | Method::Options => false,
    }
}

/// The answer as the caller gets it.
async fn given(method: Method, answer: Response<Incoming>) -> Result<CallAnswer, NotCalled> {
    let (head, body) = answer.into_parts();
    let status = head.status.as_u16();
    // What a `HEAD` is told of a body is about one that is not sent.
    if method != Method::Head && is_packed(&head.headers) {
        return Err(refusal::compressed(status));
    }
    let body = read(body, ANSWER_LIMIT_BYTES).await.map_err(|error| match error {
        ReadError::TooLarge => refusal::too_large(status),
        ReadError::Broken(cause) => NotCalled::Broken(unavailable(cause)),
    })?;
    let line = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    Ok(CallAnswer { status, headers: head.headers.iter().map(line).collect(), body })
}

/// Whether the body has an encoding that would have to be undone before anybody can read it.
fn is_packed(headers: &HeaderMap) -> bool {
    let codings = |name: &str, plain: &str| {
        let mut values = headers.get_all(name).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        values.any(|coding| {
            !coding.trim_ascii().is_empty() && !coding.trim_ascii().eq_ignore_ascii_case(plain.as_bytes())
        })
    };
    codings("content-encoding", "identity") || codings("transfer-encoding", "chunked")
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "calls", cause }
}

#[cfg(test)]
mod tests;
