//! `hookwright hooks`: addresses that receive data.

use clap::{Subcommand, ValueEnum, builder::PossibleValuesParser};
use domain::HookKind;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, brief, present_fields, shortened, text_at},
    paging::Paging,
    session::Session,
};

/// The kinds this version has.
const KINDS: [&str; 1] = [HookKind::Form.word()];

const TITLE_LIMIT_CHARS: usize = 40;
const DATA_LIMIT_CHARS: usize = 80;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright hooks create --title Orders
  hookwright hooks ls
  hookwright hooks debug 6a1f2e3d4c5b6a7980a1b2c3 on")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a hook and print its address
    #[command(after_help = "\
Examples:
  hookwright hooks create --title Orders
  hookwright hooks create form --title Contact --reply-status 303 --reply-location https://shop.example/thanks")]
    Create {
        /// What kind of hook
        #[arg(value_parser = PossibleValuesParser::new(KINDS), default_value = KINDS[0])]
        kind: String,
        /// What people call it
        #[arg(long)]
        title: String,
        /// What it is for
        #[arg(long)]
        description: Option<String>,
        /// The event it fires instead of its own, such as kustomer.app.shop.order-placed
        #[arg(long, value_name = "NAME")]
        event_name: Option<String>,
        #[command(flatten)]
        reply: ReplyArgs,
    },
    /// List hooks, oldest first
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  hookwright hooks ls\n  hookwright hooks ls --page-size 100 --json"
    )]
    Ls {
        #[command(flatten)]
        kind: KindArg,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a hook
    #[command(after_help = "Examples:\n  hookwright hooks show 6a1f2e3d4c5b6a7980a1b2c3")]
    Show(HookArg),
    /// Change a hook; what is not named stays
    #[command(after_help = "\
Examples:
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --title 'Web orders'
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --reply-status 200 --reply-body ok --reply-content-type text/plain
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --no-reply")]
    Update {
        #[command(flatten)]
        hook: HookArg,
        #[command(flatten)]
        changes: Changes,
    },
    /// Delete a hook; its address takes nothing any more
    #[command(visible_alias = "delete", after_help = "Examples:\n  hookwright hooks rm 6a1f2e3d4c5b6a7980a1b2c3")]
    Rm(HookArg),
    /// Keep what arrives readable for 24 hours, or stop
    #[command(after_help = "Examples:\n  hookwright hooks debug 6a1f2e3d4c5b6a7980a1b2c3 on")]
    Debug {
        #[command(flatten)]
        hook: HookArg,
        /// Whether to keep it
        debug: Debugging,
    },
    /// Show the last 10 interactions of a hook in debug, newest first
    #[command(after_help = "Examples:\n  hookwright hooks transactions 6a1f2e3d4c5b6a7980a1b2c3")]
    Transactions(HookArg),
}

#[derive(Debug, clap::Args)]
struct KindArg {
    /// What kind of hook
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS), default_value = KINDS[0])]
    kind: String,
}

#[derive(Debug, clap::Args)]
struct HookArg {
    /// The hook's id (24 hex digits), not the hash in its address
    id: String,
    #[command(flatten)]
    kind: KindArg,
}

