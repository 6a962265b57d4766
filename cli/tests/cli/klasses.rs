//! `hookwright klasses`.

use serde_json::{Value, json};

use crate::{hookwright, hookwright_reading, server::Server};

#[test]
fn new_attributes_stand_beside_those_a_klass_has() {
    let dir = tempfile::tempdir().unwrap();
    let before = r#"{"data":{"attributes":{"metadata":{"v":1,"properties":{"orderIDStr":{"displayName":"Old","hidden":true}}}}}}"#;
    let server = Server::answering(&[(200, before), (200, before)]);
    let words = [
        "klasses",
        "update",
        "order",
        "--attribute",
        "orderIDStr=New",
        "--attribute",
        "shippedAt=Shipped",
        "--url",
        &server.url,
    ];
    assert_eq!(hookwright(dir.path(), &words).code, 0);
    let asked = server.asked();
    assert_eq!((asked[0].line.as_str(), asked[1].line.as_str()), ("GET /v1/klasses/order", "PUT /v1/klasses/order"));
    let sent: Value = serde_json::from_str(&asked[1].body).unwrap();
    assert_eq!(
        sent,
        json!({"metadata": {"v": 1, "properties": {"orderIDStr": {"displayName": "New", "hidden": true}, "shippedAt": {"displayName": "Shipped"}}}})
    );
}

#[test]
fn a_klass_can_be_made_from_a_document() {
    let document = br#"{"name": "order"}"#;
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(201, r#"{"data":{"attributes":{"name":"order"}}}"#)]);
    let done = hookwright_reading(dir.path(), &["klasses", "create", "-", "--url", &server.url], document);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(server.asked()[0].body.as_bytes(), document);
}
