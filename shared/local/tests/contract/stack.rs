//! The embedded stack as a whole.

use bytes::Bytes;
use local::{OpenError, Stack};
use service::ports::{Change, Expectation, Freshness, Queue, Store, Table};

use crate::given::{indexed, item, key, org};

#[tokio::test]
async fn everything_is_there_again_when_the_state_directory_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let state_dir = folder.path().join("state");
    let sha256 = "a".repeat(64);
    let stack = Stack::open(&state_dir).await.unwrap();
    stack.store.write(&[Change::Put(item("a", 1), Expectation::Absent)]).await.unwrap();
    stack.queue.send(org(), "message".to_owned()).await.unwrap();
    stack.blobs.put(&sha256, Bytes::from_static(b"blob")).await.unwrap();
    drop(stack);

    let stack = Stack::open(&state_dir).await.unwrap();
    assert_eq!(stack.store.find(&key("a"), Freshness::Latest).await.unwrap(), Some(item("a", 1)));
    assert_eq!(&*stack.queue.receive(1, std::time::Duration::ZERO).await[0].body, "message");
    assert_eq!(stack.blobs.find(&sha256).await.unwrap().as_deref(), Some(&b"blob"[..]));
}

#[tokio::test]
async fn a_second_process_on_the_same_state_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Stack::open(folder.path()).await.unwrap();
    let Err(refused) = Stack::open(folder.path()).await else { panic!("two stacks on one state") };
    assert!(matches!(refused, OpenError::Busy(_)));
    let sentence = format!("another hookwright is running on {}", folder.path().display());
    assert!(refused.to_string().starts_with(&sentence), "{refused}");
}

#[tokio::test]
async fn a_state_directory_that_is_a_file_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let Err(refused) = Stack::open(file.path()).await else { panic!("a file was opened as a directory") };
    assert!(refused.to_string().contains(&file.path().display().to_string()), "{refused}");
}

#[tokio::test]
async fn what_a_write_costs_is_counted_as_dynamodb_charges_it() {
    let stack = Stack::memory().await.unwrap();
    stack.store.write(&[Change::Put(item("a", 1), Expectation::Absent)]).await.unwrap();
    assert!((stack.meter.write_units() - 1.0).abs() < 1e-9, "one item under 1 KB is one unit");

    stack.meter.reset();
    let puts = ["b", "c", "d"].map(|sort| Change::Put(item(sort, 1), Expectation::Absent));
    stack.store.write(&puts).await.unwrap();
    assert!((stack.meter.write_units() - 6.0).abs() < 1e-9, "in a transaction each is two");

    stack.store.find(&key("a"), Freshness::Latest).await.unwrap();
    stack.store.find(&key("a"), Freshness::Recent).await.unwrap();
    assert!((stack.meter.read_units() - 1.5).abs() < 1e-9);
}

#[tokio::test]
async fn a_place_in_an_index_costs_a_unit_and_its_move_two_also_in_a_transaction() {
    let stack = Stack::memory().await.unwrap();
    for table in [Table::Runs, Table::Records] {
        let bystander = Change::Put(item("other", 1), Expectation::Anything);
        for (sort, others, own_units) in [("alone", vec![], 1.0), ("together", vec![bystander], 4.0)] {
            for (place, index_units) in [("a", 1.0), ("a", 0.0), ("b", 2.0)] {
                stack.meter.reset();
                let put = Change::Put(indexed(table, sort, place), Expectation::Anything);
                stack.store.write(&[others.clone(), vec![put]].concat()).await.unwrap();
                let units = stack.meter.write_units();
                assert!((units - own_units - index_units).abs() < 1e-9, "{table:?} {sort} to {place}: {units}");
            }
        }
    }
}
