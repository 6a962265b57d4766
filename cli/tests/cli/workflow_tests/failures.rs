//! What is told of a case that fails: what is different, which way the run took, and why.

use super::{Shop, golden::check};

/// What is told of one case of the workflow `orders`, over this carrier.
fn told(case: &str) -> String {
    let shop = Shop::with_orders(&format!(
        "cases:\n  - name: an order\n    hook: orders\n    data: {{number: '1001', email: ann@example.com}}\n{case}"
    ));
    let done = shop.test(&[]);
    assert_eq!((done.code, done.err.as_str()), (1, ""), "{}", done.out);
    done.out
}

#[test]
fn another_way_is_told_with_what_was_considered_where_they_part() {
    check("another_way", &told("    mocks: [{url: '*', status: 503}]\n    expect: {path: [find, ship, thanks]}\n"));
}

#[test]
fn other_values_are_told_with_the_path_of_the_first_and_all_of_them_side_by_side() {
    check(
        "other_values",
        &told(
            "    mocks: [{url: '*', body: {id: s-1, lines: [1, 2, 3]}}]
    expect:
      outputs: {ship: {body: {id: s-2, lines: [1, 2]}}, nowhere: {}}
      records: {customers: {count: 2, include: [{email: ann@example.com, name: Ann}]}, notes: [{body: x}], klasses/lost: 1}
      calls: [{method: GET, body: {order: '1002'}}]
      mails: [{to: ann@example.com, subject: Order 1001, text: as s-2}]
      timers: [3d]
      error: email_taken
      answer: {status: 200}
",
        ),
    );
}

#[test]
fn a_call_that_nobody_expected_is_told_with_the_mock_that_would_answer_it() {
    check("unexpected_call", &told("    expect: {state: succeeded}\n"));
}

#[test]
fn a_run_that_fails_fails_the_case_that_asks_for_something_else() {
    check("failed_run", &told("    mocks: [{url: '*', fail: refused}]\n    expect: {records: {customers: 1}}\n"));
}

#[test]
fn a_run_that_was_not_started_is_told_with_what_was_considered() {
    let shop = Shop::with_orders("cases: [{name: an order, hook: orders, expect: {state: succeeded}}]");
    let mut orders = super::orders();
    orders["enabled"] = false.into();
    shop.workflow("orders", &orders);
    check("not_started", &shop.test(&[]).out);
}

#[test]
fn what_is_refused_is_told_in_the_servers_words() {
    let shop = Shop::with_orders(
        "
cases:
  - name: an event that nobody may publish
    event: kustomer.customer.update
    expect: {runs: {}}
  - name: a record that cannot be
    given: {records: {customers: [{email: nobody}]}}
    hook: orders
    expect: {runs: {}}
  - name: runs and workflows that are too many
    events: [{hook: orders, data: {n: 1}}, {hook: orders, data: {n: 2}}]
    mocks: [{url: '*', times: 1}]
    expect: {state: succeeded, notStarted: [orders]}
",
    );
    let done = shop.test(&[]);
    assert_eq!(done.code, 1);
    check("refusals", &done.out);
}
