//! `hookwright mail quarantine`: mails that wait for somebody to release them.

use clap::Subcommand;
use serde_json::Value;

use super::recipient;
use crate::{
    client::{Address, Client},
    commands::hooks::MAIL_KIND,
    config::Global,
    failure::Failure,
    output::{Page, present_fields, shortened, text_at},
    paging::{self, Paging},
    session::Session,
};

const SUBJECT_LIMIT_CHARS: usize = 60;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the mails in a hook's quarantine, newest first
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  hookwright mail quarantine ls Orders\n  hookwright mail quarantine ls 6a1f2e3d4c5b6a7980a1b2c3 --json"
    )]
    Ls {
        #[command(flatten)]
        hook: HookArg,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a mail, and why it waits
    #[command(after_help = "Examples:\n  hookwright mail quarantine show Orders 6a1f2e3d4c5b6a7980a1b2c3")]
    Show(MailArg),
    /// Let a mail in; it becomes a transaction, whatever its verdicts are
    #[command(after_help = "Examples:\n  hookwright mail quarantine release Orders 6a1f2e3d4c5b6a7980a1b2c3")]
    Release(MailArg),
    /// Take a mail out for good
    #[command(after_help = "Examples:\n  hookwright mail quarantine discard Orders 6a1f2e3d4c5b6a7980a1b2c3")]
    Discard(MailArg),
}

#[derive(Debug, clap::Args)]
struct HookArg {
    /// The hook: its id, title or address
    hook: String,
}

#[derive(Debug, clap::Args)]
struct MailArg {
    #[command(flatten)]
    hook: HookArg,
    /// The mail's id, from the list
    id: String,
}

/// Carries the command out.
pub(super) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Ls { hook, paging } => {
            let id = recipient::id(&session.client, &hook.hook)?;
            session.list(address(&id, &[]), &paging, |mails| table(&id, mails))
        }
        Command::Show(mail) => session.show(&find(&session.client, &mail)?, view),
        Command::Release(mail) => {
            let id = recipient::id(&session.client, &mail.hook.hook)?;
            let document = session.client.post(&address(&id, &[&mail.id, "release"]), b"{}".to_vec())?;
            session.show(&document, |released| {
                let mut page = view(released);
                let transaction = text_at(released, "/attributes/transactionId");
                page.line("");
                page.line(format!("What it started: `hookwright transactions show {transaction}`"));
                page
            })
        }
        Command::Discard(mail) => {
            let id = recipient::id(&session.client, &mail.hook.hook)?;
            session.remove(&address(&id, &[&mail.id]), format!("The mail {} is gone from the quarantine.", mail.id))
        }
    }
}

fn address(hook: &str, rest: &[&str]) -> Address {
    Address::of(&[&["hooks", MAIL_KIND, hook, "quarantine"], rest].concat())
}

/// The document of one mail, which the API has only in its list.
fn find(client: &Client, mail: &MailArg) -> Result<Value, Failure> {
    let hook = recipient::id(client, &mail.hook.hook)?;
    let mut after = None;
    loop {
        let page = client.get(&address(&hook, &[]).query("pageSize", Some("100")).query("after", after.as_deref()))?;
        let mails = page.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if let Some(found) = mails.iter().find(|found| text_at(found, "/id") == mail.id) {
            return Ok(domain::exact::object([("data", found.clone())]));
        }
        after = paging::next_cursor(&page);
        if after.is_none() {
            return Err(Failure::not_found(format!(
                "There is no mail {} in the quarantine of {}.",
                mail.id, mail.hook.hook
            )));
        }
    }
}

fn table(hook: &str, mails: &[Value]) -> Page {
    if mails.is_empty() {
        return Page::of_line("No mail waits there.");
    }
    let mut page = Page::default();
    let rows = mails.iter().map(|mail| {
        let released = mail.pointer("/attributes/releasedAt").is_some_and(|at| !at.is_null());
        let code = text_at(mail, "/attributes/code");
        [
            text_at(mail, "/attributes/createdAt"),
            text_at(mail, "/id"),
            if released { format!("{code}, released") } else { code },
            sender(mail),
            shortened(&text_at(mail, "/attributes/subject"), SUBJECT_LIMIT_CHARS),
        ]
    });
    page.table(["ARRIVED", "ID", "WHY", "FROM", "SUBJECT"], rows.collect());
    page.line(format!("Let one in with `hookwright mail quarantine release {hook} ID`."));
    page
}

fn view(mail: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![("id", text_at(mail, "/id")), ("from", sender(mail))];
    fields.extend(present_fields(
        mail,
        &[
            ("subject", "/attributes/subject"),
            ("arrived", "/attributes/createdAt"),
            ("why", "/attributes/code"),
            ("", "/attributes/detail"),
            ("recipient", "/attributes/recipient"),
            ("tag", "/attributes/tag"),
            ("message id", "/attributes/messageId"),
            ("bytes", "/attributes/bytes"),
            ("verdicts", "/attributes/verdicts"),
            ("released", "/attributes/releasedAt"),
            ("transaction", "/attributes/transactionId"),
        ],
    ));
    page.fields(&fields);
    page
}

/// The addresses that the mail says it is from.
fn sender(mail: &Value) -> String {
    let from = mail.pointer("/attributes/from");
    match from.and_then(Value::as_array) {
        Some(mailboxes) => mailboxes.iter().map(|mailbox| text_at(mailbox, "/address")).collect::<Vec<_>>().join(", "),
        None => text_at(mail, "/attributes/from"),
    }
}
