//! Prints what the embedded stack does in a second on this machine: `cargo run --release -p local --example throughput`.
//!
//! Figures compare within one run only; `docs/local-mode.md` has those of one quiet run.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{OrgId, Timestamp};
use local::{LocalQueue, QueueRules, Stack};
use rusqlite::Connection;
use service::ports::{Change, Expectation, Freshness, Item, Key, Queue, Store, Table};

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

const MESSAGE: &str =
    r#"{"v":1,"org":"5a345109e578360010eaa1ad","transaction":"5a345109e578360010eaa1ae","hook":"5a34"}"#;
const MESSAGES: u32 = 20_000;
const WRITES: u32 = 8_000;

#[tokio::main]
async fn main() -> Outcome {
    let folder = tempfile::tempdir()?;
    queue(folder.path()).await?;
    let on_file = Stack::open(&folder.path().join("state")).await?;
    let in_memory = Stack::memory().await?;
    for (place, stack) in [("on a file", on_file), ("in memory", in_memory)] {
        store(place, &Arc::new(stack)).await?;
    }
    Ok(())
}

async fn queue(folder: &Path) -> Outcome {
    one_commit_per_send(&folder.join("baseline.db"))?;
    let org = OrgId::fresh(Timestamp::from_millisecond(0), [1; 8]);
    for senders in [1, 32] {
        let queue = Arc::new(LocalQueue::open(&folder.join(format!("{senders}.db")), QueueRules::default())?);
        let each = MESSAGES / senders;
        let begun = Instant::now();
        concurrently(senders, |_| {
            let queue = Arc::clone(&queue);
            async move {
                for _ in 0..each {
                    queue.send(org, MESSAGE.to_owned()).await?;
                }
                Ok(())
            }
        })
        .await?;
        say(&format!("queue sends, {senders} senders"), each * senders, begun);

        let begun = Instant::now();
        let mut left = each * senders;
        while left > 0 {
            for delivery in queue.receive(10, Duration::from_secs(30)).await {
                queue.delete(delivery.receipt).await?;
                left -= 1;
            }
        }
        say("queue receives and deletes, one receiver", each * senders, begun);
    }
    Ok(())
}

/// What the queue would do without group commit: the same row, the same settings.
fn one_commit_per_send(path: &Path) -> Outcome {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch("CREATE TABLE messages(id INTEGER PRIMARY KEY, body TEXT NOT NULL)")?;
    let begun = Instant::now();
    for _ in 0..MESSAGES {
        connection.prepare_cached("INSERT INTO messages(body) VALUES (?1)")?.execute([MESSAGE])?;
    }
    say("bare SQLite, one commit per row, one thread", MESSAGES, begun);
    Ok(())
}

async fn store(place: &str, stack: &Arc<Stack>) -> Outcome {
    for tasks in [1, 32] {
        let each = WRITES / tasks;
        for (what, changes) in [("conditional puts", 1), ("transactions of two", 2), ("transactions of three", 3)] {
            stack.meter.reset();
            let begun = Instant::now();
            concurrently(tasks, |task| {
                let stack = Arc::clone(stack);
                async move {
                    for n in 0..each {
                        let item = |part: usize| item(&format!("{what}#{tasks}#{task}"), &format!("{n}#{part}"));
                        let puts: Vec<_> =
                            (0..changes).map(|part| Change::Put(item(part), Expectation::Absent)).collect();
                        stack.store.write(&puts).await?;
                    }
                    Ok(())
                }
            })
            .await?;
            say(&format!("{what} {place}, {tasks} tasks"), each * tasks, begun);
            println!("{:>56} write units each", stack.meter.write_units() / f64::from(each * tasks));
        }

        let begun = Instant::now();
        concurrently(tasks, |task| {
            let stack = Arc::clone(stack);
            async move {
                for n in 0..each {
                    let key = item(&format!("conditional puts#{tasks}#{task}"), &format!("{n}#0")).key;
                    stack.store.find(&key, Freshness::Latest).await?;
                }
                Ok(())
            }
        })
        .await?;
        say(&format!("finds {place}, {tasks} tasks"), each * tasks, begun);
    }
    Ok(())
}

/// A document as large as a run's.
fn item(partition: &str, sort: &str) -> Item {
    let document = format!(r#"{{"id":"{sort}","state":"running","steps":[{}]}}"#, [MESSAGE; 8].join(","));
    Item { key: Key::new(Table::Runs, partition, sort), rev: 1, document, index: None, expires_at: None }
}

async fn concurrently<Work>(tasks: u32, work: impl Fn(u32) -> Work) -> Outcome
where
    Work: Future<Output = Outcome> + Send + 'static,
{
    let running: Vec<_> = (0..tasks).map(|task| tokio::spawn(work(task))).collect();
    for task in running {
        task.await??;
    }
    Ok(())
}

fn say(what: &str, count: u32, begun: Instant) {
    println!("{what:<48}{:>10.0}/s", f64::from(count) / begun.elapsed().as_secs_f64());
}
