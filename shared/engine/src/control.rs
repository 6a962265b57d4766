//! Flow control: how many runs of a workflow there are at a time for one key, and how many arrivals a run is for.
//!
//! *Shape* — under `flow` in the document, one of
//!
//! | written | means |
//! | --- | --- |
//! | `{"concurrencyKey":"/#steps.1.orderId"}` | one run at a time for each key, in the order of arrival |
//! | `{"debounce":{"key":"/#steps.1.cart","quiet":"PT10M","atMost":"PT1H"}}` | of the arrivals for a key, the last one after a quiet time |
//! | `{"collect":{"key":"/#steps.1.shop","within":"PT5M","count":100}}` | one run for all arrivals for a key within a time, or for so many |

use domain::Failure;
use serde_json::Value;

use crate::cast::scalar_text;
use crate::definition::Definition;
use crate::document::{Object, Reader};
use crate::evaluation::{Asker, Context, Evaluation};
use crate::expression::{Expression, Use};
use crate::flow::duration_seconds;
use crate::problem::Place;
use crate::run::TRUNK;
use crate::surroundings::Surroundings;

/// The longest quiet time, and the longest time in which arrivals are collected.
pub const CONTROL_LIMIT_SECONDS: i64 = 7 * 86_400;

/// The longest time for which later arrivals may put a run off.
pub const AT_MOST_LIMIT_SECONDS: i64 = 30 * 86_400;

/// The most arrivals of one run.
pub const COLLECT_LIMIT: u32 = 1_000;

/// The most bytes of a key.
const KEY_LIMIT_BYTES: usize = 1_024;

const KEYS: [&str; 3] = ["concurrencyKey", "debounce", "collect"];

/// What a workflow says of its runs; the key is everyone's where none is said.
#[derive(Debug, Clone)]
pub struct FlowControl {
    key: Option<Expression>,
    /// How.
    pub mode: Mode,
}

/// How runs are controlled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One at a time.
    OneAtATime,
    /// The last one after a quiet time.
    Debounce {
        /// For how long nothing must have come.
        quiet_seconds: i64,
        /// After how long one begins whatever comes.
        at_most_seconds: i64,
    },
    /// All of a time together.
    Collect {
        /// How long they are collected from the first on.
        within_seconds: i64,
        /// How many begin at once.
        count: u32,
    },
}

impl FlowControl {
    /// Goes through what the key reads and calls.
    pub(crate) fn for_each_use(&self, see: &mut impl FnMut(Use<'_>, &Place<'_>)) {
        self.key.iter().for_each(|key| key.for_each_use(&Place::ROOT, see));
    }
}

impl Definition {
    /// What it says of its runs.
    pub fn control(&self) -> Option<&FlowControl> {
        self.control.as_ref()
    }

    /// The key of a run that begins with this step 1; numbers and the same numbers as text are one.
    ///
    /// *Errors* — there is none, so that nobody knows which others it belongs to.
    pub fn control_key(
        &self,
        control: &FlowControl,
        trigger_output: &Value,
        surroundings: &Surroundings<'_>,
    ) -> Result<String, Failure> {
        let Some(key) = &control.key else { return Ok(String::new()) };
        let mut steps = serde_json::Map::new();
        steps.insert(self.trigger.id.clone(), trigger_output.clone());
        let steps = Value::Object(steps);
        let asker = Asker { branch: TRUNK, step: &self.trigger.id, visit: 1, part: "flow" };
        let context =
            Context { steps: &steps, outer: &[], error: None, surroundings: *surroundings, asker, scope: None };
        let found = key.copied(&Evaluation::new(context)).map_err(Failure::from)?;
        let text = found.as_ref().and_then(scalar_text);
        text.filter(|text| (1..=KEY_LIMIT_BYTES).contains(&text.len())).ok_or_else(|| {
            let message = format!(
                "The key in `flow` of the workflow leads to no text of 1 to {KEY_LIMIT_BYTES} bytes and to no number in this arrival, \
                 so that nobody knows which others it belongs to. Name one that every arrival has."
            );
            Failure::new("missing_key", message)
        })
    }
}

