//! What the durable queue adds: it survives its process, gives up on what nobody can process, and waits.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use local::{LocalQueue, QueueRules};
use service::ports::Queue;

use crate::given::org;

const LONG: Duration = Duration::from_secs(3600);

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("queue.db")
    }

    fn open(&self) -> LocalQueue {
        LocalQueue::open(&self.path(), QueueRules::default()).unwrap()
    }
}

fn bodies(queue: &LocalQueue) -> Vec<String> {
    queue.receive_now(usize::MAX, LONG).into_iter().map(|it| it.body.to_string()).collect()
}

#[tokio::test]
async fn what_was_sent_is_there_after_a_restart_and_what_was_deleted_is_not() {
    let folder = Folder::new();
    let queue = folder.open();
    for body in ["a", "b", "c"] {
        queue.send(org(), body.to_owned()).await.unwrap();
    }
    let received = queue.receive(2, LONG).await;
    queue.delete(received[0].receipt).await.unwrap();
    drop(queue);

    let queue = folder.open();
    let again = queue.receive(10, LONG).await;
    let counts: Vec<_> = again.iter().map(|it| (&*it.body, it.receive_count)).collect();
    assert_eq!(counts, [("b", 2), ("c", 1)], "b was in flight, and its first receive counts");
}

#[tokio::test]
async fn what_was_held_back_is_there_at_once_after_a_restart() {
    let folder = Folder::new();
    let queue = folder.open();
    queue.send_later(org(), "wake".to_owned(), 900).await.unwrap();
    assert_eq!(bodies(&queue), [] as [&str; 0]);
    drop(queue);

    let queue = folder.open();
    let again = queue.receive(10, LONG).await;
    assert_eq!(again.iter().map(|it| (&*it.body, it.receive_count)).collect::<Vec<_>>(), [("wake", 1)]);
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_file_before_the_queue_is_closed() {
    let folder = Folder::new();
    let queue = folder.open();
    queue.send(org(), "a".to_owned()).await.unwrap();
    // A second reader sees what a killed process would leave behind.
    let (file, copy) = (folder.path(), folder.path().with_extension("copy"));
    for suffix in ["", "-wal"] {
        let name = |path: &PathBuf| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(name(&file), name(&copy)).unwrap();
    }
    let left_behind = LocalQueue::open(&copy, QueueRules::default()).unwrap();
    assert_eq!(bodies(&left_behind), ["a"]);
}

#[tokio::test]
async fn a_message_received_too_often_is_dead_until_it_is_taken_away() {
    let folder = Folder::new();
    let queue = folder.open();
    queue.send(org(), "poison".to_owned()).await.unwrap();
    for count in 1..=5 {
        assert_eq!(queue.receive(1, Duration::ZERO).await[0].receive_count, count);
    }
    assert!(queue.receive_now(1, Duration::ZERO).is_empty());
    let dead = queue.dead_letters(0, 10).await.unwrap();
    assert_eq!((dead.len(), dead[0].body.as_str(), dead[0].receive_count), (1, "poison", 5));
    drop(queue);

    let queue = folder.open();
    assert!(queue.receive_now(1, LONG).is_empty());
    assert_eq!(queue.dead_letters(dead[0].id, 10).await.unwrap(), [], "none is behind it");
    assert_eq!(queue.dead_letters(0, 10).await.unwrap(), dead);
    for _ in 0..2 {
        queue.delete_dead_letter(dead[0].id).await.unwrap();
        assert_eq!(queue.dead_letters(0, 10).await.unwrap(), []);
    }
    assert!(queue.receive_now(1, LONG).is_empty());
}

#[tokio::test]
async fn whoever_waits_for_a_death_hears_of_it_also_when_it_was_before() {
    let queue = LocalQueue::memory(QueueRules { max_receives: 1 }).unwrap();
    queue.send(org(), "poison".to_owned()).await.unwrap();
    assert_eq!(queue.receive_now(1, Duration::ZERO).len(), 1);
    assert!(queue.receive_now(1, Duration::ZERO).is_empty());
    queue.next_death().await;
    assert_eq!(queue.dead_letters(0, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_that_kills_its_process_is_dead_in_the_end() {
    let folder = Folder::new();
    folder.open().send(org(), "poison".to_owned()).await.unwrap();
    for _ in 0..5 {
        assert_eq!(folder.open().receive(1, LONG).await.len(), 1);
    }
    let queue = folder.open();
    assert!(queue.receive_now(1, LONG).is_empty());
    assert_eq!(queue.dead_letters(0, 1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_released_message_is_visible_at_once() {
    let queue = LocalQueue::memory(QueueRules::default()).unwrap();
    queue.send(org(), "a".to_owned()).await.unwrap();
    let first = queue.receive(1, LONG).await[0].receipt;
    queue.release(first, Duration::ZERO);
    assert_eq!(queue.receive(1, LONG).await[0].receive_count, 2);
    queue.release(first, Duration::ZERO);
    assert!(queue.receive_now(1, LONG).is_empty(), "a stale receipt releases nothing");
}

#[tokio::test]
async fn a_receive_waits_for_a_message_and_for_one_that_comes_back() {
    let queue = Arc::new(LocalQueue::memory(QueueRules::default()).unwrap());
    let waiting = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.receive(1, Duration::from_millis(1)).await }
    });
    queue.send(org(), "a".to_owned()).await.unwrap();
    assert_eq!(waiting.await.unwrap()[0].receive_count, 1);
    assert_eq!(queue.receive(1, LONG).await[0].receive_count, 2);
}

#[tokio::test]
async fn a_backlog_longer_than_the_memory_comes_out_whole_and_in_order() {
    const MESSAGES: usize = 25_000;
    let folder = Folder::new();
    let queue = Arc::new(folder.open());
    let sends = (0..MESSAGES).map(|n| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.send(org(), format!("{n:05}")).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
    let mut taken = Vec::new();
    while taken.len() < MESSAGES / 2 {
        for delivery in queue.receive(100, LONG).await {
            queue.delete(delivery.receipt).await.unwrap();
            taken.push(delivery.body.to_string());
        }
    }
    drop(Arc::into_inner(queue).unwrap());

    let queue = folder.open();
    while taken.len() < MESSAGES {
        taken.extend(queue.receive(1000, LONG).await.into_iter().map(|it| it.body.to_string()));
    }
    assert_eq!(taken.iter().collect::<BTreeSet<_>>().len(), MESSAGES);
    assert!(taken.is_sorted());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_senders_and_receivers_lose_nothing_and_get_nothing_twice() {
    let queue = Arc::new(LocalQueue::memory(QueueRules::default()).unwrap());
    let senders: Vec<_> = (0..32)
        .map(|sender| {
            let queue = Arc::clone(&queue);
            tokio::spawn(async move {
                for n in 0..50 {
                    queue.send(org(), format!("{sender}.{n}")).await.unwrap();
                }
            })
        })
        .collect();
    let (got, mut all) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..4 {
        let (queue, got) = (Arc::clone(&queue), got.clone());
        tokio::spawn(async move {
            loop {
                for delivery in queue.receive(10, LONG).await {
                    queue.delete(delivery.receipt).await.unwrap();
                    got.send(delivery.body).unwrap();
                }
            }
        });
    }
    for sender in senders {
        sender.await.unwrap();
    }
    let mut bodies = BTreeSet::new();
    for _ in 0..32 * 50 {
        assert!(bodies.insert(all.recv().await.unwrap()), "a message came twice");
    }
}
