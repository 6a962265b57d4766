//! `soak`: posts orders at `hookwright dev` without a pause, kills it with SIGKILL at random moments, starts it again on the same
//! state, and in the end reconciles: every order that was accepted has its transaction and its finished runs, each record is there
//! once, and each call outside came under one key.
//!
//! `cargo build --release && cargo run --release -p soak -- --kills 50`

mod dev;
mod poster;
mod reconcile;
mod sink;

use std::{
    process::ExitCode,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use benches::Outcome;
use clap::Parser;
use tokio::time::sleep;

use dev::Dev;
use poster::Poster;
use sink::Sink;

/// How long it lives between two kills: short enough to be hit at its start as well.
const SHORTEST_LIFE: Duration = Duration::from_millis(150);
const LONGEST_LIFE: Duration = Duration::from_millis(2_500);

/// How many senders there are at once.
const SENDERS: usize = 4;

#[derive(Parser)]
#[command(about = "Kills `hookwright dev` again and again while orders come in, and reconciles what is left")]
struct Args {
    /// How often it is killed.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Decides at which moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(soak(&Args::parse()))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("the soak did not come to its end: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn soak(args: &Args) -> Outcome<bool> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start()?;
    let mut dev = Dev::start(folder.path(), &sink)?;
    let shop = dev.set_up(&sink).await?;
    let poster = Arc::new(Poster::new(shop.path.clone(), dev.address()));
    let senders: Vec<_> = (0..SENDERS).map(|_| tokio::spawn(Arc::clone(&poster).post_until_stopped())).collect();

    let begun = Instant::now();
    let mut moments = args.seed;
    for kill in 1..=args.kills {
        sleep(life(&mut moments)).await;
        dev.kill()?;
        dev = Dev::start(folder.path(), &sink)?;
        poster.go_on_at(dev.address());
        if kill % 10 == 0 {
            println!("{kill} kills, {} orders accepted", poster.accepted().len());
        }
    }
    poster.stop.store(true, Ordering::SeqCst);
    for sender in senders {
        sender.await?;
    }
    let accepted = poster.accepted();
    println!(
        "{} kills in {:.0} s; {} orders accepted, {} answers got lost and were asked for again",
        args.kills,
        begun.elapsed().as_secs_f64(),
        accepted.len(),
        poster.lost.load(Ordering::SeqCst),
    );
    let drained = Instant::now();
    let findings = reconcile::when_all_is_over(&mut dev, &shop, &accepted).await?;
    println!("all came to their end {:.0} s after the last kill", drained.elapsed().as_secs_f64());
    Ok(reconcile::print(&findings, &accepted, &sink.charges()))
}

/// How long it lives this time: SplitMix64 over the range.
fn life(moments: &mut u64) -> Duration {
    *moments = moments.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*moments ^ (*moments >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let range = (LONGEST_LIFE - SHORTEST_LIFE).as_millis() as u64;
    SHORTEST_LIFE + Duration::from_millis((mixed ^ (mixed >> 27)) % range)
}
