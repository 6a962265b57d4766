//! `hookwright dead-letters`: messages that were given up.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, present_fields, shortened, text_at},
    paging::Paging,
    session::Session,
};

const SENTENCE_LIMIT_CHARS: usize = 60;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright dead-letters ls
  hookwright dead-letters show 6a1f2e3d4c5b6a7980a1b2c3
  hookwright dead-letters redrive --all --reason unavailable --dry-run")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List messages that were given up, newest first
    #[command(
        visible_alias = "list",
        after_help = "\
Examples:
  hookwright dead-letters ls
  hookwright dead-letters ls --event kustomer.hooks.form.6a1f2e3d4c5b6a7980a1b2c3.receive --from 2026-11-22T00:00:00Z
  hookwright dead-letters ls --state redriven"
    )]
    Ls {
        /// Those that wait, or those that were redriven: dead or redriven [default: dead]
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a dead letter: why it was given up, and its message
    #[command(after_help = "Examples:\n  hookwright dead-letters show 6a1f2e3d4c5b6a7980a1b2c3")]
    Show {
        /// The id of the letter
        id: String,
    },
    /// Put dead letters on the queue again: those that are named, or all that fit
    #[command(after_help = "\
Examples:
  hookwright dead-letters redrive 6a1f2e3d4c5b6a7980a1b2c3
  hookwright dead-letters redrive --all --event shopify.order.create --dry-run
  hookwright dead-letters redrive --all --reason unavailable --per-second 5

A run that had begun goes on where it was; what it has done is not done again.")]
    Redrive {
        /// The ids of the letters
        #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// All that the other flags fit; 500 at once, the oldest first
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        filter: Filter,
        /// Only count them
        #[arg(long)]
        dry_run: bool,
        /// How many a second, 1 to 100 [default: 10]
        #[arg(long, value_name = "N")]
        per_second: Option<u32>,
        /// At most so many, 1 to 500 [default: 500]
        #[arg(long, value_name = "N")]
        limit: Option<u32>,
    },
    /// Take a dead letter away for good
    #[command(
        visible_alias = "delete",
        after_help = "Examples:\n  hookwright dead-letters rm 6a1f2e3d4c5b6a7980a1b2c3"
    )]
    Rm {
        /// The id of the letter
        id: String,
    },
}

/// Which letters are meant.
#[derive(Debug, clap::Args)]
struct Filter {
    /// Only messages of this kind: transaction, wake, told, deliver, scheduled, recurs or unreadable
    #[arg(long)]
    kind: Option<String>,
    /// Only what arrived at the hook with this id
    #[arg(long, value_name = "ID")]
    hook: Option<String>,
    /// Only what fires or tells of this event
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Only what was given up for this reason: unreadable, unavailable, panicked, `timed_out` or `no_answer`
    #[arg(long)]
    reason: Option<String>,
    /// Only what was given up at this instant or later, such as 2026-11-22T09:30:00Z
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Only what was given up before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
}

impl Filter {
    /// What is asked for, by the API's names.
    fn words(&self) -> [(&'static str, Option<&str>); 6] {
        [
            ("kind", self.kind.as_deref()),
            ("hook", self.hook.as_deref()),
            ("event", self.event.as_deref()),
            ("reason", self.reason.as_deref()),
            ("from", self.from.as_deref()),
            ("until", self.until.as_deref()),
        ]
    }
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Ls { state, filter, paging } => {
            let address = Address::of(&["dead-letters"]).query("state", state.as_deref());
            let address = filter.words().into_iter().fold(address, |address, (name, word)| address.query(name, word));
            session.list(address, &paging, table)
        }
        Command::Show { id } => session.show(&session.client.get(&Address::of(&["dead-letters", &id]))?, view),
        Command::Redrive { ids, all: false, filter, dry_run, per_second, limit } => {
            let is_narrowed = filter.words().iter().any(|(_, word)| word.is_some());
            if is_narrowed || dry_run || per_second.is_some() || limit.is_some() {
                let sentence = "Letters that are named are redriven at once. Leave the other flags out, or name none and pass --all.";
                return Err(Failure::Usage(sentence.to_owned()));
            }
            for id in ids {
                let address = Address::of(&["dead-letters", &id, "redrive"]);
                session.show(&session.client.post(&address, b"{}".to_vec())?, redriven)?;
            }
            Ok(())
        }
        Command::Redrive { all: true, filter, dry_run, per_second, limit, .. } => {
            let mut wish: Map<String, Value> =
                filter.words().into_iter().filter_map(|(name, word)| Some((name.to_owned(), json!(word?)))).collect();
            wish.insert("dryRun".to_owned(), json!(dry_run));
            for (name, number) in [("perSecond", per_second), ("limit", limit)] {
                wish.extend(number.map(|number| (name.to_owned(), json!(number))));
            }
            let address = Address::of(&["dead-letters", "redrive"]);
            session.show(&session.client.post(&address, Value::Object(wish).to_string().into_bytes())?, counted)
        }
        Command::Rm { id } => {
            session.remove(&Address::of(&["dead-letters", &id]), format!("The dead letter {id} is gone."))
        }
    }
}

