//! Email hooks on a terminal: the address, and what a mail has to look like to get through.

use serde_json::Value;

use crate::output::{Page, present_fields, shortened, text_at};

const TITLE_LIMIT_CHARS: usize = 40;

/// A list without anything in it, which asks for nothing.
const NOTHING: &str = "[]";

/// An email hook with everything it is set to, and how it is put to use.
pub(crate) fn one(hook: &Value) -> Page {
    let mut page = Page::default();
    let mut fields = vec![
        ("id", text_at(hook, "/id")),
        ("address", text_at(hook, "/attributes/email")),
        ("short", text_at(hook, "/attributes/shortEmail")),
    ];
    fields.extend(present_fields(
        hook,
        &[
            ("event", "/attributes/eventName"),
            ("title", "/attributes/title"),
            ("description", "/attributes/description"),
            ("key", "/attributes/key"),
            ("bodies", "/attributes/mail/bodies"),
            ("senders", "/attributes/mail/senders"),
            ("policy", "/attributes/mail/policy"),
            ("decode entities", "/attributes/mail/decodeEntities"),
            ("attachments", "/attributes/mail/attachments"),
            ("limit", "/attributes/limit"),
            ("duplicates", "/attributes/duplicates"),
            ("paused", "/attributes/paused"),
            ("debug", "/attributes/debug"),
            ("created", "/attributes/createdAt"),
            ("updated", "/attributes/updatedAt"),
        ],
    ));
    fields.retain(|(_, value)| value != NOTHING);
    page.fields(&fields);
    page.line("");
    page.append(usage(hook));
    page
}

/// The line of a list: id, title, debug, address.
pub(crate) fn row(hook: &Value) -> [String; 4] {
    let title = shortened(&text_at(hook, "/attributes/title"), TITLE_LIMIT_CHARS);
    [text_at(hook, "/id"), title, text_at(hook, "/attributes/debug"), text_at(hook, "/attributes/shortEmail")]
}

fn usage(hook: &Value) -> Page {
    let short = text_at(hook, "/attributes/shortEmail");
    let mut page = Page::default();
    page.line(format!("Put {short} into the BCC of the store's mails. Both addresses are the same hook;"));
    if let Some((local, domain)) = short.split_once('@') {
        page.line(format!("the short one has room for a tag, which workflows see: {local}+TAG@{domain}."));
    }
    page.line("");
    let key = hook.pointer("/attributes/key").and_then(Value::as_str);
    let attribute = key.map_or_else(String::new, |key| format!(" data-kustomer-key=\"{key}\""));
    page.line("Data is read out of the HTML of a mail, where it stands like this:");
    page.line("");
    page.line(format!("  <script type=\"application/ld+json\"{attribute}>"));
    page.line("    {\"@context\": \"http://schema.org\", \"@type\": \"Order\", \"orderNumber\": \"1234\"}");
    page.line("  </script>");
    page.line("");
    let id = text_at(hook, "/id");
    page.line(format!("To see it work: `hookwright mail sample order-confirmation --send {id}`"));
    page
}
