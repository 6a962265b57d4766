//! Webhooks and deliveries as people read them.

use serde_json::Value;

use crate::output::{self, Page, brief, present_fields, shortened, text_at};

/// How much of an answer a line shows.
const ANSWER_SHOWN_CHARS: usize = 60;

/// A webhook that has a new secret.
pub(super) fn with_secret(webhook: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[("secret", text_at(webhook, "/attributes/secret"))]);
    page.line("Keep the secret; it cannot be shown again. The endpoint checks signatures with it.");
    page.line("");
    page.append(one(webhook));
    page
}

/// A webhook.
pub(super) fn one(webhook: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&present_fields(
        webhook,
        &[
            ("id", "/id"),
            ("url", "/attributes/url"),
            ("description", "/attributes/description"),
            ("enabled", "/attributes/enabled"),
            ("secret", "/attributes/maskedSecret"),
            ("old secret until", "/attributes/previousSecretUntil"),
            ("failing since", "/attributes/failingSince"),
            ("warning", "/attributes/warning"),
            ("disabled at", "/attributes/disabled/at"),
            ("disabled", "/attributes/disabled/reason"),
            ("created", "/attributes/createdAt"),
        ],
    ));
    page.line("");
    let events = listed(webhook, "/attributes/events");
    page.table(["TOLD OF"], events.iter().map(|event| [brief(event)]).collect());
    page
}

/// Webhooks.
pub(super) fn table(webhooks: &[Value]) -> Page {
    if webhooks.is_empty() {
        return Page::of_line("There are no webhooks. Make one with `hookwright webhooks create URL --event EVENT`.");
    }
    let mut page = Page::default();
    let row = |webhook: &Value| {
        let events = listed(webhook, "/attributes/events").iter().map(brief).collect::<Vec<_>>().join(", ");
        [text_at(webhook, "/id"), state(webhook).to_owned(), text_at(webhook, "/attributes/url"), events]
    };
    page.table(["ID", "STATE", "URL", "TOLD OF"], webhooks.iter().map(row).collect());
    page
}

/// Deliveries.
pub(super) fn deliveries(deliveries: &[Value]) -> Page {
    if deliveries.is_empty() {
        return Page::of_line("There are no such deliveries. Send a test event with `hookwright webhooks ping ID`.");
    }
    let mut page = Page::default();
    let row = |delivery: &Value| {
        [
            text_at(delivery, "/id"),
            text_at(delivery, "/attributes/createdAt"),
            text_at(delivery, "/attributes/state"),
            text_at(delivery, "/attributes/attemptCount"),
            text_at(delivery, "/attributes/status"),
            text_at(delivery, "/attributes/nextAttemptAt"),
            text_at(delivery, "/attributes/eventName"),
        ]
    };
    page.table(["ID", "CREATED", "STATE", "ATTEMPTS", "STATUS", "NEXT", "EVENT"], deliveries.iter().map(row).collect());
    page
}

/// A delivery, with its attempts and its body where they are told.
pub(super) fn delivery(delivery: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&present_fields(
        delivery,
        &[
            ("id", "/id"),
            ("event", "/attributes/eventName"),
            ("state", "/attributes/state"),
            ("attempts", "/attributes/attemptCount"),
            ("status", "/attributes/status"),
            ("reason", "/attributes/reason"),
            ("created", "/attributes/createdAt"),
            ("next attempt", "/attributes/nextAttemptAt"),
            ("ended", "/attributes/endedAt"),
        ],
    ));
    let attempts = listed(delivery, "/attributes/attempts");
    if !attempts.is_empty() {
        page.line("");
        let row = |attempt: &Value| {
            let told = attempt.get("error").filter(|error| !error.is_null()).or_else(|| attempt.get("answer"));
            [
                text_at(attempt, "/number"),
                text_at(attempt, "/startedAt"),
                text_at(attempt, "/state"),
                text_at(attempt, "/status"),
                text_at(attempt, "/durationMs"),
                shortened(&told.map(output::brief).unwrap_or_default(), ANSWER_SHOWN_CHARS),
            ]
        };
        let rows = attempts.iter().map(row).collect();
        page.table(["#", "STARTED", "STATE", "STATUS", "MS", "WHAT CAME OF IT"], rows);
    }
    if let Some(body) = delivery.pointer("/attributes/requestBody").filter(|body| !body.is_null()) {
        page.line("");
        page.json(body);
    }
    page
}

fn state(webhook: &Value) -> &'static str {
    let is =
        |pointer: &str| webhook.pointer(pointer).is_some_and(|value| !value.is_null() && *value != Value::Bool(false));
    match (is("/attributes/enabled"), is("/attributes/warning")) {
        (true, true) => "failing",
        (true, false) => "enabled",
        (false, _) => "disabled",
    }
}

fn listed<'v>(document: &'v Value, pointer: &str) -> &'v [Value] {
    document.pointer(pointer).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}
