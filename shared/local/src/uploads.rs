//! Uploads without S3: a grant is a URL of this process, signed with a key that ends with it.
//!
//! Whoever listens passes on what comes, piece by piece: an upload may be larger than memory. It is a blob only once it is
//! whole and has the digest that was granted.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::BytesMut;
use ring::{digest, hmac};
use service::memory::MemoryBlobs;
use service::ports::{Blobs, Grant, Unavailable, Upload, Uploads, World};

use crate::FolderBlobs;
use crate::blobs::Draft;

/// What the paths of uploads begin with.
pub const UPLOADS_PATH: &str = "/uploads/";

/// The uploads of one process.
pub struct LocalUploads {
    shelf: Shelf,
    world: Arc<dyn World>,
    key: hmac::Key,
    base_url: OnceLock<String>,
}

/// Where uploads end up.
#[derive(Debug, Clone)]
pub(crate) enum Shelf {
    Folder(Arc<FolderBlobs>),
    Memory(Arc<MemoryBlobs>),
}

/// The head of a request that brings an upload.
#[derive(Debug, Clone, Copy)]
pub struct UploadRequest<'r> {
    /// Begins with [`UPLOADS_PATH`].
    pub path: &'r str,
    /// Empty where there is none.
    pub query: &'r str,
    /// The `Content-Type`, empty where there is none.
    pub content_type: &'r str,
    /// The `Content-Length`, if it is said.
    pub content_length: Option<u64>,
}

/// An upload that is coming.
pub struct Receiving {
    granted: Granted,
    came_bytes: u64,
    digest: digest::Context,
    place: Place,
}

/// Why an upload is not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadRefusal {
    /// The URL was not made here, or not for this type.
    #[error("This address was not granted as it is. Use the URL and the headers of the grant without a change.")]
    NotGranted,
    /// The grant is over.
    #[error("The time for this upload is over. Ask for another one.")]
    Expired,
    /// There are more or fewer bytes than granted.
    #[error("The upload is granted for exactly {0} bytes.")]
    WrongLength(u64),
    /// They are other bytes.
    #[error("The bytes do not have the SHA-256 that the upload is granted for.")]
    WrongDigest,
    /// The world does not do its part.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What a URL says, once its signature is known to be ours.
struct Granted {
    sha256: String,
    bytes: u64,
}

enum Place {
    File(Draft),
    Memory(Arc<MemoryBlobs>, BytesMut),
}

impl LocalUploads {
    pub(crate) fn new(shelf: Shelf, world: Arc<dyn World>) -> Result<Self, Unavailable> {
        let mut secret = [0; 32];
        world.fill(&mut secret)?;
        Ok(Self { shelf, world, key: hmac::Key::new(hmac::HMAC_SHA256, &secret), base_url: OnceLock::new() })
    }

    /// Tells where somebody listens for uploads: `http://127.0.0.1:8787`. Said once; nothing is granted before.
    pub fn listen_at(&self, base_url: &str) {
        // Whoever says it a second time has made no grants that would be wrong now.
        let _known = self.base_url.set(base_url.trim_end_matches('/').to_owned());
    }

    /// Judges the head of a request before any of its body is read.
    ///
    /// *Errors*: [`UploadRefusal::NotGranted`], `Expired` or `WrongLength`.
    pub async fn begin(&self, request: &UploadRequest<'_>) -> Result<Receiving, UploadRefusal> {
        let granted = self.granted(request)?;
        if request.content_length.is_some_and(|length| length != granted.bytes) {
            return Err(UploadRefusal::WrongLength(granted.bytes));
        }
        let place = match &self.shelf {
            Shelf::Folder(blobs) => Place::File(blobs.begin(&granted.sha256).await?),
            Shelf::Memory(blobs) => Place::Memory(Arc::clone(blobs), BytesMut::new()),
        };
        Ok(Receiving { granted, came_bytes: 0, digest: digest::Context::new(&digest::SHA256), place })
    }

    fn granted(&self, request: &UploadRequest<'_>) -> Result<Granted, UploadRefusal> {
        let read = || {
            let sha256 = request.path.strip_prefix(UPLOADS_PATH)?;
            let mut parts = request.query.split('&');
            let bytes: u64 = parts.next()?.strip_prefix("bytes=")?.parse().ok()?;
            let until: i64 = parts.next()?.strip_prefix("until=")?.parse().ok()?;
            let signature = hex::decode(parts.next()?.strip_prefix("signature=")?).ok()?;
            let signed = signed_text(sha256, bytes, request.content_type, until);
            // In constant time.
            hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
            parts.next().is_none().then(|| (Granted { sha256: sha256.to_owned(), bytes }, until))
        };
        let (granted, until) = read().ok_or(UploadRefusal::NotGranted)?;
        if self.world.now().as_second() > until {
            return Err(UploadRefusal::Expired);
        }
        Ok(granted)
    }
}

