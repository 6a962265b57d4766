//! What an earlier process has left among the dead letters, and what fails at its last delivery in this one.

use std::{path::Path, time::Duration};

use domain::OrgId;
use local::{LocalQueue, QueueRules};
use serde_json::{Value, json};
use service::{RECEIVES_LIMIT, ports::Queue as _};
use tempfile::TempDir;

use super::{Dev, PATIENCE, order};

/// Puts messages of `org` on the queue of a process that is not running: nine orders' beside ten poisons that were delivered
/// as often as may be but once, and one that is a dead letter already.
#[tokio::main(flavor = "current_thread")]
async fn poison(state_dir: &Path, org: OrgId) {
    let queue = LocalQueue::open(&state_dir.join("queue.db"), QueueRules::default()).unwrap();
    queue.send(org, "<dead already>".to_owned()).await.unwrap();
    queue.receive(1, Duration::ZERO).await;
    for number in 0..10 {
        queue.send(org, format!("<poison {number}>")).await.unwrap();
    }
    for receive_count in 1..RECEIVES_LIMIT {
        let received = queue.receive(11, Duration::ZERO).await;
        assert_eq!(received.len(), 11, "{receive_count}");
    }
    // The one that was received once more is given up by this.
    assert_eq!(queue.receive_now(1, Duration::ZERO).len(), 1);
    assert_eq!(queue.dead_letters(0, 10).await.unwrap().len(), 1);
}

/// The dead letters, once there are `count` of them.
fn letters(dev: &Dev, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    for _ in 0..PATIENCE {
        let (_, list) = dev.api("GET", "/v1/dead-letters?pageSize=100", &Value::Null);
        found = list["data"].as_array().unwrap().clone();
        if found.len() == count {
            return found;
        }
    }
    panic!("{} letters: {found:?}", found.len());
}

#[test]
fn poison_is_kept_beside_orders_that_are_done_and_what_an_earlier_process_has_left_is_taken_in() {
    let state = TempDir::new().unwrap();
    let dev = Dev::start(state.path());
    let path = dev.tutorial();
    let org = OrgId::parse(dev.token.split('_').nth(1).unwrap()).unwrap();
    drop(dev);
    poison(state.path(), org);

    let dev = Dev::start(state.path());
    let transactions: Vec<String> = (0..9)
        .map(|number| {
            let (_, posted) = dev.api("POST", &path, &order(number));
            posted["data"]["id"].as_str().unwrap_or_else(|| panic!("{posted}")).to_owned()
        })
        .collect();
    let found = letters(&dev, 11);
    let with_code = |code: &str| found.iter().filter(|letter| letter["attributes"]["reason"]["code"] == code).count();
    assert_eq!((with_code("unreadable"), with_code("no_answer")), (9, 2));
    for transaction in &transactions {
        let is_done = |_| {
            let (_, read) = dev.api("GET", &format!("/v1/transactions/{transaction}"), &Value::Null);
            read["meta"]["trace"]["considered"][0]["run"]["state"] == "succeeded"
        };
        assert!((0..PATIENCE).any(is_done), "{transaction}");
    }

    // What was taken in is in the file no more, and comes in no second time.
    drop(dev);
    let dev = Dev::start(state.path());
    assert_eq!(letters(&dev, 11).len(), 11);
    let id = found[0]["id"].as_str().unwrap();
    assert_eq!(dev.api("DELETE", &format!("/v1/dead-letters/{id}"), &Value::Null).0, 204);
    let (status, answer) = dev.api("POST", "/v1/dead-letters/redrive", &json!({ "dryRun": true }));
    assert_eq!((status, &answer["data"]["attributes"]["matched"]), (200, &json!(10)));
}
