//! The bytes of a mail as RFC 5322 has it, the same for the same draft, visit and date.
//!
//! The builder would draw boundaries, dates and ids of its own where it is given none, so it is given all of them.

use std::borrow::Cow;

use bytes::Bytes;
use mail_builder::{
    MessageBuilder,
    headers::{address::Address, content_type::ContentType, date::Date, message_id::MessageId, raw::Raw, text::Text},
    mime::{BodyPart, MimePart},
};
use sha2::{Digest, Sha256};

use super::{
    Occasion,
    attachments::Attachment,
    draft::{Draft, Written},
    mailbox::Mailbox,
};

/// What the headers are made of.
pub(super) struct Head<'a> {
    pub(super) occasion: Occasion<'a>,
    /// Without its angle brackets.
    pub(super) message_id: &'a str,
    pub(super) draft: &'a Draft,
}

/// The whole message, without `Bcc`. `files` are the bytes of the attachments, in their order.
pub(super) fn message(head: &Head<'_>, written: &Written, files: &[Bytes]) -> Vec<u8> {
    let Occasion { actor, transaction, dated_at } = head.occasion;
    let draft = head.draft;
    let mut builder = MessageBuilder::new()
        .header("Date", Date::new(dated_at.as_second()))
        .header("From", address(&draft.from))
        .header("Message-ID", MessageId::new(head.message_id));
    for (name, mailboxes) in [("To", &draft.to), ("Cc", &draft.cc), ("Reply-To", &draft.reply_to)] {
        if !mailboxes.is_empty() {
            builder = builder.header(name, Address::new_list(mailboxes.iter().map(address).collect()));
        }
    }
    builder = builder.header("Subject", Text::new(written.subject.as_str()));
    if let Some(id) = &written.in_reply_to {
        builder = builder
            .header("In-Reply-To", MessageId::new(id.as_str()))
            .header("References", MessageId::new(id.as_str()));
    }
    let mut message = Vec::new();
    builder
        // Programs that answer mails keep quiet about this one (RFC 3834, 5), and our own hooks know where it is from.
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .header("X-Hookwright-Org", Raw::new(transaction.org.to_string()))
        .header("X-Hookwright-Run", Raw::new(actor.run.to_string()))
        .body(content(head.message_id, written, files))
        .serialize(&mut message);
    message
}

fn address(mailbox: &Mailbox) -> Address<'_> {
    Address::new_address(mailbox.name.as_deref(), mailbox.address.as_str())
}

fn content<'a>(message_id: &str, written: &'a Written, files: &'a [Bytes]) -> MimePart<'a> {
    let seal = seal(message_id, written);
    let mut bodies: Vec<MimePart<'a>> = [("text/plain", &written.text), ("text/html", &written.html)]
        .into_iter()
        .filter_map(|(kind, text)| Some(MimePart::new(kind, BodyPart::Text(clean(text.as_deref()?)))))
        .collect();
    let body = match bodies.pop() {
        Some(only) if bodies.is_empty() => only,
        last => {
            bodies.extend(last);
            multipart("multipart/alternative", format!("=_a{seal}"), bodies)
        }
    };
    if files.is_empty() {
        return body;
    }
    let attached = written.attachments.iter().zip(files).map(|(attachment, bytes)| attached(attachment, bytes));
    let parts = std::iter::once(body).chain(attached).collect();
    multipart("multipart/mixed", format!("=_m{seal}"), parts)
}

/// Base64 whatever it is, so that what arrives is what was sent, byte by byte.
fn attached<'a>(attachment: &'a Attachment, bytes: &'a Bytes) -> MimePart<'a> {
    MimePart::raw(BodyPart::Binary(Cow::Borrowed(bytes.as_ref())))
        .header("Content-Type", Raw::new(attachment.content_type.as_str()))
        .attachment(attachment.file_name.as_str())
}

fn multipart<'a>(kind: &'static str, boundary: String, parts: Vec<MimePart<'a>>) -> MimePart<'a> {
    MimePart::new(ContentType::new(kind).attribute("boundary", boundary), BodyPart::Multipart(parts))
}

/// A boundary's end. *Why over the bodies too*: nobody can write a body that has its own digest in it.
fn seal(message_id: &str, written: &Written) -> String {
    const SEAL_BYTES: usize = 16;
    let mut hasher = Sha256::new();
    for part in [Some(message_id), written.text.as_deref(), written.html.as_deref()] {
        hasher.update(part.map_or(0, str::len).to_be_bytes());
        hasher.update(part.unwrap_or_default());
    }
    let digest = hasher.finalize();
    hex::encode(digest.get(..SEAL_BYTES).unwrap_or(&digest))
}

