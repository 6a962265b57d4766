//! Microdata, read as the HTML standard says, where a mail has no JSON.

use ingest::mail::Source;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{fixture, fixtures, parsed, read};

/// How what is read here relates to what KDE's extractor expects of the same mail.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kde {
    Same,
    Differs,
    Unknown,
}

/// The corpus's mails with microdata, whether KDE expects the same, and why not.
const MAILS: &[(&str, Kde, &str)] = &[
    ("kde-foss-events", Kde::Unknown, ""),
    (
        "kde-foss-events-microdata",
        Kde::Differs,
        "KDE keeps the line breaks of the HTML in a description; here white space is one space.",
    ),
    ("kde-google-flight-reservation-microdata", Kde::Same, ""),
    (
        "kde-google-microdata-inline",
        Kde::Differs,
        "KDE knows this mail and takes properties that stand outside of their item; the standard's tree has none there.",
    ),
    ("kde-lh-invalid-microdata", Kde::Same, ""),
    ("kde-multi-property", Kde::Same, ""),
    ("kde-non-text-content-attributes", Kde::Same, ""),
    ("sdo-eg-0374-microdata", Kde::Unknown, ""),
    ("sdo-eg-0375-microdata", Kde::Unknown, ""),
    ("sdo-eg-0376-microdata", Kde::Unknown, ""),
];

#[derive(Deserialize)]
struct Expected {
    mails: Vec<ExpectedMail>,
}

#[derive(Deserialize)]
struct ExpectedMail {
    file: String,
    microdata: Option<Vec<Value>>,
    kde_expected: Option<Value>,
}

