//! `hookwright webhooks`: endpoints of others, what they are told of, and what came of it.

mod view;

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::{Global, Place, place_of},
    duration,
    failure::Failure,
    output::Page,
    paging::Paging,
    session::Session,
};

const EVENTS: &str = "\
Events:
  kustomer.customer.create        one event
  kustomer.customer.*             all events below a name
  '*'                             all there are";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright webhooks create https://shop.example/told --event 'kustomer.customer.*'
  hookwright webhooks ping 6a1f2e3d4c5b6a7980a1b2c3
  hookwright webhooks deliveries 6a1f2e3d4c5b6a7980a1b2c3 --state failed")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a webhook and print its secret, this once
    #[command(after_help = format!("\
Examples:
  hookwright webhooks create https://shop.example/told --event 'kustomer.customer.*'
  hookwright webhooks create https://erp.example/orders --event kustomer.kobject.order.create --description ERP

{EVENTS}"))]
    Create {
        /// Where it is told
        #[arg(value_name = "URL")]
        endpoint: String,
        /// What it is told of; may be repeated
        #[arg(long = "event", value_name = "EVENT", required = true)]
        events: Vec<String>,
        /// What people call it
        #[arg(long)]
        description: Option<String>,
        /// Do not tell it anything yet
        #[arg(long)]
        disabled: bool,
    },
    /// List webhooks, oldest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright webhooks ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a webhook and how it fares; its secret is masked
    #[command(after_help = "Examples:\n  hookwright webhooks show 6a1f2e3d4c5b6a7980a1b2c3")]
    Show(WebhookArg),
    /// Change a webhook; enabling it begins anew after it was disabled
    #[command(after_help = format!("\
Examples:
  hookwright webhooks update 6a1f2e3d4c5b6a7980a1b2c3 --enable
  hookwright webhooks update 6a1f2e3d4c5b6a7980a1b2c3 --endpoint https://shop.example/told
  hookwright webhooks update 6a1f2e3d4c5b6a7980a1b2c3 --event kustomer.customer.create --event kustomer.customer.update

{EVENTS}"))]
    Update {
        #[command(flatten)]
        webhook: WebhookArg,
        #[command(flatten)]
        changes: Changes,
    },
    /// Delete a webhook; what waits for it is not delivered
    #[command(visible_alias = "rm", after_help = "Examples:\n  hookwright webhooks delete 6a1f2e3d4c5b6a7980a1b2c3")]
    Delete(WebhookArg),
    /// Give a webhook a new secret and print it; the old one signs beside it for a while
    #[command(after_help = "\
Examples:
  hookwright webhooks rotate 6a1f2e3d4c5b6a7980a1b2c3
  hookwright webhooks rotate 6a1f2e3d4c5b6a7980a1b2c3 --overlap 0s")]
    Rotate {
        #[command(flatten)]
        webhook: WebhookArg,
        /// How long the old secret signs on: a number and s, m, h or d; 7d at most
        #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = duration::seconds)]
        overlap: u32,
    },
    /// List what a webhook was told in the last 30 days, newest first
    #[command(after_help = "\
Examples:
  hookwright webhooks deliveries 6a1f2e3d4c5b6a7980a1b2c3
  hookwright webhooks deliveries 6a1f2e3d4c5b6a7980a1b2c3 --state failed")]
    Deliveries {
        #[command(flatten)]
        webhook: WebhookArg,
        /// Only those in this state
        #[arg(long, value_parser = ["pending", "delivered", "failed"])]
        state: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a delivery: every attempt, and the body that is sent
    #[command(
        after_help = "Examples:\n  hookwright webhooks delivery 6a1f2e3d4c5b6a7980a1b2c3 7b2a3f4e5d6c7b8091a2b3c4"
    )]
    Delivery(DeliveryArg),
    /// Try a delivery again at once, whatever came of it
    #[command(after_help = "Examples:\n  hookwright webhooks resend 6a1f2e3d4c5b6a7980a1b2c3 7b2a3f4e5d6c7b8091a2b3c4")]
    Resend(DeliveryArg),
    /// Deliver a test event to a webhook
    #[command(after_help = "Examples:\n  hookwright webhooks ping 6a1f2e3d4c5b6a7980a1b2c3")]
    Ping(WebhookArg),
}

#[derive(Debug, clap::Args)]
struct WebhookArg {
    /// The webhook's id
    id: String,
}

#[derive(Debug, clap::Args)]
struct DeliveryArg {
    #[command(flatten)]
    webhook: WebhookArg,
    /// The delivery's id, which its endpoint sees as webhook-id
    delivery: String,
}

