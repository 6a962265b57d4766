//! How large what a run keeps may get: params, explanations and names, at each limit and one past it.

use engine::expression::{Fault, INPUT_LIMIT_BYTES, INPUT_LIMIT_LEVELS};
use engine::journal::{Entry, Outcome};
use engine::run::{Decision, Ending, TRUNK, next, start};
use serde_json::{Value, json};

use crate::support::{Given, drive, failed, order, parse, problems, steps, surroundings};

/// What an entry may take, apart from its input and output.
const EXPLANATION_BYTES: usize = 262_144;

fn resolved(params: Value, data: &Value) -> Result<Value, Fault> {
    let given = json!({"steps": {"1": data}});
    Given::of(&given).resolve(&params).map(Option::unwrap)
}

fn nested(levels: usize) -> Value {
    parse(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)))
}

/// The entry as it stands in the head of a stored run, read back.
fn stored(entry: &Entry) -> (usize, Entry) {
    let text = serde_json::to_string(&json!({"run": {}, "entries": [{"entry": entry}]})).unwrap();
    let mut head: Value = serde_json::from_str(&text).unwrap();
    (text.len(), serde_json::from_value(head["entries"][0]["entry"].take()).unwrap())
}

fn always(target: &str) -> Value {
    json!({"target": target, "condition": {"op": "true", "values": []}})
}

#[test]
fn params_may_be_as_large_as_the_limit_and_no_larger() {
    let kinds = [
        ("/#steps.1.text", "a text by reference"),
        ("{{{steps.1.text}}}", "a text by template"),
        ("{{#if true}}{{{steps.1.text}}}{{/if}}", "a text by the crate"),
        ("/#steps.1.all", "a list and an object"),
    ];
    for (expression, about) in kinds {
        let params = |pad: usize| json!({"é\n": [expression, expression, null, "/#steps.1.none"], "pad": ["/#steps.1.pad"], "none": "/#steps.none", "x": "x".repeat(pad)});
        let text = "\"\\\u{1}\u{8}\u{7f}ä\n".repeat(20_000);
        let data =
            json!({"text": text, "pad": "p", "all": {"k\t": [text, 1.50, -0.0, true, false, null, [], {}], "": {}}});
        let least = resolved(params(0), &data).unwrap().to_string().len();
        let pad = INPUT_LIMIT_BYTES - least;
        assert_eq!(resolved(params(pad), &data).unwrap().to_string().len(), INPUT_LIMIT_BYTES, "{about}");
        assert_eq!(resolved(params(pad + 1), &data), Err(Fault::InputTooLarge), "{about}");
    }
}

#[test]
fn params_may_nest_to_the_limit_and_no_deeper() {
    let data = |levels: usize| json!({"deep": nested(levels)});
    let params = json!({"a": ["/#steps.1.deep"]});
    assert!(resolved(params.clone(), &data(INPUT_LIMIT_LEVELS - 2)).is_ok());
    assert_eq!(resolved(params, &data(INPUT_LIMIT_LEVELS - 1)), Err(Fault::InputTooDeep));
    assert!(resolved(json!("/#steps.1.deep"), &data(INPUT_LIMIT_LEVELS)).is_ok());
    assert_eq!(resolved(json!("/#steps.1.deep"), &data(INPUT_LIMIT_LEVELS + 1)), Err(Fault::InputTooDeep));
}

#[test]
fn a_large_value_named_thousands_of_times_fails_the_step_and_its_error_case_answers() {
    let definition = steps(json!([
        {"id": "s", "action": "house.act", "params": {"tags": vec!["/#steps.1.k"; 2_000]}, "transitions": [always("said")],
            "errorCases": [{"condition": {"op": "eq", "values": ["/#error.code", "input_too_large"]},
                "errorAction": {"type": "continue"}}]},
        {"id": "said", "action": "house.act", "params": {"said": "/#error.message"}, "transitions": []},
    ]));
    let trigger = json!({"k": "x".repeat(400_000)});
    let decision = next(&definition, &start(&definition, trigger.clone(), &surroundings()), TRUNK, &surroundings());
    assert!(matches!(decision, Decision::Settled { outcome: Outcome::Failed(_), .. }));
    let (entries, ending) = drive(&definition, &trigger, |_, input| Outcome::Output(input.clone()));
    assert_eq!((order(&entries), ending), (vec!["1", "s", "said"], Ending::Succeeded));
    assert_eq!(entries[1].input, None);
    assert!(entries[2].input.as_ref().unwrap()["said"].as_str().unwrap().ends_with('.'));
}

