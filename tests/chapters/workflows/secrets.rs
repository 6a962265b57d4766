//! Values of variables: what is made of them, what they were before, and what quotes a part of them is masked like they are.

use serde_json::{Value, json};
use tests::world::{World, always, workflow_of};

const SECRET: &str =
    "user:Sup3r&Secret<Pass>\"0123456789 obviously fake and longer than what any sentence quotes of a text";

/// The run of a workflow with one variable, whose steps are made of the variable's id.
async fn run_with(world: &World, secret: &str, steps: impl Fn(&str) -> Value) -> (String, String, Value) {
    let hook = world.form_hook().await;
    let first = json!([{ "id": "begin", "transitions": [] }]);
    let workflow = world.workflow(workflow_of("uses", &hook.event, first)).await;
    let draft = json!({ "name": "key", "value": secret });
    let variable = world.api("POST", &format!("/v1/workflows/{workflow}/variables"), draft).await.expect(201).id();
    let document = workflow_of("uses", &hook.event, steps(&variable));
    world.api("PUT", &format!("/v1/workflows/{workflow}"), document).await.expect(200);
    let transaction = world.arrive(&hook, json!({})).await;
    let run = world.run_of(&transaction).await;
    (workflow, variable, run)
}

#[tokio::test]
async fn whatever_a_condition_makes_of_a_value_is_told_as_a_mask() {
    for made in [
        "/#variables.ID",
        "{{variables.ID}}",
        "/#fn:base64,variables.ID",
        "/#fn:toUpper,variables.ID",
        "/#fn:split,variables.ID,:",
        "/#fn:substring,variables.ID,0,30",
        "/#fn:encodeURIComponent,variables.ID",
    ] {
        let world = World::new().await;
        let (_, _, run) = run_with(&world, SECRET, |id| {
            let condition = json!({ "op": "eq", "values": [made.replace("ID", id), "nope"] });
            json!([{ "id": "a", "transitions": [{ "target": "b", "condition": condition }] }, { "id": "b", "transitions": [] }])
        })
        .await;
        let verdict = &run["steps"][1]["transition"]["conditions"][0]["verdict"];
        assert_eq!(verdict["values"], json!(["••••••••", "nope"]), "{made}: {run}");
        assert!(!run.to_string().to_lowercase().contains("sup3r"), "{made}: {run}");
    }
}

#[tokio::test]
async fn what_a_later_step_makes_of_an_output_with_a_value_in_it_is_masked_in_its_input() {
    let world = World::new().await;
    let (_, _, run) = run_with(&world, "supersecretvalue1234", |id| {
        json!([
            { "id": "a", "action": "kustomer.company.create", "params": { "name": format!("n {{{{variables.{id}}}}}") }, "transitions": always("b") },
            { "id": "b", "action": "kustomer.note.create", "params": { "customer": "x", "body": "{{toUpper steps.a.name}}" }, "transitions": [] },
        ])
    })
    .await;
    assert_eq!(run["steps"][2]["input"]["body"], "N ••••••••", "{run}");
    assert!(!run.to_string().to_lowercase().contains("supersecret"), "{run}");
}

#[tokio::test]
async fn a_failure_that_quotes_a_part_of_a_value_is_told_without_it() {
    for (action, params) in [
        ("kustomer.customer.update", json!({ "id": "/#variables.ID" })),
        ("kustomer.company.create", json!({ "name": "x", "custom": { "ageNum": "/#variables.ID" } })),
        ("kustomer.company.create", json!({ "name": "x", "custom": { "siteUrl": "/#variables.ID" } })),
        ("kustomer.kobject.create", json!({ "klassName": "/#variables.ID", "title": "t" })),
        ("kustomer.app.mail.send", json!({ "to": "/#variables.ID", "subject": "s", "text": "t" })),
    ] {
        let world = World::new().await;
        let (_, _, run) = run_with(&world, SECRET, |id| {
            let params: Value = serde_json::from_str(&params.to_string().replace("ID", id)).unwrap();
            json!([{ "id": "a", "action": action, "params": params, "transitions": [] }])
        })
        .await;
        assert_eq!(run["state"], "failed", "{run}");
        let told = run.to_string();
        assert!(!told.contains("Sup3r") && !told.contains("user:S"), "{action}: {told}");
        assert!(run["error"]["message"].as_str().unwrap().ends_with('.'), "{run}");
    }
}

#[tokio::test]
async fn what_a_run_put_out_stays_masked_after_the_value_was_changed_and_deleted() {
    let world = World::new().await;
    let (workflow, variable, run) = run_with(&world, "first-value-1234", |id| {
        json!([{ "id": "a", "action": "kustomer.company.create", "params": { "name": format!("/#variables.{id}") }, "transitions": [] }])
    })
    .await;
    let path = format!("/v1/workflow-variables/{variable}");
    let transaction = run["transactionId"].as_str().unwrap().to_owned();
    let output = || async { world.run_of(&transaction).await["steps"][1]["output"]["name"].clone() };
    assert_eq!(output().await, "••••••••");
    world.api("PUT", &path, json!({ "value": "second-value-1234" })).await.expect(200);
    assert_eq!(output().await, "••••••••", "the value was changed");
    world.api("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(output().await, "••••••••", "the variable was deleted");
    world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
    assert_eq!(output().await, "••••••••", "the workflow was deleted");
}

#[tokio::test]
async fn what_led_nowhere_is_told_without_the_value_it_was_looked_for_in() {
    let world = World::new().await;
    let (_, _, run) = run_with(&world, "supersecret-1,supersecret-2", |id| {
        let name = format!("{{{{#with variables.{id}}}}}{{{{token}}}}{{{{/with}}}}{{{{#each (split variables.{id} ',')}}}}{{{{x}}}}{{{{/each}}}}n");
        json!([{ "id": "a", "action": "kustomer.company.create", "params": { "name": name }, "transitions": [] }])
    })
    .await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(run["steps"][1]["missing"][0].is_string() && !run.to_string().contains("supersecret"), "{run}");
}

#[tokio::test]
async fn what_a_condition_makes_of_an_output_with_a_value_in_it_and_what_is_cut_of_one_are_masked() {
    let world = World::new().await;
    let key = "k3y-Of-Three-Thousand-Bytes-".repeat(110);
    let (_, _, run) = run_with(&world, &key, |id| {
        let body = format!("{{{{{{variables.{id}}}}}}} {{{{{{variables.{id}}}}}}} {{{{{{variables.{id}}}}}}}");
        let conditions = json!([
            { "op": "eq", "values": ["/#fn:toUpper,steps.a.body", "x"] },
            { "op": "eq", "values": ["/#steps.a.body", "x"] },
            { "op": "eq", "values": ["{{steps.a.body}}", "x"] },
        ]);
        json!([
            { "id": "who", "action": "kustomer.customer.create", "params": { "name": "n" }, "transitions": always("a") },
            { "id": "a", "action": "kustomer.note.create", "params": { "customer": "/#steps.who.id", "body": body },
              "transitions": [{ "target": "b", "condition": { "op": "or", "values": conditions } }] },
            { "id": "b", "transitions": [] },
        ])
    })
    .await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(!run.to_string().to_lowercase().contains("k3y-of-"), "{run}");
}
