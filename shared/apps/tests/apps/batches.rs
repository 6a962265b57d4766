//! How a batch becomes single bodies, as rows of `cases/split.json`: the app whose rule cuts, the body, the pieces.

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    app: String,
    body: Value,
    /// `null` where the body is no batch.
    pieces: Option<Vec<Value>>,
}

#[test]
fn a_batch_becomes_bodies_of_the_same_shape() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../cases/split.json")).unwrap();
    for case in cases {
        let app = apps::find(&case.app).unwrap();
        assert_eq!(app.split(&case.body), case.pieces, "{}", case.name);
    }
}

#[test]
fn what_would_fill_the_memory_stays_whole() {
    let beside: Vec<Value> = vec![Value::Null; 1_000];
    let body =
        serde_json::json!({"entry": vec![serde_json::json!({"id": "1", "changes": [{}]}); 1_000], "beside": beside});
    assert_eq!(apps::find("meta").unwrap().split(&body), None);
}
