//! Mails as the listener received them: what the bucket of SES is on AWS.
//!
//! A mail that was put is durable, and only then may its sender be told that it was taken.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use service::memory::MemoryMails;
use service::ports::{Mails, Unavailable};

use crate::folder::Folder;

/// The mails of one process, or of one state directory.
#[derive(Debug)]
pub struct LocalMails {
    shelf: Shelf,
}

#[derive(Debug)]
enum Shelf {
    Folder(Folder),
    Memory(MemoryMails),
}

impl LocalMails {
    /// Mails as files below `root`, which is made with the first one.
    pub fn folder(root: impl Into<PathBuf>) -> Self {
        Self { shelf: Shelf::Folder(Folder::new(root, "mails")) }
    }

    /// Mails that are gone with the process.
    pub fn memory() -> Self {
        Self { shelf: Shelf::Memory(MemoryMails::default()) }
    }

    /// Keeps `mail` under `key`: `inbound/{id}`.
    ///
    /// *Once it returns* the mail is durable.
    /// *Errors*: [`Unavailable`], also for a key that could be no file of ours.
    pub async fn put(&self, key: &str, mail: Bytes) -> Result<(), Unavailable> {
        match &self.shelf {
            Shelf::Folder(folder) => folder.write(key, mail).await,
            Shelf::Memory(mails) => {
                mails.put(key, mail);
                Ok(())
            }
        }
    }

    /// Removes the mails that were put before `instant`, as the rules of the bucket do, and tells how many those were.
    ///
    /// Mails in memory stay: their process does not last that long.
    pub async fn forget_older_than(&self, instant: Timestamp) -> Result<usize, Unavailable> {
        match &self.shelf {
            Shelf::Folder(folder) => folder.forget_older_than(system_time(instant)).await,
            Shelf::Memory(_) => Ok(0),
        }
    }

    /// Removes what earlier processes began to put. Nobody else may be at work in the folder.
    pub(crate) fn forget_drafts(&self) -> std::io::Result<()> {
        match &self.shelf {
            Shelf::Folder(folder) => folder.forget_drafts(),
            Shelf::Memory(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Mails for LocalMails {
    async fn read(&self, key: &str) -> Result<Option<Bytes>, Unavailable> {
        match &self.shelf {
            Shelf::Folder(folder) => folder.read(key).await,
            Shelf::Memory(mails) => mails.read(key).await,
        }
    }
}

/// No file was written before 1970.
fn system_time(instant: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(instant.as_millisecond()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[tokio::test]
    async fn a_mail_is_found_by_its_key_also_by_the_next_process() {
        let state = tempfile::tempdir().unwrap();
        let mails = LocalMails::folder(state.path().join("mails"));
        assert_eq!(mails.read("inbound/a1").await.unwrap(), None);
        mails.put("inbound/a1", Bytes::from_static(b"Subject: x\r\n\r\n\0")).await.unwrap();

        let next = LocalMails::folder(state.path().join("mails"));
        next.forget_drafts().unwrap();
        assert_eq!(next.read("inbound/a1").await.unwrap().as_deref(), Some(&b"Subject: x\r\n\r\n\0"[..]));
        assert!(state.path().join("mails/inbound/a1").is_file());
        assert!(next.put("../a1", Bytes::new()).await.is_err());
    }

    #[tokio::test]
    async fn mails_in_memory_are_found_and_leave_nothing() {
        let mails = LocalMails::memory();
        mails.put("inbound/a1", Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(mails.read("inbound/a1").await.unwrap().as_deref(), Some(&b"x"[..]));
        assert_eq!(mails.forget_older_than(Timestamp::from_millisecond(i64::MAX)).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn only_older_mails_are_forgotten() {
        let state = tempfile::tempdir().unwrap();
        let mails = LocalMails::folder(state.path());
        assert_eq!(mails.forget_older_than(Timestamp::from_millisecond(1)).await.unwrap(), 0);
        for (key, second) in [("inbound/old", 999), ("inbound/new", 1_000)] {
            mails.put(key, Bytes::from_static(b"x")).await.unwrap();
            let file = File::options().write(true).open(state.path().join(key)).unwrap();
            file.set_modified(system_time(Timestamp::from_millisecond(second * 1_000))).unwrap();
        }
        assert_eq!(mails.forget_older_than(Timestamp::from_millisecond(1_000_000)).await.unwrap(), 1);
        assert_eq!(mails.read("inbound/old").await.unwrap(), None);
        assert!(mails.read("inbound/new").await.unwrap().is_some());
    }
}
