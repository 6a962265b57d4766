//! Two processes over one store, and a clock that is given.

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::{
    directory::settings::Settings,
    memory::{FixedWorld, MemoryStore},
    ports::{Change, Item, Key, Page, Range, Table},
};

struct Stage {
    world: Arc<FixedWorld>,
    store: Arc<Counted>,
}

/// A store that counts, and can be told not to answer.
struct Counted {
    inner: MemoryStore,
    counts: Mutex<(usize, usize)>,
    is_down: Mutex<bool>,
}

impl Counted {
    fn count(&self, reads: usize, writes: usize) -> Result<(), Unavailable> {
        if *self.is_down.lock().unwrap() {
            return Err(Unavailable { port: "store", cause: "it was told to fail".to_owned() });
        }
        let mut counts = self.counts.lock().unwrap();
        *counts = (counts.0 + reads, counts.1 + writes);
        Ok(())
    }
}

#[async_trait]
impl Store for Counted {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        self.count(1, 0)?;
        self.inner.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.inner.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.inner.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        self.count(0, 1)?;
        self.inner.write(changes).await
    }
}

impl Stage {
    fn new() -> Self {
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(1_700_000_000_000)));
        let inner = MemoryStore::new(world.clone());
        let store = Counted { inner, counts: Mutex::default(), is_down: Mutex::default() };
        Self { world, store: Arc::new(store) }
    }

    async fn with_limit(limit: u32) -> Self {
        let stage = Self::new();
        stage.set_limit(limit, 0).await;
        stage
    }

    async fn set_limit(&self, limit: u32, before: u64) {
        let settings = Settings { in_flight_limit: Some(limit), ..Settings::default() };
        self.store.inner.write(&[settings::change(org(), &settings, before).unwrap()]).await.unwrap();
    }

    fn process(&self) -> InFlight {
        InFlight::new(self.store.clone(), self.world.clone())
    }

    /// How often the store was read and written since the last time.
    fn counts(&self) -> (usize, usize) {
        std::mem::take(&mut *self.store.counts.lock().unwrap())
    }

    async fn leases(&self) -> Option<serde_json::Value> {
        let key = Key::new(Table::Runs, format!("{}#in-flight", org()), "leases");
        let item = self.store.inner.find(&key, Freshness::Latest).await.unwrap()?;
        Some(serde_json::from_str(&item.document).unwrap())
    }
}

fn org() -> OrgId {
    OrgId::fresh(Timestamp::from_millisecond(0), [1; 8])
}

/// As many slots as there are, of `tries`.
async fn taken(process: &InFlight, tries: usize) -> Vec<Slot<'_>> {
    let mut slots = Vec::new();
    for _ in 0..tries {
        if let Answer::Slot(slot) = process.take(org()).await {
            slots.push(slot);
        }
    }
    slots
}

async fn seconds_to_wait(process: &InFlight) -> Option<u32> {
    match process.take(org()).await {
        Answer::Slot(_) => None,
        Answer::ComeAgain(seconds) => Some(seconds),
    }
}

#[tokio::test]
async fn as_many_as_the_limit_have_a_slot_and_the_next_one_comes_again() {
    for limit in [1, 2, 3, 9, 10, 11, 100, 1_000] {
        let stage = Stage::with_limit(limit).await;
        let process = stage.process();
        let slots = taken(&process, limit as usize + 5).await;
        assert_eq!(slots.len(), limit as usize);
        drop(slots);
        assert_eq!(taken(&process, limit as usize + 5).await.len(), limit as usize);
    }
    let unset = Stage::new();
    let process = unset.process();
    assert_eq!(taken(&process, 105).await.len(), 100, "where nothing is set");
}

#[tokio::test]
async fn two_processes_share_what_there_is() {
    let stage = Stage::with_limit(10).await;
    let (one, other) = (stage.process(), stage.process());
    let first = taken(&one, 6).await;
    let second = taken(&other, 10).await;
    assert!(first.len() == 6 && (1..=4).contains(&second.len()), "{}", second.len());
    stage.world.pass_seconds(1);
    assert!(taken(&one, 10).await.len() + 6 + second.len() <= 10);
}

#[tokio::test]
async fn a_busy_process_costs_two_reads_and_a_write_in_a_minute_however_many_messages_it_executes() {
    let stage = Stage::new();
    let process = stage.process();
    for _ in 0..5 {
        for _ in 0..60 {
            let slots = taken(&process, 4).await;
            assert_eq!(slots.len(), 4);
            for slot in slots {
                slot.give_back().await;
            }
            stage.world.pass_seconds(1);
        }
        let (reads, writes) = stage.counts();
        assert!(reads <= 6 && writes <= 3, "{reads} {writes}");
    }
    for _ in 0..60 {
        taken(&process, 4).await;
        stage.world.pass_seconds(1);
    }
    assert_eq!(stage.counts(), (2, 1), "it leases at once what it used in the minute before");
}

