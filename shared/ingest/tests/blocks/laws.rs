//! What holds for every text: nothing panics, valid JSON is never touched, and what was mended is JSON.

use ingest::json::tolerant;
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::{parsed, read, script};

const NUMBER: &str = r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?";

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        NUMBER.prop_map(|literal| parsed(&literal)),
        any::<String>().prop_map(Value::from),
        "[&<>/\\-\\[\\]'\"\\\\a-c;!{}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Value::Object(Map::from_iter(entries))),
        ]
    })
}

/// The value as JSON, with one of the spaces between all tokens.
fn spaced(value: &Value, spaces: &mut impl Iterator<Item = String>) -> String {
    let mut space = || spaces.next().unwrap_or_default();
    let (before, after) = (space(), space());
    let written = match value {
        Value::Array(list) => {
            let elements: Vec<String> = list.iter().map(|element| spaced(element, spaces)).collect();
            format!("[{}{before}]", elements.join(","))
        }
        Value::Object(map) => {
            let members: Vec<String> = map
                .iter()
                .map(|(key, member)| {
                    let key = spaced(&Value::from(key.as_str()), spaces);
                    format!("{key}:{}", spaced(member, spaces))
                })
                .collect();
            format!("{{{}{before}}}", members.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    };
    format!("{before}{written}{after}")
}

/// Texts made of the pieces that matter to the tolerant reader and to the tokenizer.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        ":",
        ",",
        ";",
        "\\",
        "\\u",
        "d83d",
        "\\ud83d",
        "//",
        "/*",
        "*/",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "&quot;",
        "&#34;",
        "&amp;",
        "&",
        "\u{a0}",
        "\u{feff}",
        "\0",
        "\n",
        "\r",
        " ",
        "1",
        "-",
        "e",
        ".",
        "true",
        "null",
        "abc",
        "é",
        "\"a\":",
        "<script type=application/json>",
        "</script>",
        "<textarea>",
        "<p itemscope itemtype=http://schema.org/A>",
        "<b itemprop=n>",
        "<table>",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    match (tolerant::read(text), ingest::json::parse(text.as_bytes())) {
        (Ok((value, repairs)), strict) => {
            prop_assert_eq!(tolerant::read(&value.to_string()), Ok((value.clone(), Vec::new())));
            prop_assert!(repairs.is_sorted());
            if repairs.is_empty() {
                prop_assert_eq!(strict.map(|(strict, _)| strict.to_string()), Ok(value.to_string()));
            }
        }
        (Err(problem), strict) => {
            prop_assert!(problem.line > 0 && problem.column > 0);
            prop_assert!(strict.is_err());
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn valid_json_is_read_as_the_strict_reader_reads_it(
        value in values(),
        spaces in prop::collection::vec("[ \t\r\n]{0,3}", 1..20),
    ) {
        let text = spaced(&value, &mut spaces.into_iter().cycle());
        let (read, repairs) = tolerant::read(&text).unwrap();
        prop_assert_eq!(read.to_string(), parsed(&text).to_string());
        prop_assert!(repairs.is_empty());
    }

    #[test]
    fn no_text_makes_the_tolerant_reader_panic(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn likely_pieces_are_json_mended_or_a_problem(text in pieces()) {
        check(&text)?;
    }

    #[test]
    fn json_with_a_change_is_json_mended_or_a_problem(value in values(), place in any::<prop::sample::Index>(), change in pieces()) {
        let text = value.to_string();
        let at = text.floor_char_boundary(place.index(text.len() + 1));
        let (before, after) = text.split_at(at);
        check(&format!("{before}{change}{after}"))?;
        check(before)?;
        check(after)?;
    }

    #[test]
    fn no_html_makes_a_reader_panic(html in any::<String>(), likely in pieces()) {
        let _ = read(&format!("{html}{likely}"));
        let _ = read(&script(&likely));
    }
}
