//! The explainer: what an expression or a condition gives, and why, asked over the API.

use domain::exact;
use serde_json::{Value, json};
use tests::{Answer, world::World};

const TABLES: [(&str, &str); 4] = [
    ("conditions", include_str!("../fixtures/conditions.json")),
    ("references", include_str!("../fixtures/references.json")),
    ("templates", include_str!("../fixtures/templates.json")),
    ("functions", include_str!("../fixtures/functions.json")),
];

/// What is asked, for what the tables give.
async fn evaluate(world: &World, asked: (&str, &Value), given: &Value) -> Answer {
    let part = |key: &str| given.get(key).cloned().unwrap_or_default();
    let request = exact::object([
        (asked.0, asked.1.clone()),
        ("steps", part("steps")),
        ("error", part("error")),
        ("variables", part("variables")),
        ("now", part("now")),
    ]);
    world.api("POST", "/v1/evaluate", request).await
}

/// Sets up what stands in the org and not in the request, and gives `table` with the ids that schedules have there.
async fn set_up(world: &World, table: &str) -> Value {
    let mut text = table.to_owned();
    let parsed = exact::parse(table).unwrap();
    for given in parsed.as_array().unwrap().iter().filter_map(|group| group.get("given")) {
        for (app, settings) in given["appSettings"].as_object().into_iter().flatten() {
            world.api("PUT", &format!("/v1/apps/{app}/settings"), settings.clone()).await.expect(200);
        }
        for schedule in given["schedules"].as_array().into_iter().flatten() {
            let mut draft = schedule.as_object().unwrap().clone();
            let id = draft.remove("id").unwrap();
            draft.insert("isDefault".to_owned(), json!(id == given["defaultSchedule"]));
            let made = world.api("POST", "/v1/schedules", Value::Object(draft)).await.expect(201);
            text = text.replace(id.as_str().unwrap(), &made.id());
        }
    }
    exact::parse(&text).unwrap()
}

#[tokio::test]
async fn every_row_of_the_tables_comes_out_over_the_api_as_it_says() {
    let world = World::new().await;
    let mut counts = Vec::new();
    for (name, table) in TABLES {
        let table = set_up(&world, table).await;
        let mut given = &Value::Null;
        let mut count = 0;
        for group in table.as_array().unwrap() {
            given = group.get("given").unwrap_or(given);
            for row in group["rows"].as_array().unwrap() {
                check(&world, name, given, row).await;
                count += 1;
            }
        }
        counts.push((name, count));
    }
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    assert!(all >= 600, "{counts:?}");
}

async fn check(world: &World, table: &str, given: &Value, row: &Value) {
    let kind = if row.get("condition").is_some() { "condition" } else { "expression" };
    let answer = evaluate(world, (kind, &row[kind]), given).await;
    let case = format!("{table}: {} {}", row[kind], answer.text);
    if let Some(code) = row.get("problem").or(row.get("fault")) {
        assert_eq!((answer.status, &json!(answer.code())), (400, code), "{case}");
        let source = answer.body["errors"][0]["source"]["path"].as_str().unwrap();
        assert!(source.starts_with(&format!("$.{kind}")), "{case}");
        return;
    }
    let attributes = &answer.expect(200).body["data"]["attributes"];
    let explanation = attributes["explanation"].as_array().unwrap();
    assert!(explanation.iter().all(|sentence| sentence.as_str().is_some_and(|text| text.len() > 3)), "{case}");
    match row.get("result") {
        None => {
            assert_eq!((&attributes["value"], &attributes["valueType"]), (&Value::Null, &json!("missing")), "{case}");
            assert!(!explanation.is_empty(), "{case}");
        }
        Some(expected) => {
            assert_eq!(attributes["value"].to_string(), expected.to_string(), "{case}");
            let value_type = match expected {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            };
            assert_eq!(attributes["valueType"], value_type, "{case}");
        }
    }
}

