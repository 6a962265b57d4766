//! Notes for a mail without data: why there is none, when that can be told from its parts.

use memchr::memmem;

use super::search::Found;
use super::{Level, Part};
use crate::notes::Notes;

/// Adds the reasons that are known.
pub(super) fn explain(found: &Found, tree: &Part, raw: &[u8], notes: &mut Notes) {
    if found.is_forwarded {
        notes.add(
            "forwarded_by_gmail",
            "$",
            "The mail was forwarded with Gmail, which takes all markup out; have the sender put the hook's address in Bcc.",
        );
    }
    if let Some(block) = found.blocks.iter().find(|block| block.level == Level::Attachment) {
        let message = "There is JSON in an HTML file that is attached; only the HTML of the mail itself is read.";
        notes.add("html_attachment_only", block.part.as_str(), message);
    }
    for part in parts(tree) {
        if let Some((code, message)) = reason(part, raw) {
            notes.add(code, if part.number.is_empty() { "$" } else { &part.number }, message);
        }
    }
}

/// All parts, multiparts included.
fn parts(tree: &Part) -> impl Iterator<Item = &Part> {
    let mut waiting = vec![tree];
    std::iter::from_fn(move || {
        let part = waiting.pop()?;
        waiting.extend(part.parts.iter().rev());
        Some(part)
    })
}

fn reason(part: &Part, raw: &[u8]) -> Option<(&'static str, &'static str)> {
    match part.content_type.as_str() {
        "application/ms-tnef" | "application/vnd.ms-tnef" => Some((
            "tnef",
            "The mail is in Outlook's own format (winmail.dat), which is not read; have it sent as HTML.",
        )),
        "multipart/encrypted" => Some(("encrypted", "The mail is encrypted (PGP), so it cannot be read.")),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => match part.smime_type.as_deref() {
            Some("signed-data") => Some((
                "opaque_signature",
                "The mail is within its S/MIME signature, which is not opened; have it signed in clear.",
            )),
            Some(_) | None => Some(("encrypted", "The mail is encrypted (S/MIME), so it cannot be read.")),
        },
        _ if is_uuencoded(part, raw) => Some((
            "uuencode",
            "The mail has something as uuencoded text, which is not read; have it sent as a MIME part.",
        )),
        _ => None,
    }
}

/// By its transfer encoding, or by `begin 644 order.html` at the beginning of a line of text.
fn is_uuencoded(part: &Part, raw: &[u8]) -> bool {
    if part.transfer_encoding.as_deref().is_some_and(|label| label.contains("uue")) {
        return true;
    }
    if part.content_type != "text/plain" {
        return false;
    }
    let body = raw.get(part.span.clone()).unwrap_or_default();
    memmem::find_iter(body, b"begin ").any(|found| {
        let mode = body.get(found + "begin ".len()..).unwrap_or_default();
        let starts_line = found.checked_sub(1).is_none_or(|before| matches!(body.get(before), Some(b'\n' | b'\r')));
        starts_line && matches!(mode, [b'0'..=b'7', b'0'..=b'7', b'0'..=b'7', b' ', ..])
    })
}