#[async_trait]
impl Uploads for LocalUploads {
    async fn grant(&self, upload: &Upload) -> Result<Grant, Unavailable> {
        let Some(base_url) = self.base_url.get() else { return Err(unavailable("nobody listens for uploads yet")) };
        let Upload { sha256, bytes, content_type, seconds } = upload;
        let until = self.world.now().as_second() + i64::from(*seconds);
        let signed = signed_text(sha256, *bytes, content_type, until);
        let signature = hex::encode(hmac::sign(&self.key, signed.as_bytes()));
        Ok(Grant {
            url: format!("{base_url}{UPLOADS_PATH}{sha256}?bytes={bytes}&until={until}&signature={signature}"),
            headers: vec![("content-type".to_owned(), content_type.clone())],
        })
    }

    async fn size(&self, sha256: &str) -> Result<Option<u64>, Unavailable> {
        match &self.shelf {
            Shelf::Folder(blobs) => blobs.size(sha256).await,
            Shelf::Memory(blobs) => blobs.size(sha256).await,
        }
    }
}

impl Receiving {
    /// Takes the next bytes.
    ///
    /// *Errors*: [`UploadRefusal::WrongLength`] as soon as there are too many.
    pub async fn take(&mut self, bytes: &[u8]) -> Result<(), UploadRefusal> {
        self.came_bytes = self.came_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.came_bytes > self.granted.bytes {
            return Err(UploadRefusal::WrongLength(self.granted.bytes));
        }
        self.digest.update(bytes);
        match &mut self.place {
            Place::File(draft) => draft.write(bytes).await?,
            Place::Memory(_, whole) => whole.extend_from_slice(bytes),
        }
        Ok(())
    }

    /// Ends the upload.
    ///
    /// *Once it returns* the bytes are a blob.
    /// *Errors*: [`UploadRefusal::WrongLength`] or `WrongDigest`; nothing is kept then.
    pub async fn finish(self) -> Result<(), UploadRefusal> {
        if self.came_bytes != self.granted.bytes {
            return Err(UploadRefusal::WrongLength(self.granted.bytes));
        }
        if hex::encode(self.digest.finish()) != self.granted.sha256 {
            return Err(UploadRefusal::WrongDigest);
        }
        match self.place {
            Place::File(draft) => draft.keep().await?,
            Place::Memory(blobs, whole) => blobs.put(&self.granted.sha256, whole.freeze()).await?,
        }
        Ok(())
    }
}

impl Shelf {
    /// The same place as what it is to everybody else.
    pub(crate) fn blobs(&self) -> Arc<dyn Blobs> {
        match self {
            Self::Folder(blobs) => blobs.clone(),
            Self::Memory(blobs) => blobs.clone(),
        }
    }
}

impl UploadRefusal {
    /// The word for it in an answer.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotGranted => "upload_not_granted",
            Self::Expired => "upload_expired",
            Self::WrongLength(_) => "upload_has_wrong_length",
            Self::WrongDigest => "upload_has_wrong_digest",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// A header holds no line break, so no two grants have one text.
fn signed_text(sha256: &str, bytes: u64, content_type: &str, until: i64) -> String {
    format!("PUT\n{sha256}\n{bytes}\n{until}\n{content_type}")
}

fn unavailable(cause: &str) -> Unavailable {
    Unavailable { port: "uploads", cause: cause.to_owned() }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use service::memory::FixedWorld;

    use super::*;

    #[tokio::test]
    async fn a_grant_ends_with_its_last_second() {
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(1_767_225_600_000)));
        let uploads = LocalUploads::new(Shelf::Memory(Arc::default()), world.clone()).unwrap();
        uploads.listen_at("http://127.0.0.1:8787/");
        let content_type = "image/png";
        let upload = Upload { sha256: "a".repeat(64), bytes: 3, content_type: content_type.to_owned(), seconds: 300 };
        let url = uploads.grant(&upload).await.unwrap().url;
        let (path, query) = url.strip_prefix("http://127.0.0.1:8787").unwrap().split_once('?').unwrap();
        let request = UploadRequest { path, query, content_type, content_length: Some(3) };
        for (second, ends) in [(0, false), (300, false), (301, true)] {
            world.set(Timestamp::from_millisecond((1_767_225_600 + second) * 1000));
            let begun = uploads.begin(&request).await;
            assert_eq!(matches!(begun, Err(UploadRefusal::Expired)), ends, "{second}");
        }
    }
}
