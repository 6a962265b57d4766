//! Form posts into `hookwright dev`, beside a bare server that does one SQLite commit per request.
//!
//! `cargo build --release -p hookwright && cargo run --release -p benches --bin ingest`. Each row has a fresh process
//! and a fresh state directory; the load generator takes its share of the same cores in all of them.

use std::{
    env,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use aws::SystemWorld;
use benches::{
    Outcome,
    api::Api,
    child::{self, Child, Usage},
    figures,
    load::{self, Client, Measured, Until},
    roof, tutorial,
};
use serde_json::Value;
use service::ports::World;
use tokio::time::sleep;

/// How long each row of accepting takes.
const ACCEPTING: Duration = Duration::from_secs(3);

/// How many connections are tried.
const CONNECTIONS: [usize; 2] = [1, 32];

/// How many orders the tutorial is run for, under load.
const ORDERS: usize = 4_000;

/// How many orders arrive one after another at an idle process.
const IDLE_ORDERS: usize = 200;

/// How long the process rests before each of them.
const IDLE_REST: Duration = Duration::from_millis(10);

/// How long the runs may take to finish.
const FINISH_LIMIT_SECONDS: i64 = 120;

/// How long a server uses less than [`QUIET_CPU_SECONDS`] before it looks as if it were done.
const QUIET: Duration = Duration::from_millis(200);

/// One tick of the clock that `/proc` counts in, and not two.
const QUIET_CPU_SECONDS: f64 = 0.015;

fn main() -> Outcome<()> {
    let mut arguments = env::args().skip(1);
    if let (Some("roof"), Some(state_dir)) = (arguments.next().as_deref(), arguments.next()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        return runtime.block_on(roof::serve(Path::new(&state_dir)));
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(bench())
}

async fn bench() -> Outcome<()> {
    println!("{} cores; bodies of {} bytes of JSON; load and server share the cores.", cores(), tutorial::ORDER_BYTES);
    start().await?;
    accept().await?;
    finish().await?;
    idle().await
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// From exec to the first answer, on an empty state and on the same state again.
async fn start() -> Outcome<()> {
    figures::head("Start", &["ms", "memory MB"]);
    let folder = tempfile::tempdir()?;
    for state in ["an empty state", "the state it left"] {
        let begun = Instant::now();
        let server = child::dev(folder.path())?;
        let answer =
            Client::connect(server.address).await?.exchange(&load::json_request("GET", "/healthz", None, "")).await?;
        let ms = begun.elapsed().as_secs_f64() * 1_000.0;
        assert_eq!(answer.status, 200);
        let idle = server.usage()?;
        figures::row(&format!("hookwright dev to /healthz, {state}"), &[Some(ms), Some(idle.memory_mb)]);
    }
    Ok(())
}

/// Who is posted to.
#[derive(Clone, Copy)]
enum Receiver {
    Roof,
    WithoutWorkflow,
    Tutorial,
}

impl Receiver {
    const fn name(self) -> &'static str {
        match self {
            Self::Roof => "bare hyper, one SQLite commit per request",
            Self::WithoutWorkflow => "hookwright dev, no workflow",
            Self::Tutorial => "hookwright dev, tutorial workflow",
        }
    }

    /// The running process and the path to post to.
    async fn start(self, state_dir: &Path) -> Outcome<(Child, String)> {
        let server = match self {
            Self::Roof => bare(state_dir)?,
            Self::WithoutWorkflow | Self::Tutorial => child::dev(state_dir)?,
        };
        let path = match self {
            Self::Roof => "/".to_owned(),
            Self::WithoutWorkflow => Api::of(&server, state_dir).await?.hook().await?.path,
            Self::Tutorial => Api::of(&server, state_dir).await?.tutorial().await?.0,
        };
        Ok((server, path))
    }
}

/// Posts as fast as the receiver answers. Runs go on meanwhile, and take their share of the cores.
async fn accept() -> Outcome<()> {
    figures::head(
        "Accepted durably",
        &["connections", "accepted/s", "p50 ms", "p99 ms", "CPU s/1,000", "peak MB", "of the roof"],
    );
    for connections in CONNECTIONS {
        let mut roof_per_second = None;
        for receiver in [Receiver::Roof, Receiver::WithoutWorkflow, Receiver::Tutorial] {
            let folder = tempfile::tempdir()?;
            let (server, path) = receiver.start(folder.path()).await?;
            let before = server.usage()?.cpu_seconds;
            let measured = post_orders(&server, &path, connections, Until::Elapsed(ACCEPTING)).await?;
            let after = server.usage()?;
            let per_second = measured.per_second();
            let roof = *roof_per_second.get_or_insert(per_second);
            figures::row(
                receiver.name(),
                &[
                    Some(connections as f64),
                    Some(per_second),
                    Some(measured.percentile_ms(50)),
                    Some(measured.percentile_ms(99)),
                    Some((after.cpu_seconds - before) * 1_000.0 / measured.latencies.len() as f64),
                    Some(after.peak_memory_mb),
                    Some(per_second / roof),
                ],
            );
        }
    }
    Ok(())
}

/// Orders at 32 connections, and when the last of their runs ended by its own clock.
async fn finish() -> Outcome<()> {
    figures::head("Tutorial runs under load", &["runs", "runs/s", "CPU s/1,000", "peak MB"]);
    let folder = tempfile::tempdir()?;
    let server = child::dev(folder.path())?;
    let mut api = Api::of(&server, folder.path()).await?;
    let (path, workflow) = api.tutorial().await?;
    let mut runs_before = 0;
    for name in ["new customers", "the same customers again"] {
        let cpu_before = server.usage()?.cpu_seconds;
        let begun = SystemWorld.now();
        post_orders(&server, &path, 32, Until::Sent(ORDERS)).await?;
        let (used, last_end) = loop {
            let used = when_quiet(&server).await?;
            let (runs, last_end) = api.succeeded(&workflow).await?;
            if runs == runs_before + ORDERS {
                break (used, last_end);
            }
            if SystemWorld.now() > begun.plus_seconds(FINISH_LIMIT_SECONDS) {
                return Err(format!("after {FINISH_LIMIT_SECONDS} s there are {runs} runs that have succeeded").into());
            }
        };
        runs_before += ORDERS;
        let elapsed = (last_end.as_millisecond() - begun.as_millisecond()) as f64 / 1_000.0;
        let per_second = ORDERS as f64 / elapsed;
        let cpu_per_thousand = (used.cpu_seconds - cpu_before) * 1_000.0 / ORDERS as f64;
        figures::row(
            &format!("hookwright dev, {name}"),
            &[Some(ORDERS as f64), Some(per_second), Some(cpu_per_thousand), Some(used.peak_memory_mb)],
        );
    }
    Ok(())
}

/// Waits until the server uses next to no CPU; asking it for runs would slow it down.
async fn when_quiet(server: &Child) -> Outcome<Usage> {
    loop {
        let before = server.usage()?.cpu_seconds;
        sleep(QUIET).await;
        let usage = server.usage()?;
        if usage.cpu_seconds - before < QUIET_CPU_SECONDS {
            return Ok(usage);
        }
    }
}

/// One order at a time after a rest, from the post to the answer and to a run that is seen to be finished.
async fn idle() -> Outcome<()> {
    figures::head("One order at an idle process", &["p50 ms", "p99 ms"]);
    let folder = tempfile::tempdir()?;
    let (roof, _) = orders_at_rest(&bare(folder.path())?, "/", None).await?;
    latencies("bare hyper, POST to accepted", roof);

    let server = child::dev(folder.path())?;
    let mut api = Api::of(&server, folder.path()).await?;
    let (path, _) = api.tutorial().await?;
    let (accepted, finished) = orders_at_rest(&server, &path, Some(api)).await?;
    latencies("hookwright dev, POST to accepted", accepted);
    latencies("hookwright dev, POST to finished, polled", finished);
    Ok(())
}

fn latencies(name: &str, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    let ms = |percent| Some(load::percentile(&latencies, percent).as_secs_f64() * 1_000.0);
    figures::row(name, &[ms(50), ms(99)]);
}

/// How long each order took to be accepted and, where `api` can tell, until its run had finished.
async fn orders_at_rest(server: &Child, path: &str, mut api: Option<Api>) -> Outcome<(Vec<Duration>, Vec<Duration>)> {
    let mut poster = Client::connect(server.address).await?;
    let (mut accepted, mut finished) = (Vec::new(), Vec::new());
    for number in 0..IDLE_ORDERS {
        sleep(IDLE_REST).await;
        let request = load::json_request("POST", path, None, &tutorial::order(number));
        let begun = Instant::now();
        let answer = poster.exchange(&request).await?;
        accepted.push(begun.elapsed());
        if let Some(api) = &mut api {
            let answer: Value = serde_json::from_str(&answer.body)?;
            let transaction = answer["data"]["id"].as_str().ok_or("no transaction")?;
            while !api.is_finished(transaction).await? {}
            finished.push(begun.elapsed());
        }
    }
    Ok((accepted, finished))
}

async fn post_orders(server: &Child, path: &str, connections: usize, until: Until) -> Outcome<Measured> {
    let path = path.to_owned();
    let request = move |number| load::json_request("POST", &path, None, &tutorial::order(number));
    load::put_under(server.address, connections, until, request).await
}

fn bare(state_dir: &Path) -> Outcome<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("roof").arg(state_dir);
    Child::start(command)
}
