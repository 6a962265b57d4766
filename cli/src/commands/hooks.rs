//! `hookwright hooks`: addresses that receive data.

mod auth;
mod doctor;
mod guard;
mod holding;
mod mail;
mod rotate;
mod settings;
mod view;

use clap::{Subcommand, ValueEnum, builder::PossibleValuesParser};
use domain::HookKind;
use serde_json::{Map, Value, json};

pub(crate) use self::mail::refusal as mail_refusal;
pub(super) use self::settings::{Rate, rate};
use self::{
    auth::AuthArgs,
    guard::{GuardArgs, GuardTakenBack},
    mail::{MailArgs, MailTakenBack},
    settings::{ReplyArgs, SettingsArgs, TakenBack, put},
};
use crate::{client::Address, config::Global, failure::Failure, paging::Paging, session::Session};

/// The kinds this version has.
pub(crate) const KINDS: [&str; 3] = [HookKind::Form.word(), HookKind::Web.word(), MAIL_KIND];

/// The kinds that are posted to.
pub(crate) const POSTED_KINDS: [&str; 2] = [HookKind::Form.word(), HookKind::Web.word()];

/// The kind that is mailed to.
pub(crate) const MAIL_KIND: &str = HookKind::Email.word();

/// The kind that a signature is checked for, which is where signatures and samples come in.
pub(crate) const SIGNED_KIND: &str = HookKind::Web.word();

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright hooks create --title Orders
  hookwright hooks create web --title Shop --auth shopify --secret-file secret.txt
  hookwright hooks create email 'Order mails' --generate-key
  hookwright hooks ls
  hookwright hooks doctor 6a1f2e3d4c5b6a7980a1b2c3")]
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
  hookwright hooks create form --title Contact --reply-status 303 --reply-location https://shop.example/thanks
  hookwright hooks create form --title Contact --origin https://shop.example --origin-lock --honeypot website
  hookwright hooks create web --title Shop --auth shopify --secret-file secret.txt
  hookwright hooks create web --title Partner --auth bearer --limit 100/60 --duplicates 86400 --duplicate-field orderId
  hookwright hooks create web --title Calls --auth twilio --secret-file token.txt --public-url https://hooks.example.com/calls
  hookwright hooks create email 'Order mails' --sender shop.example --generate-key
  hookwright hooks create email Support --bodies text,html --dmarc drop --no-attachments

