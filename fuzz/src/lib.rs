//! What has to hold for every mail, however broken: read once, and everything in it looked at.
//!
//! A panic, an endless loop or too much memory are libFuzzer's to notice; here are the promises that nothing else would show broken.

use bytes::Bytes;
use ingest::mail::{self, BODY_TEXT_LIMIT_BYTES, Body, Level, Mail, Wishes};
use sha2::{Digest, Sha256};

const PIECE_LIMIT_BYTES: usize = 64 * 1024;
const ATTACHMENTS_LIMIT: usize = 100;

/// Reads a mail and all that it has, and panics when a promise of `ingest::mail` is broken.
pub fn check_mail(raw: &[u8], wishes: &Wishes<'_>) {
    let mail = mail::read(raw, wishes);
    assert_eq!(mail.data.is_null(), mail.source.is_none(), "data without a source, or a source without data");

    for body in [mail.text(raw), mail.html(raw)].into_iter().flatten() {
        check_body(&body);
    }
    check_blocks(&mail);
    check_headers(&mail);
    check_attachments(&mail, raw);
}

fn check_body(body: &Body) {
    assert!(body.text.len() <= BODY_TEXT_LIMIT_BYTES);
    assert!(!body.text.contains('\r'), "line ends of a body are LF");
}

fn check_blocks(mail: &Mail) {
    for block in &mail.blocks {
        assert!(block.level != Level::Strict || block.repairs.is_empty(), "valid JSON needs no repair");
        assert!(block.error.is_none() || block.value.is_none(), "what cannot be read has no value");
        assert!(block.attributes.iter().all(|(name, _)| !name.eq_ignore_ascii_case("data-kustomer-key")));
    }
}

fn check_headers(mail: &Mail) {
    let headers = &mail.headers;
    let lists = [&headers.from, &headers.sender, &headers.to, &headers.cc, &headers.reply_to];
    for mailbox in lists.into_iter().flatten() {
        assert!(!mailbox.address.is_empty() && !mailbox.address.contains(char::is_control));
        assert!(mailbox.name.as_ref().is_none_or(|name| !name.contains(char::is_control)));
    }
}

fn check_attachments(mail: &Mail, raw: &[u8]) {
    assert!(mail.attachments.len() <= ATTACHMENTS_LIMIT);
    let raw = Bytes::copy_from_slice(raw);
    for attachment in &mail.attachments {
        let (mut size, mut digest) = (0, Sha256::new());
        for piece in attachment.pieces(raw.clone()) {
            assert!(!piece.is_empty() && piece.len() <= PIECE_LIMIT_BYTES);
            size += piece.len() as u64;
            digest.update(&piece);
        }
        assert_eq!(size, attachment.size);
        assert_eq!(hex::encode(digest.finalize()), attachment.sha256);
        assert!(!attachment.file_name.is_empty() && !attachment.file_name.contains(['/', '\\', '\0']));
    }
}
