//! Mails that started nothing, on a terminal: why, and what to do about it.

use serde_json::Value;

use crate::output::{Page, present_fields, text_at};

/// Mails that started nothing, newest first, with a paragraph each.
pub(crate) fn view(id: &str, refusals: &Value) -> Page {
    let refusals = refusals.as_array().map_or(&[][..], Vec::as_slice);
    if refusals.is_empty() {
        return Page::of_line("Every mail of the last 7 days started what it could.");
    }
    let mut page = Page::default();
    let times = if refusals.len() == 1 { "1 mail".to_owned() } else { format!("{} mails", refusals.len()) };
    page.line(format!("{times} started nothing, the newest first:"));
    for refusal in refusals {
        page.line("");
        page.append(tell(id, refusal));
    }
    page
}

/// One of them, from the API's resource.
pub(crate) fn tell(id: &str, resource: &Value) -> Page {
    let mut page = Page::default();
    let refusal = resource.get("attributes").unwrap_or(&Value::Null);
    let code = text_at(refusal, "/code");
    page.line(format!("{}  {code}", text_at(refusal, "/createdAt")));
    let sentence = refusal.get("failure").and_then(Value::as_str).map(str::to_owned);
    page.line(format!("  {}", sentence.unwrap_or_else(|| text_at(refusal, "/detail"))));
    let known = present_fields(
        refusal,
        &[("from", "/from"), ("subject", "/subject"), ("mail", "/messageId"), ("bytes", "/bodyBytes")],
    );
    for (name, value) in known {
        page.line(format!("  {name:<8} {value}"));
    }
    let reasons = refusal.get("reasons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for reason in reasons {
        page.line(format!("  likely   {} ({})", text_at(reason, "/sentence"), text_at(reason, "/code")));
    }
    page.line(format!("  try      {}", advice(&code, id, resource)));
    page
}

/// What helps against a mail that was not taken.
fn advice(code: &str, id: &str, refusal: &Value) -> String {
    let update = format!("hookwright hooks update {id} --kind email");
    let transaction = refusal.pointer("/attributes/transactionId").and_then(Value::as_str);
    match code {
        "no_data" => {
            format!("`hookwright mail lint FILE.eml`, or `{update} --bodies text,html --no-key` to take any mail")
        }
        "wrong_key" => {
            format!("the key that `hookwright hooks show {id} --kind email` tells, in the tag of the script")
        }
        // What was dropped is a transaction, for the record; what waits is none yet.
        "spam" | "dmarc" | "unauthenticated" if transaction.is_some() => {
            format!("`{update} --{code} quarantine`; the next one waits in `hookwright mail quarantine ls {id}`")
        }
        "spam" | "dmarc" | "unauthenticated" => {
            format!("{}, or `{update} --{code} accept` for all of them", released(id, refusal))
        }
        "sender_not_allowed" => {
            format!("{}, or `{update} --sender DOMAIN`, with all senders that may write", released(id, refusal))
        }
        "over_limit" => format!("{}, or `{update} --limit 1000/60`", released(id, refusal)),
        "repeated" => match transaction {
            Some(first) => {
                format!("`hookwright transactions show {first}` tells what the mail that came before started")
            }
            None => format!("`{update} --no-duplicates` to have every mail taken"),
        },
        "mail_loop" => "a rule at the sender: this is mail that a workflow sent".to_owned(),
        "mail_too_large" | "message_too_large" => "a smaller mail: 40 MB, and 400 KB of data".to_owned(),
        _ => format!("`hookwright hooks debug {id} on --kind email`, and send it again"),
    }
}

/// The id of a mail in quarantine is that of its refusal.
fn released(id: &str, refusal: &Value) -> String {
    format!("`hookwright mail quarantine release {id} {}`", text_at(refusal, "/id"))
}
