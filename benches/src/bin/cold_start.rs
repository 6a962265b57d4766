//! What a function costs before its first event: size, time from exec to the first `/next`, and memory by then.
//!
//! It measures binaries that are built already, in the profile that is deployed, and each in turn, round by round, so that
//! a busy moment of the machine hits them all:
//!
//! ```sh
//! cargo build --profile lambda -p form-hook -p webhook -p email-hook -p executor -p api -p benches \
//!   --bin form-hook --bin webhook --bin email-hook --bin executor --bin api --bin empty_function --bin clients_only
//! cargo run --release -p benches --bin cold_start
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The binaries, baselines first.
const BINARIES: [&str; 7] = [EMPTY, CLIENTS, FORM_HOOK, WEBHOOK, "email-hook", "executor", "api"];
const EMPTY: &str = "empty_function";
const CLIENTS: &str = "clients_only";
const FORM_HOOK: &str = "form-hook";
const WEBHOOK: &str = "webhook";

/// Rounds that count; those before them fill the page cache.
const ROUNDS: usize = 20;
const WARM_UP_ROUNDS: usize = 2;

/// *Source*: issue 2, "Speed and size".
const GOAL_RATIO: f64 = 1.3;
const GOAL_SIZE_BYTES: u64 = 8_000_000;

/// What a function is told of; nothing of it is asked before the first event.
const VARIABLES: [(&str, &str); 14] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "bench"),
    ("AWS_SECRET_ACCESS_KEY", "bench"),
    ("HOOKWRIGHT_DIRECTORY_TABLE", "bench-directory"),
    ("HOOKWRIGHT_RUNS_TABLE", "bench-runs"),
    ("HOOKWRIGHT_RECORDS_TABLE", "bench-records"),
    ("HOOKWRIGHT_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/000000000000/bench"),
    ("HOOKWRIGHT_DEAD_LETTER_QUEUE_ARN", "arn:aws:sqs:eu-west-1:000000000000:bench-dead"),
    ("HOOKWRIGHT_BLOB_BUCKET", "bench-blobs"),
    ("HOOKWRIGHT_MAIL_DOMAIN", "hooks.example.org"),
    ("HOOKWRIGHT_MAIL_BUCKET", "bench-mail"),
];

/// One start.
struct Start {
    to_next: Duration,
    peak_kib: u64,
}

/// What twenty starts come to.
struct Figures {
    size_bytes: u64,
    median_ms: f64,
    fastest_ms: f64,
    slowest_ms: f64,
    median_peak_kib: u64,
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/lambda".to_owned()));
    for name in BINARIES {
        let path = folder.join(name);
        assert!(path.exists(), "{} is not there; the head of cold_start.rs says how to build it", path.display());
    }
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let mut starts: BTreeMap<&str, Vec<Start>> = BTreeMap::new();
    for round in 0..WARM_UP_ROUNDS + ROUNDS {
        for name in BINARIES {
            let start = start(&folder.join(name), &listener);
            if round >= WARM_UP_ROUNDS {
                starts.entry(name).or_default().push(start);
            }
        }
    }
    print(&starts.into_iter().map(|(name, starts)| (name, figures(&folder.join(name), starts))).collect());
}

/// Starts the binary at `path`, waits until it asks for its first event, and ends it.
fn start(path: &Path, listener: &TcpListener) -> Start {
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr().unwrap().to_string())
        .envs(VARIABLES)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    let begun = Instant::now();
    let mut process = command.spawn().unwrap();
    let (stream, _) = listener.accept().unwrap();
    let mut request_line = String::new();
    BufReader::new(&stream).read_line(&mut request_line).unwrap();
    let to_next = begun.elapsed();
    assert!(request_line.starts_with("GET /2018-06-01/runtime/invocation/next "), "{request_line}");
    let peak_kib = peak_kib(process.id());
    process.kill().unwrap();
    process.wait().unwrap();
    Start { to_next, peak_kib }
}

/// The most memory the process has had resident, as Linux counts it (`VmHWM`).
fn peak_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn figures(path: &Path, starts: Vec<Start>) -> Figures {
    let mut times_ms: Vec<f64> = starts.iter().map(|start| start.to_next.as_secs_f64() * 1000.0).collect();
    let mut peaks_kib: Vec<u64> = starts.iter().map(|start| start.peak_kib).collect();
    times_ms.sort_by(f64::total_cmp);
    peaks_kib.sort_unstable();
    let middle = starts.len() / 2;
    Figures {
        size_bytes: fs::metadata(path).unwrap().len(),
        median_ms: f64::midpoint(times_ms[middle - 1], times_ms[middle]),
        fastest_ms: times_ms[0],
        slowest_ms: times_ms[times_ms.len() - 1],
        median_peak_kib: peaks_kib[middle],
    }
}

fn print(figures: &BTreeMap<&str, Figures>) {
    println!("exec to the first /next, {ROUNDS} starts each in turn, warm page cache; peak memory until then");
    println!(
        "{:15} {:>10} {:>10} {:>15} {:>9} {:>9} {:>9}",
        "binary", "size MB", "median ms", "fastest-slowest", "x empty", "x clients", "peak MB"
    );
    for name in BINARIES {
        let one = &figures[name];
        println!(
            "{name:15} {:>10.2} {:>10.2} {:>15} {:>9.2} {:>9.2} {:>9.1}",
            one.size_bytes as f64 / 1e6,
            one.median_ms,
            format!("{:.1}-{:.1}", one.fastest_ms, one.slowest_ms),
            one.median_ms / figures[EMPTY].median_ms,
            one.median_ms / figures[CLIENTS].median_ms,
            one.median_peak_kib as f64 * 1024.0 / 1e6,
        );
    }
    for name in [FORM_HOOK, WEBHOOK] {
        let one = &figures[name];
        let ratio = one.median_ms / figures[CLIENTS].median_ms;
        let is_small = one.size_bytes < GOAL_SIZE_BYTES;
        println!("goal: {name} within {GOAL_RATIO} x {CLIENTS}: {}", verdict(ratio <= GOAL_RATIO));
        println!("goal: {name} under {} MB: {}", GOAL_SIZE_BYTES / 1_000_000, verdict(is_small));
    }
}

fn verdict(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}
