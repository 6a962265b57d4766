//! What is in a mail, for programs.

use domain::exact::object;
use ingest::{
    Note,
    mail::{Attachment, Block, Disposition, Mail, Mailbox, Part, Source},
};
use serde_json::{Value, json};

use crate::output::Page;

/// The document of a mail. *Shape*: `docs/cli.md`.
pub(super) fn page(mail: &Mail, file: &str) -> Page {
    let headers = &mail.headers;
    let mut page = Page::default();
    page.json(&object([
        ("file", json!(file)),
        (
            "headers",
            json!({
                "from": mailboxes(&headers.from),
                "to": mailboxes(&headers.to),
                "cc": mailboxes(&headers.cc),
                "replyTo": mailboxes(&headers.reply_to),
                "subject": headers.subject,
                "messageId": headers.message_id,
                "inReplyTo": headers.in_reply_to,
                "date": headers.date,
                "autoSubmitted": headers.auto_submitted,
            }),
        ),
        ("tree", part(&mail.tree)),
        ("blocks", mail.blocks.iter().map(block).collect()),
        ("source", json!(mail.source.as_ref().map(Source::word))),
        ("data", mail.data.clone()),
        ("attachments", mail.attachments.iter().map(attachment).collect()),
        ("notes", mail.notes.iter().map(note).collect()),
    ]));
    page
}

fn mailboxes(mailboxes: &[Mailbox]) -> Value {
    mailboxes.iter().map(|mailbox| json!({ "name": mailbox.name, "address": mailbox.address })).collect()
}

fn part(part: &Part) -> Value {
    json!({
        "part": part.number,
        "type": part.content_type,
        "charset": part.charset,
        "transferEncoding": part.transfer_encoding,
        "disposition": part.disposition.map(disposition),
        "fileName": part.file_name,
        "bytes": part.size,
        "parts": part.parts.iter().map(self::part).collect::<Vec<_>>(),
    })
}

fn block(block: &Block) -> Value {
    let attributes = block.attributes.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    object([
        ("part", json!(block.part)),
        ("offset", json!(block.offset)),
        ("type", json!(block.media_type)),
        ("attributes", Value::Object(attributes)),
        ("status", json!(block.status.word())),
        ("level", json!(block.level.word())),
        ("repairs", json!(block.repairs)),
        ("error", json!(block.error)),
        ("value", block.value.clone().unwrap_or(Value::Null)),
    ])
}

fn attachment(attachment: &Attachment) -> Value {
    json!({
        "part": attachment.part,
        "fileName": attachment.file_name,
        "contentType": attachment.content_type,
        "contentId": attachment.content_id,
        "disposition": disposition(attachment.disposition),
        "size": attachment.size,
        "sha256": attachment.sha256,
    })
}

fn note(note: &Note) -> Value {
    json!({ "code": note.code, "path": note.path, "message": note.message })
}

/// As `Content-Disposition` has it.
pub(super) fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Attachment => "attachment",
        Disposition::Inline => "inline",
    }
}
