//! Actions that make and change records. Each record's id is derived from the visit that makes it.

use domain::{Klass, KlassId, Record, RecordKind, record::fields};
use serde_json::{Map, Value, json};

use super::{
    Actor, NotDone, Of, Params, find,
    params::{missing, wrong},
};
use crate::{
    directory::klasses::klass_item,
    records::{self, Relation, Unit},
};

pub(super) async fn create(
    unit: &mut Unit<'_>,
    actor: Actor<'_>,
    of: Of,
    params: &Params<'_>,
) -> Result<Value, NotDone> {
    let kind = of.kind(params)?;
    let attributes = attributes(&kind, params)?;
    let made = records::create(unit, kind, actor.new_ids(), attributes).await.map_err(of_params)?;
    Ok(made.flattened())
}

pub(super) async fn create_with_customer(
    unit: &mut Unit<'_>,
    actor: Actor<'_>,
    params: &Params<'_>,
) -> Result<Value, NotDone> {
    params.required_text("customer")?;
    create(unit, actor, Of::Kobject, params).await
}

pub(super) async fn update(unit: &mut Unit<'_>, of: Of, params: &Params<'_>) -> Result<Value, NotDone> {
    let kind = of.kind(params)?;
    let before = params.required_record(unit, "id", &kind).await?;
    let mut attributes = attributes(&kind, params)?;
    attributes.extend(params.value("rev").map(|rev| ("rev".to_owned(), rev.clone())));
    changed(unit, &before, attributes).await
}

pub(super) async fn delete(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let kind = Of::Kobject.kind(params)?;
    let record = params.required_record(unit, "id", &kind).await?;
    records::delete(unit, &record).await?;
    Ok(json!({ "deletedId": record.id, "type": record.kind }))
}

pub(super) async fn merge(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let survivor = params.required_record(unit, "id", &RecordKind::Customer).await?;
    let other = params.required_record(unit, "otherId", &RecordKind::Customer).await?;
    Ok(records::merge(unit, &survivor, &other).await?.flattened())
}

/// Adds an address or a number behind those there are; one that is there stays as it is.
pub(super) async fn append_contact(
    unit: &mut Unit<'_>,
    params: &Params<'_>,
    list: &str,
    key: &str,
) -> Result<Value, NotDone> {
    let before = params.required_record(unit, "id", &RecordKind::Customer).await?;
    let written = params.required_text(key)?;
    let same = |a: &str, b: &str| match key {
        "phone" => fields::phone_key(a).is_some_and(|number| Some(number) == fields::phone_key(b)),
        _ => a.trim().eq_ignore_ascii_case(b.trim()) || a.trim().to_lowercase() == b.trim().to_lowercase(),
    };
    let mut contacts = before.attributes.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    let is_there = |entry: &Value| entry.get(key).and_then(Value::as_str).is_some_and(|held| same(held, &written));
    if contacts.iter().any(is_there) {
        return Ok(before.flattened());
    }
    let kind = params.text("type")?.unwrap_or_else(|| "home".to_owned());
    let verified = params.value("verified").cloned().unwrap_or(json!(false));
    contacts.push(json!({ "type": kind, key: written, "verified": verified }));
    changed(unit, &before, Map::from_iter([(list.to_owned(), Value::Array(contacts))])).await
}

/// Puts a team or a user among those that a conversation is assigned to.
pub(super) async fn assign(
    unit: &mut Unit<'_>,
    params: &Params<'_>,
    list: &str,
    param: &str,
) -> Result<Value, NotDone> {
    let before = params.required_record(unit, "id", &RecordKind::Conversation).await?;
    let assigned = params.required_text(param)?;
    let mut all = texts(&before, list);
    if !all.contains(&assigned) {
        all.push(assigned);
    }
    changed(unit, &before, Map::from_iter([(list.to_owned(), json!(all))])).await
}

pub(super) async fn append_tags(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let before = params.required_record(unit, "id", &RecordKind::Conversation).await?;
    let mut all = texts(&before, "tags");
    let had = all.len();
    for tag in tags(params)? {
        if !all.contains(&tag) {
            all.push(tag);
        }
    }
    if all.len() == had {
        return Ok(before.flattened());
    }
    changed(unit, &before, Map::from_iter([("tags".to_owned(), json!(all))])).await
}

