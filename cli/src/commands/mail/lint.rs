//! `hookwright mail lint`: a mail as a hook would read it, without a server.
//!
//! It is read by the code that reads it at a hook, so what is data here is data there; what the mail's sender may do is
//! for the hook to say, which knows what the receiving server found out.

mod document;
mod kind;
mod page;

use ingest::mail::{Entities, Mail, Wishes};

use self::kind::FileKind;
use super::file;
use crate::{
    failure::Failure,
    output::{self, Format, Page},
};

/// The flags of `hookwright mail lint`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The mail as it is sent (RFC 5322), or - for standard input
    file: String,
    /// What the tags of scripts have to show in data-kustomer-key, as at a hook with a key
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Decode entities in the texts of valid JSON, as at a hook that is set to it
    #[arg(long)]
    decode_entities: bool,
}

/// Tells what is in the mail.
///
/// *Errors*: [`Failure::Problems`] when there is no data in it; it cannot be read, or is too large.
pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let raw = file::read(&args.file)?;
    let entities = if args.decode_entities { Entities::Decoded } else { Entities::Kept };
    let mut mail = ingest::mail::read(kind::first_mail(&raw), &Wishes { key: args.key.as_deref(), entities });
    let kind = FileKind::of(&raw, &mail);
    mail.notes.extend(kind.note());
    output::print(&match (format, kind) {
        (Format::Human, FileKind::Other) => Page::of_line(kind::NO_HEADERS),
        (Format::Human, FileKind::Mail | FileKind::Mailbox) => page::page(&mail, &args.file),
        (Format::Json, _) => document::page(&mail, &args.file),
    })?;
    if has_data(&mail) { Ok(()) } else { Err(Failure::Problems) }
}

fn has_data(mail: &Mail) -> bool {
    !mail.data.is_null()
}
