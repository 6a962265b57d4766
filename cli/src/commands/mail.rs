//! `hookwright mail`: mails for email hooks, looked into, made, sent and let out of quarantine.
//!
//! `lint` and `sample` need no server: they read and make mails with what the hooks themselves read them with.

mod delivery;
mod file;
mod lint;
mod outbox;
mod outcome;
mod quarantine;
mod recipient;
mod relay;
mod sample;
mod send;

use clap::Subcommand;

pub(crate) use self::relay::{LOCAL_RELAY, Relay};
use crate::{config::Global, failure::Failure};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright mail lint order.eml
  hookwright mail sample order-confirmation --send Orders
  hookwright mail send order.eml --to 6a1f2e3d4c5b6a7980a1b2c3
  hookwright mail quarantine ls Orders
  hookwright mail outbox ls

Hooks are named by their id, their title or their address.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell what a hook would read in a mail, and why not the rest
    #[command(after_help = "\
Examples:
  hookwright mail lint order.eml
  hookwright mail lint order.eml --key 0123456789abcdef --json
  hookwright mail sample shipping | hookwright mail lint -

Nothing is sent, and nothing that the mail links to is fetched. A mail has at most 40 MB.
The exit code is 6 when there is no data in it, which a hook records and starts nothing for.")]
    Lint(lint::Args),
    /// Send a mail to hooks, as a blind copy, and tell what became of it
    #[command(after_help = "\
Examples:
  hookwright mail send order.eml --to Orders
  hookwright mail send order.eml --to 6a1f2e3d4c5b6a7980a1b2c3 --to Archive --from orders@shop.example
  hookwright mail send - --to Orders --smtp inbound-smtp.eu-west-1.amazonaws.com:25 < order.eml

The mail goes out as it is, but for line ends; the hooks stand only in the envelope.
The exit code is 0 when it started workflows, 1 when it was refused or started nothing, and 5 when it could not
be sent or nothing was seen of it.")]
    Send(send::Args),
    /// Make a mail such as stores send, with data in it
    #[command(after_help = "\
Examples:
  hookwright mail sample --list
  hookwright mail sample order-confirmation --out order.eml
  hookwright mail sample invoice --to ann@example.com --set totalPaymentDue.price=120.00
  hookwright mail sample keyed --key 0123456789abcdef
  hookwright mail sample shipping --send Orders

With --send it goes to hooks as `mail send` sends it, with the key of the first one, if that has one.
All names and addresses are invented.")]
    Sample(Box<sample::Args>),
    /// Mails that wait for somebody to release them
    #[command(after_help = "\
Examples:
  hookwright mail quarantine ls Orders
  hookwright mail quarantine release Orders 6a1f2e3d4c5b6a7980a1b2c3")]
    Quarantine(quarantine::Args),
    /// Mails that workflows sent, in local mode
    #[command(after_help = "\
Examples:
  hookwright mail outbox ls
  hookwright mail outbox show local-6a1f2e3d4c5b6a7980a1b2c4-thank-you-1

Nobody delivers them. On AWS mail goes to SES, which keeps none.")]
    Outbox(outbox::Args),
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    match args.command {
        Command::Lint(args) => lint::run(&args, global.format()),
        Command::Send(args) => send::run(&args, global),
        Command::Sample(args) => sample::run(&args, global),
        Command::Quarantine(args) => quarantine::run(args, global),
        Command::Outbox(args) => outbox::run(args, global),
    }
}
