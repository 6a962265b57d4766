//! Values of variables in calls: they go to the service, and nowhere else.

use domain::Failure;
use serde_json::{Value, json};
use service::ports::{NotCalled, Secrecy, Unavailable};
use tests::{
    sinks::{Canaries, Logs, all_answers},
    world::{always, workflow_of},
};

use super::{Exchange, URL, header_of, step};

/// An exchange whose workflow has one variable, and steps made of the variable's id.
async fn with_variable(secret: &str, steps: impl Fn(&str) -> Value) -> Exchange {
    let exchange = Exchange::with_steps(json!([{ "id": "begin", "transitions": [] }])).await;
    let draft = json!({ "name": "key", "value": secret });
    let path = format!("/v1/workflows/{}/variables", exchange.workflow);
    let variable = exchange.world.api("POST", &path, draft).await.expect(201).id();
    let document = workflow_of("calls", &exchange.hook.event, steps(&variable));
    exchange.world.api("PUT", &format!("/v1/workflows/{}", exchange.workflow), document).await.expect(200);
    exchange
}

#[tokio::test]
async fn a_header_or_body_with_a_value_in_it_or_made_of_one_is_marked_as_a_secret() {
    let secret = "s3cret-of-the-shop";
    for (value, is_secret) in [
        ("/#variables.ID", true),
        ("Bearer {{{variables.ID}}}", true),
        ("Basic {{base64 variables.ID}}", true),
        ("/#fn:toUpper,variables.ID", true),
        ("/#steps.earlier.body", true),
        ("{{toUpper steps.earlier.body}}", true),
        ("/#steps.1.attributes.data.x", false),
        ("plain", false),
    ] {
        let exchange = with_variable(secret, |id| {
            let earlier =
                json!({ "uri": "https://api.example/earlier", "headers": { "X-Key": format!("/#variables.{id}") } });
            let params = json!({ "uri": URL, "method": "POST", "headers": { "X-Key": value.replace("ID", id), "X-Other": "o" }, "data": { "k": value.replace("ID", id) } });
            json!([
                { "id": "earlier", "action": "kustomer.rest-api.json", "params": earlier, "transitions": always("call") },
                step(params, json!([])),
            ])
        })
        .await;
        exchange.calls.answer("https://api.example/earlier", 200, &[], secret);
        exchange.answer(200, &json!({}));
        let run = exchange.run(json!({ "x": "open" })).await;
        assert_eq!(run["state"], "succeeded", "{value}: {run}");
        let call = exchange.calls.made().pop().unwrap();
        let is_credential =
            |name: &str| call.headers.iter().find(|header| header.name() == name).unwrap().is_credential();
        assert_eq!((is_credential("x-key"), is_credential("x-other")), (is_secret, false), "{value}");
        assert_eq!(call.body.unwrap().secrecy == Secrecy::Secret, is_secret, "{value}");
    }
}

#[tokio::test]
async fn no_value_is_found_in_logs_the_store_the_queue_or_an_answer() {
    let mut canaries = Canaries::default();
    let secret = canaries.plant("variable");
    let logs = Logs::default();
    // With a single subscriber, a line that another thread comes to first is decided by that thread, which has none.
    let _second = tracing::Dispatch::new(logs.clone());
    let guard = tracing::subscriber::set_default(logs.clone());
    let down = || Unavailable { port: "calls", cause: format!("no certificate for {secret}.example") };
    let endings = [
        None,
        Some(NotCalled::NotSent(down())),
        Some(NotCalled::TimedOut(down())),
        Some(NotCalled::Broken(down())),
        Some(NotCalled::Refused(Failure::new("rest_destination_refused", format!("No {secret} here.")))),
    ];
    let mut found = Vec::new();
    for ending in endings {
        for headers in [
            json!({ "X-Key": "{{{variables.ID}}}", "Authorization": "/#variables.ID" }),
            json!({ "X-Key": "{{{variables.ID}}}\r\n" }),
        ] {
            let exchange = with_variable(&secret, |id| {
                let headers: Value = serde_json::from_str(&headers.to_string().replace("ID", id)).unwrap();
                let own = |text: &str| text.replace("ID", id);
                json!([step(json!({
                    "uri": own("https://api.example/{{{variables.ID}}}"), "method": "POST", "headers": headers, "qs": { "key": own("/#variables.ID") },
                    "data": { "key": own("/#variables.ID") },
                }), json!([]))])
            })
            .await;
            let url = format!("https://api.example/{secret}?key={secret}");
            if let Some(ending) = &ending {
                exchange.calls.script(&url, Err(ending.clone()));
            }
            exchange.calls.answer(&url, 200, &[], "fine");
            exchange.world.post(&exchange.hook, json!({})).await.expect(202);
            exchange.world.work_on(&exchange.world.executor).await;
            let is_secret =
                |partition: &str| partition.contains("#variables#") || partition.contains("#retired-values#");
            for item in exchange.store.items().iter().filter(|item| !is_secret(&item.key.partition)) {
                found.extend(canaries.in_text(&item.key.partition, &format!("{item:?}")));
            }
            for (place, text) in all_answers(&exchange.world).await {
                found.extend(canaries.in_text(&place, &text));
            }
            for call in exchange.calls.made() {
                found.extend(canaries.in_text("what is printed", &format!("{call:?} {:?}", call.headers)));
                assert!(call.url.contains(&secret) && header_of(&call, "x-key") == Some(secret.clone()));
            }
        }
    }
    found.extend(canaries.in_text("the log", &logs.text()));
    drop(guard);
    assert!(found.is_empty(), "{found:#?}");
    assert!(logs.text().contains("a step outside was not done"), "{}", logs.text());
}

#[tokio::test]
async fn what_a_service_repeats_of_a_value_is_masked_wherever_the_run_is_read() {
    let secret = "s3cret-of-the-shop";
    let exchange = with_variable(secret, |id| {
        let params = json!({ "uri": URL, "headers": { "X-Key": format!("/#variables.{id}") } });
        json!([step(params, always("again")), { "id": "again", "action": "kustomer.company.create", "params": { "name": "/#steps.call.body.echo" }, "transitions": [] }])
    })
    .await;
    let echo = json!({ "echo": format!("you said {secret}") }).to_string();
    exchange.calls.answer(URL, 200, &[("x-echo", secret), ("content-type", "application/json")], &echo);
    let run = exchange.run(json!({})).await;
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(!run.to_string().contains(secret), "{run}");
    assert_eq!(run["steps"][1]["output"]["response"]["headers"]["x-echo"], "••••••••", "{run}");
}
