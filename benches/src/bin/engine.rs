//! The workflow language: transitions, expressions, checks, and what a step costs in long runs; one core, ports in memory.
//!
//! `cargo run --release -p benches --bin engine`. Each figure is the best of many short rounds, a row and its baseline in
//! turn, because a busy machine can only ever make a round slower.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use aws::SystemWorld;
use benches::{Outcome, figures, tutorial};
use bytes::Bytes;
use domain::{ApiKeyId, ApiKeySecret, OrgId, Timestamp};
use engine::{
    Definition, Setup, Surroundings,
    expression::{Asker, Context, Expression},
    journal::Outcome as StepOutcome,
    run::{Decision, Given, TRUNK, next, record, start},
};
use mimalloc::MiMalloc;
use serde_json::{Value, json};
use service::{
    Executor, Management,
    actions::catalogue,
    http::{Request, api::FirstKey},
    memory::{MemoryCalls, MemoryQueue, MemoryStore},
};

/// As in `hookwright dev`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const ROUNDS: usize = 200;
const ROUND: Duration = Duration::from_millis(2);
/// Rounds of a row that takes milliseconds itself.
const LONG_ROUNDS: usize = 40;

fn main() -> Outcome<()> {
    transitions()?;
    expressions()?;
    checks()?;
    long_runs()?;
    Ok(())
}

/// The least nanoseconds that one call of each job took, the jobs in turn.
fn best<const JOBS: usize>(rounds: usize, mut jobs: [&mut dyn FnMut(); JOBS]) -> [f64; JOBS] {
    let mut least = [f64::INFINITY; JOBS];
    for _ in 0..rounds {
        for (job, least) in jobs.iter_mut().zip(&mut least) {
            let (began, mut calls) = (Instant::now(), 0_u32);
            while began.elapsed() < ROUND {
                job();
                calls += 1;
            }
            *least = least.min(began.elapsed().as_nanos() as f64 / f64::from(calls));
        }
    }
    least
}

fn surroundings(setup: &Setup) -> Surroundings<'_> {
    Surroundings { setup, now: Timestamp::from_millisecond(1_795_867_200_000), seed: "bench" }
}

/// What the trigger of a form hook puts out for `data`.
fn transaction(data: &Value) -> Value {
    json!({
        "id": "a5c3694a5d1ab8ffee5b2b0e",
        "type": "transaction",
        "attributes": { "createdAt": "2026-11-28T12:00:00.000Z", "data": data },
        "relationships": { "hook": { "data": { "type": "form_hook", "id": "5a345109e578360010eaa1ad" } } },
    })
}

fn order() -> Outcome<Value> {
    Ok(serde_json::from_str(&tutorial::order(1))?)
}

/// Steps one behind the other, each with params of the order and a condition on it.
fn chain(length: usize, event: &str) -> Value {
    let step = |place: usize| {
        let next = json!([{
            "target": format!("s{}", place + 1),
            "condition": { "op": "and", "values": [
                { "op": "eq", "values": ["/#steps.1.attributes.data.quantity", "2"] },
                { "op": "exists", "values": ["/#steps.1.attributes.data.lines[0].sku"] },
            ] },
        }]);
        json!({
            "id": format!("s{place}"),
            "action": "kustomer.klass.find-by-klassname",
            "params": { "klassName": "order", "name": "/#steps.1.attributes.data.orderId" },
            "transitions": if place + 1 < length { next } else { json!([]) },
        })
    };
    json!({
        "name": format!("chain-{length}"),
        "trigger": { "eventName": event, "transitions": [{ "target": "s0", "condition": { "op": "true", "values": [true] } }] },
        "steps": (0..length).map(step).collect::<Vec<_>>(),
    })
}

fn definition(document: &Value) -> Outcome<Definition> {
    Definition::parse(document).map_err(|problems| format!("{problems:?}").into())
}

/// Runs to the end with actions that answer at once, and gives how many entries the journal has.
fn drive(definition: &Definition, trigger_output: Value, answer: &Value) -> usize {
    let setup = Setup::default();
    let surroundings = surroundings(&setup);
    let mut progress = start(definition, trigger_output, &surroundings);
    let mut entries = 1;
    loop {
        let (given, outcome) = match next(definition, &progress, TRUNK, &surroundings) {
            Decision::Perform { params, .. } => (params.given(), StepOutcome::Output(answer.clone())),
            Decision::Settled { outcome, .. } => (Given::default(), outcome),
            Decision::Finished(_) | Decision::Waiting => return entries,
        };
        match record(definition, &mut progress, TRUNK, given, outcome, &surroundings) {
            Ok(entry) => entries += usize::from(!black_box(entry).step.is_empty()),
            Err(_) => return entries,
        }
    }
}

