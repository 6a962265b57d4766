//! `hookwright mail sample`: mails such as stores send, made here.
//!
//! What is in `samples/mail` is data: a document for each kind, and the HTML that shows it. The data in a mail and what
//! its reader sees are made from the same document, so `--set` changes both.

mod compose;
mod kinds;

use std::fs;

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use self::kinds::Kind;
use super::{
    delivery::{DeliveryArgs, deliver},
    recipient,
};
use crate::{
    commands::trigger,
    config::Global,
    failure::Failure,
    output::{self, Format, Page},
    session::Session,
};

/// The flags of `hookwright mail sample`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What it is; --list tells more of each
    #[arg(value_parser = PossibleValuesParser::new(kinds::NAMES))]
    kind: Option<String>,
    /// The customer it is to; the hooks that it is sent to are not named in it
    #[arg(long, value_name = "ADDRESS", default_value = compose::CUSTOMER)]
    to: String,
    /// Another value in the data, such as orderNumber=7; JSON if it is JSON, else text; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = trigger::change)]
    changes: Vec<(String, Value)>,
    /// What the script's tag shows in data-kustomer-key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Write it into this file [default: standard output]
    #[arg(long, value_name = "FILE", conflicts_with = "hooks")]
    out: Option<String>,
    /// Send it to this hook: its id, title or address; may be repeated
    #[arg(long = "send", value_name = "HOOK")]
    hooks: Vec<String>,
    #[command(flatten)]
    delivery: DeliveryArgs,
    /// List the kinds
    #[arg(long, conflicts_with_all = ["kind", "hooks", "out", "changes", "key"])]
    list: bool,
}

/// Carries the command out.
pub(super) fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    if args.list {
        return list(global.format());
    }
    let name = args.kind.as_ref().ok_or_else(|| {
        Failure::Usage("Say which kind of mail; `hookwright mail sample --list` names them.".to_owned())
    })?;
    let kind = Kind::find(name)?;
    let mut wanted = compose::Wanted { to: &args.to, changes: &args.changes, key: args.key.as_deref() };
    if args.hooks.is_empty() {
        return give(&compose::mail(&kind, &wanted)?, args.out.as_deref(), &kind, global.format());
    }
    let session = Session::open(global)?;
    let relay = args.delivery.relay(&session)?;
    let recipients = args.hooks.iter().map(|name| recipient::find(&session.client, name));
    let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
    wanted.key = wanted.key.or_else(|| recipients.first()?.key.as_deref());
    deliver(&args.delivery, &relay, &session, &recipients, &compose::mail(&kind, &wanted)?)
}

fn list(format: Format) -> Result<(), Failure> {
    let kinds = kinds::NAMES.iter().map(|name| Kind::find(name)).collect::<Result<Vec<_>, _>>()?;
    let mut page = Page::default();
    match format {
        Format::Human => {
            page.table(["KIND", "WHAT"], kinds.iter().map(|kind| [kind.name.to_owned(), kind.title.clone()]).collect());
        }
        Format::Json => {
            page.json(&kinds.iter().map(|kind| json!({ "kind": kind.name, "title": kind.title })).collect());
        }
    }
    output::print(&page)
}

/// Writes the mail to where it is wanted.
fn give(mail: &[u8], out: Option<&str>, kind: &Kind, format: Format) -> Result<(), Failure> {
    if let Some(file) = out {
        fs::write(file, mail)
            .map_err(|error| Failure::Usage(format!("The file {file} cannot be written: {error}.")))?;
    }
    let text = String::from_utf8_lossy(mail);
    match (out, format) {
        (None, Format::Human) => output::print_mail(mail),
        (Some(file), Format::Human) => output::print(&Page::of_line(format!("{file}: {}", kind.title))),
        (_, Format::Json) => {
            let mut page = Page::default();
            page.json(&json!({ "kind": kind.name, "title": kind.title, "file": out, "mail": text }));
            output::print(&page)
        }
    }
}
