//! The limits of templates; what they render is in `tests/fixtures/templates.json`.

use engine::expression::{Expression, Fault, TEMPLATE_LIMIT_BYTES};
use serde_json::{Value, json};

use crate::support::Given;

fn render(template: &str, data: Value) -> Result<Value, Fault> {
    let given = json!({"steps": {"1": data}});
    Given::of(&given).resolve(&json!(template)).map(Option::unwrap)
}

#[test]
fn a_template_may_make_as_much_text_as_the_limit_and_no_more() {
    let text = |bytes: usize| json!({"text": "x".repeat(bytes)});
    for template in ["{{{steps.1.text}}}", "{{{steps.1.text}}}{{! rendered by the crate }}"] {
        // As params it has two quotes more, which count there.
        assert!(render(template, text(TEMPLATE_LIMIT_BYTES - 2)).is_ok());
        assert_eq!(render(template, text(TEMPLATE_LIMIT_BYTES)), Err(Fault::InputTooLarge));
        assert_eq!(render(template, text(TEMPLATE_LIMIT_BYTES + 1)), Err(Fault::TemplateTooLarge));
    }
    let escaped = "&".repeat(TEMPLATE_LIMIT_BYTES / 5 + 1);
    assert_eq!(render("{{steps.1.text}}", json!({"text": escaped})), Err(Fault::TemplateTooLarge));
}

#[test]
fn loops_inside_loops_stop_at_the_limit_even_when_they_write_nothing() {
    let template = "{{#each steps.1.a}}{{#each ../steps.1.a}}{{#each ../../steps.1.a}}{{/each}}{{/each}}{{/each}}";
    assert_eq!(render(template, json!({"a": vec![0; 1_000]})), Err(Fault::TooManyOperations));
    assert_eq!(render(template, json!({"a": vec![0; 10]})), Ok(json!("")));
}

#[test]
fn loops_inside_loops_stop_at_the_limit_of_text() {
    let template = "{{#each steps.1.a}}{{#each ../steps.1.a}}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{{/each}}{{/each}}";
    assert_eq!(render(template, json!({"a": vec![0; 200]})), Err(Fault::TemplateTooLarge));
}

#[test]
fn blocks_and_parentheses_may_nest_to_the_limit_and_no_deeper() {
    let blocks = |levels: usize| json!(format!("{}{}", "{{#if steps.1}}".repeat(levels), "{{/if}}".repeat(levels)));
    assert!(Expression::parse(&blocks(8)).is_ok());
    assert_eq!(Expression::parse(&blocks(9)).unwrap_err()[0].code, "bad_template");
    assert!(Expression::parse(&blocks(100_000)).is_err());

    let calls = |levels: usize| json!(format!("{{{{not {}steps.1{}}}}}", "(not ".repeat(levels), ")".repeat(levels)));
    assert!(Expression::parse(&calls(8)).is_ok());
    assert_eq!(Expression::parse(&calls(9)).unwrap_err()[0].code, "bad_template");
    assert!(Expression::parse(&calls(100_000)).is_err());
}

#[test]
fn a_template_of_plain_tags_may_have_very_many() {
    let tags: String = (0..20_000).map(|place| format!("{{{{{{steps.1.list.{place}}}}}}}")).collect();
    let list: Vec<u32> = (0..20_000).collect();
    let expected: String = list.iter().map(u32::to_string).collect();
    assert_eq!(render(&tags, json!({"list": list})), Ok(json!(expected)));
}

#[test]
fn a_template_with_blocks_may_have_as_many_tags_as_the_limit_and_no_more() {
    let tags = |count: usize| json!("{{#if steps.1}}{{/if}}".repeat(count / 2) + &"{{! x }}".repeat(count % 2));
    assert!(Expression::parse(&tags(1_000)).is_ok());
    assert_eq!(Expression::parse(&tags(1_001)).unwrap_err()[0].code, "bad_template");
}
