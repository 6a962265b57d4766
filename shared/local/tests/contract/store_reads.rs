//! Finding several items at once, and listing.

use service::ports::{Change, Expectation, Item, Key, LIST_LIMIT_ITEMS, Order, Range, Scope, Table};

use crate::given::{Given, NOW_SECOND, all, indexed, item, key, noise, over_every_store, sorts};

over_every_store! {
    items_are_found_in_the_order_they_were_asked_for
    at_most_a_hundred_items_are_found_at_once
    a_listing_has_the_items_of_one_partition_in_the_order_of_their_sort_keys
    a_range_begins_with_from_and_ends_before_below
    sort_keys_are_ordered_by_their_bytes
    a_page_names_the_next_exactly_when_something_follows
    pages_put_together_are_the_whole_listing
    items_with_equal_index_keys_are_each_listed_once
    a_position_that_no_page_named_is_the_start
    a_position_moves_nobody_out_of_their_partition
    large_items_are_listed_whole
    the_index_of_the_records_holds_whole_items
    the_index_of_the_runs_holds_keys_only
    the_directory_has_no_index
    an_item_is_listed_where_its_last_write_says
    an_expired_item_is_not_listed_except_by_keys
    a_listing_goes_on_past_many_expired_items
}

async fn items_are_found_in_the_order_they_were_asked_for(given: Given) {
    for sort in ["a", "b", "c"] {
        given.put(item(sort, 1)).await;
    }
    let elsewhere = Item { key: Key::new(Table::Runs, "org#1", "a"), ..item("a", 9) };
    given.put(elsewhere.clone()).await;

    let keys = [key("c"), key("x"), elsewhere.key.clone(), key("a"), key("c")];
    let found = given.store.find_all(&keys).await.unwrap();
    assert_eq!(found, [item("c", 1), elsewhere, item("a", 1), item("c", 1)]);
    assert_eq!(given.store.find_all(&[]).await.unwrap(), []);
}

async fn at_most_a_hundred_items_are_found_at_once(given: Given) {
    let keys: Vec<Key> = (0..=LIST_LIMIT_ITEMS).map(|n| key(&n.to_string())).collect();
    given.put(item("99", 1)).await;
    assert_eq!(given.store.find_all(&keys[..LIST_LIMIT_ITEMS]).await.unwrap(), [item("99", 1)]);
    assert!(given.store.find_all(&keys).await.is_err());
}

async fn a_listing_has_the_items_of_one_partition_in_the_order_of_their_sort_keys(given: Given) {
    for sort in ["b", "a", "c"] {
        given.put(item(sort, 1)).await;
    }
    given.put(Item { key: Key::new(Table::Records, "org#2", "d"), ..item("d", 1) }).await;
    given.put(Item { key: Key::new(Table::Runs, "org#1", "e"), ..item("e", 1) }).await;

    let page = given.listed(&all(Table::Records, Scope::Own)).await;
    assert_eq!(page.items, [item("a", 1), item("b", 1), item("c", 1)]);
    let descending = Range { order: Order::Descending, ..all(Table::Records, Scope::Own) };
    assert_eq!(sorts(&given.listed(&descending).await.items), ["c", "b", "a"]);
    let elsewhere = Range { partition: "org#3".to_owned(), ..all(Table::Records, Scope::Own) };
    assert_eq!(given.listed(&elsewhere).await.items, []);
}

async fn a_range_begins_with_from_and_ends_before_below(given: Given) {
    for sort in ["a", "ab", "b", "c", "d"] {
        given.put(indexed(Table::Records, sort, sort)).await;
    }
    for (from, below, expected) in [
        ("", "", vec!["a", "ab", "b", "c", "d"]),
        ("b", "", vec!["b", "c", "d"]),
        ("aa", "", vec!["ab", "b", "c", "d"]),
        ("", "b", vec!["a", "ab"]),
        ("", "a", vec![]),
        ("a", "b", vec!["a", "ab"]),
        ("ab", "c", vec!["ab", "b"]),
        ("b", "bb", vec!["b"]),
        ("b", "b", vec![]),
        ("c", "b", vec![]),
        ("e", "", vec![]),
    ] {
        for scope in [Scope::Own, Scope::Index] {
            for limit in [1, 2, 100] {
                let bounds =
                    Range { from: from.to_owned(), below: below.to_owned(), limit, ..all(Table::Records, scope) };
                assert_eq!(sorts(&given.listed_whole(&bounds).await), expected, "{bounds:?}");
                let descending = Range { order: Order::Descending, ..bounds };
                let reversed: Vec<_> = expected.iter().copied().rev().collect();
                assert_eq!(sorts(&given.listed_whole(&descending).await), reversed, "{descending:?}");
            }
        }
    }
}

