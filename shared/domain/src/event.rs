//! Events: that something happened, for whoever listens.
//!
//! A change of a record fires one by itself; others are published under a name of their own. What arrives at a hook is a
//! [`Transaction`](crate::Transaction) and fires the hook's event without one of these.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{EventId, OrgId, Record, RecordKind, RunId, Timestamp, TransactionId, WorkflowId, exact::object};

/// How many generations of changes may follow from one beginning. *Source*: the issue that asked for records.
pub const LINEAGE_LIMIT_DEPTH: u32 = 10;

/// The header of calls and deliveries that tells of which generation whatever they set off is, so that workflows which set
/// each other off over the web come to an end as well. Who sends it can only make runs of their own arrivals fail.
pub const GENERATION_HEADER: &str = "hookwright-generation";

/// The most bytes of values before and after, together, that an event tells; the record itself is in it anyway.
pub const CHANGES_LIMIT_BYTES: usize = 256 * 1024;

/// Attributes that every change changes.
const ALWAYS_CHANGED: [&str; 2] = ["rev", "updatedAt"];

/// Who made a change, in Kustomer's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Client {
    /// A request to the management API, which is also what the command line sends.
    #[serde(rename = "api-gw")]
    Api,
    /// A step of a workflow.
    #[serde(rename = "workflow")]
    Workflow,
    /// Nobody: it is about Hookwright's own doing.
    #[serde(rename = "hookwright")]
    Hookwright,
}

/// What an event follows from.
///
/// *Shape*: `{"root":"…","depth":1,"run":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lineage {
    /// What it all began with: an arrival, or an event that a request fired.
    pub root: TransactionId,
    /// How many runs lie between the beginning and this.
    pub depth: u32,
    /// The run whose step fired it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

/// That something happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The event; of a record's change always the same one.
    pub id: EventId,
    /// Whose it is.
    pub org: OrgId,
    /// What happened: `kustomer.customer.update`.
    pub name: String,
    /// When.
    pub created_at: Timestamp,
    /// Who did it.
    pub client: Client,
    /// What it happened to, as it is now: of a record its JSON:API resource.
    #[serde(with = "crate::exact")]
    pub data: Value,
    /// What is different; nothing where it was made.
    ///
    /// *Shape*: `{"attributes":{"status":{"op":"replace","before":"open","after":"done"}},"relationships":{}}`.
    #[serde(with = "crate::exact")]
    pub changes: Value,
    /// What it follows from.
    pub lineage: Lineage,
}

/// What the name of a call of a workflow begins with; the workflow's id stands between this and [`CALL_SUFFIX`].
///
/// *Source*: reference, section 3.2.
const CALL_PREFIX: &str = "kustomer.workflow.";

/// What such a name ends with.
const CALL_SUFFIX: &str = ".call";

impl Event {
    /// The event of a record that is now as `after`, and was as `before` if it was there.
    pub fn of_record(before: Option<&Record>, after: &Record, client: Client, lineage: Lineage) -> Self {
        Self {
            id: EventId::for_revision(after.id, after.rev),
            org: after.org,
            name: Self::name_of_record(before, &after.kind),
            created_at: after.updated_at,
            client,
            data: after.resource(),
            changes: before.map_or(Value::Null, |before| differences(before, after)),
            lineage,
        }
    }

    /// The name of the event of a record of `kind` that was as `before` if it was there.
    pub fn name_of_record(before: Option<&Record>, kind: &RecordKind) -> String {
        let change = if before.is_some() { "update" } else { "create" };
        format!("kustomer.{kind}.{change}")
    }

    /// Whether `name` is one that only a change of a record fires.
    pub fn is_of_record(name: &str) -> bool {
        let Some(rest) = name.strip_prefix("kustomer.") else { return false };
        let Some((kind, change)) = rest.rsplit_once('.') else { return false };
        ["create", "update"].contains(&change) && RecordKind::try_from(kind.to_owned()).is_ok()
    }

    /// The name of a call of `workflow`: `kustomer.workflow.{id}.call`.
    pub fn name_of_call(workflow: WorkflowId) -> String {
        format!("{CALL_PREFIX}{workflow}{CALL_SUFFIX}")
    }

    /// The id in `name` of the workflow that it calls, if it is the name of a call; whether there is such a workflow is not
    /// known.
    pub fn called_by_name(name: &str) -> Option<&str> {
        name.strip_prefix(CALL_PREFIX)?.strip_suffix(CALL_SUFFIX).filter(|id| !id.is_empty())
    }

