//! Refusals on a terminal: which check failed, the likely reasons, and what to do about each.
//!
//! The server's sentences say what is the case; what is added here are the commands of this program that change it.

use serde_json::Value;

use crate::output::{Page, brief, text_at};

/// Refusals, newest first, with a paragraph each.
pub(super) fn view(id: &str, kind: &str, refusals: &Value) -> Page {
    let refusals = refusals.as_array().map_or(&[][..], Vec::as_slice);
    if refusals.is_empty() {
        return Page::of_line("Nothing was refused in the last 7 days.");
    }
    let mut page = Page::default();
    let times = if refusals.len() == 1 { "1 refusal".to_owned() } else { format!("{} refusals", refusals.len()) };
    page.line(format!("{times}, the newest first:"));
    for refusal in refusals {
        page.line("");
        tell(id, kind, refusal.get("attributes").unwrap_or(&Value::Null), &mut page);
    }
    page
}

fn tell(id: &str, kind: &str, refusal: &Value, page: &mut Page) {
    let check = text_at(refusal, "/check");
    page.line(format!("{}  refused by {check} ({})", text_at(refusal, "/createdAt"), text_at(refusal, "/code")));
    page.line(format!("  {}", text_at(refusal, "/detail")));
    page.line(format!("  arrived  {}", arrival(refusal)));
    let headers = refusal.get("headers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if !headers.is_empty() {
        page.line(format!("  headers  {}", headers.iter().map(brief).collect::<Vec<_>>().join(", ")));
    }
    let reasons = refusal.get("reasons").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for reason in reasons {
        let code = text_at(reason, "/code");
        page.line(format!("  likely   {} ({code})", text_at(reason, "/sentence")));
        if let Some(advice) = advice(&code, id, kind) {
            page.line(format!("  do       {advice}"));
        }
    }
    if let (true, Some(advice)) = (reasons.is_empty(), advice(&check, id, kind)) {
        page.line(format!("  do       {advice}"));
    }
}

fn arrival(refusal: &Value) -> String {
    let size = refusal.get("bodyBytes").map_or_else(String::new, |bytes| format!(", {} bytes", brief(bytes)));
    let kind = refusal.get("contentType").and_then(Value::as_str).map_or_else(String::new, |kind| format!(" {kind}"));
    let source =
        refusal.get("sourceAddress").and_then(Value::as_str).map_or_else(String::new, |from| format!(", from {from}"));
    format!("{}{kind}{size}{source}", text_at(refusal, "/method"))
}

/// What to do about a reason or, where there is none, about a check; `None` where the sentence says it all.
fn advice(word: &str, id: &str, kind: &str) -> Option<String> {
    let hook = format!("{id} --kind {kind}");
    Some(match word {
        "wrong_secret" => {
            format!("Copy the secret from the sender again: `hookwright hooks update {hook} --secret-file FILE`.")
        }
        "old_secret" => format!(
            "Have the sender use the new secret, or take the old one again: `hookwright hooks rotate-secret {hook} --secret-file FILE`."
        ),
        "secret_has_whitespace" | "secret_prefix" => {
            format!(
                "Set the secret exactly as the sender shows it: `hookwright hooks update {hook} --secret-file FILE`."
            )
        }
        "reserialised_body" => {
            "Pass on the bytes that were signed: a proxy or a test tool has read the JSON and written it anew."
                .to_owned()
        }
        "trimmed_body" | "extra_newline" | "body_whitespace" => {
            "Pass on the bytes that were signed; with curl, use --data-binary instead of --data.".to_owned()
        }
        "clock" => {
            format!("Set the sender's clock, or allow more: `hookwright hooks update {hook} --tolerance-seconds 600`.")
        }
        "url_differs" => {
            format!("Say the address as the sender knows it: `hookwright hooks update {hook} --public-url URL`.")
        }
        "other_scheme" => format!(
            "Choose the scheme of that provider: `hookwright hooks update {hook} --auth SCHEME --secret-file FILE`."
        ),
        "hex_not_base64" | "base64_not_hex" | "wrong_digest" => {
            "Have the sender write its signature as this scheme has it, or choose the scheme that the sender has."
                .to_owned()
        }
        "no_signature_header" => format!(
            "Have the sender sign, or choose its scheme with `hookwright hooks update {hook} --auth SCHEME`. `hookwright trigger EVENT --hook {hook}` shows what is expected."
        ),
        _ => return None,
    })
}
