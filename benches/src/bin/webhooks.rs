//! Deliveries to webhooks beside posts to a form hook: what it costs to know the sender.
//!
//! `cargo build --release -p hookwright && cargo run --release -p benches --bin webhooks`. First in this process, over
//! ports in memory, so that nothing but our own work is counted; then into `hookwright dev`, where each arrival is made
//! durable. The bodies are the same in every row. Shopify's deliveries have ids, so each of them also costs a mark in the
//! store; the others have none here.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws::SystemWorld;
use benches::{
    Outcome,
    api::Api,
    child, figures,
    house::House,
    load::{self, Until},
    tutorial,
    webhook::Scheme,
};
use serde_json::json;
use service::memory::MemoryStore;

/// How many deliveries each row in this process has in a round.
const DELIVERIES: usize = 20_000;

/// How often the rows are repeated; the best of each counts, because other programs only ever slow one down.
const ROUNDS: usize = 5;

/// How long each row over HTTP takes.
const ACCEPTING: Duration = Duration::from_secs(3);

const CONNECTIONS: usize = 32;

/// A form hook, or a webhook whose sender is known so.
type Row = Option<Scheme>;

fn main() -> Outcome<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        println!("bodies of {} bytes of JSON", tutorial::ORDER_BYTES);
        in_process().await?;
        over_http().await
    })
}

fn rows() -> impl Iterator<Item = Row> {
    std::iter::once(None).chain(Scheme::ALL.into_iter().map(Some))
}

fn name(row: Row) -> String {
    row.map_or_else(|| "form hook".to_owned(), |scheme| format!("webhook, {}", scheme.name()))
}

async fn in_process() -> Outcome<()> {
    figures::head("In this process, one core", &["accepted/s", "us each", "of the form"]);
    let house = House::over(Arc::new(MemoryStore::new(Arc::new(SystemWorld)))).await?;
    let mut best: Vec<f64> = rows().map(|_| f64::MAX).collect();
    let mut delivery = 0;
    for _ in 0..ROUNDS {
        for (row, best) in rows().zip(&mut best) {
            let mut took = Duration::ZERO;
            for number in 0..DELIVERIES {
                delivery += 1;
                let request = house.request(row, tutorial::order(number), delivery)?;
                let begun = Instant::now();
                house.deliver(&request).await?;
                took += begun.elapsed();
            }
            *best = best.min(took.as_secs_f64() / DELIVERIES as f64);
        }
    }
    let form = best.first().copied().unwrap_or(f64::NAN);
    for (row, seconds) in rows().zip(best) {
        figures::row(&name(row), &[Some(1.0 / seconds), Some(seconds * 1_000_000.0), Some(form / seconds)]);
    }
    Ok(())
}

async fn over_http() -> Outcome<()> {
    figures::head(
        "Accepted durably by hookwright dev, 32 connections",
        &["accepted/s", "p50 ms", "p99 ms", "of the form"],
    );
    let mut form_per_second = None;
    for row in rows() {
        let folder = tempfile::tempdir()?;
        let server = child::dev(folder.path())?;
        let mut api = Api::of(&server, folder.path()).await?;
        let hook = match row {
            None => api.hook().await?,
            Some(scheme) => {
                let auth = json!({ "scheme": scheme.name(), "secrets": scheme.secrets() });
                // Shopify's and Calendly's own answers are not the standard one, which the load waits for.
                let reply = json!({ "status": 202 });
                api.hook_with("web", &json!({ "title": "Orders", "auth": auth, "reply": reply })).await?
            }
        };
        let key = api.create("/v1/api-keys", &json!({ "name": "bench", "roles": ["org.hooks"] })).await?;
        let key = key["data"]["attributes"]["token"].as_str().unwrap_or_default().to_owned();
        let request = move |number: usize| {
            let body = tutorial::order(number);
            let headers = row.map_or_else(Vec::new, |scheme| scheme.headers(&key, body.as_bytes(), number));
            load::request_with("POST", &hook.path, &headers, &body)
        };
        let measured = load::put_under(server.address, CONNECTIONS, Until::Elapsed(ACCEPTING), request).await?;
        let per_second = measured.per_second();
        let form = *form_per_second.get_or_insert(per_second);
        figures::row(
            &name(row),
            &[
                Some(per_second),
                Some(measured.percentile_ms(50)),
                Some(measured.percentile_ms(99)),
                Some(per_second / form),
            ],
        );
    }
    Ok(())
}