pub(super) async fn remove_tags(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let before = params.required_record(unit, "id", &RecordKind::Conversation).await?;
    let removed = tags(params)?;
    let before_tags = texts(&before, "tags");
    if !before_tags.iter().any(|tag| removed.contains(tag)) {
        return Ok(before.flattened());
    }
    let left: Vec<String> = before_tags.into_iter().filter(|tag| !removed.contains(tag)).collect();
    changed(unit, &before, Map::from_iter([("tags".to_owned(), json!(left))])).await
}

/// Relates an instance to `relatedId`, by the name `relationship`. What it is says `type`, and where there is none the name.
pub(super) async fn add_relationship(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let kind = Of::Kobject.kind(params)?;
    let before = params.required_record(unit, "id", &kind).await?;
    let relation = Relation::of(&kind, params.required_text("relationship")?, params.text("type")?)?;
    let other = params.required_record(unit, "relatedId", relation.kind()).await?;
    Ok(records::relate(unit, &before, &relation, &other)?.flattened())
}

pub(super) async fn create_klass(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let name = params.either_text("name", "klassName")?;
    Klass::check_name(&name)
        .map_err(|sentence| NotDone::wrong("name", "wrong_param", format!("`name`: {sentence}.")))?;
    let metadata = params.object("metadata")?;
    if let Some((path, sentence)) = Klass::check_metadata(&metadata).into_iter().next() {
        return Err(NotDone::wrong("metadata", "wrong_param", format!("{path}: {sentence}.")));
    }
    if unit.find_klass(&name).await?.is_some() {
        let message =
            format!("There is a klass `{name}` already. Look it up with kustomer.klass.find-by-klassname first.");
        return Err(NotDone::wrong("name", "name_taken", message));
    }
    let now = unit.now();
    let klass = Klass {
        id: KlassId::for_step(actor.run, &actor.instance(), actor.visit),
        org: unit.org(),
        name,
        display_name: params.text("displayName")?,
        icon: params.text("icon")?,
        color: params.text("color")?,
        metadata,
        installed_by: None,
        created_at: now,
        updated_at: now,
    };
    unit.put_item(klass_item(&klass)?);
    Ok(find::flattened_klass(&klass))
}

async fn changed(unit: &mut Unit<'_>, before: &Record, attributes: Map<String, Value>) -> Result<Value, NotDone> {
    Ok(records::update(unit, before, attributes).await.map_err(of_params)?.flattened())
}

/// The attributes among the params. A customer's one address or number stands for the list of them.
fn attributes(kind: &RecordKind, params: &Params<'_>) -> Result<Map<String, Value>, NotDone> {
    let mut attributes = Map::new();
    for name in fields::names(kind).chain(["custom"]) {
        attributes.extend(params.value(name).map(|value| (name.to_owned(), value.clone())));
    }
    if *kind == RecordKind::Customer {
        for (one, list) in [("email", "emails"), ("phone", "phones")] {
            if let Some(written) = params.text(one)?.filter(|_| !attributes.contains_key(list)) {
                attributes.insert(list.to_owned(), json!([written]));
            }
        }
    }
    Ok(attributes)
}

fn tags(params: &Params<'_>) -> Result<Vec<String>, NotDone> {
    let text = |tag: &Value| match tag {
        Value::String(tag) => Ok(tag.clone()),
        Value::Number(tag) => Ok(tag.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            Err(wrong("tags", "a tag, or a list of tags"))
        }
    };
    match params.value("tags").ok_or_else(|| missing("tags"))? {
        Value::Array(tags) => tags.iter().map(text).collect(),
        tag @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            Ok(vec![text(tag)?])
        }
    }
}

fn texts(record: &Record, name: &str) -> Vec<String> {
    let list = record.attributes.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// What is missing from a step's params was mostly a reference.
fn of_params(error: NotDone) -> NotDone {
    match error {
        NotDone::Wrong { field, failure } if failure.code == "missing_param" => missing(&field),
        other @ (NotDone::Failed(_) | NotDone::Wrong { .. } | NotDone::Unavailable(_)) => other,
    }
}
