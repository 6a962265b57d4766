//! Dead letters of the queue: what Lambda does with the dead-letter queue on AWS.
//!
//! Most are kept by whoever fails at their last delivery and never come here. These do: what killed its process, what the store
//! could not keep at the time, and what an earlier version left in the file.

use std::{sync::Arc, time::Duration};

use local::{DeadLetter, LocalQueue};
use service::{Delivered, Executor, dead_letters::NotKept};
use tokio::{sync::watch, time::sleep};

/// How many are taken from the file at a time; a message may have 1 MiB.
const PAGE_LETTERS: usize = 10;

/// How long it rests when the store does not keep them.
const REST: Duration = Duration::from_secs(60);

/// Keeps what the queue has given up, at the start and whenever there is more, until `stopping` is dropped.
pub(super) async fn keep(queue: Arc<LocalQueue>, executor: Arc<Executor>, mut stopping: watch::Receiver<()>) {
    loop {
        let rest = keep_all(&queue, &executor).await.err();
        tokio::select! {
            _ = stopping.changed() => return,
            () = queue.next_death() => {}
            () = sleep(REST), if rest.is_some() => {}
        }
    }
}

/// What is worth another try later.
struct NotAll;

async fn keep_all(queue: &LocalQueue, executor: &Executor) -> Result<(), NotAll> {
    let mut outcome = Ok(());
    let mut after = 0;
    loop {
        let letters = queue.dead_letters(after, PAGE_LETTERS).await.map_err(|error| {
            tracing::error!(%error, "dead letters were not read");
            NotAll
        })?;
        let Some(last) = letters.last() else { return outcome };
        after = last.id;
        for letter in letters {
            if keep_one(queue, executor, letter).await.is_err() {
                outcome = Err(NotAll);
            }
        }
    }
}

async fn keep_one(queue: &LocalQueue, executor: &Executor, letter: DeadLetter) -> Result<(), NotAll> {
    let DeadLetter { id, org, body, receive_count } = letter;
    let (name, body) = (id.to_string(), body.into());
    let delivered = Delivered { name, body, org, receive_count, first_received_at: None };
    let kept = executor.keep_given_up(&delivered).await;
    if let Err(error) = &kept {
        tracing::error!(message.id = id, %error, "a dead letter was not kept and stays in queue.db");
    }
    match kept {
        // Trying again tells no more of whose it is.
        Err(NotKept::OfNobody) => return Ok(()),
        Err(NotKept::Unavailable(_) | NotKept::Panicked) => return Err(NotAll),
        Ok(()) => {}
    }
    queue.delete_dead_letter(id).await.map_err(|error| {
        tracing::error!(message.id = id, %error, "a dead letter was kept and stays in queue.db as well");
        NotAll
    })
}
