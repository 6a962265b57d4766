//! Why a run went where it went, in sentences made of the API's journal and trace.
//!
//! The documents are read leniently, by name: a server newer than this program may say more than is told here.

use engine::condition::Verdict;
use serde_json::Value;

use crate::output::{brief, text_at};

/// Why a run went on from `step` as it did: the way that was taken, then each one that was closed.
pub(crate) fn transition(step: &str, transition: &Value) -> Vec<String> {
    let considered = items(transition, "conditions");
    let mut sentences = Vec::new();
    match transition.get("target").and_then(Value::as_str) {
        Some(target) => match considered.last().filter(holds).map(verdict_of) {
            Some(verdict) if !is_constant(verdict) => {
                sentences.extend(because(&format!("{step} → {target}"), verdict));
            }
            Some(_) if considered.len() > 1 => {
                sentences.push(format!("{step} → {target}, because its condition always holds."));
            }
            Some(_) | None => sentences.push(format!("{step} → {target}, as always.")),
        },
        None if transition.get("fault").is_some_and(Value::is_string) => {
            sentences.push(format!(
                "Where the run goes on after {step} could not be worked out: {}",
                text_at(transition, "/fault")
            ));
        }
        None if considered.is_empty() => sentences.push(format!("{step} leads nowhere, so the run ended there.")),
        None => sentences.push(format!("After {step} no transition was open, so the run ended there.")),
    }
    for closed in considered.iter().filter(|considered| !holds(considered)) {
        let way = format!("{step} → {} was closed", text_at(closed, "/target"));
        sentences.extend(because(&way, verdict_of(closed)));
    }
    sentences
}

/// How a step's error cases answered its failure.
pub(crate) fn error_case(step: &str, error_case: &Value) -> Vec<String> {
    let considered = items(error_case, "conditions");
    let mut sentences = match error_case.get("action").and_then(Value::as_str) {
        Some(action) => match considered.last().filter(|verdict| !is_constant(verdict)) {
            Some(verdict) => because(&format!("An error case of {step} answered {action}"), verdict),
            None => vec![format!("An error case of {step} answered {action}, as always.")],
        },
        None => vec![format!("None of the error cases of {step} held.")],
    };
    for closed in considered.iter().filter(|verdict| verdict.get("result") == Some(&Value::Bool(false))) {
        sentences.extend(because(&format!("An error case of {step} did not hold"), closed));
    }
    sentences
}

/// What came of an event: which workflows were considered, and what each did.
pub(crate) fn trace(trace: &Value) -> Vec<String> {
    let mut sentences = events(trace);
    for considered in items(trace, "considered") {
        sentences.push(considered_sentence(considered));
        if let Some(taken) = considered.get("transition").filter(|taken| taken.is_object()) {
            sentences.extend(transition("the trigger", taken).into_iter().map(|sentence| format!("  {sentence}")));
        }
    }
    sentences.extend(endings(trace));
    sentences
}

/// Which event it was that did not arrive at a hook, who fired it, and what it follows from.
pub(crate) fn event(event: &Value) -> Vec<String> {
    let text = |pointer: &str| text_at(event, pointer);
    let by = match event.pointer("/lineage/run").and_then(Value::as_str) {
        Some(run) => format!("a step of the run {run}"),
        None => "a request to the API".to_owned(),
    };
    let fired = format!("The event {} ({}) was fired at {} by {by}.", text("/name"), text("/id"), text("/createdAt"));
    let about = event.get("dataId").filter(|id| !id.is_null()).map(|id| format!("It is about {}.", brief(id)));
    let began = match event.pointer("/lineage/depth").and_then(Value::as_u64) {
        None | Some(0) => None,
        Some(1) => Some(format!("It follows from the transaction {}, by one run.", text("/lineage/root"))),
        Some(depth) => Some(format!(
            "It follows from the transaction {}, by {depth} runs that set each other off.",
            text("/lineage/root")
        )),
    };
    std::iter::once(fired).chain(about).chain(began).collect()
}

/// Which events were fired.
pub(crate) fn events(trace: &Value) -> Vec<String> {
    let first = format!("The event {} was fired.", text_at(trace, "/event"));
    let others = items(trace, "events").iter();
    let others = others.map(|event| format!("The event {} was fired too.", event.as_str().unwrap_or_default()));
    std::iter::once(first).chain(others).collect()
}

