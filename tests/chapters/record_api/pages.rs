//! `docs/records.md` says what the code takes.

use std::{fs, path::Path};

use domain::{
    RecordKind,
    record::fields::{self, EXTERNAL_ID_LIMIT_CHARS, KEYS_LIMIT, LINE_LIMIT_CHARS, LIST_LIMIT, Shape},
};

/// What the page calls the shape.
fn words(shape: Shape) -> String {
    assert_eq!((LINE_LIMIT_CHARS, EXTERNAL_ID_LIMIT_CHARS, KEYS_LIMIT, LIST_LIMIT), (1_024, 255, 20, 200));
    let words = match shape {
        Shape::Line => "a line: 1,024 characters",
        Shape::Text => "text",
        Shape::ExternalId => "an id: 255 characters",
        Shape::Word(words) => return format!("one of {}", words.join(", ")),
        Shape::Whole(first, last) => return format!("a whole number from {first} to {last}"),
        Shape::Number => "a number",
        Shape::Flag => "true or false",
        Shape::Instant => "a time or a date",
        Shape::Lines => "a list of lines: 200",
        Shape::Email => "an e-mail address",
        Shape::Emails => "e-mail addresses: 20",
        Shape::Phones => "phone numbers: 20",
        Shape::ExternalIds => "ids of other systems: 20",
        Shape::Accounts => "accounts: 20",
        Shape::List => "a list of anything: 200",
        Shape::Object => "an object",
        Shape::Any => "anything",
    };
    words.to_owned()
}

/// The rows of the kind's table, one for each shape in the order of the attributes.
fn rows(kind: &RecordKind) -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for (name, shape) in fields::fields(kind) {
        let (shape, name) = (words(*shape), format!("`{name}`"));
        match rows.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, names)) => names.push(name),
            None => rows.push((shape, vec![name])),
        }
    }
    rows.into_iter().map(|(shape, names)| format!("| {shape} | {} |\n", names.join(", "))).collect()
}

#[test]
fn the_page_of_records_tells_every_attribute_with_its_shape_and_limit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/records.md")).unwrap();
    for (title, kind) in [
        ("Customers", "customer"),
        ("Conversations", "conversation"),
        ("Messages", "message"),
        ("Notes", "note"),
        ("Companies", "company"),
        ("Instances of klasses", "kobject.order"),
        ("Users", "user"),
        ("Tags", "tag"),
    ] {
        let rows = rows(&RecordKind::try_from(kind.to_owned()).unwrap());
        let wanted = format!("### {title}\n\n| shape | attributes |\n| --- | --- |\n{rows}\n");
        assert!(page.contains(&wanted), "docs/records.md has to have this:\n{wanted}");
    }
}
