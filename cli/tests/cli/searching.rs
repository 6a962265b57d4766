//! `hookwright runs search`: what is asked of the server, and what is told.

use serde_json::json;

use crate::{hookwright, server::Server};

fn runs(ids: &[&str], next: Option<&str>) -> String {
    let run = |id: &&str| json!({ "type": "run", "id": id, "attributes": { "state": "succeeded" } });
    let next = next.map(|after| format!("/v1/workflows/w1/runs?page=2&after={after}"));
    json!({ "data": ids.iter().map(run).collect::<Vec<_>>(), "links": { "next": next } }).to_string()
}

#[test]
fn every_workflow_is_looked_through_to_its_last_page() {
    let dir = tempfile::tempdir().unwrap();
    let workflows = json!({ "data": [{ "id": "w1" }, { "id": "w2" }], "links": { "next": null } }).to_string();
    let (first, second, third) = (runs(&[], Some("a1")), runs(&["r1"], None), runs(&["r2"], None));
    let server =
        Server::answering(&[(200, &workflows), (200, first.as_str()), (200, second.as_str()), (200, third.as_str())]);
    let words = ["runs", "search", "data.orderId=1234", "data.b=x y", "--from", "f"];
    let words: Vec<&str> = words.iter().copied().chain(["--url", &server.url, "--api-key", "hk_key"]).collect();
    let done = hookwright(dir.path(), &words);
    assert!(done.out.contains("r1") && done.out.contains("r2"), "{} {}", done.out, done.err);
    let lines: Vec<String> = server.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(
        lines,
        [
            "GET /v1/workflows?pageSize=100",
            "GET /v1/workflows/w1/runs?from=f&where=data%2EorderId%3D1234&where=data%2Eb%3Dx%20y",
            "GET /v1/workflows/w1/runs?from=f&after=a1&where=data%2EorderId%3D1234&where=data%2Eb%3Dx%20y",
            "GET /v1/workflows/w2/runs?from=f&where=data%2EorderId%3D1234&where=data%2Eb%3Dx%20y",
        ]
    );
}

#[test]
fn one_workflow_is_asked_alone_and_nothing_found_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    for (flag, told) in [(None, "No run was started by that.\n"), (Some("--json"), "{\n  \"data\": []\n}\n")] {
        let none = runs(&[], None);
        let server = Server::answering(&[(200, none.as_str())]);
        let words = ["runs", "search", "data.a=1", "--workflow", "w1", "--url", &server.url, "--api-key", "hk_key"];
        let words: Vec<&str> = words.iter().copied().chain(flag).collect();
        let done = hookwright(dir.path(), &words);
        assert_eq!(done.out, told, "{}", done.err);
        assert_eq!(server.asked()[0].line, "GET /v1/workflows/w1/runs?where=data%2Ea%3D1");
    }
}
