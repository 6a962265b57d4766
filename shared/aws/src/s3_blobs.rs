//! Blobs on S3, under `sha256/{digest}`.

mod pieces;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use aws_sdk_s3::presigning::{PresigningConfig, PresigningConfigError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use service::ports::{Blobs, Grant, Pieces, Unavailable, Upload, Uploads, World};

use crate::attempts;

/// How long S3 may take to answer once it has a large blob whole.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// A function with little memory has little of the network too; what is slower than this has stalled.
const SLOWEST_BYTES_PER_SECOND: u64 = 2 * 1024 * 1024;

/// One bucket.
///
/// To a role without `s3:ListBucket`, as those of the doors are, S3 answers 403 in place of 404. [`Blobs::find`] calls that
/// [`Unavailable`], because a door asks for no blob that no item names; [`Uploads::size`] calls it absent, because a sender
/// may never have used its grant. The executor may list, since a file that a mail is to have may be gone for good.
pub struct S3Blobs {
    client: aws_sdk_s3::Client,
    bucket: String,
    world: Arc<dyn World>,
}

impl S3Blobs {
    /// The blobs in `bucket`.
    pub fn new(client: aws_sdk_s3::Client, bucket: impl Into<String>, world: Arc<dyn World>) -> Self {
        Self { client, bucket: bucket.into(), world }
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn put(&self, sha256: &str, bytes: Bytes) -> Result<(), Unavailable> {
        let request =
            || self.client.put_object().bucket(&self.bucket).key(object_key(sha256)).body(bytes.clone().into());
        attempts::within_budget(&*self.world, attempts::trouble, || request().send())
            .await
            .map_err(|defeat| unavailable(attempts::cause(&defeat.last)))?;
        Ok(())
    }

    /// S3 checks the bytes against their digest, and takes none of them where it is another one.
    async fn put_pieces(&self, sha256: &str, length: u64, pieces: Pieces) -> Result<(), Unavailable> {
        let checksum = STANDARD.encode(hex::decode(sha256).map_err(|error| unavailable(error.to_string()))?);
        let content_length = i64::try_from(length).map_err(|error| unavailable(error.to_string()))?;
        let send = || {
            let put = self.client.put_object().bucket(&self.bucket).key(object_key(sha256));
            let put = put.content_length(content_length).checksum_sha256(&checksum);
            let put = put.body(pieces::stream(pieces(), length)).customize();
            put.config_override(Config::builder().timeout_config(time_for(length))).send()
        };
        attempts::within_budget(&*self.world, attempts::trouble, send)
            .await
            .map_err(|defeat| unavailable(attempts::cause(&defeat.last)))?;
        Ok(())
    }

    async fn find(&self, sha256: &str) -> Result<Option<Bytes>, Unavailable> {
        let request = self.client.get_object().bucket(&self.bucket).key(object_key(sha256));
        let object = match attempts::within_budget(&*self.world, attempts::trouble, || request.clone().send()).await {
            Ok(object) => object,
            Err(defeat) if defeat.last.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(defeat) => return Err(unavailable(attempts::cause(&defeat.last))),
        };
        let body = object.body.collect().await.map_err(|error| unavailable(error.to_string()))?;
        Ok(Some(body.into_bytes()))
    }
}

#[async_trait]
impl Uploads for S3Blobs {
    /// A pre-signed `PutObject`. Length, type and checksum are signed, so S3 takes these bytes and no others.
    ///
    /// The grant ends with the credentials that signed it, if that is sooner.
    async fn grant(&self, upload: &Upload) -> Result<Grant, Unavailable> {
        let digest = hex::decode(&upload.sha256).map_err(|error| unavailable(error.to_string()))?;
        let length = i64::try_from(upload.bytes).map_err(|error| unavailable(error.to_string()))?;
        let signed = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(object_key(&upload.sha256))
            .content_length(length)
            .content_type(&upload.content_type)
            .checksum_sha256(STANDARD.encode(digest))
            .presigned(self.validity(upload.seconds).map_err(|error| unavailable(error.to_string()))?)
            .await
            .map_err(|error| unavailable(attempts::cause(&error)))?;
        // A client sends the length by itself, and a browser lets nobody else say it.
        let headers = signed.headers().filter(|(name, _)| *name != "content-length");
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Grant { url: signed.uri().to_owned(), headers })
    }

    async fn size(&self, sha256: &str) -> Result<Option<u64>, Unavailable> {
        let request = self.client.head_object().bucket(&self.bucket).key(object_key(sha256));
        match attempts::within_budget(&*self.world, attempts::trouble, || request.clone().send()).await {
            Ok(object) => Ok(object.content_length().and_then(|length| u64::try_from(length).ok())),
            Err(defeat) if is_not_there(&defeat.last) => Ok(None),
            Err(defeat) => Err(unavailable(attempts::cause(&defeat.last))),
        }
    }
}

impl S3Blobs {
    fn validity(&self, seconds: u32) -> Result<PresigningConfig, PresigningConfigError> {
        let now_ms = u64::try_from(self.world.now().as_millisecond()).unwrap_or_default();
        let start = UNIX_EPOCH + Duration::from_millis(now_ms);
        PresigningConfig::builder().start_time(start).expires_in(Duration::from_secs(seconds.into())).build()
    }
}

/// The time that a request with a body of `length` bytes may take, in place of the client's own.
fn time_for(length: u64) -> TimeoutConfig {
    let limit = ANSWER_TIMEOUT + Duration::from_secs(length / SLOWEST_BYTES_PER_SECOND);
    TimeoutConfig::builder().operation_attempt_timeout(limit).operation_timeout(limit).build()
}

/// The answer to `HEAD` has no body and so no code; the status is all there is.
fn is_not_there(error: &SdkError<HeadObjectError, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|answer| matches!(answer.status().as_u16(), 403 | 404))
}

