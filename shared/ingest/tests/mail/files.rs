//! The files of a mail: their names, their digests, their content.

use bytes::Bytes;
use ingest::mail::Disposition;
use sha2::{Digest, Sha256};

use super::{codes, read};

fn file_name(headers: &str) -> String {
    let raw = format!("Content-Type: image/png\r\n{headers}\r\n\r\nx");
    read(raw.as_bytes()).attachments[0].file_name.clone()
}

/// A header of a part, and the name its file gets.
#[test]
fn a_file_has_the_name_its_sender_meant_without_any_path() {
    let rows = [
        ("Content-Disposition: attachment; filename=a.png", "a.png"),
        ("Content-Disposition: attachment; filename=\"a b.png\"", "a b.png"),
        ("Content-Disposition: attachment; filename=a b.png", "a b.png"),
        ("Content-Disposition: attachment; filename=\"../../etc/passwd\"", "passwd"),
        ("Content-Disposition: attachment; filename=\"C:\\\\temp\\\\a.png\"", "a.png"),
        ("Content-Disposition: attachment; filename*=utf-8'fr'na%C3%AFve.txt; filename=x", "na\u{ef}ve.txt"),
        ("Content-Disposition: attachment; filename*=iso-8859-1''na%EFve.txt", "na\u{ef}ve.txt"),
        ("Content-Disposition: attachment; filename*0=one; filename*1=two", "onetwo"),
        ("Content-Disposition: attachment; filename*1=two; filename*0=one", "onetwo"),
        (
            "Content-Disposition: attachment; filename*0*=utf-8''na%C3; filename*1*=%AFve; filename*2=.txt",
            "na\u{ef}ve.txt",
        ),
        ("Content-Disposition: attachment; filename*0=one; filename*2=three", "one"),
        ("Content-Disposition: attachment; filename*1=two; filename=plain", "plain"),
        ("Content-Disposition: attachment; filename=\"=?utf-8?q?na=C3=AFve.txt?=\"", "na\u{ef}ve.txt"),
        ("Content-Disposition: attachment; filename=\"caf\u{e9}.txt\"", "caf\u{e9}.txt"),
        ("Content-Disposition: attachment; filename=\"\"", "file"),
        ("Content-Disposition: attachment", "file"),
        ("Content-Disposition: attachment; filename*99999999999999999999=x", "file"),
    ];
    for (headers, expected) in rows {
        assert_eq!(file_name(headers), expected, "{headers}");
    }
    assert_eq!(read(b"Content-Type: image/png; name=b.png\r\n\r\n").attachments[0].file_name, "b.png");
}

#[test]
fn every_part_but_the_text_of_the_mail_is_a_file() {
    let parts = [
        ("Content-Type: text/plain", None),
        ("Content-Type: text/html", None),
        ("Content-Type: text/x-amp-html", None),
        ("Content-Type: text/plain; name=notes.txt\r\nContent-Disposition: inline", Some(Disposition::Inline)),
        ("Content-Type: text/plain\r\nContent-Disposition: attachment", Some(Disposition::Attachment)),
        ("Content-Type: image/png\r\nContent-ID: <logo@b>", Some(Disposition::Inline)),
        ("Content-Type: text/calendar", Some(Disposition::Attachment)),
        ("Content-Type: message/rfc822", Some(Disposition::Attachment)),
        ("Content-Type: application/ld+json", Some(Disposition::Attachment)),
        ("Content-Type: application/ms-tnef", Some(Disposition::Attachment)),
        ("Content-Type: image/png\r\nContent-Disposition: x-odd", Some(Disposition::Attachment)),
    ];
    let body: String = parts.iter().map(|(headers, _)| format!("--b\r\n{headers}\r\n\r\nx\r\n")).collect();
    let mail = read(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--").as_bytes());

    for (index, (headers, expected)) in parts.iter().enumerate() {
        let number = (index + 1).to_string();
        let file = mail.attachments.iter().find(|file| file.part == number);
        assert_eq!(file.map(|file| file.disposition), *expected, "{headers}");
    }
    let logo = mail.attachments.iter().find(|file| file.part == "6").unwrap();
    assert_eq!(logo.content_id.as_deref(), Some("logo@b"));
}

#[test]
fn the_pieces_of_a_file_are_its_content_as_often_as_they_are_asked_for() {
    let content: Vec<u8> = (0..200_001_u32).map(|number| number.to_le_bytes()[0].wrapping_mul(31)).collect();
    let quoted: String = content.iter().map(|byte| format!("={byte:02X}")).collect();
    let binary: Vec<u8> = content.iter().map(|byte| byte % 64 + 64).collect();
    let rows: [(&str, Vec<u8>, &[u8]); 3] = [
        ("base64", base64_lines(&content), &content),
        ("quoted-printable", quoted.into_bytes(), &content),
        ("binary", binary.clone(), &binary),
    ];
    for (encoding, body, expected) in rows {
        let head = format!("Content-Type: application/pdf\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
        let raw = Bytes::from([head.as_bytes(), &body].concat());
        let mail = read(&raw);
        let file = &mail.attachments[0];

        assert_eq!(file.size, expected.len() as u64, "{encoding}");
        assert_eq!(file.sha256, hex::encode(Sha256::digest(expected)), "{encoding}");
        for _ in 0..2 {
            let pieces: Vec<Bytes> = file.pieces(raw.clone()).collect();
            assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= 64 * 1024), "{encoding}");
            assert!(pieces.len() >= 4, "{encoding}");
            assert_eq!(pieces.concat(), expected, "{encoding}");
        }
    }
}

#[test]
fn the_pieces_of_a_file_from_another_mail_are_cut_short() {
    let raw = b"Content-Type: application/pdf\r\n\r\n0123456789";
    let mail = read(raw);

    for length in 0..raw.len() {
        let shorter = Bytes::copy_from_slice(&raw[..length]);
        assert!(mail.attachments[0].pieces(shorter).map(|piece| piece.len()).sum::<usize>() < 10);
    }
}

#[test]
fn a_hundred_files_are_listed() {
    let body = "--b\r\nContent-Type: image/png\r\n\r\nx\r\n".repeat(101);
    let mail = read(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{body}--b--").as_bytes());

    assert_eq!(mail.attachments.len(), 100);
    assert_eq!(codes(&mail), ["attachments_left_out"]);
}

/// Base64 in lines of 76 characters.
pub(crate) fn base64_lines(content: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(content);
    encoded.as_bytes().chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect()
}
