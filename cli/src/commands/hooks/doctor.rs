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
    // What the sender was told says less on purpose.
    page.line(format!(
        "  {}",
        refusal.get("failure").and_then(Value::as_str).map_or_else(|| text_at(refusal, "/detail"), str::to_owned)
    ));
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
            page.line(format!("  try      {advice}"));
        }
    }
}

fn arrival(refusal: &Value) -> String {
    let size = refusal.get("bodyBytes").map_or_else(String::new, |bytes| format!(", {} bytes", brief(bytes)));
    let kind = refusal.get("contentType").and_then(Value::as_str).map_or_else(String::new, |kind| format!(" {kind}"));
    let source =
        refusal.get("sourceAddress").and_then(Value::as_str).map_or_else(String::new, |from| format!(", from {from}"));
    format!("{}{kind}{size}{source}", text_at(refusal, "/method"))
}

/// The command of this program that may help; `None` where there is none, or the server's sentence says it all.
fn advice(reason: &str, id: &str, kind: &str) -> Option<String> {
    let update = format!("hookwright hooks update {id} --kind {kind}");
    Some(match reason {
        "wrong_secret" | "secret_has_whitespace" | "secret_prefix" => format!("`{update} --secret-file FILE`"),
        "old_secret" => {
            format!("`hookwright hooks rotate-secret {id} --kind {kind} --secret-file FILE` takes it again")
        }
        "newline_in_body" => "with curl, use --data-binary instead of --data".to_owned(),
        "clock" => format!("`{update} --tolerance-seconds 600`, if the sender's clock cannot be set"),
        "url_differs" => format!("`{update} --public-url URL`"),
        "no_signature_header" => {
            format!("`hookwright trigger EVENT --hook {id} --kind {kind} --dry-run` shows what is expected")
        }
        "other_scheme" => format!("`{update} --auth SCHEME --secret-file FILE`"),
        "no_key" => format!("`{update} --secret-file FILE`, or `--public-key FILE`"),
        "unknown_key" => format!("`{update} --jwks-url URL`, or `--public-key FILE`"),
        "wrong_claim" => format!("`{update}` with --issuer, --audience, --email or --subject"),
        "wrong_topic" => format!("`{update} --topic-arn ARN`, with all topics that may send"),
        _ => return None,
    })
}
