//! `hookwright klasses`: kinds of custom objects and their attributes.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, present_fields, text_at},
    paging::Paging,
    session::Session,
    source,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright klasses create order --attribute orderIDStr='Order ID' --attribute priceNum=Price
  hookwright klasses show order")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a klass
    #[command(after_help = "\
Examples:
  hookwright klasses create order --display-name Order --attribute orderIDStr='Order ID' --attribute priceNum=Price
  hookwright klasses create order.json

An attribute's name ends in its type: Str, Txt, Num, At, Bool, Url or Id.")]
    Create {
        /// The klass's name; or a document: a file that ends in .json, or - for standard input
        #[arg(value_name = "NAME|FILE")]
        name: String,
        #[command(flatten)]
        look: Look,
    },
    /// List klasses by name
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright klasses ls")]
    Ls {
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a klass and its attributes
    #[command(after_help = "Examples:\n  hookwright klasses show order")]
    Show(KlassArg),
    /// Change a klass; what is not named stays
    #[command(after_help = "\
Examples:
  hookwright klasses update order --attribute shippedAt=Shipped
  hookwright klasses update order order.json    (its metadata takes the place of the klass's own)")]
    Update {
        #[command(flatten)]
        klass: KlassArg,
        /// A document, or - for standard input
        #[arg(required_unless_present_any = ["display_name", "icon", "color", "attributes"])]
        file: Option<String>,
        #[command(flatten)]
        look: Look,
    },
    /// Delete a klass; its instances stay readable
    #[command(visible_alias = "delete", after_help = "Examples:\n  hookwright klasses rm order")]
    Rm(KlassArg),
}

#[derive(Debug, clap::Args)]
struct KlassArg {
    /// The klass's name
    name: String,
}

#[derive(Debug, clap::Args)]
struct Look {
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Its icon
    #[arg(long)]
    icon: Option<String>,
    /// Its colour
    #[arg(long)]
    color: Option<String>,
    /// An attribute and what people call it; may be repeated
    #[arg(long = "attribute", value_name = "NAME=TEXT", value_parser = attribute)]
    attributes: Vec<(String, String)>,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Create { name, look } => {
            let document = if is_file(&name) {
                look.check_absent()?;
                source::read(&name)?
            } else {
                let mut draft = Map::from_iter([("name".to_owned(), json!(name))]);
                look.write(&mut draft, Map::new());
                json!(draft).to_string().into_bytes()
            };
            session.show(&session.client.post(&Address::of(&["klasses"]), document)?, view)
        }
        Command::Ls { paging } => session.list(Address::of(&["klasses"]), &paging, table),
        Command::Show(klass) => session.show(&session.client.get(&klass.address())?, view),
        Command::Update { klass, file, look } => {
            let document = match file {
                Some(file) => {
                    look.check_absent()?;
                    source::read(&file)?
                }
                None => changes(&session, &klass, look)?,
            };
            session.show(&session.client.put(&klass.address(), document)?, view)
        }
        Command::Rm(klass) => session
            .remove(&klass.address(), format!("The klass {} is deleted. Its instances stay readable.", klass.name)),
    }
}

impl KlassArg {
    fn address(&self) -> Address {
        Address::of(&["klasses", &self.name])
    }
}

impl Look {
    /// Writes what was named into `draft`; new attributes stand beside those in `metadata`.
    fn write(self, draft: &mut Map<String, Value>, mut metadata: Map<String, Value>) {
        for (name, value) in [("displayName", self.display_name), ("icon", self.icon), ("color", self.color)] {
            draft.extend(value.map(|value| (name.to_owned(), Value::String(value))));
        }
        if self.attributes.is_empty() {
            return;
        }
        let mut properties = metadata.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, display_name) in self.attributes {
            let mut property = properties.get(&name).and_then(Value::as_object).cloned().unwrap_or_default();
            property.insert("displayName".to_owned(), json!(display_name));
            properties.insert(name, Value::Object(property));
        }
        metadata.insert("properties".to_owned(), Value::Object(properties));
        draft.insert("metadata".to_owned(), Value::Object(metadata));
    }

    fn check_absent(&self) -> Result<(), Failure> {
        let flags = [&self.display_name, &self.icon, &self.color];
        if self.attributes.is_empty() && flags.iter().all(|flag| flag.is_none()) {
            return Ok(());
        }
        Err(Failure::Usage("Give either a document or flags, not both.".to_owned()))
    }
}

/// The API takes a klass's metadata as a whole, so attributes are added to those that are there.
fn changes(session: &Session, klass: &KlassArg, look: Look) -> Result<Vec<u8>, Failure> {
    let metadata = if look.attributes.is_empty() {
        Map::new()
    } else {
        let before = session.client.get(&klass.address())?;
        before.pointer("/data/attributes/metadata").and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut changes = Map::new();
    look.write(&mut changes, metadata);
    Ok(json!(changes).to_string().into_bytes())
}

/// No klass's name has a dot, and none is a dash.
fn is_file(name: &str) -> bool {
    name == source::STDIN || name.ends_with(".json")
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, display_name) = text.split_once('=').unwrap_or((text, text));
    domain::Suffix::of(name).map_err(|problem| problem.to_string())?;
    Ok((name.to_owned(), display_name.to_owned()))
}

fn view(klass: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![("name", text_at(klass, "/attributes/name")), ("id", text_at(klass, "/id"))];
    fields.extend(present_fields(
        klass,
        &[
            ("display name", "/attributes/displayName"),
            ("icon", "/attributes/icon"),
            ("color", "/attributes/color"),
            ("created", "/attributes/createdAt"),
            ("updated", "/attributes/updatedAt"),
        ],
    ));
    page.fields(&fields);
    if let Some(properties) = properties(klass) {
        page.line("");
        let rows = properties.iter().map(|(name, property)| [name.clone(), text_at(property, "/displayName")]);
        page.table(["ATTRIBUTE", "DISPLAY NAME"], rows.collect());
    }
    page
}

fn table(klasses: &[Value]) -> Page {
    if klasses.is_empty() {
        return Page::of_line("There are no klasses. Make one with `hookwright klasses create order`.");
    }
    let mut page = Page::default();
    let rows = klasses.iter().map(|klass| {
        let attributes = properties(klass).map_or(0, Map::len);
        [text_at(klass, "/attributes/name"), text_at(klass, "/attributes/displayName"), attributes.to_string()]
    });
    page.table(["NAME", "DISPLAY NAME", "ATTRIBUTES"], rows.collect());
    page
}

fn properties(klass: &Value) -> Option<&Map<String, Value>> {
    klass
        .pointer("/attributes/metadata/properties")
        .and_then(Value::as_object)
        .filter(|properties| !properties.is_empty())
}