#[tokio::test]
async fn a_process_that_used_less_leases_less_the_next_time() {
    let stage = Stage::new();
    let process = stage.process();
    drop(taken(&process, 40).await);
    let slots = |leases: &serde_json::Value| -> u64 {
        leases["leases"].as_object().unwrap().values().map(|lease| lease["slots"].as_u64().unwrap()).sum()
    };
    assert!(slots(&stage.leases().await.unwrap()) >= 40);
    for expected in [40, 1] {
        stage.world.pass_seconds(60);
        drop(taken(&process, 1).await);
        assert_eq!(slots(&stage.leases().await.unwrap()), expected);
    }
}

#[tokio::test]
async fn the_lease_of_a_process_that_died_runs_out() {
    let stage = Stage::with_limit(2).await;
    let (dead, other) = (stage.process(), stage.process());
    std::mem::forget(taken(&dead, 2).await);
    stage.world.pass_seconds(119);
    assert!(taken(&other, 1).await.is_empty());
    stage.world.pass_seconds(1);
    assert_eq!(taken(&other, 3).await.len(), 2);
}

#[tokio::test]
async fn a_message_keeps_its_slot_for_a_minute_after_the_last_one_that_its_lease_is_spent_on() {
    let stage = Stage::with_limit(1).await;
    let (one, other) = (stage.process(), stage.process());
    let first = taken(&one, 1).await;
    drop(first);
    stage.world.pass_seconds(59);
    let last = taken(&one, 1).await;
    assert_eq!(last.len(), 1, "the lease is spent for a minute");
    stage.world.pass_seconds(60);
    assert!(taken(&other, 1).await.is_empty());
    stage.world.pass_seconds(1);
    assert_eq!(taken(&other, 1).await.len(), 1, "it has taken longer than a minute");
}

#[tokio::test]
async fn a_process_that_goes_on_keeps_the_slots_of_messages_that_take_long() {
    let stage = Stage::with_limit(2).await;
    let (one, other) = (stage.process(), stage.process());
    let long = taken(&one, 2).await;
    for _ in 0..10 {
        stage.world.pass_seconds(61);
        assert!(taken(&one, 1).await.is_empty());
        assert!(taken(&other, 1).await.is_empty());
    }
    drop(long);
}

#[tokio::test]
async fn where_few_are_left_a_process_without_messages_gives_its_lease_back() {
    let stage = Stage::with_limit(1).await;
    let (one, other) = (stage.process(), stage.process());
    for process in [&one, &other, &one] {
        let Answer::Slot(slot) = process.take(org()).await else { panic!("there is no slot") };
        slot.give_back().await;
    }
    assert_eq!(stage.leases().await, Some(json!({ "leases": {} })));
    assert_eq!(stage.counts(), (9, 6));
}

#[tokio::test]
async fn a_limit_that_was_raised_holds_within_a_second_and_one_that_was_lowered_within_a_minute() {
    let stage = Stage::with_limit(1).await;
    let process = stage.process();
    let first = taken(&process, 2).await;
    assert_eq!(first.len(), 1);
    stage.set_limit(3, 1).await;
    assert!(taken(&process, 1).await.is_empty(), "it is known to be full");
    stage.world.pass_seconds(1);
    let more = taken(&process, 5).await;
    assert_eq!(more.len(), 2);
    stage.set_limit(2, 2).await;
    drop(more);
    stage.world.pass_seconds(60);
    assert_eq!(taken(&process, 5).await.len(), 1);
}

#[tokio::test]
async fn a_store_that_does_not_answer_stops_no_message() {
    let stage = Stage::with_limit(1).await;
    let process = stage.process();
    *stage.store.is_down.lock().unwrap() = true;
    let uncounted = taken(&process, 5).await;
    assert_eq!(uncounted.len(), 5);
    *stage.store.is_down.lock().unwrap() = false;
    assert!(taken(&process, 1).await.is_empty(), "what is executed now is known all the same");
    drop(uncounted);
    stage.world.pass_seconds(1);
    assert_eq!(taken(&process, 5).await.len(), 1);
}

#[tokio::test]
async fn a_message_without_a_slot_comes_again_after_some_seconds_and_later_while_none_gets_one() {
    let stage = Stage::with_limit(1).await;
    let process = stage.process();
    let slot = taken(&process, 1).await;
    for turned_away in 0..2_000 {
        let seconds = seconds_to_wait(&process).await.unwrap();
        let longer = turned_away / 10;
        assert!(((2 + longer).min(60)..=(5 + longer).min(60)).contains(&seconds), "{turned_away}: {seconds}");
    }
    drop(slot);
    let slot = taken(&process, 1).await;
    assert!((2..=5).contains(&seconds_to_wait(&process).await.unwrap()));
    drop(slot);
}

#[tokio::test]
async fn not_asking_often_is_what_a_full_org_costs() {
    let stage = Stage::with_limit(1).await;
    let process = stage.process();
    let _slot = taken(&process, 1).await;
    stage.counts();
    assert!(taken(&process, 1_000).await.is_empty());
    assert_eq!(stage.counts(), (2, 0));
}

#[tokio::test]
async fn a_clock_that_was_set_back_stops_nobody() {
    let stage = Stage::with_limit(1).await;
    let process = stage.process();
    drop(taken(&process, 1).await);
    stage.world.pass_seconds(-86_400);
    assert_eq!(taken(&process, 2).await.len(), 1);
    stage.world.pass_seconds(-86_400);
    assert_eq!(taken(&process, 2).await.len(), 1);
}
