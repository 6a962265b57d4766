//! Records: look-ups beside how many there are, and what the event of a write costs.
//!
//! `cargo run --release -p benches --bin records`. Look-ups are those of a step, over the embedded store on a file as in
//! `hookwright dev`; the baseline is the row of a hundred customers. Units are the embedded engine's own figure.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use benches::{Outcome, figures, house::House, ledger::Ledger, tutorial};
use domain::{EmailAddress, OrgId, RecordId, RecordKey, RecordKind, RunId, Timestamp, TransactionId, WorkflowId};
use http::{Method, StatusCode};
use local::Stack;
use mimalloc::MiMalloc;
use serde_json::{Map, Value, json};
use service::{
    ports::Store,
    records::{self, NewIds, Unit},
};

/// As in `hookwright dev`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How many customers there are when look-ups are timed.
const SIZES: [usize; 3] = [100, 10_000, 1_000_000];

/// How many look-ups a row takes.
const LOOKUPS: usize = 5_000;

/// How many customers one write makes, of two items each.
const CUSTOMERS_PER_WRITE: usize = 45;

#[tokio::main]
async fn main() -> Outcome<()> {
    events().await?;
    lookups().await
}

/// One look-up by e-mail, beside how many customers there are.
async fn lookups() -> Outcome<()> {
    figures::head(
        &format!("{LOOKUPS} look-ups of a customer by e-mail (goal: flat within 1.5)"),
        &["store calls", "us", "of a hundred"],
    );
    let folder = tempfile::tempdir()?;
    let stack = Stack::open(folder.path()).await?;
    let org = OrgId::fresh(Timestamp::from_millisecond(0), [1; 8]);
    let (mut there, mut baseline) = (0, None);
    for size in SIZES {
        while there < size {
            there += create(stack.store.as_ref(), org, there..(there + CUSTOMERS_PER_WRITE).min(size)).await?;
        }
        // Once to read what was just written out of the log, once for the figure.
        look_up(stack.store.clone(), org, size).await?;
        let (calls, each) = look_up(stack.store.clone(), org, size).await?;
        let micros = each.as_secs_f64() * 1e6;
        let hundred = *baseline.get_or_insert(micros);
        figures::row(&format!("{size} customers"), &[Some(calls), Some(micros), Some(micros / hundred)]);
    }
    Ok(())
}

/// Makes the customers of these numbers, and says how many they are.
async fn create(store: &dyn Store, org: OrgId, numbers: std::ops::Range<usize>) -> Outcome<usize> {
    let count = numbers.len();
    let mut unit = Unit::new(store, org, Timestamp::from_millisecond(1_700_000_000_000));
    for number in numbers {
        let attributes =
            Map::from_iter([("name".to_owned(), json!("Ann")), ("emails".to_owned(), json!([email(number)]))]);
        let made = records::create(&mut unit, RecordKind::Customer, ids(number), attributes).await;
        made.map_err(|error| format!("customer {number} was not made: {error:?}"))?;
    }
    store.write(&unit.into_work().changes).await?;
    Ok(count)
}

/// How many calls of the store a look-up takes, and how long.
async fn look_up(store: Arc<dyn Store>, org: OrgId, size: usize) -> Outcome<(f64, Duration)> {
    let ledger = Ledger::before(store);
    let begun = Instant::now();
    for lookup in 0..LOOKUPS {
        // Spread over all of them, in no order.
        let number = lookup.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
        let key = RecordKey::email(&EmailAddress::parse(&email(number))?);
        let mut unit = Unit::new(&ledger, org, Timestamp::from_millisecond(0));
        unit.find_by_key(&RecordKind::Customer, &key).await?.ok_or("a customer is gone")?;
    }
    let elapsed = begun.elapsed();
    Ok((ledger.take().len() as f64 / LOOKUPS as f64, elapsed / u32::try_from(LOOKUPS)?))
}

fn email(number: usize) -> String {
    format!("customer-{number:08}@example.com")
}

fn ids(number: usize) -> NewIds {
    let now = Timestamp::from_millisecond(0);
    let transaction = TransactionId::fresh(now, (number as u64).to_be_bytes());
    let run = RunId::for_transaction(transaction, WorkflowId::fresh(now, [2; 8]));
    NewIds {
        record: RecordId::for_step(run, "customer", 1),
        conversation: RecordId::for_conversation_of_step(run, "customer", 1),
    }
}

/// Units of a write that nobody listens to, and of one that a workflow does.
async fn events() -> Outcome<()> {
    figures::head(
        "Units of a write with its event (goal: at most 2 written more than without)",
        &["written", "more", "read", "more"],
    );
    let stack = Stack::memory().await?;
    let house = House::over(stack.store.clone()).await?;
    manage(&house, Method::POST, "/v1/customers", &json!({ "name": "Ann", "email": "ann@example.com" })).await?;
    let change = |name: &'static str| json!({ "name": name });

    stack.meter.reset();
    manage(&house, Method::PUT, "/v1/customers/email=ann@example.com", &change("Anna")).await?;
    let request = taken(&stack);
    house.executor.execute(&house.accept(tutorial::order(1)).await?).await?;
    stack.meter.reset();
    house.executor.execute(&house.accept(tutorial::order(2)).await?).await?;
    let run = taken(&stack);

    for event in ["kustomer.customer.update", "kustomer.customer.create"] {
        let document = json!({
            "name": format!("hears-{event}"),
            "enabled": true,
            "trigger": { "eventName": event, "transitions": [] },
            "steps": [],
        });
        manage(&house, Method::POST, "/v1/workflows", &document).await?;
    }
    stack.meter.reset();
    manage(&house, Method::PUT, "/v1/customers/email=ann@example.com", &change("Annie")).await?;
    let request_heard = taken(&stack);
    house.work().await?;
    let request_run = taken(&stack);
    house.executor.execute(&house.accept(tutorial::order(3)).await?).await?;
    let run_heard = taken(&stack);

    units("a request changes a customer, unheard", request, None);
    units("the same, heard by a workflow", request_heard, Some(request));
    units("what that workflow's run takes", request_run, None);
    units("an order of a new customer, unheard", run, None);
    units("the same, the new customer heard", run_heard, Some(run));
    Ok(())
}

fn taken(stack: &Stack) -> (f64, f64) {
    let units = (stack.meter.write_units(), stack.meter.read_units());
    stack.meter.reset();
    units
}

fn units(name: &str, (written, read): (f64, f64), baseline: Option<(f64, f64)>) {
    let (more_written, more_read) =
        (baseline.map(|(before, _)| written - before), baseline.map(|(_, before)| read - before));
    figures::row(name, &[Some(written), more_written, Some(read), more_read]);
}

async fn manage(house: &House, method: Method, path: &str, body: &Value) -> Outcome<()> {
    match house.manage(method, path, body).await? {
        StatusCode::OK | StatusCode::CREATED => Ok(()),
        status => Err(format!("{path} answered {status}").into()),
    }
}
