//! The headers of a mail, as they are meant.

use domain::Timestamp;

use super::read;

/// The value of a `To` header, and its mailboxes as `name|address`.
#[test]
fn mailboxes_are_read_in_all_the_ways_they_are_written() {
    let rows: &[(&str, &[&str])] = &[
        ("jo@shop.example", &["|jo@shop.example"]),
        ("<jo@shop.example>", &["|jo@shop.example"]),
        ("Jo Do <Jo@Shop.example>", &["Jo Do|Jo@Shop.example"]),
        ("\"Do, Jo\" <jo@shop.example>", &["Do, Jo|jo@shop.example"]),
        ("\"Jo \\\"J\\\" Do\" <jo@shop.example>", &["Jo \"J\" Do|jo@shop.example"]),
        ("jo@shop.example (Jo (the) Do)", &["Jo (the) Do|jo@shop.example"]),
        ("a@b.example, C <c@d.example>;e@f.example", &["|a@b.example", "C|c@d.example", "|e@f.example"]),
        ("Team: a@b.example, C <c@d.example>;, e@f.example", &["|a@b.example", "C|c@d.example", "|e@f.example"]),
        ("undisclosed-recipients:;", &[]),
        ("undisclosed-recipients: ;", &[]),
        ("", &[]),
        (",,;,", &[]),
        ("=?utf-8?q?Caf=C3=A9=2C_Bar?= <c@d.example>", &["Caf\u{e9}, Bar|c@d.example"]),
        ("=?utf-8?q?Do,_Jo?= <c@d.example>", &["Do, Jo|c@d.example"]),
        ("\"=?utf-8?B?Q2Fmw6k=?=\" <c@d.example>", &["Caf\u{e9}|c@d.example"]),
        ("<@relay.example,@b.example:jo@shop.example>", &["|jo@shop.example"]),
        ("Jo <jo@shop.example", &["Jo|jo@shop.example"]),
        ("Jo <jo @ shop.example>", &["Jo|jo@shop.example"]),
        ("caf\u{e9} <c\u{e9}@d.example>", &["caf\u{e9}|c\u{e9}@d.example"]),
        ("Jo\r\n Do\r\n\t<jo@shop.example>", &["Jo Do|jo@shop.example"]),
        ("MAILER-DAEMON", &["|MAILER-DAEMON"]),
        ("\"unclosed <a@b.example>", &["|unclosed<a@b.example>"]),
    ];
    for (value, expected) in rows {
        let mail = read(format!("To: {value}\r\n\r\n").as_bytes());
        let found: Vec<String> = mail
            .headers
            .to
            .iter()
            .map(|mailbox| format!("{}|{}", mailbox.name.as_deref().unwrap_or_default(), mailbox.address))
            .collect();
        assert_eq!(found, *expected, "{value}");
    }
}

/// The value of a `From` header, and whether the address in it is one that everybody reads.
#[test]
fn an_author_is_told_only_where_nobody_can_read_another_one() {
    let rows = [
        ("jo@shop.example", true),
        ("Jo <jo@shop.example> (the shop)", true),
        ("(the shop) jo@shop.example", true),
        ("\"Do, Jo\" <jo@shop.example>", true),
        ("=?utf-8?q?Jo?= <jo@shop.example>", true),
        ("a@evil.example <jo@shop.example>", true),
        ("<a@evil.example> <jo@shop.example>", false),
        ("a@evil.example: jo@shop.example;", false),
        ("a@evil.example, jo@shop.example", false),
        ("jo@shop .example", false),
        ("<jo@shop. example>", false),
        ("jo@shop(.evil).example", false),
        ("jo@shop\"\".example", false),
        ("\"jo@shop.example\"", false),
        ("jo@sh\0op.example", false),
        ("jo@shop\r.example", false),
        ("Jo\r\n <jo@shop.example>", true),
        ("a@evil.example =?utf-8?q?,_jo=40shop.example?=", false),
        ("=?utf-8?q?jo=40shop.example?=", false),
        ("a@evil.example@shop.example", false),
        ("\"a@evil.example\"@shop.example", false),
        ("<@evil.example:jo@shop.example>", false),
        ("shop.example", false),
        ("", false),
    ];
    for (value, is_told) in rows {
        let headers = read(format!("From: {value}\r\n\r\n").as_bytes()).headers;
        assert_eq!(headers.author.as_deref(), is_told.then_some("jo@shop.example"), "{value:?}: {:?}", headers.from);
    }
    let many = format!("From: jo@shop.example\r\n{}From: a@evil.example\r\n\r\n", "X: 1\r\n".repeat(1_000));
    let long = format!("From: jo@shop.example ({}), a@evil.example\r\n\r\n", "x".repeat(70_000));
    for mail in [many, long] {
        assert_eq!(read(mail.as_bytes()).headers.author, None);
    }
}

