//! `flow.wait` for an event: which one, and what has to stand in it.

use domain::Failure;
use serde_json::Value;

use super::{missing, value, wrong};
use crate::cast::scalar_text;
use crate::expression::{Expression, Outline};
use crate::path::Path;
use crate::pending::{AwaitedEvent, Match};

/// How many places of an event a wait may look at.
pub const MATCHES_LIMIT: usize = 5;

/// How many events the steps of a workflow may wait for, each name counted once.
pub const AWAITED_EVENTS_LIMIT: usize = 20;

/// The most bytes of the name of an event. *Source* — that of a hook's.
const NAME_LIMIT_BYTES: usize = 256;

/// The most bytes of what has to stand somewhere.
const VALUE_LIMIT_BYTES: usize = 1_024;

const SHAPE: &str = "an object such as {\"name\": \"kustomer.app.shop.shipped\", \"match\": [{\"path\": \"orderId\", \"value\": \"/#steps.1.orderId\"}]}";

/// The event that a wait is for, its params worked out.
pub(super) fn read(event: &Value) -> Result<AwaitedEvent, Failure> {
    let object = event.as_object().ok_or_else(|| wrong("event", SHAPE))?;
    let name = value(object, "name").ok_or_else(|| missing("event.name"))?;
    let name = name.as_str().filter(|name| (1..=NAME_LIMIT_BYTES).contains(&name.len()));
    let name = name.ok_or_else(|| wrong("event.name", "the name of an event"))?;
    // Left out it could mean that every event will do, and what leads nowhere is left out.
    let given = match value(object, "match") {
        Some(Value::Array(given)) if given.len() <= MATCHES_LIMIT => given,
        Some(_) => {
            return Err(wrong(
                "event.match",
                &format!("a list of at most {MATCHES_LIMIT} pairs of a path and a value"),
            ));
        }
        None => return Err(missing("event.match")),
    };
    let mut matches = given.iter().map(read_match).collect::<Result<Vec<Match>, Failure>>()?;
    matches.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(AwaitedEvent { name: name.to_owned(), matches })
}

fn read_match(pair: &Value) -> Result<Match, Failure> {
    let pair = pair.as_object().ok_or_else(|| wrong("event.match", "a list of objects with `path` and `value`"))?;
    let path = value(pair, "path").ok_or_else(|| missing("event.match.path"))?;
    let path = path.as_str().filter(|path| is_path(path));
    let path = path.ok_or_else(|| wrong("event.match.path", "what would come behind /#steps.1. in a reference"))?;
    let value = value(pair, "value").ok_or_else(|| missing("event.match.value"))?;
    let value = scalar_text(value).filter(|text| text.len() <= VALUE_LIMIT_BYTES);
    let value = value.ok_or_else(|| {
        wrong("event.match.value", &format!("a text of at most {VALUE_LIMIT_BYTES} bytes, a number, true or false"))
    })?;
    Ok(Match { path: path.to_owned(), value })
}

/// Whether `path` can lead somewhere in what step 1 sees.
pub fn is_path(path: &str) -> bool {
    Path::parse(path).is_ok()
}

/// What stands at `paths` in what step 1 would see of an event; none where one of them leads nowhere, or to what cannot be waited for.
pub fn values_at(paths: &[String], event: &Value) -> Option<Vec<Match>> {
    let matched = paths.iter().map(|path| {
        let value = scalar_text(Path::parse(path).ok()?.find_below(event)?)?;
        (value.len() <= VALUE_LIMIT_BYTES).then(|| Match { path: path.clone(), value })
    });
    matched.collect()
}

/// The name of the event that a step waits for, written out, because the org has to know of it before anything runs.
///
/// *Errors* — it waits for one and its name is not written out.
pub(crate) fn name_of(action: &str, params: &Expression) -> Result<Option<String>, ()> {
    if action != "flow.wait" {
        return Ok(None);
    }
    let Some(event) = member(params.outline(), "event") else { return Ok(None) };
    if matches!(event, Outline::Literal(Value::Null)) {
        return Ok(None);
    }
    let name = match member(event, "name") {
        Some(Outline::Literal(Value::String(name))) => Some(name),
        Some(Outline::Literal(_) | Outline::Text | Outline::Unknown | Outline::Array(_) | Outline::Object(_))
        | None => None,
    };
    let name = name.filter(|name| (1..=NAME_LIMIT_BYTES).contains(&name.len()));
    name.map(|name| Some(name.clone())).ok_or(())
}

fn member<'o>(outline: Outline<'o>, key: &str) -> Option<Outline<'o>> {
    match outline {
        Outline::Literal(value) => value.get(key).map(Outline::Literal),
        Outline::Object(members) => members.into_iter().find(|(name, _)| *name == key).map(|(_, member)| member),
        Outline::Text | Outline::Unknown | Outline::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_a_name_and_what_stands_where() {
        let read = |event: Value| read(&event);
        let waited =
            read(json!({ "name": "a.b", "match": [{ "path": "z", "value": 7 }, { "path": "a.0.b", "value": "x" }] }));
        let pair = |path: &str, value: &str| Match { path: path.to_owned(), value: value.to_owned() };
        assert_eq!(waited.unwrap().matches, [pair("a.0.b", "x"), pair("z", "7")]);
        let pairs = |count: usize| json!({ "name": "a", "match": vec![json!({ "path": "a", "value": true }); count] });
        assert!(read(pairs(MATCHES_LIMIT)).is_ok() && read(pairs(0)).is_ok());
        for wrong in [
            json!("a"),
            json!({ "match": [] }),
            json!({ "name": "", "match": [] }),
            json!({ "name": "a".repeat(257), "match": [] }),
            json!({ "name": "a" }),
            json!({ "name": "a", "match": {} }),
            pairs(MATCHES_LIMIT + 1),
            json!({ "name": "a", "match": [{ "path": "a" }] }),
            json!({ "name": "a", "match": [{ "value": "a" }] }),
            json!({ "name": "a", "match": [{ "path": "", "value": 1 }] }),
            json!({ "name": "a", "match": [{ "path": "a", "value": {} }] }),
            json!({ "name": "a", "match": [{ "path": "a", "value": "v".repeat(1_025) }] }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_stands_in_an_event_is_compared_as_text() {
        let event = json!({ "order": { "id": 1234, "lines": [{ "sku": "A" }], "none": null } });
        let at = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            values_at(&paths, &event).map(|matches| matches.into_iter().map(|found| found.value).collect::<Vec<_>>())
        };
        assert_eq!(at(&["order.id", "order.lines.0.sku"]), Some(vec!["1234".to_owned(), "A".to_owned()]));
        assert_eq!(at(&[]), Some(Vec::new()));
        for nowhere in [["order.ID"], ["order.lines"], ["order.none"]] {
            assert_eq!(at(&nowhere), None, "{nowhere:?}");
        }
    }
}
