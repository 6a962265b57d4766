//! `hookwright customers`: customers, their timelines and their instances of klasses.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, brief, shortened, text_at},
    paging::Paging,
    session::Session,
    source,
};

const TITLE_LIMIT_CHARS: usize = 60;
const VALUE_LIMIT_CHARS: usize = 200;

/// Where a record keeps the words that tell it from others, in the order of preference.
const TITLE_KEYS: [&str; 4] = ["title", "name", "subject", "body"];

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright customers show ann@example.com
  hookwright customers timeline ann@example.com")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a customer
    #[command(after_help = "\
Examples:
  hookwright customers create --name 'Ann Example' --email ann@example.com --custom tierStr=gold
  hookwright customers create customer.json")]
    Create {
        /// A document with more than the flags can say, or - for standard input
        #[arg(required_unless_present_any = ["name", "emails", "custom"])]
        file: Option<String>,
        #[command(flatten)]
        draft: Draft,
    },
    /// List customers, newest first
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright customers ls --page-size 100")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a customer
    #[command(after_help = "Examples:\n  hookwright customers show ann@example.com")]
    Show(CustomerArg),
    /// Change a customer; what is not named stays
    #[command(after_help = "\
Examples:
  hookwright customers update ann@example.com --name 'Ann Sample'
  hookwright customers update ann@example.com --custom tierStr=    (clears it)")]
    Update {
        #[command(flatten)]
        customer: CustomerArg,
        /// A document with more than the flags can say, or - for standard input
        #[arg(required_unless_present_any = ["name", "emails", "custom"])]
        file: Option<String>,
        #[command(flatten)]
        draft: Draft,
    },
    /// List what belongs to a customer, newest first
    #[command(after_help = "Examples:\n  hookwright customers timeline ann@example.com")]
    Timeline {
        #[command(flatten)]
        customer: CustomerArg,
        #[command(flatten)]
        paging: Paging,
    },
    /// List a customer's instances of a klass, newest first
    #[command(after_help = "Examples:\n  hookwright customers instances ann@example.com order")]
    Instances {
        #[command(flatten)]
        customer: CustomerArg,
        /// The klass's name
        klass: String,
        #[command(flatten)]
        paging: Paging,
    },
}

#[derive(Debug, clap::Args)]
struct CustomerArg {
    /// The customer's id or e-mail address
    #[arg(value_name = "ID|EMAIL")]
    customer: String,
}

#[derive(Debug, clap::Args)]
struct Draft {
    /// The customer's name
    #[arg(long)]
    name: Option<String>,
    /// An e-mail address; may be repeated. All of them take the place of those there are
    #[arg(long = "email", value_name = "EMAIL")]
    emails: Vec<String>,
    /// A custom attribute; may be repeated. An empty value clears it
    #[arg(long, value_name = "NAME=VALUE", value_parser = custom)]
    custom: Vec<(String, Value)>,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Create { file, draft } => {
            let document = draft.into_bytes(file)?;
            session.show(&session.client.post(&Address::of(&["customers"]), document)?, view)
        }
        Command::Ls { paging } => session.list(Address::of(&["customers"]), &paging, table),
        Command::Show(customer) => session.show(&session.client.get(&customer.address())?, view),
        Command::Update { customer, file, draft } => {
            let document = draft.into_bytes(file)?;
            let id = customer.find(&session)?;
            session.show(&session.client.put(&Address::of(&["customers", &id]), document)?, view)
        }
        Command::Timeline { customer, paging } => {
            let id = customer.find(&session)?;
            session.list(Address::of(&["customers", &id, "timeline"]), &paging, timeline)
        }
        Command::Instances { customer, klass, paging } => {
            let id = customer.find(&session)?;
            session.list(Address::of(&["customers", &id, "klasses", &klass]), &paging, timeline)
        }
    }
}

impl CustomerArg {
    fn is_email(&self) -> bool {
        self.customer.contains('@')
    }

