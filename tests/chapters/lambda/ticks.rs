//! The ticker on Lambda.

use domain::Timestamp;
use serde_json::json;
use tests::{
    lambda::{Deployment, now, tick_event},
    world::always,
};

use super::BINARIES;

#[tokio::test]
async fn a_tick_leaves_what_is_not_due_where_it_is() {
    let deployment = Deployment::start(BINARIES).await;
    let document = json!({
        "name": "waits",
        "trigger": { "callable": true, "transitions": always("wait") },
        "steps": [{ "id": "wait", "action": "flow.wait", "params": { "until": "/#steps.1.until" }, "transitions": [] }],
    });
    let workflow = deployment.api("POST", "/v1/workflows", document).await.expect(201).id();
    let until = Timestamp::parse(&now()).unwrap().plus_seconds(86_400);
    let path = format!("/v1/workflows/{workflow}/call?wait=0");
    let run = deployment.api("POST", &path, json!({ "inputs": { "until": until } })).await.expect(202).id();
    assert_eq!(deployment.work().await, [""; 0]);
    assert_eq!(deployment.get(&format!("/v1/runs/{run}")).await.attribute("state"), "waiting");
    let ticked = deployment.ticker.invoke(&tick_event()).await.unwrap();
    assert_eq!(ticked, json!({ "sent": 0, "hasMore": false }));
    assert_eq!(deployment.aws.take_messages(), [""; 0], "a wait of a day is no message");
}
