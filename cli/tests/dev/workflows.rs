//! What workflows do in local mode.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Dev, PATIENCE, refused};

#[test]
fn a_workflow_calls_this_machine_only_where_it_is_allowed_to() {
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = service.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for mut stream in service.incoming().map(Result::unwrap) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        }
    });
    for (flags, state) in [(&["--memory", "--allow-destination", &address][..], "succeeded"), (&["--memory"], "failed")]
    {
        let dev = Dev::start_with(flags, None);
        let (_, hook) = dev.api("POST", "/v1/hooks/form", &json!({ "title": "Orders" }));
        let attributes = &hook["data"]["attributes"];
        let workflow = json!({
            "name": "call", "trigger": { "eventName": attributes["eventName"], "id": "1", "transitions": [{ "target": "call", "condition": { "op": "true", "values": [true] } }] },
            "steps": [{ "id": "call", "action": "kustomer.rest-api.json", "params": { "uri": format!("http://{address}/") }, "transitions": [] }],
        });
        let (status, workflow) = dev.api("POST", "/v1/workflows", &workflow);
        assert_eq!(status, 201, "{workflow}");
        let path = attributes["url"].as_str().unwrap().trim_start_matches(&dev.url);
        assert_eq!(dev.api("POST", path, &json!({})).0, 202);
        let runs = format!("/v1/workflows/{}/runs?state={state}", workflow["data"]["id"].as_str().unwrap());
        assert!((0..PATIENCE).any(|_| dev.api("GET", &runs, &Value::Null).1["data"][0].is_object()), "{state}");
    }
    assert!(!refused(&["--allow-destination", "127.1"]).status.success());
}

#[test]
fn what_the_command_line_changes_starts_whoever_listens_once() {
    let state = TempDir::new().unwrap();
    let folder = state.path().to_str().unwrap().to_owned();
    let dev = Dev::start_with(&["--memory", "--state-dir", &folder], Some(state.path()));
    let way = json!([{ "target": "end", "condition": { "op": "true", "values": [true] } }]);
    let trigger = json!({ "eventName": "kustomer.customer.create", "transitions": way });
    let steps = json!([{ "id": "end", "transitions": [] }]);
    let (_, made) = dev.api("POST", "/v1/workflows", &json!({ "name": "hears", "trigger": trigger, "steps": steps }));
    let words = ["customers", "create", "--name", "Ann", "--url", &dev.url, "--state-dir", &folder];
    let done = Command::new(env!("CARGO_BIN_EXE_hookwright")).args(words).env_clear().output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let path = format!("/v1/workflows/{}/runs", made["data"]["id"].as_str().unwrap());
    let list = |_| dev.api("GET", &path, &Value::Null).1["data"].as_array().cloned().unwrap();
    let runs = (0..PATIENCE).map(list).find(|runs| !runs.is_empty()).expect("no run was started");
    assert_eq!(runs.len(), 1);
    let (_, run) = dev.api("GET", runs[0]["links"]["self"].as_str().unwrap(), &Value::Null);
    assert_eq!(run["data"]["attributes"]["steps"][0]["output"]["name"], "Ann");
}
