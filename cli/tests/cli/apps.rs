//! `hookwright apps`: from a definition in a file to the address that its hook has.

use std::fs;

use serde_json::json;

use crate::{hookwright, hookwright_reading, server::Server};

const DEFINITION: &str = include_str!("../../../tests/fixtures/ecommstore.json");

#[test]
fn a_definition_is_sent_as_it_is_in_its_file_and_its_warnings_are_told() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("ecommstore.json"), DEFINITION).unwrap();
    let warnings = json!([{"code": "not_used", "detail": "It does nothing.", "source": {"path": "$.commands"}}]);
    let answer =
        json!({"data": {"id": "ecommstore", "attributes": {"version": "0.0.1"}}, "meta": {"warnings": warnings}});
    let server = Server::answering(&[(201, &answer.to_string())]);
    let done = hookwright(dir.path(), &["apps", "register", "ecommstore.json", "--url", &server.url]);
    assert_eq!(
        (done.code, done.out.as_str()),
        (
            0,
            "Version 0.0.1 of the app ecommstore is registered. `hookwright apps install ecommstore` installs it, `apps upgrade ecommstore` where an earlier one is.\n\
             warning: $.commands: It does nothing. (not_used)\n"
        ),
        "{}",
        done.err
    );
    let asked = server.asked().pop().unwrap();
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("POST /v1/apps/available", DEFINITION));
}

#[test]
fn an_installed_app_shows_its_addresses_and_what_is_to_be_set() {
    let dir = tempfile::tempdir().unwrap();
    let app = json!({"data": {"id": "shop", "type": "app", "attributes": {
        "name": "shop", "displayName": "Shop", "source": "installed", "version": "0.0.1", "state": "installed", "events": [],
        "klasses": ["shop-order"], "missingSettings": ["default.apiKey"],
        "hooks": [{"id": "h1", "type": "form_hook", "eventName": "kustomer.app.shop.order", "url": "https://hooks.example/v1/hooks/form/o/h"}],
        "workflows": [{"id": "w1", "name": "orders"}],
    }}});
    for words in [&["apps", "install", "shop"][..], &["apps", "upgrade", "shop"], &["apps", "show", "shop"]] {
        let server = Server::answering(&[(200, &app.to_string())]);
        let done = hookwright(dir.path(), &[words, &["--url", &server.url]].concat());
        for told in ["0.0.1", "shop-order", "default.apiKey", "https://hooks.example/v1/hooks/form/o/h", "orders"] {
            assert!(done.out.contains(told), "{told}: {}{}", done.out, done.err);
        }
    }
}

#[test]
fn a_secret_is_read_from_a_file_and_is_text_whatever_it_looks_like() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::answering(&[(200, r#"{"data": {"id": "shop", "attributes": {}}}"#)]);
    let words = ["apps", "settings", "shop", "--secret", "default.apiKey=-", "--url", &server.url];
    let done = hookwright_reading(dir.path(), &words, b"12345\n");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(server.asked().pop().unwrap().body, r#"{"default":{"apiKey":"12345"}}"#);
}

#[test]
fn a_definition_is_linted_as_a_whole_without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(hookwright_reading(dir.path(), &["workflows", "lint", "-"], DEFINITION.as_bytes()).code, 0);
    let wrong =
        DEFINITION.replace("\"hooks\"", "\"hoks\"").replace("kustomer.company.create", "kustomer.company.creat");
    let done = hookwright_reading(dir.path(), &["workflows", "lint", "-"], wrong.as_bytes());
    assert_eq!(done.code, 6);
    for told in ["$.hoks", "(unknown_key)", "$.workflows[0].steps[0].action", "(unknown_action)"] {
        assert!(done.out.contains(told), "{told}: {}", done.out);
    }
}
