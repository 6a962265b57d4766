//! Making and changing records: attributes checked, relationships found, keys claimed.

use domain::{Klass, Record, RecordId, RecordKind, record::fields};
use serde_json::{Map, Value, json};

use super::{NotDone, Unit, key_claims};

/// The priority of a conversation for which none is given. *Source*: real conversations have 3 to 5; 5 was seen there.
const DEFAULT_PRIORITY: u32 = 5;

/// Ids of what may be made.
#[derive(Debug, Clone, Copy)]
pub struct NewIds {
    /// The record's.
    pub record: RecordId,
    /// That of the conversation which a message opens that names none.
    pub conversation: RecordId,
}

/// Makes a record of `kind` with these attributes, `custom` and relationships among them.
///
/// *Errors*: `missing_param`, `wrong_param`, `wrong_custom`, `unknown_klass`, `not_found`, `email_taken` and its like, each with
/// the attribute's name.
pub async fn create(
    unit: &mut Unit<'_>,
    kind: RecordKind,
    ids: NewIds,
    attributes: Map<String, Value>,
) -> Result<Record, NotDone> {
    let now = unit.now();
    let mut record = Record {
        id: ids.record,
        org: unit.org(),
        kind,
        rev: 1,
        attributes: Map::new(),
        relationships: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    apply(unit, &mut record, attributes).await?;
    set_defaults(&mut record);
    require(&record)?;
    belong(unit, &mut record, ids.conversation).await?;
    key_claims::claim(unit, None, &record).await?;
    unit.put_record(None, record)
}

/// Changes `before`: the attributes that are given, `null` taking one away. `custom` is merged key by key.
///
/// What changes nothing is not written. A `rev` among them that is not the record's refuses the change (`rev_mismatch`).
/// *Errors*: as [`create`].
pub async fn update(
    unit: &mut Unit<'_>,
    before: &Record,
    mut attributes: Map<String, Value>,
) -> Result<Record, NotDone> {
    if let Some(expected) = attributes.shift_remove("rev").filter(|rev| !rev.is_null()) {
        let expected_text = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
        if expected_text != before.rev.to_string() {
            let message = format!(
                "The {} has changed: its `rev` is {}, and the change was made for {}. Read it again and repeat the change.",
                before.kind,
                before.rev,
                domain::shortened(&expected_text, 40)
            );
            return Err(NotDone::wrong("rev", "rev_mismatch", message));
        }
    }
    let mut after = before.clone();
    apply(unit, &mut after, attributes).await?;
    require(&after)?;
    if after.relationships != before.relationships {
        stay(unit, before, &mut after).await?;
    }
    key_claims::claim(unit, Some(before), &after).await?;
    unit.put_record(Some(before), after)
}

/// Deletes `record` and frees what it is found by; what belongs to it stays readable.
pub async fn delete(unit: &mut Unit<'_>, record: &Record) -> Result<(), NotDone> {
    key_claims::release(unit, record).await?;
    unit.delete_record(record);
    Ok(())
}

async fn apply(unit: &mut Unit<'_>, record: &mut Record, attributes: Map<String, Value>) -> Result<(), NotDone> {
    for (name, value) in attributes {
        let shape = fields::fields(&record.kind).iter().find(|(field, _)| *field == name).map(|(_, shape)| *shape);
        let relation = fields::relationships(&record.kind).iter().find(|(relation, _)| *relation == name);
        match (shape, relation) {
            _ if name == "custom" => merge_custom(unit, record, &value).await?,
            (Some(_), _) if value.is_null() => {
                record.attributes.shift_remove(&name);
            }
            (Some(shape), _) => {
                let kept = shape.accept(&value).map_err(|wanted| wrong(&name, shape, &value, &wanted))?;
                record.attributes.insert(name, kept);
            }
            (None, Some(_)) if value.is_null() => set_relationship(record, &name, None),
            (None, Some((relation, kind))) => {
                let not_found = |shown: &str| {
                    let shown = domain::shortened(shown, 60);
                    let message = format!("There is no {kind} with the id `{shown}` that `{relation}` names.");
                    NotDone::wrong(relation, "not_found", message)
                };
                let written = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let id = fields::related_id(&value).map_err(|_| not_found(&written))?;
                let found = unit.find_living(kind, id).await?.ok_or_else(|| not_found(&written))?;
                set_relationship(record, relation, Some((kind.clone(), found.id)));
            }
            (None, None) => return Err(unknown(&record.kind, &name)),
        }
    }
    Ok(())
}

/// Makes sure that the record has what each of its kind has.
fn require(record: &Record) -> Result<(), NotDone> {
    let text = |name: &str| record.attributes.get(name).and_then(Value::as_str).unwrap_or_default();
    match fields::required(&record.kind).iter().find(|name| text(name).trim().is_empty()) {
        Some(name) => Err(missing(&record.kind, name)),
        None => Ok(()),
    }
}

/// New custom attributes beside the old ones; `null` clears one, and in the place of all of them all.
async fn merge_custom(unit: &mut Unit<'_>, record: &mut Record, custom: &Value) -> Result<(), NotDone> {
    if custom.is_null() {
        match record.kind.klass() {
            Some(_) => record.attributes.insert("custom".to_owned(), json!({})),
            None => record.attributes.shift_remove("custom"),
        };
        return Ok(());
    }
    let no_object = || NotDone::wrong("custom", "wrong_param", "`custom` has to be an object.");
    let custom = custom.as_object().ok_or_else(no_object)?;
    let accepted = match record.kind.klass() {
        Some(name) => klass_of(unit, name).await?.accept_custom(custom),
        None => Klass::accept_standard_custom(custom),
    };
    let accepted = accepted.map_err(|problem| NotDone::wrong("custom", "wrong_custom", format!("{problem}.")))?;
    let kept = record.attributes.entry("custom").or_insert_with(|| json!({}));
    if let Value::Object(kept) = kept {
        for (name, value) in accepted {
            if value.is_null() {
                kept.shift_remove(&name);
            } else {
                kept.insert(name, value);
            }
        }
        if kept.is_empty() && record.kind.klass().is_none() {
            record.attributes.shift_remove("custom");
        }
    }
    Ok(())
}

/// The klass of an instance.
async fn klass_of(unit: &mut Unit<'_>, name: &str) -> Result<Klass, NotDone> {
    let unknown = || {
        let message =
            format!("There is no klass `{}`. Create it first, or correct its name.", domain::shortened(name, 60));
        NotDone::wrong("klassName", "unknown_klass", message)
    };
    unit.find_klass(name).await?.ok_or_else(unknown)
}

pub(super) fn set_relationship(record: &mut Record, name: &str, other: Option<(RecordKind, RecordId)>) {
    let position = record.relationships.iter().position(|(relation, _, _)| relation == name);
    match (position.and_then(|position| record.relationships.get_mut(position)), other) {
        (Some(relation), Some((kind, id))) => *relation = (name.to_owned(), kind, id),
        (None, Some((kind, id))) => record.relationships.push((name.to_owned(), kind, id)),
        (_, None) => record.relationships.retain(|(relation, _, _)| relation != name),
    }
}

fn set_defaults(record: &mut Record) {
    let defaults = match record.kind {
        RecordKind::Conversation => vec![("status", json!("open")), ("priority", json!(DEFAULT_PRIORITY))],
        RecordKind::Message => vec![("channel", json!("chat")), ("app", json!("workflow")), ("direction", json!("in"))],
        RecordKind::Kobject(_) => vec![("data", json!({})), ("custom", json!({}))],
        RecordKind::Customer | RecordKind::Note | RecordKind::Company | RecordKind::User | RecordKind::Tag => {
            Vec::new()
        }
    };
    for (name, value) in defaults {
        record.attributes.entry(name).or_insert(value);
    }
}

/// Makes sure that a new record belongs where one of its kind has to: a conversation to a customer; a message and a note to
/// both. A message that names only a customer opens a conversation of its own, with the id `conversation`.
async fn belong(unit: &mut Unit<'_>, record: &mut Record, conversation: RecordId) -> Result<(), NotDone> {
    let is_message = match record.kind {
        RecordKind::Message => true,
        RecordKind::Note => false,
        RecordKind::Conversation => {
            let customer = record.related("customer");
            return customer.map(|_| ()).ok_or_else(|| missing(&record.kind, "customer"));
        }
        // An instance without the klass's attributes has asked for none yet.
        RecordKind::Kobject(ref name) => return klass_of(unit, name).await.map(|_| ()),
        RecordKind::Customer | RecordKind::Company | RecordKind::User | RecordKind::Tag => return Ok(()),
    };
    if let Some(conversation) = record.related("conversation") {
        return follow(unit, record, conversation).await;
    }
    let Some(customer) = record.related("customer") else { return Err(missing(&record.kind, "customer")) };
    if is_message {
        let now = unit.now();
        let owner = ("customer".to_owned(), RecordKind::Customer, customer);
        let mut opened = Record {
            id: conversation,
            org: unit.org(),
            kind: RecordKind::Conversation,
            rev: 1,
            attributes: Map::new(),
            relationships: vec![owner.clone()],
            created_at: now,
            updated_at: now,
        };
        opened.attributes.extend(record.attributes.get("subject").map(|name| ("name".to_owned(), name.clone())));
        set_defaults(&mut opened);
        unit.put_record(None, opened)?;
        record.relationships = vec![("conversation".to_owned(), RecordKind::Conversation, conversation), owner];
    }
    Ok(())
}

/// Makes sure that a changed record still belongs where one of its kind has to.
async fn stay(unit: &mut Unit<'_>, before: &Record, record: &mut Record) -> Result<(), NotDone> {
    if let (RecordKind::Conversation, Some(owner)) = (&record.kind, before.related("customer")) {
        let owner = unit.find_living(&RecordKind::Customer, owner).await?.map_or(owner, |owner| owner.id);
        // What was said in it stands on its customer's timeline.
        if record.related("customer") != Some(owner) {
            let message = "A conversation stays with its customer. Merge the two customers, if they are one.";
            return Err(NotDone::wrong("customer", "wrong_param", message));
        }
    }
    match (&record.kind, record.related("conversation"), record.related("customer")) {
        (RecordKind::Message | RecordKind::Note, Some(conversation), _) => follow(unit, record, conversation).await,
        (RecordKind::Conversation | RecordKind::Message | RecordKind::Note, None, None) => {
            Err(missing(&record.kind, "customer"))
        }
        (
            RecordKind::Conversation
            | RecordKind::Message
            | RecordKind::Note
            | RecordKind::Customer
            | RecordKind::Company
            | RecordKind::Kobject(_)
            | RecordKind::User
            | RecordKind::Tag,
            _,
            _,
        ) => Ok(()),
    }
}

/// The conversation's customer is the message's, whatever else was named.
async fn follow(unit: &mut Unit<'_>, record: &mut Record, conversation: RecordId) -> Result<(), NotDone> {
    let found = unit.find_record(&RecordKind::Conversation, conversation).await?;
    // Of one that was deleted the customer stays.
    if let Some(customer) = found.and_then(|conversation| conversation.related("customer")) {
        set_relationship(record, "customer", Some((RecordKind::Customer, customer)));
    }
    Ok(())
}

fn missing(kind: &RecordKind, name: &str) -> NotDone {
    let instead = match (kind, name) {
        (RecordKind::Message | RecordKind::Note, "customer") => " or `conversation`",
        _ => "",
    };
    NotDone::wrong(name, "missing_param", format!("A {kind} needs `{name}`{instead}."))
}

fn wrong(name: &str, shape: fields::Shape, value: &Value, wanted: &str) -> NotDone {
    // A list that is none, or too long, has no wrong address in it.
    let is_list = value.as_array().is_some_and(|entries| entries.len() <= fields::KEYS_LIMIT);
    let code = match shape {
        fields::Shape::Emails if is_list => "wrong_email",
        fields::Shape::Email => "wrong_email",
        fields::Shape::Phones if is_list => "wrong_phone",
        fields::Shape::Emails
        | fields::Shape::Phones
        | fields::Shape::Line
        | fields::Shape::Text
        | fields::Shape::ExternalId
        | fields::Shape::Word(_)
        | fields::Shape::Whole(..)
        | fields::Shape::Number
        | fields::Shape::Flag
        | fields::Shape::Instant
        | fields::Shape::Lines
        | fields::Shape::ExternalIds
        | fields::Shape::Accounts
        | fields::Shape::List
        | fields::Shape::Object
        | fields::Shape::Any => "wrong_param",
    };
    NotDone::wrong(name, code, format!("`{name}` has to be {wanted}."))
}

fn unknown(kind: &RecordKind, name: &str) -> NotDone {
    let shown = domain::shortened(name, 60);
    let known: Vec<&str> = fields::names(kind).chain(["custom"]).collect();
    let message = format!(
        "A {kind} has no attribute `{shown}`; it has {}. Attributes of your own go into `custom`.",
        known.join(", ")
    );
    NotDone::wrong(name, "unknown_attribute", message)
}
