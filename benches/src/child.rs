//! A server as a process of its own, so that its CPU time and memory are its own.
//!
//! Linux only: both are read from `/proc`.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child as Process, Command, Stdio},
};

use crate::Outcome;

/// Linux counts CPU time for `/proc` in hundredths of a second on every platform Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A server that was started; it is killed when this is dropped.
pub struct Child {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Child {
    /// Starts `command` and waits until it has printed an `http://` address.
    pub fn start(mut command: Command) -> Outcome<Self> {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("the server has no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = loop {
            let line = lines.next().ok_or("the server ended without printing its address")??;
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split([' ', '/']).next().unwrap_or_default().parse()?;
            }
        };
        // Read on, or a server that prints more than a pipe holds would stand still.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { process, address })
    }

    /// What it has used so far.
    pub fn usage(&self) -> Outcome<Usage> {
        usage(&self.process.id().to_string())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// What a process has used.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// In user and kernel mode, all threads together.
    pub cpu_seconds: f64,
    /// Resident now.
    pub memory_mb: f64,
    /// The most that was ever resident.
    pub peak_memory_mb: f64,
}

/// What the process `id` (`self` for this one) has used so far.
pub fn usage(id: &str) -> Outcome<Usage> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The program's name is in parentheses and may contain anything; user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').ok_or("unreadable stat")?;
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let megabytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok()).unwrap_or_default() / 1_024.0
    };
    Ok(Usage {
        cpu_seconds: ticks / TICKS_PER_SECOND,
        memory_mb: megabytes("VmRSS:"),
        peak_memory_mb: megabytes("VmHWM:"),
    })
}

/// The release build of the command, which stands beside this bench.
///
/// *Errors*: a sentence that says how to build it.
pub fn hookwright() -> Outcome<PathBuf> {
    let place = std::env::current_exe()?.with_file_name("hookwright");
    match place.is_file() {
        true => Ok(place),
        false => {
            Err(format!("{} is missing. Build it with `cargo build --release -p hookwright`.", place.display()).into())
        }
    }
}

/// `hookwright dev` on a free port with its state in `state_dir`.
pub fn dev(state_dir: &Path) -> Outcome<Child> {
    let mut command = Command::new(hookwright()?);
    command.args(["dev", "--port", "0", "--smtp-port", "0", "--state-dir"]).arg(state_dir);
    Child::start(command)
}
