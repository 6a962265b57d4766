//! What works without a server, and what is said when there is none.

use std::{fs, net::TcpListener};

use domain::ApiKeySecret;
use serde_json::Value;

use crate::{hookwright, hookwright_reading};

const SOUND: &str = r#"{"name": "orders", "trigger": {"eventName": "kustomer.hooks.form.h.receive",
    "transitions": [{"target": "find", "condition": {"op": "true", "values": [true]}}]},
    "steps": [{"id": "find", "action": "kustomer.customer.find-by-email", "params": {"email": "a@example.com"}, "transitions": []}]}"#;

#[test]
fn a_sound_document_has_no_problems() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("orders.json"), SOUND).unwrap();
    let done = hookwright(dir.path(), &["workflows", "lint", "orders.json"]);
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "orders.json: no problems\n", ""));
}

#[test]
fn every_problem_is_told_with_its_path_and_code() {
    let dir = tempfile::tempdir().unwrap();
    let broken = SOUND.replace("find-by-email", "find-by-emial").replace(r#""target": "find""#, r#""target": "fnid""#);
    fs::write(dir.path().join("broken.json"), broken).unwrap();
    fs::write(dir.path().join("orders.json"), SOUND).unwrap();
    let done = hookwright(dir.path(), &["workflows", "lint", "broken.json", "orders.json"]);
    assert_eq!((done.code, done.err.as_str()), (6, ""), "{}", done.out);
    for told in [
        "broken.json: $.trigger.transitions[0].target: ",
        "(unknown_target)",
        "broken.json: $.steps[0].action: ",
        "(unknown_action)",
    ] {
        assert!(done.out.contains(told), "{told}: {}", done.out);
    }
    assert!(done.out.ends_with("orders.json: no problems\n"), "{}", done.out);

    let done = hookwright(dir.path(), &["workflows", "lint", "--json", "broken.json"]);
    let told: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((done.code, told[0]["file"].as_str()), (6, Some("broken.json")));
    let codes: Vec<&str> =
        told[0]["problems"].as_array().unwrap().iter().filter_map(|told| told["code"].as_str()).collect();
    assert!(codes.contains(&"unknown_action") && codes.contains(&"unknown_target"), "{codes:?}");
}

#[test]
fn lint_reads_standard_input_and_takes_what_is_no_json_for_a_problem() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(hookwright_reading(dir.path(), &["workflows", "lint", "-"], SOUND.as_bytes()).code, 0);
    let done = hookwright_reading(dir.path(), &["workflows", "lint", "-"], b"{\"name\": \x1b[31m}");
    assert_eq!(done.code, 6);
    assert!(done.out.starts_with("-: $: ") && !done.out.contains('\u{1b}'), "{}", done.out);
}

#[test]
fn the_answer_about_a_workflow_can_be_linted_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let answer = format!(r#"{{"data": {{"type": "workflow", "attributes": {SOUND}}}}}"#);
    assert_eq!(hookwright_reading(dir.path(), &["workflows", "lint", "-"], answer.as_bytes()).code, 0);
}

#[test]
fn a_new_key_comes_with_its_hash_and_org() {
    let dir = tempfile::tempdir().unwrap();
    let org = "581392b55ac7a2110099d9c8";
    let done = hookwright(dir.path(), &["keys", "new", "--org", org, "--json"]);
    let made: Value = serde_json::from_str(&done.out).unwrap();
    let (read_org, _, secret) = ApiKeySecret::read_token(made["token"].as_str().unwrap()).unwrap();
    assert_eq!((read_org.to_string().as_str(), made["org"].as_str()), (org, Some(org)));
    assert_eq!(made["hash"].as_str(), Some(secret.digest().as_str()));
}

#[test]
fn without_an_org_a_new_key_has_a_fresh_one_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second] = [(); 2].map(|()| hookwright(dir.path(), &["keys", "new"]));
    assert_eq!((first.code, first.err.as_str()), (0, ""));
    assert_ne!(first.out, second.out);
    let words: Vec<&str> = first.out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(words[..3], ["token", "org", "hash"]);
}

#[test]
fn where_nothing_answers_it_is_said_how_to_start_it() {
    let dir = tempfile::tempdir().unwrap();
    // The port was free a moment ago, and nothing listens there now.
    let url = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let done = hookwright(dir.path(), &["hooks", "ls", "--url", &url]);
    let sentence =
        format!("error: Nothing answers at {url}. Start it with `cargo run --release -- dev`, or pass --url.\n");
    assert_eq!((done.code, done.out.as_str(), done.err), (5, "", sentence));
}
