//! What the explainer says of an expression or a condition.

use engine::condition::Condition;
use engine::explain::{self, Explained};
use engine::expression::Expression;
use serde_json::{Value, json};

use crate::support::Given;

fn given() -> Given {
    Given::of(&json!({
        "steps": {
            "1": {"attributes": {"data": {"email": "ann@example.com", "total": "150", "note": "n/a", "empty": "", "items": [{"sku": "A"}, {}]}}},
            "find": {"id": "5a", "name": "Ann"},
        },
    }))
}

fn of(expression: &str) -> Explained {
    explain::expression(&Expression::parse(&json!(expression)).unwrap(), given().context()).unwrap()
}

fn of_condition(condition: Value) -> Explained {
    explain::condition(&Condition::parse(&condition).unwrap(), given().context())
}

#[test]
fn a_path_that_leads_nowhere_says_where_it_stops_and_what_was_probably_meant() {
    for (path, told) in [
        (
            "/#steps.1.attributes.data.emial",
            "`/#steps.1.attributes.data.emial` is missing: `steps.1.attributes.data` has no `emial`. Did you mean `email`?",
        ),
        (
            "/#steps.1.attributes.data.zip",
            "`/#steps.1.attributes.data.zip` is missing: `steps.1.attributes.data` has no `zip`. What is there: `email`, `total`, `note`, `empty` and `items`.",
        ),
        (
            "/#steps.1.attributes.data.items[5].sku",
            "`/#steps.1.attributes.data.items[5].sku` is missing: `steps.1.attributes.data.items` is a list of 2 and has no element 5; the first one is 0.",
        ),
        (
            "/#steps.1.attributes.data.items.sku",
            "`/#steps.1.attributes.data.items.sku` is missing: `steps.1.attributes.data.items` is a list of 2; name an element of it first, as in [0].sku.",
        ),
        (
            "/#steps.1.attributes.data.email.domain",
            "`/#steps.1.attributes.data.email.domain` is missing: `steps.1.attributes.data.email` is the text \"ann@example.com\", and nothing is inside of it.",
        ),
        (
            "/#steps.fnd.id",
            "`/#steps.fnd.id` is missing: `steps` has no `fnd`; that step has not run, has failed, or leaves nothing. Did you mean `find`?",
        ),
        (
            "/#steps.ghost.id",
            "`/#steps.ghost.id` is missing: `steps` has no `ghost`; that step has not run, has failed, or leaves nothing. What is there: `1` and `find`.",
        ),
        (
            "/#stps.1.id",
            "`/#stps.1.id` is missing: nothing is called `stps`; a path begins with steps, variables, error. Did you mean `steps`?",
        ),
        ("/#error.code", "`/#error.code` is missing: no step has failed."),
        (
            "/#variables.name",
            "`/#variables.name` is missing: the workflow has no variable with this id. Variables are named by their id, never by their name.",
        ),
    ] {
        let explained = of(path);
        assert_eq!((explained.value, explained.value_type), (None, "missing"), "{path}");
        assert_eq!(explained.explanation, [told], "{path}");
    }
}

#[test]
fn a_value_says_what_it_is() {
    let explained = of("/#steps.1.attributes.data.total");
    assert_eq!((explained.value, explained.value_type), (Some(json!("150")), "string"));
    assert_eq!(explained.explanation, ["`/#steps.1.attributes.data.total` is the text \"150\"."]);
    assert_eq!(of("/#steps.find").explanation, ["`/#steps.find` is the object {\"id\":\"5a\",\"name\":\"Ann\"}."]);
    assert_eq!(of("plain").explanation, ["It is a literal: the text \"plain\"."]);
}

#[test]
fn a_reference_inside_of_a_text_is_told_to_stay_text() {
    let explained = of("Hi /#steps.find.name");
    assert_eq!(explained.value, Some(json!("Hi /#steps.find.name")));
    assert!(explained.explanation[0].contains("stays text"), "{:?}", explained.explanation);
}

#[test]
fn a_template_tells_of_every_tag_and_every_call() {
    let explained = of("Hi {{{toUpper steps.find.name}}} {{steps.find.nmae}} {{{steps.1.attributes.data.items}}}");
    assert_eq!(explained.value, Some(json!("Hi ANN  [{\"sku\":\"A\"},{}]")));
    assert_eq!(
        explained.explanation,
        [
            "`steps.find.name` is the text \"Ann\".",
            "`steps.find.nmae` is missing: `steps.find` has no `nmae`. Did you mean `name`?",
            "`steps.1.attributes.data.items` is the list [{\"sku\":\"A\"},{}].",
            "`toUpper` of the text \"Ann\" gives the text \"ANN\".",
        ]
    );
    let explained = of("{{#each steps.1.attributes.data.items}}{{sku}};{{/each}}");
    assert_eq!(explained.value, Some(json!("A;;")));
    assert!(explained.explanation.contains(&"`sku` is missing: the item is an object without keys.".to_owned()));
}