/// HTML, and the data of a mail with it.
const READ: &[(&str, &str)] = &[
    (
        r#"<p itemscope itemtype="https://schema.org/Order"></p>"#,
        r#"{"@context":"https://schema.org","@type":"Order"}"#,
    ),
    (
        r#"<p ITEMSCOPE itemtype="http://schema.org/A http://SCHEMA.org/B" itemid=" urn:x "></p>"#,
        r#"{"@context":"http://schema.org","@type":["A","B"],"@id":"urn:x"}"#,
    ),
    (
        r#"<p itemscope itemtype="http://schema.org/A"><b itemprop="n"> x
           <i>y</i>&nbsp;&amp; </b><b itemprop=n>z</b><b itemprop="m o">w</b></p>"#,
        r#"{"@context":"http://schema.org","@type":"A","n":["x y\u00a0&","z"],"m":"w","o":"w"}"#,
    ),
    (
        r#"<div itemscope itemtype="http://schema.org/A"><meta itemprop=a content=" 1 "><meta itemprop=b><a itemprop=c href="/x?y#z">t</a>
           <img itemprop=d src=s><object itemprop=e data=o></object><data itemprop=f value=v>t</data><time itemprop=g datetime=2026>t</time>
           <time itemprop=h>noon</time><link itemprop=i href=" http://s/ "></div>"#,
        r#"{"@context":"http://schema.org","@type":"A","a":"1","b":"","c":"/x?y#z","d":"s","e":"o","f":"v","g":"2026","h":"noon","i":"http://s/"}"#,
    ),
    (
        r#"<div itemscope itemtype="http://schema.org/A"><p itemprop=p itemscope itemtype="http://schema.org/B"><b itemprop=n>1</b></p><p itemprop=q itemscope><b itemprop=n>2</b></p></div>"#,
        r#"{"@context":"http://schema.org","@type":"A","p":{"@type":"B","n":"1"},"q":{"n":"2"}}"#,
    ),
    (
        r#"<b id=y itemprop=n>2</b><div itemscope itemtype="http://schema.org/A" itemref="x nobody y"><b itemprop=n>3</b></div><b id=x itemprop=n>4</b><b id=x itemprop=n>5</b>"#,
        r#"{"@context":"http://schema.org","@type":"A","n":["2","3","4"]}"#,
    ),
    (
        r#"<div itemscope itemtype="http://schema.org/A" id=a itemref=a><p id=b itemprop=p itemscope itemref="b a"><b itemprop=n>1</b></p></div>"#,
        r#"{"@context":"http://schema.org","@type":"A","p":{"n":"1"}}"#,
    ),
    // Not an item of its own, not of schema.org, not in the document, not a property.
    (r#"<p itemscope itemprop=x itemtype="http://schema.org/A"></p>"#, "null"),
    (
        r#"<p itemscope></p><p itemscope itemtype="http://data-vocabulary.org/A"></p><p itemscope itemtype="ftp://schema.org/A"></p>"#,
        "null",
    ),
    (r#"<template><p itemscope itemtype="http://schema.org/A"></p></template>"#, "null"),
    (r#"<!-- <p itemscope itemtype="http://schema.org/A"></p> -->"#, "null"),
    (
        r#"<p itemscope itemtype="http://schema.org/A"><b itemprop="@type $serde_json::private::Number">1</b><b itemprop="">2</b></p>"#,
        r#"{"@context":"http://schema.org","@type":"A"}"#,
    ),
];

#[test]
fn the_corpus_is_read_as_the_standard_says() {
    let expected: Expected = serde_json::from_str(&fixture("email/expected.json")).unwrap();
    let with_items: Vec<_> =
        expected.mails.iter().filter(|mail| mail.microdata.as_ref().is_some_and(|items| !items.is_empty())).collect();
    assert_eq!(with_items.len(), MAILS.len());

    for (mail, (name, kde, reason)) in with_items.into_iter().zip(MAILS) {
        assert_eq!(mail.file, format!("mail/{name}.eml"));
        let raw = std::fs::read(fixtures().join("email").join(&mail.file)).unwrap();
        let read = ingest::mail::read(&raw, &Default::default());
        let items = as_list(read.data);

        assert_eq!(read.source, Some(Source::Microdata), "{name}");
        assert_eq!(Some(without_contexts(&items)), mail.microdata, "{name}");
        let found = match &mail.kde_expected {
            Some(theirs) if *theirs == Value::Array(items) => Kde::Same,
            Some(_) => Kde::Differs,
            None => Kde::Unknown,
        };
        assert_eq!(found, *kde, "{name}");
        assert_eq!(reason.is_empty(), *kde != Kde::Differs, "{name}");
    }
}

/// Data of one item is the item itself.
fn as_list(data: Value) -> Vec<Value> {
    data.as_array().cloned().unwrap_or_else(|| vec![data])
}

/// The corpus leaves them out.
fn without_contexts(items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    for item in &mut items {
        let context = item.as_object_mut().unwrap().shift_remove("@context").unwrap();
        assert!(context == "http://schema.org" || context == "https://schema.org");
    }
    items
}

#[test]
fn items_become_objects_as_json_ld_writes_them() {
    for (html, data) in READ {
        assert_eq!(read(html).data.to_string(), parsed(data).to_string(), "{html}");
    }
}

#[test]
fn microdata_counts_only_where_there_is_no_json() {
    let item = r#"<p itemscope itemtype="http://schema.org/A"><b itemprop=n>1</b></p>"#;
    let mail = read(&(item.to_owned() + &crate::script("{\"a\":1}")));
    assert_eq!((mail.data, mail.source), (json!({"a": 1}), Some(Source::Html)));
}

#[test]
fn a_text_past_a_limit_gives_no_items_at_all() {
    let item = r#"<p itemscope itemtype="http://schema.org/A"><b itemprop=n>1</b></p>"#;
    let nested = r#"<div itemscope itemprop=x itemtype="http://schema.org/A">"#;
    let past_limits = [
        item.to_owned() + &" ".repeat(300_000),
        item.to_owned() + &"<div>".repeat(10_000),
        item.to_owned() + &"<p>x".repeat(55_000),
        item.repeat(1_001),
        format!("<div itemscope itemtype=\"http://schema.org/A\">{}", nested.repeat(60)),
        format!("<div itemscope itemtype=\"http://schema.org/A\">{}", nested.replace("=x", "=\"a b\"").repeat(14)),
        format!(
            "{item}<div itemscope itemtype=\"http://schema.org/A\"><b itemprop=\"{}\">{}</b></div>",
            "a b ".repeat(500),
            "x".repeat(1_000)
        ),
    ];
    for html in past_limits {
        assert!(read(&html).data.is_null(), "{:.200}", html);
    }
}

#[test]
fn the_limits_hold_over_all_texts_of_a_mail() {
    let item = |number: usize| format!("<p itemscope itemtype=\"http://schema.org/A\"><b itemprop=n>{number}</b></p>");
    let text = |numbers: std::ops::Range<usize>| {
        format!("--b\r\nContent-Type: text/html\r\n\r\n{}\r\n", numbers.map(item).collect::<String>())
    };
    let raw = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}{}{}--b--\r\n",
        text(0..600),
        text(600..1_200),
        text(1_200..1_201)
    );

    let data = ingest::mail::read(raw.as_bytes(), &Default::default()).data;
    assert_eq!(data.as_array().map(Vec::len), Some(600));
}

#[test]
fn hostile_microdata_is_read_in_bounded_time() {
    let item = r#"<p itemscope itemtype="http://schema.org/A"><b itemprop=n>1</b></p>"#;
    let pieces = [
        "<b>",
        "<table>",
        "</b>",
        "<b><p>",
        "<a><div>",
        "<table><tr><td><a>",
        "<p itemprop=x>",
        "<svg><p>",
        "<select><option>",
        "<body a=1>",
        "<!--",
        "<",
        "<div itemscope itemprop=x itemref=r id=r>",
        "<i></p>",
        "<table>x",
        "<template>",
        "<form>",
        "</p>",
        "<li>",
        "<nobr>",
    ];
    for piece in pieces {
        let _ = read(&(item.to_owned() + &piece.repeat(60_000 / piece.len())));
    }
    let attributes: String = (0..5_000).map(|number| format!("a{number} ")).collect();
    let _ = read(&format!("{item}<p {attributes}>"));
    let formatting: String = (0..4_000).map(|number| format!("<b id={number}><p>")).collect();
    let _ = read(&format!("{item}{formatting}"));
    let bodies: String = (0..4_000).map(|number| format!("<body a{number}>")).collect();
    let _ = read(&format!("{item}{bodies}"));
    let references: String = (0..90)
        .map(|number| {
            format!("<div id=r{number} itemscope itemprop=\"x y\" itemref=\"r{} r{}\"></div>", number + 1, number + 2)
        })
        .collect();
    let _ = read(&format!("{item}<p itemscope itemtype=\"http://schema.org/A\" itemref=r0></p>{references}"));
}
