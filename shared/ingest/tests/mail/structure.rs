//! How a mail is divided into parts, also when it was put together wrongly.

use ingest::mail::{Mail, Part};
use serde_json::{Value, json};

use super::{codes, read};

/// An HTML part with one order.
const ORDER: &str = "Content-Type: text/html\r\n\r\n<script type=\"application/ld+json\">{\"n\":1}</script>\r\n";

fn leaves(mail: &Mail) -> Vec<String> {
    fn walk(part: &Part, found: &mut Vec<String>) {
        if part.parts.is_empty() {
            found.push(format!("{} {}", part.number, part.content_type));
        }
        for inner in &part.parts {
            walk(inner, found);
        }
    }
    let mut found = Vec::new();
    walk(&mail.tree, &mut found);
    found
}

fn multipart(boundary: &str, body: &str) -> String {
    format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n{body}")
}

/// Mails with one order in a part that is hard to find: a name, the mail, the parts.
#[test]
fn a_part_is_found_however_the_mail_was_put_together() {
    let rows: Vec<(&str, String, &[&str])> = vec![
        ("one part", ORDER.to_owned(), &["1 text/html"]),
        ("a multipart", multipart("b", &format!("--b\r\n{ORDER}--b--\r\n")), &["1 text/html"]),
        ("no closing boundary", multipart("b", &format!("--b\r\n{ORDER}")), &["1 text/html"]),
        (
            "no empty line before the boundary",
            multipart("b", &format!("--b\r\n\r\ntext\r\n--b\r\n{ORDER}--b--")),
            &["1 text/plain", "2 text/html"],
        ),
        (
            "text around the parts",
            multipart("b", &format!("before\r\n--b\r\n{ORDER}--b--\r\nafter\r\n--b\r\n\r\nlate")),
            &["1 text/html"],
        ),
        (
            "a boundary that begins another",
            multipart("b", &format!("--b\r\n{}\r\n--b--", multipart("bb", &format!("--bb\r\n{ORDER}--bb--\r\n")))),
            &["1.1 text/html"],
        ),
        (
            "a boundary that another begins",
            multipart("bb", &format!("--bb\r\n{}\r\n--bb--", multipart("b", &format!("--b\r\n{ORDER}--b--\r\n")))),
            &["1.1 text/html"],
        ),
        (
            "a boundary used twice",
            multipart("b", &format!("--b\r\n{}", multipart("b", &format!("--b\r\n{ORDER}--b--\r\n")))),
            &["1 multipart/mixed", "2 text/html"],
        ),
        (
            "an inner multipart that does not end",
            multipart(
                "a",
                &format!("--a\r\n{}\r\n--a\r\n\r\ntext\r\n--a--", multipart("b", &format!("--b\r\n{ORDER}"))),
            ),
            &["1.1 text/html", "2 text/plain"],
        ),
        ("blanks after a boundary", multipart("b", &format!("--b \t\r\n{ORDER}--b-- \r\n")), &["1 text/html"]),
        (
            "a part that begins with a folded line",
            multipart("b", &format!("--b\r\n folded\r\n{ORDER}--b--\r\n")),
            &["1 text/html"],
        ),
        ("a space before the colon", ORDER.replace("Type:", "Type :"), &["1 text/html"]),
        ("garbage among the headers", format!("Subject: x\r\nnot a header\r\n{ORDER}"), &["1 text/html"]),
        ("a line of a mailbox file", format!("From a@b.example Mon Jan 1\r\n{ORDER}"), &["1 text/html"]),
        ("a type without a semicolon", ORDER.replace("text/html", "TEXT/Html charset=utf-8"), &["1 text/html"]),
        (
            "two types",
            format!(
                "{}\r\nContent-Type: text/plain\r\n\r\n{{}}<script type=application/json>[1]</script>",
                "Content-Type: text/html"
            ),
            &["1 text/html"],
        ),
        ("LF", ORDER.replace("\r\n", "\n"), &["1 text/html"]),
        ("CR", multipart("b", &format!("--b\r\n{ORDER}--b--\r\n")).replace("\r\n", "\r"), &["1 text/html"]),
        ("mixed line ends", multipart("b", &format!("--b\n{ORDER}--b--\n")), &["1 text/html"]),
    ];
    for (name, raw, expected) in rows {
        let mail = read(raw.as_bytes());
        assert_eq!(leaves(&mail), expected, "{name}");
        assert_ne!(mail.data, Value::Null, "{name}");
    }
}

#[test]
fn a_boundary_in_front_of_no_empty_line_ends_the_headers_of_a_part() {
    let mail = read(multipart("b", &format!("--b\r\nContent-Type: image/png\r\n--b\r\n{ORDER}--b--")).as_bytes());

    assert_eq!(leaves(&mail), ["1 image/png", "2 text/html"]);
    assert_eq!(mail.attachments[0].size, 0);
}

#[test]
fn a_mail_that_begins_its_body_without_an_empty_line_is_text() {
    let mail = read(b"Subject: Hello\r\nDear all,\r\nthe rest\r\n");

    assert_eq!(mail.text(b"Subject: Hello\r\nDear all,\r\nthe rest\r\n").unwrap().text, "Dear all,\nthe rest\n");
}

