//! `simulate`: plays worlds until so many faults have happened, or one world again from its seed.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering},
    thread::available_parallelism,
    time::Instant,
};

use clap::Parser;
use simulation::{Plan, Report, play, shrink, simulate};

/// How often it says how far it is.
const SAY_EVERY_FAULTS: usize = 100_000;

#[derive(Parser)]
#[command(about = "Plays seeded worlds in which everything goes wrong, and says where the durability contract breaks")]
struct Args {
    /// How many faults are to happen, in as many worlds as that takes.
    #[arg(long, default_value_t = 1_000_000)]
    faults: usize,
    /// The seed of the first world; the next ones count up.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Plays the world of this seed only.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(seed) = args.seed {
        return match simulate(seed, Plan::All) {
            report if report.violations.is_empty() => {
                println!("{report:#?}");
                ExitCode::SUCCESS
            }
            report => tell(&report),
        };
    }
    let (begun, said) = (Instant::now(), AtomicUsize::new(0));
    let threads = available_parallelism().map_or(1, usize::from);
    let campaign = play(args.first_seed, args.faults, threads, |campaign| {
        let step = campaign.faults / SAY_EVERY_FAULTS;
        if said.fetch_max(step, Ordering::SeqCst) < step {
            println!("{} faults in {} worlds, {} s", campaign.faults, campaign.worlds, begun.elapsed().as_secs());
        }
    });
    println!("{} faults in {} worlds, {} s", campaign.faults, campaign.worlds, begun.elapsed().as_secs());
    println!("faults: {:?}", campaign.of_kind);
    println!("runs: {:?}; messages that were dead letters for a while: {}", campaign.ends, campaign.dead_letters);
    match campaign.broken.first() {
        None => {
            println!("nothing broken");
            ExitCode::SUCCESS
        }
        Some(report) => tell(report),
    }
}

/// Tells a failure as short as it can be made.
fn tell(report: &Report) -> ExitCode {
    println!(
        "seed {}: {:#?}\nmaking the list of its {} faults shorter …",
        report.seed,
        report.violations,
        report.faults.len()
    );
    let short = shrink(report);
    println!("the shortest list of faults that was found: {:?}\nwhich breaks: {:#?}", short.faults, short.violations);
    println!("again: cargo run --release -p simulation -- --seed {}", report.seed);
    ExitCode::FAILURE
}
