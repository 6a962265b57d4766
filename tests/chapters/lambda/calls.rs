//! Calls out of the executor's own binary: where the deployment allows it, and nowhere else.

use serde_json::{Value, json};
use tests::{
    lambda::{Deployment, Function, queue_event, variables},
    world::{always, workflow_of},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::BINARIES;

/// A service on this machine that gives everybody the same answer; its address.
async fn service() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 9\r\n\r\n{\"n\":1.0}").await;
        }
    });
    address
}

#[tokio::test]
async fn the_executor_calls_what_its_variable_allows() {
    let address = service().await;
    let deployment = Deployment::start(BINARIES).await;
    for (allowed, state, name) in
        [(address.as_str(), "succeeded", json!("1.0 201")), ("other.internal:80", "failed", Value::Null)]
    {
        let hook = deployment.new_hook().await;
        let params = json!({ "uri": format!("http://{address}/"), "method": "POST", "data": { "a": 1 } });
        let steps = json!([
            { "id": "call", "action": "kustomer.rest-api.json", "params": params, "transitions": always("keep") },
            { "id": "keep", "action": "kustomer.company.create", "params": { "name": "{{steps.call.body.n}} {{steps.call.response.statusCode}}" }, "transitions": [] },
        ]);
        let workflow =
            deployment.api("POST", "/v1/workflows", workflow_of(state, &hook.event, steps)).await.expect(201);
        deployment.post(&hook, "{}").await.expect(202);
        let messages = deployment.aws.take_messages();
        let mut given = variables(&deployment.aws);
        given.push(("HOOKWRIGHT_ALLOWED_DESTINATIONS".to_owned(), allowed.to_owned()));

        let executor = Function::start(BINARIES.executor, &given).await;
        let answer = executor.invoke(&queue_event(messages.iter().map(String::as_str))).await.unwrap();

        assert_eq!(answer, json!({ "batchItemFailures": [] }), "{allowed}: {}", executor.output());
        let runs = deployment.get(&format!("/v1/workflows/{}/runs", workflow.id())).await.expect(200);
        let id = runs.body["data"][0]["id"].as_str().unwrap();
        let run = deployment.get(&format!("/v1/runs/{id}")).await.expect(200);
        assert_eq!(run.attribute("state"), state, "{allowed}: {}", run.text);
        assert_eq!(run.attribute("steps")[2]["output"]["name"], name, "{allowed}");
    }
    let wrong = [("HOOKWRIGHT_ALLOWED_DESTINATIONS".to_owned(), "127.1".to_owned())];
    let end = Function::start(BINARIES.executor, &wrong).await.end().await;
    assert!(end.output.contains("HOOKWRIGHT_ALLOWED_DESTINATIONS is not a list"), "{end:?}");
}
