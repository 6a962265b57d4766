//! The key that a hook may ask for, and what becomes of character references in strings.

use ingest::mail::{Entities, Level, Mail, Status, Wishes};
use serde_json::json;

use crate::{codes, read, read_wishing};

const KEY: &str = "kt_0123456789abcdef";

fn read_keyed(html: &str) -> Mail {
    read_wishing(html, &Wishes { key: Some(KEY), ..Wishes::default() })
}

fn keyed(attribute: &str) -> String {
    format!("<script type=\"application/ld+json\" {attribute}>{{\"n\":1}}</script>")
}

#[test]
fn a_script_counts_when_it_carries_the_key() {
    let attributes = [
        format!("data-kustomer-key=\"{KEY}\""),
        format!("DATA-Kustomer-Key='{KEY}'"),
        format!("data-kustomer-key={KEY}"),
        "data-kustomer-key=\"kt&lowbar;0123456789abcde&#102;\"".to_owned(),
    ];
    for attribute in attributes {
        let mail = read_keyed(&keyed(&attribute));
        assert_eq!(mail.data, json!({"n": 1}), "{attribute}");
        assert_eq!(mail.blocks[0].status, Status::Ok);
    }
}

#[test]
fn a_script_with_another_key_or_none_is_not_read() {
    let attributes = [
        String::new(),
        "data-kustomer-key".to_owned(),
        "data-kustomer-key=\"\"".to_owned(),
        format!("data-kustomer-key=\"{KEY}x\""),
        format!("data-kustomer-key=\" {KEY}\""),
        format!("data-kustomer-key=\"{}\"", KEY.to_uppercase()),
        format!("data-kustomer-key=\"x\" data-kustomer-key=\"{KEY}\""),
        format!("kustomer-key=\"{KEY}\""),
    ];
    for attribute in attributes {
        let mail = read_keyed(&keyed(&attribute));
        let block = &mail.blocks[0];
        assert!(mail.data.is_null(), "{attribute}");
        assert_eq!(
            (block.status, block.level, block.value.as_ref()),
            (Status::Unkeyed, Level::None, None),
            "{attribute}"
        );
    }
}

#[test]
fn a_key_is_never_among_the_attributes_of_a_block() {
    let html = keyed(&format!("data-kustomer-key=\"{KEY}\" id=\"x\""));
    for mail in [read(&html), read_keyed(&html)] {
        assert_eq!(mail.blocks[0].attributes, [("id".into(), "x".into())]);
    }
}

#[test]
fn with_a_key_neither_json_parts_nor_microdata_count() {
    let part = b"Content-Type: application/ld+json\r\n\r\n{\"n\":1}";
    let mail = ingest::mail::read(part, &Wishes { key: Some(KEY), ..Wishes::default() });
    assert!(mail.data.is_null());
    assert_eq!(mail.blocks[0].status, Status::Unkeyed);

    let html = "<div itemscope itemtype=\"http://schema.org/Order\"><b itemprop=\"orderNumber\">7</b></div>";
    assert!(read_keyed(html).data.is_null());
    assert!(!read(html).data.is_null());
}

#[test]
fn what_is_not_read_for_want_of_a_key_takes_no_room() {
    let html = keyed("").replace("{\"n\":1}", &format!("\"{}\"", "x".repeat(400_000)));
    let mail = read_keyed(&(html.clone() + &html + &keyed(&format!("data-kustomer-key={KEY}"))));
    assert_eq!(mail.data, json!({"n": 1}));
    assert!(codes(&mail).is_empty());
}

#[test]
fn references_in_strings_stay_unless_the_hook_wants_them_decoded_once() {
    let html =
        crate::script(r#"{"&amp;":"A &amp; B &#58;&#x2f; &eacute;&amp;lt; AT&T &nope; &","n":[{"x":"&quot;"}]}"#);
    let decoded = Wishes { entities: Entities::Decoded, ..Wishes::default() };

    assert_eq!(
        read(&html).data,
        json!({"&amp;": "A &amp; B &#58;&#x2f; &eacute;&amp;lt; AT&T &nope; &", "n": [{"x": "&quot;"}]})
    );
    assert_eq!(
        read_wishing(&html, &decoded).data,
        json!({"&amp;": "A & B :/ é&lt; AT&T &nope; &", "n": [{"x": "\""}]})
    );
}

#[test]
fn numbered_references_are_the_characters_browsers_show() {
    let decoded = Wishes { entities: Entities::Decoded, ..Wishes::default() };
    let html = crate::script(r#"["&#128;&#0;&#xd800;&#x110000;&#x1f4e6;&#;&#+5;&#x;&nbsp;&ngE;"]"#);
    assert_eq!(read_wishing(&html, &decoded).data, json!(["€\u{fffd}\u{fffd}\u{fffd}📦&#;&#+5;&#x;\u{a0}≧̸"]));
}
