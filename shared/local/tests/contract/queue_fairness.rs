//! Orgs take turns: a table for both queues, the same sequence from both whatever happens, and what only a file can do.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::OrgId;
use local::{LocalQueue, QueueRules};
use rusqlite::Connection;
use service::ports::Queue;

use crate::given::an_org;
use crate::queue_rules::{AnyQueue, Received};

const LONG: Duration = Duration::from_secs(3600);

/// Letters are orgs: `a1` is the first message of the org `a`.
fn org_of(message: &str) -> OrgId {
    an_org(message.as_bytes()[0])
}

async fn send_all(queue: &AnyQueue, messages: &str) {
    for message in messages.split(' ') {
        queue.send_of(org_of(message), message).await.unwrap();
    }
}

fn bodies(received: &[Received]) -> String {
    received.iter().map(|it| it.body.as_str()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_org_with_the_fewest_in_flight_is_next_and_then_the_one_whose_turn_was_longest_ago() {
    for (sent, received) in [
        ("a1 a2 a3 b1", "a1 b1 a2 a3"),
        ("a1 a2 a3 a4 b1 b2 c1", "a1 b1 c1 a2 b2 a3 a4"),
        ("b1 a1 a2 b2", "b1 a1 b2 a2"),
        ("a1", "a1"),
    ] {
        for queue in AnyQueue::both() {
            send_all(&queue, sent).await;
            assert_eq!(bodies(&queue.receive(10, 30)), received, "at once");
        }
        for queue in AnyQueue::both() {
            send_all(&queue, sent).await;
            let mut one_by_one = Vec::new();
            while let [received] = &queue.receive(1, 30)[..] {
                one_by_one.push(received.body.clone());
            }
            assert_eq!(one_by_one.join(" "), received, "one by one, all in flight");
        }
    }
}

#[tokio::test]
async fn orgs_take_turns_also_where_each_message_is_done_before_the_next() {
    for queue in AnyQueue::both() {
        send_all(&queue, "a1 a2 a3 a4 b1 b2").await;
        let mut done = Vec::new();
        while let [received] = &queue.receive(1, 30)[..] {
            queue.delete(&received.receipt).await;
            done.push(received.body.clone());
            if done.len() == 3 {
                send_all(&queue, "c1").await;
            }
        }
        assert_eq!(done.join(" "), "a1 b1 a2 b2 a3 c1 a4", "who comes later is behind those who wait");
    }
}

#[tokio::test]
async fn an_org_with_many_in_flight_waits_until_it_has_as_few_as_another() {
    for queue in AnyQueue::both() {
        send_all(&queue, "a1 a2 a3 a4 a5").await;
        let in_flight = queue.receive(3, 30);
        send_all(&queue, "b1 b2 b3 b4").await;
        assert_eq!(bodies(&queue.receive(3, 30)), "b1 b2 b3");
        assert_eq!(bodies(&queue.receive(1, 30)), "a4", "it had its last turn before");
        for received in &in_flight {
            queue.delete(&received.receipt).await;
        }
        assert_eq!(bodies(&queue.receive(9, 30)), "a5 b4");
    }
}

/// As in `hookwright dev`, which has sixteen places: one org has taken them all, and another one comes.
#[tokio::test]
async fn places_that_become_free_go_to_the_org_without_any_until_both_have_half() {
    for queue in AnyQueue::both() {
        let messages: Vec<String> = (0..40).map(|number| format!("a{number}")).collect();
        send_all(&queue, &messages.join(" ")).await;
        let in_work = queue.receive(16, 3_600);
        assert_eq!(in_work.len(), 16);
        let messages: Vec<String> = (0..40).map(|number| format!("b{number}")).collect();
        send_all(&queue, &messages.join(" ")).await;
        let mut taken_up = String::new();
        for done in in_work.iter().take(10) {
            queue.delete(&done.receipt).await;
            taken_up.push_str(&bodies(&queue.receive(1, 3_600))[..1]);
        }
        assert_eq!(taken_up, "bbbbbbbbaa", "once both have eight, each keeps its own");
    }
}

#[tokio::test]
async fn a_message_that_comes_again_is_in_flight_no_more_and_goes_before_younger_ones() {
    for queue in AnyQueue::both() {
        send_all(&queue, "a1 a2 a3 b1").await;
        assert_eq!(bodies(&queue.receive(2, 0)), "a1 b1");
        assert_eq!(bodies(&queue.receive(9, 30)), "a1 b1 a2 a3");
    }
}

/// Some thousand sends, receives and deletes by a fixed rule that looks like chance.
#[tokio::test]
async fn both_queues_hand_out_the_same_messages_in_the_same_order() {
    let mut seen = Vec::new();
    for queue in AnyQueue::both_by(QueueRules { max_receives: u32::MAX }) {
        let (mut state, mut sent, mut log) = (7_u64, 0, String::new());
        let mut in_flight: Vec<Received> = Vec::new();
        for _ in 0..3_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let choice = usize::try_from(state >> 33).unwrap();
            match choice % 7 {
                0..=2 => {
                    let org = [b'a', b'a', b'a', b'a', b'b', b'b', b'c', b'd'][choice / 7 % 8];
                    sent += 1;
                    send_all(&queue, &format!("{}{sent}", char::from(org))).await;
                }
                3 | 4 => {
                    let received = queue.receive(1 + choice / 7 % 4, 1_000_000);
                    log.push_str(&bodies(&received));
                    log.push('|');
                    in_flight.extend(received);
                }
                5 => {
                    let received = queue.receive(1, 0);
                    log.push_str(&bodies(&received));
                    log.push('~');
                }
                _ if in_flight.is_empty() => {}
                _ => {
                    let done = in_flight.swap_remove(choice / 7 % in_flight.len());
                    queue.delete(&done.receipt).await;
                }
            }
        }
        seen.push(log);
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].len() > 5_000, "{}", seen[0].len());
}