    fn address(&self) -> Address {
        let part = if self.is_email() { format!("email={}", self.customer) } else { self.customer.clone() };
        Address::of(&["customers", &part])
    }

    /// The customer's id, asked for when an e-mail address was given.
    fn find(&self, session: &Session) -> Result<String, Failure> {
        if !self.is_email() {
            return Ok(self.customer.clone());
        }
        Ok(text_at(&session.client.get(&self.address())?, "/data/id"))
    }
}

impl Draft {
    /// The document in `file`, or the one that the flags make.
    fn into_bytes(self, file: Option<String>) -> Result<Vec<u8>, Failure> {
        let mut draft = Map::new();
        draft.extend(self.name.map(|name| ("name".to_owned(), json!(name))));
        if !self.emails.is_empty() {
            draft.insert("emails".to_owned(), json!(self.emails));
        }
        if !self.custom.is_empty() {
            draft.insert("custom".to_owned(), Value::Object(self.custom.into_iter().collect()));
        }
        match file {
            Some(_) if !draft.is_empty() => {
                Err(Failure::Usage("Give either a document or flags, not both.".to_owned()))
            }
            Some(file) => source::read(&file),
            None => Ok(json!(draft).to_string().into_bytes()),
        }
    }
}

/// The server reads the text as the attribute's type wants it.
fn custom(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("a custom attribute is written NAME=VALUE")?;
    domain::Suffix::of(name).map_err(|problem| problem.to_string())?;
    Ok((name.to_owned(), if value.is_empty() { Value::Null } else { json!(value) }))
}

fn view(customer: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![("id", text_at(customer, "/id"))];
    let attributes = customer.get("attributes").and_then(Value::as_object);
    for (name, value) in attributes.into_iter().flatten().filter(|(name, _)| *name != "custom") {
        let told = if name == "emails" { emails(customer) } else { brief(value) };
        fields.push((name, shortened(&told, VALUE_LIMIT_CHARS)));
    }
    page.fields(&fields);
    if let Some(custom) =
        customer.pointer("/attributes/custom").and_then(Value::as_object).filter(|custom| !custom.is_empty())
    {
        page.line("");
        let rows = custom.iter().map(|(name, value)| [name.clone(), shortened(&brief(value), VALUE_LIMIT_CHARS)]);
        page.table(["CUSTOM ATTRIBUTE", "VALUE"], rows.collect());
    }
    page
}

fn table(customers: &[Value]) -> Page {
    if customers.is_empty() {
        return Page::of_line("There are no customers.");
    }
    let mut page = Page::default();
    let rows = customers.iter().map(|customer| {
        let name = shortened(&text_at(customer, "/attributes/name"), TITLE_LIMIT_CHARS);
        [text_at(customer, "/id"), name, text_at(customer, "/attributes/createdAt"), emails(customer)]
    });
    page.table(["ID", "NAME", "CREATED", "E-MAIL"], rows.collect());
    page
}

fn timeline(records: &[Value]) -> Page {
    if records.is_empty() {
        return Page::of_line("There is nothing here.");
    }
    let mut page = Page::default();
    let rows = records.iter().map(|record| {
        let title = TITLE_KEYS.iter().find_map(|key| record.get("attributes")?.get(key)?.as_str());
        let title = shortened(title.unwrap_or("-"), TITLE_LIMIT_CHARS);
        let custom = record.pointer("/attributes/custom").map_or_else(|| "-".to_owned(), brief);
        let created = text_at(record, "/attributes/createdAt");
        [created, text_at(record, "/type"), text_at(record, "/id"), title, shortened(&custom, VALUE_LIMIT_CHARS)]
    });
    page.table(["CREATED", "TYPE", "ID", "TITLE", "CUSTOM"], rows.collect());
    page
}

fn emails(customer: &Value) -> String {
    let emails = customer.pointer("/attributes/emails").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if emails.is_empty() {
        return "-".to_owned();
    }
    emails.iter().map(|email| text_at(email, "/email")).collect::<Vec<_>>().join(", ")
}