impl<'d> Reader<'d> {
    /// What the document says under `flow`.
    pub(crate) fn read_control(&mut self, root: &'d Object, trigger_id: &str) -> Option<FlowControl> {
        let place = Place::ROOT.key("flow");
        let flow = self.optional_object(root, "flow", &Place::ROOT)?.as_object()?;
        let given: Vec<&String> = flow.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key).collect();
        let (Some(name), [_]) = (given.first().and_then(|name| KEYS.iter().find(|key| *key == name)), &given[..])
        else {
            let message = format!("`flow` has one of {}.", KEYS.join(", "));
            self.problems.add(&place, "bad_flow", message);
            return None;
        };
        let value = flow.get(*name)?;
        if *name == "concurrencyKey" {
            let key = self.read_key(value, &place.key(name), trigger_id);
            return Some(FlowControl { key: Some(key), mode: Mode::OneAtATime });
        }
        let place = place.key(name);
        let members = self.object(value, &place)?;
        let known: &[&str] =
            if *name == "debounce" { &["key", "quiet", "atMost"] } else { &["key", "within", "count"] };
        for unknown in members.keys().filter(|member| !known.contains(&member.as_str())) {
            let message = format!("`{name}` has no `{unknown}`; it has {}.", known.join(", "));
            self.problems.add(&place.key(unknown), "bad_flow", message);
        }
        let key = members.get("key").filter(|key| !key.is_null());
        let key = key.map(|key| self.read_key(key, &place.key("key"), trigger_id));
        let mode = if *name == "debounce" {
            let quiet_seconds = self.read_span(members, "quiet", &place, CONTROL_LIMIT_SECONDS)?;
            let at_most_seconds = match members.get("atMost").filter(|value| !value.is_null()) {
                Some(_) => self.read_span(members, "atMost", &place, AT_MOST_LIMIT_SECONDS)?,
                None => AT_MOST_LIMIT_SECONDS,
            };
            if at_most_seconds < quiet_seconds {
                self.problems.add(&place.key("atMost"), "bad_flow", "`atMost` is at least as long as `quiet`.");
            }
            Mode::Debounce { quiet_seconds, at_most_seconds }
        } else {
            let within_seconds = self.read_span(members, "within", &place, CONTROL_LIMIT_SECONDS)?;
            Mode::Collect { within_seconds, count: self.read_count(members, &place)? }
        };
        Some(FlowControl { key, mode })
    }

    fn read_key(&mut self, value: &'d Value, place: &Place<'_>, trigger_id: &str) -> Expression {
        let key = Expression::read(value, place, &mut self.problems);
        let mut others = false;
        key.for_each_use(place, &mut |used, _| match used {
            Use::Path(path) => {
                others |= path.root() == "steps" && !path.step_candidates().iter().any(|step| step == trigger_id);
            }
            Use::Function(_) => {}
        });
        if others {
            let message = format!("A key is worked out before the run begins; only /#steps.{trigger_id} is there.");
            self.problems.add(place, "bad_flow", message);
        }
        key
    }

    fn read_span(&mut self, members: &'d Object, name: &str, place: &Place<'_>, limit_seconds: i64) -> Option<i64> {
        let place = place.key(name);
        let Some(value) = members.get(name).filter(|value| !value.is_null()) else {
            self.missing(&place, name, "a duration such as \"PT10M\"");
            return None;
        };
        match duration_seconds(value) {
            Ok(seconds) if (1..=limit_seconds).contains(&seconds) => Some(seconds),
            Ok(_) => {
                let message = format!("`{name}` is 1 second to {} days.", limit_seconds / 86_400);
                self.problems.add(&place, "bad_flow", message);
                None
            }
            Err(sentence) => {
                self.problems.add(&place, "bad_flow", sentence);
                None
            }
        }
    }

    fn read_count(&mut self, members: &'d Object, place: &Place<'_>) -> Option<u32> {
        let Some(value) = members.get("count").filter(|value| !value.is_null()) else { return Some(COLLECT_LIMIT) };
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        let count = count.filter(|count| (2..=COLLECT_LIMIT).contains(count));
        if count.is_none() {
            let message = format!("`count` is a whole number from 2 to {COLLECT_LIMIT}.");
            self.problems.add(&place.key("count"), "bad_flow", message);
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::problem::Problem;
    use crate::surroundings::Setup;

    fn document(flow: Value) -> Value {
        let to_end = json!([{ "target": "end", "condition": { "op": "true", "values": [true] } }]);
        json!({ "name": "w", "flow": flow, "trigger": { "eventName": "a.b", "transitions": to_end }, "steps": [{ "id": "end", "transitions": [] }] })
    }

    #[test]
    fn a_workflow_is_controlled_in_one_way_and_its_spans_have_limits() {
        let debounce =
            |quiet: &str, at_most: Option<&str>| json!({ "debounce": { "quiet": quiet, "atMost": at_most } });
        let collect = |within: &str, count: Value| json!({ "collect": { "within": within, "count": count } });
        for (flow, mode) in [
            (json!({ "concurrencyKey": "/#steps.1.id" }), Mode::OneAtATime),
            (debounce("PT1S", None), Mode::Debounce { quiet_seconds: 1, at_most_seconds: AT_MOST_LIMIT_SECONDS }),
            (
                debounce("7d", Some("30d")),
                Mode::Debounce { quiet_seconds: CONTROL_LIMIT_SECONDS, at_most_seconds: AT_MOST_LIMIT_SECONDS },
            ),
            (collect("7d", json!(2)), Mode::Collect { within_seconds: CONTROL_LIMIT_SECONDS, count: 2 }),
            (collect("1s", json!(1_000)), Mode::Collect { within_seconds: 1, count: COLLECT_LIMIT }),
        ] {
            let definition = Definition::parse(&document(flow.clone())).unwrap();
            assert_eq!(definition.control().unwrap().mode, mode, "{flow}");
        }
        assert!(Definition::parse(&document(Value::Null)).unwrap().control().is_none());
        for (flow, path) in [
            (json!({}), "$.flow"),
            (json!({ "rate": 1 }), "$.flow"),
            (json!({ "concurrencyKey": "a", "debounce": { "quiet": 1 } }), "$.flow"),
            (json!({ "concurrencyKey": "/#steps.end.id" }), "$.flow.concurrencyKey"),
            (json!({ "debounce": "PT1M" }), "$.flow.debounce"),
            (json!({ "debounce": {} }), "$.flow.debounce.quiet"),
            (debounce("PT0S", None), "$.flow.debounce.quiet"),
            (debounce("PT168H1S", None), "$.flow.debounce.quiet"),
            (debounce("/#steps.1.quiet", None), "$.flow.debounce.quiet"),
            (debounce("PT2M", Some("PT1M")), "$.flow.debounce.atMost"),
            (debounce("PT2M", Some("31d")), "$.flow.debounce.atMost"),
            (collect("PT168H1S", json!(2)), "$.flow.collect.within"),
            (collect("PT1M", json!(1)), "$.flow.collect.count"),
            (collect("PT1M", json!(1_001)), "$.flow.collect.count"),
            (json!({ "collect": { "within": 1, "size": 3 } }), "$.flow.collect.size"),
        ] {
            let problems: Vec<Problem> = Definition::parse(&document(flow.clone())).unwrap_err();
            assert_eq!(problems[0].path, path, "{flow}: {problems:?}");
        }
    }

    #[test]
    fn a_key_is_a_text_or_a_number_and_has_to_be_there() {
        let key = |flow: Value, seen: Value| {
            let definition = Definition::parse(&document(flow)).unwrap();
            let setup = Setup::default();
            let surroundings = Surroundings { setup: &setup, now: domain::Timestamp::from_millisecond(0), seed: "s" };
            definition.control_key(definition.control().unwrap(), &seen, &surroundings).map_err(|failure| failure.code)
        };
        let by_id = || json!({ "concurrencyKey": "/#steps.1.id" });
        assert_eq!(key(by_id(), json!({ "id": 7 })).unwrap(), "7");
        assert_eq!(key(by_id(), json!({ "id": "7" })).unwrap(), "7");
        assert_eq!(key(json!({ "concurrencyKey": "all" }), json!({})).unwrap(), "all");
        assert_eq!(key(json!({ "collect": { "within": 60 } }), json!({})).unwrap(), "");
        assert_eq!(key(by_id(), json!({ "id": "k".repeat(1_024) })).unwrap().len(), 1_024);
        for seen in [
            json!({}),
            json!({ "id": null }),
            json!({ "id": "" }),
            json!({ "id": [1] }),
            json!({ "id": "k".repeat(1_025) }),
        ] {
            assert_eq!(key(by_id(), seen.clone()).unwrap_err(), "missing_key", "{seen}");
        }
    }
}