#[test]
fn a_call_tells_what_it_read() {
    let explained = of("/#fn:parseInt,steps.1.attributes.data.total");
    assert_eq!((explained.value, explained.value_type), (Some(json!(150)), "number"));
    assert_eq!(explained.explanation[1], "`parseInt` of the text \"150\" gives the number 150.");
    let explained = of("/#fn:parseInt,steps.1.attributes.data.note");
    assert_eq!(explained.value_type, "missing");
    assert_eq!(explained.explanation[1], "`parseInt` of the text \"n/a\" gives nothing.");
    assert!(
        of("{{regexMatch steps.find.name (substring '(a' 0 1)}}")
            .explanation
            .iter()
            .any(|told| told.contains("cannot be used"))
    );
    assert_eq!(of("/#fn:inBusinessHours").explanation[0], "There is no default business schedule.");
}

#[test]
fn params_are_explained_at_every_depth() {
    let params = json!({"a": ["/#steps.find.id", "/#steps.ghost"], "b": {"c": "/#steps.ghost.x"}});
    let explained = explain::expression(&Expression::parse(&params).unwrap(), given().context()).unwrap();
    assert_eq!((explained.value, explained.value_type), (Some(json!({"a": ["5a", null], "b": {}})), "object"));
    let told = explained.explanation.join("\n");
    assert!(told.contains("Element 1 of the list is null") && told.contains("The key `c` is left out"), "{told}");
}

#[test]
fn a_condition_tells_both_sides_each_cast_and_the_answer() {
    let path = "/#steps.1.attributes.data.total";
    let explained = of_condition(json!({"op": "gt", "values": [path, 100]}));
    assert_eq!((explained.value, explained.value_type), (Some(json!(true)), "boolean"));
    assert_eq!(
        explained.explanation,
        [
            format!("`{path}` is the text \"150\"."),
            format!("{path} (the text \"150\") is greater than the number 100."),
            "For that, the text \"150\" was read as a number.".to_owned(),
        ]
    );
    let note = "/#steps.1.attributes.data.note";
    for (condition, told) in [
        (json!({"op": "lt", "values": [note, 5]}), "But the text \"n/a\" cannot be read as a number."),
        (json!({"op": "eq", "values": [path, 150]}), "For that, the text \"150\" was read as a number."),
        (json!({"op": "eq", "values": [path, true]}), "But the text \"150\" cannot be read as true or false."),
        (json!({"op": "lt-date", "values": ["2026-11-28", note]}), "But the text \"n/a\" cannot be read as a date."),
        (json!({"op": "true", "values": [note]}), "For that, the text \"n/a\" was read as true or false."),
        (json!({"op": "contains", "values": [path, 15]}), "For that, the number 15 was read as text."),
        (json!({"op": "exists", "values": ["/#steps.ghost.id"]}), "/#steps.ghost.id (missing) does not exist."),
        (json!({"op": "dne", "values": ["/#steps.ghost.id"]}), "/#steps.ghost.id (missing) does not exist."),
        (json!({"op": "neq", "values": [path, "150"]}), &format!("{path} (the text \"150\") equals the text \"150\".")),
        (json!({"op": "true", "values": []}), "It always holds."),
    ] {
        let explained = of_condition(condition.clone());
        assert!(
            explained.explanation.iter().any(|sentence| sentence == told),
            "{condition}: {:?}",
            explained.explanation
        );
    }
}

#[test]
fn and_and_or_tell_the_ones_they_looked_at() {
    let explained = of_condition(json!({"op": "and", "values": [
        {"op": "exists", "values": ["/#steps.find.id"]}, {"op": "eq", "values": [1, 2]}, {"op": "true", "values": []},
    ]}));
    assert_eq!(explained.value, Some(json!(false)));
    let told: Vec<&str> = explained.explanation.iter().map(String::as_str).collect();
    assert_eq!(
        told,
        [
            "`/#steps.find.id` is the text \"5a\".",
            "All conditions have to hold, and the last of these does not:",
            "/#steps.find.id (the text \"5a\") exists.",
            "The number 1 does not equal the number 2.",
        ]
    );
}

#[test]
fn of_very_many_sentences_the_first_are_told() {
    let paths: Vec<String> = (0..1_000).map(|place| format!("/#steps.ghost{place}")).collect();
    let explained = explain::expression(&Expression::parse(&json!(paths)).unwrap(), given().context()).unwrap();
    assert_eq!(explained.explanation.len(), 200);
}
