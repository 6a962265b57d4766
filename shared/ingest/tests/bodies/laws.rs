//! What holds for every body: no reader panics, and nothing that is accepted changes on its way.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::{FORM, MULTIPART};

/// Every spelling of a number that JSON allows, within the limit on its length.
const NUMBER: &str = r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?";

fn content_types() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(vec![
        None,
        Some("application/json"),
        Some("application/json; charset=shift_jis"),
        Some(FORM),
        Some(MULTIPART),
        Some("application/xml"),
        Some("text/plain"),
        Some("text/plain; charset=utf-16"),
    ])
}

/// Bodies made of the pieces that matter to the readers, so that arbitrary ones get past the first byte.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\ud800",
        "\\udc00",
        "\\u0041",
        "\\\\",
        "1e5",
        "-0",
        "1.5E+3",
        "null",
        "true",
        "&",
        "=",
        "%41",
        "%",
        "+",
        "a",
        "[]",
        "[0]",
        "<a>",
        "</a>",
        "<b/>",
        "<a x='1'>",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&#0;",
        "&#65;",
        "<!--",
        "-->",
        "<?xml version='1.0'?>",
        "<!DOCTYPE a>",
        "--b\r\n",
        "\r\n--b--",
        "\r\n",
        "Content-Disposition: form-data; name=a",
        "; filename=\"",
        "\u{feff}",
        "é",
        " ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        NUMBER.prop_map(|literal| ingest::json::parse(literal.as_bytes()).unwrap().0),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(content_type in content_types(), body in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = ingest::read(content_type, &body);
    }

    #[test]
    fn no_likely_pieces_make_a_reader_panic(content_type in content_types(), body in pieces()) {
        let _ = ingest::read(content_type, &body);
    }

    #[test]
    fn no_content_type_makes_a_reader_panic(content_type in any::<String>(), body in pieces()) {
        let _ = ingest::read(Some(&content_type), &body);
    }

    #[test]
    fn a_number_is_spelled_as_it_was_sent(literal in NUMBER) {
        prop_assert_eq!(ingest::json::parse(literal.as_bytes()).unwrap().0.to_string(), literal);
    }

    #[test]
    fn json_that_was_written_is_read_as_it_was(value in values()) {
        let written = value.to_string();
        let (read, notes) = ingest::json::parse(written.as_bytes()).unwrap();
        prop_assert_eq!(read.to_string(), written);
        prop_assert_eq!(read, value);
        prop_assert!(notes.is_empty());
    }

    #[test]
    fn what_a_reader_accepts_can_be_restored(content_type in content_types(), body in pieces()) {
        if let Ok(reading) = ingest::read(content_type, &body) {
            let written = reading.data.to_string();
            prop_assert_eq!(domain::exact::parse(&written).unwrap(), reading.data);
        }
    }

    #[test]
    fn form_pairs_are_read_as_they_were_written(pairs in prop::collection::btree_map("[a-z äé&=+%]{1,8}", any::<String>(), 1..8)) {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let body: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let reading = ingest::read(Some(FORM), body.join("&").as_bytes()).unwrap();
        prop_assert_eq!(reading.data, json!(pairs));
    }
}
