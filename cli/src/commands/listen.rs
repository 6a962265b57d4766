//! `hookwright listen`: what a deployed hook receives, forwarded to a program on this machine.
//!
//! It asks; nothing connects to this machine. What came while it did not run is on the hook's tape for 7 days, and the
//! place up to which it was delivered is in a file, so an arrival is delivered at least once and rarely twice.

mod cursor;
mod forward;
mod rounds;
mod tape;

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use self::{
    cursor::{Cursor, Position},
    forward::Forward,
    rounds::{Outcome, Rounds, Tally, Until},
    tape::{Arrival, Tape},
};
use super::hooks;
use crate::{
    client::{Address, Client},
    config::Global,
    duration,
    failure::Failure,
    machine::now,
    output::{self, Format, Page},
    session::Session,
    signing::Signer,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright listen --hook 6a1f2e3d4c5b6a7980a1b2c3 --forward http://127.0.0.1:3000/webhooks
  hookwright listen --hook 6a1f2e3d4c5b6a7980a1b2c3 --forward http://127.0.0.1:3000/ --since 2h
  hookwright listen --hook 6a1f2e3d4c5b6a7980a1b2c3 --kind form --print --once

It goes on where it ended the last time; the first time, with what arrives from then on.
Method, query, content type, headers and body are those that arrived, beside x-hookwright-transaction,
x-hookwright-hook and x-hookwright-received-at. Credentials and signatures are not kept: with --secret it is
signed anew as the hook's sender signs. Whatever the program answers counts as delivered; while it does not run,
everything waits. Ctrl-C ends it.")]
pub(crate) struct Args {
    /// The hook's id (24 hex digits)
    #[arg(long, value_name = "ID")]
    hook: String,
    /// What kind of hook
    #[arg(long, value_parser = PossibleValuesParser::new(hooks::POSTED_KINDS), default_value = hooks::SIGNED_KIND)]
    kind: String,
    /// Where it is forwarded to
    #[arg(long, value_name = "URL", required_unless_present = "print")]
    forward: Option<String>,
    /// Begin so long ago instead: a number and s, m, h or d
    #[arg(long, value_name = "SPAN", value_parser = duration::seconds, conflicts_with = "from_start")]
    since: Option<u32>,
    /// Begin with the oldest that is kept instead
    #[arg(long)]
    from_start: bool,
    /// Deliver what is there and end, instead of waiting for more
    #[arg(long)]
    once: bool,
    /// Sign with this secret in the hook's scheme
    #[arg(long, value_name = "TEXT", requires = "forward")]
    secret: Option<String>,
    /// Print the bodies too
    #[arg(long)]
    print: bool,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let Session { client, format } = Session::open(global)?;
    let address = Address::of(&["hooks", &args.kind, &args.hook]);
    let hook = client.get(&address)?;
    let signer = args.secret.clone().map(|secret| Signer::with_secret(&auth_here(&hook), secret)).transpose()?;
    let forward = args.forward.as_deref().map(|url| Forward::to(url, &args.hook, signer)).transpose()?;
    if hook.pointer("/data/attributes/tape") != Some(&Value::Bool(true)) {
        client.put(&address, json!({ "tape": true }).to_string().into_bytes())?;
    }
    let cursor = open_cursor(&args, &client)?;
    announce(&args, format, cursor.position())?;
    let tape = Tape::of(client, &args.kind, &args.hook);
    let rounds = Rounds {
        read: Box::new(move |position| tape.page(position)),
        cursor,
        deliver: Box::new(move |arrival| forward.as_ref().map(|forward| forward.deliver(arrival)).transpose()),
        tell: Box::new(move |arrival, outcome| tell(arrival, outcome, format, args.print)),
        pause: Box::new(thread::sleep),
        until: if args.once { Until::Empty } else { Until::Stopped },
    };
    carry_out(rounds, format)
}

/// The hook's `auth` for a program that is reached at its own address: without the one that the sender knows.
fn auth_here(hook: &Value) -> Value {
    let mut auth = hook.pointer("/data/attributes/auth").cloned().unwrap_or(Value::Null);
    auth.as_object_mut().and_then(|auth| auth.remove("url"));
    auth
}

/// Goes on until the rounds end or Ctrl-C. *Why without waiting for the rounds*: they may stand in a program at a
/// breakpoint, and what is under way then is delivered again the next time.
fn carry_out(mut rounds: Rounds, format: Format) -> Result<(), Failure> {
    let tally = Tally::default();
    let counted = tally.clone();
    let (ended, end) = mpsc::channel();
    let interrupted = ended.clone();
    thread::spawn(move || ended.send(rounds.run(&counted)));
    thread::spawn(move || wait_for_ctrl_c().and_then(|()| interrupted.send(Ok(())).ok()));
    let outcome = end.recv().unwrap_or(Ok(()));
    if let (Format::Human, false) = (format, matches!(outcome, Err(Failure::OutputClosed))) {
        output::print(&Page::of_line(tally.sentence()))?;
    }
    outcome
}

/// `None` where signals cannot be listened for; Ctrl-C then ends the program without a summary.
fn wait_for_ctrl_c() -> Option<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(tokio::signal::ctrl_c()).ok()
}

fn open_cursor(args: &Args, client: &Client) -> Result<Cursor, Failure> {
    let cursor = Cursor::open(client.state_dir(), client.base_url(), &args.kind, &args.hook)?;
    Ok(match (args.since, args.from_start) {
        (Some(seconds), _) => cursor.at(Position::since(now().plus_seconds(-i64::from(seconds)))),
        (None, true) => cursor.at(Position::default()),
        (None, false) if cursor.is_new() => cursor.at(Position::since(now())),
        (None, false) => cursor,
    })
}

fn announce(args: &Args, format: Format, position: &Position) -> Result<(), Failure> {
    if format == Format::Json {
        return Ok(());
    }
    let target = args.forward.as_deref().map_or_else(|| "the terminal".to_owned(), str::to_owned);
    let begin = match position {
        Position { after: Some(_), .. } => "where it ended the last time".to_owned(),
        Position { after: None, since: Some(instant), .. } => instant.clone(),
        Position { after: None, since: None, .. } => "the oldest that is kept".to_owned(),
    };
    output::print(&Page::of_line(format!("From the hook {} to {target}, from {begin}.", args.hook)))
}

fn tell(arrival: &Arrival, outcome: &Outcome, format: Format, with_body: bool) -> Result<(), Failure> {
    let mut page = Page::default();
    match format {
        Format::Json => page.json_line(&outcome.document(arrival)),
        Format::Human => {
            page.line(format!("{}  {}", arrival.line(), outcome.word()));
            if with_body {
                String::from_utf8_lossy(&arrival.body).lines().for_each(|line| page.line(format!("  {line}")));
            }
        }
    }
    output::print(&page)
}

/// The folder of the cursors, below the state directory.
fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join("listen")
}
