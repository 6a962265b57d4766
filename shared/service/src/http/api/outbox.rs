//! The outbox: mail that workflows sent, where somebody keeps it. On AWS nobody does.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use domain::{Rejected, Rejection};
use http::StatusCode;
use ingest::mail::{self, Attachment, Headers, Mailbox, Wishes};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_query, not_found},
    resource::{many, one, org_relationship, resource},
};
use crate::ports::{OutgoingContent, SentMail, SentMails, Unavailable};

/// The most bytes of a message that are shown as they are; its file has the rest.
const RAW_LIMIT_BYTES: usize = 1_048_576;

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let (outbox, org) = (outbox(call)?, call.caller.org);
    let paging = call.paging()?;
    let size = paging.limit;
    if paging.after.as_deref().is_some_and(|after| !after.contains('#')) {
        return Err(bad_query("after", "taken from the `links.next` of this same list"));
    }
    let mut mails = outbox.list(org, paging.after.as_deref(), size + 1).await?;
    let has_more = mails.len() > size;
    mails.truncate(size);
    let next = mails.last().filter(|_| has_more).map(SentMail::position);
    let mut resources = Vec::with_capacity(mails.len());
    for mail in &mails {
        resources.push(listed(call, outbox, mail).await?);
    }
    Ok(many(call, resources, size, next.as_deref()))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let found = outbox(call)?.find(call.caller.org, call.param("id")).await?;
    let (mail, content) = found.ok_or_else(not_found)?;
    let (mut attributes, rest) = (outline(&mail, &content), whole(&content));
    attributes.extend(rest);
    Ok(one(StatusCode::OK, mail_resource(call, &mail, attributes)))
}

fn outbox<'c>(call: &'c Call<'_>) -> Result<&'c Arc<dyn SentMails>, Refused> {
    call.management.outbox.as_ref().ok_or_else(|| {
        let detail = "Mail that workflows of this stack send goes to SES, which keeps none of it. The step in the run has the id that SES gave it; `hookwright dev` keeps an outbox.";
        Rejected::new(Rejection::NotFound, "no_outbox", detail).into()
    })
}

async fn listed(call: &Call<'_>, outbox: &Arc<dyn SentMails>, mail: &SentMail) -> Result<Value, Unavailable> {
    let found = outbox.find(call.caller.org, &mail.id).await?;
    let content = found.map_or(OutgoingContent::Raw(Bytes::new()), |(_, content)| content);
    Ok(mail_resource(call, mail, outline(mail, &content)))
}

/// What a list shows.
fn outline(mail: &SentMail, content: &OutgoingContent) -> Map<String, Value> {
    let subject = match content {
        OutgoingContent::Raw(message) => mail::headers(message).subject,
        OutgoingContent::Template { .. } => None,
    };
    let run = mail.key.split('/').next().unwrap_or_default();
    members([
        ("key", json!(mail.key)),
        ("runId", json!(run)),
        ("sentAt", json!(mail.sent_at)),
        ("from", json!(mail.from)),
        ("recipients", json!(mail.recipients)),
        ("subject", json!(subject)),
        ("template", template(content)),
    ])
}

fn template(content: &OutgoingContent) -> Value {
    match content {
        OutgoingContent::Raw(_) => Value::Null,
        OutgoingContent::Template { name, data, to, cc, bcc, reply_to } => {
            json!({ "name": name, "data": data, "to": to, "cc": cc, "bcc": bcc, "replyTo": reply_to })
        }
    }
}

/// What the message says, and the message itself; nothing of a template, which SES would have filled in.
fn whole(content: &OutgoingContent) -> Map<String, Value> {
    let OutgoingContent::Raw(message) = content else {
        let nothing = ["headers", "text", "html", "raw", "rawBase64"].map(|key| (key, Value::Null));
        return members(nothing).into_iter().chain([("attachments".to_owned(), json!([]))]).collect();
    };
    let read = mail::read(message, &Wishes::default());
    let (raw, base64) = match std::str::from_utf8(message) {
        _ if message.len() > RAW_LIMIT_BYTES => (json!({ "leftOutBytes": message.len() }), Value::Null),
        Ok(text) => (json!(text), Value::Null),
        Err(_) => (Value::Null, json!(BASE64.encode(message))),
    };
    members([
        ("headers", headers(&read.headers)),
        ("text", json!(read.text(message).map(|body| body.text))),
        ("html", json!(read.html(message).map(|body| body.text))),
        ("attachments", read.attachments.iter().map(attachment).collect()),
        ("raw", raw),
        ("rawBase64", base64),
    ])
}

fn headers(headers: &Headers) -> Value {
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
    })
}

fn mailboxes(list: &[Mailbox]) -> Vec<Value> {
    list.iter().map(|mailbox| json!({ "name": mailbox.name, "address": mailbox.address })).collect()
}

fn attachment(file: &Attachment) -> Value {
    json!({ "fileName": file.file_name, "contentType": file.content_type, "size": file.size, "sha256": file.sha256 })
}

fn members<const COUNT: usize>(members: [(&str, Value); COUNT]) -> Map<String, Value> {
    members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn mail_resource(call: &Call<'_>, mail: &SentMail, attributes: Map<String, Value>) -> Value {
    let path = format!("/v1/outbox/{}", utf8_percent_encode(&mail.id, NON_ALPHANUMERIC));
    resource("sent_mail", &mail.id, &path, Value::Object(attributes), org_relationship(call))
}