What is typed on a command line can be seen by others on the machine: a secret is better off in a file.")]
    Create(Box<Draft>),
    /// List hooks, oldest first
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  hookwright hooks ls\n  hookwright hooks ls --kind web --page-size 100 --json"
    )]
    Ls {
        #[command(flatten)]
        kind: KindArg,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a hook
    #[command(after_help = "Examples:\n  hookwright hooks show 6a1f2e3d4c5b6a7980a1b2c3 --kind web")]
    Show(HookArg),
    /// Change a hook; what is not named stays
    #[command(after_help = "\
Examples:
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --title 'Web orders'
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --reply-status 200 --reply-body ok --reply-content-type text/plain
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --no-reply --no-honeypot
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --kind web --tolerance-seconds 600 --no-limit
  hookwright hooks update 6a1f2e3d4c5b6a7980a1b2c3 --kind email --sender shop.example --spam accept --no-key

Another scheme begins with nothing: pass its secrets and settings with it.")]
    Update {
        #[command(flatten)]
        hook: HookArg,
        #[command(flatten)]
        changes: Box<Changes>,
    },
    /// Delete a hook; its address takes nothing any more
    #[command(visible_alias = "delete", after_help = "Examples:\n  hookwright hooks rm 6a1f2e3d4c5b6a7980a1b2c3")]
    Rm(HookArg),
    /// Give a webhook a new secret; the old ones go on to match unless they are dropped
    #[command(after_help = "\
Examples:
  hookwright hooks rotate-secret 6a1f2e3d4c5b6a7980a1b2c3
  hookwright hooks rotate-secret 6a1f2e3d4c5b6a7980a1b2c3 --secret-file new-secret.txt
  hookwright hooks rotate-secret 6a1f2e3d4c5b6a7980a1b2c3 --secret-file - --drop-old < new-secret.txt

Without a secret one is made and printed, this once, where the scheme leaves it to you:
header, standard-webhooks, github and cal. A hook has at most 5 secrets, and any may match.")]
    RotateSecret(rotate::Args),
    /// Tell why what arrived was refused or started nothing, and what to do about it
    #[command(after_help = "\
Examples:
  hookwright hooks doctor 6a1f2e3d4c5b6a7980a1b2c3
  hookwright hooks doctor 6a1f2e3d4c5b6a7980a1b2c3 --kind form --json
  hookwright hooks doctor 6a1f2e3d4c5b6a7980a1b2c3 --kind email

The last 20 refusals are kept for 7 days, without bodies and credentials. The sender sees none of this.")]
    Doctor(SignedHookArg),
    /// Hold what arrives instead of starting anything; its senders see no difference
    #[command(after_help = "\
Examples:
  hookwright hooks pause 6a1f2e3d4c5b6a7980a1b2c3
  hookwright hooks pause 6a1f2e3d4c5b6a7980a1b2c3 --kind web

What was accepted before goes on as ever. Nothing that is held expires.")]
    Pause(HookArg),
    /// Let a paused hook go on, and what it holds, in the order in which it came
    #[command(after_help = "\
Examples:
  hookwright hooks resume 6a1f2e3d4c5b6a7980a1b2c3 --kind web
  hookwright hooks held 6a1f2e3d4c5b6a7980a1b2c3 --kind web

What is held goes on within a minute, page by page.")]
    Resume(HookArg),
    /// List what a paused hook holds, in the order in which it came
    #[command(after_help = "Examples:\n  hookwright hooks held 6a1f2e3d4c5b6a7980a1b2c3 --kind web --page-size 100")]
    Held {
        #[command(flatten)]
        hook: HookArg,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show how much came again, and the last 20 repeats, newest first
    #[command(after_help = "Examples:\n  hookwright hooks duplicates 6a1f2e3d4c5b6a7980a1b2c3 --kind web")]
    Duplicates(HookArg),
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
struct Draft {
    /// What kind of hook: a form, posted to by anyone; a webhook, posted to with credentials or a signature; or a mail address
    #[arg(value_parser = PossibleValuesParser::new(KINDS), default_value = KINDS[0])]
    kind: String,
    /// What people call it, the same as --title
    #[arg(required_unless_present = "title", conflicts_with = "title")]
    name: Option<String>,
    /// What people call it
    #[arg(long)]
    title: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The event it fires instead of its own, such as kustomer.app.shop.order-placed
    #[arg(long, value_name = "NAME")]
    event_name: Option<String>,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    guard: GuardArgs,
    #[command(flatten)]
    reply: ReplyArgs,
    #[command(flatten)]
    mail: MailArgs,
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

#[derive(Debug, clap::Args)]
struct SignedHookArg {
    /// The hook's id (24 hex digits), not the hash in its address
    id: String,
    /// What kind of hook
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS), default_value = SIGNED_KIND)]
    kind: String,
}