/// The value of a `Subject` header as bytes, and what it says.
#[test]
fn a_subject_is_decoded_as_mail_programs_do() {
    let rows: &[(&[u8], &str)] = &[
        (b"plain", "plain"),
        (b"=?utf-8?q?Caf=C3=A9_au_lait?=", "Caf\u{e9} au lait"),
        (b"=?UTF-8?B?Q2Fmw6k=?= noir", "Caf\u{e9} noir"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=\r\n =?utf-8?q?c?=", "abc"),
        (b"=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "\u{e9}"),
        (b"=?utf-8?b?w6k?= =?iso-8859-1?q?=E9?=", "\u{e9}\u{e9}"),
        (b"=?utf-8*en?q?a?=", "a"),
        (b"=?utf-8?q?with a space?=", "with a space"),
        (b"=?no-such?q?caf=C3=A9?=", "caf\u{e9}"),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?never closed", "=?utf-8?q?never closed"),
        (b"a =? b ?= c", "a =? b ?= c"),
        (b"raw caf\xc3\xa9", "raw caf\u{e9}"),
        (b"raw caf\xe9", "raw caf\u{e9}"),
        (b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "\u{65e5}\u{672c}"),
        (b"bell\x07 and\0null", "bell  and null"),
        (b"=?utf-8?q?=00=0A=0DBcc:_x?=", "Bcc: x"),
    ];
    for (value, expected) in rows {
        let mail = read(&[b"Subject: ", *value, b"\r\n\r\n"].concat());
        assert_eq!(mail.headers.subject.as_deref(), Some(*expected), "{}", String::from_utf8_lossy(value));
    }
}

#[test]
fn dates_are_instants_when_they_can_be_read() {
    let rows = [
        ("Tue, 02 Jun 2026 09:14:22 +0200", Some("2026-06-02T07:14:22.000Z")),
        ("2 Jun 2026 07:14:22 GMT", Some("2026-06-02T07:14:22.000Z")),
        ("Mon, 02 Jun 2026 07:14:22 +0000 (UTC)", Some("2026-06-02T07:14:22.000Z")),
        ("2 Jun 26 07:14 -0000", Some("2026-06-02T07:14:00.000Z")),
        ("yesterday", None),
        ("Tue, 99 Jun 2026 09:14:22 +0200", None),
    ];
    for (text, expected) in rows {
        let headers = read(format!("Date: {text}\r\n\r\n").as_bytes()).headers;
        assert_eq!(headers.date, expected.and_then(Timestamp::parse), "{text}");
        assert_eq!(headers.date_text.as_deref(), Some(text));
    }
}

#[test]
fn the_first_line_of_a_header_counts_and_its_repetitions_are_counted() {
    let raw = "From: a@b.example\r\nFROM: c@d.example\r\nMessage-ID:  <1@b.example> \r\nReferences: <1@x>\r\n <2@x> junk <3@x>\r\n\
               Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\nList-Id: News <n.example>\r\nIn-Reply-To: <0@x>\r\n\
               Received: from one\r\n by two\r\nReceived: from three\r\n\r\n";
    let headers = read(raw.as_bytes()).headers;

    assert_eq!((headers.from[0].address.as_str(), headers.from_count), ("a@b.example", 2));
    assert_eq!(headers.message_id.as_deref(), Some("<1@b.example>"));
    assert_eq!(headers.references, ["<1@x>", "<2@x>", "<3@x>"]);
    assert_eq!(headers.in_reply_to.as_deref(), Some("<0@x>"));
    assert_eq!(headers.auto_submitted.as_deref(), Some("auto-replied"));
    assert_eq!(headers.precedence.as_deref(), Some("bulk"));
    assert_eq!(headers.list_id.as_deref(), Some("News <n.example>"));
    assert_eq!(headers.received, ["from one by two", "from three"]);
}
