//! Calls of services: what a step says, what it leaves behind, and how often it is said.
//!
//! What may be reached is the adapter's to judge and tested there; here every service is in memory.

mod asking;
mod crashes;
mod failures;
mod params;
mod secrets;

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::{
    Executor,
    memory::{FixedWorld, MemoryCalls, MemoryStore},
    ports::{ANSWER_LIMIT_BYTES, Method, OutgoingCall, Redirects, Store},
};
use tests::world::{FormHook, NOON, World, always, workflow_of};

/// Where the service of most stories is.
pub(crate) const URL: &str = "https://api.example/orders";

/// A world that can call services, with one workflow on one hook.
pub(crate) struct Exchange {
    pub(crate) world: World,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) calls: Arc<MemoryCalls>,
    pub(crate) hook: FormHook,
    pub(crate) workflow: String,
}

impl Exchange {
    pub(crate) async fn with_steps(steps: Value) -> Self {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let world = World::over(store.clone(), clock).await;
        let hook = world.form_hook().await;
        let workflow = world.workflow(workflow_of("calls", &hook.event, steps)).await;
        let mut exchange = Self { world, store, calls: Arc::default(), hook, workflow };
        exchange.world.executor = exchange.executor_over(exchange.store.clone());
        exchange
    }

    /// One whose only step calls a service with these params.
    pub(crate) async fn with_params(params: Value) -> Self {
        Self::with_steps(json!([step(params, json!([]))])).await
    }

    /// A process over another store.
    pub(crate) fn executor_over(&self, store: Arc<dyn Store>) -> Executor {
        Executor::new(store, self.world.queue.clone(), self.world.clock.clone()).with_calls(self.calls.clone())
    }

    /// Has the service answer with this JSON.
    pub(crate) fn answer(&self, status: u16, body: &Value) {
        self.calls.answer(URL, status, &[("content-type", "application/json")], &body.to_string());
    }

    /// Posts `data` and gives the run that came of it.
    pub(crate) async fn run(&self, data: Value) -> Value {
        let transaction = self.world.arrive(&self.hook, data).await;
        self.world.run_of(&transaction).await
    }

    /// Posts `data` and gives the message on the queue.
    pub(crate) async fn message(&self, data: Value) -> String {
        self.world.post(&self.hook, data).await.expect(202);
        self.world.queue.receive(1, 60).remove(0).body
    }

    /// The only run of the workflow.
    pub(crate) async fn only_run(&self) -> Value {
        let runs = self.world.get(&format!("/v1/workflows/{}/runs", self.workflow)).await.expect(200);
        assert_eq!(runs.body["data"].as_array().unwrap().len(), 1);
        let id = runs.body["data"][0]["id"].as_str().unwrap().to_owned();
        self.world.get(&format!("/v1/runs/{id}")).await.expect(200).body["data"]["attributes"].clone()
    }

    /// The only call that was made.
    #[track_caller]
    pub(crate) fn only_call(&self) -> OutgoingCall {
        let mut made = self.calls.made();
        assert_eq!(made.len(), 1, "{made:?}");
        made.remove(0)
    }
}

/// A step `call` with these params.
pub(crate) fn step(params: Value, transitions: Value) -> Value {
    json!({ "id": "call", "action": "kustomer.rest-api.json", "params": params, "transitions": transitions })
}

/// The value of the call's header.
pub(crate) fn header_of(call: &OutgoingCall, name: &str) -> Option<String> {
    call.headers.iter().find(|header| header.name() == name).map(|header| header.value().to_owned())
}