/// The text with one kind of line end and without the control characters that a mail cannot carry.
fn clean(text: &str) -> Cow<'_, str> {
    let is_unfit = |character: char| character.is_ascii_control() && !matches!(character, '\n' | '\t');
    match text.contains(is_unfit) {
        true => Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").replace(is_unfit, "")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use domain::{HookId, HookKind, OrgId, RunId, Timestamp, Transaction, TransactionId, WorkflowId};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::actions::{Actor, OnUnknownOutcome, send_mail::draft::Content};

    fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
        Mailbox { name: name.map(str::to_owned), address: address.to_owned() }
    }

    fn transaction() -> Transaction {
        let now = Timestamp::from_millisecond(0);
        Transaction {
            id: TransactionId::fresh(now, [1; 8]),
            org: OrgId::fresh(now, [2; 8]),
            hook: Some(HookId::fresh(now, [3; 8])),
            hook_kind: Some(HookKind::Form),
            created_at: now,
            data: json!({}),
            email: None,
            files: Vec::new(),
            generation: 0,
            fired: None,
        }
    }

    /// The message from and to somebody called `name`, with these parts.
    fn composed(name: Option<&str>, subject: &str, text: Option<&str>, html: Option<&str>) -> Vec<u8> {
        let transaction = transaction();
        let written = Written {
            subject: subject.to_owned(),
            text: text.map(str::to_owned),
            html: html.map(str::to_owned),
            in_reply_to: None,
            attachments: Vec::new(),
        };
        let draft = Draft {
            from: mailbox(name, "orders@shop.example"),
            to: vec![mailbox(name, "ann@example.com"), mailbox(None, "bob@example.com")],
            cc: Vec::new(),
            bcc: vec![mailbox(name, "audit@shop.example")],
            reply_to: Vec::new(),
            content: Content::Written(written),
            on_unknown_outcome: OnUnknownOutcome::Retry,
        };
        let run = RunId::for_transaction(transaction.id, WorkflowId::fresh(transaction.created_at, [4; 8]));
        let author = crate::actions::Author::Request { generation: 0 };
        let actor = Actor { run, branch: "", step: "send", visit: 1, author: &author };
        let occasion = Occasion { actor, transaction: &transaction, dated_at: transaction.created_at };
        match &draft.content {
            Content::Written(written) => message(&Head { occasion, message_id: "a@b", draft: &draft }, written, &[]),
            Content::Template(_) => Vec::new(),
        }
    }

    #[test]
    fn the_same_mail_has_the_same_bytes() {
        let compose = || composed(Some("Ann"), "Hello", Some("a"), Some("<p>a</p>"));
        assert_eq!(compose(), compose());
    }

    #[test]
    fn a_boundary_stands_in_no_body() {
        let of = |text: &str| {
            let message = String::from_utf8(composed(None, "Hello", Some(text), Some("<p>a</p>"))).unwrap();
            message.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        };
        let boundary = of("a");
        // Whoever writes the boundary of one mail into the next finds another one there.
        assert_ne!(of(&format!("--{boundary}")), boundary);
    }

    #[test]
    fn line_ends_are_one_kind_and_nothing_is_there_that_mail_cannot_carry() {
        for (text, expected) in [("a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd"), ("a\u{0}b\u{7}\u{1b}\tc", "ab\tc")] {
            let message = String::from_utf8(composed(None, "Hello", Some(text), None)).unwrap();
            assert!(message.ends_with(&format!("\r\n\r\n{expected}")), "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_again_and_no_header_with_it(
            name in "[ -~é€😀]{0,80}",
            subject in "[!-~é€😀]([ -~é€😀]{0,300}[!-~é€😀])?",
            text in "[ -~é€😀\n]{1,400}",
            html in "[ -~é€\n]{1,400}",
        ) {
            let name = Some(name.trim()).filter(|name| !name.is_empty());
            let message = composed(name, &subject, Some(&text), Some(&html));
            let mail = ingest::mail::read(&message, &ingest::mail::Wishes::default());
            let headers = &mail.headers;
            prop_assert_eq!(headers.to.len(), 2);
            prop_assert!(headers.cc.is_empty());
            prop_assert_eq!(&headers.from.first().unwrap().address, "orders@shop.example");
            // White space in a name is one space to whoever reads it.
            let read = name.map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
            prop_assert_eq!(&headers.from.first().unwrap().name, &read);
            prop_assert_eq!(headers.subject.as_deref(), Some(subject.as_str()));
            prop_assert_eq!(mail.text(&message).map(|body| body.text), Some(text));
            prop_assert_eq!(mail.html(&message).map(|body| body.text), Some(html));
            let lines = message.split(|byte| *byte == b'\n');
            prop_assert!(lines.map(<[u8]>::len).all(|length| length <= 998));
        }
    }
}
