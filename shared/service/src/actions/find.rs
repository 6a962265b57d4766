//! Look-ups. Finding nothing gives an empty object, so that `exists` on its `id` is false.

use std::cmp::Reverse;

use domain::{EmailAddress, Klass, Record, RecordId, RecordKey, RecordKind};
use serde_json::{Map, Value, json};

use super::{NotDone, Of, Params, nothing};
use crate::{directory::Paging, ports::LIST_LIMIT_ITEMS, records::Unit};

/// How many pages of a timeline are read for one message.
const PAGES_LIMIT: usize = 10;

/// The most messages whose text is read together.
const BODIES_LIMIT: usize = 100;

pub(super) async fn by_id(unit: &mut Unit<'_>, of: Of, params: &Params<'_>) -> Result<Value, NotDone> {
    let kind = of.kind(params)?;
    let written = match params.text("identifier")?.filter(|text| !text.is_empty()) {
        Some(written) => written,
        None => params.required_text("id")?,
    };
    // Text that is no id is nobody's, so looking for it finds nothing.
    let Ok(id) = RecordId::parse(&written) else { return Ok(nothing()) };
    Ok(shown(unit.find_living(&kind, id).await?))
}

pub(super) async fn by_external_id(unit: &mut Unit<'_>, of: Of, params: &Params<'_>) -> Result<Value, NotDone> {
    let kind = of.kind(params)?;
    let key = RecordKey::external_id(&kind, &params.required_text("externalId")?);
    by_key(unit, &kind, key).await
}

pub(super) async fn by_email(unit: &mut Unit<'_>, of: Of, params: &Params<'_>) -> Result<Value, NotDone> {
    let kind = of.kind(params)?;
    let address = EmailAddress::parse(&params.required_text("email")?).ok();
    let key = match of {
        Of::User => address.as_ref().map(RecordKey::user_email),
        Of::Customer | Of::Conversation | Of::Message | Of::Note | Of::Company | Of::Kobject => {
            address.as_ref().map(RecordKey::email)
        }
    };
    by_key(unit, &kind, key).await
}

pub(super) async fn by_phone(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let key = RecordKey::phone(&params.required_text("phone")?);
    by_key(unit, &RecordKind::Customer, key).await
}

pub(super) async fn by_whatsapp(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let key = RecordKey::whatsapp(&params.required_text("phone")?);
    by_key(unit, &RecordKind::Customer, key).await
}

/// By `facebookId` and its like.
pub(super) async fn by_account(unit: &mut Unit<'_>, network: &str, params: &Params<'_>) -> Result<Value, NotDone> {
    let key = RecordKey::account(network, &params.required_text(&format!("{network}Id"))?);
    by_key(unit, &RecordKind::Customer, key).await
}

async fn by_key(unit: &mut Unit<'_>, kind: &RecordKind, key: Option<RecordKey>) -> Result<Value, NotDone> {
    match key {
        Some(key) => Ok(shown(unit.find_by_key(kind, &key).await?)),
        None => Ok(nothing()),
    }
}

/// The newest message of a conversation, or of a customer.
pub(super) async fn last_message(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let conversation = match params.value("conversation") {
        Some(_) => Some(params.required_record(unit, "conversation", &RecordKind::Conversation).await?),
        None => None,
    };
    let customer = match &conversation {
        Some(conversation) => customer_of(unit, conversation).await?,
        None => Some(params.required_record(unit, "customer", &RecordKind::Customer).await?),
    };
    let Some(customer) = customer else { return Ok(nothing()) };
    let messages = messages(unit, &customer, conversation.as_ref(), 1).await?;
    Ok(messages.first().map_or_else(nothing, Record::flattened))
}

/// What was said in a conversation, oldest first, one message after the other.
pub(super) async fn conversation_body(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let conversation = params.required_record(unit, "id", &RecordKind::Conversation).await?;
    let mut said = match customer_of(unit, &conversation).await? {
        Some(customer) => messages(unit, &customer, Some(&conversation), BODIES_LIMIT).await?,
        None => Vec::new(),
    };
    said.reverse();
    let bodies: Vec<&str> = said.iter().filter_map(|message| message.attributes.get("body")?.as_str()).collect();
    Ok(json!({ "id": conversation.id, "body": bodies.join("\n\n"), "messages": bodies.len() }))
}

async fn customer_of(unit: &mut Unit<'_>, conversation: &Record) -> Result<Option<Record>, NotDone> {
    match conversation.related("customer") {
        Some(customer) => Ok(unit.find_living(&RecordKind::Customer, customer).await?),
        None => Ok(None),
    }
}

/// The newest messages of the customer, of one conversation where it is given; also those that are not written yet.
async fn messages(
    unit: &Unit<'_>,
    customer: &Record,
    conversation: Option<&Record>,
    limit: usize,
) -> Result<Vec<Record>, NotDone> {
    let is_wanted = |record: &Record| {
        let in_conversation = conversation.is_none_or(|wanted| record.related("conversation") == Some(wanted.id));
        record.kind == RecordKind::Message && in_conversation
    };
    let mut found = unit.pending_of(customer.id, &is_wanted)?;
    let pending: Vec<RecordId> = found.iter().map(|record| record.id).collect();
    let mut paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    for _ in 0..PAGES_LIMIT {
        let page = unit.timeline(customer, paging.clone()).await?;
        found.extend(page.items.into_iter().filter(|record| is_wanted(record) && !pending.contains(&record.id)));
        paging.after = page.next;
        if found.len() >= limit + pending.len() || paging.after.is_none() {
            break;
        }
    }
    // What this run has changed may be older than what stands on the timeline.
    found.sort_by_key(|record| Reverse(record.created_at));
    found.truncate(limit);
    Ok(found)
}

pub(super) async fn klass_by_name(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let name = params.either_text("klassName", "name")?;
    Ok(unit.find_klass(&name).await?.as_ref().map_or_else(nothing, flattened_klass))
}

/// A klass as a step leaves it.
pub(super) fn flattened_klass(klass: &Klass) -> Value {
    let mut output = Map::new();
    output.insert("id".to_owned(), json!(klass.id));
    output.insert("type".to_owned(), json!("klass"));
    output.extend(klass.attributes());
    Value::Object(output)
}

/// The org of the run.
pub(super) async fn current_org(unit: &Unit<'_>) -> Result<Value, NotDone> {
    let settings = unit.org_settings().await?;
    let mut output = Map::from_iter([("id".to_owned(), json!(unit.org())), ("type".to_owned(), json!("org"))]);
    output.extend(settings);
    Ok(Value::Object(output))
}

fn shown(found: Option<Record>) -> Value {
    found.map_or_else(nothing, |record| record.flattened())
}
