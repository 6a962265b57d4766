//! Time in tests: it passes at once, to what is due next and no further than a case says.

use serde_json::json;

use super::{Shop, event, way, workflow};

/// A call that is tried again, and a customer afterwards.
fn patient() -> Shop {
    let shop = Shop::new();
    let steps = json!([
        { "id": "call", "action": "kustomer.rest-api.json", "params": { "uri": "https://api.example/" }, "transitions": [way("made")] },
        { "id": "made", "action": "kustomer.customer.create", "params": { "name": "/#steps.1.attributes.data.name" }, "transitions": [] },
    ]);
    shop.workflow("calls", &workflow("calls", &event("orders"), steps));
    shop
}

#[test]
fn a_call_that_fails_is_tried_again_with_the_answer_that_comes_next() {
    let shop = patient();
    let tests = |mock: &str, expect: &str| {
        let case =
            format!("cases: [{{name: one, hook: orders, data: {{name: Ann}}, mocks: [{mock}], expect: {expect}}}]");
        shop.file("workflows/calls.test.yaml", &case);
        shop.passes();
    };
    let third = "{url: https://api.example/, answers: [{fail: timeout}, {fail: refused}, {status: 200}]}";
    tests(third, "{state: succeeded, path: [call, made], calls: 3, timers: []}");
    let twice = "{url: https://api.example/, fail: refused, times: 2}, {url: https://api.example/, status: 404}";
    tests(twice, "{outputs: {call: {response: {statusCode: 404}}}, calls: 3}");
    tests("{url: '*', fail: refused}", "{error: rest_not_reached, path: [call], calls: 10, records: {customers: 0}}");
    tests(
        "{url: '*', fail: refused}",
        "{error: {code: {$contains: not_reached}, attempt: 10, step: call}, state: failed}",
    );
}

#[test]
fn events_of_a_case_come_one_after_the_other() {
    let shop = patient();
    shop.file(
        "workflows/calls.test.yaml",
        "
cases:
  - name: two orders, three days and a year apart
    given: {now: 2026-02-28T12:00:00Z}
    mocks: [{url: '*'}]
    events:
      - {hook: orders, data: {name: Ann}}
      - {hook: orders, data: {name: Bea}, after: 3d}
      - {hook: orders, data: {name: Cem}, after: 1y}
    expect:
      runs:
        calls:
          - {outputs: {'1': {attributes: {createdAt: '2026-02-28T12:00:00.000Z'}}}}
          - {outputs: {'1': {attributes: {createdAt: '2026-03-03T12:00:00.000Z', data: {name: Bea}}}}}
          - {outputs: {'1': {attributes: {createdAt: '2027-03-03T12:00:00.000Z'}}}}
      records: {customers: 3}
",
    );
    shop.passes();
}