#[test]
fn a_loop_that_nests_a_value_ends_before_its_journal_cannot_be_read() {
    let definition = steps(json!([{"id": "k", "action": "house.act", "params": {"tags": ["/#steps.k.tags"]},
        "transitions": [{"target": "k", "condition": {"op": "exists", "values": ["/#steps.k"]}}]}]));
    let (entries, ending) = drive(&definition, &json!({}), |_, input| Outcome::Output(input.clone()));
    let Ending::Failed(failure) = ending else { panic!("the run must fail") };
    assert_eq!(failure.code, "input_too_deep");
    // The trigger, a level more with each of 99 visits, and the failure.
    assert_eq!(entries.len(), 1 + 99 + 1);
    assert!(entries.iter().all(|entry| stored(entry).1 == *entry));
}

#[test]
fn a_condition_looks_at_any_value_but_puts_none_together_that_is_too_large() {
    let big = "x".repeat(600_000);
    let go = |values: Value| {
        json!([{"id": "s", "transitions":
        [{"target": "t", "condition": {"op": "exists", "values": [values]}}]}, {"id": "t", "transitions": []}])
    };
    let trigger = json!({"a": big, "b": big});
    let (entries, _) = drive(&steps(go(json!("/#steps"))), &trigger, |_, _| unreachable!());
    assert_eq!(order(&entries), ["1", "s", "t"]);
    let (entries, _) = drive(&steps(go(json!(["/#steps.1.a", "/#steps.1.b"]))), &trigger, |_, _| unreachable!());
    assert_eq!(order(&entries), ["1", "s"]);
    let faults = &entries[1].transition.as_ref().unwrap().conditions[0].verdict.faults;
    assert_eq!(faults, &[Fault::InputTooLarge.to_string()]);
}

#[test]
fn a_template_with_blocks_reads_as_much_as_the_limit_and_no_more() {
    let paths =
        |count: usize| (0..count).map(|n| format!("{{{{#if steps.1.list[{n}]}}}}{{{{/if}}}}")).collect::<String>();
    let half = json!({"list": vec!["x".repeat((1 << 20) - 2); 5]});
    assert_eq!(resolved(json!(paths(4)), &half), Ok(json!("")));
    assert_eq!(resolved(json!(paths(5)), &half), Err(Fault::TemplateReadsTooMuch));
}

/// A step that looks at `conditions`, then goes to the last step, from which nothing leads on.
fn looks_at(conditions: Vec<Value>) -> engine::Definition {
    let transitions: Vec<Value> =
        conditions.into_iter().map(|condition| json!({"target": "end", "condition": condition})).collect();
    steps(json!([{"id": "s", "transitions": transitions}, {"id": "end", "transitions": []}]))
}

fn is_text(text: &str) -> Value {
    json!({"op": "eq", "values": ["/#steps.1.text", text]})
}

#[test]
fn an_entry_tells_the_first_conditions_and_the_one_that_was_taken() {
    let taken = |closed: usize| {
        let mut conditions: Vec<Value> = (0..closed).map(|place| is_text(&place.to_string())).collect();
        conditions.extend([is_text("here"), is_text("never asked")]);
        let (entries, _) = drive(&looks_at(conditions), &json!({"text": "here"}), |_, _| unreachable!());
        entries[1].transition.clone().unwrap()
    };
    for (closed, told, left_out) in [(99, 100, 0), (100, 101, 0), (101, 101, 1), (5_000, 101, 4_900)] {
        let taken = taken(closed);
        assert_eq!((taken.conditions.len(), taken.left_out), (told, left_out));
        assert_eq!(taken.target.as_deref(), Some("end"));
        assert_eq!(taken.conditions[1].verdict.values[1], "1");
        assert!(taken.conditions.last().unwrap().verdict.holds);
    }
    let text = serde_json::to_value(taken(101)).unwrap();
    assert_eq!(text["leftOut"], 1);
    assert_eq!(serde_json::to_value(taken(99)).unwrap().get("leftOut"), None);
}

