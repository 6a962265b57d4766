//! Mails on S3, where SES has put them.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use service::ports::{MAIL_LIMIT_BYTES, Mails, Unavailable, World};

use crate::attempts;

/// One bucket.
///
/// Its reader's role may list it: to any other, S3 answers 403 for a mail that has expired, as for one it may not read.
pub struct S3Mails {
    client: aws_sdk_s3::Client,
    bucket: String,
    world: Arc<dyn World>,
}

impl S3Mails {
    /// The mails in `bucket`.
    pub fn new(client: aws_sdk_s3::Client, bucket: impl Into<String>, world: Arc<dyn World>) -> Self {
        Self { client, bucket: bucket.into(), world }
    }
}

#[async_trait]
impl Mails for S3Mails {
    async fn read(&self, key: &str) -> Result<Option<Bytes>, Unavailable> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let object = match attempts::within_budget(&*self.world, attempts::trouble, || request.clone().send()).await {
            Ok(object) => object,
            Err(defeat) if defeat.last.as_service_error().is_some_and(GetObjectError::is_no_such_key) => {
                return Ok(None);
            }
            Err(defeat) => return Err(unavailable(attempts::cause(&defeat.last))),
        };
        let length = object.content_length.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        whole(object.body, length).await.map(Some)
    }
}

/// The bytes of `body` in one buffer of the `length` that was told, so that a mail takes its own size in memory and no more.
async fn whole(mut body: ByteStream, length: usize) -> Result<Bytes, Unavailable> {
    if length > MAIL_LIMIT_BYTES {
        return Err(too_long(length));
    }

    let mut mail = Vec::with_capacity(length);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| unavailable(attempts::with_sources(&error)))?;
        if mail.len() + piece.len() > MAIL_LIMIT_BYTES {
            return Err(too_long(mail.len() + piece.len()));
        }
        mail.extend_from_slice(&piece);
    }
    Ok(mail.into())
}

fn too_long(length: usize) -> Unavailable {
    unavailable(format!(
        "an object of {length} bytes or more is over the limit of {MAIL_LIMIT_BYTES}; SES stores no such mail"
    ))
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "mails", cause }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use service::memory::FixedWorld;

    use super::*;
    use crate::canned::{Canned, answer};

    fn mails(canned: &Arc<Canned>) -> S3Mails {
        S3Mails::new(canned.s3(), "hw-mail", Arc::new(FixedWorld::at(Timestamp::from_millisecond(0))))
    }

    #[tokio::test]
    async fn a_mail_is_read_from_the_one_bucket_with_a_key_of_any_kind() {
        let canned = Canned::with([answer(200, b"From: a@b.example\r\n\r\nhello")]);
        let mail = mails(&canned).read("inbound/2026 06/x+y=\u{e9}").await.unwrap().unwrap();
        assert_eq!(mail, &b"From: a@b.example\r\n\r\nhello"[..]);
        let requests = canned.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].method, "GET");
        let uri = "https://hw-mail.s3.eu-west-1.amazonaws.com/inbound/2026%2006/x%2By%3D%C3%A9?x-id=GetObject";
        assert_eq!(requests[0].uri, uri);
    }

    #[tokio::test]
    async fn a_mail_that_is_gone_is_none_and_one_that_may_not_be_read_is_trouble() {
        let gone = b"<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
        let denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        let canned = Canned::with([answer(404, gone), answer(403, denied)]);
        assert_eq!(mails(&canned).read("a").await, Ok(None));
        let trouble = mails(&canned).read("a").await.unwrap_err();
        assert_eq!(trouble, unavailable("AccessDenied (403): no".to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_passing_fault_is_tried_again() {
        let slow = b"<Error><Code>SlowDown</Code><Message>please</Message></Error>";
        let canned = Canned::with([answer(503, slow), answer(500, b""), answer(200, b"mail")]);
        assert_eq!(mails(&canned).read("a").await, Ok(Some(Bytes::from_static(b"mail"))));
        assert_eq!(canned.requests().len(), 3);
    }

    #[tokio::test]
    async fn what_is_longer_than_any_mail_is_not_taken_into_memory() {
        let told = whole(ByteStream::from_static(b""), MAIL_LIMIT_BYTES + 1).await;
        assert!(told.unwrap_err().cause.contains("over the limit"));
        let untold = whole(ByteStream::from(vec![0; MAIL_LIMIT_BYTES + 1]), 0).await;
        assert!(untold.unwrap_err().cause.contains("over the limit"));
    }

    #[tokio::test]
    async fn the_buffer_is_as_long_as_the_mail() {
        let mail = whole(ByteStream::from(vec![7; 5_000_000]), 5_000_000).await.unwrap();
        // Turned back into a vector, the buffer shows its capacity.
        assert_eq!(Vec::from(mail).capacity(), 5_000_000);
    }
}
