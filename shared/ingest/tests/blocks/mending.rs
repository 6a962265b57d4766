//! What is read although it is not JSON.

use ingest::json::tolerant::{DEPTH_LIMIT, read};

use crate::parsed;

/// A text, the value it has, and what was mended.
const MENDED: &[(&str, &str, &[&str])] = &[
    // Commas.
    (r#"{"a":1,}"#, r#"{"a":1}"#, &["trailing-comma"]),
    (r#"{"a":[1,2,],"b":{"c":[],},}"#, r#"{"a":[1,2],"b":{"c":[]}}"#, &["trailing-comma"]),
    ("{\"a\":1,\n}\n", r#"{"a":1}"#, &["trailing-comma"]),
    (r#"[{"a":1}{"b":2}]"#, r#"[{"a":1},{"b":2}]"#, &["missing-comma"]),
    ("{\"o\":[{\"a\":1}\n  {\"b\":2},{\"c\":3}{}]}", r#"{"o":[{"a":1},{"b":2},{"c":3},{}]}"#, &["missing-comma"]),
    (r#"{"a":1};"#, r#"{"a":1}"#, &["trailing-semicolon"]),
    ("[1]\n;\n", "[1]", &["trailing-semicolon"]),
    (r#"{"a":1},"#, r#"{"a":1}"#, &["trailing-comma"]),
    // Several values in a row.
    (r#"{"a":1}{"b":2}"#, r#"[{"a":1},{"b":2}]"#, &["concatenated"]),
    ("{\"a\":1}\n\n{\"b\":2} {\"c\":3}", r#"[{"a":1},{"b":2},{"c":3}]"#, &["concatenated"]),
    (r#"{"a":1},{"b":2},"#, r#"[{"a":1},{"b":2}]"#, &["concatenated", "trailing-comma"]),
    (r#"{"a":1};{"b":2};"#, r#"[{"a":1},{"b":2}]"#, &["concatenated", "trailing-semicolon"]),
    (r#"[{"a":1}][{"b":2}]{"c":3}"#, r#"[{"a":1},{"b":2},{"c":3}]"#, &["concatenated"]),
    // Comments.
    ("// an order\n{\"a\":1}", r#"{"a":1}"#, &["comment"]),
    (
        "{\"a\":\"http://x//y\", // why\n /* b */ \"b\" /**/ : /* c */ 2} // end",
        r#"{"a":"http://x//y","b":2}"#,
        &["comment"],
    ),
    ("{\"a\":1,\n//\"b\":2\n}", r#"{"a":1}"#, &["comment", "trailing-comma"]),
    ("{\"a\":1}\n// {\"b\":2}", r#"{"a":1}"#, &["comment"]),
    // Wrappers.
    ("<!-- John joined. -->\n{\"a\":1}", r#"{"a":1}"#, &["html-comment"]),
    ("<!--\n{\"a\":1}\n-->", r#"{"a":1}"#, &["html-comment"]),
    ("<!--\n{\"a\":1}\n", r#"{"a":1}"#, &["html-comment"]),
    ("{\"a\":1}\n-->", r#"{"a":1}"#, &["html-comment"]),
    ("<!--//\n{\"a\":1}\n//-->", r#"{"a":1}"#, &["comment", "html-comment"]),
    ("<!-- {\"old\":1} --> {\"a\":1} <!-- end -->", r#"{"a":1}"#, &["html-comment"]),
    ("{\"a\":[1, <!-- 2, --> 3]}", r#"{"a":[1,3]}"#, &["html-comment"]),
    ("<![CDATA[{\"a\":1}]]>", r#"{"a":1}"#, &["cdata"]),
    ("//<![CDATA[\n{\"a\":1}\n//]]>", r#"{"a":1}"#, &["cdata"]),
    ("// <![CDATA[ {\"a\":1}\n// ]]>", r#"{"a":1}"#, &["cdata"]),
    ("/*<![CDATA[*/{\"a\":1}/*]]>*/", r#"{"a":1}"#, &["cdata"]),
    ("/* <![CDATA[ */\n{\"a\":1}\n/* ]]> */", r#"{"a":1}"#, &["cdata"]),
    ("<!--//--><![CDATA[//><!--\n{\"a\":1}\n//--><!]]>", r#"{"a":1}"#, &["cdata", "comment", "html-comment"]),
    // White space.
    ("\u{feff}{\"a\":1}", r#"{"a":1}"#, &["bom"]),
    ("\u{feff}\n{\u{a0}\"a\":\u{a0}1\u{2003}}\u{200b}", r#"{"a":1}"#, &["bom", "odd-whitespace"]),
    ("{\u{b}\"a\"\u{c}:1}", r#"{"a":1}"#, &["odd-whitespace"]),
    // Names and strings.
    ("{'a':'b \"c\"'}", r#"{"a":"b \"c\""}"#, &["single-quotes"]),
    ("{a:1, $b_2:2, @type:3, größe:4, x-y:5}", r#"{"a":1,"$b_2":2,"@type":3,"größe":4,"x-y":5}"#, &["unquoted-key"]),
    ("{null:1,true:2}", r#"{"null":1,"true":2}"#, &["unquoted-key"]),
    ("{\"a\":\"b\nc\td\u{1}\"}", r#"{"a":"b\nc\td\u0001"}"#, &["control-char"]),
    (r#"{"a":"it\'s <\!-- --\> \@"}"#, r#"{"a":"it's <!-- --> @"}"#, &["bad-escape"]),
    (r#"{"a":"C:\Users\d \u12 \x"}"#, r#"{"a":"C:Usersd u12 x"}"#, &["bad-escape"]),
    (r"{'a':'Bob\'s'}", r#"{"a":"Bob's"}"#, &["bad-escape", "single-quotes"]),
    (
        r#"{"a":"\ud83d","b":"\udce6x","c":"\ud83d\ud83d\udce6"}"#,
        r#"{"a":"�","b":"�x","c":"�📦"}"#,
        &["lone-surrogate"],
    ),
    // A document that was escaped for HTML.
    ("{&quot;a&quot;:&quot;b &amp; c&quot;}", r#"{"a":"b & c"}"#, &["html-entities"]),
    ("{&#34;a&#x22;:&#39;b&#39;}", r#"{"a":"b"}"#, &["html-entities", "single-quotes"]),
    ("[{&quot;a&quot;:&quot;&amp;quot;&quot;,}]", r#"[{"a":"&quot;"}]"#, &["html-entities", "trailing-comma"]),
    ("{&nbsp;\"a\":1}", r#"{"a":1}"#, &["html-entities", "odd-whitespace"]),
];

/// Texts that are JSON, however odd.
const VALID: &[&str] = &[
    "null",
    " -0.0e-10 ",
    "9405511899223197428490",
    "1E400",
    "\"\"",
    r#""\u0000\ud83d\udce6\/""#,
    "[]",
    "{}",
    "\r\n\t[ 1 , [ ] , { } ]\n",
    r#"{"":{"__proto__":1},"a":"&quot;<!-- // /* ]]>","b":"“x”"}"#,
];

#[test]
fn what_senders_get_wrong_is_mended() {
    for (text, value, repairs) in MENDED {
        assert_eq!(read(text), Ok((parsed(value), repairs.to_vec())), "{text}");
    }
}

#[test]
fn valid_json_is_read_as_it_was_written() {
    for text in VALID {
        let (value, repairs) = read(text).unwrap();
        assert_eq!(value.to_string(), parsed(text).to_string());
        assert!(repairs.is_empty(), "{text}: {repairs:?}");
    }
}

#[test]
fn of_a_key_that_comes_twice_the_last_value_counts_in_the_place_of_the_first() {
    assert_eq!(read(r#"{"a":1,"b":2,"a":3}"#).unwrap().0.to_string(), r#"{"a":3,"b":2}"#);
}

#[test]
fn a_document_may_nest_as_deep_as_documents_around_it_leave_room() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let value = read(&nested(DEPTH_LIMIT)).unwrap().0;
    let around = domain::exact::object([("data", domain::exact::object([("attributes", value)]))]).to_string();

    assert!(domain::exact::parse(&around).is_ok());
    assert_eq!(read(&nested(DEPTH_LIMIT + 1)).unwrap_err().column, DEPTH_LIMIT + 1);
}
