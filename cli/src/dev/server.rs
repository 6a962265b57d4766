//! HTTP on the loopback address: what API Gateway does on AWS.

mod uploads;

use std::{convert::Infallible, net::IpAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use local::{LocalUploads, UPLOADS_PATH};
use service::{
    Door, Management,
    accept::BODY_LIMIT_BYTES,
    http::{API_BODY_LIMIT_BYTES, Front, Request, Response, SourceAddress, error_response, form, web},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

/// How long a sender may take for the head of a request, and again for its body. *Source*: 30 s is API Gateway's.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a body that is refused is still read, so that its sender sees the answer and not a broken connection.
const DISCARD_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// How long connections may finish what they are at when the server stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait when the system has no more file handles for connections.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// The doors behind the listener.
pub(super) struct Doors {
    pub(super) hooks: Arc<Door>,
    pub(super) management: Management,
    /// What S3 is on AWS.
    pub(super) uploads: Arc<LocalUploads>,
}

/// Serves until `stopping` is dropped.
pub(super) async fn serve(listener: TcpListener, doors: Arc<Doors>, mut stopping: watch::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    loop {
        let (stream, peer) = tokio::select! {
            _ = stopping.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(ACCEPT_REST).await;
                    continue;
                }
            },
        };
        let connection = connection(stream, peer.ip(), Arc::clone(&doors));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
        });
    }
    drop(listener);
    if timeout(FINISH_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections did not finish in time");
    }
}

fn connection(
    stream: TcpStream,
    peer: IpAddr,
    doors: Arc<Doors>,
) -> impl hyper_util::server::graceful::GracefulConnection<Error = hyper::Error> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may wait for more to send");
    }
    // A sender may have closed its half once it had sent everything; it still gets its answer.
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT).half_close(true);
    server.serve_connection(
        TokioIo::new(stream),
        service_fn(move |request| {
            let doors = Arc::clone(&doors);
            async move { Ok::<_, Infallible>(answer(&doors, peer, request).await.map(Full::new)) }
        }),
    )
}

async fn answer(doors: &Doors, peer: IpAddr, request: hyper::Request<Incoming>) -> Response {
    let (mut parts, mut body) = request.into_parts();
    if parts.uri.path().starts_with(UPLOADS_PATH) {
        return uploads::answer(&doors.uploads, &parts, body).await;
    }
    parts.extensions.insert(SourceAddress(peer));
    let front = Front::of(&parts.method, parts.uri.path());
    let limit = match front {
        Front::Form | Front::Web => BODY_LIMIT_BYTES,
        Front::Management => API_BODY_LIMIT_BYTES,
    };
    let body = match timeout(READ_TIMEOUT, read(&mut body, limit)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let detail = "The body ended before all of it had come. Send it again.";
            return closing(error_response(StatusCode::BAD_REQUEST, "body_incomplete", detail));
        }
        Err(_) => {
            let detail = "The body did not come in time. Send it again, faster.";
            return closing(error_response(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail));
        }
    };
    let request = Request::from_parts(parts, body);
    match front {
        Front::Form => form::receive(&doors.hooks, &request).await,
        Front::Web => web::receive(&doors.hooks, &request).await,
        Front::Management => doors.management.answer(&request).await,
    }
}

/// The body, or the first bytes of it past `limit`, which are enough to refuse it.
async fn read(body: &mut Incoming, limit: usize) -> Result<Bytes, hyper::Error> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            whole.extend_from_slice(&data);
        }
        if whole.len() > limit {
            discard(body).await;
            break;
        }
    }
    Ok(whole.freeze())
}

/// Reads on without keeping anything, for a while.
async fn discard(body: &mut Incoming) {
    let mut seen = 0;
    let discarding = async {
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > DISCARD_LIMIT_BYTES {
                break;
            }
        }
    };
    if timeout(FINISH_TIMEOUT, discarding).await.is_err() {
        tracing::debug!("a refused body went on for too long");
    }
}

fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
