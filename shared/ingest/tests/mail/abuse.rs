//! Mails made to break what reads them. None of these asserts on time: a reader that looks at things twice would not end at all on the
//! larger ones, and each runs on a thread with little stack.

use ingest::mail::{MAIL_LIMIT_BYTES, Mail, Part};
use serde_json::{Value, json};

use super::{codes, read};

/// A stack on which no recursion into the mail gets far.
const STACK_BYTES: usize = 256 * 1024;

const ORDER: &str = "Content-Type: text/html\r\n\r\n<script type=\"application/ld+json\">{\"n\":1}</script>\r\n";

/// Reads a mail, its texts and its files where there is little stack.
fn read_in_a_small_room(raw: impl Into<Vec<u8>>) -> Mail {
    let raw = raw.into();
    let room = std::thread::Builder::new().stack_size(STACK_BYTES);
    let reading = room.spawn(move || {
        let mail = read(&raw);
        let _ = (mail.text(&raw), mail.html(&raw));
        let raw = bytes::Bytes::from(raw);
        for file in &mail.attachments {
            assert_eq!(file.pieces(raw.clone()).map(|piece| piece.len() as u64).sum::<u64>(), file.size);
        }
        mail
    });
    reading.expect("a thread").join().expect("no overflow and no panic")
}

fn count(part: &Part) -> usize {
    1 + part.parts.iter().map(count).sum::<usize>()
}

fn depth(part: &Part) -> usize {
    1 + part.parts.iter().map(depth).max().unwrap_or_default()
}

#[test]
fn two_hundred_thousand_mails_within_each_other_are_read_three_deep() {
    let mail = read_in_a_small_room("Content-Type: message/rfc822\r\n\r\n".repeat(200_000));

    assert_eq!(count(&mail.tree), 1);
    assert_eq!(codes(&mail), ["attached_mails_left_out"]);
}

