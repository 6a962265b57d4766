//! `hookwright trigger`: a sample of a provider's event, signed as the provider would, sent to a hook.
//!
//! Secrets of hooks stay on the server, which signs; what it cannot sign with is an API key, made here for five minutes,
//! and a private key, which is read from a file here and sent nowhere.

mod answer;
mod curl;
mod key;
mod list;
mod plan;
mod sample;

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

pub(crate) use self::sample::change;
use self::{answer::Answer, plan::Plan};
use super::hooks;
use crate::{
    config::Global,
    failure::Failure,
    outgoing::{Outgoing, Reply, Unsent},
    output::{self, Format, Page},
    source,
};

/// More than this is a load test, for which there are better tools.
const COUNT_LIMIT: i64 = 1_000;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright trigger --list
  hookwright trigger --list shopify
  hookwright trigger shopify.order.update --hook 6a1f2e3d4c5b6a7980a1b2c3
  hookwright trigger shopify.order.update --hook 6a1f2e3d4c5b6a7980a1b2c3 --set email=ann@example.com --set id=7 --count 3
  hookwright trigger gohighlevel.contact.create --hook 6a1f2e3d4c5b6a7980a1b2c3 --private-key pair.pem
  hookwright trigger stripe.invoice.paid --to http://127.0.0.1:3000/webhooks --secret-file secret.txt --dry-run

The server signs with the hook's secret. A hook that takes API keys is sent one with the role org.hooks: --key, or
HOOKWRIGHT_HOOK_KEY, or one that is made, works for 5 minutes and is deleted. With --to no server is asked.
The exit code follows what the hook answers, as for every command; `hookwright hooks doctor` tells why it refused.")]
pub(crate) struct Args {
    /// The event: its name, an alias, or NAME~VARIANT
    #[arg(required_unless_present = "list")]
    event: Option<String>,
    /// The hook's id (24 hex digits)
    #[arg(long, value_name = "ID", required_unless_present_any = ["list", "to"])]
    hook: Option<String>,
    /// What kind of hook
    #[arg(long, value_parser = PossibleValuesParser::new(hooks::POSTED_KINDS), default_value = hooks::SIGNED_KIND)]
    kind: String,
    /// Another value in the body, such as customer.email=ann@example.com; JSON if it is JSON, else text; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = sample::change)]
    changes: Vec<(String, Value)>,
    /// How many to send, one after the other, each signed anew
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=COUNT_LIMIT))]
    count: u32,
    /// Print it as a curl command instead, without credentials
    #[arg(long)]
    dry_run: bool,
    #[arg(
        long,
        value_name = "KEY",
        help = "The API key to send, where the hook takes API keys [env: HOOKWRIGHT_HOOK_KEY] [default: one for 5 minutes]"
    )]
    key: Option<String>,
    /// A file with a private key (PKCS#8, PEM) to sign with, where the scheme has one
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    private_key: Option<String>,
    /// A secret to sign with on this machine
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["key", "private_key"])]
    secret: Option<String>,
    /// A file with such a secret, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "private_key", "secret"])]
    secret_file: Option<String>,
    /// Send it to this address instead of a hook's, without asking a server
    #[arg(long, value_name = "URL", conflicts_with = "hook")]
    to: Option<String>,
    /// How it is signed then [default: as its provider signs]
    #[arg(long, value_name = "SCHEME", conflicts_with = "hook")]
    scheme: Option<String>,
    /// The header that carries the secret, with --scheme header
    #[arg(long, value_name = "NAME", requires = "scheme")]
    header: Option<String>,
    /// List the events there are samples of, of one provider or all, without a server
    #[arg(long, value_name = "APP", num_args = 0..=1, conflicts_with_all = ["event", "hook", "to", "changes"])]
    list: Option<Option<String>>,
}

/// Carries the command out.
pub(crate) fn run(mut args: Args, global: &Global) -> Result<(), Failure> {
    if let Some(app) = &args.list {
        return list::run(app.as_deref(), global.format());
    }
    if let Some(file) = args.secret_file.take() {
        args.secret = Some(source::read_secret(&file)?);
    }
    let mut plan = Plan::of(&args, global)?;
    let outcome = carry_out(&args, &mut plan, global.format());
    let put_away = plan.put_away();
    outcome.and(put_away)
}

fn carry_out(args: &Args, plan: &mut Plan, format: Format) -> Result<(), Failure> {
    let mut documents = Vec::new();
    let mut refused = None;
    for _ in 0..args.count {
        let request = plan.request()?;
        if args.dry_run {
            documents.push(show_request(&plan.masked(request), format)?);
            continue;
        }
        let answer = Answer::to(send(&request)?);
        if answer.is_refusal() {
            refused.get_or_insert(answer.status());
        }
        if format == Format::Human {
            output::print(&answer.page(plan.hook()))?;
        }
        documents.push(answer.document());
    }
    if format == Format::Json {
        let mut page = Page::default();
        page.json(&json!({ "data": documents }));
        output::print(&page)?;
    }
    refused.map_or(Ok(()), |status| Err(Failure::Answered(status)))
}

fn send(request: &Outgoing) -> Result<Reply, Failure> {
    request.send().map_err(|unsent| match unsent {
        Unsent::Impossible(sentence) => Failure::Usage(sentence),
        Unsent::Unanswered(sentence) => Failure::Unavailable(sentence),
    })
}

fn show_request(request: &Outgoing, format: Format) -> Result<Value, Failure> {
    if format == Format::Human {
        output::print(&curl::page(request))?;
    }
    Ok(json!({ "type": "signed_request", "attributes": request.as_attributes() }))
}
