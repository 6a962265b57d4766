//! Writes: together or not at all, and only if things are as expected.

use service::ports::{
    Change, DOCUMENT_LIMIT_BYTES, Expectation, Freshness, IndexKey, Item, Key, PARTITION_LIMIT_BYTES, Range,
    SORT_LIMIT_BYTES, Scope, Table, WRITE_LIMIT_CHANGES, WriteError,
};

use crate::given::{Given, NOW_SECOND, all, item, key, noise, over_every_store};

over_every_store! {
    an_item_is_found_as_it_was_put
    what_is_there_decides_whether_a_single_change_is_made
    what_is_there_decides_whether_a_change_among_others_is_made
    several_changes_are_made_together_or_not_at_all
    the_first_expectation_that_fails_is_named
    a_deleted_item_is_gone
    documents_of_every_size_come_back_as_they_went_in
    a_large_item_that_is_in_the_way_is_told_whole
    a_document_over_four_mebibytes_is_refused
    a_write_has_one_to_a_hundred_changes
    two_changes_about_one_key_are_refused
    nothing_is_ever_at_a_key_that_is_empty_or_over_its_limit
    an_expired_item_is_as_good_as_absent
}

async fn an_item_is_found_as_it_was_put(given: Given) {
    let index = IndexKey { partition: "list#ü".to_owned(), sort: "2026".to_owned() };
    for (number, (document, index, expires_at)) in [
        ("", None, None),
        ("{}", Some(index.clone()), None),
        (r#"{"n":9007199254740993,"e":1e400,"d":0.10,"z":-0,"a":1}"#, None, Some(NOW_SECOND + 60)),
        ("\"\\u0000 😀 \u{fffd}\"", Some(index), Some(i64::MAX)),
    ]
    .into_iter()
    .enumerate()
    {
        for table in [Table::Directory, Table::Runs, Table::Records] {
            let key = Key::new(table, "org#ä", format!("item#{number}"));
            let item = Item { key, rev: u64::MAX, document: document.to_owned(), index: index.clone(), expires_at };
            given.put(item.clone()).await;
            for freshness in [Freshness::Latest, Freshness::Recent] {
                assert_eq!(given.store.find(&item.key, freshness).await.unwrap().as_ref(), Some(&item));
            }
        }
    }
    assert_eq!(given.found(&key("nobody")).await, None);
}

/// What is at the key, what is expected, and whether that holds.
const EXPECTATIONS: [(Option<u64>, Expectation, bool); 7] = [
    (None, Expectation::Absent, true),
    (None, Expectation::Rev(1), false),
    (None, Expectation::Anything, true),
    (Some(1), Expectation::Absent, false),
    (Some(1), Expectation::Rev(1), true),
    (Some(1), Expectation::Rev(2), false),
    (Some(1), Expectation::Anything, true),
];

async fn what_is_there_decides_whether_a_single_change_is_made(given: Given) {
    expectations_hold(&given, &[]).await;
}

async fn what_is_there_decides_whether_a_change_among_others_is_made(given: Given) {
    expectations_hold(&given, &[Change::Put(item("bystander", 1), Expectation::Anything)]).await;
}

async fn expectations_hold(given: &Given, before: &[Change]) {
    for (there, expectation, holds) in EXPECTATIONS {
        for change in [Change::Put(item("it", 7), expectation), Change::Delete(key("it"), expectation)] {
            given.store.write(&[Change::Delete(key("it"), Expectation::Anything)]).await.unwrap();
            if let Some(rev) = there {
                given.put(item("it", rev)).await;
            }

            let written = given.store.write(&[before, std::slice::from_ref(&change)].concat()).await;

            let found = there.map(|rev| item("it", rev));
            let after = match (&change, holds) {
                (Change::Put(put, _), true) => Some(put.clone()),
                (Change::Delete(..), true) => None,
                (Change::Put(..) | Change::Delete(..), false) => found.clone(),
            };
            let conflict = WriteError::Conflict { position: before.len(), found: found.map(Box::new) };
            assert_eq!(written, if holds { Ok(()) } else { Err(conflict) }, "{change:?} on {there:?}");
            assert_eq!(given.found(&key("it")).await, after, "{change:?} on {there:?}");
        }
    }
}

async fn several_changes_are_made_together_or_not_at_all(given: Given) {
    given.put(item("b", 1)).await;
    given.put(item("c", 1)).await;
    let changes = |expected_of_c| {
        [
            Change::Put(item("a", 1), Expectation::Absent),
            Change::Delete(key("b"), Expectation::Rev(1)),
            Change::Put(item("c", 2), expected_of_c),
            Change::Put(Item { key: Key::new(Table::Runs, "org#1", "d"), ..item("d", 1) }, Expectation::Anything),
        ]
    };
    let there = async || {
        let keys = [key("a"), key("b"), key("c"), Key::new(Table::Runs, "org#1", "d")];
        let found = given.store.find_all(&keys).await.unwrap();
        found.into_iter().map(|item| item.key.sort).collect::<String>()
    };

    assert!(given.store.write(&changes(Expectation::Rev(2))).await.is_err());
    assert_eq!(there().await, "bc");
    given.store.write(&changes(Expectation::Rev(1))).await.unwrap();
    assert_eq!(there().await, "acd");
}

async fn the_first_expectation_that_fails_is_named(given: Given) {
    given.put(item("c", 3)).await;
    let conflict = given
        .store
        .write(&[
            Change::Put(item("a", 1), Expectation::Absent),
            Change::Put(item("b", 1), Expectation::Absent),
            Change::Put(item("c", 1), Expectation::Absent),
            Change::Delete(key("d"), Expectation::Rev(1)),
        ])
        .await;
    assert_eq!(conflict, Err(WriteError::Conflict { position: 2, found: Some(Box::new(item("c", 3))) }));
    assert_eq!(given.found(&key("a")).await, None);
}

async fn a_deleted_item_is_gone(given: Given) {
    given.put(item("a", 1)).await;
    for _ in 0..2 {
        given.store.write(&[Change::Delete(key("a"), Expectation::Anything)]).await.unwrap();
        assert_eq!(given.found(&key("a")).await, None);
    }
}

async fn documents_of_every_size_come_back_as_they_went_in(given: Given) {
    for around in [1, 512, 32 * 1024, 56 * 1024, 350_000, 400 * 1024, 1024 * 1024] {
        for length in [around - 1, around, around + 1] {
            for document in [noise(length), "a".repeat(length), "€".repeat(length / 3)] {
                let large = Item { document, ..item("large", 1) };
                given.put(large.clone()).await;
                assert!(given.found(&large.key).await == Some(large), "{length} bytes");
            }
        }
    }
}

async fn a_large_item_that_is_in_the_way_is_told_whole(given: Given) {
    let large = Item { document: noise(500_000), ..item("large", 1) };
    given.put(large.clone()).await;
    for others in [vec![], vec![Change::Put(item("a", 1), Expectation::Anything)]] {
        let changes = [others.clone(), vec![Change::Put(item("large", 2), Expectation::Absent)]].concat();
        let conflict = WriteError::Conflict { position: others.len(), found: Some(Box::new(large.clone())) };
        assert!(given.store.write(&changes).await == Err(conflict));
    }
}

async fn a_document_over_four_mebibytes_is_refused(given: Given) {
    let put = |bytes| [Change::Put(Item { document: "a".repeat(bytes), ..item("a", 1) }, Expectation::Anything)];
    given.store.write(&put(DOCUMENT_LIMIT_BYTES)).await.unwrap();
    let refused = given.store.write(&put(DOCUMENT_LIMIT_BYTES + 1)).await;
    assert!(matches!(refused, Err(WriteError::Unavailable(_))));
    assert_eq!(given.found(&key("a")).await.unwrap().document.len(), DOCUMENT_LIMIT_BYTES);
}

async fn a_write_has_one_to_a_hundred_changes(given: Given) {
    let puts =
        |count| (0..count).map(|n| Change::Put(item(&n.to_string(), 1), Expectation::Absent)).collect::<Vec<_>>();
    for count in [0, WRITE_LIMIT_CHANGES + 1] {
        assert!(matches!(given.store.write(&puts(count)).await, Err(WriteError::Unavailable(_))), "{count}");
        assert_eq!(given.found(&key("0")).await, None);
    }
    given.store.write(&puts(WRITE_LIMIT_CHANGES)).await.unwrap();
    assert_eq!(given.found(&key("99")).await, Some(item("99", 1)));
}

async fn two_changes_about_one_key_are_refused(given: Given) {
    let changes = [Change::Delete(key("a"), Expectation::Absent), Change::Put(item("a", 1), Expectation::Absent)];
    assert!(matches!(given.store.write(&changes).await, Err(WriteError::Unavailable(_))));
    assert_eq!(given.found(&key("a")).await, None);
}

async fn nothing_is_ever_at_a_key_that_is_empty_or_over_its_limit(given: Given) {
    for (partition_bytes, sort_bytes, is_possible) in [
        (1, 1, true),
        (PARTITION_LIMIT_BYTES, SORT_LIMIT_BYTES, true),
        (0, 1, false),
        (1, 0, false),
        (PARTITION_LIMIT_BYTES + 1, 1, false),
        (1, SORT_LIMIT_BYTES + 1, false),
    ] {
        // The limits are of bytes: the umlaut has two.
        let text = |bytes: usize| if bytes > 1 { format!("ü{}", "a".repeat(bytes - 2)) } else { "a".repeat(bytes) };
        let (partition, sort) = (text(partition_bytes), text(sort_bytes));
        let at_key = Item { key: Key::new(Table::Records, &partition, &sort), ..item("", 1) };
        let index = IndexKey { partition: partition.clone(), sort };
        let at_index = Item { index: Some(index), ..item("by-index", 1) };
        for put in [&at_key, &at_index] {
            for others in [vec![], vec![Change::Put(item("bystander", 1), Expectation::Anything)]] {
                let changes = [others, vec![Change::Put(put.clone(), Expectation::Anything)]].concat();
                let written = given.store.write(&changes).await;
                let is_as_told = match written {
                    Ok(()) => is_possible,
                    Err(WriteError::Unavailable(_)) => !is_possible,
                    Err(WriteError::Conflict { .. }) => false,
                };
                assert!(is_as_told, "{partition_bytes} and {sort_bytes} bytes: {written:?}");
            }
        }
        let expected = is_possible.then_some(&at_key);
        assert_eq!(given.found(&at_key.key).await.as_ref(), expected);
        let found = given.store.find_all(&[at_key.key.clone(), key("nobody")]).await.unwrap();
        assert_eq!(found.first(), expected);
        let range = Range { partition, ..all(Table::Records, Scope::Own) };
        assert_eq!(given.listed(&range).await.items.first(), expected, "{partition_bytes} and {sort_bytes}");
        given.store.write(&[Change::Delete(at_key.key, Expectation::Anything)]).await.ok();
    }
    assert_eq!(given.listed(&all(Table::Records, Scope::Own)).await.items.len(), 2, "the bystander, and by-index");
}

async fn an_expired_item_is_as_good_as_absent(given: Given) {
    let mortal = Item { expires_at: Some(NOW_SECOND + 10), ..item("a", 1) };
    given.put(mortal.clone()).await;
    given.world.pass_seconds(10);
    assert_eq!(given.found(&key("a")).await.as_ref(), Some(&mortal), "in its last second it is there");

    given.world.pass_seconds(1);
    assert_eq!(given.found(&key("a")).await, None);
    assert_eq!(given.store.find_all(&[key("a")]).await.unwrap(), []);
    let bystander = Change::Put(item("b", 1), Expectation::Anything);
    for others in [vec![], vec![bystander]] {
        let changes = [others.clone(), vec![Change::Delete(key("a"), Expectation::Rev(1))]].concat();
        let conflict = WriteError::Conflict { position: others.len(), found: None };
        assert_eq!(given.store.write(&changes).await, Err(conflict));
        let changes = [others, vec![Change::Delete(key("a"), Expectation::Absent)]].concat();
        assert_eq!(given.store.write(&changes).await, Ok(()));
    }
    given.store.write(&[Change::Put(item("a", 5), Expectation::Absent)]).await.unwrap();
    assert_eq!(given.found(&key("a")).await, Some(item("a", 5)));
}