fn table(letters: &[Value]) -> Page {
    if letters.is_empty() {
        return Page::of_line("There are no such dead letters on this page.");
    }
    let mut page = Page::default();
    let row = |letter: &Value| {
        let attribute = |name: &str| text_at(letter, &format!("/attributes/{name}"));
        [
            attribute("failedAt"),
            text_at(letter, "/id"),
            attribute("kind"),
            attribute("event"),
            attribute("attempts"),
            attribute("reason/code"),
            shortened(&attribute("reason/sentence"), SENTENCE_LIMIT_CHARS),
        ]
    };
    page.table(["GIVEN UP", "ID", "KIND", "EVENT", "ATTEMPTS", "REASON", ""], letters.iter().map(row).collect());
    page
}

fn view(letter: &Value) -> Page {
    let mut page = Page::default();
    let attribute = |name: &str| text_at(letter, &format!("/attributes/{name}"));
    let mut fields = vec![
        ("dead letter", text_at(letter, "/id")),
        ("state", attribute("state")),
        ("kind", attribute("kind")),
        ("given up", attribute("failedAt")),
        ("attempts", attribute("attempts")),
        ("reason", format!("{}: {}", attribute("reason/code"), attribute("reason/sentence"))),
    ];
    fields.extend(present_fields(
        letter,
        &[
            ("first delivered", "/attributes/firstReceivedAt"),
            ("event", "/attributes/event"),
            ("hook", "/attributes/hookId"),
            ("transaction", "/attributes/transactionId"),
            ("run", "/attributes/runId"),
            ("redriven", "/attributes/redrivenAt"),
            ("by key", "/attributes/redrivenBy"),
        ],
    ));
    page.fields(&fields);
    if let Some(message) = letter.pointer("/attributes/message") {
        page.line("");
        page.line(format!("Message ({} bytes):", attribute("bytes")));
        page.json(message);
    }
    page
}

fn redriven(letter: &Value) -> Page {
    let id = text_at(letter, "/id");
    let transaction = text_at(letter, "/attributes/transactionId");
    Page::of_line(match transaction.as_str() {
        "-" => format!("{id} is on the queue again."),
        transaction => format!("{id} is on the queue again. What comes of it: hookwright why {transaction}"),
    })
}

fn counted(outcome: &Value) -> Page {
    let attribute = |name: &str| text_at(outcome, &format!("/attributes/{name}"));
    let mut page = Page::default();
    if outcome.pointer("/attributes/dryRun") == Some(&json!(true)) {
        page.line(format!("{} would be redriven. Nothing was changed.", attribute("matched")));
    } else {
        let (redriven, seconds) = (attribute("redriven"), attribute("seconds"));
        page.line(format!("{redriven} are on the queue again, spread over {seconds} seconds."));
        if attribute("remaining") != "0" {
            page.line(format!("{} more fit; ask again for the next ones.", attribute("remaining")));
        }
    }
    if attribute("lookOnFrom") != "-" {
        page.line(format!("There are more than were looked at; look on with --from {}", attribute("lookOnFrom")));
    }
    page
}
