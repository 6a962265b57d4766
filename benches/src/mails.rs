//! Mails to measure with: the corpus that the tests read, a marketing mail, and one with a large attachment.
//!
//! The last two are made here, the same bytes every time; nothing in them is anybody's.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::Outcome;

/// *Source*: the size of marketing mail that readers were measured with before, headers and transfer encoding counted.
const MARKETING_BYTES: usize = 126_000;

/// A PDF of this size makes a mail of 38 MB.
const PDF_BYTES: usize = 28_000_000;

/// What one line of base64 holds.
const LINE_BYTES: usize = 57;

/// What one line of quoted-printable may hold, its soft break not counted.
const LINE_CHARS: usize = 75;

/// A mail of the corpus.
pub struct Known {
    /// `must`, `should`, `optional` or `robust`.
    pub grade: String,
    /// The mail as it was stored.
    pub raw: Vec<u8>,
    /// What is expected to be read in it.
    pub data: Value,
}

/// The mails of `tests/fixtures/email`.
pub fn corpus() -> Outcome<Vec<Known>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/email");
    let expected: Value = serde_json::from_slice(&fs::read(folder.join("expected.json"))?)?;
    let mails = expected["mails"].as_array().ok_or("expected.json has no mails")?;
    let known = |mail: &Value| -> Outcome<Known> {
        Ok(Known {
            grade: mail["grade"].as_str().unwrap_or_default().to_owned(),
            raw: fs::read(folder.join(mail["file"].as_str().unwrap_or_default()))?,
            data: mail["data"].clone(),
        })
    };
    mails.iter().map(known).collect()
}

/// Whether two readings are the same data, as the corpus counts it: integers by their digits, other numbers as doubles, keys in any order.
pub fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            // The corpus was written by a reader that has no minus zero.
            let [one, other] = [one, other].map(|number| if number.as_str() == "-0" { "0" } else { number.as_str() });
            let is_integer = |number: &str| !number.contains(['.', 'e', 'E']);
            one == other
                || !(is_integer(one) && is_integer(other)) && one.parse::<f64>().ok() == other.parse::<f64>().ok()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_same = |(key, value): (&String, &Value)| other.get(key).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(has_same)
        }
        (one, other) => one == other,
    }
}

/// A marketing mail of 126 kB: an HTML part in quoted-printable, with tables in tables, a style on every cell, long links, and one order.
pub fn marketing() -> Vec<u8> {
    let head = "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Your order – thank you</title><style>\n\
        .row td{padding:0;margin:0}\n@media only screen and (max-width:600px){.row{width:100%!important}}\n</style>\n\
        <!--[if mso]><style>td{font-family:Arial,sans-serif}</style><![endif]-->\n";
    let order = "<script type=\"application/ld+json\">\n{\"@context\":\"http://schema.org\",\"@type\":\"Order\",\
        \"orderNumber\":\"BB-100482\",\"price\":\"55.90\",\"priceCurrency\":\"EUR\",\"merchant\":{\"@type\":\"Organization\",\
        \"name\":\"Bright Beans Coffee\"},\"acceptedOffer\":[{\"@type\":\"Offer\",\"itemOffered\":{\"@type\":\"Product\",\
        \"name\":\"Café “Minas” 1kg\",\"sku\":\"BB-MIN-1K\"},\"price\":\"24.50\"}]}\n</script>\n</head><body>\n";
    let mut mail = "From: Bright Beans Coffee <news@brightbeans.example>\r\nTo: Ann <ann@mail.example>\r\n\
        Subject: =?utf-8?Q?Caf=C3=A9_of_the_month?=\r\nMessage-ID: <1@brightbeans.example>\r\n\
        Date: Tue, 02 Jun 2026 09:14:22 +0200\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
        Thank you for your order.\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        .to_owned();
    quote(head, &mut mail);
    quote(order, &mut mail);
    for number in 0.. {
        quote(&product(number), &mut mail);
        if mail.len() >= MARKETING_BYTES {
            break;
        }
    }
    quote("</body></html>\n", &mut mail);
    mail.push_str("\r\n--b1--\r\n");
    mail.into_bytes()
}

fn product(number: usize) -> String {
    format!(
        "<table role=\"presentation\" class=\"row\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" align=\"center\"><tr>\
         <td style=\"padding:12px 24px;background-color:#ffffff;font-family:Helvetica,Arial,sans-serif;font-size:14px\">\n\
         <a href=\"https://click.brightbeans.example/track?u=1&amp;id={number:08x}&amp;utm_source=news&amp;utm_campaign=june\" \
         style=\"color:#1a73e8;text-decoration:none\"><img src=\"https://img.brightbeans.example/p/{number}.jpg\" width=\"180\" \
         alt=\"Café №{number}\" style=\"display:block;border:0\"></a></td>\n<td valign=\"top\" style=\"padding:12px 24px\">\
         <b>Café №{number}</b><br>Notes of cocoa &amp; citrus&nbsp;· roasted on Monday<br>\
         <span style=\"color:#888888\">€{}.90</span></td></tr></table>\n",
        number % 40
    )
}

/// Quoted-printable as mail programs write it: soft breaks before the limit, lines where the text has them.
fn quote(text: &str, into: &mut String) {
    for line in text.split_inclusive('\n') {
        let mut column = 0;
        for byte in line.trim_end_matches('\n').bytes() {
            let is_plain = (b' '..=b'~').contains(&byte) && byte != b'=';
            let width = if is_plain { 1 } else { 3 };
            if column + width > LINE_CHARS {
                into.push_str("=\r\n");
                column = 0;
            }
            match is_plain {
                true => into.push(char::from(byte)),
                false => into.push_str(&format!("={byte:02X}")),
            }
            column += width;
        }
        if line.ends_with('\n') {
            into.push_str("\r\n");
        }
    }
}

/// A mail of 38 MB: the HTML of an order, and a PDF in base64.
pub fn with_attachment() -> Vec<u8> {
    let mut mail = b"From: orders@brightbeans.example\r\nTo: ann@mail.example\r\nSubject: Invoice\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b0\r\n\r\n--b0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
        <p>Your invoice.</p><script type=\"application/ld+json\">{\"@type\":\"Order\",\"orderNumber\":\"BB-1\"}</script>\r\n\
        --b0\r\nContent-Type: application/pdf; name=\"invoice.pdf\"\r\nContent-Disposition: attachment; filename=\"invoice.pdf\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    let mut state = 1_u64;
    for _ in 0..PDF_BYTES / LINE_BYTES {
        mail.extend_from_slice(STANDARD.encode(noise(&mut state)).as_bytes());
        mail.extend_from_slice(b"\r\n");
    }
    mail.extend_from_slice(b"--b0--\r\n");
    mail
}

/// Bytes that do not repeat, as in anything compressed. *Source*: xorshift64, Marsaglia 2003.
fn noise(state: &mut u64) -> [u8; LINE_BYTES] {
    std::array::from_fn(|_| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        state.to_le_bytes()[3]
    })
}
