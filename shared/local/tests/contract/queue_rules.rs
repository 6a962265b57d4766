//! The rules that the queue in memory and the durable one share with SQS.

use std::sync::Arc;
use std::time::Duration;

use domain::{OrgId, Timestamp};
use local::{LocalQueue, QueueRules, Receipt};
use service::memory::{FixedWorld, MemoryQueue};
use service::ports::{MESSAGE_LIMIT_BYTES, Queue, Unavailable};

use crate::given::org;

/// Either queue, spoken to in one way.
pub(crate) enum AnyQueue {
    Memory(MemoryQueue),
    Local(LocalQueue),
}

#[derive(Clone)]
pub(crate) enum AnyReceipt {
    Memory(String),
    Local(Receipt),
}

pub(crate) struct Received {
    pub(crate) receipt: AnyReceipt,
    pub(crate) body: String,
    pub(crate) receive_count: u32,
}

impl AnyQueue {
    pub(crate) fn both() -> [Self; 2] {
        Self::both_by(QueueRules::default())
    }

    /// Both, of which only one knows dead letters.
    pub(crate) fn both_by(rules: QueueRules) -> [Self; 2] {
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(0)));
        [Self::Memory(MemoryQueue::new(world)), Self::Local(LocalQueue::memory(rules).unwrap())]
    }

    async fn send(&self, message: &str) -> Result<(), Unavailable> {
        self.send_of(org(), message).await
    }

    pub(crate) async fn send_of(&self, org: OrgId, message: &str) -> Result<(), Unavailable> {
        match self {
            Self::Memory(queue) => queue.send(org, message.to_owned()).await,
            Self::Local(queue) => queue.send(org, message.to_owned()).await,
        }
    }

    async fn send_later(&self, message: &str, seconds: u32) -> Result<(), Unavailable> {
        match self {
            Self::Memory(queue) => queue.send_later(org(), message.to_owned(), seconds).await,
            Self::Local(queue) => queue.send_later(org(), message.to_owned(), seconds).await,
        }
    }

    pub(crate) fn receive(&self, max: usize, visibility_seconds: u32) -> Vec<Received> {
        match self {
            Self::Memory(queue) => {
                let received = queue.receive(max, visibility_seconds.into()).into_iter();
                let map = received.map(|it| (AnyReceipt::Memory(it.receipt), it.body, it.receive_count));
                map.map(|(receipt, body, receive_count)| Received { receipt, body, receive_count }).collect()
            }
            Self::Local(queue) => {
                let received = queue.receive_now(max, Duration::from_secs(visibility_seconds.into())).into_iter();
                let map = received.map(|it| (AnyReceipt::Local(it.receipt), it.body.to_string(), it.receive_count));
                map.map(|(receipt, body, receive_count)| Received { receipt, body, receive_count }).collect()
            }
        }
    }

    pub(crate) async fn delete(&self, receipt: &AnyReceipt) {
        match (self, receipt) {
            (Self::Memory(queue), AnyReceipt::Memory(receipt)) => queue.delete(receipt),
            (Self::Local(queue), AnyReceipt::Local(receipt)) => queue.delete(*receipt).await.unwrap(),
            (Self::Memory(_) | Self::Local(_), _) => panic!("a receipt of the other queue"),
        }
    }
}

#[tokio::test]
async fn a_message_is_received_as_it_was_sent() {
    for queue in AnyQueue::both() {
        for body in ["", "{\"a\":1}", "ä😀\u{0}"] {
            queue.send(body).await.unwrap();
            let received = queue.receive(1, 30);
            assert_eq!((received[0].body.as_str(), received[0].receive_count), (body, 1));
        }
    }
}

#[tokio::test]
async fn a_receive_gives_no_more_than_it_was_asked_for() {
    for queue in AnyQueue::both() {
        for n in 0..5 {
            queue.send(&n.to_string()).await.unwrap();
        }
        let bodies = |max| queue.receive(max, 30).into_iter().map(|it| it.body).collect::<String>();
        assert_eq!([bodies(2), bodies(10), bodies(10)], ["01", "234", ""]);
    }
}

#[tokio::test]
async fn a_message_in_flight_is_invisible_until_its_time_is_over() {
    for queue in AnyQueue::both() {
        queue.send("a").await.unwrap();
        queue.send("b").await.unwrap();
        assert_eq!(queue.receive(1, 0)[0].body, "a");
        let again = queue.receive(10, 30);
        let counts: Vec<_> = again.iter().map(|it| (it.body.as_str(), it.receive_count)).collect();
        assert_eq!(counts, [("a", 2), ("b", 1)]);
        assert!(queue.receive(10, 30).is_empty());
    }
}

#[tokio::test]
async fn a_message_that_is_held_back_is_not_received_and_keeps_no_other_from_being() {
    for queue in AnyQueue::both() {
        queue.send_later("later", 900).await.unwrap();
        queue.send_later("at once", 0).await.unwrap();
        queue.send("now").await.unwrap();
        let bodies: Vec<String> = queue.receive(10, 3_600).into_iter().map(|it| it.body).collect();
        assert_eq!(bodies, ["at once", "now"]);
    }
}

#[tokio::test]
async fn a_deleted_message_does_not_come_again() {
    for queue in AnyQueue::both() {
        queue.send("a").await.unwrap();
        let received = queue.receive(1, 0);
        queue.delete(&received[0].receipt).await;
        queue.delete(&received[0].receipt).await;
        assert!(queue.receive(1, 0).is_empty());
    }
}

#[tokio::test]
async fn a_receipt_deletes_nothing_once_the_message_was_received_again() {
    for queue in AnyQueue::both() {
        queue.send("a").await.unwrap();
        let first = queue.receive(1, 0)[0].receipt.clone();
        let second = queue.receive(1, 0)[0].receipt.clone();
        queue.delete(&first).await;
        assert_eq!(queue.receive(1, 0)[0].receive_count, 3);
        queue.delete(&second).await;
        assert_eq!(queue.receive(1, 30)[0].receive_count, 4);
    }
}

#[tokio::test]
async fn a_message_of_one_mebibyte_is_taken_and_one_byte_more_is_not() {
    for queue in AnyQueue::both() {
        queue.send(&"€".repeat(MESSAGE_LIMIT_BYTES / 3)).await.unwrap();
        queue.send(&"m".repeat(MESSAGE_LIMIT_BYTES)).await.unwrap();
        let refused = queue.send(&"m".repeat(MESSAGE_LIMIT_BYTES + 1)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "queue is unavailable: a message of 1048577 bytes is over the limit of 1048576"
        );
        assert_eq!(queue.receive(10, 30).len(), 2);
    }
}
