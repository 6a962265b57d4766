//! `hookwright keys`: API keys and their roles; also the first key of a deployment, made before there is a server.

use clap::Subcommand;
use domain::{ApiKeyId, ApiKeySecret, OrgId};
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    duration,
    failure::Failure,
    machine::{now, random},
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
  hookwright keys create --name shop --role org.hooks --cidr 203.0.113.0/24 --cidr 2001:db8::/32

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
        /// Addresses that it works from; may be repeated [default: everywhere]
        #[arg(long = "cidr", value_name = "CIDR")]
        cidrs: Vec<String>,
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
    /// Make a key with the same roles and print its token; the old key works on for a while
    #[command(after_help = "\
Examples:
  hookwright keys rotate 6a1f2e3d4c5b6a7980a1b2c3
  hookwright keys rotate 6a1f2e3d4c5b6a7980a1b2c3 --overlap 7d")]
    Rotate {
        #[command(flatten)]
        key: KeyArg,
        /// How long the old key works on: a number and s, m, h or d
        #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = duration::seconds)]
        overlap: u32,
    },
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
        Command::Create { name, roles, expires_at, cidrs } => {
            let mut draft = Map::from_iter([("name".to_owned(), json!(name)), ("roles".to_owned(), json!(roles))]);
            draft.extend(expires_at.map(|instant| ("expiresAt".to_owned(), json!(instant))));
            if !cidrs.is_empty() {
                draft.insert("cidrs".to_owned(), json!(cidrs));
            }
            let answer = session.client.post(&Address::of(&["api-keys"]), json!(draft).to_string().into_bytes())?;
            session.show(&answer, created)
        }
        Command::Ls { paging } => session.list(Address::of(&["api-keys"]), &paging, table),
        Command::Show(key) => session.show(&session.client.get(&key.address())?, view),
        Command::Rotate { key, overlap } => {
            let document = json!({ "overlapSeconds": overlap }).to_string().into_bytes();
            let answer = session.client.post(&Address::of(&["api-keys", &key.id, "rotate"]), document)?;
            session.show(&answer, created)
        }
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

fn fields(key: &Value) -> [(&'static str, String); 7] {
    [
        ("id", text_at(key, "/id")),
        ("name", text_at(key, "/attributes/name")),
        ("roles", listed(key, "/attributes/roles")),
        ("from", from(key)),
        ("expires", text_at(key, "/attributes/expiresAt")),
        ("last used", text_at(key, "/attributes/lastUsedAt")),
        ("created", text_at(key, "/attributes/createdAt")),
    ]
}

fn table(keys: &[Value]) -> Page {
    if keys.is_empty() {
        return Page::of_line("There are no API keys but the one that the deployment was made with.");
    }
    let mut page = Page::default();
    let rows = keys.iter().map(|key| {
        [
            text_at(key, "/id"),
            text_at(key, "/attributes/name"),
            text_at(key, "/attributes/expiresAt"),
            text_at(key, "/attributes/lastUsedAt"),
            from(key),
            listed(key, "/attributes/roles"),
        ]
    });
    page.table(["ID", "NAME", "EXPIRES", "LAST USED", "FROM", "ROLES"], rows.collect());
    page
}

/// The addresses that the key works from.
fn from(key: &Value) -> String {
    let cidrs = listed(key, "/attributes/cidrs");
    if cidrs.is_empty() { "everywhere".to_owned() } else { cidrs }
}

fn listed(key: &Value, pointer: &str) -> String {
    let items = key.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().map(output::brief).collect::<Vec<_>>().join(", ")
}
