//! The format: what other systems export is taken unchanged, and the published schema says what is taken.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};
use tests::world::World;

/// What is wrong with a document in a way that a schema can tell.
const SHAPES: [&str; 8] = [
    "missing_field",
    "wrong_type",
    "empty_field",
    "bad_name",
    "too_long",
    "too_many_steps",
    "unknown_operator",
    "unknown_error_action",
];

fn repository(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn json_of(path: &str) -> Value {
    serde_json::from_str(&repository(path)).unwrap()
}

#[tokio::test]
async fn an_exported_workflow_is_imported_unchanged_and_runs() {
    let world = World::new().await;
    world.order_klass().await;
    let hook = world.form_hook().await;
    let exported = repository("tests/fixtures/exported-workflow.json").replace("{event}", &hook.event);
    let exported = exported.trim();
    let bearer = format!("Bearer {}", world.admin);
    let made =
        world.send("POST", "/v1/workflows", &[("authorization", &bearer)], exported.to_owned()).await.expect(201);
    assert_eq!(made.body.get("meta"), None, "an export is no cause for warnings: {}", made.text);
    let path = format!("/v1/workflows/{}", made.id());
    let given_back = world.get(&format!("{path}/export")).await.expect(200);
    assert_eq!(given_back.body, serde_json::from_str::<Value>(exported).unwrap());

    let order = json!({ "number": "A-17", "email": "Ann@Example.com", "name": "ann lee", "total": "150.00", "placedAt": "2026-11-20T09:30:00Z", "items": [{ "sku": "X", "count": 2 }, { "sku": "Y", "count": 1 }] });
    let transaction = world.arrive(&hook, order.clone()).await;
    let run = world.run_of(&transaction).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let order_of = |run: &Value| -> Vec<String> {
        run["steps"].as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(order_of(&run), ["1", "e_r_w7wx8", "8-gu8QS1s", "_S2DvZlsy", "kP3_dd9Qa", "zWxHwV21d"]);
    let customer = run["steps"][2]["output"]["id"].as_str().unwrap();
    let timeline = world.timeline(customer).await;
    let bodies: BTreeSet<&str> = timeline.iter().filter_map(|item| item["attributes"]["body"].as_str()).collect();
    assert!(bodies.contains("Order A-17 of Nov 20th 2026: X × 2, Y × 1. A large one."), "{timeline:#?}");

    // A second order of the same customer finds her, and a small one is not told of.
    let mut small = order;
    small["total"] = json!("15");
    let transaction = world.arrive(&hook, small).await;
    assert_eq!(order_of(&world.run_of(&transaction).await), ["1", "e_r_w7wx8", "_S2DvZlsy", "kP3_dd9Qa"]);
}

#[tokio::test]
async fn the_published_schema_is_the_one_that_is_served() {
    let world = World::new().await;
    let served = world.send("GET", "/v1/schemas/workflow.json", &[], "").await.expect(200);
    assert_eq!(served.body, json_of("docs/schemas/workflow.json"));
}

#[test]
fn the_published_schema_takes_what_is_taken_and_refuses_what_has_another_shape() {
    let schema = jsonschema::validator_for(&json_of("docs/schemas/workflow.json")).unwrap();
    let mut refused = 0;
    let table = json_of("tests/fixtures/documents.json");
    for group in table.as_array().unwrap() {
        for row in group["rows"].as_array().unwrap() {
            let mut document = row["document"].clone();
            let codes: Vec<&str> =
                row["errors"].as_array().unwrap().iter().map(|error| error[1].as_str().unwrap()).collect();
            // The table has an action of its own, and schemas do not know what events there are.
            let steps = document.pointer_mut("/steps").and_then(Value::as_array_mut);
            for step in steps.into_iter().flatten() {
                if step.get("action").is_some_and(|action| action == "flow.wait") {
                    step["action"] = Value::Null;
                }
            }
            let problems: Vec<String> =
                schema.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
            if codes.is_empty() {
                assert!(problems.is_empty(), "{}: {problems:#?}", row["about"]);
            } else if codes.iter().any(|code| SHAPES.contains(code)) {
                assert!(!problems.is_empty(), "{} {codes:?} is fine for the schema", row["about"]);
                refused += 1;
            }
        }
    }
    assert!(refused > 10, "{refused}");
    for name in ["tutorial-workflow.json", "exported-workflow.json"] {
        let document = json_of(&format!("tests/fixtures/{name}"));
        let problems: Vec<String> = schema.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}");
    }
}

#[test]
fn the_published_schema_knows_the_actions_their_params_and_the_operators() {
    let schema = json_of("docs/schemas/workflow.json");
    let actions = schema.pointer("/$defs/step/properties/action/oneOf/1/enum").unwrap().as_array().unwrap();
    let mut names: Vec<&str> = actions.iter().map(|name| name.as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, service::actions::catalogue().names());
    let keys = |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    for action in service::actions::descriptions() {
        let published = &schema["$defs"]["params"]["$defs"][&action.name];
        assert_eq!(keys(published), keys(&action.params), "{}", action.name);
        for word in ["required", "anyOf", "allOf"] {
            assert_eq!(published.get(word), action.params.get(word), "{} {word}", action.name);
        }
    }
    let operators: Vec<&str> = engine::condition::Operator::ALL.iter().map(|operator| operator.name()).collect();
    assert_eq!(schema["$defs"]["condition"]["properties"]["op"]["enum"], json!(operators));
    let openapi = service::http::openapi_document();
    assert_eq!(openapi["components"]["schemas"]["WorkflowCondition"]["properties"]["op"]["enum"], json!(operators));
}
