//! Files that go out with a mail. Only those that came in with the run's own transaction, by the list that our own readers
//! made of them: a step names a blob by its digest, and senders may write whatever digest they know into their data.

use bytes::Bytes;
use domain::{StoredFile, Transaction};
use serde_json::{Map, Value};

use super::super::{
    NotDone, Params,
    params::{missing, shown, wrong},
};
use crate::ports::Blobs;

/// The most attachments of one mail.
const FILES_LIMIT: usize = 20;

/// The most bytes of all attachments together, decoded. *Source*: SES takes a message of 10 MB, and in a message they are a
/// third longer.
const BYTES_LIMIT: u64 = 7_000_000;

/// The type of bytes of which nothing is known, or which may not be said. *Source*: RFC 2046, 4.5.1.
const UNKNOWN_CONTENT_TYPE: &str = "application/octet-stream";

/// A file to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attachment {
    /// What its recipient calls it.
    pub(super) file_name: String,
    /// `image/png`, or `text/plain; charset=utf-8`.
    pub(super) content_type: String,
    sha256: String,
}

/// Whether the params `input` name any file.
pub(in super::super) fn are_in(input: &Value) -> bool {
    input.get("attachments").is_some_and(|named| match named {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
    })
}

/// The files that the param `attachments` names: a list of them, or one.
///
/// *Shape* of each: `{"blob":"sha256/…","fileName":"a.png","contentType":"image/png"}`, `{"blob":{…file object…}}`, or the
/// file object itself as the transaction has it.
/// *Errors*: a sentence, also where a file is not of `transaction`, or where they are too many bytes; none has been read then.
pub(super) fn read(params: &Params<'_>, transaction: &Transaction) -> Result<Vec<Attachment>, NotDone> {
    let entries: Vec<&Value> = match params.value("attachments") {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    if entries.len() > FILES_LIMIT {
        let message = format!("A mail has at most {FILES_LIMIT} attachments, and here are {}.", entries.len());
        return Err(NotDone::failed("too_many_attachments", message));
    }
    let mut bytes = 0;
    let mut attachments = Vec::with_capacity(entries.len());
    for entry in entries {
        let (attachment, file) = read_one(entry, transaction)?;
        bytes += file.size;
        attachments.push(attachment);
    }
    if bytes > BYTES_LIMIT {
        let message =
            format!("The attachments of a mail have at most {BYTES_LIMIT} bytes together. Send a link instead.");
        return Err(NotDone::failed("mail_too_large", message));
    }
    Ok(attachments)
}

/// The bytes of each.
///
/// *Errors*: one is not there any more.
pub(super) async fn load(blobs: &dyn Blobs, attachments: &[Attachment]) -> Result<Vec<Bytes>, NotDone> {
    let mut files = Vec::with_capacity(attachments.len());
    for attachment in attachments {
        let Some(bytes) = blobs.find(&attachment.sha256).await? else {
            let message = format!(
                "The file `{}` is not there any more, so it cannot be attached.",
                shown(&attachment.file_name).escape_debug()
            );
            return Err(NotDone::failed("attachment_gone", message));
        };
        files.push(bytes);
    }
    Ok(files)
}

fn read_one<'t>(entry: &Value, transaction: &'t Transaction) -> Result<(Attachment, &'t StoredFile), NotDone> {
    let Some(map) = entry.as_object() else {
        return Err(match entry.is_null() {
            true => missing("attachments"),
            false => wrong("attachments", "a list of files, each an object with `blob`"),
        });
    };
    let named = map.get("blob").and_then(Value::as_object);
    let blob = named.unwrap_or(map).get("blob").and_then(Value::as_str).unwrap_or_default();
    let digest = blob.strip_prefix("sha256/");
    let Some(file) = transaction.files.iter().find(|file| digest == Some(file.sha256.as_str())) else {
        let message = format!(
            "The attachment `{}` is no file of this run's transaction. Name one of its files: {{\"blob\": \"sha256/…\"}}.",
            shown(blob).escape_debug()
        );
        return Err(NotDone::failed("unknown_attachment", message));
    };
    // A step that names the blob alone means the file as it is called where it came in; it is only a name.
    let described = [Some(&transaction.data), transaction.email.as_ref()];
    let described = described.into_iter().flatten().find_map(|source| find_file(source, blob));
    let text = |key: &str| {
        let objects = [Some(map), named, described];
        objects.into_iter().flatten().find_map(|object| object.get(key).and_then(Value::as_str))
    };
    let attachment = Attachment {
        file_name: ingest::base_name(text("fileName").unwrap_or_default()),
        content_type: content_type(text("contentType").unwrap_or_default()),
        sha256: file.sha256.clone(),
    };
    Ok((attachment, file))
}

/// The file object of `blob` in `value`, whose depth its reader has limited.
fn find_file<'v>(value: &'v Value, blob: &str) -> Option<&'v Map<String, Value>> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        Value::Array(list) => list.iter().find_map(|element| find_file(element, blob)),
        Value::Object(map) if map.get("blob").and_then(Value::as_str) == Some(blob) => Some(map),
        Value::Object(map) => map.values().find_map(|member| find_file(member, blob)),
    }
}

/// The type as a header may have it; its sender may have said anything.
fn content_type(said: &str) -> String {
    let mut parts = said.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let Some((kind, subtype)) = essence.split_once('/').filter(|(kind, subtype)| is_token(kind) && is_token(subtype))
    else {
        return UNKNOWN_CONTENT_TYPE.to_owned();
    };
    match kind {
        // Neither may be base64 (RFC 2045, 6.4), and attachments are.
        "multipart" | "message" => UNKNOWN_CONTENT_TYPE.to_owned(),
        "text" => {
            let charset = parts.find_map(|part| part.to_ascii_lowercase().strip_prefix("charset=").map(str::to_owned));
            match charset.map(|charset| charset.trim_matches('"').to_owned()).filter(|charset| is_token(charset)) {
                Some(charset) => format!("text/{subtype}; charset={charset}"),
                None => essence,
            }
        }
        _ => essence,
    }
}

/// *Source*: `restricted-name` of RFC 6838, 4.2.
fn is_token(text: &str) -> bool {
    const NAME_LIMIT_BYTES: usize = 127;
    let is_name_byte = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#' | b'$' | b'&' | b'-' | b'^' | b'_' | b'.' | b'+')
    };
    (1..=NAME_LIMIT_BYTES).contains(&text.len()) && text.bytes().all(is_name_byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_is_one_that_a_header_may_have() {
        for (said, expected) in [
            ("image/png", "image/png"),
            ("Image/PNG; name=\"a.png\"", "image/png"),
            ("text/csv; charset=\"UTF-8\"", "text/csv; charset=utf-8"),
            ("text/csv; charset=\"a\r\nBcc: b@x.test\"", "text/csv"),
            ("application/vnd.ms-excel+x", "application/vnd.ms-excel+x"),
            ("message/rfc822", UNKNOWN_CONTENT_TYPE),
            ("multipart/mixed; boundary=a", UNKNOWN_CONTENT_TYPE),
            ("image/png\r\nBcc: b@x.test", UNKNOWN_CONTENT_TYPE),
            ("image", UNKNOWN_CONTENT_TYPE),
            ("image/", UNKNOWN_CONTENT_TYPE),
            ("", UNKNOWN_CONTENT_TYPE),
        ] {
            assert_eq!(content_type(said), expected, "{said:?}");
        }
    }
}