fn object_key(sha256: &str) -> String {
    format!("sha256/{sha256}")
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "blobs", cause }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use domain::Timestamp;
    use service::memory::FixedWorld;

    use super::*;
    use crate::canned::{Canned, answer};

    const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn blobs() -> S3Blobs {
        let conf = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", Some("session".to_owned()), None, "test"))
            .build();
        let noon = Timestamp::parse("2026-11-22T12:00:00.000Z").unwrap();
        S3Blobs::new(aws_sdk_s3::Client::from_conf(conf), "hw-blobs", Arc::new(FixedWorld::at(noon)))
    }

    fn upload() -> Upload {
        Upload { sha256: SHA256.to_owned(), bytes: 12, content_type: "image/png".to_owned(), seconds: 300 }
    }

    #[tokio::test]
    async fn a_grant_signs_all_that_tells_these_bytes_from_others() {
        let grant = blobs().grant(&upload()).await.unwrap();
        let (place, query) = grant.url.split_once('?').unwrap();
        assert_eq!(place, format!("https://hw-blobs.s3.eu-west-1.amazonaws.com/sha256/{SHA256}"));
        for signed in [
            "X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bx-amz-checksum-sha256",
            "X-Amz-Date=20261122T120000Z",
            "X-Amz-Expires=300",
            "X-Amz-Security-Token=session",
        ] {
            assert!(query.split('&').any(|part| part == signed), "{signed} in {query}");
        }
        let mut headers = grant.headers;
        headers.sort();
        let checksum = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".to_owned();
        let content_type = ("content-type".to_owned(), "image/png".to_owned());
        assert_eq!(headers, [content_type, ("x-amz-checksum-sha256".to_owned(), checksum)]);
    }

    #[tokio::test]
    async fn another_length_type_digest_or_time_is_another_signature() {
        let blobs = blobs();
        let mut urls = vec![blobs.grant(&upload()).await.unwrap().url];
        for other in [
            Upload { bytes: 13, ..upload() },
            Upload { content_type: "text/html".to_owned(), ..upload() },
            Upload { sha256: "0".repeat(64), ..upload() },
            Upload { seconds: 301, ..upload() },
        ] {
            urls.push(blobs.grant(&other).await.unwrap().url);
        }
        let mut signatures: Vec<&str> = urls.iter().map(|url| url.split_once("X-Amz-Signature=").unwrap().1).collect();
        signatures.sort_unstable();
        signatures.dedup();
        assert_eq!(signatures.len(), 5);
    }

    #[tokio::test]
    async fn what_is_no_digest_and_what_lasts_longer_than_a_week_is_not_granted() {
        let blobs = blobs();
        assert!(blobs.grant(&Upload { sha256: "../a".to_owned(), ..upload() }).await.is_err());
        assert!(blobs.grant(&Upload { seconds: 8 * 86_400, ..upload() }).await.is_err());
        assert!(blobs.grant(&Upload { bytes: u64::MAX, ..upload() }).await.is_err());
    }

    /// What a digest is taken of is the callers' to know; here any pieces have the one of nothing.
    fn pieces(texts: &'static [&'static str]) -> Pieces {
        Arc::new(move || Box::new(texts.iter().map(|text| Bytes::from_static(text.as_bytes()))))
    }

    fn over(canned: &Arc<Canned>) -> S3Blobs {
        S3Blobs::new(canned.s3(), "hw-blobs", Arc::new(FixedWorld::at(Timestamp::from_millisecond(0))))
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_leave_with_their_length_and_their_digest_and_from_their_beginning_at_each_try() {
        let canned = Canned::with([answer(503, b""), answer(200, b"")]);
        over(&canned).put_pieces(SHA256, 10, pieces(&["one ", "", "piece ", ""])).await.unwrap();
        let requests = canned.requests();
        assert_eq!(requests.len(), 2);
        for request in requests {
            assert_eq!(request.body, b"one piece ");
            assert_eq!(request.header("content-length"), Some("10"));
            assert_eq!(request.header("x-amz-checksum-sha256"), Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
            assert_eq!(request.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
            assert_eq!(request.header("content-encoding"), None);
            assert_eq!(request.header("transfer-encoding"), None);
            let signed = request.header("authorization").unwrap();
            assert!(signed.contains("x-amz-checksum-sha256"), "{signed}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pieces_of_another_length_are_not_kept() {
        for (length, texts) in
            [(4, &["abc"][..]), (4, &["abc", "de"]), (3, &["abc", "d"]), (3, &["abcd"]), (1, &[]), (0, &["a"])]
        {
            let canned = Canned::with([]);
            let kept = over(&canned).put_pieces(SHA256, length, pieces(texts)).await;
            assert!(kept.is_err(), "{length} {texts:?}");
            assert_eq!(canned.requests().len(), 0, "{length} {texts:?}");
        }
        let canned = Canned::with([answer(200, b"")]);
        assert!(over(&canned).put_pieces(SHA256, 0, pieces(&[""])).await.is_ok());
        assert!(over(&canned).put_pieces("no digest", 0, pieces(&[])).await.is_err());
    }
}
