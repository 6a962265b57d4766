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

use benches::{
    Outcome,
    child::{self, Child},
    figures,
    load::{self, Client, Measured, Until},
    roof, tutorial,
};
use serde_json::{Value, json};
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

/// How long runs may take to finish once the last order is accepted.
const FINISH_LIMIT: Duration = Duration::from_secs(120);

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
        let server = dev(folder.path())?;
        let answer = Client::connect(server.address).await?.exchange(&get("/healthz", None)).await?;
        let ms = begun.elapsed().as_secs_f64() * 1_000.0;
        assert_eq!(answer.status, 200);
        let idle = server.usage()?;
        figures::row(&format!("hookwright dev to /healthz, {state}"), &[Some(ms), Some(idle.memory_mb)]);
    }
    Ok(())
}

async fn accept() -> Outcome<()> {
    figures::head(
        "Accepted durably",
        &["connections", "accepted/s", "p50 ms", "p99 ms", "CPU s/1,000", "peak MB", "of the roof"],
    );
    for connections in CONNECTIONS {
        let mut roof_per_second = None;
        for server_name in [
            "bare hyper, one SQLite commit per request",
            "hookwright dev, no workflow",
            "hookwright dev, tutorial workflow",
        ] {
            let folder = tempfile::tempdir()?;
            let (server, path) = match server_name {
                "bare hyper, one SQLite commit per request" => (bare(folder.path())?, "/".to_owned()),
                "hookwright dev, no workflow" => {
                    let server = dev(folder.path())?;
                    let path = Api::of(&server, folder.path()).await?.hook().await?.path;
                    (server, path)
                }
                _ => {
                    let server = dev(folder.path())?;
                    let path = Api::of(&server, folder.path()).await?.tutorial().await?.0;
                    (server, path)
                }
            };
            let before = server.usage()?.cpu_seconds;
            let measured = post_orders(&server, &path, connections, Until::Elapsed(ACCEPTING), 0).await?;
            let after = server.usage()?;
            let per_second = measured.per_second();
            let roof = *roof_per_second.get_or_insert(per_second);
            figures::row(
                server_name,
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

/// Orders of new customers at 32 connections, and how long until the last of their runs has ended.
async fn finish() -> Outcome<()> {
    figures::head("Tutorial runs under load", &["runs", "runs/s", "CPU s/1,000", "peak MB"]);
    let folder = tempfile::tempdir()?;
    let server = dev(folder.path())?;
    let mut api = Api::of(&server, folder.path()).await?;
    let (path, workflow) = api.tutorial().await?;
    for name in ["new customers", "the same customers again"] {
        let before = server.usage()?.cpu_seconds;
        let earlier = api.run_count(&workflow).await?;
        let begun = Instant::now();
        post_orders(&server, &path, 32, Until::Sent(ORDERS), 0).await?;
        while server_is_busy(&server).await? {
            if begun.elapsed() > FINISH_LIMIT {
                return Err("the runs did not finish in time".into());
            }
        }
        // The quiet time that told that it is over does not count.
        let elapsed = (begun.elapsed() - QUIET).as_secs_f64();
        let used = server.usage()?;
        let runs = api.run_count(&workflow).await? - earlier;
        assert_eq!(runs, ORDERS, "every accepted order has one run that has succeeded");
        let cpu_per_thousand = (used.cpu_seconds - before) * 1_000.0 / runs as f64;
        figures::row(
            &format!("hookwright dev, {name}"),
            &[Some(runs as f64), Some(runs as f64 / elapsed), Some(cpu_per_thousand), Some(used.peak_memory_mb)],
        );
    }
    Ok(())
}

/// How long a server uses next to no CPU before it counts as done.
const QUIET: Duration = Duration::from_millis(100);

/// Watching the CPU costs the server nothing, where asking it for runs would slow it down.
async fn server_is_busy(server: &Child) -> Outcome<bool> {
    let before = server.usage()?.cpu_seconds;
    sleep(QUIET).await;
    Ok(server.usage()?.cpu_seconds - before > 0.015)
}

/// One order at a time, from the post to a run that is seen to be finished.
async fn idle() -> Outcome<()> {
    figures::head("One order at an idle process", &["p50 ms", "p99 ms"]);
    let folder = tempfile::tempdir()?;
    let server = dev(folder.path())?;
    let mut api = Api::of(&server, folder.path()).await?;
    let (path, _) = api.tutorial().await?;
    let mut poster = Client::connect(server.address).await?;
    let (mut accepted, mut finished) = (Vec::new(), Vec::new());
    for number in 0..IDLE_ORDERS {
        sleep(IDLE_REST).await;
        let request = load::json_request("POST", &path, None, &tutorial::order(number));
        let begun = Instant::now();
        let answer = poster.exchange(&request).await?;
        accepted.push(begun.elapsed());
        let answer: Value = serde_json::from_str(&answer.body)?;
        let transaction = answer["data"]["id"].as_str().ok_or("no transaction")?;
        while !api.is_finished(transaction).await? {}
        finished.push(begun.elapsed());
    }
    for (name, mut latencies) in [("POST to accepted", accepted), ("POST to a finished run, seen by polling", finished)]
    {
        latencies.sort_unstable();
        let ms = |percent| Some(load::percentile(&latencies, percent).as_secs_f64() * 1_000.0);
        figures::row(name, &[ms(50), ms(99)]);
    }
    Ok(())
}

async fn post_orders(server: &Child, path: &str, connections: usize, until: Until, first: usize) -> Outcome<Measured> {
    let path = path.to_owned();
    let request = move |number| load::json_request("POST", &path, None, &tutorial::order(number));
    load::put_under(server.address, connections, until, first, request).await
}

fn bare(state_dir: &Path) -> Outcome<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("roof").arg(state_dir);
    Child::start(command)
}

fn dev(state_dir: &Path) -> Outcome<Child> {
    let mut command = Command::new(child::hookwright()?);
    command.args(["dev", "--port", "0", "--state-dir"]).arg(state_dir);
    Child::start(command)
}

fn get(path: &str, token: Option<&str>) -> Vec<u8> {
    load::json_request("GET", path, token, "")
}

/// The management API of a server, with its admin key.
struct Api {
    client: Client,
    token: String,
}

/// A form hook that was created.
struct FormHook {
    path: String,
    event: String,
}

impl Api {
    async fn of(server: &Child, state_dir: &Path) -> Outcome<Self> {
        let token = std::fs::read_to_string(state_dir.join("admin.key"))?.trim().to_owned();
        Ok(Self { client: Client::connect(server.address).await?, token })
    }

    async fn hook(&mut self) -> Outcome<FormHook> {
        let created = self.create("/v1/hooks/form", &json!({ "title": "Orders" })).await?;
        let attribute = |name: &str| created["data"]["attributes"][name].as_str().unwrap_or_default().to_owned();
        let url = attribute("url");
        let path = url.find("/v1/").map(|start| url[start..].to_owned()).ok_or("the hook has no address")?;
        Ok(FormHook { path, event: attribute("eventName") })
    }

    /// The path to post orders to, and the id of the workflow that takes them.
    async fn tutorial(&mut self) -> Outcome<(String, String)> {
        self.create("/v1/klasses", &tutorial::klass()).await?;
        let hook = self.hook().await?;
        let workflow = self.create("/v1/workflows", &tutorial::workflow(&hook.event)).await?;
        Ok((hook.path, workflow["data"]["id"].as_str().ok_or("the workflow has no id")?.to_owned()))
    }

    /// How many runs of the workflow have succeeded.
    async fn run_count(&mut self, workflow: &str) -> Outcome<usize> {
        let mut path = format!("/v1/workflows/{workflow}/runs?state=succeeded&pageSize=100");
        let mut count = 0;
        loop {
            let page = self.read(&path).await?.ok_or("the workflow is not there")?;
            count += page["data"].as_array().map_or(0, Vec::len);
            match page["links"]["next"].as_str() {
                Some(next) => path = next.to_owned(),
                None => return Ok(count),
            }
        }
    }

    async fn is_finished(&mut self, transaction: &str) -> Outcome<bool> {
        let found = self.read(&format!("/v1/transactions/{transaction}")).await?;
        Ok(found.is_some_and(|found| found["meta"]["trace"]["considered"][0]["run"]["state"] == "succeeded"))
    }

    async fn create(&mut self, path: &str, body: &Value) -> Outcome<Value> {
        let request = load::json_request("POST", path, Some(&self.token), &body.to_string());
        let answer = self.client.exchange(&request).await?;
        match answer.status {
            201 => Ok(serde_json::from_str(&answer.body)?),
            status => Err(format!("{path} answered {status}: {}", answer.body).into()),
        }
    }

    async fn read(&mut self, path: &str) -> Outcome<Option<Value>> {
        let answer = self.client.exchange(&get(path, Some(&self.token))).await?;
        match answer.status {
            200 => Ok(Some(serde_json::from_str(&answer.body)?)),
            404 => Ok(None),
            status => Err(format!("{path} answered {status}: {}", answer.body).into()),
        }
    }
}