#[track_caller]
fn text_of(call: &OutgoingCall) -> String {
    String::from_utf8(call.body.as_ref().unwrap().bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_step_calls_a_service_and_the_next_reads_what_it_answered() {
    let params = json!({
        "uri": "https://api.example/{{{steps.1.attributes.data.kind}}}",
        "method": "post",
        "headers": { "X-Order": "/#steps.1.attributes.data.order", "X-Shop": "shop {{steps.1.attributes.data.shop}}", "X-None": "/#steps.1.absent" },
        "qs": { "order": "/#steps.1.attributes.data.order", "tags": ["a b", 2, true], "none": null },
        "data": { "lines": "/#steps.1.attributes.data.lines", "total": "{{steps.1.attributes.data.total}}" },
        "json": true,
    });
    let steps = json!([
        step(params, always("keep")),
        { "id": "keep", "action": "kustomer.company.create", "params": { "name": "{{steps.call.body.id}} {{steps.call.response.statusCode}} {{steps.call.response.headers.x-rate}}" }, "transitions": [] },
    ]);
    let exchange = Exchange::with_steps(steps).await;
    let url = "https://api.example/orders?order=1234&tags=a%20b&tags=2&tags=true";
    let headers = [("content-type", "application/json; charset=utf-8"), ("x-rate", "9")];
    exchange.calls.answer(url, 201, &headers, r#"{"id": "o-1", "price": 12.50}"#);

    let data = json!({ "kind": "orders", "order": 1234, "shop": "Größe & Co", "lines": [{ "sku": "x", "n": 2 }], "total": 12.5 });
    let run = exchange.run(data).await;

    // A letter that no header can hold fails the step; see `params`.
    assert_eq!(run["error"]["code"], "wrong_header", "{run}");
    let data =
        json!({ "kind": "orders", "order": 1234, "shop": "A & B", "lines": [{ "sku": "x", "n": 2 }], "total": 12.5 });
    let run = exchange.run(data).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let call = exchange.only_call();
    assert_eq!((call.method, call.url.as_str(), call.redirects), (Method::Post, url, Redirects::Follow));
    assert_eq!(text_of(&call), r#"{"lines":[{"sku":"x","n":2}],"total":"12.5"}"#);
    let headers: Vec<(&str, String)> =
        call.headers.iter().map(|header| (header.name(), header.value().to_owned())).collect();
    let key = header_of(&call, "idempotency-key").unwrap();
    let expected = [
        ("x-order", "1234".to_owned()),
        ("x-shop", "shop A &amp; B".to_owned()),
        ("idempotency-key", key.clone()),
        ("accept", "application/json".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("hookwright-generation", "1".to_owned()),
    ];
    assert_eq!(headers, expected);
    let [_, id, visit] = key.split('/').collect::<Vec<_>>()[..] else { panic!("{key}") };
    assert_eq!((id, visit), ("call", "1"));
    let output = &run["steps"][1]["output"];
    let expected = r#"{"body":{"id":"o-1","price":12.50},"response":{"statusCode":201,"headers":{"content-type":"application/json; charset=utf-8","x-rate":"9"}}}"#;
    assert_eq!(output.to_string(), expected);
    assert_eq!(run["steps"][2]["output"]["name"], "o-1 201 9");
}

#[tokio::test]
async fn a_workflow_that_calls_the_hook_it_listens_to_ends_after_10_generations_and_says_why() {
    let params = json!({ "uri": URL, "method": "post", "data": {}, "headers": { "Hookwright-Generation": "0" } });
    let exchange = Exchange::with_params(params).await;
    exchange.answer(202, &json!({}));
    let mut run = exchange.run(json!({})).await;
    for generation in 1..=11 {
        assert_eq!(run["state"], "succeeded", "{generation}: {run}");
        let call = exchange.calls.made().pop().unwrap();
        assert_eq!(header_of(&call, "hookwright-generation"), Some(generation.to_string()));
        let headers: Vec<(&str, &str)> = call.headers.iter().map(|header| (header.name(), header.value())).collect();
        let sent = exchange.world.send("POST", &exchange.hook.path, &headers, text_of(&call)).await;
        let transaction = sent.expect(202).id();
        exchange.world.work().await;
        run = exchange.world.run_of(&transaction).await;
    }
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("lineage_too_deep")));
    assert!(run["error"]["message"].as_str().unwrap().contains("hookwright-generation"), "{run}");
    assert_eq!(exchange.calls.made().len(), 11);
    // What is no number is none.
    for header in ["-1", "x", "99999999999999999999", ""] {
        let headers = [("content-type", "application/json"), ("hookwright-generation", header)];
        let transaction = exchange.world.send("POST", &exchange.hook.path, &headers, "{}").await.expect(202).id();
        exchange.world.work().await;
        assert_eq!(exchange.world.run_of(&transaction).await["state"], "succeeded", "{header}");
    }
}

#[tokio::test]
async fn any_status_is_an_output_that_conditions_read() {
    for (status, target) in
        [(200, "fine"), (299, "fine"), (300, "not-fine"), (404, "not-fine"), (500, "not-fine"), (503, "not-fine")]
    {
        let over = |op: &str| json!({ "op": op, "values": ["/#steps.call.response.statusCode", 300] });
        let ways =
            json!([{ "target": "not-fine", "condition": over("gte") }, { "target": "fine", "condition": over("lt") }]);
        let end = |id: &str| json!({ "id": id, "action": "kustomer.company.create", "params": { "name": id }, "transitions": [] });
        let exchange =
            Exchange::with_steps(json!([step(json!({ "uri": URL }), ways), end("fine"), end("not-fine")])).await;
        exchange.answer(status, &json!({ "problem": "none" }));

        let run = exchange.run(json!({})).await;

        assert_eq!(run["state"], "succeeded", "{run}");
        assert_eq!(run["steps"][2]["id"], target, "{status}");
        assert_eq!(exchange.calls.made().len(), 1, "{status}: a status is no failure of the world");
    }
}

#[tokio::test]
async fn the_flag_and_the_action_say_what_a_body_is() {
    for (action, params, content_type, answer, said, body) in [
        ("json", json!({ "data": { "a": 1 } }), None, r#"{"b":[1]}"#, Some(r#"{"a":1}"#), json!({ "b": [1] })),
        ("json", json!({ "data": [1, "b"] }), None, "<p>", Some(r#"[1,"b"]"#), json!("<p>")),
        ("json", json!({ "data": {}, "method": "GET" }), None, "", None, Value::Null),
        ("json", json!({ "data": {}, "method": "POST" }), None, "", Some("{}"), Value::Null),
        ("json", json!({ "json": false }), None, r#"{"b":[1]}"#, None, json!(r#"{"b":[1]}"#)),
        ("json", json!({ "json": "false" }), None, "[1]", None, json!("[1]")),
        (
            "generic",
            json!({ "data": "<a>{{steps.1.attributes.data.x}}</a>" }),
            Some("text/plain; charset=utf-8"),
            "[1]",
            Some("<a>7</a>"),
            json!([1]),
        ),
        (
            "generic",
            json!({ "body": "a=b", "headers": { "Content-Type": "application/x-www-form-urlencoded" } }),
            Some("application/x-www-form-urlencoded"),
            "ok",
            Some("a=b"),
            json!("ok"),
        ),
        (
            "generic",
            json!({ "data": 12, "json": false }),
            Some("text/plain; charset=utf-8"),
            "{}",
            Some("12"),
            json!("{}"),
        ),
    ] {
        let mut params = params;
        params["uri"] = json!(URL);
        let action = format!("kustomer.rest-api.{action}");
        let exchange =
            Exchange::with_steps(json!([{ "id": "call", "action": action, "params": params, "transitions": [] }]))
                .await;
        exchange.calls.answer(URL, 200, &[], answer);

        let run = exchange.run(json!({ "x": 7 })).await;

        assert_eq!(run["steps"][1]["output"]["body"], body, "{run}");
        let call = exchange.only_call();
        assert_eq!(call.body.as_ref().map(|_| text_of(&call)).as_deref(), said, "{params}");
        if let Some(content_type) = content_type {
            assert_eq!(header_of(&call, "content-type").as_deref(), Some(content_type), "{params}");
        }
    }
}

#[tokio::test]
async fn each_visit_of_a_step_has_a_key_of_its_own_and_the_authors_goes_before_it() {
    let again = json!([{ "target": "again", "condition": { "op": "dne", "values": ["/#steps.again.id"] } }]);
    let steps = |params: Value| {
        json!([
            step(params, again.clone()),
            { "id": "again", "action": "kustomer.company.create", "params": { "name": "again" }, "transitions": always("call") },
        ])
    };
    let exchange = Exchange::with_steps(steps(json!({ "uri": URL }))).await;
    exchange.answer(200, &json!({}));
    assert_eq!(exchange.run(json!({})).await["state"], "succeeded");
    let keys: Vec<String> =
        exchange.calls.made().iter().map(|call| header_of(call, "idempotency-key").unwrap()).collect();
    assert_eq!(keys.len(), 2);
    assert!(keys[0].ends_with("/call/1") && keys[1].ends_with("/call/2"), "{keys:?}");

    let own = json!({ "uri": URL, "headers": { "Idempotency-Key": "order {{steps.1.attributes.data.order}}" } });
    let exchange = Exchange::with_steps(steps(own)).await;
    exchange.answer(200, &json!({}));
    exchange.run(json!({ "order": 7 })).await;
    assert!(exchange.calls.made().iter().all(|call| header_of(call, "idempotency-key").as_deref() == Some("order 7")));
}

#[tokio::test]
async fn a_key_holds_whatever_a_steps_id_is_made_of() {
    let steps = json!([{ "id": "größe %/\"x", "action": "kustomer.rest-api.json", "params": { "uri": URL }, "transitions": [] }]);
    let exchange = Exchange::with_steps(steps).await;
    exchange.answer(200, &json!({}));
    let run = exchange.run(json!({})).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    let key = header_of(&exchange.only_call(), "idempotency-key").unwrap();
    assert!(key.ends_with("/gr%C3%B6%C3%9Fe%20%25/%22x/1"), "{key}");
}

#[tokio::test]
async fn without_a_way_out_the_step_fails_and_says_so() {
    let mut exchange = Exchange::with_params(json!({ "uri": URL })).await;
    let store = exchange.store.clone();
    exchange.world.executor = Executor::new(store, exchange.world.queue.clone(), exchange.world.clock.clone());
    let run = exchange.run(json!({})).await;
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("failed"), &json!("rest_not_set_up")));
}

#[tokio::test]
async fn the_largest_answer_is_kept_and_goes_on_to_the_next_step() {
    // As JSON a quote takes two bytes, and the text has quotes around it.
    for (text, is_kept) in [
        ("a".repeat(ANSWER_LIMIT_BYTES), true),
        ("\"".repeat(ANSWER_LIMIT_BYTES - 1), true),
        ("\"".repeat(ANSWER_LIMIT_BYTES), false),
    ] {
        let keep = json!({ "id": "keep", "action": "kustomer.company.create", "params": { "name": "{{length steps.call.body}}" }, "transitions": [] });
        let exchange = Exchange::with_steps(json!([step(json!({ "uri": URL }), always("keep")), keep])).await;
        exchange.calls.answer(URL, 200, &[("content-type", "text/plain")], &text);
        let run = exchange.run(json!({})).await;
        match is_kept {
            true => assert_eq!(run["steps"][2]["output"]["name"], text.len().to_string(), "{}", run["error"]),
            false => assert_eq!(run["error"]["code"], "rest_answer_too_large"),
        }
    }
}
