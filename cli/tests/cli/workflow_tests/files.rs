//! Files that have to change before anything can run.

use serde_json::Value;

use super::Shop;

const SOUND: &str =
    "cases: [{name: one, hook: orders, data: {email: a@example.com}, mocks: [{url: '*'}], expect: {runs: {}}}]";

/// What is told of one file with these tests, beside the workflow `orders`.
#[track_caller]
fn told(tests: &str) -> String {
    let done = Shop::with_orders(tests).test(&[]);
    assert_eq!((done.code, done.out.as_str()), (2, ""), "{tests}: {}", done.err);
    done.err
}

#[test]
fn each_problem_is_told_with_its_line_and_what_was_meant() {
    let rows = [
        (
            "casses: []",
            "error: workflows/orders.test.yaml:1:1: $.casses: A file of tests has no \"casses\". Did you mean \"cases\"?",
        ),
        ("cases: []", "A file of tests has `cases`, a list of 1 to 1000."),
        ("", "A file of tests is an object; it may have cases."),
        ("cases:\n  - hook: orders\n    expect: {state: succeeded}", ":2:5: $.cases[0]: A case has a `name`"),
        (
            "cases: [{name: a, hook: orders, expcet: {}}]",
            "$.cases[0].expcet: A case has no \"expcet\". Did you mean \"expect\"?",
        ),
        ("cases: [{name: a, hook: orders}]", "A case has an `expect`"),
        ("cases: [{name: a, hook: orders, expect: {}}]", "`expect` says something about"),
        ("cases: [{name: a, hook: orders, expect: {state: done}}]", "There is no state \"done\"."),
        ("cases: [{name: a, hook: orders, expect: {state: 1}}]", "`state` is a text."),
        ("cases: [{name: a, hook: orders, expect: {path: find}}]", "`path` is a list."),
        ("cases: [{name: a, hook: orders, expect: {outputs: {find: {$contain: x}}}}]", "\"$contain\" is no marker"),
        ("cases: [{name: a, hook: orders, expect: {calls: -1}}]", "`calls` is a whole number from 0 to 1000000."),
        ("cases: [{name: a, hook: orders, expect: {timers: [soon]}}]", "A timer is an instant, or a span of time"),
        (
            "cases: [{name: a, hook: oders, expect: {runs: {}}}]",
            "There is no hook \"oders\" in hooks/. Did you mean \"orders\"?",
        ),
        (
            "cases: [{name: a, hook: orders, expect: {runs: {order: {}}}}]",
            "There is no workflow \"order\" in workflows/. Did you mean \"orders\"?",
        ),
        (
            "cases: [{name: a, hook: orders, data: '${records.ann.id}', expect: {runs: {}}}]",
            "Nothing is known of ${records.ann.id}.",
        ),
        (
            "cases: [{name: a, event: a.b, expect: {records: {custmers: 1}}}]",
            "There are no records \"custmers\". Did you mean \"customers\"?",
        ),
        (
            "cases: [{name: a, event: a.b, given: {records: {klasses: [{}]}}, expect: {runs: {}}}]",
            "There are no records \"klasses\".",
        ),
        (
            "cases: [{name: a, expect: {runs: {}}}]",
            "Say what happens: one of `hook`, `event`, `record`, `call` or `answer`",
        ),
        ("cases: [{name: a, hook: orders, event: a.b, expect: {runs: {}}}]", "Say what happens: one of"),
        (
            "cases: [{name: a, call: orders, data: {}, step: s, expect: {runs: {}}}]",
            "This goes with `answer`, and here is `call`.",
        ),
        ("cases: [{name: a, events: [], expect: {runs: {}}}]", "A case has 1 to 1000 events."),
        (
            "cases: [{name: a, event: a.b, mail: x.eml, expect: {runs: {}}}]",
            "This goes with `hook`, and here is `event`.",
        ),
        ("cases: [{name: a, hook: orders, mail: ../x.eml, expect: {runs: {}}}]", "`mail` names a file beside the test"),
        ("cases: [{name: a, hook: orders, mail: x.eml, expect: {runs: {}}}]", "The file x.eml cannot be read"),
        ("cases: [{name: a, hook: orders, until: 11y, expect: {runs: {}}}]", "`until` is a span of time"),
        ("cases: [{name: a, hook: orders, until: -1d, expect: {runs: {}}}]", "`until` is a span of time"),
        (
            "cases: [{name: a, hook: orders, given: {now: 2026-02-30T00:00:00Z}, expect: {runs: {}}}]",
            "`now` is an instant",
        ),
        ("cases: [{name: a, hook: orders, mocks: [{}], expect: {runs: {}}}]", "A mock has a `url`"),
        (
            "cases: [{name: a, hook: orders, mocks: [{url: x, method: gets}], expect: {runs: {}}}]",
            "There is no method \"gets\".",
        ),
        (
            "cases: [{name: a, hook: orders, mocks: [{url: x, fail: timeouts}], expect: {runs: {}}}]",
            "Did you mean \"timeout\"?",
        ),
        (
            "cases: [{name: a, hook: orders, mocks: [{url: x, fail: timeout, status: 200}], expect: {runs: {}}}]",
            "A call that fails has no answer",
        ),
        (
            "cases: [{name: a, hook: orders, mocks: [{url: x, status: 99}], expect: {runs: {}}}]",
            "`status` is a whole number from 100 to 599.",
        ),
        (
            "cases: [{name: a, hook: orders, mocks: [{url: x, answers: []}], expect: {runs: {}}}]",
            "A mock has 1 to 1000 answers.",
        ),
        ("cases:\n  - name: a\n    hook: [\n", "This is no YAML"),
        (
            "cases: [{name: a, hook: orders, data: {n: 0x1F}, expect: {runs: {}}}]",
            ":1:43: The number 0x1F is written as JSON does not write numbers.",
        ),
    ];
    for (tests, problem) in rows {
        let told = told(tests);
        assert!(told.contains(problem), "{tests}\n{told}");
    }
}

