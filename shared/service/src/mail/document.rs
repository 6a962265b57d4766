//! What a workflow sees of a mail beside its data: `attributes.email`.

use domain::{MailBody, Secret, StoredFile};
use ingest::{
    mail::{Attachment, Block, Body, Disposition, Mailbox, Source},
    ses::{Place, Verdicts},
};
use serde_json::{Map, Value, json};

use super::Arriving;

/// Most blocks that are described. *Why*: a mail may have a hundred, and the queue carries 1 MiB.
const BLOCKS_LIMIT: usize = 100;

/// Most addresses of a header that are described, for the same reason.
const MAILBOXES_LIMIT: usize = 50;

/// Most characters of a header.
const TEXT_LIMIT_CHARS: usize = 2_000;

/// What stands in the place of the hook's key, which a workflow has no use for and its readers may not know.
const KEY_MASK: &str = "***";

/// How much of a mail is described.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Described {
    /// The attachments are among the blobs.
    WithFiles,
    /// They are not.
    WithoutFiles,
    /// Nor do its bodies go along, because nothing fires.
    InOutline,
}

/// The mail as it is described. *Shape*: `docs/email.md`.
pub(super) fn email(arriving: &Arriving<'_>, described: Described) -> Value {
    let (headers, delivery) = (&arriving.mail.headers, arriving.delivery);
    let mut email = json!({
        "messageId": cut(headers.message_id.as_deref()),
        "sesMessageId": delivery.id,
        "from": mailboxes(&headers.from),
        "to": mailboxes(&headers.to),
        "cc": mailboxes(&headers.cc),
        "replyTo": mailboxes(&headers.reply_to),
        "subject": cut(headers.subject.as_deref()),
        "date": headers.date,
        "inReplyTo": cut(headers.in_reply_to.as_deref()),
        "autoSubmitted": cut(headers.auto_submitted.as_deref()),
        "precedence": cut(headers.precedence.as_deref()),
        "recipient": arriving.recipient.address,
        "tag": arriving.recipient.tag,
        "envelopeFrom": cut(delivery.envelope_from.as_deref()),
        "verdicts": verdicts(&delivery.verdicts),
        "source": arriving.mail.source.as_ref().map(Source::word),
        "blocks": arriving.mail.blocks.iter().take(BLOCKS_LIMIT).map(block).collect::<Vec<_>>(),
        "attachments": arriving.mail.attachments.iter().map(|file| attachment(file, described)).collect::<Vec<_>>(),
        "raw": raw(&delivery.place),
    });
    if let Some(email) = email.as_object_mut()
        && described != Described::InOutline
    {
        let key = arriving.hook.mail.key.as_ref().map(Secret::reveal);
        if arriving.wants(MailBody::Text) {
            put_body(email, "text", "textIsCut", masked(arriving.mail.text(arriving.raw), key));
        }
        if arriving.wants(MailBody::Html) {
            put_body(email, "html", "htmlIsCut", masked(arriving.mail.html(arriving.raw), key));
        }
    }
    email
}

/// The attachments that are among the blobs.
pub(super) fn files(arriving: &Arriving<'_>, described: Described) -> Vec<StoredFile> {
    match described {
        Described::WithFiles => arriving.mail.attachments.iter().map(stored_file).collect(),
        Described::WithoutFiles | Described::InOutline => Vec::new(),
    }
}

fn stored_file(file: &Attachment) -> StoredFile {
    StoredFile { sha256: file.sha256.clone(), size: file.size }
}

fn masked(body: Option<Body>, key: Option<&str>) -> Option<Body> {
    let mut body = body?;
    if let Some(key) = key {
        body.text = body.text.replace(key, KEY_MASK);
    }
    Some(body)
}

fn put_body(email: &mut Map<String, Value>, key: &str, cut_key: &str, body: Option<Body>) {
    let is_cut = body.as_ref().is_some_and(|body| body.is_cut);
    email.insert(key.to_owned(), json!(body.map(|body| body.text)));
    if is_cut {
        email.insert(cut_key.to_owned(), json!(true));
    }
}

fn mailboxes(list: &[Mailbox]) -> Vec<Value> {
    let described =
        |mailbox: &Mailbox| json!({ "name": cut(mailbox.name.as_deref()), "address": cut(Some(&mailbox.address)) });
    list.iter().take(MAILBOXES_LIMIT).map(described).collect()
}

fn verdicts(verdicts: &Verdicts) -> Value {
    json!({
        "spam": verdicts.spam,
        "virus": verdicts.virus,
        "spf": verdicts.spf,
        "dkim": verdicts.dkim,
        "dmarc": verdicts.dmarc,
        "dmarcPolicy": verdicts.dmarc_policy,
    })
}

fn block(block: &Block) -> Value {
    json!({
        "part": block.part,
        "type": block.media_type,
        "status": block.status.word(),
        "repairs": block.repairs,
        "error": block.error,
    })
}

fn attachment(file: &Attachment, described: Described) -> Value {
    let blob = (described == Described::WithFiles).then(|| format!("sha256/{}", file.sha256));
    json!({
        "fileName": file.file_name,
        "contentType": file.content_type,
        "size": file.size,
        "sha256": file.sha256,
        "blob": blob,
        "part": file.part,
        "contentId": file.content_id,
        "disposition": match file.disposition {
            Disposition::Attachment => "attachment",
            Disposition::Inline => "inline",
        },
    })
}

fn raw(place: &Place) -> Value {
    match place {
        Place::Object { bucket, key } => json!({ "bucket": bucket, "key": key }),
        Place::Inline(_) => Value::Null,
    }
}

fn cut(text: Option<&str>) -> Option<String> {
    text.map(|text| text.chars().take(TEXT_LIMIT_CHARS).collect())
}
