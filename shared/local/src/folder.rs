//! A folder of files that are whole or not there, also after the power fails.
//!
//! Names may come from outside: one that could lead out of the folder, or to a draft, is the name of no file.

use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use service::ports::Unavailable;

/// What the names of unfinished files begin with. No other name begins with a dot.
const DRAFT_PREFIX: &str = ".draft-";

/// The longest name that every file system takes.
pub(crate) const NAME_LIMIT_BYTES: usize = 255;

/// A folder, and its folders.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
    port: &'static str,
    drafts: Arc<AtomicU64>,
}

impl Folder {
    /// The folder `root`, which is made with the first file. Errors name `port`.
    pub(crate) fn new(root: impl Into<PathBuf>, port: &'static str) -> Self {
        Self { root: root.into(), port, drafts: Arc::default() }
    }

    /// Writes the file `name`, in place of the one that has the name.
    ///
    /// *Once it returns* the file is durable, and its name too.
    pub(crate) async fn write(&self, name: &str, bytes: Bytes) -> Result<(), Unavailable> {
        let Some(place) = self.place(name) else { return Err(self.unavailable("this is the name of no file")) };
        let (root, draft) = (self.root.clone(), self.draft());
        self.blocking(move || write(&root, &draft, &place, &bytes)).await
    }

    /// The file `name`, if there is one.
    pub(crate) async fn read(&self, name: &str) -> Result<Option<Bytes>, Unavailable> {
        let Some(place) = self.place(name) else { return Ok(None) };
        self.blocking(move || found(fs::read(place)).map(|bytes| bytes.map(Bytes::from))).await
    }

    /// The names of the files in the folder itself, in no order.
    pub(crate) async fn names(&self) -> Result<Vec<String>, Unavailable> {
        let root = self.root.clone();
        self.blocking(move || names(&root)).await
    }

    /// Removes the files that were written before `instant`, and tells how many those were.
    pub(crate) async fn forget_older_than(&self, instant: SystemTime) -> Result<usize, Unavailable> {
        let root = self.root.clone();
        self.blocking(move || forget(&root, &|file| Ok(file.metadata()?.modified()? < instant))).await
    }

    /// Removes what earlier processes began and never finished. Nobody else may be at work in the folder.
    pub(crate) fn forget_drafts(&self) -> io::Result<()> {
        forget(&self.root, &|file| Ok(file.file_name().to_string_lossy().starts_with(DRAFT_PREFIX))).map(drop)
    }

    fn place(&self, name: &str) -> Option<PathBuf> {
        name.split('/').all(is_plain).then(|| self.root.join(name))
    }

    fn draft(&self) -> PathBuf {
        // The process is in the name because another one may have left a draft of the same number behind.
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("{DRAFT_PREFIX}{}-{number}", std::process::id()))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Unavailable> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|error| self.unavailable(&error.to_string())),
            Err(error) => Err(self.unavailable(&error.to_string())),
        }
    }

    fn unavailable(&self, cause: &str) -> Unavailable {
        Unavailable { port: self.port, cause: cause.to_owned() }
    }
}

/// Whether `segment` names something in its own folder, on every system.
fn is_plain(segment: &str) -> bool {
    (1..=NAME_LIMIT_BYTES).contains(&segment.len())
        && !segment.starts_with('.')
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.=+%".contains(&byte))
}

fn write(root: &Path, draft: &Path, place: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = place.parent().unwrap_or(root);
    make(folder)?;
    let written = File::create(draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_data()
    });
    if let Err(error) = written.and_then(|()| fs::rename(draft, place)) {
        // A full disk is no place for half a file. What is wrong is told by the first error.
        let _removed = fs::remove_file(draft);
        return Err(error);
    }
    sync(folder)
}

/// Makes `folder`, and its name durable.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    folder.parent().map_or(Ok(()), sync)
}

/// A new name is durable once its folder is.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Folders cannot be opened here; the system writes names by itself.
#[cfg(not(unix))]
fn sync(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn names(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in found(fs::read_dir(root))?.into_iter().flatten() {
        let entry = entry?;
        let name = entry.file_name().into_string().ok().filter(|name| is_plain(name));
        names.extend(name.filter(|_| entry.file_type().is_ok_and(|kind| kind.is_file())));
    }
    Ok(names)
}

/// Removes the files in `folder` and below that are `doomed`, and counts them.
fn forget(folder: &Path, doomed: &dyn Fn(&DirEntry) -> io::Result<bool>) -> io::Result<usize> {
    let mut forgotten = 0;
    for entry in found(fs::read_dir(folder))?.into_iter().flatten() {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            forgotten += forget(&entry.path(), doomed)?;
        } else if doomed(&entry)? {
            fs::remove_file(entry.path())?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

/// Nothing in place of the error that there is nothing.
fn found<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_names_no_file() {
        let outside = tempfile::tempdir().unwrap();
        let root = outside.path().join("mails");
        let folder = Folder::new(&root, "mails");
        fs::write(outside.path().join("secret"), "x").unwrap();
        let long = "a".repeat(NAME_LIMIT_BYTES + 1);
        for name in ["", "/", "a/", "/a", "../secret", "a/../../secret", ".", ".draft-1-0", "a\\b", "a:b", "a\0", &long]
        {
            assert!(folder.write(name, Bytes::new()).await.is_err(), "{name:?}");
            assert_eq!(folder.read(name).await.unwrap(), None, "{name:?}");
        }
        assert!(!root.exists());
    }

    #[tokio::test]
    async fn a_file_is_replaced_whole_and_drafts_go_with_the_process_that_began_them() {
        let outside = tempfile::tempdir().unwrap();
        let folder = Folder::new(outside.path(), "mails");
        folder.forget_drafts().unwrap();
        for text in ["a first version", "second"] {
            folder.write("inbound/one", Bytes::from(text)).await.unwrap();
            assert_eq!(folder.read("inbound/one").await.unwrap().as_deref(), Some(text.as_bytes()));
        }
        fs::write(outside.path().join(".draft-1-0"), "half").unwrap();
        folder.forget_drafts().unwrap();
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "only the folder of the one file is left");
        assert!(folder.read("inbound/one").await.unwrap().is_some());
    }
}
