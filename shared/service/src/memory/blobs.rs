//! Blobs in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{Blobs, Grant, Pieces, Unavailable, Upload, Uploads};

/// Bytes under their SHA-256, gone with the process.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    blobs: Mutex<HashMap<String, Bytes>>,
}

impl MemoryBlobs {
    /// How many different blobs were put.
    pub fn count(&self) -> usize {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[async_trait]
impl Blobs for MemoryBlobs {
    async fn put(&self, sha256: &str, bytes: Bytes) -> Result<(), Unavailable> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).insert(sha256.to_owned(), bytes);
        Ok(())
    }

    async fn put_pieces(&self, sha256: &str, length: u64, pieces: Pieces) -> Result<(), Unavailable> {
        let bytes: Vec<u8> = pieces().flatten().collect();
        if bytes.len() as u64 != length {
            return Err(Unavailable {
                port: "blobs",
                cause: format!("{} bytes came in place of {length}", bytes.len()),
            });
        }
        self.put(sha256, bytes.into()).await
    }

    async fn find(&self, sha256: &str) -> Result<Option<Bytes>, Unavailable> {
        Ok(self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(sha256).cloned())
    }
}

#[async_trait]
impl Uploads for MemoryBlobs {
    /// Nobody listens at the grant's address; whoever holds it calls [`Blobs::put`].
    async fn grant(&self, upload: &Upload) -> Result<Grant, Unavailable> {
        let headers = vec![("content-type".to_owned(), upload.content_type.clone())];
        Ok(Grant { url: format!("memory:{}", upload.sha256), headers })
    }

    async fn size(&self, sha256: &str) -> Result<Option<u64>, Unavailable> {
        Ok(self.find(sha256).await?.map(|bytes| bytes.len() as u64))
    }
}
