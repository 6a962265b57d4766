//! `hookwright doctor`: whether the server answers, what the key may do, and what the DNS needs for mail.

use std::{
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use domain::ApiKeySecret;
use serde_json::{Value, json};

use super::mail::{LOCAL_RELAY, Relay};
use crate::{
    client::{Address, Client},
    config::{Global, Place},
    failure::Failure,
    output::{Page, brief, text_at},
    session::Session,
};

/// The role that reads keys is another than those that use them.
const FORBIDDEN: u16 = 403;

/// What a server answers that has no domain for mail, and one that never heard of it.
const NOT_FOUND: u16 = 404;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright doctor
  hookwright doctor --url https://hooks.example.com --json

The records are to be entered where the domain's DNS is kept. Nothing is looked up in the DNS, and nothing is changed.
Why a hook refuses what arrives: `hookwright hooks doctor ID`.")]
pub(crate) struct Args {
    /// Where local mode listens for mail [default: where it says it does]
    #[arg(long, value_name = "HOST:PORT", value_parser = Relay::parse)]
    smtp: Option<Relay>,
}

/// Carries the command out.
pub(crate) fn run(args: &Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    session.client.get(&Address::of_health())?;
    let key = unless(own_key(&session.client), FORBIDDEN)?;
    let domain = unless(session.client.get(&Address::of(&["mail-domain"])), NOT_FOUND)?;
    let smtp = match session.client.place() {
        Place::Here => {
            let relay = match &args.smtp {
                Some(relay) => relay.clone(),
                None => Relay::parse(told_relay(&domain).unwrap_or(LOCAL_RELAY)).map_err(Failure::Usage)?,
            };
            json!({ "address": relay.to_string(), "listens": listens(&relay) })
        }
        Place::Elsewhere => Value::Null,
    };
    let data = |document: &Value| document.get("data").cloned().unwrap_or(Value::Null);
    let findings = json!({ "data": { "type": "doctor", "attributes": {
        "url": session.client.base_url(), "key": data(&key), "mailDomain": data(&domain), "smtp": smtp,
    } } });
    session.show(&findings, view)
}

/// What the API says, or `null` where its answer is `status`.
fn unless(answer: Result<Value, Failure>, status: u16) -> Result<Value, Failure> {
    match answer {
        Err(Failure::Refused(refusal)) if refusal.status == status => Ok(Value::Null),
        answer => answer,
    }
}

fn told_relay(domain: &Value) -> Option<&str> {
    domain.pointer("/data/attributes/smtp")?.as_str()
}

/// A key's id is in its token.
fn own_key(client: &Client) -> Result<Value, Failure> {
    match client.token().and_then(ApiKeySecret::read_token) {
        Some((_, id, _)) => client.get(&Address::of(&["api-keys", &id.to_string()])),
        None => client.get(&Address::of(&["api-keys"]).query("pageSize", Some("1"))).map(|_| Value::Null),
    }
}

fn listens(relay: &Relay) -> bool {
    let addresses = relay.to_string().to_socket_addrs();
    addresses.is_ok_and(|mut all| all.any(|address| TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok()))
}

fn view(findings: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![("server", format!("{} takes requests", text_at(findings, "/attributes/url")))];
    fields.push(("key", key(findings.pointer("/attributes/key").unwrap_or(&Value::Null))));
    if let Some(smtp) = findings.pointer("/attributes/smtp").filter(|smtp| !smtp.is_null()) {
        let listens = smtp.get("listens").and_then(Value::as_bool) == Some(true);
        let state = if listens { "takes mail" } else { "does not answer" };
        fields.push(("smtp", format!("{} {state}", text_at(smtp, "/address"))));
    }
    let domain = findings.pointer("/attributes/mailDomain/attributes").filter(|domain| domain.is_object());
    fields.push(("mail", domain.map_or_else(no_domain, |domain| text_at(domain, "/domain"))));
    page.fields(&fields);
    if let Some(domain) = domain {
        page.append(setup(domain));
    }
    page
}

fn key(key: &Value) -> String {
    if !key.is_object() {
        return "works; its roles are not for it to read".to_owned();
    }
    let roles = key.pointer("/attributes/roles").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let roles: Vec<String> = roles.iter().map(brief).collect();
    format!("{} ({}), with {}", text_at(key, "/attributes/name"), text_at(key, "/id"), roles.join(", "))
}

fn no_domain() -> String {
    "no domain is set, so there are no email hooks".to_owned()
}

/// The DNS records and the steps, in the order in which they are done.
fn setup(domain: &Value) -> Page {
    let items = |name: &str| domain.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut page = Page::default();
    let records = items("records");
    if !records.is_empty() {
        page.line("");
        page.line("DNS records:");
        let row = |record: &Value| ["/type", "/name", "/value", "/why"].map(|pointer| text_at(record, pointer));
        page.table(["TYPE", "NAME", "VALUE", "WHY"], records.iter().map(row).collect());
    }
    let steps = items("steps");
    if !steps.is_empty() {
        page.line("");
        page.line("Steps:");
    }
    for (position, step) in steps.iter().enumerate() {
        page.line(format!("  {}. {}", position + 1, brief(step)));
    }
    page
}