#[derive(Debug, clap::Args)]
struct Changes {
    /// What people call it
    #[arg(long)]
    title: Option<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    guard: GuardArgs,
    #[command(flatten)]
    reply: ReplyArgs,
    #[command(flatten)]
    mail: MailArgs,
    #[command(flatten)]
    taken_back: TakenBack,
    #[command(flatten)]
    guard_taken_back: GuardTakenBack,
    #[command(flatten)]
    mail_taken_back: MailTakenBack,
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
        Command::Create(draft) => {
            let address = Address::of(&["hooks", &draft.kind]);
            let document = draft.into_document()?;
            session.show(&session.client.post(&address, document.to_string().into_bytes())?, view::one)
        }
        Command::Ls { kind, paging } => {
            session.list(Address::of(&["hooks", &kind.kind]), &paging, |hooks| view::table(&kind.kind, hooks))
        }
        Command::Show(hook) => session.show(&session.client.get(&hook.address())?, view::one),
        Command::Update { hook, changes } => {
            let document = changes.into_document(|| session.client.get(&hook.address()))?;
            change(&session, &hook, document)
        }
        Command::Rm(hook) => session
            .remove(&hook.address(), format!("The hook {} is deleted. Its address takes nothing any more.", hook.id)),
        Command::RotateSecret(args) => rotate::run(args, &session),
        Command::Doctor(hook) => {
            let address = Address::of(&["hooks", &hook.kind, &hook.id, "refusals"]);
            session.show_document(&session.client.get(&address)?, |document| {
                let refusals = document.get("data").unwrap_or(&Value::Null);
                let mut page = match hook.kind.as_str() {
                    MAIL_KIND => mail::refusals(&hook.id, refusals),
                    _ => doctor::view(&hook.id, &hook.kind, refusals),
                };
                page.append(holding::diagnosis(&hook.id, &hook.kind, document));
                page
            })
        }
        Command::Pause(hook) => change(&session, &hook, json!({ "paused": true })),
        Command::Resume(hook) => change(&session, &hook, json!({ "paused": false })),
        Command::Held { hook, paging } => {
            let address = Address::of(&["hooks", &hook.kind.kind, &hook.id, "held"]);
            session.list_document(address, &paging, |document| holding::held(&hook.id, &hook.kind.kind, document))
        }
        Command::Duplicates(hook) => {
            let address = Address::of(&["hooks", &hook.kind.kind, &hook.id, "duplicates"]);
            session.show_document(&session.client.get(&address)?, holding::duplicates)
        }
        Command::Debug { hook, debug } => change(&session, &hook, json!({ "debug": matches!(debug, Debugging::On) })),
        Command::Transactions(hook) => {
            let address = Address::of(&["hooks", &hook.kind.kind, &hook.id, "transactions"]);
            session.show(&session.client.get(&address)?, |items| view::interactions(&hook.id, &hook.kind.kind, items))
        }
    }
}

impl HookArg {
    fn address(&self) -> Address {
        Address::of(&["hooks", &self.kind.kind, &self.id])
    }
}

impl Draft {
    fn into_document(self) -> Result<Value, Failure> {
        let mut draft = Map::new();
        put(&mut draft, "title", self.title.or(self.name));
        put(&mut draft, "description", self.description);
        put(&mut draft, "eventName", self.event_name);
        draft.extend(self.auth.into_draft()?.map(|auth| ("auth".to_owned(), auth)));
        self.settings.write(&mut draft);
        self.guard.write(&mut draft);
        self.reply.write(&mut draft);
        self.mail.write(&mut draft)?;
        Ok(Value::Object(draft))
    }
}

impl Changes {
    /// The change, made from `hook`, the document of the hook as it is, because a guard is replaced as a whole.
    ///
    /// *Errors*: nothing is to change, a file cannot be read, or the hook cannot be had.
    fn into_document(self, hook: impl FnOnce() -> Result<Value, Failure>) -> Result<Value, Failure> {
        let shown_guard = || hook().map(|hook| hook.pointer("/data/attributes/guard").cloned().unwrap_or(Value::Null));
        let mut changes = Map::new();
        put(&mut changes, "title", self.title);
        put(&mut changes, "description", self.description);
        changes.extend(self.auth.into_change()?.map(|auth| ("auth".to_owned(), auth)));
        self.taken_back.write(&mut changes);
        self.settings.write(&mut changes);
        self.guard.write_change(&self.guard_taken_back, shown_guard, &mut changes)?;
        self.reply.write(&mut changes);
        self.mail_taken_back.write(&mut changes);
        self.mail.write(&mut changes)?;
        if changes.is_empty() {
            return Err(Failure::Usage("Say what is to change, such as --title; see --help.".to_owned()));
        }
        Ok(Value::Object(changes))
    }
}

fn change(session: &Session, hook: &HookArg, changes: Value) -> Result<(), Failure> {
    session.show(&session.client.put(&hook.address(), changes.to_string().into_bytes())?, view::one)
}