#[test]
fn ten_thousand_parts_are_read_up_to_the_thousandth() {
    let parts = "--b\r\n\r\nx\r\n".repeat(10_000);
    let mail =
        read_in_a_small_room(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{ORDER}{parts}--b--"));

    assert_eq!(mail.tree.parts.len(), 1_000);
    assert_eq!(mail.data, json!({"n": 1}));
    assert_eq!(codes(&mail), ["parts_left_out"]);
}

#[test]
fn ten_thousand_multiparts_within_each_other_are_read_a_hundred_deep() {
    let nested: String = (0..10_000)
        .map(|number| format!("Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n"))
        .collect();
    let mail = read_in_a_small_room(nested);

    assert_eq!(depth(&mail.tree), 101);
    assert_eq!(codes(&mail), ["parts_left_out"]);
}

#[test]
fn one_boundary_in_a_hundred_thousand_multiparts_is_one_multipart() {
    let mail = read_in_a_small_room("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(100_000));

    assert_eq!((depth(&mail.tree), mail.tree.parts.len()), (2, 1_000));
}

#[test]
fn lines_that_look_like_boundaries_are_each_looked_at_once() {
    let nested: String = (0..100)
        .map(|number| format!("Content-Type: multipart/mixed; boundary=b{number}\r\n\r\n--b{number}\r\n"))
        .collect();
    let mail = read_in_a_small_room(format!("{nested}\r\n{}--b0\r\n{ORDER}--b0--", "--b\n".repeat(500_000)));

    assert_eq!(mail.data, json!({"n": 1}));
    assert_eq!(depth(&mail.tree), 101);
}

#[test]
fn a_million_headers_are_read_up_to_the_thousandth() {
    let mail = read_in_a_small_room(format!("Subject: s\r\n{}{ORDER}", "A: b\r\n".repeat(1_000_000)));

    assert_eq!(mail.headers.subject.as_deref(), Some("s"));
    assert_eq!((mail.data.clone(), codes(&mail)), (Value::Null, vec!["headers_left_out"]));
}

#[test]
fn endless_folding_is_one_long_header() {
    let mail = read_in_a_small_room(format!("Subject: s\r\n{}{ORDER}", " folded\r\n".repeat(200_000)));

    assert_eq!(mail.headers.subject.as_ref().map(|subject| subject.chars().count()), Some(998));
    assert_eq!(mail.data, json!({"n": 1}));
    assert_eq!(codes(&mail), ["headers_left_out"]);
}

#[test]
fn long_headers_of_one_character_are_read_once() {
    let characters =
        ["=?", "=?a?q?", "?=", "\"", "(", "<", ",", ":", ";", "=", "\\", "'", "*", "<@", " ", "\u{e9}", "@:"];
    for character in characters {
        let value = character.repeat(60_000 / character.len());
        let names = [
            "From",
            "To",
            "Subject",
            "References",
            "Content-Type",
            "Content-Disposition",
            "Content-ID",
            "Date",
            "List-Id",
        ];
        let headers: String = names.iter().map(|name| format!("{name}: {value}\r\n")).collect();
        let parts =
            format!("--b\r\nContent-Type: text/plain;{value}\r\nContent-Disposition: x;{value}\r\n\r\nx\r\n").repeat(8);
        let mail =
            read_in_a_small_room(format!("Content-Type: multipart/mixed; boundary=b\r\n{headers}\r\n{parts}--b--"));

        assert!(mail.headers.from.len() <= 100, "{character}");
        assert_eq!(mail.tree.parts.len(), 8, "{character}");
    }
}

#[test]
fn a_file_name_in_a_thousand_pieces_is_put_together() {
    let pieces: String = (0..1_000).rev().map(|index| format!("; filename*{index}*=%41")).collect();
    let mail =
        read_in_a_small_room(format!("Content-Type: image/png\r\nContent-Disposition: attachment{pieces}\r\n\r\n"));

    assert_eq!(mail.attachments[0].file_name, "A".repeat(255));
}

#[test]
fn charsets_that_lie_give_some_text() {
    let charsets = [
        "utf-7",
        "utf-16",
        "utf-32",
        "x-user-defined",
        "replacement",
        "iso-2022-jp",
        "hz-gb-2312",
        "\0",
        "utf-8",
        "big5",
    ];
    for charset in charsets {
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(10_000).collect();
        let raw = [format!("Content-Type: text/html; charset={charset}\r\n\r\n").as_bytes(), &body].concat();
        let mail = read_in_a_small_room(raw.clone());

        assert!(!mail.html(&raw).expect("HTML").text.is_empty(), "{charset}");
    }
}

#[test]
fn garbage_in_every_encoding_is_stepped_over() {
    for encoding in ["base64", "quoted-printable", "x-uuencode", "7bit"] {
        let fillers: [&[u8]; 7] = [b"!", b"=", b"= ", b" ", b"\0", b"\xff", b"\t="];
        for filler in fillers {
            let body = filler.repeat(300_000 / filler.len());
            let head = format!("Content-Type: text/html\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n");
            let mail = read_in_a_small_room([head.as_bytes(), &body].concat());
            assert_eq!(mail.data, Value::Null);
        }
    }
}

#[test]
fn html_past_four_mebibytes_is_left_out() {
    let filler = "x".repeat(5 * 1024 * 1024);
    let mail = read(format!("{ORDER}{filler}<script type=\"application/ld+json\">{{\"n\":2}}</script>").as_bytes());

    assert_eq!((mail.data.clone(), codes(&mail)), (json!({"n": 1}), vec!["html_cut"]));
}

#[test]
fn a_mail_past_its_limit_is_cut() {
    let mail =
        read(format!("Subject: s\r\nContent-Type: text/plain\r\n\r\n{}", "x".repeat(MAIL_LIMIT_BYTES)).as_bytes());

    assert_eq!(codes(&mail), ["mail_cut"]);
    assert_eq!(mail.headers.subject.as_deref(), Some("s"));
}

#[test]
fn the_mark_of_a_text_file_hides_no_header() {
    let mail = read(b"\xef\xbb\xbfFrom: a@shop.example\r\nSubject: s\r\n\r\nx");

    assert_eq!(mail.headers.author.as_deref(), Some("a@shop.example"));
}