/// The workflows that were considered, in the document of a transaction.
pub(crate) fn considered(document: &Value) -> &[Value] {
    document.pointer("/meta/trace").map_or(&[], |trace| items(trace, "considered"))
}

/// What came of a workflow, and what can be done where that was nothing.
pub(crate) fn considered_sentence(considered: &Value) -> String {
    let id = text_at(considered, "/workflow/id");
    let version = considered.pointer("/workflow/version").and_then(Value::as_u64).filter(|version| *version > 0);
    let version = version.map(|version| format!(", version {version}")).unwrap_or_default();
    let workflow = format!("{} ({id}{version})", text_at(considered, "/workflow/name"));
    // Servers before webhooks knew one event for a transaction and did not name it here.
    let event = considered.get("event").and_then(Value::as_str).unwrap_or("it");
    match (text_at(considered, "/verdict").as_str(), considered.pointer("/run/id").and_then(Value::as_str)) {
        (_, Some(run)) => match considered.pointer("/run/state").and_then(Value::as_str) {
            Some(state) => format!("Workflow {workflow} listens to {event} and started the run {run} ({state})."),
            None => format!("Workflow {workflow} listens to {event} and starts the run {run}, which is not there yet."),
        },
        ("disabled", None) => format!(
            "Workflow {workflow} listens to {event} but was disabled then, so it started no run. `hookwright workflows enable {id}` enables it."
        ),
        ("replaced", None) => format!(
            "Workflow {workflow} listens to {event}, but workflow {} replaces it, so it started no run.",
            text_at(considered, "/replacedBy/id")
        ),
        ("misfit", None) => format!(
            "Workflow {workflow} listens to {event}, but what the app makes of the data does not fit, so it started no run."
        ),
        (verdict, None) => format!("Workflow {workflow} was considered and started no run: {verdict}."),
    }
}

/// Why nothing ran, where nothing did, and what there is to know of the body.
pub(crate) fn endings(trace: &Value) -> Vec<String> {
    let reason = trace.get("reason").and_then(Value::as_str).map(str::to_owned);
    let note = |note: &Value| {
        format!("Note at {}: {} ({})", text_at(note, "/path"), text_at(note, "/message"), text_at(note, "/code"))
    };
    reason.into_iter().chain(items(trace, "notes").iter().map(note)).collect()
}

/// `find → order, because /#steps.find.id (the text "5a") exists.`, and what more there is to say, indented.
fn because(what: &str, verdict: &Value) -> Vec<String> {
    let mut told = match serde_json::from_value::<Verdict>(verdict.clone()) {
        Ok(verdict) => verdict.sentences().into_iter(),
        Err(_) => vec![format!("{} is {}.", text_at(verdict, "/op"), text_at(verdict, "/result"))].into_iter(),
    };
    let first = told.next().map(|first| uncapitalized(&first)).unwrap_or_default();
    std::iter::once(format!("{what}, because {first}")).chain(told.map(|more| format!("  {more}"))).collect()
}