/// What a poster is answered instead of the standard 202.
#[derive(Debug, clap::Args)]
struct ReplyArgs {
    /// What a poster is answered: 200 to 299, or 303 with --reply-location [default: 202 with the transaction's id]
    #[arg(long, value_name = "STATUS")]
    reply_status: Option<u16>,
    /// The body of that answer
    #[arg(long, value_name = "TEXT", requires = "reply_status")]
    reply_body: Option<String>,
    /// Where a browser is sent
    #[arg(long, value_name = "URL", requires = "reply_status")]
    reply_location: Option<String>,
    /// The type of --reply-body
    #[arg(long, value_name = "TYPE", requires = "reply_status")]
    reply_content_type: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Changes {
    /// What people call it
    #[arg(long, required_unless_present_any = ["description", "reply_status", "no_reply"])]
    title: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    reply: ReplyArgs,
    /// Answer posters in the standard way again
    #[arg(long, conflicts_with = "reply_status")]
    no_reply: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Debugging {
    /// Keep it.
    On,
    /// Keep it no longer.
    Off,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Create { kind, title, description, event_name, reply } => {
            let mut draft = Map::from_iter([("title".to_owned(), json!(title))]);
            set(&mut draft, "description", description);
            set(&mut draft, "eventName", event_name);
            draft.extend(reply.into_document().map(|reply| ("reply".to_owned(), reply)));
            let answer = session.client.post(&Address::of(&["hooks", &kind]), json!(draft).to_string().into_bytes())?;
            session.show(&answer, view)
        }
        Command::Ls { kind, paging } => session.list(Address::of(&["hooks", &kind.kind]), &paging, table),
        Command::Show(hook) => session.show(&session.client.get(&hook.address())?, view),
        Command::Update { hook, changes } => change(&session, &hook, changes.into_document()),
        Command::Rm(hook) => session
            .remove(&hook.address(), format!("The hook {} is deleted. Its address takes nothing any more.", hook.id)),
        Command::Debug { hook, debug } => change(&session, &hook, json!({ "debug": matches!(debug, Debugging::On) })),
        Command::Transactions(hook) => {
            let address = Address::of(&["hooks", &hook.kind.kind, &hook.id, "transactions"]);
            session.show(&session.client.get(&address)?, |items| interactions(&hook, items))
        }
    }
}

impl HookArg {
    fn address(&self) -> Address {
        Address::of(&["hooks", &self.kind.kind, &self.id])
    }
}

impl ReplyArgs {
    fn into_document(self) -> Option<Value> {
        let mut reply = Map::from_iter([("status".to_owned(), json!(self.reply_status?))]);
        set(&mut reply, "body", self.reply_body);
        set(&mut reply, "location", self.reply_location);
        set(&mut reply, "contentType", self.reply_content_type);
        Some(Value::Object(reply))
    }
}

impl Changes {
    fn into_document(self) -> Value {
        let mut changes = Map::new();
        set(&mut changes, "title", self.title);
        set(&mut changes, "description", self.description);
        if self.no_reply {
            changes.insert("reply".to_owned(), Value::Null);
        }
        changes.extend(self.reply.into_document().map(|reply| ("reply".to_owned(), reply)));
        Value::Object(changes)
    }
}

fn set(document: &mut Map<String, Value>, name: &str, value: Option<String>) {
    document.extend(value.map(|value| (name.to_owned(), Value::String(value))));
}

fn change(session: &Session, hook: &HookArg, changes: Value) -> Result<(), Failure> {
    session.show(&session.client.put(&hook.address(), changes.to_string().into_bytes())?, view)
}

fn view(hook: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![("id", text_at(hook, "/id")), ("url", text_at(hook, "/attributes/url"))];
    fields.extend(present_fields(
        hook,
        &[
            ("event", "/attributes/eventName"),
            ("title", "/attributes/title"),
            ("description", "/attributes/description"),
            ("debug", "/attributes/debug"),
            ("reply", "/attributes/reply"),
            ("created", "/attributes/createdAt"),
            ("updated", "/attributes/updatedAt"),
        ],
    ));
    page.fields(&fields);
    page
}

fn table(hooks: &[Value]) -> Page {
    if hooks.is_empty() {
        return Page::of_line("There are no hooks. Make one with `hookwright hooks create --title Orders`.");
    }
    let mut page = Page::default();
    let rows = hooks.iter().map(|hook| {
        let title = shortened(&text_at(hook, "/attributes/title"), TITLE_LIMIT_CHARS);
        [text_at(hook, "/id"), title, text_at(hook, "/attributes/debug"), text_at(hook, "/attributes/url")]
    });
    page.table(["ID", "TITLE", "DEBUG", "URL"], rows.collect());
    page
}

fn interactions(hook: &HookArg, items: &Value) -> Page {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        return Page::of_line(format!(
            "Nothing is kept. What arrives is kept for 24 hours while debug is on: `hookwright hooks debug {} on`.",
            hook.id
        ));
    }
    let mut page = Page::default();
    let rows = items.iter().map(|item| {
        let (result, what) = match item.pointer("/attributes/code") {
            Some(code) if text_at(item, "/type") == "refusal" => {
                (format!("refused: {}", brief(code)), text_at(item, "/attributes/detail"))
            }
            Some(_) | None => ("accepted".to_owned(), text_at(item, "/attributes/data")),
        };
        [text_at(item, "/attributes/createdAt"), text_at(item, "/id"), result, shortened(&what, DATA_LIMIT_CHARS)]
    });
    page.table(["ARRIVED", "ID", "RESULT", "DATA"], rows.collect());
    page
}
