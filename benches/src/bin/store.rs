//! What a tutorial run asks of the store, and how many runs a second the executor makes of it.
//!
//! `cargo run --release -p benches --bin store`. Units are the embedded engine's own figure (`ConsumedCapacity`, as the
//! SDK reads it) beside the same reckoned from the sizes of the items.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use aws::{SystemWorld, TableNames};
use benches::{
    Outcome, child, figures,
    house::House,
    ledger::{Call, Ledger, reckon},
    tutorial,
};
use local::Stack;
use mimalloc::MiMalloc;
use rusqlite::Connection;
use service::{
    memory::MemoryStore,
    ports::{Change, Freshness, Item, Key, Page, Range, Store, Table, Unavailable, WriteError},
};

/// As in `hookwright dev`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many runs each row of speed takes.
const RUNS: usize = 5_000;

/// How many items a run of a new customer writes, in two commits: first the transaction, then all others.
const ITEMS_PER_RUN: usize = 5;

/// About the size of such an item.
const ITEM_BYTES: usize = 500;

#[tokio::main]
async fn main() -> Outcome<()> {
    cost().await?;
    speed().await
}

/// Capacity units of single runs.
async fn cost() -> Outcome<()> {
    figures::head(
        "Store units of one order (goal: 14 written, 6 read; then 12 and 4)",
        &["calls", "written", "by hand", "of it index", "read", "by hand"],
    );
    for (size, order) in
        [("seed's order", tutorial::small_order as fn(usize) -> String), ("1 KiB order", tutorial::order)]
    {
        let stack = Stack::memory().await?;
        let ledger = Arc::new(Ledger::before(stack.store.clone()));
        let house = House::over(ledger.clone()).await?;
        for (moment, customer) in [("first of a process", 1), ("new customer", 2), ("known customer", 2)] {
            ledger.take();
            stack.meter.reset();
            let message = house.accept(order(customer)).await?;
            report(&stack, &format!("{size}, {moment}: accept"), &ledger.take()).await?;
            house.executor.execute(&message).await?;
            report(&stack, &format!("{size}, {moment}: execute"), &ledger.take()).await?;
        }
    }
    Ok(())
}

async fn report(stack: &Stack, name: &str, calls: &[Call]) -> Outcome<()> {
    let (written, read) = (stack.meter.write_units(), stack.meter.read_units());
    let units = reckon(&stack.dynamo.client(), &TableNames::with_prefix("hookwright"), calls).await?;
    figures::row(
        name,
        &[
            Some(calls.len() as f64),
            Some(written),
            Some(units.written + units.indexed),
            Some(units.indexed),
            Some(read),
            Some(units.read),
        ],
    );
    stack.meter.reset();
    Ok(())
}

/// Runs in a second, in process, without a queue.
async fn speed() -> Outcome<()> {
    figures::head(
        &format!("{RUNS} tutorial runs of new customers, 1 KiB orders, in process"),
        &["tasks", "runs/s", "CPU s/1,000", "of the roof"],
    );
    let folder = tempfile::tempdir()?;
    let (elapsed, cpu) = timed(async { bare_commits(&folder.path().join("roof.db")) }).await?;
    let roof = RUNS as f64 / elapsed.as_secs_f64();
    row("bare SQLite, five items in two commits", 1, elapsed, cpu, roof);

    for tasks in [1, 16] {
        let house = House::over(Arc::new(Weightless::new())).await?;
        let (elapsed, cpu) = execute(house, tasks).await?;
        row("executor, a store that answers at once", tasks, elapsed, cpu, roof);
    }
    for tasks in [1, 16] {
        let house = House::over(Stack::memory().await?.store).await?;
        let (elapsed, cpu) = execute(house, tasks).await?;
        row("executor, embedded store in memory", tasks, elapsed, cpu, roof);
    }
    for tasks in [1, 16] {
        let stack = Stack::open(&folder.path().join(format!("state-{tasks}"))).await?;
        let house = House::over(stack.store.clone()).await?;
        let (elapsed, cpu) = execute(house, tasks).await?;
        row("executor, embedded store on a file", tasks, elapsed, cpu, roof);
    }
    println!("\npeak memory of all of this: {:.0} MB", child::usage("self")?.peak_memory_mb);
    Ok(())
}

fn row(name: &str, tasks: usize, elapsed: Duration, cpu_seconds: f64, roof: f64) {
    let per_second = RUNS as f64 / elapsed.as_secs_f64();
    let cpu_per_thousand = cpu_seconds * 1_000.0 / RUNS as f64;
    figures::row(name, &[Some(tasks as f64), Some(per_second), Some(cpu_per_thousand), Some(per_second / roof)]);
}

/// The wall time and the CPU time that `work` takes.
async fn timed(work: impl Future<Output = Outcome<()>>) -> Outcome<(Duration, f64)> {
    let (begun, cpu) = (Instant::now(), child::usage("self")?.cpu_seconds);
    work.await?;
    Ok((begun.elapsed(), child::usage("self")?.cpu_seconds - cpu))
}

async fn execute(house: House, tasks: usize) -> Outcome<(Duration, f64)> {
    let mut messages = Vec::with_capacity(RUNS);
    for number in 0..RUNS {
        messages.push(house.accept(tutorial::order(number)).await?);
    }
    let (messages, next) = (Arc::new(messages), Arc::new(AtomicUsize::new(0)));
    let workers = || {
        let (messages, next, executor) = (messages.clone(), next.clone(), house.executor.clone());
        tokio::spawn(async move {
            while let Some(message) = messages.get(next.fetch_add(1, Ordering::Relaxed)) {
                executor.execute(message).await?;
            }
            Outcome::Ok(())
        })
    };
    timed(async {
        let workers: Vec<_> = (0..tasks).map(|_| workers()).collect();
        for worker in workers {
            worker.await??;
        }
        Ok(())
    })
    .await
}

/// The least that could be written for as many runs.
fn bare_commits(path: &std::path::Path) -> Outcome<()> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch("CREATE TABLE items(key TEXT PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID")?;
    let document = vec![b'x'; ITEM_BYTES];
    for run in 0..RUNS {
        for commit in [0..1, 1..ITEMS_PER_RUN] {
            let transaction = connection.transaction()?;
            for item in commit {
                // Keys are spread as ours are, which end in random digits.
                let spread = (run * ITEMS_PER_RUN + item).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut insert = transaction.prepare_cached("INSERT INTO items VALUES (?1, ?2)")?;
                insert.execute((format!("581392b55ac7a2110099d9c8#kind#{spread:016x}"), &document))?;
            }
            transaction.commit()?;
        }
    }
    Ok(())
}

/// A store that keeps the directory, and nothing of runs and records: what is left is the executor's own work.
struct Weightless {
    directory: MemoryStore,
}

impl Weightless {
    fn new() -> Self {
        Self { directory: MemoryStore::new(Arc::new(SystemWorld)) }
    }
}

#[async_trait]
impl Store for Weightless {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        match key.table {
            Table::Directory => self.directory.find(key, freshness).await,
            Table::Runs | Table::Records => Ok(None),
        }
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        self.directory.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        self.directory.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        let kept = changes.iter().filter(|change| change.key().table == Table::Directory);
        let kept: Vec<Change> = kept.cloned().collect();
        if kept.is_empty() { Ok(()) } else { self.directory.write(&kept).await }
    }
}
