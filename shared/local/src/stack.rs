//! Everything `hookwright dev` stands on, in one state directory.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws::{DynamoStore, Meter, SystemWorld, TableNames, create_tables};
use service::memory::MemoryBlobs;
use service::ports::{Blobs, Unavailable, World};

use crate::uploads::Shelf;
use crate::{EmbeddedDynamo, FolderBlobs, LocalMails, LocalQueue, LocalUploads, Outbox, QueueRules};

const TABLE_PREFIX: &str = "hookwright";

/// The embedded stack.
///
/// *Files in the state directory*: `store.db` (the tables), `queue.db` (the messages), `blobs/`, `mails/` (as they
/// came), `outbox/` (what workflows sent), `lock`.
pub struct Stack {
    /// The clock and chance that all parts use.
    pub world: Arc<dyn World>,
    /// The store, the real adapter over the embedded engine.
    pub store: Arc<DynamoStore>,
    /// The queue, both ends of it.
    pub queue: Arc<LocalQueue>,
    /// The blobs.
    pub blobs: Arc<dyn Blobs>,
    /// How senders bring more of them.
    pub uploads: Arc<LocalUploads>,
    /// The mails that came.
    pub mails: Arc<LocalMails>,
    /// Where mail goes that workflows send.
    pub outbox: Arc<Outbox>,
    /// What the store consumed, as DynamoDB would charge it.
    pub meter: Arc<Meter>,
    /// The engine behind `store`.
    pub dynamo: EmbeddedDynamo,
    /// Held for as long as the stack lives; the system lets go of it when the process ends, however it ends.
    _lock: Option<File>,
}

/// Why the stack cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Two processes on one state would deliver every message twice.
    #[error("another hookwright is running on {}: stop it, or choose another --state-dir", .0.display())]
    Busy(PathBuf),
    /// The directory cannot be made or written.
    #[error("the state directory {} cannot be used: {cause}", .dir.display())]
    Directory {
        /// Which.
        dir: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// A part does not open.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Stack {
    /// The stack whose state is in `state_dir`, which is made if it is not there.
    ///
    /// *Once it returns* the tables exist, what expired meanwhile is gone, and messages that were in flight when the
    /// last process ended are visible again.
    /// *Errors*: [`OpenError::Busy`] while another process has it open.
    pub async fn open(state_dir: &Path) -> Result<Self, OpenError> {
        let lock = lock(state_dir)?;
        let world: Arc<dyn World> = Arc::new(SystemWorld);
        let blobs = FolderBlobs::new(state_dir.join("blobs"));
        let mails = LocalMails::folder(state_dir.join("mails"));
        let outbox = Outbox::folder(state_dir.join("outbox"), world.clone());
        [blobs.forget_drafts(), mails.forget_drafts(), outbox.forget_drafts()]
            .into_iter()
            .collect::<Result<(), _>>()
            .map_err(|cause| OpenError::Directory { dir: state_dir.to_owned(), cause })?;
        let parts = Parts {
            dynamo: EmbeddedDynamo::open(&state_dir.join("store.db"))?,
            queue: LocalQueue::open(&state_dir.join("queue.db"), QueueRules::default())?,
            shelf: Shelf::Folder(Arc::new(blobs)),
            mails,
            outbox: Arc::new(outbox),
            lock: Some(lock),
            world,
        };
        Ok(Self::of(parts).await?)
    }

    /// A stack that leaves nothing behind.
    pub async fn memory() -> Result<Self, OpenError> {
        let world: Arc<dyn World> = Arc::new(SystemWorld);
        let parts = Parts {
            dynamo: EmbeddedDynamo::memory()?,
            queue: LocalQueue::memory(QueueRules::default())?,
            shelf: Shelf::Memory(Arc::new(MemoryBlobs::default())),
            mails: LocalMails::memory(),
            outbox: Arc::new(Outbox::memory(world.clone())),
            lock: None,
            world,
        };
        Ok(Self::of(parts).await?)
    }

    async fn of(parts: Parts) -> Result<Self, Unavailable> {
        let Parts { dynamo, queue, shelf, mails, outbox, lock, world } = parts;
        let blobs = shelf.blobs();
        let uploads = Arc::new(LocalUploads::new(shelf, world.clone())?);
        let tables = TableNames::with_prefix(TABLE_PREFIX);
        create_tables(&dynamo.client(), &tables).await?;
        dynamo.forget_expired()?;

        let meter = Arc::new(Meter::default());
        let store = DynamoStore::new(dynamo.client(), tables, blobs.clone(), world.clone()).with_meter(meter.clone());
        Ok(Self {
            world,
            store: Arc::new(store),
            queue: Arc::new(queue),
            blobs,
            uploads,
            mails: Arc::new(mails),
            outbox,
            meter,
            dynamo,
            _lock: lock,
        })
    }
}

/// What differs between a stack on disk and one in memory.
struct Parts {
    dynamo: EmbeddedDynamo,
    queue: LocalQueue,
    shelf: Shelf,
    mails: LocalMails,
    outbox: Arc<Outbox>,
    lock: Option<File>,
    world: Arc<dyn World>,
}

fn lock(state_dir: &Path) -> Result<File, OpenError> {
    let unusable = |cause| OpenError::Directory { dir: state_dir.to_owned(), cause };
    make_private(state_dir).map_err(unusable)?;
    let lock = File::create(state_dir.join("lock")).map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::Busy(state_dir.to_owned())),
        Err(TryLockError::Error(cause)) => Err(unusable(cause)),
    }
}

/// What is in there are customers' data: nobody else on this machine may read it.
fn make_private(state_dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(state_dir)
}
