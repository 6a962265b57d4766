//! `hookwright mail send`: a mail from a file, handed to hooks as a blind copy.

use super::{
    delivery::{DeliveryArgs, deliver},
    file, recipient,
};
use crate::{config::Global, failure::Failure, session::Session};

/// The flags of `hookwright mail send`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The mail as it is sent (RFC 5322), or - for standard input
    file: String,
    /// The hook: its id, title or address; may be repeated
    #[arg(long = "to", value_name = "HOOK", required = true)]
    hooks: Vec<String>,
    #[command(flatten)]
    delivery: DeliveryArgs,
}

/// Carries the command out.
pub(super) fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let mail = file::read(&args.file)?;
    let session = Session::open(global)?;
    let relay = args.delivery.relay(&session)?;
    let recipients = args.hooks.iter().map(|name| recipient::find(&session.client, name));
    deliver(&args.delivery, &relay, &session, &recipients.collect::<Result<Vec<_>, _>>()?, &mail)
}
