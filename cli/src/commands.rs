//! What can be asked for: one file for each noun, in the order of `hookwright --help`.

mod actions;
mod apps;
mod audit;
mod balance;
mod dead_letters;
mod doctor;
mod eval;
mod events;
mod hooks;
mod keys;
mod klasses;
mod lint;
mod listen;
mod mail;
mod org;
mod records;
mod recurring_schedules;
mod runs;
mod scheduled_runs;
mod schedules;
mod transactions;
mod trigger;
mod webhooks;
mod why;
mod workflows;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{config::Global, dev, failure};

pub(crate) use runs::reasons as reasons_of_step;

const EXAMPLES: &str = "\
Examples:
  hookwright dev
  hookwright hooks create --title Orders
  hookwright mail sample order-confirmation --send Orders
  hookwright workflows create order-to-timeline.json
  hookwright why 6a1f2e3d4c5b6a7980a1b2c3
  HOOKWRIGHT_URL=https://hooks.example.com hookwright runs ls --workflow 6a1f2e3d4c5b6a7980a1b2c3

Environment:
  HOOKWRIGHT_URL      where the server is, when --url is not given
  HOOKWRIGHT_API_KEY  the API key, when --api-key is not given
  HOOKWRIGHT_HOOK_KEY the API key that `trigger` posts to webhooks with, when --key is not given

Exit codes:
  0  done
  1  the server refused the request (4xx); each reason is printed; or a case of `workflows test` failed
  2  the command line cannot be carried out: an unknown flag, a missing file
  3  there is nothing with that id or name (404)
  4  no credentials, bad ones, or ones without the role (401, 403)
  5  the server cannot be reached or is unavailable (5xx)
  6  lint found problems, or a mail without data; a project has files that cannot be applied
  7  with --exit-code: there is something to do for a project";

/// Turns what arrives from outside into workflow runs: local mode, and everything an operator does.
#[derive(Debug, Parser)]
#[command(name = "hookwright", version, about, after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything on this machine, in one process
    Dev(dev::Args),
    /// Addresses that receive data
    Hooks(hooks::Args),
    /// Send a hook a sample of a provider's event, signed
    Trigger(trigger::Args),
    /// Forward what a hook receives to a program on this machine
    Listen(listen::Args),
    /// Mails for email hooks: look into them, make them, send them, release them
    Mail(mail::Args),
    /// Built-in providers, and apps of your own: register, install, upgrade
    Apps(apps::Args),
    /// Automations: what happens when something arrives
    Workflows(workflows::Args),
    /// What steps of workflows can do
    Actions(actions::Args),
    /// Executions of workflows, step by step
    Runs(runs::Args),
    /// Calls of workflows that are to be made at a time
    ScheduledRuns(scheduled_runs::Args),
    /// Workflows that are called again and again
    RecurringSchedules(recurring_schedules::Args),
    /// What arrived, and which workflows ran because of it
    Transactions(transactions::Args),
    /// Messages that were given up, and the way back for them
    DeadLetters(dead_letters::Args),
    /// Everything that was accepted, and what became of it
    Balance(balance::Args),
    /// What became of a transaction and why, in sentences
    Why(why::Args),
    /// What an expression or a condition gives, and why
    Eval(eval::Args),
    /// Kinds of custom objects
    Klasses(klasses::Args),
    /// Customers and their timelines
    Customers(records::Args<records::Customers>),
    /// Threads of messages with customers
    Conversations(records::Args<records::Conversations>),
    /// What is said in conversations
    Messages(records::Args<records::Messages>),
    /// Remarks for colleagues
    Notes(records::Args<records::Notes>),
    /// Companies that customers belong to
    Companies(records::Args<records::Companies>),
    /// Colleagues, to whom conversations are assigned
    Users(records::Args<records::Users>),
    /// Words that records are sorted by
    Tags(records::Args<records::Tags>),
    /// Custom objects: instances of klasses
    Instances(records::Args<records::Instances>),
    /// Events of your own, to which workflows listen
    Events(events::Args),
    /// Business hours, which workflows ask for with inBusinessHours
    Schedules(schedules::Args),
    /// Settings of the org: its time zone, its default schedule, its limits
    Org(org::Args),
    /// Endpoints of others that are told of events, and what came of it
    Webhooks(webhooks::Args),
    /// API keys and their roles
    Keys(keys::Args),
    /// What was changed, by whom and when
    Audit(audit::Args),
    /// Whether the server answers, what the key may do, and what the DNS needs for mail
    Doctor(doctor::Args),
}

/// Carries the command out.
pub(crate) fn run(cli: Cli) -> ExitCode {
    let Cli { global, command } = cli;
    let outcome = match command {
        Command::Dev(args) => return dev::run(args),
        Command::Hooks(args) => hooks::run(args, &global),
        Command::Trigger(args) => trigger::run(args, &global),
        Command::Listen(args) => listen::run(args, &global),
        Command::Mail(args) => mail::run(args, &global),
        Command::Apps(args) => apps::run(args, &global),
        Command::Workflows(args) => workflows::run(args, &global),
        Command::Actions(args) => actions::run(args, &global),
        Command::Runs(args) => runs::run(args, &global),
        Command::ScheduledRuns(args) => scheduled_runs::run(args, &global),
        Command::RecurringSchedules(args) => recurring_schedules::run(args, &global),
        Command::Transactions(args) => transactions::run(args, &global),
        Command::Balance(args) => balance::run(args, &global),
        Command::DeadLetters(args) => dead_letters::run(args, &global),
        Command::Why(args) => why::run(&args, &global),
        Command::Eval(args) => eval::run(args, &global),
        Command::Klasses(args) => klasses::run(args, &global),
        Command::Customers(args) => records::run(&args, &global),
        Command::Conversations(args) => records::run(&args, &global),
        Command::Messages(args) => records::run(&args, &global),
        Command::Notes(args) => records::run(&args, &global),
        Command::Companies(args) => records::run(&args, &global),
        Command::Users(args) => records::run(&args, &global),
        Command::Tags(args) => records::run(&args, &global),
        Command::Instances(args) => records::run(&args, &global),
        Command::Events(args) => events::run(args, &global),
        Command::Schedules(args) => schedules::run(args, &global),
        Command::Org(args) => org::run(args, &global),
        Command::Webhooks(args) => webhooks::run(args, &global),
        Command::Keys(args) => keys::run(args, &global),
        Command::Audit(args) => audit::run(args, &global),
        Command::Doctor(args) => doctor::run(&args, &global),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure::report(&failure, global.format()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn local_modes_own_state_dir_and_the_global_one_are_one_flag() {
        for words in
            [["hookwright", "dev", "--state-dir", "elsewhere"], ["hookwright", "--state-dir", "elsewhere", "dev"]]
        {
            assert!(Cli::try_parse_from(words).is_ok(), "{words:?}");
        }
    }
}
