//! `hookwright keys`: API keys and their roles; also the first key of a deployment, made before there is a server.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::Subcommand;
use domain::{ApiKeyId, ApiKeySecret, OrgId, Timestamp};
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{self, Format, Page, text_at},
    paging::Paging,
    session::Session,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright keys create --name console --role org.permission
  hookwright keys new")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create an API key and print its token, this once
    #[command(after_help = "\
Examples:
  hookwright keys create --name auditor --role org.permission.workflow.read --role org.permission.transaction.read
  hookwright keys create --name reader --role org.permission.workflow.read --role org.permission.hook.read \\
      --expires-at 2030-01-31T00:00:00Z

A role covers all that begins with it: org.permission.hook covers org.permission.hook.read.")]
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// What its holder may do; may be repeated
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<String>,
        /// When it stops working
        #[arg(long, value_name = "INSTANT")]
        expires_at: Option<String>,
    },
    /// List API keys, oldest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright keys ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show an API key; its token is kept nowhere
    #[command(after_help = "Examples:\n  hookwright keys show 6a1f2e3d4c5b6a7980a1b2c3")]
    Show(KeyArg),
    /// Delete an API key; it stops working at once
    #[command(visible_alias = "delete", after_help = "Examples:\n  hookwright keys rm 6a1f2e3d4c5b6a7980a1b2c3")]
    Rm(KeyArg),
    /// Make the first key of a deployment, without a server
    #[command(after_help = "\
Examples:
  hookwright keys new
  hookwright keys new --org 6a1f2e3d4c5b6a7980a1b2c3

The stack takes the org as OrgId and the hash as AdminKeyHash, and knows the key by its hash alone.
Keep the token where passwords are kept: nobody can show it again.")]
    New {
        /// The org's id (24 hex digits) [default: a fresh one]
        #[arg(long, value_parser = org_id)]
        org: Option<OrgId>,
    },
}

#[derive(Debug, clap::Args)]
struct KeyArg {
    /// The key's id, which is the third part of its token
    id: String,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    if let Command::New { org } = args.command {
        return make(org, global.format());
    }
    let session = Session::open(global)?;
    match args.command {
        Command::New { org } => make(org, global.format()),
        Command::Create { name, roles, expires_at } => {
            let mut draft = Map::from_iter([("name".to_owned(), json!(name)), ("roles".to_owned(), json!(roles))]);
            draft.extend(expires_at.map(|instant| ("expiresAt".to_owned(), json!(instant))));
            let answer = session.client.post(&Address::of(&["api-keys"]), json!(draft).to_string().into_bytes())?;
            session.show(&answer, created)
        }
        Command::Ls { paging } => session.list(Address::of(&["api-keys"]), &paging, table),
        Command::Show(key) => session.show(&session.client.get(&key.address())?, view),
        Command::Rm(key) => {
            session.remove(&key.address(), format!("The API key {} is deleted. It works no more.", key.id))
        }
    }
}

impl KeyArg {
    fn address(&self) -> Address {
        Address::of(&["api-keys", &self.id])
    }
}

fn org_id(text: &str) -> Result<OrgId, String> {
    OrgId::parse(text).map_err(|_| "an org's id is 24 lower-case hexadecimal digits".to_owned())
}

/// Makes a key and prints it with its hash. It is written down nowhere else.
fn make(org: Option<OrgId>, format: Format) -> Result<(), Failure> {
    let now = now();
    let org = match org {
        Some(org) => org,
        None => OrgId::fresh(now, random()?),
    };
    let secret = ApiKeySecret::from_random(random()?);
    let token = secret.token(org, ApiKeyId::fresh(now, random()?));
    let mut page = Page::default();
    match format {
        Format::Json => page.json(&json!({ "org": org, "token": token, "hash": secret.digest() })),
        Format::Human => {
            page.fields(&[("token", token), ("org", org.to_string()), ("hash", secret.digest())]);
            page.line("");
            page.line("Keep the token; it cannot be shown again. A stack takes the org as OrgId and the hash as AdminKeyHash.");
        }
    }
    output::print(&page)
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], Failure> {
    let mut bytes = [0; BYTES];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(Failure::Unavailable(format!("The system has no random numbers to give: {error}."))),
    }
}

/// Only makes ids sort by age, so a clock before 1970 does no harm.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millisecond(i64::try_from(since.as_millis()).unwrap_or_default())
}

fn created(key: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[("token", text_at(key, "/attributes/token"))]);
    page.line("Keep the token; it cannot be shown again.");
    page.line("");
    page.fields(&fields(key));
    page
}

fn view(key: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&fields(key));
    page
}

fn fields(key: &Value) -> [(&'static str, String); 5] {
    [
        ("id", text_at(key, "/id")),
        ("name", text_at(key, "/attributes/name")),
        ("roles", roles(key)),
        ("expires", text_at(key, "/attributes/expiresAt")),
        ("created", text_at(key, "/attributes/createdAt")),
    ]
}

fn table(keys: &[Value]) -> Page {
    if keys.is_empty() {
        return Page::of_line("There are no API keys but the one that the deployment was made with.");
    }
    let mut page = Page::default();
    let rows = keys.iter().map(|key| {
        let name = text_at(key, "/attributes/name");
        [text_at(key, "/id"), name, text_at(key, "/attributes/expiresAt"), roles(key)]
    });
    page.table(["ID", "NAME", "EXPIRES", "ROLES"], rows.collect());
    page
}

fn roles(key: &Value) -> String {
    let roles = key.pointer("/attributes/roles").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    roles.iter().map(output::brief).collect::<Vec<_>>().join(", ")
}
