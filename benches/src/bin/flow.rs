//! Time and flow: what a tick asks of the store beside how many timers there are, what the items of a loop write, and whom the
//! backlog of an org keeps waiting.
//!
//! `cargo run --release -p benches --bin flow`. Calls and units, no times: they are the same on every machine. The baseline of a
//! tick is the row of a thousand timers, that of a loop the row of a step without an effect, and that of taking turns the same
//! queue that is told of one org only, which gives the oldest message first.

use std::{sync::Arc, time::Duration};

use benches::{
    Outcome, figures,
    house::{House, SERVICE},
    ledger::Ledger,
};
use domain::{OrgId, Run, RunId, RunState, Timestamp, Transaction, TransactionId, WorkflowId};
use http::{Method, StatusCode};
use local::{LocalQueue, QueueRules, Stack};
use mimalloc::MiMalloc;
use serde_json::{Value, json};
use service::{
    Envelope, Executor, InFlight, Ticker,
    memory::{FixedWorld, MemoryQueue, MemoryStore},
    ports::{Queue, Store},
    runs,
    ticker::TICK_LIMIT_TIMERS,
};

/// As in `hookwright dev`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many timers there are in all; a thousand of them are due.
const TIMERS: [usize; 3] = [1_000, 100_000, 1_000_000];
const DUE: usize = 1_000;

/// How many items the loop has.
const ITEMS: usize = 1_000;

/// How many runs wait.
const WAITING: usize = 10_000;

/// How many messages the noisy org has on the queue, and how many the quiet one behind them.
const NOISY: usize = 10_000;
const QUIET: usize = 10;

/// How many messages are executed at a time, as in `hookwright dev`.
const PLACES: usize = 16;

#[tokio::main]
async fn main() -> Outcome<()> {
    ticks().await?;
    loops().await?;
    waits().await?;
    fairness().await?;
    leases().await
}

/// One tick with a thousand timers due, beside how many there are.
async fn ticks() -> Outcome<()> {
    figures::head(
        &format!("A tick with {DUE} timers due (goal: calls follow the due ones)"),
        &["sent", "store calls", "of a thousand timers", "calls when none is due"],
    );
    let now = now();
    let mut baseline = None;
    for count in TIMERS {
        let clock = Arc::new(FixedWorld::at(now));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        for number in 0..count {
            let seconds = if number < DUE { 3_600 } else { 86_400 + i64::try_from(number)? };
            let change = runs::timer_change(&run(number, now), now.plus_seconds(seconds), now)?;
            store.write(&[change.ok_or("it needs no timer")?]).await?;
        }
        let ledger = Arc::new(Ledger::before(store));
        let ticker = Ticker::new(ledger.clone(), Arc::new(MemoryQueue::new(clock.clone())), clock.clone());
        ticker.tick(TICK_LIMIT_TIMERS).await?;
        let idle = ledger.take().len() as f64;
        clock.pass_seconds(3_600);
        let ticked = ticker.tick(TICK_LIMIT_TIMERS).await?;
        let calls = ledger.take().len() as f64;
        let thousand = *baseline.get_or_insert(calls);
        figures::row(
            &format!("{count} timers"),
            &[Some(ticked.sent as f64), Some(calls), Some(calls / thousand), Some(idle)],
        );
    }
    Ok(())
}

fn run(number: usize, now: Timestamp) -> Run {
    let transaction = TransactionId::fresh(now, (number as u64).to_be_bytes());
    let workflow = WorkflowId::fresh(now, [2; 8]);
    let (id, org) = (RunId::for_transaction(transaction, workflow), OrgId::fresh(now, [1; 8]));
    Run { state: RunState::Waiting, ..Run::begun(id, org, workflow, String::new(), transaction, now) }
}

/// Units that a loop over a thousand items writes, for each item.
async fn loops() -> Outcome<()> {
    figures::head(
        &format!("Units written by a loop over {ITEMS} items (goal: at most 4 an item)"),
        &["written", "an item", "more than the first"],
    );
    let mut baseline = None;
    for (name, action) in [
        ("a step without an effect", "kustomer.transform.generic"),
        ("a note of each item, its record included", "kustomer.note.create"),
        ("a call of a service for each item", "kustomer.rest-api.json"),
    ] {
        let stack = Stack::memory().await?;
        let house = House::over(stack.store.clone()).await?;
        let customer = house.create("/v1/customers", &json!({ "name": "Ann" })).await?;
        let params = match action {
            "kustomer.note.create" => json!({ "customer": customer, "body": "Item {{steps.each.item}}" }),
            "kustomer.rest-api.json" => {
                json!({ "uri": SERVICE, "method": "POST", "data": { "item": "/#steps.each.item" } })
            }
            _ => json!({ "input": { "n": "/#steps.each.index" } }),
        };
        let document = json!({
            "name": "loop",
            "trigger": { "callable": true, "transitions": [{ "target": "each", "condition": { "op": "true", "values": [true] } }] },
            "steps": [
                { "id": "each", "action": "flow.for-each", "params": { "items": "/#steps.1.items", "do": "step", "concurrency": 50 }, "transitions": [] },
                { "id": "step", "action": action, "params": params, "transitions": [] },
            ],
        });
        let workflow = house.create("/v1/workflows", &document).await?;
        let items: Vec<usize> = (0..ITEMS).collect();
        let call = json!({ "inputs": { "items": items } });
        let path = format!("/v1/workflows/{workflow}/call?wait=0");
        if house.manage(Method::POST, &path, &call).await? != StatusCode::ACCEPTED {
            return Err("the loop was not called".into());
        }
        stack.meter.reset();
        house.work().await?;
        let written = stack.meter.write_units();
        let each = written / ITEMS as f64;
        let first = *baseline.get_or_insert(each);
        figures::row(name, &[Some(written), Some(each), Some(each - first)]);
        check_is_over(&house, &workflow).await?;
    }
    Ok(())
}