async fn sort_keys_are_ordered_by_their_bytes(given: Given) {
    // UTF-16 would put U+FFFD behind the emoji, and a dictionary the umlaut beside the a.
    let ordered = ["!", "A", "Z", "a", "z", "ä", "€", "\u{fffd}", "😀"];
    for sort in ["😀", "a", "€", "Z", "ä", "\u{fffd}", "A", "!", "z"] {
        given.put(indexed(Table::Records, sort, sort)).await;
    }
    for scope in [Scope::Own, Scope::Index] {
        assert_eq!(sorts(&given.listed(&all(Table::Records, scope)).await.items), ordered);
    }
}

async fn a_page_names_the_next_exactly_when_something_follows(given: Given) {
    for sort in ["a", "b", "c"] {
        given.put(item(sort, 1)).await;
    }
    for (limit, is_more) in [(1, true), (2, true), (3, false), (4, false)] {
        let page = given.listed(&Range { limit, ..all(Table::Records, Scope::Own) }).await;
        assert_eq!((page.items.len(), page.next.is_some()), (limit.min(3), is_more), "limit {limit}");
        assert!(page.next.unwrap_or_default().bytes().all(|byte| byte.is_ascii_graphic()));
    }
}

async fn pages_put_together_are_the_whole_listing(given: Given) {
    let names: Vec<String> = (0..23).map(|n| format!("item#{n:02}")).collect();
    for (n, name) in names.iter().enumerate() {
        given.put(indexed(Table::Runs, name, &format!("{}", n / 4))).await;
    }
    for scope in [Scope::Own, Scope::Index] {
        for limit in [1, 2, 7, 22, 23, 24] {
            let range = Range { limit, ..all(Table::Runs, scope) };
            let mut listed: Vec<String> =
                sorts(&given.listed_whole(&range).await).into_iter().map(str::to_owned).collect();
            listed.sort();
            assert_eq!(listed, names, "{scope:?} by {limit}");
        }
    }
}

async fn items_with_equal_index_keys_are_each_listed_once(given: Given) {
    for sort in ["a", "b", "c", "d", "e"] {
        given.put(indexed(Table::Records, sort, "same")).await;
    }
    let by_two = Range { limit: 2, ..all(Table::Records, Scope::Index) };
    let listed = given.listed_whole(&by_two).await;
    let mut listed = sorts(&listed);
    listed.sort_unstable();
    assert_eq!(listed, ["a", "b", "c", "d", "e"]);
}

async fn a_position_that_no_page_named_is_the_start(given: Given) {
    for sort in ["a", "b", "c"] {
        given.put(indexed(Table::Records, sort, sort)).await;
    }
    let of_another_range = given.listed(&Range { limit: 1, ..all(Table::Records, Scope::Own) }).await.next;
    for scope in [Scope::Own, Scope::Index] {
        for after in ["", "nonsense", "zz", "5b5d", "5b22225d", "7b7d", "ff"] {
            let range = Range { after: Some(after.to_owned()), ..all(Table::Records, scope) };
            assert_eq!(sorts(&given.listed(&range).await.items), ["a", "b", "c"], "{after:?}");
        }
    }
    let behind = Range { after: of_another_range, from: "b".to_owned(), ..all(Table::Records, Scope::Own) };
    assert_eq!(sorts(&given.listed(&behind).await.items), ["b", "c"]);
}

