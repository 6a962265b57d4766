//! A call through the guard beside the same request by the bare HTTP client.
//!
//! `cargo run --release -p benches --bin rest`. Both are hyper's client with one pool of connections, and both read the whole
//! answer of an echo server on the loopback address in a thread of its own. What is ours: the address is judged, headers are
//! copied, the answer is counted while it is read, and a deadline runs. The rows take turns in short rounds, and the best of each
//! counts, because other programs only ever slow one down.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use aws::WebCalls;
use benches::{Outcome, figures, tutorial};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use service::ports::{CallBody, CallHeader, Calls, Method, OutgoingCall, Redirects, Secrecy, Web};
use tokio::net::TcpListener;

/// Calls of one row in one round.
const CALLS: usize = 200;

const ROUNDS: usize = 100;

/// Whether the server keeps a connection after an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Connections {
    Kept,
    Fresh,
}

fn main() -> Outcome<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        println!("POST of {} bytes of JSON, which come back", tutorial::ORDER_BYTES);
        for connections in [Connections::Kept, Connections::Fresh] {
            measure(connections).await?;
        }
        Ok(())
    })
}

async fn measure(connections: Connections) -> Outcome<()> {
    let address = start_echo(connections)?;
    let bare =
        Bare { client: Client::builder(TokioExecutor::new()).build(nodelay()), url: format!("http://{address}/echo") };
    let guarded = WebCalls::new(vec![address.to_string().parse()?]);
    let call = call(&bare.url)?;
    let (mut best_bare, mut best_guarded) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..CALLS {
            bare.call(&call).await?;
        }
        best_bare = best_bare.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        for _ in 0..CALLS {
            guarded.call(&call).await?;
        }
        best_guarded = best_guarded.min(begun.elapsed().as_secs_f64());
    }
    let title = match connections {
        Connections::Kept => "Over connections that are kept",
        Connections::Fresh => "Over a connection for each call",
    };
    figures::head(&format!("{title} (goal: within 1.3 of the bare client)"), &["us each", "of the bare"]);
    let micros = |seconds: f64| seconds / CALLS as f64 * 1_000_000.0;
    figures::row("the bare client", &[Some(micros(best_bare)), Some(1.0)]);
    figures::row("a call through the guard", &[Some(micros(best_guarded)), Some(best_guarded / best_bare)]);
    Ok(())
}

/// The same client without the guard.
struct Bare {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
}

impl Bare {
    async fn call(&self, call: &OutgoingCall) -> Outcome<Bytes> {
        let mut request = Request::builder().method("POST").uri(&self.url).header("accept-encoding", "identity");
        for header in &call.headers {
            request = request.header(header.name(), header.value());
        }
        let body = call.body.as_ref().map(|body| body.bytes.clone()).unwrap_or_default();
        let answer = self.client.request(request.body(Full::new(body))?).await?;
        Ok(answer.into_body().collect().await?.to_bytes())
    }
}

fn nodelay() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector
}

fn call(url: &str) -> Outcome<OutgoingCall> {
    let header = |name, value| CallHeader::new(name, value, Secrecy::Open);
    Ok(OutgoingCall {
        method: Method::Post,
        url: url.to_owned(),
        headers: vec![
            header("idempotency-key", "5a345109e578360010eaa1ad/call/1")?,
            header("accept", "application/json")?,
            header("content-type", "application/json")?,
            header("user-agent", "hookwright")?,
        ],
        body: Some(CallBody { bytes: tutorial::order(1).into(), secrecy: Secrecy::Open }),
        deadline: Duration::from_secs(20),
        redirects: Redirects::Follow,
        web: Web::HttpsAndHttp,
    })
}

/// A server in a thread of its own that gives back what it is sent.
fn start_echo(connections: Connections) -> Outcome<SocketAddr> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || runtime.block_on(serve(listener, connections)));
    Ok(address)
}

async fn serve(listener: std::net::TcpListener, connections: Connections) -> io::Result<Infallible> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let mut builder = http1::Builder::new();
        builder.keep_alive(connections == Connections::Kept);
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), service_fn(echo)));
    }
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Ok(Response::new(Full::new(body)))
}