    /// What step 1 of a workflow sees: the record with its attributes at the top and its relationships as ids, and
    /// `changes`; of a call its inputs; of other events what they were published with.
    ///
    /// *Source*: reference, section 4.3.
    pub fn step_output(&self) -> Value {
        if Self::called_by_name(&self.name).is_some() {
            return self.data.pointer("/attributes/inputs").cloned().unwrap_or_default();
        }
        if !Self::is_of_record(&self.name) {
            return self.data.clone();
        }
        let mut output = flattened(&self.data);
        if let Value::Object(output) = &mut output {
            output.insert("changes".to_owned(), self.changes.clone());
        }
        output
    }

    /// Everything about the event but what it tells: which one it was, who did it, and what it follows from.
    ///
    /// *Shape*: `{"id","name","createdAt","client","dataId","lineage":{"root","depth","run"}}`.
    pub fn about(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "createdAt": self.created_at,
            "client": self.client,
            "dataId": self.data_id(),
            "lineage": { "root": self.lineage.root, "depth": self.lineage.depth, "run": self.lineage.run },
        })
    }

    /// The id of what it happened to; nothing where that has none.
    fn data_id(&self) -> Value {
        self.data.get("id").cloned().unwrap_or_default()
    }

    /// The event as it is told outside; `org_name` is what its org is called.
    ///
    /// *Source*: reference, section 6, but for `snsFilters`, which is of Kustomer's own machinery.
    pub fn envelope(&self, org_name: Option<&str>) -> Value {
        let custom = self.changes.pointer("/attributes/custom").is_some();
        object([
            ("id", json!(self.id)),
            ("name", json!(self.name)),
            ("org", json!(self.org)),
            ("partition", json!(self.org)),
            ("orgName", json!(org_name)),
            ("data", self.data.clone()),
            ("createdAt", json!(self.created_at)),
            ("changes", self.changes.clone()),
            ("persist", json!(true)),
            ("client", json!(self.client)),
            ("dataId", self.data_id()),
            ("meta", json!({ "customChanged": custom })),
        ])
    }
}

/// A JSON:API resource with its attributes at the top and its relationships as ids; anything else as it is.
fn flattened(data: &Value) -> Value {
    let Some(Value::Object(attributes)) = data.get("attributes") else { return data.clone() };
    let own = ["id", "type"].into_iter().filter_map(|key| Some((key.to_owned(), data.get(key)?.clone())));
    let mut flat: Map<String, Value> = own.collect();
    flat.extend(attributes.clone());
    let relationships = data.get("relationships").and_then(Value::as_object);
    for (name, related) in relationships.into_iter().flatten().filter(|(name, _)| *name != "org") {
        if let Some(id) = related.pointer("/data/id") {
            flat.insert(name.clone(), id.clone());
        }
    }
    Value::Object(flat)
}

fn differences(before: &Record, after: &Record) -> Value {
    let (old, new) = (before.resource(), after.resource());
    let mut left_bytes = CHANGES_LIMIT_BYTES;
    let attributes = differing(&old, &new, "attributes", &mut left_bytes);
    let relationships = differing(&old, &new, "relationships", &mut left_bytes);
    object([("attributes", Value::Object(attributes)), ("relationships", Value::Object(relationships))])
}

