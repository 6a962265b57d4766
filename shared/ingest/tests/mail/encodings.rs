//! Transfer encodings and charsets: what the bytes of a part are as text.

use super::read;

/// The text of a mail with these headers and this body.
fn text(headers: &str, body: &[u8]) -> String {
    let raw = [headers.as_bytes(), b"\r\n\r\n", body].concat();
    read(&raw).text(&raw).expect("a text").text
}

/// A transfer encoding, a body, its text.
#[test]
fn a_transfer_encoding_is_undone_as_far_as_it_was_applied() {
    let rows: &[(&str, &str, &str)] = &[
        ("7bit", "plain = text", "plain = text"),
        ("8BIT", "caf\u{e9}", "caf\u{e9}"),
        ("no-such-encoding", "=41 QUJD", "=41 QUJD"),
        ("quoted-printable", "caf=C3=A9", "caf\u{e9}"),
        (" Quoted-Printable ; x", "caf=c3=a9", "caf\u{e9}"),
        ("quoted-printable", "one=\r\ntwo", "onetwo"),
        ("quoted-printable", "one= \t\r\ntwo", "onetwo"),
        ("quoted-printable", "one=\ntwo", "onetwo"),
        ("quoted-printable", "caf=C3=\r\n=A9", "caf\u{e9}"),
        ("quoted-printable", "blanks \t \r\nend  ", "blanks\nend"),
        ("quoted-printable", "a  b", "a  b"),
        ("quoted-printable", "=ZZ=4", "=ZZ=4"),
        ("quoted-printable", "dangling=", "dangling"),
        ("quoted-printable", "= 41", "= 41"),
        ("quoted-printable", "", ""),
        ("base64", "SGVsbG8=", "Hello"),
        ("BASE64;", "SGVsbG8", "Hello"),
        ("base64", "SG\r\nVs\r\n bG8=\r\n", "Hello"),
        ("base64", "S!G*Vs-bG8", "Hello"),
        ("base64", "SGVsbG8=junk after the end", "Hello"),
        ("base64", "SGVsbG8h", "Hello!"),
        ("base64", "S", ""),
        ("base64", "====", ""),
        ("base64", "", ""),
    ];
    for (encoding, body, expected) in rows {
        let found = text(
            &format!("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}"),
            body.as_bytes(),
        );
        assert_eq!(found, *expected, "{encoding}: {body:?}");
    }
}

/// A charset, the bytes of a body, its text.
#[test]
fn a_charset_counts_between_the_marks_and_the_looks_of_the_bytes() {
    let rows: &[(Option<&str>, &[u8], &str)] = &[
        (Some("utf-8"), b"caf\xc3\xa9", "caf\u{e9}"),
        (Some("\"UTF-8\""), b"caf\xc3\xa9", "caf\u{e9}"),
        (Some("utf-8"), b"caf\xe9", "caf\u{fffd}"),
        (Some("iso-8859-1"), b"\xef\xbb\xbfcaf\xc3\xa9", "caf\u{e9}"),
        (Some("iso-8859-1"), b"\x80 caf\xe9", "\u{20ac} caf\u{e9}"),
        (Some("iso-8859-15"), b"\xa4", "\u{20ac}"),
        (Some("shift_jis"), b"\x83\x5c", "\u{30bd}"),
        (Some("gb2312"), b"\xd6\xd0", "\u{4e2d}"),
        (Some("ks_c_5601-1987"), b"\xc7\xd1", "\u{d55c}"),
        (Some("utf-16"), b"\xfe\xff\0a", "a"),
        (Some("utf-16le"), b"a\0b\0", "ab"),
        (None, b"\xff\xfea\0", "a"),
        (None, b"caf\xc3\xa9", "caf\u{e9}"),
        (None, b"caf\xe9", "caf\u{e9}"),
        (Some("us-ascii"), b"caf\xc3\xa9", "caf\u{e9}"),
        (Some("us-ascii"), b"caf\xe9", "caf\u{e9}"),
        (Some("no-such-charset"), b"caf\xc3\xa9", "caf\u{e9}"),
        (Some("iso-2022-kr"), b"caf\xc3\xa9", "caf\u{e9}"),
        (Some("utf-7"), b"caf+AOk- +- +2D3cAA", "caf\u{e9} + \u{1f400}"),
        (Some("utf-7"), b"+AOk is one, +2D0- is half, \xe9", "\u{e9} is one, \u{fffd} is half, \u{fffd}"),
        (Some("x-user-defined"), b"a\x80", "a\u{f780}"),
    ];
    for (charset, body, expected) in rows {
        let parameter = charset.map(|charset| format!("; charset={charset}")).unwrap_or_default();
        assert_eq!(text(&format!("Content-Type: text/plain{parameter}"), body), *expected, "{charset:?}: {body:?}");
    }
}