#[test]
fn what_conditions_decided_does_not_depend_on_how_much_is_told() {
    let closed: Vec<Value> = (0..1_000).map(|place| is_text(&place.to_string())).collect();
    let open = [closed.clone(), vec![is_text("here")]].concat();
    for (op, values, holds, told, left_out) in
        [("or", &closed, false, 99, 901), ("or", &open, true, 100, 901), ("and", &open, false, 1, 0)]
    {
        let definition = looks_at(vec![json!({"op": op, "values": values})]);
        let (entries, _) = drive(&definition, &json!({"text": "here"}), |_, _| unreachable!());
        let verdict = entries[1].transition.as_ref().unwrap().conditions[0].verdict.clone();
        assert_eq!((verdict.holds, verdict.conditions.len(), verdict.left_out), (holds, told, left_out), "{op}");
    }
}

#[test]
fn thousands_of_conditions_leave_a_small_entry() {
    let ids = ["\u{1}".repeat(128), "\u{2}".repeat(128)];
    let path = format!("/#steps.{}", "\u{1}".repeat(2_000));
    let wide =
        |op: &str| json!({"op": op, "values": vec![json!({"op": "eq", "values": [path, "/#steps.1.text"]}); 150]});
    let deep = (0..40).fold(wide("or"), |inner, _| {
        json!({"op": "or", "values": [is_text("a"), is_text("b"), is_text("c"), is_text("d"), is_text("e"), is_text("f"), inner]})
    });
    let plain = json!({"op": "neq", "values": ["/#steps.1.text", "/#steps.1.text"]});
    for (condition, count) in [(wide("or"), 5), (deep, 5), (plain, 300)] {
        let transitions = vec![json!({"target": ids[1], "condition": condition}); count];
        let cases = vec![json!({"condition": condition, "errorAction": {"type": "continue"}}); count];
        let last = json!([{"condition": {"op": "and", "values": []}, "errorAction": {"type": "continue"}}]);
        let cases = [cases, last.as_array().unwrap().clone()].concat();
        let definition = steps(json!([
            {"id": ids[0], "action": "house.act", "transitions": transitions, "errorCases": cases},
            {"id": ids[1], "transitions": []},
        ]));
        let (entries, _) = drive(&definition, &json!({"text": "\u{3}".repeat(2_000)}), |_, _| failed("known"));
        for entry in &entries[1..] {
            let (bytes, read) = stored(entry);
            assert!(bytes < EXPLANATION_BYTES, "{bytes}");
            assert_eq!(&read, entry);
        }
    }
}

#[test]
fn values_are_named_once_an_entry_has_shown_enough() {
    let text = "x".repeat(1_000);
    let condition = json!({"op": "neq", "values": ["/#steps.1.text", "/#steps.1.text"]});
    let (entries, _) = drive(&looks_at(vec![condition; 90]), &json!({"text": text}), |_, _| unreachable!());
    let told = &entries[1].transition.as_ref().unwrap().conditions;
    assert_eq!(told.len(), 90);
    assert_eq!(told[0].verdict.values, [json!(text), json!(text)]);
    assert_eq!(told[89].verdict.values, ["a text of 1000 bytes", "a text of 1000 bytes"]);
}