/// The members under `part` that are not the same. Values that are too large to be told are named by their size:
/// `{"op":"replace","leftOutBytes":300000}`.
fn differing(old: &Value, new: &Value, part: &str, left_bytes: &mut usize) -> Map<String, Value> {
    let members = |whole: &'_ Value| whole.get(part).and_then(Value::as_object).cloned().unwrap_or_default();
    let (old, new) = (members(old), members(new));
    let added = new.keys().filter(|name| !old.contains_key(*name));
    let names = old.keys().chain(added).filter(|name| old.get(*name) != new.get(*name));
    let mut differing = Map::new();
    for name in names {
        let value = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or_default();
        let (before, after) = (value(&old), value(&new));
        let bytes = match ALWAYS_CHANGED.contains(&name.as_str()) {
            true => 0,
            false => before.to_string().len() + after.to_string().len(),
        };
        let change = match left_bytes.checked_sub(bytes) {
            Some(left) => {
                *left_bytes = left;
                object([("op", json!("replace")), ("before", before), ("after", after)])
            }
            None => json!({ "op": "replace", "leftOutBytes": bytes }),
        };
        differing.insert(name.clone(), change);
    }
    differing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(rev: u64, attributes: Value) -> Record {
        let (made, changed) = (Timestamp::from_millisecond(0), Timestamp::from_millisecond(rev.cast_signed()));
        Record {
            id: crate::RecordId::fresh(made, [2; 8]),
            org: OrgId::fresh(made, [3; 8]),
            kind: RecordKind::Customer,
            rev,
            attributes: attributes.as_object().cloned().unwrap(),
            relationships: Vec::new(),
            created_at: made,
            updated_at: changed,
        }
    }

    fn lineage() -> Lineage {
        Lineage { root: TransactionId::parse("5a345109e578360010eaa1ad").unwrap(), depth: 0, run: None }
    }

    #[test]
    fn a_new_record_has_no_changes_and_a_changed_one_tells_what_was_before() {
        let first = customer(1, json!({"name": "Ann", "custom": {"tierStr": "gold"}}));
        let made = Event::of_record(None, &first, Client::Api, lineage());
        assert_eq!((made.name.as_str(), &made.changes), ("kustomer.customer.create", &Value::Null));

        let second = customer(2, json!({"name": "Anna", "custom": {"tierStr": "gold"}, "locale": "da"}));
        let changed = Event::of_record(Some(&first), &second, Client::Workflow, lineage());
        assert_eq!(changed.name, "kustomer.customer.update");
        assert_ne!(made.id, changed.id);
        let attributes = changed.changes["attributes"].as_object().unwrap();
        let names: Vec<&str> = attributes.keys().map(String::as_str).collect();
        assert_eq!(names, ["name", "rev", "updatedAt", "locale"]);
        assert_eq!(attributes["name"], json!({"op": "replace", "before": "Ann", "after": "Anna"}));
        assert_eq!(attributes["locale"], json!({"op": "replace", "before": null, "after": "da"}));
        let envelope = changed.envelope(Some("Acme"));
        assert_eq!((&envelope["client"], &envelope["meta"]["customChanged"]), (&json!("workflow"), &json!(false)));
        assert_eq!((&envelope["dataId"], &envelope["orgName"]), (&json!(second.id), &json!("Acme")));
    }

    #[test]
    fn step_1_sees_the_flattened_record_and_the_changes() {
        let (first, second) = (customer(1, json!({"name": "Ann"})), customer(2, json!({"name": "Anna"})));
        let output = Event::of_record(Some(&first), &second, Client::Api, lineage()).step_output();
        assert_eq!((&output["name"], &output["id"]), (&json!("Anna"), &json!(second.id)));
        assert_eq!(output["changes"]["attributes"]["name"]["before"], "Ann");
        assert!(output.get("org").is_none() && output.get("attributes").is_none());
    }

    #[test]
    fn what_was_published_is_seen_as_it_is_also_where_it_looks_like_a_resource() {
        let first = customer(1, json!({"name": "Ann"}));
        let data = json!({"id": "o-1", "total": 5, "attributes": {"color": "red"}});
        let name = "kustomer.app.shop.order.paid".to_owned();
        let event = Event { name, data: data.clone(), ..Event::of_record(None, &first, Client::Api, lineage()) };
        assert_eq!(event.step_output(), data);
    }

    #[test]
    fn values_of_a_change_are_told_up_to_256_kib_together_and_not_past_it() {
        let of = |bytes: usize| "x".repeat(bytes);
        let first = customer(1, json!({ "a": "" }));
        // Both values with their quotation marks are as much as is told.
        let fits = customer(2, json!({ "a": of(CHANGES_LIMIT_BYTES - 4) }));
        let past = customer(2, json!({ "a": of(CHANGES_LIMIT_BYTES - 3) }));
        let change = |second: &Record| {
            Event::of_record(Some(&first), second, Client::Api, lineage()).changes["attributes"]["a"].clone()
        };
        assert_eq!(change(&fits)["before"], "");
        assert_eq!(change(&past), json!({ "op": "replace", "leftOutBytes": CHANGES_LIMIT_BYTES + 1 }));
    }

    #[test]
    fn the_name_of_a_call_holds_the_workflow_and_others_hold_none() {
        let id = "5a345109e578360010eaa1ad";
        let name = Event::name_of_call(WorkflowId::parse(id).unwrap());
        assert_eq!(Event::called_by_name(&name), Some(id));
        for name in [
            "kustomer.workflow..call",
            "kustomer.workflow.call",
            "kustomer.workflow.5a345109e578360010eaa1ad.run",
            "kustomer.hooks.form.5a345109e578360010eaa1ad.call",
        ] {
            assert_eq!(Event::called_by_name(name), None, "{name}");
        }
    }

    #[test]
    fn names_of_records_events_are_known() {
        for (name, is) in [
            ("kustomer.customer.create", true),
            ("kustomer.user.update", true),
            ("kustomer.kobject.order.update", true),
            ("kustomer.customer.delete", false),
            ("kustomer.hooks.form.5a345109e578360010eaa1ad.receive", false),
            ("kustomer.app.shop.order.create", false),
            ("customer.create", false),
            ("kustomer.create", false),
        ] {
            assert_eq!(Event::is_of_record(name), is, "{name}");
        }
    }
}
