//! What is written or sent to hurt: it ends in a sentence, at once, and payload text is never read as an expression.

use engine::expression::{EVALUATION_LIMIT_OPERATIONS, Expression, Fault, INPUT_LIMIT_BYTES};
use serde_json::{Value, json};

use crate::support::Given;

fn resolve(expression: &Value, data: Value) -> Result<Option<Value>, Fault> {
    let given = json!({"steps": {"1": data}});
    Given::of(&given).resolve(expression)
}

fn problem(expression: &Value) -> String {
    let problems = Expression::parse(expression).unwrap_err();
    assert!(problems[0].message.ends_with(['.', '?']) && problems[0].message.len() < 1_000, "{problems:?}");
    problems[0].code.to_owned()
}

#[test]
fn a_loop_over_a_million_items_is_ended() {
    let data = json!({"list": vec![0; 1_000_000]});
    for template in ["{{#each steps.1.list}}{{/each}}", "{{#each steps.1.list}}x{{/each}}"] {
        assert_eq!(resolve(&json!(template), data.clone()), Err(Fault::TooManyOperations), "{template}");
    }
    // What can be paid for is worked out.
    let affordable = json!({"list": vec![0; EVALUATION_LIMIT_OPERATIONS as usize / 10]});
    assert!(resolve(&json!("{{#each steps.1.list}}x{{/each}}"), affordable).is_ok());
    assert_eq!(resolve(&json!("/#fn:length,steps.1.list"), data), Ok(Some(json!(1_000_000))));
}

#[test]
fn blocks_and_brackets_ten_thousand_deep_are_refused_when_they_are_read() {
    let blocks = format!("{}{}", "{{#if steps.1}}".repeat(10_000), "{{/if}}".repeat(10_000));
    assert_eq!(problem(&json!(blocks)), "bad_template");
    assert_eq!(problem(&json!(format!("/#steps{}", "[0]".repeat(10_000)))), "bad_reference");
    assert_eq!(problem(&json!("{{".repeat(10_000))), "bad_template");
    // So is one part after the other, because each stands inside of the one before it.
    for helper in ["if", "with", "each"] {
        let chain = |parts: usize| {
            let others = format!("{{{{else {helper} steps.1.no}}}}y").repeat(parts - 1);
            json!(format!("{{{{#{helper} steps.1.no}}}}x{others}{{{{/{helper}}}}}"))
        };
        assert_eq!(resolve(&chain(64), json!({})), Ok(Some(json!(""))), "{helper}");
        assert_eq!(problem(&chain(65)), "bad_template", "{helper}");
    }
    let words = "a ".repeat(80_000);
    assert_eq!(problem(&json!(format!("{{{{#each steps.1 as |{words}|}}}}{{{{#if {words}}}}}"))), "bad_template");
    assert_eq!(problem(&json!(format!("{{{{{}", "(not ".repeat(10_000)))), "bad_template");
}

#[test]
fn a_pattern_that_drives_others_mad_takes_time_in_proportion_to_the_text() {
    let data = |bytes: usize| json!({"text": format!("{}!", "a".repeat(bytes - 1))});
    for (function, expected) in [("regexTest", Some(json!(false))), ("regexMatch", None)] {
        let expression = json!(format!("/#fn:{function},steps.1.text,(a+)+$"));
        assert_eq!(resolve(&expression, data(1 << 20)), Ok(expected), "{function}");
    }
    let expression = json!("/#fn:regexTest,steps.1.text,^(a|aa)+$");
    assert_eq!(resolve(&expression, data(1 << 20)), Ok(Some(json!(false))));
    // A pattern whose automaton would be huge is not built.
    assert_eq!(resolve(&json!(r"/#fn:regexTest,steps.1.text,(\w{1000}){1000}"), data(1)), Ok(None));
    // The larger it is, the less text it may search.
    let large = json!("/#fn:regexTest,steps.1.text,(?:1[01]{1000}x)");
    assert_eq!(resolve(&large, data(1_000)), Ok(Some(json!(false))));
    assert_eq!(resolve(&large, data(1 << 20)), Err(Fault::TooManyOperations));
    assert_eq!(problem(&json!("/#fn:regexTest,steps.1.text,(a")), "bad_pattern");
    // One that comes with the data and is none gives nothing.
    let data = json!({"text": "aaa", "pattern": "(a+"});
    assert_eq!(resolve(&json!("{{regexTest steps.1.text steps.1.pattern}}"), data), Ok(Some(json!(""))));
}

