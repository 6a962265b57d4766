//! What becomes of several blocks.

use ingest::mail::{Level, Status};
use serde_json::{Value, json};

use crate::{block, codes, parsed, read, script};

/// The texts of a mail's scripts, and its data.
const COMBINED: &[(&[&str], &str)] = &[
    (&[], "null"),
    (&["null", "\"text\"", "42", "true", "", " \n\u{feff}", "{}", "[]"], "null"),
    (&[r#"{"a":1}"#], r#"{"a":1}"#),
    (&[r#"[{"a":1},{"a":1}]"#], r#"[{"a":1},{"a":1}]"#),
    (&[r#"[{"a":1}]"#, "{}", "null"], r#"[{"a":1}]"#),
    (&[r#"{"a":1}"#, r#"{"b":2}"#], r#"[{"a":1},{"b":2}]"#),
    (&[r#"{"a":1}"#, r#"[{"b":2},[3],4]"#], r#"[{"a":1},{"b":2},[3],4]"#),
    (&[r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1 }"#], r#"{"a":1,"b":2}"#),
    (&[r#"{"a":1}"#, r#"{"a":1}"#, r#"{"b":2}"#, r#"{"a":1}"#], r#"[{"a":1},{"b":2}]"#),
    (&[r#"[{"a":1},{"b":2},{"b":2}]"#, r#"{"a":1}"#], r#"[{"a":1},{"b":2}]"#),
    (&[r#"{"a":1}"#, r#"[{"a":1}]"#], r#"[{"a":1}]"#),
    (&[r#"{"a":1}"#, r#"{"a":1.0}"#, r#"{"a":"1"}"#], r#"[{"a":1},{"a":1.0},{"a":"1"}]"#),
    (&[r#"{"a":["bc"]}"#, r#"{"a":["b","c"]}"#], r#"[{"a":["bc"]},{"a":["b","c"]}]"#),
    (&[r#"{"@context":"x","@graph":[{"a":1}]}"#], r#"{"@context":"x","@graph":[{"a":1}]}"#),
    (&["no", r#"{"a":1}"#, "{", r#"{"b":2,}"#], r#"[{"a":1},{"b":2}]"#),
    (&[r#"{"n":9405511899223197428490,"e":1E5,"z":-0}"#], r#"{"n":9405511899223197428490,"e":1E5,"z":-0}"#),
];

#[test]
fn one_block_is_its_value_and_several_are_one_array() {
    for (texts, data) in COMBINED {
        let html: String = texts.iter().map(|text| script(text)).collect();
        let mail = read(&format!("<p>json</p>{html}"));
        assert_eq!(mail.data.to_string(), parsed(data).to_string(), "{texts:?}");
        assert_eq!(mail.blocks.len(), texts.len());
    }
}

#[test]
fn a_block_says_what_became_of_it() {
    let cases = [
        (r#"{"a":1}"#, Status::Ok, Level::Strict, Some(json!({"a": 1}))),
        ("[1]", Status::Ok, Level::Strict, Some(json!([1]))),
        (r#"{"a":1,}"#, Status::Repaired, Level::Lenient, Some(json!({"a": 1}))),
        ("{\"a\"", Status::Error, Level::None, None),
        ("  \n", Status::Empty, Level::None, None),
        ("{}", Status::Empty, Level::None, Some(json!({}))),
        ("[,]", Status::Error, Level::None, None),
        ("[];", Status::Empty, Level::None, Some(json!([]))),
        ("null", Status::Scalar, Level::None, Some(Value::Null)),
        ("\"x\"", Status::Scalar, Level::None, Some(json!("x"))),
    ];
    for (text, status, level, value) in cases {
        let block = block(text);
        assert_eq!((block.status, block.level, block.value), (status, level, value), "{text}");
        assert_eq!((block.part.as_str(), block.media_type.as_str()), ("1", "application/ld+json"));
    }
}

#[test]
fn json_past_the_limit_of_a_mail_is_left_out_and_smaller_blocks_after_it_are_not() {
    let long = |name: &str| script(&format!("{{\"{name}\":\"{}\"}}", "x".repeat(300_000)));
    let mail = read(&(long("a") + &long("b") + &script("{\"c\":1}")));

    let statuses: Vec<&str> = mail.blocks.iter().map(|block| block.status.word()).collect();
    assert_eq!(statuses, ["ok", "left_out", "ok"]);
    assert_eq!(mail.data[1], json!({"c": 1}));
    assert_eq!(codes(&mail), ["json_left_out"]);
}

#[test]
fn many_equal_values_are_told_apart_in_one_pass() {
    let many = format!("[{}]", vec!["{}"; 100_000].join(","));
    let mail = read(&(script(&many) + &script("[{},1]")));
    assert_eq!(mail.data, json!([{}, 1]));
}
