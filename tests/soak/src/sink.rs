//! The service that workflows call, with a ledger of what came under which key.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use benches::Outcome;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;

/// How long it takes to answer. *Why any time*: so that processes are killed while they wait for it.
const ANSWER_TIME: Duration = Duration::from_millis(15);

/// What came under one key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Charge {
    /// What it said, the first time.
    pub(crate) body: String,
    /// How often it came.
    pub(crate) times: usize,
    /// Whether it once said something else.
    pub(crate) differs: bool,
}

/// The service.
#[derive(Clone)]
pub(crate) struct Sink {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    charges: Arc<Mutex<BTreeMap<String, Charge>>>,
}

impl Sink {
    /// Starts it in a thread of its own.
    pub(crate) fn start() -> Outcome<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let sink = Self { address: listener.local_addr()?, charges: Arc::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let own = sink.clone();
        thread::spawn(move || runtime.block_on(own.serve(listener)));
        Ok(sink)
    }

    /// All that came.
    pub(crate) fn charges(&self) -> BTreeMap<String, Charge> {
        self.charges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn serve(self, listener: std::net::TcpListener) -> std::io::Result<Infallible> {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            let sink = self.clone();
            tokio::spawn(http1::Builder::new().serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| {
                    let sink = sink.clone();
                    async move { Ok::<_, Infallible>(sink.answer(request).await) }
                }),
            ));
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let key = request.headers().get("idempotency-key").and_then(|key| key.to_str().ok());
        let key = key.unwrap_or("no key").to_owned();
        let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let body = String::from_utf8_lossy(&body).into_owned();
        {
            let mut charges = self.charges.lock().unwrap_or_else(PoisonError::into_inner);
            let charge = charges.entry(key.clone()).or_default();
            charge.differs |= charge.times > 0 && charge.body != body;
            charge.times += 1;
            charge.body = body;
        }
        tokio::time::sleep(ANSWER_TIME).await;
        let mut response = Response::new(Full::from(json!({ "id": key }).to_string()));
        *response.status_mut() = hyper::StatusCode::CREATED;
        let json = hyper::header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
        response
    }
}