#[test]
fn paths_that_mean_something_elsewhere_mean_nothing_here() {
    for path in [
        "__proto__",
        "constructor",
        "prototype.polluted",
        "toString",
        "1.length",
        "1.__proto__.x",
        "1[1e9]",
        "1[-1]",
        "1[99999999999999999999]",
        "1['']",
    ] {
        assert_eq!(resolve(&json!(format!("/#steps.{path}")), json!([1, 2])), Ok(None), "{path}");
        assert_eq!(resolve(&json!(format!("x{{{{{{steps.{path}}}}}}}")), json!([1, 2])).map(|_| ()), Ok(()), "{path}");
    }
    // As keys of data they are keys.
    let data: Value = serde_json::from_str(r#"{"__proto__":{"a":1},"constructor":2,"a.b":3,"":4,"1e9":5}"#).unwrap();
    for (path, expected) in [("1.__proto__.a", 1), ("1.constructor", 2), ("1['a.b']", 3), ("1['']", 4), ("1[1e9]", 5)] {
        assert_eq!(resolve(&json!(format!("/#steps.{path}")), data.clone()), Ok(Some(json!(expected))), "{path}");
    }
}

#[test]
fn expressions_in_payloads_and_in_keys_are_text() {
    let hostile = "{{{steps.1.secret}}} /#steps.1.secret {{#each steps}}";
    let mut data = json!({"secret": "s", "text": hostile, "whole": "/#steps.1.secret", "fn": "/#fn:randomId"});
    data[hostile] = json!("under a hostile key");
    for (expression, expected) in [
        ("/#steps.1.text", json!(hostile)),
        ("/#steps.1.whole", json!("/#steps.1.secret")),
        ("{{{steps.1.whole}}}", json!("/#steps.1.secret")),
        ("{{#with steps.1}}{{{text}}}{{/with}}", json!(hostile)),
        ("/#fn:default,steps.1.nowhere,steps.1.fn", json!("/#fn:randomId")),
        ("/#fn:trim,steps.1.text", json!(hostile)),
    ] {
        assert_eq!(resolve(&json!(expression), data.clone()), Ok(Some(expected)), "{expression}");
    }
    let whole = resolve(&json!("/#steps.1"), data.clone()).unwrap().unwrap();
    assert_eq!(whole, data);
    let keys = json!({"{{{steps.1.secret}}}": "/#steps.1.secret", "/#steps.1.secret": 1});
    let expected = json!({"{{{steps.1.secret}}}": "s", "/#steps.1.secret": 1});
    assert_eq!(resolve(&keys, data), Ok(Some(expected)));
}

#[test]
fn outputs_of_ten_megabytes_can_be_pointed_into_and_not_copied_whole() {
    let data = || json!({"body": "x".repeat(10_000_000), "id": 7});
    assert_eq!(resolve(&json!("/#steps.1.id"), data()), Ok(Some(json!(7))));
    assert_eq!(resolve(&json!("/#fn:length,steps.1.body"), data()), Ok(Some(json!(10_000_000))));
    assert_eq!(resolve(&json!("/#steps.1.body"), data()), Err(Fault::InputTooLarge));
    assert_eq!(resolve(&json!("/#steps"), data()), Err(Fault::InputTooLarge));
    assert_eq!(resolve(&json!("{{{steps.1.body}}}"), data()), Err(Fault::TemplateTooLarge));
    for function in ["toUpper", "base64", "toJSON", "escape", "markdownToHTML", "removeMarkdown", "hmac,sha256,key"] {
        let (name, rest) =
            function.split_once(',').map_or((function, String::new()), |(name, rest)| (name, format!(",{rest}")));
        let made = resolve(&json!(format!("/#fn:{name},steps.1.body{rest}")), data());
        assert!(
            made.as_ref()
                .map_or(true, |made| made.to_owned().is_none_or(|made| made.to_string().len() <= INPUT_LIMIT_BYTES)),
            "{name}"
        );
    }
}

#[test]
fn a_turn_of_a_loop_pays_for_what_it_copies() {
    let data = json!({"list": vec![1; 20_000], "big": vec!["x".repeat(10); 40_000]});
    for template in [
        "{{#with steps.1}}{{#each list}}{{#if ../big}}{{/if}}{{/each}}{{/with}}",
        "{{#with steps.1 as |w|}}{{#each w.list}}{{#if w.big}}{{/if}}{{/each}}{{/with}}",
        "{{#with (parseJSON (toJSON steps.1.big)) as |made|}}{{#each @root.steps.1.list}}{{#if made}}{{/if}}{{/each}}{{/with}}",
    ] {
        assert_eq!(resolve(&json!(template), data.clone()), Err(Fault::TooManyOperations), "{template}");
    }
    // What is only looked at is not copied.
    let looked_at = "{{#with steps.1}}{{#each list}}{{#if ../big.a}}{{/if}}{{/each}}{{/with}}";
    assert_eq!(resolve(&json!(looked_at), data), Ok(Some(json!(""))));
}

#[test]
fn conditions_share_the_work_of_one_look_at_the_transitions() {
    let given = json!({"steps": {"1": {"left": (0..50_000).collect::<Vec<_>>(), "right": vec!["no"; 50_000]}}});
    let given = Given::of(&given);
    let text = json!({"steps": {"1": {"text": "ab".repeat(95_000), "any": vec!["ab".repeat(17) + "c"; 4_500]}}});
    let verdict = Given::of(&text).judge(&json!({"op": "contains", "values": ["/#steps.1.text", "/#steps.1.any"]}));
    assert!(!verdict.holds && verdict.faults.len() == 1, "a text is searched once for each: {verdict:?}");
    assert_eq!(
        Given::of(&text).resolve(&json!("/#fn:contains,steps.1.text,steps.1.any")),
        Err(Fault::TooManyOperations)
    );
    for (operator, values) in [
        ("contains", json!(["/#steps.1.left", "/#steps.1.right"])),
        ("neq", json!(["/#steps.1.left", "/#steps.1.left"])),
        ("eq", json!(["{{{steps.1.left}}}", "x"])),
    ] {
        let one = json!({"op": operator, "values": values});
        let verdict = given.judge(&one);
        assert!(!verdict.holds && verdict.faults.is_empty(), "one alone can be paid for: {verdict:?}");
        let verdict = given.judge(&json!({"op": "or", "values": vec![one; 10_000]}));
        assert!(!verdict.holds && verdict.sentences().concat().contains("operations"), "{operator}");
    }
}

#[test]
fn what_a_function_would_make_is_known_before_it_is_made() {
    let data = |text: String| json!({"text": text});
    assert_eq!(resolve(&json!("/#fn:split,steps.1.text"), data(",".repeat(1_000_000))), Err(Fault::TooManyOperations));
    let list = format!("[0{}]", ",0".repeat(600_000));
    assert_eq!(resolve(&json!("/#fn:parseJSON,steps.1.text"), data(list)), Err(Fault::InputTooLarge));
    let deep = (0..98).fold(json!(vec![0; 50_000]), |inner, _| json!([inner]));
    assert_eq!(resolve(&json!("/#fn:toJSON,steps.1,true"), deep), Err(Fault::InputTooLarge));
}

#[test]
fn a_path_of_a_hundred_dots_has_an_end() {
    let tree = (0..14).fold(json!(1), |inner, _| json!({"a": inner, "a.a": inner}));
    let path = format!("/#steps.1{}", ".a".repeat(126));
    assert_eq!(resolve(&json!(vec![path; 200]), tree), Ok(Some(json!(vec![Value::Null; 200]))));
}

#[test]
fn the_explainer_makes_no_more_sentences_than_it_tells() {
    let object: serde_json::Map<String, Value> = (0..40_000).map(|n| (format!("key{n}"), json!(n))).collect();
    let given = json!({"steps": {"1": object}});
    let params: Vec<String> = (0..6_000).map(|n| format!("/#steps.1.kkey{n}")).collect();
    let given = Given::of(&given);
    let explained = engine::explain::expression(&Expression::parse(&json!(params)).unwrap(), given.context()).unwrap();
    assert_eq!(explained.explanation.len(), 200);
}

#[test]
fn a_document_of_thousands_of_patterns_references_or_wrong_params_is_checked_at_once() {
    let action = json!({"properties": {"list": {"type": "array", "items": {"type": "string"}}}});
    let catalogue = crate::support::catalogue(&json!({"act": action}));
    let document = |params: Value| {
        json!({"name": "a", "trigger": {"eventName": "e", "transitions": [{"target": "s", "condition": {"op": "true", "values": []}}]},
            "steps": [{"id": "s", "action": "act", "params": params, "transitions": []}]})
    };
    let patterns: Vec<String> =
        (0..4_000).map(|n| format!(r"/#fn:regexTest,steps.1.t,(?:\w|\d|\pL|\pM){{4}}{n:04}")).collect();
    let references: serde_json::Map<String, Value> =
        (0..20_000).map(|n| (format!("a{n}"), json!("/#steps.1.x"))).collect();
    let mixed: Vec<Value> = (0..40_000).map(|n| if n % 2 == 0 { json!(1) } else { json!("/#steps.1.x") }).collect();
    let errors = |params: Value| {
        let problems = engine::check(&document(params), &catalogue).problems;
        problems.iter().filter(|problem| problem.severity == engine::problem::Severity::Error).count()
    };
    assert_eq!(errors(json!({"patterns": patterns})), 0);
    assert_eq!(errors(Value::Object(references)), 0);
    assert_eq!(errors(json!({"list": mixed})), engine::problem::PROBLEMS_LIMIT);
}