async fn send_many(queue: &Arc<LocalQueue>, org: OrgId, name: char, count: usize) {
    let sends = (0..count).map(|n| {
        let queue = Arc::clone(queue);
        tokio::spawn(async move { queue.send(org, format!("{name}{n:06}")).await })
    });
    for send in sends.collect::<Vec<_>>() {
        send.await.unwrap().unwrap();
    }
}

/// Receives as many places do that hold one message each, and gives how many others were received before the last `quiet` one.
async fn others_before(queue: &LocalQueue, quiet: char, count: usize) -> usize {
    let (mut others, mut left) = (0, count);
    while left > 0 {
        for delivery in queue.receive(16, LONG).await {
            match delivery.body.starts_with(quiet) {
                true => left -= 1,
                false if left > 0 => others += 1,
                false => {}
            }
            queue.delete(delivery.receipt).await.unwrap();
        }
    }
    others
}

#[tokio::test]
async fn a_backlog_that_memory_does_not_hold_keeps_no_other_org_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let queue = Arc::new(LocalQueue::open(&path, QueueRules::default()).unwrap());
    send_many(&queue, an_org(b'a'), 'a', 100_000).await;
    send_many(&queue, an_org(b'b'), 'b', 10).await;
    assert!(others_before(&queue, 'b', 10).await <= 11);

    // What is in the file only is received in turns as well: of `c` a hundred are in memory.
    send_many(&queue, an_org(b'c'), 'c', 1_000).await;
    let others = others_before(&queue, 'c', 1_000).await;
    assert!(others <= 2_000, "{others}");

    // After a restart each org has its part of the memory.
    send_many(&queue, an_org(b'd'), 'd', 10).await;
    drop(Arc::into_inner(queue).unwrap());
    let queue = LocalQueue::open(&path, QueueRules::default()).unwrap();
    assert!(others_before(&queue, 'd', 10).await <= 11);
}

