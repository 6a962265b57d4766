//! How fast a long backlog drains at its beginning and at its end, and what it takes of memory.
//!
//! `cargo run --release -p benches --bin backlog`. The messages are on the local queue's file, the store on a file beside it, and
//! 16 messages are executed at a time, as in `hookwright dev`. The baseline of each row is the first tenth.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use benches::{Outcome, child, figures, house::House, tutorial};
use domain::{OrgId, Timestamp};
use local::Stack;
use mimalloc::MiMalloc;
use service::ports::Queue;
use tokio::task::JoinSet;

/// As in `hookwright dev`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const MESSAGES: usize = 100_000;

/// How many rows there are.
const TENTHS: usize = 10;

const AT_ONCE: usize = 16;

const VISIBILITY: Duration = Duration::from_secs(360);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let stack = Stack::open(folder.path()).await?;
    let house = House::over(stack.store.clone()).await?;
    let org = OrgId::fresh(Timestamp::from_millisecond(0), [1; 8]);
    for number in 0..MESSAGES {
        stack.queue.send(org, house.accept(tutorial::order(number)).await?).await?;
    }
    figures::head(
        &format!("{MESSAGES} orders of new customers drain (goal: as fast at the end as at the beginning)"),
        &["runs/s", "of the first", "MB resident"],
    );
    let mut first = None;
    for tenth in 1..=TENTHS {
        let begun = Instant::now();
        drain(&stack, &house, MESSAGES / TENTHS).await?;
        let per_second = (MESSAGES / TENTHS) as f64 / begun.elapsed().as_secs_f64();
        let baseline = *first.get_or_insert(per_second);
        let memory = child::usage("self")?.memory_mb;
        figures::row(&format!("tenth {tenth}"), &[Some(per_second), Some(per_second / baseline), Some(memory)]);
    }
    println!("\npeak memory of all of this: {:.0} MB", child::usage("self")?.peak_memory_mb);
    Ok(())
}

/// Executes so many messages.
async fn drain(stack: &Stack, house: &House, messages: usize) -> Outcome<()> {
    let mut in_work = JoinSet::new();
    let mut done = 0;
    while done < messages {
        let free = (AT_ONCE - in_work.len()).min(messages - done - in_work.len());
        if free > 0 {
            for delivery in stack.queue.receive(free, VISIBILITY).await {
                let (queue, executor) = (Arc::clone(&stack.queue), Arc::clone(&house.executor));
                in_work.spawn(async move {
                    executor.execute(&delivery.body).await?;
                    queue.delete(delivery.receipt).await?;
                    Outcome::Ok(())
                });
            }
        }
        if let Some(ended) = in_work.join_next().await {
            ended??;
            done += 1;
        }
    }
    Ok(())
}