/// What runs cost while they wait: beside none of them, what is on the queue, which is what a process holds in memory, and what
/// a tick asks of the store.
async fn waits() -> Outcome<()> {
    figures::head(
        &format!("{WAITING} runs that wait for a day (goal: nothing while they wait)"),
        &["runs", "messages held", "store calls of a tick", "more than without"],
    );
    let mut baseline = None;
    for count in [0, WAITING] {
        let clock = Arc::new(FixedWorld::at(now()));
        let ledger = Arc::new(Ledger::before(Arc::new(MemoryStore::new(clock.clone()))));
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        for number in 0..count {
            let waiting = run(number, now());
            let until = now().plus_seconds(86_400);
            let mut changes = runs::run_changes(&Run { resumes_at: Some(until), ..waiting.clone() }, None, &[], &[])?;
            changes.extend(runs::timer_change(&waiting, until, now())?);
            ledger.write(&changes).await?;
        }
        ledger.take();
        let ticker = Ticker::new(ledger.clone(), queue.clone(), clock.clone());
        ticker.tick(TICK_LIMIT_TIMERS).await?;
        let calls = ledger.take().len() as f64;
        let without = *baseline.get_or_insert(calls);
        figures::row("waiting", &[Some(count as f64), Some(queue.depth() as f64), Some(calls), Some(calls - without)]);
    }
    Ok(())
}

async fn check_is_over(house: &House, workflow: &str) -> Outcome<()> {
    let runs: Value = house.read(&format!("/v1/workflows/{workflow}/runs")).await?;
    match runs.pointer("/data/0/attributes/state").and_then(Value::as_str) {
        Some("succeeded") => Ok(()),
        state => Err(format!("the loop is {state:?}").into()),
    }
}

/// How many messages are executed before those of the quiet org are done.
async fn fairness() -> Outcome<()> {
    figures::head(
        &format!("{NOISY} messages of a noisy org, behind them {QUIET} of a quiet one, {PLACES} places"),
        &["until the first", "until the last", "of oldest first"],
    );
    let (noisy, quiet) = (org(1), org(2));
    let mut baseline = None;
    for (name, quiet_as) in [("oldest first", noisy), ("orgs take turns", quiet)] {
        let queue = Arc::new(LocalQueue::memory(QueueRules::default())?);
        for number in 0..NOISY {
            queue.send(noisy, arrival(noisy, number)?).await?;
        }
        for number in 0..QUIET {
            queue.send(quiet_as, arrival(quiet, NOISY + number)?).await?;
        }
        let clock = Arc::new(FixedWorld::at(now()));
        let executor = Executor::new(Arc::new(MemoryStore::new(clock.clone())), queue.clone(), clock);
        let (mut executed, mut done) = (0, Vec::new());
        while done.len() < QUIET {
            for delivery in queue.receive(PLACES, Duration::from_secs(360)).await {
                executor.execute(&delivery.body).await?;
                queue.delete(delivery.receipt).await?;
                executed += usize::from(done.len() < QUIET);
                if delivery.body.contains(&quiet.to_string()) {
                    done.push(executed);
                }
            }
        }
        let (first, last) = (done.first().copied().unwrap_or(0) as f64, executed as f64);
        let oldest_first = *baseline.get_or_insert(last);
        figures::row(name, &[Some(first), Some(last), Some(last / oldest_first)]);
    }
    Ok(())
}

/// What the cap costs beside the same executor without one: store calls for ten thousand messages of an org.
async fn leases() -> Outcome<()> {
    figures::head(
        &format!("Store calls of {NOISY} messages of one org that a process executes within a minute"),
        &["calls", "a message", "more than without"],
    );
    let mut baseline = None;
    for name in ["no cap", "a cap of 100"] {
        let clock = Arc::new(FixedWorld::at(now()));
        let ledger = Arc::new(Ledger::before(Arc::new(MemoryStore::new(clock.clone()))));
        let executor = Executor::new(ledger.clone(), Arc::new(MemoryQueue::new(clock.clone())), clock.clone());
        let executor = match baseline {
            None => executor,
            Some(_) => executor.with_cap(InFlight::new(ledger.clone(), clock)),
        };
        for number in 0..NOISY {
            executor.execute(&arrival(org(1), number)?).await?;
        }
        let calls = ledger.take().len() as f64;
        let without = *baseline.get_or_insert(calls);
        figures::row(name, &[Some(calls), Some(calls / NOISY as f64), Some(calls - without)]);
    }
    Ok(())
}

/// The message of a transaction that nobody listens to.
fn arrival(org: OrgId, number: usize) -> Outcome<String> {
    let transaction = Transaction {
        id: TransactionId::fresh(now(), (number as u64).to_be_bytes()),
        org,
        hook: None,
        hook_kind: None,
        created_at: now(),
        data: json!({ "number": number }),
        email: None,
        files: Vec::new(),
        generation: 0,
        fired: None,
    };
    Ok(Envelope::new("bench.arrived".to_owned(), transaction, Vec::new()).message()?)
}

fn org(number: u8) -> OrgId {
    OrgId::fresh(now(), [number; 8])
}

const fn now() -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000)
}
