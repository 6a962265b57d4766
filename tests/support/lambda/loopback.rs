//! A small HTTP server on a free port of this machine, which answers each whole request with one function.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use service::http::{Request, Response};
use tokio::net::TcpListener;

/// Serves `answer` until the runtime ends and gives the address. A question whose asker goes away is dropped.
pub(super) async fn serve<Answer, Answered>(answer: Answer) -> SocketAddr
where
    Answer: Fn(Request) -> Answered + Clone + Send + Sync + 'static,
    Answered: Future<Output = Response> + Send,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| respond(&answer, request));
                // A function that is killed leaves a broken connection, which is nobody's error.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

async fn respond<Answer, Answered>(
    answer: &Answer,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, hyper::Error>
where
    Answer: Fn(Request) -> Answered,
    Answered: Future<Output = Response>,
{
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(answer(Request::from_parts(parts, body)).await.map(Full::new))
}

/// A response with `status` and a body.
pub(super) fn response(status: u16, body: impl Into<Bytes>) -> Response {
    http::Response::builder().status(status).body(body.into()).unwrap()
}
