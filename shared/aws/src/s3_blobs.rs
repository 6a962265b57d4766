//! Blobs on S3, under `sha256/{digest}`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::operation::get_object::GetObjectError;
use bytes::Bytes;
use service::ports::{Blobs, Unavailable, World};

use crate::attempts;

/// One bucket.
///
/// To a role without `s3:ListBucket`, as ours are, S3 answers 403 in place of 404: a blob that was never put is
/// [`Unavailable`] then, and not absent. Nobody asks for one that no item names.
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

fn object_key(sha256: &str) -> String {
    format!("sha256/{sha256}")
}

const fn unavailable(cause: String) -> Unavailable {
    Unavailable { port: "blobs", cause }
}
