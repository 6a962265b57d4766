//! What is not read: completing or guessing would make data that nobody sent.

use ingest::json::tolerant::{DEPTH_LIMIT, read};
use ingest::json::{KEYS_LIMIT, NUMBER_LIMIT_CHARS};

use crate::block;

/// A text, and the line and column of its problem.
const REFUSED: &[(&str, usize, usize)] = &[
    // Cut off.
    (r#"{"a":1"#, 1, 7),
    (r#"{"a":"#, 1, 6),
    (r#"{"a""#, 1, 5),
    ("[1,\n2,\n", 3, 1),
    (r#"{"a":"b"#, 1, 6),
    (r#"{"a":"b\"#, 1, 6),
    ("{'a", 1, 2),
    ("{", 1, 2),
    ("<!-- {\"a\":", 1, 11),
    ("{\"a\":1 /* b", 1, 8),
    ("[1, <!-- 2]", 1, 5),
    (r#"{"a":"&quot;}"#, 1, 6),
    ("{&quot;a&quot;:1", 1, 2),
    // Words and numbers that JSON does not have.
    ("NaN", 1, 1),
    (r#"{"a":NaN}"#, 1, 6),
    ("[undefined]", 1, 2),
    ("[-Infinity]", 1, 2),
    ("[True]", 1, 2),
    ("[nullx]", 1, 2),
    ("[01]", 1, 2),
    ("[+1]", 1, 2),
    ("[.5]", 1, 2),
    ("[1.]", 1, 2),
    ("[0x10]", 1, 3),
    ("order", 1, 1),
    // JavaScript and templates.
    (r#"var x = {"a":1};"#, 1, 1),
    (r#"x={"a":1}"#, 1, 1),
    (r#"callback({"a":1})"#, 1, 1),
    (r#"{"a":{{ order.total }}}"#, 1, 7),
    ("{% if order %}{}{% endif %}", 1, 2),
    (r#"{"a":"b"+"c"}"#, 1, 9),
    (r#"{"a":`b`}"#, 1, 6),
    // Other quotes, commas and brackets.
    ("{“a”: 1}", 1, 2),
    ("{\"a\": “b”}", 1, 7),
    ("[,]", 1, 2),
    ("[1,,2]", 1, 4),
    ("{,}", 1, 2),
    (r#"{"a" 1}"#, 1, 6),
    (r#"{"a"=1}"#, 1, 5),
    (r#"{"a":1 "b":2}"#, 1, 8),
    ("[1 2]", 1, 4),
    (r#"["a""b"]"#, 1, 5),
    ("[[1][2]]", 1, 5),
    (r#"{"a":1]"#, 1, 7),
    (r#"{"a":1}}"#, 1, 8),
    (r#"{1:2}"#, 1, 2),
    ("1 2", 1, 3),
    ("\"a\",{}", 1, 5),
    // HTML and nothing.
    ("\n\n<div itemscope>\n</div>", 3, 1),
    ("<!-- foo -->", 1, 6),
    ("{\"a\":1}\nthe end", 2, 1),
    ("", 1, 1),
    ("{\"é\":\nfoo}", 2, 1),
    ("[\"ééé\", x]", 1, 9),
];

#[test]
fn what_is_no_json_is_a_problem_with_its_place() {
    for (text, line, column) in REFUSED {
        let problem = read(text).expect_err(text);
        assert_eq!((problem.line, problem.column), (*line, *column), "{text}: {problem}");
    }
}

#[test]
fn a_block_says_why_it_was_not_read_and_repeats_nothing_of_it() {
    let error = block("{\n  \"secret\": word\n}").error.unwrap();
    assert_eq!(error, "A value should stand here (line 2, column 13).");
}

#[test]
fn limits_are_problems_too() {
    let many_keys: Vec<String> = (0..=KEYS_LIMIT).map(|number| format!("\"{number}\":0")).collect();
    let past_limits = [
        "[".repeat(DEPTH_LIMIT + 1),
        "[".repeat(1_000_000),
        r#"{"a":"#.repeat(200_000),
        format!("{{}}{}", "{\"a\":".repeat(DEPTH_LIMIT) + "1" + &"}".repeat(DEPTH_LIMIT)),
        format!("{{{}}}", many_keys.join(",")),
        "1".repeat(NUMBER_LIMIT_CHARS + 1),
        r#"{"$serde_json::private::Number":"1"}"#.to_owned(),
    ];
    for text in past_limits {
        assert!(read(&text).is_err(), "{:.60}", text);
    }
}

#[test]
fn hostile_texts_are_read_in_one_pass() {
    let pieces = [
        "<!--",
        "<!-- -->",
        "<![CDATA[",
        "/*",
        "/**/",
        "//",
        "&amp;",
        "&",
        "\\",
        "\"",
        "'\\",
        "{}",
        "[]{",
        ";",
        "-->",
        "\u{a0}",
    ];
    for piece in pieces {
        let many = piece.repeat(100_000 / piece.len());
        for text in
            [many.clone(), format!("[{many}"), format!("{{\"a\":{many}"), format!("\"{many}"), format!("&{many}")]
        {
            let _ = read(&text);
        }
    }
}