fn uncapitalized(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

fn verdict_of(considered: &Value) -> &Value {
    considered.get("verdict").unwrap_or(&Value::Null)
}

fn holds(considered: &&Value) -> bool {
    verdict_of(considered).get("result").and_then(Value::as_bool) == Some(true)
}

/// Whether the condition asks nothing of the run: it compares literals only, as `true [true]` and `exists [true]` do.
fn is_constant(verdict: &Value) -> bool {
    ["from", "conditions", "missing", "faults"].iter().all(|key| items(verdict, key).is_empty())
}

fn items<'a>(document: &'a Value, name: &str) -> &'a [Value] {
    document.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_way_taken_and_the_ways_closed_are_told_with_both_operands_and_each_cast() {
        let taken = json!({"target": "create", "conditions": [
            {"target": "order", "verdict": {"op": "exists", "values": [null], "from": ["/#steps.find.id"], "result": false, "missing": ["/#steps.find.id"]}},
            {"target": "large", "verdict": {"op": "gt", "values": ["15", 100], "from": ["/#steps.1.total", null],
                "casts": [{"value": 0, "as": "number", "read": true}], "result": false}},
            {"target": "create", "verdict": {"op": "and", "result": true, "conditions": [
                {"op": "eq", "values": ["a", "a"], "from": ["/#steps.1.kind", null], "result": true}, {"op": "gt", "values": [2, 1], "result": true}]}},
        ]});
        assert_eq!(
            transition("find", &taken),
            [
                "find → create, because all of these conditions hold:",
                "  /#steps.1.kind (the text \"a\") equals the text \"a\".",
                "  The number 2 is greater than the number 1.",
                "find → order was closed, because /#steps.find.id (missing) does not exist.",
                "find → large was closed, because /#steps.1.total (the text \"15\") is not greater than the number 100.",
                "  For that, the text \"15\" was read as a number.",
            ]
        );
    }

    #[test]
    fn an_unconditional_way_and_the_ends_of_runs_are_told() {
        for verdict in [
            json!({"op": "true", "result": true}),
            json!({"op": "true", "values": [true], "result": true}),
            json!({"op": "exists", "values": ["true", ""], "result": true}),
        ] {
            let always = json!({"target": "b", "conditions": [{"target": "b", "verdict": verdict}]});
            assert_eq!(transition("a", &always), ["a → b, as always."]);
        }
        assert_eq!(
            transition("a", &json!({"target": null, "conditions": []})),
            ["a leads nowhere, so the run ended there."]
        );
        let closed =
            json!({"target": null, "conditions": [{"target": "b", "verdict": {"op": "false", "result": false}}]});
        assert_eq!(
            transition("a", &closed),
            ["After a no transition was open, so the run ended there.", "a → b was closed, because it never holds."]
        );
    }

    #[test]
    fn error_cases_are_told_with_what_they_asked() {
        let answered = json!({"action": "continue", "conditions": [
            {"op": "eq", "values": [404, 503], "from": ["/#error.status", null], "result": false},
            {"op": "eq", "values": ["gone", "gone"], "from": ["/#error.code", null], "result": true},
        ]});
        assert_eq!(
            error_case("s", &answered),
            [
                "An error case of s answered continue, because /#error.code (the text \"gone\") equals the text \"gone\".",
                "An error case of s did not hold, because /#error.status (the number 404) does not equal the number 503.",
            ]
        );
        assert_eq!(error_case("s", &json!({"action": null, "conditions": []})), ["None of the error cases of s held."]);
    }

    #[test]
    fn what_a_newer_server_says_otherwise_is_told_by_its_name() {
        let taken = json!({"target": "b", "conditions": [{"target": "b", "verdict": {"op": "resembles", "from": ["/#a"], "result": true}}]});
        assert_eq!(transition("a", &taken), ["a → b, because resembles is true."]);
    }

    #[test]
    fn the_trace_tells_of_every_workflow_and_note() {
        let told = trace(&json!({
            "event": "kustomer.hooks.form.h1.receive",
            "considered": [
                {"workflow": {"id": "w1", "name": "orders", "version": 2}, "verdict": "started", "run": {"id": "r1", "state": "succeeded"},
                 "transition": {"target": "find", "conditions": [{"target": "find", "verdict": {"op": "true", "result": true}}]}},
                {"workflow": {"id": "w2", "name": "old"}, "verdict": "disabled"},
                {"workflow": {"id": "w4", "name": "app"}, "verdict": "replaced", "replacedBy": {"id": "w1"}},
                {"workflow": {"id": "w5", "name": "shaped"}, "verdict": "misfit"},
                {"workflow": {"id": "w3", "name": "new"}, "verdict": "started", "run": {"id": "r3", "state": null}, "transition": null},
            ],
            "reason": null,
            "notes": [{"code": "duplicate_key", "path": "$.a", "message": "The key came twice."}],
        }));
        assert_eq!(
            told,
            [
                "The event kustomer.hooks.form.h1.receive was fired.",
                "Workflow orders (w1, version 2) listens to it and started the run r1 (succeeded).",
                "  the trigger → find, as always.",
                "Workflow old (w2) listens to it but was disabled then, so it started no run. `hookwright workflows enable w2` enables it.",
                "Workflow app (w4) listens to it, but workflow w1 replaces it, so it started no run.",
                "Workflow shaped (w5) listens to it, but what the app makes of the data does not fit, so it started no run.",
                "Workflow new (w3) listens to it and starts the run r3, which is not there yet.",
                "Note at $.a: The key came twice. (duplicate_key)",
            ]
        );
    }

    #[test]
    fn a_reason_stands_where_no_workflow_ran() {
        let told = trace(
            &json!({"event": "e", "considered": [], "reason": "No workflow listens to this event.", "notes": []}),
        );
        assert_eq!(told, ["The event e was fired.", "No workflow listens to this event."]);
    }
}