#[test]
fn a_multipart_without_its_boundaries_is_noted() {
    for raw in [multipart("b", "no boundary"), "Content-Type: multipart/mixed\r\n\r\n--b\r\n".to_owned()] {
        assert_eq!(codes(&read(raw.as_bytes())), ["unreadable_mime"], "{raw}");
    }
}

#[test]
fn the_parts_of_a_digest_are_mails() {
    let raw = "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: inner\r\n\r\ntext\r\n--b--";

    assert_eq!(leaves(&read(raw.as_bytes())), ["1 message/rfc822"]);
}

#[test]
fn data_is_looked_for_in_the_html_then_in_json_parts_then_in_attached_mails() {
    let ld = "Content-Type: application/ld+json\r\n\r\n{\"n\":2}\r\n";
    let json = "Content-Type: application/json\r\n\r\n{\"n\":3}\r\n";
    let attached = format!("Content-Type: message/rfc822\r\n\r\n{}\r\n", ORDER.replace('1', "4"));
    let rows = [
        (vec![json, ld, &attached, ORDER], "html", json!({"n": 1})),
        (vec![json, ld, &attached], "mime-part", json!({"n": 2})),
        (vec![json, &attached], "mime-part", json!({"n": 3})),
        (vec![&attached], "message/rfc822:1", json!({"n": 4})),
    ];
    for (parts, source, data) in rows {
        let body: String = parts.iter().map(|part| format!("--b\r\n{part}")).collect();
        let mail = read(multipart("b", &format!("{body}--b--")).as_bytes());
        assert_eq!(mail.source.as_ref().map(|source| source.word()).as_deref(), Some(source));
        assert_eq!(mail.data, data, "{source}");
    }
}

#[test]
fn a_hook_with_a_key_reads_only_script_tags_that_show_it() {
    let wishes = ingest::mail::Wishes { key: Some("open-sesame-open"), ..Default::default() };
    let keyed = ORDER.replace("<script ", "<script data-kustomer-key=\"open-sesame-open\" ");
    let json = "Content-Type: application/ld+json\r\n\r\n{\"n\":2}\r\n";

    let mail = ingest::mail::read(keyed.as_bytes(), &wishes);
    assert_eq!(mail.data, json!({"n": 1}));
    assert!(!format!("{:?}", mail.blocks).contains("sesame"));
    for raw in [ORDER, json] {
        let mail = ingest::mail::read(raw.as_bytes(), &wishes);
        assert_eq!(mail.data, Value::Null, "{raw}");
        assert_eq!(mail.blocks[0].status.word(), "unkeyed", "{raw}");
    }
}

#[test]
fn mails_are_looked_into_three_deep() {
    let wrapped =
        |depth: usize| (0..depth).fold(ORDER.to_owned(), |raw, _| format!("Content-Type: message/rfc822\r\n\r\n{raw}"));

    let deepest = read(wrapped(3).as_bytes());
    assert_eq!(deepest.source.map(|source| source.word()).as_deref(), Some("message/rfc822:1.1.1"));
    let deeper = read(wrapped(4).as_bytes());
    assert_eq!((deeper.data.clone(), codes(&deeper)), (Value::Null, vec!["attached_mails_left_out"]));
}

#[test]
fn an_attached_mail_is_read_although_it_was_encoded() {
    let encoded: String = ORDER.bytes().map(|byte| format!("={byte:02x}")).collect();
    let raw = format!("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}");

    assert_eq!(read(raw.as_bytes()).data, json!({"n": 1}));
}

#[test]
fn a_mail_without_data_says_why_when_that_can_be_told() {
    let part = |headers: &str, body: &str| format!("{headers}\r\n\r\n{body}");
    let rows = [
        ("tnef", part("Content-Type: application/ms-tnef; name=winmail.dat", "x")),
        ("encrypted", part("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "x")),
        ("encrypted", part("Content-Type: multipart/encrypted; boundary=b", "--b\r\n\r\nx\r\n--b--")),
        ("opaque_signature", part("Content-Type: application/pkcs7-mime; smime-type=signed-data", "x")),
        ("uuencode", part("Content-Type: text/plain", "hello\r\nbegin 644 order.html\r\nM...\r\n`\r\nend\r\n")),
        ("uuencode", part("Content-Type: text/html\r\nContent-Transfer-Encoding: x-uuencode", "x")),
        (
            "forwarded_by_gmail",
            part("Content-Type: text/html", "<div class=\"gmail_quote\">---------- Forwarded message ---------</div>"),
        ),
        (
            "html_attachment_only",
            part(
                "Content-Type: text/html\r\nContent-Disposition: attachment",
                "<script type=application/json>[1]</script>",
            ),
        ),
    ];
    for (code, raw) in rows {
        let mail = read(raw.as_bytes());
        assert_eq!((mail.data.clone(), codes(&mail)), (Value::Null, vec![code]), "{raw}");
    }
}

#[test]
fn an_empty_mail_is_a_mail_without_anything() {
    for raw in ["", "\r\n", "\n\n\n", "\0\0", "\r", "--", ":", ": :\r\n"] {
        let mail = read(raw.as_bytes());
        assert_eq!(leaves(&mail), ["1 text/plain"], "{raw:?}");
        assert_eq!(mail.data, Value::Null, "{raw:?}");
        assert!(mail.attachments.is_empty() && mail.notes.is_empty(), "{raw:?}");
    }
}
