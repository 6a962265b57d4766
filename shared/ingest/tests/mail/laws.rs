//! What holds for every mail: nothing panics, and what is said about parts and files is true of the bytes.

use std::path::PathBuf;
use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use ingest::mail::{BODY_TEXT_LIMIT_BYTES, Entities, Part, Wishes};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// The mails of the corpus under 40 kB.
static CORPUS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/email/mail");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let mut mails: Vec<(PathBuf, Vec<u8>)> = files
        .map(|file| file.expect("a file").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("a mail")))
        .filter(|(_, mail)| mail.len() < 40_000)
        .collect();
    mails.sort();
    mails.into_iter().map(|(_, mail)| mail).collect()
});

/// Reads all there is to read, and checks what was said.
fn check(raw: &[u8], wishes: &Wishes<'_>) -> Result<(), TestCaseError> {
    let mail = ingest::mail::read(raw, wishes);
    for body in [mail.text(raw), mail.html(raw)].into_iter().flatten() {
        prop_assert!(body.text.len() <= BODY_TEXT_LIMIT_BYTES && !body.text.contains('\r'));
    }

    let bytes = Bytes::copy_from_slice(raw);
    for file in &mail.attachments {
        let content = file.pieces(bytes.clone()).collect::<Vec<_>>().concat();
        prop_assert_eq!(content.len() as u64, file.size);
        prop_assert_eq!(hex::encode(Sha256::digest(&content)), file.sha256.as_str());
        prop_assert!(!file.file_name.is_empty() && !file.file_name.contains(['/', '\\', '\n', '\0']));
    }
    prop_assert!(size(&mail.tree) <= raw.len() as u64);
    prop_assert!(mail.notes.len() <= 51);
    prop_assert_eq!(mail.data.is_null(), mail.source.is_none());
    Ok(())
}

/// The content of a file; `rest` is its transfer encoding and what follows.
fn file(rest: &str) -> Vec<u8> {
    let raw = format!("Content-Type: application/pdf\r\nContent-Transfer-Encoding: {rest}");
    let mail = ingest::mail::read(raw.as_bytes(), &Wishes::default());
    let pieces = mail.attachments.first().map(|file| file.pieces(Bytes::from(raw)));
    pieces.into_iter().flatten().collect::<Vec<_>>().concat()
}

/// The bytes of all parts that have no parts: they do not overlap.
fn size(part: &Part) -> u64 {
    match part.parts.as_slice() {
        [] => part.size,
        parts => parts.iter().map(size).sum(),
    }
}

/// Pieces that mails are made of, so that arbitrary ones get past the first line.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&'static [u8]> = vec![
        b"\r\n",
        b"\n",
        b"\r",
        b"\r\n\r\n",
        b" ",
        b"\t",
        b":",
        b";",
        b"=",
        b"\"",
        b"(",
        b"<",
        b">",
        b",",
        b"--",
        b"--b",
        b"--b--",
        b"--bb",
        b"\r\n--b\r\n",
        b"\r\n--b--\r\n",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"caf\xc3\xa9",
        b"caf\xe9",
        b"=C3=",
        b"=\r\n",
        b"QUJD",
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: multipart/alternative; boundary=bb\r\n",
        b"Content-Type: text/html; charset=utf-16\r\n\r\n",
        b"Content-Type: text/html\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Type: application/ld+json\r\n\r\n{\"a\":1}",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"Content-Disposition: attachment; filename*0*=utf-8''%41; filename*1=b\r\n",
        b"Content-Type: text/plain; format=flowed; delsp=yes\r\n",
        b"From: ",
        b"To: ",
        b"Subject: =?utf-8?q?",
        b"=?utf-8?b?w6k=?=",
        b"?=",
        b"Date: Tue, 02 Jun 2026 09:14:22 +0200\r\n",
        b"<script type=\"application/ld+json\">{\"a\":[1,]}</script>",
        b"<div itemscope>",
        b"+AOk-",
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n",
        b"begin 644 a\r\n",
    ];
    prop::collection::vec(prop::sample::select(words), 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(raw in prop::collection::vec(any::<u8>(), 0..2_000)) {
        check(&raw, &Wishes::default())?;
    }

    #[test]
    fn no_pieces_of_mails_make_the_reader_panic(raw in pieces()) {
        check(&raw, &Wishes { key: None, entities: Entities::Decoded })?;
        check(&raw, &Wishes { key: Some("a-key-of-the-hook"), entities: Entities::Kept })?;
    }

    #[test]
    fn no_damage_to_a_mail_makes_the_reader_panic(
        index in any::<prop::sample::Index>(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..60), 1..8),
    ) {
        let mut raw = index.get(&CORPUS).clone();
        for (place, byte, length) in damages {
            if raw.is_empty() {
                break;
            }
            let start = place.index(raw.len());
            match byte % 4 {
                0 => raw[start] = byte,
                1 => raw.truncate(start),
                2 => drop(raw.drain(start..(start + length).min(raw.len()))),
                _ => {
                    let copy = raw[start..(start + length).min(raw.len())].to_vec();
                    raw.splice(start..start, copy);
                }
            }
        }
        check(&raw, &Wishes::default())?;
    }

    #[test]
    fn base64_gives_the_bytes_it_was_made_of(
        content in prop::collection::vec(any::<u8>(), 0..3_000),
        width in 1..200_usize,
        between in prop::sample::select(vec!["\r\n", "\n", " \r\n", "!\r\n", "\r\n\r\n"]),
    ) {
        let encoded = STANDARD.encode(&content);
        let lines: Vec<&str> = encoded.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        prop_assert_eq!(file(&format!("base64\r\n\r\n{}", lines.join(between))), content);
    }

    #[test]
    fn quoted_printable_gives_the_bytes_it_was_made_of(
        content in prop::collection::vec(prop_oneof![any::<u8>(), Just(b' '), b'a'..b'e'], 0..3_000),
        width in 4..200_usize,
        blanks in prop::sample::select(vec!["", " ", " \t"]),
    ) {
        let mut encoded = String::from("quoted-printable\r\n\r\n");
        for line in content.chunks(width) {
            for byte in line {
                match byte {
                    b' '..=b'<' | b'>'..=b'~' => encoded.push(char::from(*byte)),
                    byte => encoded.push_str(&format!("={byte:02x}")),
                }
            }
            encoded.push_str(&format!("={blanks}\r\n"));
        }
        prop_assert_eq!(file(&encoded), content);
    }
}
