//! What a call reaches, and what comes back of it.
//!
//! Every connection that the guard lets out comes to one listener, whatever its address, which counts and answers it: what
//! is not counted was not reached.

mod answers;
mod guard;
mod redirects;
mod servers;

use std::sync::Arc;
use std::time::Duration;

use domain::Failure;
use service::ports::{
    CallAnswer, CallBody, CallHeader, Calls, Method, NotCalled, OutgoingCall, Redirects, Secrecy, Web,
};

use super::WebCalls;
use crate::web::given::GivenNames;
use crate::web::{Client, Destination, Names, Reach, Roots};

use servers::Server;

/// Where names lead unless a test says otherwise.
const PUBLIC: &str = "93.184.215.14";

/// A listener, and calls that can come to no other place.
struct Town {
    server: Server,
    names: Arc<GivenNames>,
    calls: WebCalls,
}

impl Town {
    /// One whose names lead to a public address, and whose listener gives these bytes to everybody.
    async fn answering(answer: &[u8]) -> Self {
        let answer = answer.to_vec();
        Self::with(Server::start(move |_| answer.clone()).await, &[], &[])
    }

    /// One with these names beside `service.example` and `other.example`, and these destinations allowed.
    fn with(server: Server, names: &[(&str, Vec<Vec<&str>>)], allowed: &[&str]) -> Self {
        let public = |name| (name, vec![vec![PUBLIC]]);
        let mut known = vec![public("service.example"), public("other.example")];
        known.extend_from_slice(names);
        let names = GivenNames::before(server.address, &known);
        let allowed: Vec<Destination> = allowed.iter().map(|text| text.parse().unwrap()).collect();
        let calls = WebCalls::over(|web| {
            let roots = Roots::Given(Arc::clone(&server.roots));
            Client::over(Names::Given(Arc::clone(&names)), roots, Reach::new(web, allowed.clone()))
        });
        Self { server, names, calls }
    }

    async fn get(&self, url: &str) -> Result<CallAnswer, NotCalled> {
        self.calls.call(&call(Method::Get, url)).await
    }
}

/// A call without headers and body that follows redirects.
fn call(method: Method, url: &str) -> OutgoingCall {
    let url = url.to_owned();
    OutgoingCall {
        method,
        url,
        headers: Vec::new(),
        body: None,
        deadline: Duration::from_secs(5),
        redirects: Redirects::Follow,
        web: Web::HttpsAndHttp,
    }
}

fn header(name: &str, value: &str, secrecy: Secrecy) -> CallHeader {
    CallHeader::new(name, value, secrecy).unwrap()
}

#[track_caller]
fn refusal(ended: Result<CallAnswer, NotCalled>) -> Failure {
    match ended {
        Err(NotCalled::Refused(failure)) => failure,
        other => panic!("{other:?} is no refusal"),
    }
}
