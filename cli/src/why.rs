//! Why a run went where it went, in sentences made of the API's journal and trace.
//!
//! The documents are read leniently, by name: a server newer than this program may say more than is told here.

use serde_json::Value;

use crate::output::{brief, shortened, text_at};

/// A value in a sentence is cut to this; the whole is in the `--json` form.
const VALUE_LIMIT_CHARS: usize = 60;

/// Why a run went on from `step` as it did: the way that was taken, then each one that was closed.
pub(crate) fn transition(step: &str, transition: &Value) -> Vec<String> {
    let considered = items(transition, "conditions");
    let mut sentences = Vec::new();
    match transition.get("target").and_then(Value::as_str) {
        Some(target) => sentences.push(match considered.last().filter(holds) {
            Some(last) if !is_constant(verdict_of(last)) => {
                format!("{step} → {target}, because {}.", verdict(verdict_of(last)))
            }
            Some(_) | None => format!("{step} → {target}, as always."),
        }),
        None if considered.is_empty() => sentences.push(format!("{step} leads nowhere, so the run ended there.")),
        None => sentences.push(format!("After {step} no transition was open, so the run ended there.")),
    }
    for closed in considered.iter().filter(|considered| !holds(considered)) {
        sentences.push(format!(
            "{step} → {} was closed, because {}.",
            text_at(closed, "/target"),
            verdict(verdict_of(closed))
        ));
    }
    sentences
}

/// How a step's error cases answered its failure.
pub(crate) fn error_case(step: &str, error_case: &Value) -> String {
    match error_case.get("action").and_then(Value::as_str) {
        Some(action) => format!("{step} failed, and an error case answered: {action}."),
        None => format!("{step} failed, and none of its error cases held, which fails the run."),
    }
}

/// What came of an event: which workflows were considered, and what each did.
pub(crate) fn trace(trace: &Value) -> Vec<String> {
    let mut sentences = vec![format!("The event {} was fired.", text_at(trace, "/event"))];
    for event in items(trace, "events") {
        sentences.push(format!("The event {} was fired too.", event.as_str().unwrap_or_default()));
    }
    for considered in items(trace, "considered") {
        sentences.push(considered_sentence(considered));
        if let Some(taken) = considered.get("transition").filter(|taken| taken.is_object()) {
            sentences.extend(transition("the trigger", taken).into_iter().map(|sentence| format!("  {sentence}")));
        }
    }
    sentences.extend(trace.get("reason").and_then(Value::as_str).map(str::to_owned));
    for note in items(trace, "notes") {
        sentences.push(format!(
            "Note at {}: {} ({})",
            text_at(note, "/path"),
            text_at(note, "/message"),
            text_at(note, "/code")
        ));
    }
    sentences
}

fn considered_sentence(considered: &Value) -> String {
    let workflow = format!("{} ({})", text_at(considered, "/workflow/name"), text_at(considered, "/workflow/id"));
    // Servers before webhooks knew one event for a transaction and did not name it here.
    let event = considered.get("event").and_then(Value::as_str).unwrap_or("it");
    match (text_at(considered, "/verdict").as_str(), considered.pointer("/run/id").and_then(Value::as_str)) {
        (_, Some(run)) => match considered.pointer("/run/state").and_then(Value::as_str) {
            Some(state) => format!("Workflow {workflow} listens to {event} and started the run {run} ({state})."),
            None => format!("Workflow {workflow} listens to {event} and starts the run {run}, which is not there yet."),
        },
        ("disabled", None) => format!("Workflow {workflow} listens to {event} but is disabled, so it started no run."),
        (verdict, None) => format!("Workflow {workflow} was considered and started no run: {verdict}."),
    }
}

/// `dne(null) is true, as nothing is at /#steps.find.id`
fn verdict(verdict: &Value) -> String {
    let inner: Vec<String> = match items(verdict, "conditions") {
        [] => items(verdict, "values").iter().map(value).collect(),
        conditions => conditions.iter().map(self::verdict).collect(),
    };
    let answer = text_at(verdict, "/result");
    let missing: Vec<String> = items(verdict, "missing").iter().map(brief).collect();
    let told = format!("{}({}) is {answer}", text_at(verdict, "/op"), inner.join(", "));
    if missing.is_empty() { told } else { format!("{told}, as nothing is at {}", missing.join(" and ")) }
}

fn value(value: &Value) -> String {
    shortened(&value.to_string(), VALUE_LIMIT_CHARS)
}

fn verdict_of(considered: &Value) -> &Value {
    considered.get("verdict").unwrap_or(&Value::Null)
}

fn holds(considered: &&Value) -> bool {
    verdict_of(considered).get("result").and_then(Value::as_bool) == Some(true)
}

/// Whether the condition asks nothing: `true` of nothing, which is also what a transition without a condition is.
fn is_constant(verdict: &Value) -> bool {
    text_at(verdict, "/op") == "true" && items(verdict, "values").is_empty()
}

fn items<'a>(document: &'a Value, name: &str) -> &'a [Value] {
    document.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_way_taken_and_the_ways_closed_are_told_with_their_conditions() {
        let taken = json!({"target": "create", "conditions": [
            {"target": "order", "verdict": {"op": "exists", "values": [null], "result": false, "missing": ["/#steps.find.id"]}},
            {"target": "create", "verdict": {"op": "and", "result": true, "conditions": [
                {"op": "eq", "values": ["a", "a"], "result": true}, {"op": "gt", "values": [2, 1], "result": true}]}},
        ]});
        assert_eq!(
            transition("find", &taken),
            [
                "find → create, because and(eq(\"a\", \"a\") is true, gt(2, 1) is true) is true.",
                "find → order was closed, because exists(null) is false, as nothing is at /#steps.find.id.",
            ]
        );
    }

    #[test]
    fn an_unconditional_way_and_the_ends_of_runs_are_told() {
        let always = json!({"target": "b", "conditions": [{"target": "b", "verdict": {"op": "true", "result": true}}]});
        assert_eq!(transition("a", &always), ["a → b, as always."]);
        assert_eq!(
            transition("a", &json!({"target": null, "conditions": []})),
            ["a leads nowhere, so the run ended there."]
        );
        let closed =
            json!({"target": null, "conditions": [{"target": "b", "verdict": {"op": "false", "result": false}}]});
        assert_eq!(
            transition("a", &closed),
            ["After a no transition was open, so the run ended there.", "a → b was closed, because false() is false."]
        );
    }

    #[test]
    fn the_trace_tells_of_every_workflow_and_note() {
        let told = trace(&json!({
            "event": "kustomer.hooks.form.h1.receive",
            "considered": [
                {"workflow": {"id": "w1", "name": "orders"}, "verdict": "started", "run": {"id": "r1", "state": "succeeded"},
                 "transition": {"target": "find", "conditions": [{"target": "find", "verdict": {"op": "true", "result": true}}]}},
                {"workflow": {"id": "w2", "name": "old"}, "verdict": "disabled"},
                {"workflow": {"id": "w3", "name": "new"}, "verdict": "started", "run": {"id": "r3", "state": null}, "transition": null},
            ],
            "reason": null,
            "notes": [{"code": "duplicate_key", "path": "$.a", "message": "The key came twice."}],
        }));
        assert_eq!(
            told,
            [
                "The event kustomer.hooks.form.h1.receive was fired.",
                "Workflow orders (w1) listens to it and started the run r1 (succeeded).",
                "  the trigger → find, as always.",
                "Workflow old (w2) listens to it but is disabled, so it started no run.",
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
