//! What expressions read beside the run's own data: variables that nobody may see, chance, and the time.

use std::collections::HashSet;

use domain::Timestamp;
use engine::journal::Outcome;
use engine::run::{Decision, Given, TRUNK, next, record, start};
use engine::{Definition, Setup, Surroundings};
use serde_json::{Value, json};

use crate::support::{EMPTY, NOON, steps};

const SECRET: &str = "s3cret-key";

fn setup() -> Setup {
    let variables = json!({"5a345109e578360010eaa1ad": SECRET});
    Setup { variables: variables.as_object().unwrap().clone(), ..Setup::default() }
}

fn at(now: &str) -> Surroundings<'static> {
    Surroundings { setup: &EMPTY, now: Timestamp::parse(now).unwrap(), seed: "a run" }
}

/// The params of the first step, as they are performed and as they are shown.
fn params(definition: &Definition, surroundings: &Surroundings<'_>) -> (Value, Option<Value>) {
    let progress = start(definition, json!({"text": "x"}), surroundings);
    let decision = next(definition, &progress, TRUNK, surroundings);
    let Decision::Perform { params, .. } = decision else { panic!("{decision:?}") };
    let input = params.input.clone();
    let shown = params.given().input.filter(|shown| *shown != input);
    (input, shown)
}

