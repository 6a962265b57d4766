//! Actions: each of them in a real run, held against a table that anybody can extend.
//!
//! `fixtures/actions.json` says what is there before each row, by names: `{ann}` in a row is her id, and `{x*300}` is so many x.
//! `output` names what is looked at; `{}` is nothing at all, and `*` whatever there is.

mod limits;
mod merging;
mod stage;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use service::actions::{Description, description, descriptions};

use stage::{Stage, difference, table};

/// Codes that other tests speak of: those of mail in `mail_sending`, of calls in `rest`, of the run itself in `flow`, the rest in the files beside this one.
const TOLD_ELSEWHERE: [&str; 46] = [
    "too_many_keys",
    "too_many_merged",
    "too_many_relationships",
    "record_too_large",
    "too_many_recipients",
    "too_many_attachments",
    "mail_too_large",
    "attachment_gone",
    "mail_not_set_up",
    "unknown_outcome",
    "mail_not_sent",
    "quota_exceeded",
    "address_not_verified",
    "mail_rejected",
    "mail_from_not_verified",
    "template_not_found",
    "sending_paused",
    "sending_not_allowed",
    "rest_not_set_up",
    "rest_not_reached",
    "rest_timeout",
    "rest_no_answer",
    "rest_destination_refused",
    "rest_redirect_refused",
    "rest_too_many_redirects",
    "rest_answer_too_large",
    "rest_answer_compressed",
    "wrong_params",
    "wrong_duration",
    "wrong_time",
    "wait_too_long",
    "too_many_items",
    "nested_too_deep",
    "item_failed",
    "branch_failed",
    "results_too_large",
    "already_responded",
    "wrong_response",
    "response_too_large",
    "unknown_workflow",
    "workflow_disabled",
    "not_callable",
    "wrong_inputs",
    "inputs_too_large",
    "call_failed",
    "call_cancelled",
];

/// The actions that are tried one by one; those of the run itself need others beside them, and stand in `flow`.
fn tried_alone() -> impl Iterator<Item = &'static Description> {
    descriptions().iter().filter(|action| !action.name.starts_with("flow.") && !action.name.contains(".scheduler."))
}

fn rows() -> Vec<(&'static Description, Vec<Value>)> {
    let actions = table()["actions"].as_array().unwrap().clone();
    let row = |entry: &Value| {
        let name = entry["action"].as_str().unwrap();
        (description(name).unwrap_or_else(|| panic!("{name} is no action")), entry["rows"].as_array().unwrap().clone())
    };
    actions.iter().map(row).collect()
}

#[test]
fn every_action_has_rows_that_succeed_and_rows_that_do_not_and_every_failure_has_one() {
    let mut told: BTreeSet<&str> = TOLD_ELSEWHERE.into_iter().chain(["mail_refused"]).collect();
    let rows = rows();
    let names: Vec<&str> = rows.iter().map(|(action, _)| action.name.as_str()).collect();
    assert_eq!(names, tried_alone().map(|action| action.name.as_str()).collect::<Vec<_>>());
    for (action, rows) in &rows {
        let succeeds = |row: &&Value| row.get("output").is_some_and(|output| output != &json!({}));
        assert!(rows.iter().any(|row| succeeds(&row)), "{} has no row that succeeds", action.name);
        let cannot_fail = action.failures.is_empty();
        assert!(cannot_fail || !rows.iter().all(|row| succeeds(&row)), "{} has no row that does not", action.name);
        told.extend(rows.iter().filter_map(|row| row["failure"].as_str()).map(|code| {
            let declared = action.failures.iter().find(|(declared, _)| declared == code);
            declared.unwrap_or_else(|| panic!("{} does not say that it fails with {code}", action.name)).0.as_str()
        }));
    }
    let declared: BTreeSet<&str> =
        descriptions().iter().flat_map(|action| &action.failures).map(|(code, _)| code.as_str()).collect();
    assert_eq!(told, declared);
}