#[test]
fn two_cases_of_one_name_are_refused() {
    let told = told("cases:\n- &a {name: one, hook: orders, expect: {runs: {}}}\n- *a\n");
    assert!(told.contains("Another case is called \"one\" already."), "{told}");
}

#[test]
fn all_problems_of_all_files_are_told_at_once_and_also_for_programs() {
    let shop = Shop::with_orders("cases: [{name: 1, hook: oders, expect: {}}]");
    shop.file("workflows/more.test.json", r#"{"cases": [{"name": "a", "name": "b"}]}"#);
    shop.file("hooks/bad name.json", "{}");
    let done = shop.test(&[]);
    assert!(done.err.contains("hooks/bad name.json: The name of a file begins"), "{}", done.err);
    std::fs::remove_file(shop.0.path().join("hooks/bad name.json")).unwrap();
    let done = shop.test(&["--json"]);
    let document: Value = serde_json::from_str(&done.err).unwrap();
    let problems = document["problems"].as_array().unwrap();
    assert!(done.code == 2 && problems.len() >= 3, "{}", done.err);
    assert_eq!(problems[0]["file"], "workflows/more.test.json");
    assert_eq!(
        (&problems[1]["line"], &problems[1]["column"], &problems[1]["path"]),
        (&1.into(), &10.into(), &"$.cases[0].name".into())
    );
}

#[test]
fn a_document_that_would_be_refused_is_told_with_its_file_and_path() {
    let shop = Shop::with_orders(SOUND);
    let document = super::orders().to_string().replace("kustomer.customer.create", "kustomer.customer.creat");
    shop.file("workflows/orders.json", &document);
    let done = shop.test(&[]);
    assert_eq!(done.code, 2);
    assert!(
        done.err.starts_with("error: workflows/orders.json: ") && done.err.contains("at $.steps[1].action)"),
        "{}",
        done.err
    );
    shop.file("workflows/orders.json", "[]");
    assert!(shop.test(&[]).err.contains("workflows/orders.json: The file has to hold a JSON object."));
    shop.file("workflows/orders.json", "{");
    assert!(shop.test(&[]).err.contains("workflows/orders.json: The file is not JSON"));
    shop.file("hooks/orders.json", r#"{"kind": "fax", "title": "Orders"}"#);
    shop.workflow("orders", &super::orders());
    assert!(shop.test(&[]).err.contains("hooks/orders.json: The `kind` of a hook is form, web or email."));
}

#[test]
fn a_file_of_a_mebibyte_is_read_and_one_byte_more_is_not() {
    let padded = |bytes: usize| format!("{SOUND}\n#{}", "x".repeat(bytes - SOUND.len() - 2));
    let shop = Shop::with_orders(&padded(1_048_576));
    assert_eq!(shop.test(&[]).code, 0);
    shop.file("workflows/orders.test.yaml", &padded(1_048_577));
    let done = shop.test(&[]);
    assert!(
        done.code == 2 && done.err.contains("A file has at most 1048576 bytes; this one has 1048577."),
        "{}",
        done.err
    );
}

#[test]
fn a_file_has_a_thousand_cases_and_not_one_more() {
    let of = |count: usize| {
        let cases: Vec<String> =
            (0..count).map(|n| format!("{{name: c{n}, event: a.b, expect: {{runs: {{}}}}}}")).collect();
        format!("cases: [{}]", cases.join(", "))
    };
    let shop = Shop::with_orders(&of(1_000));
    assert_eq!(shop.test(&["--filter", "c999"]).code, 0);
    assert!(told(&of(1_001)).contains("a list of 1 to 1000"));
}

#[test]
fn nothing_to_run_is_an_error_and_so_is_a_filter_that_nothing_has() {
    let shop = Shop::new();
    let done = shop.test(&[]);
    assert!(done.code == 2 && done.err.contains("There are no tests here."), "{}", done.err);
    assert!(shop.test(&["elsewhere"]).err.contains("elsewhere: It cannot be read"));
    assert!(shop.test(&["hooks/orders.json"]).err.contains("This is no file with tests"));
    let done = Shop::with_orders(SOUND).test(&["--filter", "two"]);
    assert!(
        done.code == 2 && done.err.contains("No case and no file of tests has \"two\" in its name."),
        "{}",
        done.err
    );
}

#[test]
fn a_folder_of_workflows_or_one_file_of_tests_will_do() {
    let shop = Shop::with_orders(SOUND);
    shop.file("workflows/other.test.yaml", &SOUND.replace("one", "two"));
    for (path, cases) in
        [(".", 2), ("workflows", 2), ("workflows/orders.test.yaml", 1), ("./workflows/other.test.yaml", 1)]
    {
        let done = shop.test(&[path]);
        let count = format!("{cases} passed, 0 failed");
        assert!(done.code == 0 && done.out.contains(&count), "{path}: {}{}", done.out, done.err);
    }
    let alone = Shop::new();
    alone.file(
        "flows/a.json",
        r#"{"name": "a", "trigger": {"eventName": "shop.paid", "transitions": []}, "steps": []}"#,
    );
    alone.file("flows/a.test.yaml", "cases: [{name: one, event: shop.paid, expect: {state: succeeded, path: []}}]");
    assert_eq!(alone.test(&["flows"]).code, 0);
    assert_eq!(alone.test(&["flows/a.test.yaml"]).code, 0);
}

/// Whether the files can be read. Nothing is run.
fn is_read(shop: &Shop) -> bool {
    let done = shop.test(&["--filter", "nothing is called this"]);
    assert_eq!(done.code, 2, "{}", done.out);
    done.err.starts_with("error: No case and no file")
}

#[test]
fn what_is_counted_is_taken_up_to_its_limit_and_not_past_it() {
    let case = |more: &str| format!("cases: [{{name: a, hook: orders, expect: {{runs: {{}}}}, {more}}}]");
    let list = |key: &str, element: &str, count: usize| format!("{key}: [{}]", vec![element; count].join(", "));
    let events =
        |count| format!("cases: [{{name: a, expect: {{runs: {{}}}}, {}}}]", list("events", "{event: a.b}", count));
    let mocks = |count| case(&list("mocks", "{url: x}", count));
    let answers = |count| case(&format!("mocks: [{{url: x, {}}}]", list("answers", "{}", count)));
    let times = |count: usize| case(&format!("mocks: [{{url: x, times: {count}}}]"));
    let calls = |count: usize| format!("cases: [{{name: a, hook: orders, expect: {{calls: {count}}}}}]");
    let rows: [(&dyn Fn(usize) -> String, usize); 5] =
        [(&events, 1_000), (&mocks, 1_000), (&answers, 1_000), (&times, 1_000_000), (&calls, 1_000_000)];
    for (tests, limit) in rows {
        assert!(is_read(&Shop::with_orders(&tests(limit))), "{limit}");
        assert!(!is_read(&Shop::with_orders(&tests(limit + 1))), "{limit}");
    }
}

#[test]
fn a_folder_has_a_thousand_files_and_a_name_128_characters() {
    let shop = Shop::with_orders(SOUND);
    for count in 1..1_000 {
        shop.file(&format!("klasses/k{count}.json"), "{}");
    }
    assert!(is_read(&shop));
    shop.file("klasses/k1000.json", "{}");
    assert!(!is_read(&shop));
    for (length, is_taken) in [(128, true), (129, false)] {
        let shop = Shop::with_orders(SOUND);
        shop.file(&format!("klasses/{}.json", "k".repeat(length)), "{}");
        assert_eq!(is_read(&shop), is_taken, "{length}");
    }
}