fn random_ids(surroundings: &Surroundings<'_>) -> Vec<String> {
    let definition = steps(json!([{"id": "s", "action": "a", "transitions": [],
        "params": {"a": "/#fn:randomId", "b": "{{randomId size=6}}", "c": "{{randomId}}{{randomId}}"}}]));
    let (input, _) = params(&definition, surroundings);
    input.as_object().unwrap().values().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_variable_is_used_and_never_shown() {
    let setup = setup();
    let surroundings = Surroundings { setup: &setup, ..at(NOON) };
    let definition = steps(json!([{"id": "s", "action": "a",
        "params": {"key": "/#variables.5a345109e578360010eaa1ad", "text": "Bearer {{{variables.5a345109e578360010eaa1ad}}}",
            "hashed": "/#fn:base64,variables.5a345109e578360010eaa1ad", "plain": "/#steps.1.text"},
        "transitions": [{"target": "t", "condition": {"op": "eq", "values": ["/#variables.5a345109e578360010eaa1ad", "{{{steps.1.text}}}"]}},
            {"target": "t", "condition": {"op": "contains", "values": ["/#steps.s.echo", "s3cret-key"]}}]},
        {"id": "t", "transitions": []}]));
    assert!(definition.needs().variables);
    let (input, shown) = params(&definition, &surroundings);
    assert_eq!(input, json!({"key": SECRET, "text": "Bearer s3cret-key", "hashed": "czNjcmV0LWtleQ==", "plain": "x"}));
    let shown = shown.unwrap();
    assert_eq!((&shown["key"], &shown["plain"]), (&json!("••••••••"), &json!("x")));
    assert!(!shown.to_string().contains("czNj"), "what is made of a secret is one, too: {shown}");

    // What an action echoes is looked at as it is, and told without the secret.
    let mut progress = start(&definition, json!({"text": "x"}), &surroundings);
    let echo = Outcome::Output(json!({"echo": format!("<{SECRET}>")}));
    let entry = record(
        &definition,
        &mut progress,
        TRUNK,
        Given { input: Some(shown), ..Given::default() },
        echo,
        &surroundings,
    )
    .unwrap();
    let transition = serde_json::to_string(&entry.transition).unwrap();
    assert!(transition.contains("•••") && !transition.contains("<s3cret"), "{transition}");
}

#[test]
fn a_setting_in_a_condition_is_told_unless_it_is_a_secret_and_what_is_made_of_one_never() {
    let app_settings = json!({"shop": {"default": {"name": "Ann's", "token": SECRET}}});
    let setup = Setup { app_settings, app_secrets: vec![SECRET.to_owned()], ..Setup::default() };
    let surroundings = Surroundings { setup: &setup, ..at(NOON) };
    let values = json!([
        "/#fn:getAppSetting,shop.default.name",
        "/#fn:getAppSetting,shop.default.token",
        "<{{{getAppSetting 'shop.default.name'}}}>",
        "/#fn:base64,steps.1.text",
        "plain",
    ]);
    let conditions = values.as_array().unwrap().iter().map(|value| json!({"op": "eq", "values": [value, "no"]}));
    let transitions = conditions.map(|condition| json!({"target": "t", "condition": condition}));
    let definition = steps(json!([
        {"id": "s", "action": "a", "transitions": transitions.collect::<Vec<_>>()},
        {"id": "t", "transitions": []},
    ]));
    let mut progress = start(&definition, json!({"text": "x"}), &surroundings);
    let done = Outcome::Output(json!({}));
    let entry = record(&definition, &mut progress, TRUNK, Given::default(), done, &surroundings).unwrap();
    let told = serde_json::to_value(&entry.transition).unwrap();
    let first: Vec<&Value> =
        told["conditions"].as_array().unwrap().iter().map(|one| &one["verdict"]["values"][0]).collect();
    assert_eq!(
        first,
        [&json!("Ann's"), &json!("••••••••"), &json!("••••••••"), &json!("eA=="), &json!("plain")],
        "{told}"
    );
}

#[test]
fn without_a_variable_in_it_a_definition_needs_nothing_and_shows_what_it_does() {
    let definition = steps(json!([{"id": "s", "action": "a", "params": {"x": "/#steps.1.text"}, "transitions": []}]));
    assert_eq!(definition.needs(), engine::definition::Needs::default());
    assert_eq!(params(&definition, &at(NOON)), (json!({"x": "x"}), None));
}

#[test]
fn what_a_definition_needs_is_known_before_it_runs() {
    let needs = |value: &str| {
        let condition = json!({"op": "true", "values": [value]});
        let definition = steps(
            json!([{"id": "s", "transitions": [{"target": "t", "condition": condition}]}, {"id": "t", "transitions": []}]),
        );
        let needs = definition.needs();
        (needs.variables, needs.schedules, needs.app_settings, needs.time_zone)
    };
    assert_eq!(needs("/#fn:inBusinessHours"), (false, true, false, true));
    assert_eq!(needs("{{#if (inBusinessHours steps.1.at)}}x{{/if}}"), (false, true, false, true));
    assert_eq!(needs("{{getAppSetting 'a.b.c'}}"), (false, false, true, false));
    assert_eq!(needs("{{variables.5a345109e578360010eaa1ad}}"), (true, false, false, false));
    assert_eq!(needs("/#fn:hmac,steps.1.text,variables.5a345109e578360010eaa1ad"), (true, false, false, false));
    for dated in ["/#fn:date,days,1", "/#fn:formatDate,steps.1.at", "{{dateDiff 'days' from=steps.1.at}}"] {
        assert_eq!(needs(dated), (false, false, false, true), "{dated}");
    }
    assert!(needs("/#fn:transform,steps.1.list,toUpper").3, "what it calls may come from data");
}

#[test]
fn dates_are_told_read_and_counted_in_the_time_zone_of_the_org() {
    let given = |zone: &str| {
        crate::support::Given::of(&json!({
            "now": "2026-11-28T02:30:00Z",
            "timeZone": zone,
            "steps": {"1": {"at": "2026-11-28T02:30:00Z", "day": "2026-11-28", "civil": "2026-11-28T09:00",
                "before": "2026-03-28T12:00:00Z", "after": "2026-03-29T11:00:00Z"}},
        }))
    };
    for (expression, utc, new_york, berlin) in [
        (
            "/#fn:dateFormat,steps.1.at",
            "2026-11-28T02:30:00+00:00",
            "2026-11-27T21:30:00-05:00",
            "2026-11-28T03:30:00+01:00",
        ),
        ("/#fn:dateFormat,steps.1.day,L LT", "11/28/2026 12:00 AM", "11/28/2026 12:00 AM", "11/28/2026 12:00 AM"),
        (
            "/#fn:date,days,0,steps.1.day",
            "2026-11-28T00:00:00.000Z",
            "2026-11-28T05:00:00.000Z",
            "2026-11-27T23:00:00.000Z",
        ),
        (
            "/#fn:date,hours,0,steps.1.civil",
            "2026-11-28T09:00:00.000Z",
            "2026-11-28T14:00:00.000Z",
            "2026-11-28T08:00:00.000Z",
        ),
        // The clock is put forward in Berlin between the two.
        (
            "/#fn:date,days,-1,steps.1.before",
            "2026-03-29T12:00:00.000Z",
            "2026-03-29T12:00:00.000Z",
            "2026-03-29T11:00:00.000Z",
        ),
        (
            "/#fn:date,hours,-24,steps.1.before",
            "2026-03-29T12:00:00.000Z",
            "2026-03-29T12:00:00.000Z",
            "2026-03-29T12:00:00.000Z",
        ),
        ("{{dateDiff 'days' steps.1.before steps.1.after}}", "0", "0", "1"),
        ("{{dateDiff 'hours' steps.1.before steps.1.after}}", "23", "23", "23"),
        ("{{{dateFormat steps.1.at format='LT' timeZone='Asia/Tokyo'}}}", "11:30 AM", "11:30 AM", "11:30 AM"),
    ] {
        for (zone, gives) in [("UTC", utc), ("", utc), ("America/New_York", new_york), ("Europe/Berlin", berlin)] {
            let found = given(zone).resolve(&json!(expression)).unwrap();
            assert_eq!(found, Some(json!(gives)), "{expression} in {zone}");
        }
    }
}

#[test]
fn chance_is_the_same_for_the_same_visit_of_the_same_run_and_for_no_other() {
    let first = random_ids(&at(NOON));
    assert_eq!(first, random_ids(&at("2027-01-01T00:00:00Z")), "an attempt later asks for the same");
    assert_ne!(first, random_ids(&Surroundings { seed: "another run", ..at(NOON) }));
    assert_eq!(first.iter().map(String::len).collect::<Vec<_>>(), [10, 6, 20]);
    let drawn: HashSet<&str> = [&first[0][..6], &first[1], &first[2][..6], &first[2][10..16]].into();
    assert_eq!(drawn.len(), 4, "no draw repeats another: {first:?}");
    let letters: String = first.concat();
    assert!(letters.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()), "{letters}");
}

#[test]
fn a_random_id_has_as_many_characters_as_the_limit_and_no_more() {
    let made = |size: &str| {
        let definition = steps(
            json!([{"id": "s", "action": "a", "transitions": [], "params": {"id": format!("/#fn:randomId,{size}")}}]),
        );
        params(&definition, &at(NOON)).0["id"].as_str().map(str::len)
    };
    let sizes = ["1", "256", "257", "0", "-1", "x"];
    assert_eq!(sizes.map(made), [Some(1), Some(256), None, None, None, None]);
}

#[test]
fn the_present_is_what_is_given() {
    let definition =
        steps(json!([{"id": "s", "action": "a", "params": {"at": "/#fn:date,days,0"}, "transitions": []}]));
    assert_eq!(params(&definition, &at(NOON)).0, json!({"at": NOON}));
}
