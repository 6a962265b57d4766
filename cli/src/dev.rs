//! `hookwright dev`: every front door and the executor in one process, on the embedded stack.
//!
//! The handlers are the ones that run on Lambda. What is only here is what AWS does there: listening, receiving from
//! the queue, and making the first key.

mod admin;
mod chaos;
mod consumer;
mod dead_letters;
mod mail;
mod server;
mod ticker;
mod tour;

use std::{
    fmt::Display,
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use aws::{Destination, WebCalls, WebDestinations, WebFetch};
use clap::Args as ClapArgs;
use domain::Limit;
use local::{Stack, smtp};
use service::{
    Door, Executor, InFlight, Limits, MailDoor, Management, Senders, Ticker,
    actions::Mailing,
    directory::keys::KeyCache,
    http::api::{MailSetup, MailWay},
    ports::{Calls, Post, Queue, Store},
};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use tracing_subscriber::filter::LevelFilter;

use crate::{
    config::{ADMIN_KEY_FILE, DEFAULT_STATE_DIR},
    output,
};

use chaos::{Chaos, Chaotic};
use consumer::Consumer;
use mail::{HookInbox, MailArgs};

/// How often expired items are forgotten; they are invisible before that.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// How long mails are kept as they came, as in `template.yaml`.
const MAIL_KEPT_SECONDS: i64 = 30 * 24 * 60 * 60;

/// How long what is in work may take when the process is asked to end; it is safe on the queue.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

/// Flags of `hookwright dev`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:
  hookwright dev
  hookwright dev --port 9000 --state-dir orders
  hookwright dev --memory --log info
  hookwright dev --allow-destination localhost:3000
  hookwright dev --chaos 1")]
pub(crate) struct Args {
    /// The port to listen on, on the loopback address only; 0 takes a free one.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Where everything is kept; it survives a restart and a `kill -9` [default: .hookwright]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Keep nothing but, where --state-dir is given, the admin key: the state is gone with the process.
    #[arg(long)]
    memory: bool,
    /// How many arrivals all hooks together take in a minute, as `HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE` does on AWS [default: no limit]
    #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    org_limit: Option<u32>,
    #[command(flatten)]
    mail: MailArgs,
    /// What workflows may call beside public addresses at ports 443 and 80: a host or a network, with or without a port, as in
    /// localhost:3000 and 10.1.0.0/16; may be given several times.
    #[arg(long, value_name = "HOST|NETWORK[:PORT]")]
    allow_destination: Vec<Destination>,
    /// Try the executor out: messages come twice, late and in another order, calls fail or are done and told as failed, and what
    /// executes a message is killed between any two calls. The same number lets the same happen at the same call.
    #[arg(long, value_name = "SEED")]
    chaos: Option<u64>,
    /// What is worth a line on standard error: error, warn, info or debug.
    #[arg(long, default_value = "warn")]
    log: LevelFilter,
}

impl Args {
    fn state_dir(&self) -> PathBuf {
        self.state_dir.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_STATE_DIR))
    }

    fn org_limit(&self) -> Option<Limit> {
        self.org_limit.map(|requests| Limit { requests, seconds: 60 })
    }

    /// Where the admin key is kept; nowhere if nothing is to be kept and no place was named.
    fn key_file(&self) -> Option<PathBuf> {
        (!self.memory || self.state_dir.is_some()).then(|| self.state_dir().join(ADMIN_KEY_FILE))
    }
}

