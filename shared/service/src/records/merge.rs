//! Two customers that are one person.

use domain::{Record, RecordKind, record::fields};
use serde_json::{Map, Value, json};

use super::{MERGED_IDS, MERGED_INTO, NotDone, Unit, key_claims, merged_ids};

/// The most customers that are merged into one. *Why*: the timeline is put together from all of theirs.
pub const MERGED_LIMIT: usize = 20;

/// Merges `other` into `survivor`: lists are put together, what the survivor has not is taken over, and whatever `other` was
/// found by leads to the survivor. `other` stays under its id, listed nowhere, and naming the survivor.
///
/// *Errors*: `same_customer`, `too_many_merged`, and `wrong_param` or `too_many_keys` where together they have
/// more than one may.
pub async fn merge(unit: &mut Unit<'_>, survivor: &Record, other: &Record) -> Result<Record, NotDone> {
    if survivor.id == other.id {
        let message = "Both are the same customer already. Name two different ones.";
        return Err(NotDone::failed("same_customer", message));
    }
    let mut ids = merged_ids(survivor);
    ids.push(other.id);
    ids.extend(merged_ids(other));
    if ids.len() > MERGED_LIMIT {
        let message = format!("A customer is merged from at most {MERGED_LIMIT} others.");
        return Err(NotDone::failed("too_many_merged", message));
    }
    let mut merged = survivor.clone();
    merged.attributes = together(survivor, other)?;
    merged.attributes.insert(MERGED_IDS.to_owned(), json!(ids));
    if merged.related("company").is_none() {
        merged.relationships.extend(other.relationships.iter().filter(|(name, _, _)| name == "company").cloned());
    }

    let mut gone = other.clone();
    gone.attributes.retain(|name, _| name == "name");
    gone.attributes.insert("deleted".to_owned(), json!(true));
    gone.relationships.push((MERGED_INTO.to_owned(), RecordKind::Customer, survivor.id));
    // First what the other gives up, so that the survivor finds it free.
    key_claims::claim(unit, Some(other), &gone).await?;
    unit.put_record(Some(other), gone)?;
    key_claims::claim(unit, Some(survivor), &merged).await?;
    unit.put_record(Some(survivor), merged)
}

fn together(survivor: &Record, other: &Record) -> Result<Map<String, Value>, NotDone> {
    let mut attributes = survivor.attributes.clone();
    let mut spare_id = None;
    for (name, theirs) in &other.attributes {
        match (attributes.get_mut(name), theirs) {
            _ if name == MERGED_IDS => {}
            (None, theirs) => {
                attributes.insert(name.clone(), theirs.clone());
            }
            (Some(Value::Array(ours)), Value::Array(theirs)) => {
                let added: Vec<Value> = theirs.iter().filter(|entry| !holds(ours, entry)).cloned().collect();
                ours.extend(added);
            }
            (Some(Value::Object(ours)), Value::Object(theirs)) => {
                for (name, value) in theirs {
                    ours.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
            (Some(_), theirs) if name == "externalId" => spare_id = Some(theirs.clone()),
            (Some(_), _) => {}
        }
    }
    if let Some(id) = spare_id.filter(|id| attributes.get("externalId") != Some(id)) {
        let ids = attributes.entry("externalIds").or_insert_with(|| json!([]));
        if let Value::Array(ids) = ids {
            ids.push(json!({ "externalId": id }));
        }
    }
    for (name, shape) in fields::fields(&RecordKind::Customer) {
        if let Some(value) = attributes.get(*name) {
            let wrong = |wanted| {
                NotDone::wrong(
                    name,
                    "wrong_param",
                    format!("Of both customers together, `{name}` would have to be {wanted}."),
                )
            };
            shape.accept(value).map_err(wrong)?;
        }
    }
    Ok(attributes)
}

/// Whether an entry is there, verified or not, in whatever case it is written.
fn holds(entries: &[Value], entry: &Value) -> bool {
    let essence = |entry: &Value| match entry {
        Value::Object(entry) => {
            let told = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_lowercase);
            ["email", "phone", "externalId", "id"].into_iter().find_map(told).map(Value::String)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    };
    let wanted = essence(entry);
    entries.iter().any(|held| held == entry || (wanted.is_some() && essence(held) == wanted))
}
