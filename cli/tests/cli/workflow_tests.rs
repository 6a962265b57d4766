//! `hookwright workflows test`: whole folders, as their authors write them.

mod failures;
mod files;
mod golden;
mod time;

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Done, hookwright};

/// A folder with one form hook, `orders`, and the klass `order`.
pub(crate) struct Shop(TempDir);

impl Shop {
    pub(crate) fn new() -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        shop.file("hooks/orders.json", r#"{"kind": "form", "title": "Orders"}"#);
        let klass =
            json!({ "name": "order", "metadata": { "properties": { "numberStr": { "displayName": "Number" } } } });
        shop.file("klasses/order.json", &klass.to_string());
        shop
    }

    /// One with the workflow `orders`, and these tests of it.
    pub(crate) fn with_orders(tests: &str) -> Self {
        let shop = Self::new();
        shop.workflow("orders", &orders());
        shop.file("workflows/orders.test.yaml", tests);
        shop
    }

    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn workflow(&self, name: &str, document: &Value) {
        self.file(&format!("workflows/{name}.json"), &document.to_string());
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    /// `hookwright workflows test` in the folder, with these words behind.
    pub(crate) fn test(&self, words: &[&str]) -> Done {
        let words: Vec<&str> = ["workflows", "test"].iter().chain(words).copied().collect();
        hookwright(self.0.path(), &words)
    }

    /// Every case passes.
    #[track_caller]
    pub(crate) fn passes(&self) {
        let done = self.test(&[]);
        assert!(done.code == 0 && done.err.is_empty(), "{}\n{}", done.out, done.err);
    }
}

/// What a form hook called `name` fires.
pub(crate) fn event(name: &str) -> String {
    format!("kustomer.hooks.form.${{hooks.{name}.id}}.receive")
}

/// A workflow over the event with these steps behind an always open way to the first.
pub(crate) fn workflow(name: &str, event: &str, steps: Value) -> Value {
    let first = steps[0]["id"].clone();
    json!({ "name": name, "trigger": { "eventName": event, "transitions": [way(first.as_str().unwrap())] }, "steps": steps })
}

/// A way that is always open.
pub(crate) fn way(target: &str) -> Value {
    json!({ "target": target, "condition": { "op": "true", "values": [true] } })
}

fn way_if(target: &str, op: &str, values: Value) -> Value {
    json!({ "target": target, "condition": { "op": op, "values": values } })
}

/// Finds or makes the customer, has the order shipped, and thanks for it.
pub(crate) fn orders() -> Value {
    let found = json!(["/#steps.find.id"]);
    let status = json!(["/#steps.ship.response.statusCode", 300]);
    let carrier = json!({
        "uri": "https://api.carrier.example/shipments", "method": "post",
        "data": { "order": "/#steps.1.attributes.data.number" }
    });
    let thanks = json!({
        "to": "/#steps.1.attributes.data.email", "subject": "Order {{{steps.1.attributes.data.number}}}",
        "text": "It is on its way as {{{steps.ship.body.id}}}."
    });
    workflow(
        "Orders",
        &event("orders"),
        json!([
            { "id": "find", "action": "kustomer.customer.find-by-email", "params": { "email": "/#steps.1.attributes.data.email" },
              "transitions": [way_if("ship", "exists", found.clone()), way_if("create", "dne", found)] },
            { "id": "create", "action": "kustomer.customer.create", "params": { "email": "/#steps.1.attributes.data.email" },
              "transitions": [way("ship")] },
            { "id": "ship", "action": "kustomer.rest-api.json", "params": carrier, "transitions": [way_if("thanks", "lt", status)] },
            { "id": "thanks", "action": "kustomer.app.mail.send", "params": thanks, "transitions": [] },
        ]),
    )
}

#[test]
fn a_case_says_what_is_given_what_happens_and_what_has_to_be() {
    let shop = Shop::with_orders(
        r#"
cases:
  - name: a new customer is made, and thanked
    hook: orders
    data: &order {number: "1001", email: ann@example.com, total: 12.50}
    mocks: &carrier
      - method: post
        url: https://api.carrier.example/*
        status: 201
        body: {id: s-1}
    expect:
      state: succeeded
      path: [find, create, ship, thanks]
      outputs:
        "1": {attributes: {data: {total: 12.5}}}
        find: {$exact: {}}
        ship: {response: {statusCode: 201}, body: {id: {$contains: s-}}}
      records:
        customers: {count: 1, include: [{email: ann@example.com}]}
      calls:
        - {method: POST, url: "https://api.carrier.example/shipments", body: {order: "1001"}}
      mails:
        - {to: ann@example.com, subject: Order 1001, text: as s-1}
      answer: {status: 202, body: {data: {type: transaction}}}
  - name: a known one is found
    given:
      records:
        customers:
          - {as: ann, email: ann@example.com, name: Ann}
        klasses/order:
          - {title: Order 1000, customer: "${records.ann.id}", custom: {numberStr: "1000"}}
        notes:
          - {customer: "${records.ann.id}", body: Likes parcels.}
    hook: orders
    data: *order
    mocks: *carrier
    expect:
      path: [find, ship, thanks]
      outputs: {find: {id: "${records.ann.id}", name: Ann}}
      records:
        customers: 1
        klasses/order: [{customer: "${records.ann.id}", custom: {numberStr: "1000"}}]
        notes: [{body: {$contains: parcels}}]
  - name: a carrier that does not want it ends the run without a mail
    hook: orders
    data: *order
    mocks: [{url: "*", status: 422, body: no}]
    expect: {state: succeeded, path: [find, create, ship], calls: 1, mails: 0}
"#,
    );
    let done = shop.test(&[]);
    let expected = "\
workflows/orders.test.yaml
  ok    a new customer is made, and thanked
  ok    a known one is found
  ok    a carrier that does not want it ends the run without a mail

3 cases: 3 passed, 0 failed
";
    assert_eq!((done.out.as_str(), done.err.as_str(), done.code), (expected, "", 0));
}

#[test]
fn the_same_tests_give_the_same_bytes_wherever_they_run() {
    let tests = "cases: [{name: one, hook: orders, data: {email: a@example.com}, mocks: [{url: '*'}], expect: {state: failed}}]";
    let told = || {
        let shop = Shop::with_orders(tests);
        let done = shop.test(&["--json", "--junit", "results.xml"]);
        (done.code, done.out, shop.read("results.xml"))
    };
    let (first, again) = (told(), told());
    assert_eq!(first, again);
    let (_, out, junit) = first;
    let document: Value = serde_json::from_str(&out).unwrap();
    let case = &document["files"][0]["cases"][0];
    assert_eq!((&document["failed"], &case["outcome"]), (&json!(1), &json!("failed")));
    assert_eq!(case["failures"][0]["part"], "state");
    assert_eq!(case["runs"][0]["path"], json!(["find", "create", "ship", "thanks"]));
    assert_eq!(case["runs"][0]["id"].as_str().map(str::len), Some(24));
    assert!(junit.contains("<testsuites name=\"hookwright\" tests=\"1\" failures=\"1\">"), "{junit}");
}

#[test]
fn what_happens_comes_by_the_door_that_is_named() {
    let shop = Shop::new();
    shop.file(
        "hooks/shop.json",
        r#"{"kind": "web", "title": "Shop", "auth": {"scheme": "shopify", "secrets": ["not here"]}}"#,
    );
    shop.file("hooks/store.json", r#"{"kind": "web", "title": "Store"}"#);
    shop.file("hooks/post.json", r#"{"kind": "email", "title": "Post"}"#);
    let name_of = |event: &str| {
        let steps = json!([{ "id": "name", "action": "kustomer.customer.create", "params": { "name": "/#steps.1.attributes.data.name" }, "transitions": [] }]);
        workflow(event, event, steps)
    };
    for (file, event) in [
        ("posted", event("orders")),
        ("signed", "kustomer.hooks.web.${hooks.shop.id}.receive".to_owned()),
        ("keyed", "kustomer.hooks.web.${hooks.store.id}.receive".to_owned()),
        ("mailed", "kustomer.hooks.email.${hooks.post.id}.receive".to_owned()),
    ] {
        shop.workflow(file, &name_of(&event));
    }
    let published = json!([{ "id": "name", "action": "kustomer.customer.create", "params": { "name": "/#steps.1.name" }, "transitions": [] }]);
    shop.workflow("published", &workflow("published", "shop.order.paid", published));
    let noted = json!([{ "id": "note", "action": "kustomer.note.create",
        "params": { "customer": "/#steps.1.id", "body": "{{{steps.1.changes.attributes.name.before}}}" }, "transitions": [] }]);
    shop.workflow("renamed", &workflow("renamed", "kustomer.customer.update", noted));
    shop.file("workflows/order.eml", "From: a@shop.example\r\nTo: b@mail.example\r\nSubject: s\r\nMessage-ID: <1@a>\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<html><script type=\"application/ld+json\">{\"name\": \"Zoe\"}</script></html>\r\n");
    let posted = |file: &str, what: &str, name: &str| {
        shop.file(
            &format!("workflows/{file}.test.yaml"),
            &format!("cases: [{{name: one, {what}, expect: {{state: succeeded, path: [name], records: {{customers: [{{name: {name}}}]}}}}}}]"),
        );
    };
    posted("posted", "hook: orders, data: {name: Ann}", "Ann");
    posted("signed", "hook: shop, data: {name: Bea}", "Bea");
    posted("keyed", "hook: store, headers: {content-type: application/x-www-form-urlencoded}, data: 'name=Cem'", "Cem");
    posted("mailed", "hook: post, data: {name: '</script>Dan'}", "'</script>Dan'");
    posted("published", "event: shop.order.paid, data: {name: Eva}", "Eva");
    shop.file(
        "workflows/renamed.test.yml",
        "
cases:
  - name: a customer who is renamed is noted, and what was given started nothing
    given: {records: {customers: [{as: ann, name: Ann}]}}
    record: customers/${records.ann.id}
    data: {name: Anna}
    expect: {state: succeeded, records: {notes: [{body: Ann}]}, runs: {renamed: [{path: [note]}]}}
  - name: one who is made starts nothing
    record: customers
    data: {name: Ann}
    expect: {runs: {}, notStarted: [renamed], records: {notes: 0}}
",
    );
    shop.file("workflows/mail.test.json", r#"{"cases": [{"name": "a mail from a file", "hook": "post", "mail": "order.eml",
        "expect": {"runs": {"mailed": {"path": ["name"]}}, "records": {"customers": [{"name": "Zoe"}]}, "answer": {"state": "fired"}}}]}"#);
    shop.passes();
}

#[test]
fn several_workflows_that_listen_are_told_apart_and_apps_variables_and_settings_are_there() {
    let shop = Shop::new();
    let calls = json!([{ "id": "call", "action": "kustomer.rest-api.json", "params": {
        "uri": "https://api.example/{{{getAppSetting \"shop.default.region\"}}}", "headers": { "x-key": "/#variables.${variables.KEY.id}" } }, "transitions": [] }]);
    shop.workflow("a", &workflow("first", &event("orders"), calls));
    let names = json!([{ "id": "name", "action": "kustomer.customer.create",
        "params": { "name": "${workflows.b.id} ${workflows.a.id}", "username": "/#fn:inBusinessHours" }, "transitions": [] }]);
    shop.workflow("b", &workflow("second", &event("orders"), names));
    shop.workflow(
        "c",
        &json!({ "name": "other", "trigger": { "eventName": "shop.other", "transitions": [] }, "steps": [] }),
    );
    let hours = json!({ "name": "Days", "timeZone": "Europe/Berlin", "hours": { "monday": [{ "from": "09:00", "to": "11:00" }] } });
    shop.file(
        "workflows/both.test.yaml",
        &format!(
            "
cases:
  - name: both run
    given:
      now: 2026-01-05T10:30:00+01:00
      variables: {{a: {{KEY: s3cret-key}}}}
      settings: {{shop: {{default: {{region: eu}}}}}}
      org: {{timeZone: Europe/Berlin}}
      schedules: [{hours}]
    hook: orders
    mocks: [{{url: 'https://api.example/eu'}}]
    expect:
      runs:
        a: {{state: succeeded, outputs: {{call: {{body: null}}}}}}
        b: [{{state: succeeded, path: [name], outputs: {{name: {{name: '${{workflows.b.id}} ${{workflows.a.id}}'}}}}}}]
      notStarted: [c]
      calls: [{{headers: {{x-key: s3cret-key}}}}]
"
        ),
    );
    let done = shop.test(&[]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    assert!(
        done.out.contains("No case starts a run of workflows/c.json.\n1 case: 1 passed, 0 failed\n"),
        "{}",
        done.out
    );
}

#[test]
fn the_example_of_the_docs_passes() {
    let page = include_str!("../../../docs/testing.md");
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    Shop::with_orders(example).passes();
}
