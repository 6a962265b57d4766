//! What S3 does for uploads on AWS: takes a granted file straight from its sender, page or program.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use local::{LocalUploads, UploadRefusal, UploadRequest};
use service::http::{Response, error_response};
use tokio::time::timeout;

use super::{READ_TIMEOUT, closing, discard};

/// What a page may do here. *Why* everybody's: the grant in the URL is what counts, as in the bucket.
const CORS: [(HeaderName, HeaderValue); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("PUT")),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type")),
];

/// Answers a request below `/uploads/`.
pub(super) async fn answer(uploads: &LocalUploads, head: &Parts, mut body: Incoming) -> Response {
    let mut response = match head.method {
        Method::PUT => match receive(uploads, head, &mut body).await {
            Ok(()) => empty(StatusCode::OK),
            Err(refused) => {
                // A sender that waits to be asked for its body has not sent it.
                if !head.headers.contains_key(header::EXPECT) {
                    discard(&mut body).await;
                }
                closing(refused)
            }
        },
        Method::OPTIONS => empty(StatusCode::NO_CONTENT),
        _ => {
            let detail = "An upload is brought with PUT.";
            error_response(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        }
    };
    response.headers_mut().extend(CORS);
    response
}

async fn receive(uploads: &LocalUploads, head: &Parts, body: &mut Incoming) -> Result<(), Response> {
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let request = UploadRequest {
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        content_length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
    };
    let mut receiving = uploads.begin(&request).await.map_err(refused)?;
    loop {
        // An upload takes as long as it takes, but each piece of it comes in time.
        let frame = match timeout(READ_TIMEOUT, body.frame()).await {
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_))) => {
                let detail = "The upload ended before all of it had come. Send it again.";
                return Err(error_response(StatusCode::BAD_REQUEST, "body_incomplete", detail));
            }
            Err(_) => {
                let detail = "The upload stopped on its way. Send it again.";
                return Err(error_response(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail));
            }
        };
        if let Ok(piece) = frame.into_data() {
            receiving.take(&piece).await.map_err(refused)?;
        }
    }
    receiving.finish().await.map_err(refused)
}

fn refused(refusal: UploadRefusal) -> Response {
    let (status, detail) = match &refusal {
        UploadRefusal::NotGranted | UploadRefusal::Expired => (StatusCode::FORBIDDEN, refusal.to_string()),
        UploadRefusal::WrongLength(_) | UploadRefusal::WrongDigest => (StatusCode::BAD_REQUEST, refusal.to_string()),
        UploadRefusal::Unavailable(error) => {
            tracing::error!(%error, "an upload was not kept");
            (StatusCode::SERVICE_UNAVAILABLE, "The upload was not kept. Send it again in a few seconds.".to_owned())
        }
    };
    error_response(status, refusal.code(), &detail)
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
