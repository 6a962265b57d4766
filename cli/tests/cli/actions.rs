//! `hookwright actions`: with a server and without one.

use serde_json::Value;

use crate::{hookwright, server::Server};

#[test]
fn without_a_server_the_actions_of_this_program_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let done = hookwright(dir.path(), &["actions", "ls", "--offline"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.starts_with("ACTION  "), "{}", done.out);
    assert_eq!(done.out.lines().count(), 1 + service_actions());

    let done = hookwright(dir.path(), &["actions", "ls", "--offline", "--grep", "TAGS"]);
    let names: Vec<&str> = done.out.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["kustomer.conversation.append-tags", "kustomer.conversation.remove-tags"]);
    let done = hookwright(dir.path(), &["actions", "ls", "--offline", "--grep", "explode"]);
    assert_eq!((done.code, done.out.as_str()), (0, "There is no such action.\n"));
}

/// How many actions `--json` lists.
fn service_actions() -> usize {
    let dir = tempfile::tempdir().unwrap();
    let done = hookwright(dir.path(), &["actions", "ls", "--offline", "--json"]);
    let document: Value = serde_json::from_str(&done.out).unwrap();
    document["data"].as_array().unwrap().len()
}

#[test]
fn an_action_is_shown_with_its_params_what_it_gives_and_an_example() {
    let dir = tempfile::tempdir().unwrap();
    let done = hookwright(dir.path(), &["actions", "show", "kustomer.conversation.append-tags", "--offline"]);
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    for told in [
        "kustomer.conversation.append-tags\n",
        "\nPARAM  NEEDED  TAKES",
        "\ntags   yes     a list or text",
        "\nGives the conversation as it is then.\n",
        "\nnot_found      A record that is named by its id is not there.\n",
        "\nFor example:\n{\n",
    ] {
        assert!(done.out.contains(told), "{told}: {}", done.out);
    }
    let done = hookwright(dir.path(), &["actions", "show", "kustomer.conversation.explode", "--offline"]);
    assert_eq!((done.code, done.out.as_str()), (3, ""));
    assert!(done.err.contains("actions ls --offline"), "{}", done.err);
}

#[test]
fn with_a_server_it_is_the_servers_word_that_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let one = r#"{"type": "action", "attributes": {"name": "a.b", "summary": "Does B.", "gives": "b",
        "params": {"properties": {"c": {"type": "string", "description": "The c."}}, "required": ["c"]},
        "output": {}, "failures": [], "example": {"params": {"c": "d"}, "output": {}}}}"#;
    let (list, single) = (format!(r#"{{"data": [{one}]}}"#), format!(r#"{{"data": {one}}}"#));
    let server = Server::answering(&[(200, &list), (200, &single)]);
    let ask = |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--url", &server.url, "--api-key", "hk_key"]).collect();
        hookwright(dir.path(), &words)
    };
    assert_eq!(ask(&["actions", "ls"]).out, "ACTION  DOES\na.b     Does B.\n");
    let shown = ask(&["actions", "show", "a.b"]).out;
    assert!(
        shown.starts_with("a.b\nDoes B.\n\nPARAM  NEEDED  TAKES  MEANS\nc      yes     text   The c.\n\nGives b.\n"),
        "{shown}"
    );
    let asked: Vec<String> = server.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(asked, ["GET /v1/actions", "GET /v1/actions/a.b"]);
}