/// What is to be different.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
struct Changes {
    /// Tell it here
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Tell it of these instead of all before; may be repeated
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
    /// Call it so
    #[arg(long)]
    description: Option<String>,
    /// Tell it again
    #[arg(long, conflicts_with = "disable")]
    enable: bool,
    /// Tell it nothing any more
    #[arg(long)]
    disable: bool,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    if let Command::Update { changes: Changes { endpoint: None, .. }, .. } | Command::Create { .. } = &args.command {
        check_server(global)?;
    }
    let session = Session::open(global)?;
    let client = &session.client;
    match args.command {
        Command::Create { endpoint, events, description, disabled } => {
            let mut draft = Map::from_iter([("url".to_owned(), json!(endpoint)), ("events".to_owned(), json!(events))]);
            draft.extend(description.map(|text| ("description".to_owned(), json!(text))));
            if disabled {
                draft.insert("enabled".to_owned(), json!(false));
            }
            session.show(&client.post(&Address::of(&["webhooks"]), bytes(&json!(draft)))?, view::with_secret)
        }
        Command::Ls { paging } => session.list(Address::of(&["webhooks"]), &paging, view::table),
        Command::Show(webhook) => session.show(&client.get(&webhook.below(&[]))?, view::one),
        Command::Update { webhook, changes } => {
            session.show(&client.put(&webhook.below(&[]), bytes(&changes.document()))?, view::one)
        }
        Command::Delete(webhook) => session.remove(
            &webhook.below(&[]),
            format!("The webhook {} is deleted. It is told nothing any more.", webhook.id),
        ),
        Command::Rotate { webhook, overlap } => {
            let document = bytes(&json!({ "overlapSeconds": overlap }));
            session.show(&client.post(&webhook.below(&["rotate-secret"]), document)?, view::with_secret)
        }
        Command::Deliveries { webhook, state, paging } => {
            let address = webhook.below(&["deliveries"]).query("state", state.as_deref());
            session.list(address, &paging, view::deliveries)
        }
        Command::Delivery(delivery) => session.show(&client.get(&delivery.below(&[]))?, view::delivery),
        Command::Resend(delivery) => session
            .show(&client.post(&delivery.below(&["resend"]), bytes(&json!({})))?, |resent| sent(&delivery, resent)),
        Command::Ping(webhook) => session.show(&client.post(&webhook.below(&["ping"]), bytes(&json!({})))?, |made| {
            let delivery = made.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
            sent(&DeliveryArg { webhook, delivery }, made)
        }),
    }
}

/// Makes sure that `--url` is not meant for the webhook's endpoint, which would be sent the API key.
fn check_server(global: &Global) -> Result<(), Failure> {
    let Some(url) = global.url().and_then(|url| url.parse::<http::Uri>().ok()) else { return Ok(()) };
    if url.path() == "/" && place_of(&url) == Place::Here {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "--url names the server of Hookwright, which gets your API key, and {url} looks like an endpoint. Where a webhook is told \
         is `webhooks create URL` and `webhooks update ID --endpoint URL`. If it is the server, name it with HOOKWRIGHT_URL here."
    )))
}

impl WebhookArg {
    fn below(&self, parts: &[&str]) -> Address {
        Address::of(&[&["webhooks", self.id.as_str()], parts].concat())
    }
}

impl DeliveryArg {
    fn below(&self, parts: &[&str]) -> Address {
        self.webhook.below(&[&["deliveries", self.delivery.as_str()], parts].concat())
    }
}

impl Changes {
    fn document(&self) -> Value {
        let mut document = Map::new();
        document.extend(self.endpoint.iter().map(|url| ("url".to_owned(), json!(url))));
        document.extend(self.description.iter().map(|text| ("description".to_owned(), json!(text))));
        if !self.events.is_empty() {
            document.insert("events".to_owned(), json!(self.events));
        }
        if self.enable || self.disable {
            document.insert("enabled".to_owned(), json!(self.enable));
        }
        Value::Object(document)
    }
}

fn bytes(document: &Value) -> Vec<u8> {
    document.to_string().into_bytes()
}

/// Where to look at what comes of a delivery.
fn sent(delivery: &DeliveryArg, document: &Value) -> Page {
    let mut page = view::delivery(document);
    page.line("");
    page.line(format!(
        "It is sent now. What comes of it: hookwright webhooks delivery {} {}",
        delivery.webhook.id, delivery.delivery
    ));
    page
}