/// Runs until Ctrl-C or SIGTERM.
pub(crate) fn run(args: Args) -> ExitCode {
    tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(args.log).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(format_args!("The asynchronous runtime cannot start: {error}.")),
    };
    let code = match runtime.block_on(serve(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => fail(sentence),
    };
    // What is still running has been asked to end; anything that has not by now is safe on the queue.
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

fn fail(sentence: impl Display) -> ExitCode {
    output::complain(&sentence.to_string());
    ExitCode::FAILURE
}

async fn serve(args: Args) -> Result<(), String> {
    let listener = listen(args.port, "--port").await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let mail_listener = listen(args.mail.smtp_port, "--smtp-port").await?;
    let mail_address = mail_listener.local_addr().map_err(|error| error.to_string())?;
    let stack = match args.memory {
        true => Stack::memory().await,
        false => Stack::open(&args.state_dir()).await,
    }
    .map_err(|error| format!("{error}."))?;
    let admin = admin::find_or_make(&stack, args.key_file()).await?;

    let url = format!("http://{address}");
    stack.uploads.listen_at(&url);
    let keys = Arc::default();
    let hooks = Arc::new(door(&stack, url.clone(), args.org_limit(), Arc::clone(&keys)));
    let mail_door = Arc::new(MailDoor {
        door: Arc::clone(&hooks),
        mails: stack.mails.clone(),
        domain: args.mail.mail_domain.clone(),
        bucket: None,
        key_prefix: mail::KEY_PREFIX.to_owned(),
    });
    let inbox = HookInbox { door: Arc::clone(&mail_door), mails: stack.mails.clone(), world: stack.world.clone() };
    let setup = MailSetup { door: mail_door, way: MailWay::Listener { address: mail_address.to_string() } };
    let doors = Arc::new(doors(&stack, hooks, keys, setup, &args));
    let chaos = args.chaos.map(Chaos::of);
    let executor = executor(&stack, &url, &args, chaos.as_ref());
    let (stop, stopping) = watch::channel(());
    let settings = args.mail.settings(stack.world.clone())?;
    let mail_server = tokio::spawn(smtp::serve(mail_listener, Arc::new(inbox), settings, stopping.clone()));
    let executor = Arc::new(executor);
    let letters = dead_letters::keep(Arc::clone(&stack.queue), Arc::clone(&executor), stopping.clone());
    let letters = tokio::spawn(letters);
    let consumer = Consumer { queue: Arc::clone(&stack.queue), executor, chaos: chaos.clone() };
    let consumer = tokio::spawn(consumer::consume(consumer, stopping.clone()));
    let ticker = Arc::new(Ticker::new(stack.store.clone(), stack.queue.clone(), stack.world.clone()));
    let ticker = tokio::spawn(ticker::tick(ticker, stopping.clone()));
    let server = tokio::spawn(server::serve(listener, doors, stopping));
    let stop_asked = stop_signal().map_err(|error| format!("Signals cannot be listened for: {error}."))?;
    tour::print(&url, &mail_address, &admin, &args);

    sweep_until_stopped(&stack, stop_asked).await;
    drop(stop);
    if let Some(chaos) = &chaos {
        output::say(&chaos.to_string());
    }
    output::say("Stopping; what was accepted and is not done yet goes on at the next start.");
    for part in [server, mail_server, ticker, letters, consumer] {
        match timeout(FINISH_TIMEOUT, part).await {
            Ok(ended) => ended.map_err(|error| error.to_string())?,
            Err(_) => output::say("Some runs are still at work; they go on at the next start."),
        }
    }
    Ok(())
}

async fn listen(port: u16, flag: &str) -> Result<TcpListener, String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            return format!("Port {port} is taken by another program. Stop it, or pass another {flag}.");
        }
        format!("{address} cannot be listened on: {error}.")
    })
}

fn executor(stack: &Stack, url: &str, args: &Args, chaos: Option<&Arc<Chaos>>) -> Executor {
    let domain = &args.mail.mail_domain;
    let mut store: Arc<dyn Store> = stack.store.clone();
    let mut queue: Arc<dyn Queue> = stack.queue.clone();
    let mut calls: Arc<dyn Calls> = Arc::new(WebCalls::new(args.allow_destination.clone()));
    let mut post: Arc<dyn Post> = stack.outbox.clone();
    if let Some(chaos) = chaos {
        (store, queue) = (Chaotic::new(store, chaos), Chaotic::new(queue, chaos));
        (calls, post) = (Chaotic::new(calls, chaos), Chaotic::new(post, chaos));
    }
    Executor::new(Arc::clone(&store), queue, stack.world.clone())
        .with_cap(InFlight::new(store, stack.world.clone()))
        .with_address(Some(url))
        .with_calls(calls)
        .with_post(Mailing {
            post,
            blobs: stack.blobs.clone(),
            domain: Some(domain.clone()),
            from: Some(format!("workflows@{domain}")),
        })
}

fn door(stack: &Stack, public_url: String, org_limit: Option<Limit>, keys: Arc<KeyCache>) -> Door {
    Door {
        store: stack.store.clone(),
        queue: stack.queue.clone(),
        blobs: stack.blobs.clone(),
        uploads: stack.uploads.clone(),
        web: Arc::new(WebFetch::with_loopback()),
        world: stack.world.clone(),
        addresses: Arc::default(),
        limits: Limits::for_each_org(org_limit),
        senders: Senders::with_keys(keys),
        public_url: Some(public_url),
    }
}

fn doors(stack: &Stack, hooks: Arc<Door>, keys: Arc<KeyCache>, mail: MailSetup, args: &Args) -> server::Doors {
    let management = Management {
        store: stack.store.clone(),
        queue: stack.queue.clone(),
        destinations: Arc::new(WebDestinations::new(args.allow_destination.clone())),
        world: stack.world.clone(),
        addresses: Arc::clone(&hooks.addresses),
        keys,
        public_url: hooks.public_url.clone(),
        mail: Some(mail),
        outbox: Some(stack.outbox.clone()),
        first_key: None,
    };
    server::Doors { hooks, management, uploads: stack.uploads.clone() }
}

async fn sweep_until_stopped(stack: &Stack, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut sweeps = tokio::time::interval(SWEEP_EVERY);
    // The stack has swept when it was opened.
    sweeps.tick().await;
    loop {
        tokio::select! {
            () = &mut stop => return,
            _ = sweeps.tick() => {
                if let Err(error) = stack.dynamo.forget_expired() {
                    tracing::error!(%error, "expired items were not forgotten");
                }
                let old = stack.world.now().plus_seconds(-MAIL_KEPT_SECONDS);
                if let Err(error) = stack.mails.forget_older_than(old).await {
                    tracing::error!(%error, "old mails were not removed");
                }
            }
        }
    }
}

/// Ctrl-C or SIGTERM. They are listened for from this call on, not from the first poll.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