async fn a_position_moves_nobody_out_of_their_partition(given: Given) {
    given.put(item("a", 1)).await;
    given.put(item("b", 1)).await;
    let theirs = Item { key: Key::new(Table::Records, "org#2", "c"), ..item("c", 1) };
    given.put(theirs.clone()).await;

    let position = given.listed(&Range { limit: 1, ..all(Table::Records, Scope::Own) }).await.next;
    let range = Range { partition: "org#2".to_owned(), after: position, ..all(Table::Records, Scope::Own) };
    assert_eq!(given.listed(&range).await.items, [theirs]);
}

async fn large_items_are_listed_whole(given: Given) {
    // Over 1 MB in the items themselves, where DynamoDB ends an answer, and one document in the blob store.
    let items: Vec<Item> = (0..45)
        .map(|n| Item { document: noise(if n == 7 { 200_000 } else { 48_000 }), ..item(&format!("{n:02}"), 1) })
        .collect();
    for item in &items {
        given.put(item.clone()).await;
    }
    assert!(given.listed(&all(Table::Records, Scope::Own)).await.items == items);
    let keys: Vec<Key> = items.iter().map(|item| item.key.clone()).collect();
    assert!(given.store.find_all(&keys).await.unwrap() == items);
}

async fn the_index_of_the_records_holds_whole_items(given: Given) {
    let items = [("1", "z"), ("2", "y")].map(|(sort, index_sort)| Item {
        document: noise(10_000),
        expires_at: Some(NOW_SECOND + 1),
        ..indexed(Table::Records, sort, index_sort)
    });
    for item in &items {
        given.put(item.clone()).await;
    }
    let page = given.listed(&all(Table::Records, Scope::Index)).await;
    let [z, y] = items;
    assert_eq!(page.items, [y, z]);
}

async fn the_index_of_the_runs_holds_keys_only(given: Given) {
    let run = Item { expires_at: Some(NOW_SECOND + 1), ..indexed(Table::Runs, "1", "z") };
    given.put(run.clone()).await;
    given.put(item("2", 1)).await;
    let listed = given.listed(&all(Table::Runs, Scope::Index)).await.items;
    assert_eq!(listed, [Item { rev: 0, document: String::new(), expires_at: None, ..run }]);
}

async fn the_directory_has_no_index(given: Given) {
    assert!(given.store.list(&all(Table::Directory, Scope::Index)).await.is_err());
}

async fn an_item_is_listed_where_its_last_write_says(given: Given) {
    given.put(indexed(Table::Records, "1", "a")).await;
    given.put(indexed(Table::Records, "1", "b")).await;
    let page = given.listed(&all(Table::Records, Scope::Index)).await;
    assert_eq!(page.items, [indexed(Table::Records, "1", "b")]);
    given.put(item("1", 2)).await;
    assert_eq!(given.listed(&all(Table::Records, Scope::Index)).await.items, []);
    given.put(indexed(Table::Records, "1", "c")).await;
    given.store.write(&[Change::Delete(key("1"), Expectation::Anything)]).await.unwrap();
    assert_eq!(given.listed(&all(Table::Records, Scope::Index)).await.items, []);
}

async fn an_expired_item_is_not_listed_except_by_keys(given: Given) {
    for table in [Table::Records, Table::Runs] {
        given.put(indexed(table, "1", "a")).await;
        given.put(Item { expires_at: Some(NOW_SECOND), ..indexed(table, "2", "b") }).await;
    }
    given.world.pass_seconds(1);
    for (table, scope, expected) in [
        (Table::Records, Scope::Own, vec!["1"]),
        (Table::Runs, Scope::Own, vec!["1"]),
        (Table::Records, Scope::Index, vec!["1"]),
        (Table::Runs, Scope::Index, vec!["1", "2"]),
    ] {
        assert_eq!(sorts(&given.listed(&all(table, scope)).await.items), expected, "{table:?} {scope:?}");
    }
}

async fn a_listing_goes_on_past_many_expired_items(given: Given) {
    for n in 0..30 {
        given.put(Item { expires_at: Some(NOW_SECOND), ..item(&format!("{n:02}"), 1) }).await;
    }
    for sort in ["97", "98", "99"] {
        given.put(item(sort, 1)).await;
    }
    given.world.pass_seconds(1);
    let range = Range { limit: 2, ..all(Table::Records, Scope::Own) };
    assert_eq!(sorts(&given.listed_whole(&range).await), ["97", "98", "99"]);
}