#[tokio::test]
async fn every_row_of_the_table_gives_what_it_says() {
    let mut wrong = Vec::new();
    for (action, rows) in rows() {
        let output = jsonschema::validator_for(&action.output).unwrap();
        let params = jsonschema::validator_for(&action.params).unwrap();
        for row in rows {
            let about = format!("{} {}", action.name, row["about"]);
            let stage = Stage::with(row["given"].as_array().map_or(&[][..], Vec::as_slice)).await;
            let given = stage.filled(&row["params"]);
            let step = stage.step(&action.name, &given).await;
            if let Some(code) = row["failure"].as_str() {
                if step["error"]["code"] != code {
                    wrong.push(format!("{about} is no {code}: {step}"));
                }
                continue;
            }
            let told = difference(&stage.filled(&row["output"]), &step["output"]);
            if let Some(told) = told {
                wrong.push(format!("{about}: {told}: {step}"));
            }
            let said = output.iter_errors(&step["output"]).map(|error| error.to_string());
            wrong.extend(said.map(|said| format!("{about} gives what its schema does not: {said}: {step}")));
            // What no record can have is given to see that it does no harm.
            let said = params.iter_errors(&given).map(|error| error.to_string()).filter(|_| row["output"] != json!({}));
            wrong.extend(said.map(|said| format!("{about} takes what its schema does not: {said}")));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_example_gives_what_it_says() {
    let mut wrong: BTreeMap<&str, Value> = BTreeMap::new();
    for action in tried_alone() {
        let stage = Stage::with(&[]).await;
        let step = stage.step(&action.name, &stage.without_doc_ids(&action.example.params)).await;
        let made = stage.with_doc_ids(&step["output"]);
        if made != action.example.output {
            wrong.insert(&action.name, made);
        }
    }
    assert!(wrong.is_empty(), "the outputs of these examples have to be:\n{}", json!(wrong));
}

#[tokio::test]
async fn every_example_is_saved_without_a_problem_or_a_warning() {
    let stage = Stage::with(&[]).await;
    for action in tried_alone() {
        let step = json!([{ "id": "step", "action": action.name, "params": action.example.params, "transitions": [] }]);
        let document = tests::world::workflow_of("example", &stage.hook.event, step);
        let answer = stage.world.api("POST", "/v1/workflows", document).await.expect(201);
        assert_eq!(answer.body.get("meta"), None, "{} {}", action.name, answer.text);
        let path = format!("/v1/workflows/{}", answer.id());
        stage.world.api("DELETE", &path, Value::Null).await.expect(204);
    }
}

#[tokio::test]
async fn the_api_tells_of_each_action() {
    let stage = Stage::with(&[]).await;
    let list = stage.world.get("/v1/actions").await.expect(200);
    let listed = list.body["data"].as_array().unwrap();
    assert_eq!(listed.len(), descriptions().len());
    assert_eq!(list.body["links"]["next"], Value::Null);
    let openapi = service::http::openapi_document();
    let schema = json!({ "$ref": "#/components/schemas/Action", "components": openapi["components"] });
    let schema = jsonschema::validator_for(&schema).unwrap();
    for action in listed {
        let path = action["links"]["self"].as_str().unwrap();
        let one = stage.world.get(path).await.expect(200);
        assert_eq!(&one.body["data"], action, "{path}");
        assert!(schema.is_valid(&one.body), "{path}");
    }
    assert_eq!(stage.world.get("/v1/actions/kustomer.customer.explode").await.expect(404).code(), "not_found");
}

#[tokio::test]
async fn a_literal_past_a_limit_is_refused_with_the_limit() {
    let stage = Stage::with(&[]).await;
    let (company, conversation) = ("kustomer.company.create", "kustomer.conversation.create");
    let name = |count: usize| json!({ "name": "x".repeat(count) });
    let urls = |count: usize| json!({ "name": "n", "urls": vec!["https://a.example"; count] });
    let priority = |number: i32| json!({ "customer": stage.id("ann"), "priority": number });
    for (action, taken, refused, told) in [
        (company, name(1_024), name(1_025), "at most 1024 characters"),
        (company, urls(200), urls(201), "at most 200 entries"),
        (conversation, priority(5), priority(6), "at most 5 here"),
        (conversation, priority(1), priority(0), "at least 1 here"),
    ] {
        let document = |name: &str, params: &Value| {
            let step = json!([{ "id": "step", "action": action, "params": params, "transitions": [] }]);
            tests::world::workflow_of(name, &stage.hook.event, step)
        };
        let answer = stage.world.api("POST", "/v1/workflows", document("refused", &refused)).await.expect(400);
        assert_eq!(answer.code(), "wrong_param");
        assert!(answer.text.contains(told), "{}", answer.text);
        let saved = stage.world.api("POST", "/v1/workflows", document("taken", &taken)).await.expect(201).id();
        stage.world.api("DELETE", &format!("/v1/workflows/{saved}"), Value::Null).await.expect(204);
    }
}

#[tokio::test]
async fn what_patterns_have_not_here_is_refused_with_a_sentence() {
    let stage = Stage::with(&[]).await;
    for (pattern, told) in [("a(?=b)", "look-ahead"), ("(?<!a)b", "look-behind"), ("(a)\\1", "backreferences")] {
        let params = json!({ "testString": "a", "regex": pattern });
        let step = stage.step("kustomer.regex-match.generic", &params).await;
        let message = step["error"]["message"].as_str().unwrap();
        assert!(message.contains(told) || message.contains("look-around"), "{message}");
    }
}

#[tokio::test]
async fn the_newest_message_of_a_run_is_the_newest_of_all_and_not_the_one_it_touched_last() {
    let stage = Stage::with(&[]).await;
    let steps = json!([
        { "id": "touch", "action": "kustomer.message.update", "params": { "id": stage.id("first"), "status": "sent" }, "transitions": tests::world::always("last") },
        { "id": "last", "action": "kustomer.message.find-last", "params": { "conversation": stage.id("conversation") }, "transitions": tests::world::always("made") },
        { "id": "made", "action": "kustomer.message.create", "params": { "conversation": stage.id("conversation"), "body": "Here" }, "transitions": tests::world::always("again") },
        { "id": "again", "action": "kustomer.message.find-last", "params": { "conversation": stage.id("conversation") }, "transitions": [] },
    ]);
    let run = stage.run(steps, json!({})).await;
    assert_eq!(run["steps"][2]["output"]["id"], stage.id("message"), "{run:#}");
    assert_eq!(run["steps"][4]["output"]["body"], "Here");
}

#[tokio::test]
async fn a_command_and_an_event_start_the_workflows_that_listen() {
    let stage = Stage::with(&[]).await;
    for (action, params, event) in [
        ("kustomer.command.run-by-name", json!({ "name": "refund", "params": { "n": 7 } }), "kustomer.command.refund"),
        ("kustomer.event.publish", json!({ "name": "shop.paid", "data": { "n": 7 } }), "shop.paid"),
    ] {
        let steps = json!([{ "id": "note", "action": "kustomer.note.create", "params": { "customer": stage.id("bea"), "body": "/#steps.1.n" }, "transitions": [] }]);
        stage.world.workflow(tests::world::workflow_of(event, event, steps)).await;
        let published = stage.step(action, &params).await;
        assert_eq!(published["output"]["name"], event);
        let transaction = published["output"]["id"].as_str().unwrap();
        assert_eq!(stage.world.run_of(transaction).await["steps"][1]["output"]["body"], "7");
    }
    assert_eq!(stage.world.timeline(&stage.id("bea")).await.len(), 2);
}

#[tokio::test]
async fn two_runs_that_make_one_customer_at_once_make_one() {
    let stage = Stage::with(&[]).await;
    let steps = json!([{ "id": "make", "action": "kustomer.customer.create", "params": { "email": "/#steps.1.attributes.data.email", "phone": "+1 555 0190" }, "transitions": [] }]);
    stage.world.workflow(tests::world::workflow_of("make", &stage.hook.event, steps)).await;
    for email in ["new@example.com", "NEW@example.com"] {
        stage.world.post(&stage.hook, json!({ "email": email })).await.expect(202);
    }
    let messages: Vec<String> = stage.world.queue.receive(10, 60).into_iter().map(|delivery| delivery.body).collect();
    // Each call waits for a turn, so both have seen that nobody has the address before one of them writes.
    let (one, other) = (stage.executor_in_turns(), stage.executor_in_turns());
    let (first, second) = tokio::join!(one.execute(&messages[0]), other.execute(&messages[1]));
    first.unwrap();
    second.unwrap();

    assert_eq!(stage.world.customers().await.len(), 3);
    let made = stage.world.get("/v1/customers/email=new@example.com").await.expect(200).id();
    assert_eq!(stage.world.get("/v1/customers/phone=15550190").await.status, 404);
    assert_eq!(stage.world.get("/v1/customers/phone=%2B15550190").await.expect(200).id(), made);
    let mut codes = Map::new();
    for message in &messages {
        let message: Value = serde_json::from_str(message).unwrap();
        let id = message["transaction"]["id"].as_str().unwrap();
        let run = stage.world.run_of(id).await;
        codes.insert(run["state"].as_str().unwrap().to_owned(), run["error"]["code"].clone());
    }
    assert_eq!(Value::Object(codes), json!({ "succeeded": null, "failed": "email_taken" }));
}