fn transitions() -> Outcome<()> {
    figures::head("Transitions, one core, an order of 1 KiB", &["entries", "us a run", "transitions/s"]);
    let trigger_output = transaction(&order()?);
    let answer = json!({ "id": "5a345109e578360010eaa1ad", "type": "customer", "rev": 1 });
    let (tutorial, fifty) = (definition(&tutorial::workflow("e"))?, definition(&chain(50, "e"))?);
    for (name, definition) in [("engine alone, tutorial", &tutorial), ("engine alone, 50 steps", &fifty)] {
        let entries = drive(definition, trigger_output.clone(), &answer);
        let [run] = best(
            ROUNDS,
            [&mut || {
                black_box(drive(definition, trigger_output.clone(), &answer));
            }],
        );
        transitions_row(name, entries, run);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for (name, document, entries) in [
        ("executor over memory, tutorial", tutorial::workflow("{event}"), 4),
        ("executor over memory, 50 steps", chain(50, "{event}"), 51),
    ] {
        let bench = Bench::over_memory(&runtime, document)?;
        let least = bench.least_run(&runtime)?;
        transitions_row(name, entries, least);
    }
    Ok(())
}

fn transitions_row(name: &str, entries: usize, run_ns: f64) {
    figures::row(name, &[Some(entries as f64), Some(run_ns / 1_000.0), Some(entries as f64 * 1e9 / run_ns)]);
}

fn expressions() -> Outcome<()> {
    figures::head("Expressions", &["ns", "baseline ns", "of baseline"]);
    let steps = json!({ "1": transaction(&order()?), "find": { "id": "5a345109e578360010eaa1ad" } });
    let setup = Setup::default();
    let context = || Context {
        steps: &steps,
        outer: &[],
        error: None,
        surroundings: surroundings(&setup),
        asker: Asker::default(),
        scope: None,
    };
    let parsed = |text: &str| Expression::parse(&json!(text)).map_err(|problems| format!("{problems:?}"));

    for (name, reference, pointer) in [
        ("reference, beside serde_json's pointer", "/#steps.1.attributes.data.orderId", "/1/attributes/data/orderId"),
        ("the same into a list", "/#steps.1.attributes.data.lines[3].sku", "/1/attributes/data/lines/3/sku"),
    ] {
        let expression = parsed(reference)?;
        let found = [expression.input(&context())?, steps.pointer(pointer).cloned()];
        assert!(found[0].is_some() && found[0] == found[1], "{found:?}");
        let [ours, theirs] = best(
            ROUNDS,
            [
                &mut || {
                    black_box(expression.input(black_box(&context())).ok());
                },
                &mut || {
                    black_box(black_box(&steps).pointer(black_box(pointer)).cloned());
                },
            ],
        );
        compared(name, ours, theirs);
    }

    let data = json!({ "steps": steps });
    for (name, template) in [
        (
            "template, beside the bare handlebars crate",
            "Order {{{steps.1.attributes.data.orderId}}} for {{{steps.1.attributes.data.email}}}",
        ),
        (
            "template with a loop and a condition",
            "{{#each steps.1.attributes.data.lines}}{{#if quantity}}{{{sku}}}: {{{title}}}, {{/if}}{{/each}}",
        ),
    ] {
        let expression = parsed(template)?;
        let mut bare = handlebars::Handlebars::new();
        bare.register_template_string("t", template)?;
        let found = [expression.input(&context())?, Some(Value::String(bare.render("t", &data)?))];
        assert!(found[0] == found[1], "{found:?}");
        let [ours, theirs] = best(
            ROUNDS,
            [
                &mut || {
                    black_box(expression.input(black_box(&context())).ok());
                },
                &mut || {
                    black_box(bare.render("t", black_box(&data)).ok());
                },
            ],
        );
        compared(name, ours, theirs);
    }

    for (name, function) in [
        ("function, toLower", "/#fn:toLower,steps.1.attributes.data.email"),
        ("function, math", "/#fn:math,steps.1.attributes.data.quantity,*,1.5"),
        ("function, dateFormat", "/#fn:dateFormat,steps.1.attributes.createdAt,LLLL"),
        ("function, regexMatch", "/#fn:regexMatch,steps.1.attributes.data.email,[0-9]+"),
    ] {
        let expression = parsed(function)?;
        let [ours] = best(
            ROUNDS,
            [&mut || {
                black_box(expression.input(black_box(&context())).ok());
            }],
        );
        figures::row(name, &[Some(ours), None, None]);
    }
    Ok(())
}

fn checks() -> Outcome<()> {
    figures::head("A document of 100 steps, beside reading its JSON", &["us", "baseline us", "of baseline"]);
    let text = chain(100, "kustomer.hooks.form.6a1f2e3d4c5b6a7980a1b2c3.receive").to_string();
    let document: Value = serde_json::from_str(&text)?;
    assert!(engine::check(&document, catalogue()).problems.is_empty());
    let [parse, check, json] = best(
        ROUNDS,
        [
            &mut || {
                black_box(Definition::parse(black_box(&document)).ok());
            },
            &mut || {
                black_box(engine::check(black_box(&document), catalogue()));
            },
            &mut || {
                black_box(serde_json::from_str::<Value>(black_box(&text)).ok());
            },
        ],
    );
    for (name, ns) in [("parsed into a definition", parse), ("parsed and checked", check)] {
        figures::row(name, &[Some(ns / 1_000.0), Some(json / 1_000.0), Some(ns / json)]);
    }
    Ok(())
}

fn compared(name: &str, ours: f64, theirs: f64) {
    figures::row(name, &[Some(ours), Some(theirs), Some(ours / theirs)]);
}

/// Whether the steps of a long run cost more than those of a short one.
fn long_runs() -> Outcome<()> {
    figures::head("A step of a run of so many, beside one of ten", &["us a step", "of ten"]);
    let trigger_output = transaction(&order()?);
    let answer = json!({ "id": "5a345109e578360010eaa1ad", "name": "x".repeat(200) });
    let mut ten = None;
    for length in [10, 100, 1_000] {
        let definition = definition(&chain(length, "e"))?;
        let [run] = best(
            LONG_ROUNDS,
            [&mut || {
                black_box(drive(&definition, trigger_output.clone(), &answer));
            }],
        );
        step_row(&format!("engine alone, {length} steps"), run / length as f64, &mut ten);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut ten = None;
    for length in [10, 100, 1_000] {
        let bench = Bench::over_memory(&runtime, chain(length, "{event}"))?;
        let run = bench.least_run(&runtime)?;
        step_row(&format!("executor over memory, {length} steps"), run / length as f64, &mut ten);
    }
    Ok(())
}

fn step_row(name: &str, step_ns: f64, ten: &mut Option<f64>) {
    let ten = *ten.get_or_insert(step_ns);
    figures::row(name, &[Some(step_ns / 1_000.0), Some(step_ns / ten)]);
}

/// An executor over ports in memory with one workflow.
struct Bench {
    executor: Executor,
    org: OrgId,
}

/// The event of the workflow; whoever writes a document for it writes `{event}`.
const EVENT: &str = "kustomer.hooks.form.5a345109e578360010eaa1ad.receive";

impl Bench {
    fn over_memory(runtime: &tokio::runtime::Runtime, document: Value) -> Outcome<Self> {
        let world = Arc::new(SystemWorld);
        let store = Arc::new(MemoryStore::new(world.clone()));
        let queue = Arc::new(MemoryQueue::new(world.clone()));
        let now = Timestamp::from_millisecond(1_700_000_000_000);
        let (org, secret) = (OrgId::fresh(now, [1; 8]), ApiKeySecret::from_random([2; 32]));
        let token = secret.token(org, ApiKeyId::fresh(now, [3; 8]));
        let management = Management {
            store: store.clone(),
            queue: queue.clone(),
            destinations: Arc::new(MemoryCalls::default()),
            world: world.clone(),
            addresses: Arc::default(),
            keys: Arc::default(),
            public_url: None,
            mail: None,
            outbox: None,
            first_key: Some(FirstKey { org, digest: secret.digest() }),
        };
        let document = document.to_string().replace("{event}", EVENT);
        for (path, body) in [("/v1/klasses", tutorial::klass().to_string()), ("/v1/workflows", document)] {
            let request: Request =
                http::Request::post(path).header("authorization", format!("Bearer {token}")).body(Bytes::from(body))?;
            let response = runtime.block_on(management.answer(&request));
            if response.status() != http::StatusCode::CREATED {
                return Err(format!("{path}: {}", String::from_utf8_lossy(response.body())).into());
            }
        }
        Ok(Self { executor: Executor::new(store, queue, world), org })
    }

    /// The least nanoseconds that a run took, from its message to its end.
    fn least_run(&self, runtime: &tokio::runtime::Runtime) -> Outcome<f64> {
        let mut least = f64::INFINITY;
        let began = Instant::now();
        for number in 0_u64.. {
            if number >= 50 && began.elapsed() > ROUND * LONG_ROUNDS as u32 * 10 {
                break;
            }
            let message = self.message(number)?;
            let began = Instant::now();
            runtime.block_on(self.executor.execute(&message))?;
            least = least.min(began.elapsed().as_nanos() as f64);
        }
        Ok(least)
    }

    fn message(&self, number: u64) -> Outcome<String> {
        let now = Timestamp::from_millisecond(1_795_867_200_000);
        let transaction = domain::Transaction {
            id: domain::TransactionId::fresh(now, number.to_be_bytes()),
            org: self.org,
            hook: Some(domain::HookId::parse("5a345109e578360010eaa1ad")?),
            hook_kind: Some(domain::HookKind::Form),
            created_at: now,
            data: serde_json::from_str(&tutorial::order(number as usize))?,
            email: None,
            files: Vec::new(),
            generation: 0,
            fired: None,
        };
        Ok(service::Envelope::new(EVENT.to_owned(), transaction, Vec::new()).message()?)
    }
}