#[test]
fn conditions_and_values_that_nest_deep_leave_an_entry_that_can_be_read() {
    let leaf = json!({"op": "exists", "values": ["/#steps.1.deep"]});
    let condition = (0..60).fold(leaf, |inner, _| json!({"op": "and", "values": [inner]}));
    let closed = json!({"op": "dne", "values": ["/#steps.1.deep"]});
    let trigger = json!({"deep": nested(64)});
    let (entries, _) = drive(&looks_at(vec![closed, condition]), &trigger, |_, _| unreachable!());
    assert_eq!(order(&entries), ["1", "s", "end"]);
    let (_, read) = stored(&entries[1]);
    assert_eq!(read, entries[1]);
    let told = &read.transition.as_ref().unwrap().conditions;
    assert_eq!(told[0].verdict.values, ["a list of 1"]);
    let levels = std::iter::successors(Some(&told[1].verdict), |verdict| verdict.conditions.first());
    let last = levels.inspect(|verdict| assert!(verdict.holds)).enumerate().last().unwrap();
    assert_eq!((last.0 + 1, last.1.left_out), (16, 1));
}

#[test]
fn names_may_be_as_long_as_their_limits_and_no_longer() {
    let told = |event: usize, trigger: usize, step: usize| {
        let document = json!({"name": "a",
            "trigger": {"id": "t".repeat(trigger), "eventName": "é".repeat(event / 2) + &"e".repeat(event % 2), "transitions": [always(&"s".repeat(step))]},
            "steps": [{"id": "s".repeat(step), "transitions": []}]});
        problems(&document).into_iter().map(|problem| (problem.path, problem.code)).collect::<Vec<_>>()
    };
    assert_eq!(told(256, 128, 128), []);
    let expected = ["$.trigger.id", "$.trigger.eventName", "$.steps[0].id"].map(|path| (path.to_owned(), "too_long"));
    assert_eq!(told(257, 129, 129), expected);
}

#[test]
fn a_workflow_may_have_as_many_steps_as_the_limit_and_no_more() {
    let told = |count: usize| {
        let closed =
            |n: usize| json!({"target": format!("s{n}"), "condition": {"op": "exists", "values": ["/#steps.1.go"]}});
        let steps: Vec<Value> = (0..count).map(|n| json!({"id": format!("s{n}"), "transitions": []})).collect();
        let ways: Vec<Value> = (0..count).map(closed).collect();
        problems(&json!({"name": "a", "trigger": {"eventName": "e", "transitions": ways}, "steps": steps}))
    };
    assert_eq!(told(1_000), []);
    let found = told(1_001);
    assert_eq!((found.len(), found[0].path.as_str(), found[0].code), (1, "$.steps", "too_many_steps"));
}

#[test]
fn a_way_that_cannot_be_worked_out_does_not_close_the_one_that_always_holds() {
    let trigger = json!({"text": "0".repeat(40_000)});
    let costly = json!({"op": "eq", "values": ["/#fn:regexTest,steps.1.text,(?:1[01]{1000}x)", true]});
    let ways = |last: Value| {
        let mut ways = vec![json!({"target": "t", "condition": costly}); 100];
        ways.extend(last.as_array().unwrap().clone());
        steps(
            json!([{"id": "s", "transitions": ways}, {"id": "t", "transitions": []}, {"id": "else", "transitions": []}]),
        )
    };
    let otherwise = ways(json!([{"target": "else", "condition": {"op": "exists", "values": [true]}}]));
    let (entries, ending) = drive(&otherwise, &trigger, |_, _| unreachable!());
    assert_eq!((order(&entries), ending), (vec!["1", "s", "else"], Ending::Succeeded));
    assert_eq!(entries[1].transition.as_ref().unwrap().fault, None);

    // Where no other is open, the run does not pass for one that came to its end.
    let (entries, ending) = drive(&ways(json!([])), &trigger, |_, _| unreachable!());
    let Ending::Failed(failure) = ending else { panic!("the run must fail") };
    assert_eq!((order(&entries), failure.code.as_str()), (vec!["1", "s"], "transitions_undecided"));
    assert!(
        failure.message.starts_with("Which transition of step \"s\" is open could not be worked out: "),
        "{failure:?}"
    );
    let told = entries[1].transition.as_ref().unwrap().conditions.last().unwrap().verdict.sentences().concat();
    assert!(told.contains("could not be worked out") && !told.contains("does not equal"), "{told}");
}