#[test]
fn html_may_name_its_charset_itself_when_the_mail_does_not() {
    let rows: &[(&str, &[u8], &str)] = &[
        ("", b"<meta charset=\"windows-1251\">\xcf", "<meta charset=\"windows-1251\">\u{41f}"),
        ("", b"<META content='text/html; charset=koi8-r'>\xf0", "<META content='text/html; charset=koi8-r'>\u{41f}"),
        ("; charset=iso-8859-1", b"<meta charset=koi8-r>\xe9", "<meta charset=koi8-r>\u{e9}"),
        ("", b"<meta charset=koi8-r>\xc3\xa9", "<meta charset=koi8-r>\u{e9}"),
        ("", b"<meta charset=utf-16>\xe9", "<meta charset=utf-16>\u{fffd}"),
    ];
    for (charset, body, expected) in rows {
        let raw = [format!("Content-Type: text/html{charset}\r\n\r\n").as_bytes(), body].concat();
        assert_eq!(read(&raw).html(&raw).expect("HTML").text, *expected);
    }
}

#[test]
fn every_line_end_of_a_text_is_lf() {
    assert_eq!(text("Content-Type: text/plain", b"a\r\nb\nc\rd\r\r\n"), "a\nb\nc\nd\n\n");
}

#[test]
fn flowed_text_has_its_paragraphs_back() {
    let rows = [
        ("format=flowed", "one \r\ntwo\r\nthree", "one two\nthree"),
        ("format=flowed; delsp=yes", "on \r\ne", "one"),
        ("format=flowed", "> one \r\n> two\r\nme", "> one two\nme"),
        ("format=flowed", ">> one \r\n> two", ">> one \n> two"),
        ("format=flowed", " >stuffed\r\n  kept", ">stuffed\n kept"),
        ("format=flowed", "text \r\n-- \r\nsignature", "text \n-- \nsignature"),
        ("format=fixed", "one \r\ntwo", "one \ntwo"),
    ];
    for (parameters, body, expected) in rows {
        assert_eq!(text(&format!("Content-Type: text/plain; {parameters}"), body.as_bytes()), expected, "{body:?}");
    }
}

#[test]
fn a_long_text_is_cut_between_two_characters() {
    let raw = format!("Content-Type: text/plain\r\n\r\na{}", "\u{e9}".repeat(200_000));
    let body = read(raw.as_bytes()).text(raw.as_bytes()).expect("a text");

    assert!(body.is_cut);
    assert_eq!(body.text.len(), ingest::mail::BODY_TEXT_LIMIT_BYTES - 1);
    assert!(body.text.ends_with('\u{e9}'));
}

#[test]
fn text_cut_within_a_character_is_still_utf8() {
    let raw = format!("Content-Type: text/plain\r\n\r\na{}", "\u{e9}".repeat(300_000));

    assert!(!read(raw.as_bytes()).text(raw.as_bytes()).expect("a text").text.contains('\u{c3}'));
}
