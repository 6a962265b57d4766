//! `hookwright audit`: what was changed through the API, by whom and when.

use clap::Subcommand;
use serde_json::Value;

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, brief, present_fields, shortened, text_at},
    paging::Paging,
    session::Session,
};

const VALUE_LIMIT_CHARS: usize = 60;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright audit ls
  hookwright audit ls --object 6a1f2e3d4c5b6a7980a1b2c3
  hookwright audit show 6a1f2e3d4c5b6a7980a1b2c6

What workflows do is in their runs: `hookwright runs show`.")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List what was changed, newest first
    #[command(
        visible_alias = "list",
        after_help = "\
Examples:
  hookwright audit ls --type workflow --from 2026-11-22T00:00:00Z
  hookwright audit ls --object 6a1f2e3d4c5b6a7980a1b2c3 --by 6a1f2e3d4c5b6a7980a1b2c4"
    )]
    Ls {
        /// Only changes of the thing with this id
        #[arg(long, value_name = "ID")]
        object: Option<String>,
        /// Only changes of things of this type, such as `form_hook`, `workflow`, `api_key` or `kobject.order`
        #[arg(long = "type", value_name = "TYPE")]
        object_type: Option<String>,
        /// Only changes by the API key with this id
        #[arg(long, value_name = "KEY")]
        by: Option<String>,
        /// Only changes at this instant or later, such as 2026-11-22T09:30:00Z
        #[arg(long, value_name = "INSTANT")]
        from: Option<String>,
        /// Only changes before this instant
        #[arg(long, value_name = "INSTANT")]
        until: Option<String>,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show a change: who, from where, and each attribute before and after
    #[command(after_help = "Examples:\n  hookwright audit show 6a1f2e3d4c5b6a7980a1b2c6")]
    Show {
        /// The entry's id, from the list
        id: String,
    },
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Ls { object, object_type, by, from, until, paging } => {
            let address = Address::of(&["audit-log"])
                .query("objectId", object.as_deref())
                .query("objectType", object_type.as_deref())
                .query("key", by.as_deref())
                .query("from", from.as_deref())
                .query("until", until.as_deref());
            session.list(address, &paging, table)
        }
        Command::Show { id } => session.show(&session.client.get(&Address::of(&["audit-log", &id]))?, view),
    }
}

fn table(entries: &[Value]) -> Page {
    if entries.is_empty() {
        return Page::of_line("There is no such change on this page.");
    }
    let mut page = Page::default();
    let row = |entry: &Value| {
        let attribute = |name: &str| text_at(entry, &format!("/attributes/{name}"));
        [
            attribute("createdAt"),
            text_at(entry, "/id"),
            attribute("userName"),
            attribute("operation"),
            attribute("objectType"),
            attribute("objectId"),
            shortened(&attribute("objectName"), VALUE_LIMIT_CHARS),
        ]
    };
    page.table(["AT", "ID", "BY", "OPERATION", "TYPE", "OBJECT", "NAME"], entries.iter().map(row).collect());
    page
}

fn view(entry: &Value) -> Page {
    let attribute = |name: &str| text_at(entry, &format!("/attributes/{name}"));
    let mut page = Page::default();
    let mut fields = vec![
        ("id", text_at(entry, "/id")),
        ("at", attribute("createdAt")),
        ("event", attribute("eventName")),
        ("operation", attribute("operation")),
        ("object", format!("{} {}", attribute("objectType"), attribute("objectId"))),
    ];
    fields.extend(present_fields(entry, &[("name", "/attributes/objectName")]));
    fields.push(("by key", format!("{} ({})", attribute("userId"), attribute("userName"))));
    fields.extend(present_fields(entry, &[("from", "/attributes/ip"), ("client", "/attributes/client")]));
    page.fields(&fields);
    let changes = listed(entry, "changes");
    if !changes.is_empty() {
        page.line("");
        let row = |change: &Value| [text_at(change, "/path"), told(change, "before"), told(change, "after")];
        page.table(["WHERE", "BEFORE", "AFTER"], changes.iter().map(row).collect());
    }
    let left_out = attribute("leftOut");
    if left_out != "0" {
        page.line(format!("{left_out} more are not kept, because the entry is at its limit."));
    }
    for other in listed(entry, "others") {
        page.line(format!("In the same write: {} {}", text_at(other, "/objectType"), text_at(other, "/objectId")));
    }
    page
}

fn listed<'e>(entry: &'e Value, name: &str) -> &'e [Value] {
    entry.pointer(&format!("/attributes/{name}")).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn told(change: &Value, name: &str) -> String {
    let value = change.get(name).map_or_else(|| "-".to_owned(), brief);
    shortened(&value, VALUE_LIMIT_CHARS)
}
