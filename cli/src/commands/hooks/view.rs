//! Hooks on a terminal: one, a list, and the interactions of one in debug.

use domain::HookKind;
use serde_json::Value;

use super::{KINDS, MAIL_KIND, mail};
use crate::output::{Page, brief, present_fields, shortened, text_at};

const TITLE_LIMIT_CHARS: usize = 40;
const DATA_LIMIT_CHARS: usize = 80;

/// A hook with everything it is set to.
pub(super) fn one(hook: &Value) -> Page {
    if text_at(hook, "/type") == HookKind::Email.type_name() {
        return mail::one(hook);
    }
    let mut page = Page::default();
    let mut fields = vec![("id", text_at(hook, "/id")), ("url", text_at(hook, "/attributes/url"))];
    fields.extend(present_fields(
        hook,
        &[
            ("event", "/attributes/eventName"),
            ("title", "/attributes/title"),
            ("description", "/attributes/description"),
            ("auth", "/attributes/auth"),
            ("app", "/attributes/app"),
            ("methods", "/attributes/methods"),
            ("limit", "/attributes/limit"),
            ("address limit", "/attributes/addressLimit"),
            ("duplicates", "/attributes/duplicates"),
            ("guard", "/attributes/guard"),
            ("uploads", "/attributes/uploads"),
            ("tape", "/attributes/tape"),
            ("paused", "/attributes/paused"),
            ("debug", "/attributes/debug"),
            ("reply", "/attributes/reply"),
            ("created", "/attributes/createdAt"),
            ("updated", "/attributes/updatedAt"),
        ],
    ));
    page.fields(&fields);
    page
}

/// Hooks of one kind, one on a line; webhooks with their schemes, email hooks with their addresses.
pub(super) fn table(kind: &str, hooks: &[Value]) -> Page {
    if hooks.is_empty() {
        return Page::of_line(match kind {
            MAIL_KIND => "There are no email hooks. Make one with `hookwright hooks create email Orders`.",
            _ if kind == KINDS[0] => "There are no hooks. Make one with `hookwright hooks create --title Orders`.",
            _ => "There are no webhooks. Make one with `hookwright hooks create web --title Orders`.",
        });
    }
    let mut page = Page::default();
    if kind == MAIL_KIND {
        page.table(["ID", "TITLE", "DEBUG", "ADDRESS"], hooks.iter().map(mail::row).collect());
        return page;
    }
    let rows = hooks.iter().map(|hook| {
        let title = shortened(&text_at(hook, "/attributes/title"), TITLE_LIMIT_CHARS);
        (text_at(hook, "/id"), title, text_at(hook, "/attributes/debug"), text_at(hook, "/attributes/url"), hook)
    });
    if kind == KINDS[0] {
        let rows = rows.map(|(id, title, debug, url, _)| [id, title, debug, url]);
        page.table(["ID", "TITLE", "DEBUG", "URL"], rows.collect());
    } else {
        let rows =
            rows.map(|(id, title, debug, url, hook)| [id, title, text_at(hook, "/attributes/auth/scheme"), debug, url]);
        page.table(["ID", "TITLE", "AUTH", "DEBUG", "URL"], rows.collect());
    }
    page
}

/// What a hook in debug kept, newest first.
pub(super) fn interactions(id: &str, kind: &str, items: &Value) -> Page {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    if items.is_empty() {
        let kind = if kind == KINDS[0] { String::new() } else { format!(" --kind {kind}") };
        return Page::of_line(format!(
            "Nothing is kept. What arrives is kept for 24 hours while debug is on: `hookwright hooks debug {id} on{kind}`."
        ));
    }
    let mut page = Page::default();
    let rows = items.iter().map(|item| {
        let (result, what) = match item.pointer("/attributes/code") {
            Some(code) if text_at(item, "/type") == "refusal" => {
                (format!("refused: {}", brief(code)), text_at(item, "/attributes/detail"))
            }
            Some(_) | None if text_at(item, "/type") == "repeat" => ("repeated".to_owned(), String::new()),
            Some(_) | None if text_at(item, "/meta/held") == "true" => {
                ("held".to_owned(), text_at(item, "/attributes/data"))
            }
            Some(_) | None => ("accepted".to_owned(), text_at(item, "/attributes/data")),
        };
        [text_at(item, "/attributes/createdAt"), text_at(item, "/id"), result, shortened(&what, DATA_LIMIT_CHARS)]
    });
    page.table(["ARRIVED", "ID", "RESULT", "DATA"], rows.collect());
    page
}
