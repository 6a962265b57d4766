//! Whatever is done to both, the twin in memory and the adapter answer the same.

use proptest::prelude::*;
use service::ports::{Change, Expectation, Freshness, IndexKey, Item, Key, Order, Range, Scope, Table};

use crate::given::{Given, NOW_SECOND, embedded, in_memory};

/// One thing that can be done to a store.
#[derive(Debug, Clone)]
enum Deed {
    Write(Vec<Change>),
    Find(Key),
    FindAll(Vec<Key>),
    List(Range),
    Pass(i64),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_twin_and_the_adapter_answer_the_same(deeds in prop::collection::vec(deed(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (twin, adapter) = (in_memory(), embedded().await);
            for deed in &deeds {
                assert_eq!(answer(&twin, deed).await, answer(&adapter, deed).await, "{deed:?}");
            }
        });
    }
}

/// What the store says, without what is its own affair: the words of a refusal, and the spelling of a position.
async fn answer(given: &Given, deed: &Deed) -> String {
    match deed {
        Deed::Write(changes) => match given.store.write(changes).await {
            Err(service::ports::WriteError::Unavailable(_)) => "unavailable".to_owned(),
            written => format!("{written:?}"),
        },
        Deed::Find(key) => format!("{:?}", given.store.find(key, Freshness::Latest).await),
        Deed::FindAll(keys) => format!("{:?}", given.store.find_all(keys).await),
        Deed::List(range) => {
            let page = given.listed(range).await;
            let behind = given.listed(&Range { after: page.next.clone(), ..range.clone() }).await;
            format!("{:?} {} {:?}", page.items, page.next.is_some(), behind.items)
        }
        Deed::Pass(seconds) => {
            given.world.pass_seconds(*seconds);
            String::new()
        }
    }
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => prop::collection::vec(change(), 1..4).prop_map(Deed::Write),
        2 => key().prop_map(Deed::Find),
        1 => prop::collection::vec(key(), 0..5).prop_map(Deed::FindAll),
        3 => range().prop_map(Deed::List),
        1 => (0..3_i64).prop_map(Deed::Pass),
    ]
}

fn table() -> impl Strategy<Value = Table> {
    prop_oneof![Just(Table::Directory), Just(Table::Runs), Just(Table::Records)]
}

fn key() -> impl Strategy<Value = Key> {
    (table(), "[pq]", "[a-dä😀]{1,2}").prop_map(|(table, partition, sort)| Key::new(table, partition, sort))
}

fn item() -> impl Strategy<Value = Item> {
    let index = prop::option::of(("[xy]", "[a-c]"));
    (key(), 0..3_u64, ".{0,20}", index, prop::option::of(0..4_i64)).prop_map(|(key, rev, document, index, lasts)| {
        // Equal index keys have no order that a store promises, so the own key is part of them here.
        let index =
            index.map(|(partition, sort)| IndexKey { partition, sort: format!("{sort}{}{}", key.partition, key.sort) });
        Item { key, rev, document, index, expires_at: lasts.map(|seconds| NOW_SECOND + seconds) }
    })
}

fn change() -> impl Strategy<Value = Change> {
    let expectation =
        || prop_oneof![Just(Expectation::Absent), (0..3_u64).prop_map(Expectation::Rev), Just(Expectation::Anything)];
    prop_oneof![
        4 => (item(), expectation()).prop_map(|(item, expectation)| Change::Put(item, expectation)),
        1 => (key(), expectation()).prop_map(|(key, expectation)| Change::Delete(key, expectation)),
    ]
}

fn range() -> impl Strategy<Value = Range> {
    let own = (table(), "[pq]").prop_map(|(table, partition)| (table, Scope::Own, partition));
    let index = (prop_oneof![Just(Table::Runs), Just(Table::Records)], "[xy]")
        .prop_map(|(table, partition)| (table, Scope::Index, partition));
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending)];
    (prop_oneof![own, index], "[a-d]{0,2}", "[a-dz]{0,2}", order, 1..5_usize).prop_map(
        |((table, scope, partition), from, below, order, limit)| Range {
            table,
            scope,
            partition,
            from,
            below,
            order,
            limit,
            after: None,
        },
    )
}
