//! `hookwright workflows plan|apply|diff|export DIR`: what is wrong with a folder is told without a server, and what somebody
//! else does meanwhile is seen.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Done, hookwright, server::Server};

const NOWHERE: &str = "http://127.0.0.1:1";

/// A workflow that does nothing.
fn workflow(name: &str) -> Value {
    let way = json!([{"target": "end", "condition": {"op": "true", "values": [true]}}]);
    json!({"name": name, "trigger": {"eventName": "kustomer.customer.create", "transitions": way}, "steps": [{"id": "end", "transitions": []}]})
}

fn write(dir: &Path, file: &str, content: &[u8]) {
    let path = dir.join("shop").join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// A folder `shop` with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = TempDir::new().unwrap();
    for (file, content) in files {
        write(dir.path(), file, content);
    }
    dir
}

fn plan(dir: &TempDir) -> Done {
    hookwright(dir.path(), &["workflows", "plan", "shop", "--url", NOWHERE])
}

#[test]
fn every_fault_of_a_file_is_told_with_its_place_and_nothing_is_sent() {
    let sound = workflow("a").to_string();
    let named = |text: &str| sound.replace("kustomer.customer.create", text);
    let hook = |more: &str| format!(r#"{{"kind": "web", "title": "A"{more}}}"#);
    let rows: Vec<(&str, Vec<u8>, &str)> = vec![
        ("workflows/a.json", b"{\n  \"name\": }".to_vec(), "at line 2 column 11. (malformed_json)"),
        ("workflows/a.json", br#"{"name": "a", "name": "b"}"#.to_vec(), "$.name: This key comes more than once"),
        ("workflows/a.json", b"[]".to_vec(), "(not_an_object)"),
        ("workflows/a.json", b"{\"name\": \"\xff\"}".to_vec(), "byte 10 begins no character"),
        ("workflows/a.json", vec![b' '; 1_048_577], "(document_too_large)"),
        (
            "workflows/a.json",
            named("x ${hooks.b.id}").into_bytes(),
            "$.trigger.eventName: ${hooks.b.id} names no file: there is no hooks/b.json. (bad_placeholder)",
        ),
        ("workflows/a.json", named("${workflows.b.id}").into_bytes(), "there is no workflows/b.json"),
        ("workflows/a.json", named("${hooks.b.url}").into_bytes(), "`${hooks.b.url}` is no placeholder"),
        (
            "workflows/a.json",
            sound.replace("\"end\",", "\"end\", \"action\": \"kustomer.nothing.do\",").into_bytes(),
            "$.steps[0].action: There is no action",
        ),
        ("workflows/a b.json", sound.clone().into_bytes(), "(bad_name)"),
        ("workflows/a.yaml", b"name: a".to_vec(), "(unknown_file)"),
        ("workflows/b.test.yaml", b"cases: []".to_vec(), "There is no workflow b.json beside these tests of b."),
        ("hooks/a.json", br#"{"title": "A"}"#.to_vec(), "(unknown_kind)"),
        ("hooks/a.json", br#"{"kind": "web"}"#.to_vec(), "$.title: A hook needs a `title`"),
        (
            "hooks/a.json",
            hook(r#", "auth": {"secrets": ["s3cret"]}"#).into_bytes(),
            "$.auth.secrets: `secrets` is a secret",
        ),
        ("hooks/a.json", hook(r#", "auth": {"issuers": "x"}"#).into_bytes(), "$.auth.issuers: `auth` has no `issuers`"),
        (
            "hooks/a.json",
            hook(r#", "auth": {"scheme": "shopfy"}"#).into_bytes(),
            "$.auth.scheme: The scheme is one of ",
        ),
        (
            "hooks/a.json",
            hook(r#", "auth": {"scheme": 5}"#).into_bytes(),
            "$.auth.*: A setting of `auth` is of another type",
        ),
        ("hooks/a.json", hook(r#", "guard": {}"#).into_bytes(), "A hook of the kind web has no `guard`"),
        ("hooks/a.json", hook(r#", "debug": true"#).into_bytes(), "`debug` ends by itself"),
        ("hooks/a.json", hook(r#", "limit": {"requests": 0, "seconds": 1}"#).into_bytes(), "$.limit: "),
        (
            "hooks/a.json",
            hook(r#", "reply": {"status": 500}"#).into_bytes(),
            "$.reply: a reply's status is 200 to 299, or 303.",
        ),
        (
            "hooks/a.json",
            hook(r#", "description": "${hooks.a.id}""#).into_bytes(),
            "Placeholders stand in workflows only",
        ),
        ("klasses/a.json", br#"{"name": "b"}"#.to_vec(), "The file has to be called as its `name`: b.json."),
        (
            "klasses/a.json",
            br#"{"name": "a", "metadata": {"properties": {"x": {}}}}"#.to_vec(),
            "$.metadata.properties.x: ",
        ),
        ("klasses/a.json", br#"{"name": "a", "colour": "red"}"#.to_vec(), "A klass has no `colour`"),
        ("apps/a.json", br#"{"app": "a", "version": "1", "title": "A"}"#.to_vec(), "(bad_version)"),
    ];
    for (file, content, told) in rows {
        let dir = folder(&[(file, &content)]);
        let done = plan(&dir);
        assert_eq!((done.code, done.out.as_str()), (6, ""), "{file} {told}: {}", done.err);
        assert!(done.err.contains(told) && !done.err.contains("s3cret"), "{file} {told}: {}", done.err);
    }
}

#[test]
fn files_that_an_org_or_a_disk_could_not_tell_apart_are_refused() {
    let (hook, other) = (br#"{"kind": "form", "title": "A"}"#, br#"{"kind": "form", "title": " A "}"#);
    let (flow, same) = (workflow("a").to_string(), workflow("b").to_string());
    for (files, told) in [
        (
            [("hooks/a.json", &hook[..]), ("hooks/b.json", &other[..])],
            "shop/hooks/b.json: $.title: shop/hooks/a.json has the same",
        ),
        (
            [("workflows/a.json", flow.as_bytes()), ("workflows/c.json", flow.as_bytes())],
            "shop/workflows/c.json: $.name: shop/workflows/a.json has the same",
        ),
        (
            [("workflows/A.json", flow.as_bytes()), ("workflows/a.json", same.as_bytes())],
            "On some disks this is the same file",
        ),
    ] {
        let done = plan(&folder(&files));
        assert_eq!(done.code, 6);
        assert!(done.err.contains(told), "{told}: {}", done.err);
    }
}

#[cfg(unix)]
#[test]
fn links_and_folders_in_the_place_of_files_are_not_followed() {
    let dir = folder(&[("workflows/a.json/b.json", b"{}"), ("outside.json", workflow("b").to_string().as_bytes())]);
    std::os::unix::fs::symlink(dir.path().join("shop/outside.json"), dir.path().join("shop/workflows/b.json")).unwrap();
    std::os::unix::fs::symlink(dir.path().join("shop/workflows"), dir.path().join("shop/hooks")).unwrap();
    let done = plan(&dir);
    assert_eq!(done.code, 6);
    for told in [
        "a.json: $: This is no file of its own",
        "b.json: $: This is no file of its own",
        "shop/hooks: $: This has to be a folder",
    ] {
        assert!(done.err.contains(told), "{told}: {}", done.err);
    }
}

#[test]
fn a_file_has_at_most_a_megabyte_and_other_files_are_nobodys_business() {
    let mut at_limit = workflow("a").to_string().into_bytes();
    at_limit.resize(1_048_576, b' ');
    let dir = folder(&[
        ("workflows/a.json", &at_limit),
        ("workflows/README.md", b"# A"),
        ("workflows/.a.json.swp", b"x"),
        ("src/x.json", b""),
    ]);
    // It is past all checks, and nobody answers.
    assert_eq!(plan(&dir).code, 5);
}

#[test]
fn what_is_wrong_with_a_folder_is_told_for_programs_as_lint_tells_it() {
    let dir = folder(&[("workflows/a.json", b"{")]);
    let done = hookwright(dir.path(), &["workflows", "apply", "shop", "--json", "--url", NOWHERE]);
    let told: Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!((done.code, &told[0]["file"]), (6, &json!("shop/workflows/a.json")));
    assert_eq!(told[0]["problems"][0]["code"], "malformed_json");
}

#[test]
fn flags_and_folders_that_do_not_go_together_are_usage() {
    let dir = folder(&[
        ("workflows/a.json", workflow("a").to_string().as_bytes()),
        ("hooks/a.json", br#"{"kind": "form", "title": "A"}"#),
    ]);
    fs::create_dir(dir.path().join("empty")).unwrap();
    fs::write(dir.path().join("secrets.json"), r#"{"a": {"secrets": ["s3cret"]}}"#).unwrap();
    fs::write(dir.path().join("others.json"), r#"{"b": "s3cret"}"#).unwrap();
    fs::write(dir.path().join("broken.json"), r#"{"a": "s3cret" oops}"#).unwrap();
    for (words, told) in [
        (&["plan", "nowhere"][..], "cannot be read"),
        (&["plan", "empty"], "none of the folders klasses, apps, hooks, workflows"),
        (&["apply", "shop/workflows/a.json"], "is no folder"),
        (&["apply", "shop", "--yes"], "--prune"),
        (&["apply", "shop", "--secrets", "secrets.json"], "takes an object of turnstileSecret, recaptchaSecret"),
        (&["apply", "shop", "--secrets", "broken.json"], "no JSON at line 1, column "),
        (&["apply", "shop", "--secrets", "others.json"], "there is no hooks/b.json"),
        (&["diff", "shop", "--from", "1"], "--from and --to are for one workflow"),
        (&["diff", "w1", "--prune"], "goes with the folder of a project"),
        (&["export", "w1", "--force"], "goes with the folder of a project"),
    ] {
        let words: Vec<&str> = ["workflows"].iter().chain(words).chain(&["--url", NOWHERE]).copied().collect();
        let done = hookwright(dir.path(), &words);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{words:?}: {}", done.err);
        assert!(done.err.contains(told) && !done.err.contains("s3cret"), "{words:?}: {}", done.err);
    }
}

/// Applies a workflow that the org has in `rev` 1 when it is listed; then the server gives these answers.
fn apply_over(answers: &[(u16, Value)]) -> (Done, Vec<String>) {
    let dir = folder(&[("workflows/a.json", workflow("a").to_string().as_bytes())]);
    let resource =
        |rev: u64| json!({"id": "w1", "type": "workflow", "attributes": {"name": "a", "rev": rev, "trigger": {}}});
    let list = json!({"data": [resource(1)], "links": {"next": null}});
    let answers: Vec<(u16, String)> =
        [(200, list)].iter().chain(answers).map(|(status, body)| (*status, body.to_string())).collect();
    let answers: Vec<(u16, &str)> = answers.iter().map(|(status, body)| (*status, body.as_str())).collect();
    let server = Server::answering(&answers);
    let done = hookwright(dir.path(), &["workflows", "apply", "shop", "--url", &server.url]);
    (done, server.asked().into_iter().map(|asked| asked.line).collect())
}

#[test]
fn a_workflow_that_somebody_else_changed_meanwhile_is_not_written_over() {
    let now = |rev: u64| (200, json!({"data": {"id": "w1", "attributes": {"name": "a", "rev": rev}}}));
    let (done, asked) = apply_over(&[now(2)]);
    assert_eq!((done.code, asked.last().unwrap().as_str()), (1, "GET /v1/workflows/w1"));
    assert!(
        done.err.contains("was changed by somebody else") && done.err.contains("(changed_meanwhile)"),
        "{}",
        done.err
    );

    let (done, asked) = apply_over(&[now(1), now(2)]);
    assert_eq!((done.code, asked.last().unwrap().as_str()), (0, "PUT /v1/workflows/w1"));
    assert!(!done.out.contains("somebody else"), "{}", done.out);
    let (done, _) = apply_over(&[now(1), now(3)]);
    assert!(
        done.out.contains("somebody else changed it at the same moment; see `hookwright workflows versions w1`"),
        "{}",
        done.out
    );
}

#[test]
fn a_plan_for_programs_has_every_thing_and_a_diff_what_is_different() {
    let dir = folder(&[("workflows/a.json", workflow("a").to_string().as_bytes())]);
    let mut live = workflow("a");
    live["trigger"]["eventName"] = json!("kustomer.customer.update");
    let other = json!({"id": "w2", "attributes": {"name": "b", "rev": 1}});
    let list = json!({"data": [{"id": "w1", "attributes": live}, other], "links": {"next": null}}).to_string();
    for (verb, has_changes) in [("plan", false), ("diff", true)] {
        let server = Server::answering(&[(200, &list)]);
        let done = hookwright(dir.path(), &["workflows", verb, "./shop", "--json", "--url", &server.url]);
        let told: Value = serde_json::from_str(&done.out).unwrap();
        let attributes = &told["data"]["attributes"];
        assert_eq!((&told["data"]["type"], &attributes["pending"]), (&json!("project_plan"), &json!(1)));
        let mut item = json!({"part": "workflows", "name": "a", "file": "./shop/workflows/a.json", "id": "w1", "action": "update", "note": null});
        if has_changes {
            item["changes"] = json!([{"op": "replace", "path": "$.trigger.eventName", "before": "kustomer.customer.update", "after": "kustomer.customer.create"}]);
            item["leftOut"] = json!(0);
        }
        assert_eq!(attributes["items"][0], item);
        assert_eq!(
            (&attributes["items"][1]["action"], &attributes["items"][1]["file"]),
            (&json!("not_in_project"), &Value::Null)
        );
    }
}