#[tokio::test]
async fn a_missing_path_is_told_by_the_segment_that_was_missing() {
    let world = World::new().await;
    let steps = json!({ "1": { "attributes": { "data": { "email": "ann@example.com" } } } });
    let asked = json!("/#steps.1.attributes.data.emial");
    let answer = evaluate(&world, ("expression", &asked), &json!({ "steps": steps })).await.expect(200);
    let expected = json!({ "data": { "type": "evaluation", "attributes": {
        "value": null,
        "valueType": "missing",
        "explanation": [
            "`/#steps.1.attributes.data.emial` is missing: `steps.1.attributes.data` has no `emial`. Did you mean `email`?",
        ],
    } } });
    assert_eq!(answer.body, expected);
}

#[tokio::test]
async fn params_are_resolved_at_every_depth_and_each_part_that_is_missing_is_told() {
    let world = World::new().await;
    let params = json!({ "to": ["/#steps.1.email", "/#steps.1.cc"], "data": { "total": "/#steps.1.total", "text": "Hi {{steps.1.name}}" } });
    let given = json!({ "steps": { "1": { "email": "a@example.com", "total": 5 } } });
    let answer = evaluate(&world, ("expression", &params), &given).await.expect(200);
    let attributes = &answer.body["data"]["attributes"];
    assert_eq!(attributes["value"], json!({ "to": ["a@example.com", null], "data": { "total": 5, "text": "Hi " } }));
    let told = attributes["explanation"].to_string();
    assert!(told.contains("`/#steps.1.cc` is missing") && told.contains("has no `name`"), "{told}");
}

#[tokio::test]
async fn a_condition_tells_each_cast_and_both_operands() {
    let world = World::new().await;
    let condition = json!({ "op": "gt", "values": ["/#steps.1.total", 100] });
    let given = json!({ "steps": { "1": { "total": "150" } } });
    let answer = evaluate(&world, ("condition", &condition), &given).await.expect(200);
    let attributes = &answer.body["data"]["attributes"];
    assert_eq!((&attributes["value"], &attributes["valueType"]), (&json!(true), &json!("boolean")));
    let told = attributes["explanation"].to_string();
    for part in ["/#steps.1.total", "150", "100", "number"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[tokio::test]
async fn a_question_that_is_none_is_refused_with_what_to_send() {
    let world = World::new().await;
    for (request, path) in [
        (json!({}), "$.expression"),
        (json!({ "expression": "x", "condition": { "op": "true", "values": [] } }), "$.expression"),
        (json!({ "expresion": "x" }), "$.expresion"),
        (json!({ "expression": "x", "steps": [] }), "$.steps"),
        (json!({ "expression": "x", "variables": "x" }), "$.variables"),
        (json!({ "expression": "x", "now": "yesterday" }), "$.now"),
        (json!({ "condition": { "op": "exist", "values": [1] } }), "$.condition.op"),
        (json!({ "condition": "/#steps.1" }), "$.condition"),
        (json!({ "expression": { "a": ["{{#if x}}"] } }), "$.expression.a[0]"),
    ] {
        let answer = world.api("POST", "/v1/evaluate", request.clone()).await.expect(400);
        assert_eq!(answer.body["errors"][0]["source"]["path"], path, "{request} {}", answer.text);
    }
    let unknown = world.api("POST", "/v1/evaluate", json!({ "expression": "/#fn:tolwer,steps.1" })).await.expect(400);
    assert_eq!(unknown.body["errors"][0]["meta"]["suggestion"], "toLower");
}

#[tokio::test]
async fn the_variables_of_a_workflow_are_not_read_and_made_up_ones_are_given_back() {
    let world = World::new().await;
    let workflow =
        world.workflow(tests::world::workflow_of("w", "kustomer.x", json!([{ "id": "a", "transitions": [] }])));
    let variable = json!({ "name": "key", "value": "obviously-fake-value" });
    let variable =
        world.api("POST", &format!("/v1/workflows/{}/variables", workflow.await), variable).await.expect(201);
    let reference = json!(format!("/#variables.{}", variable.id()));
    let answer = evaluate(&world, ("expression", &reference), &json!({ "steps": {} })).await.expect(200);
    assert_eq!(answer.body["data"]["attributes"]["valueType"], "missing");
    let mut made_up = json!({ "steps": {} });
    made_up["variables"] = json!({ variable.id(): "made up" });
    let answer = evaluate(&world, ("expression", &reference), &made_up).await.expect(200);
    assert_eq!(answer.body["data"]["attributes"]["value"], "made up");
}