#[tokio::test]
async fn two_backlogs_that_memory_does_not_hold_come_out_whole_and_each_in_its_order() {
    let queue = Arc::new(LocalQueue::memory(QueueRules::default()).unwrap());
    send_many(&queue, an_org(b'a'), 'a', 12_000).await;
    send_many(&queue, an_org(b'b'), 'b', 12_000).await;
    let mut bodies: BTreeMap<char, Vec<String>> = BTreeMap::new();
    for _ in 0..24_000 / 16 {
        for delivery in queue.receive(16, LONG).await {
            bodies.entry(delivery.body.chars().next().unwrap()).or_default().push(delivery.body.to_string());
            queue.delete(delivery.receipt).await.unwrap();
        }
    }
    while bodies.values().map(Vec::len).sum::<usize>() < 24_000 {
        for delivery in queue.receive(16, LONG).await {
            bodies.entry(delivery.body.chars().next().unwrap()).or_default().push(delivery.body.to_string());
        }
    }
    for (name, bodies) in bodies {
        assert_eq!(bodies.len(), 12_000, "{name}");
        assert!(bodies.is_sorted(), "{name}");
        assert_eq!(bodies.iter().collect::<std::collections::BTreeSet<_>>().len(), 12_000, "{name}");
    }
}

#[tokio::test]
async fn a_message_that_rests_is_not_in_flight() {
    let queue = LocalQueue::memory(QueueRules::default()).unwrap();
    for message in ["a1", "a2", "a3", "b1", "b2", "b3"] {
        queue.send(org_of(message), message.to_owned()).await.unwrap();
    }
    let received = queue.receive_now(2, LONG);
    queue.release(received[0].receipt, LONG);
    let next: Vec<_> = queue.receive_now(3, LONG).into_iter().map(|it| it.body.to_string()).collect();
    assert_eq!(next, ["a2", "b2", "a3"], "a has one less in flight");
}

/// What `hookwright dev` wrote before messages had an org.
fn older_file(path: &Path) {
    let file = Connection::open(path).unwrap();
    file.execute_batch(
        "CREATE TABLE messages(id INTEGER PRIMARY KEY, body TEXT NOT NULL, receive_count INTEGER NOT NULL);
         CREATE TABLE dead_letters(id INTEGER PRIMARY KEY, body TEXT NOT NULL, receive_count INTEGER NOT NULL);
         INSERT INTO messages VALUES (3, 'old 3', 1), (4, 'old 4', 0);
         INSERT INTO dead_letters VALUES (1, 'dead 1', 5);",
    )
    .unwrap();
}

#[tokio::test]
async fn a_file_from_before_messages_had_an_org_loses_nothing_and_shares_its_turns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    older_file(&path);
    for opened in 1..=2 {
        let queue = LocalQueue::open(&path, QueueRules::default()).unwrap();
        if opened == 1 {
            queue.send(an_org(b'a'), "a1".to_owned()).await.unwrap();
        }
        let received = queue.receive_now(10, LONG);
        let counts: Vec<_> = received.iter().map(|it| (&*it.body, it.receive_count)).collect();
        assert_eq!(counts, [("old 3", 1 + opened), ("a1", opened), ("old 4", opened)]);
        assert_eq!(queue.dead_letters(0, 10).await.unwrap()[0].body, "dead 1");
    }
    let queue = LocalQueue::open(&path, QueueRules::default()).unwrap();
    let orgs: Vec<_> = queue.receive_now(10, LONG).into_iter().map(|it| it.org).collect();
    assert_eq!(orgs, [None, Some(an_org(b'a')), None]);
    assert_eq!(queue.dead_letters(0, 1).await.unwrap()[0].org, None);
}

#[tokio::test]
async fn a_dead_letter_is_still_of_its_org() {
    let queue = LocalQueue::memory(QueueRules { max_receives: 1 }).unwrap();
    queue.send(an_org(b'a'), "a1".to_owned()).await.unwrap();
    assert_eq!(queue.receive_now(1, Duration::ZERO)[0].org, Some(an_org(b'a')));
    assert!(queue.receive_now(1, Duration::ZERO).is_empty());
    assert_eq!(queue.dead_letters(0, 1).await.unwrap()[0].org, Some(an_org(b'a')));
}
