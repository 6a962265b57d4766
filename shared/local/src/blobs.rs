//! Blobs in a folder, `ab/abcdef…` for the digest `abcdef…`.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::iter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use service::ports::{Blobs, Pieces, Unavailable};
use tokio::io::AsyncWriteExt;

/// What the names of unfinished blobs begin with.
const DRAFT_PREFIX: &str = "draft-";

/// A folder of files named by their SHA-256.
///
/// A blob is written beside its place, synced, and renamed, so that a file with the name of a digest is always whole.
#[derive(Debug)]
pub struct FolderBlobs {
    root: PathBuf,
    drafts: AtomicU64,
}

/// A blob that is not whole yet.
#[derive(Debug)]
pub(crate) struct Draft {
    file: tokio::fs::File,
    path: PathBuf,
    place: PathBuf,
}

impl FolderBlobs {
    /// The folder `root`, which is made with the first blob.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), drafts: AtomicU64::new(0) }
    }

    /// How many bytes the blob under `sha256` has, if it is there.
    pub(crate) async fn size(&self, sha256: &str) -> Result<Option<u64>, Unavailable> {
        let place = self.place(sha256)?;
        blocking(move || found(fs::metadata(place)).map(|file| file.map(|file| file.len()))).await
    }

    /// An empty file beside the blobs, for one that comes piece by piece.
    pub(crate) async fn begin(&self, sha256: &str) -> Result<Draft, Unavailable> {
        let (place, path) = (self.place(sha256)?, self.draft());
        let root = self.root.clone();
        let file = blocking({
            let path = path.clone();
            move || fs::create_dir_all(root).and_then(|()| File::create(path))
        });
        Ok(Draft { file: file.await?.into(), path, place })
    }

    /// Removes what earlier processes began and never finished. Nobody else may be at work in the folder.
    pub(crate) fn forget_drafts(&self) -> std::io::Result<()> {
        for entry in found(fs::read_dir(&self.root))?.into_iter().flatten() {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(DRAFT_PREFIX) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn place(&self, sha256: &str) -> Result<PathBuf, Unavailable> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match sha256.get(..2) {
            Some(shelf) if is_digest => Ok(self.root.join(shelf).join(sha256)),
            Some(_) | None => Err(unavailable("a blob is named by 64 lower-case hex digits")),
        }
    }

    fn draft(&self) -> PathBuf {
        // The process is in the name because another one may have left a draft of the same number behind.
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("{DRAFT_PREFIX}{}-{number}", std::process::id()))
    }
}

impl Draft {
    /// Puts `bytes` behind those that are there.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), Unavailable> {
        self.file.write_all(bytes).await.map_err(|error| unavailable(&error.to_string()))
    }

    /// Makes a blob of it. The caller knows that the bytes have the digest that the place is named by.
    pub(crate) async fn keep(mut self) -> Result<(), Unavailable> {
        let kept = async {
            self.file.flush().await?;
            self.file.sync_data().await?;
            if let Some(shelf) = self.place.parent() {
                tokio::fs::create_dir_all(shelf).await?;
            }
            tokio::fs::rename(&self.path, &self.place).await
        };
        kept.await.map_err(|error| unavailable(&error.to_string()))
    }
}

impl Drop for Draft {
    /// What was not kept leaves no file behind; what was kept has another name by now.
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != ErrorKind::NotFound
        {
            tracing::warn!(%error, "a draft was not removed");
        }
    }
}

#[async_trait]
impl Blobs for FolderBlobs {
    async fn put(&self, sha256: &str, bytes: Bytes) -> Result<(), Unavailable> {
        let (place, draft) = (self.place(sha256)?, self.draft());
        blocking(
            move || if place.exists() { Ok(()) } else { write(&place, &draft, bytes.len() as u64, iter::once(bytes)) },
        )
        .await
    }

    async fn put_pieces(&self, sha256: &str, length: u64, pieces: Pieces) -> Result<(), Unavailable> {
        let (place, draft) = (self.place(sha256)?, self.draft());
        blocking(move || if place.exists() { Ok(()) } else { write(&place, &draft, length, pieces()) }).await
    }

    async fn find(&self, sha256: &str) -> Result<Option<Bytes>, Unavailable> {
        let place = self.place(sha256)?;
        blocking(move || found(fs::read(place)).map(|bytes| bytes.map(Bytes::from))).await
    }
}

/// Nothing in place of the error that there is nothing.
fn found<T>(outcome: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn write(place: &Path, draft: &Path, length: u64, pieces: impl Iterator<Item = Bytes>) -> std::io::Result<()> {
    if let Some(shelf) = place.parent() {
        fs::create_dir_all(shelf)?;
    }
    let mut file = File::create(draft)?;
    let mut written: u64 = 0;
    for piece in pieces {
        file.write_all(&piece)?;
        written += piece.len() as u64;
    }
    if written != length {
        fs::remove_file(draft)?;
        return Err(std::io::Error::other(format!("{written} bytes came in place of {length}")));
    }
    file.sync_data()?;
    fs::rename(draft, place)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Unavailable> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| unavailable(&error.to_string())),
        Err(error) => Err(unavailable(&error.to_string())),
    }
}

fn unavailable(cause: &str) -> Unavailable {
    Unavailable { port: "blobs", cause: cause.to_owned() }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[tokio::test]
    async fn a_blob_is_found_by_its_digest_also_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let sha256 = hex::encode(Sha256::digest(b"body"));
        let blobs = FolderBlobs::new(folder.path());
        assert_eq!(blobs.find(&sha256).await.unwrap(), None);
        for _ in 0..2 {
            blobs.put(&sha256, Bytes::from_static(b"body")).await.unwrap();
        }
        assert_eq!(FolderBlobs::new(folder.path()).find(&sha256).await.unwrap().as_deref(), Some(&b"body"[..]));
        assert!(folder.path().join(&sha256[..2]).join(&sha256).is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }

    #[tokio::test]
    async fn a_draft_is_gone_when_it_is_dropped_and_with_the_process_that_began_it() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = FolderBlobs::new(folder.path());
        drop(blobs.begin(&"a".repeat(64)).await.unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut draft = blobs.begin(&"a".repeat(64)).await.unwrap();
        draft.write(b"half").await.unwrap();
        blobs.put(&"b".repeat(64), Bytes::from_static(b"whole")).await.unwrap();
        FolderBlobs::new(folder.path()).forget_drafts().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(blobs.size(&"b".repeat(64)).await.unwrap(), Some(5));
    }

    #[tokio::test]
    async fn what_is_no_digest_names_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = FolderBlobs::new(folder.path().join("blobs"));
        for name in ["", "../../etc/passwd", &"G".repeat(64), &"ä".repeat(32)] {
            assert!(blobs.put(name, Bytes::new()).await.is_err());
            assert!(blobs.find(name).await.is_err());
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
