//! Actions that make records. Each record's id is derived from the visit that makes it.

use domain::{Klass, Record, RecordId, RecordKind};
use serde_json::{Map, Value, json};

use super::{Actor, NotDone, Params, find, params::shown};
use crate::records::{Unit, customers};

/// Kustomer's own default. *Source*: real conversations have 3 to 5; 5 was seen where none was given.
const DEFAULT_PRIORITY: u32 = 5;

/// Channels of a message. *Source*: reference, section 8.
const CHANNELS: [&str; 9] =
    ["email", "sms", "chat", "facebook", "twitter-dm", "twitter-tweet", "voice", "instagram", "whatsapp"];

type Relationships = Vec<(String, RecordKind, RecordId)>;

pub(super) async fn customer(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let draft = customers::Draft { attributes: customer_attributes(params)?, emails: customer_emails(params)? };
    let customer = customers::create(unit, actor.record_id(), draft).await?;
    Ok(customer.flattened())
}

pub(super) async fn kobject_with_customer(
    unit: &mut Unit<'_>,
    actor: Actor<'_>,
    params: &Params<'_>,
) -> Result<Value, NotDone> {
    let customer = params.required_record(unit, "customer", &RecordKind::Customer).await?;
    put_kobject(unit, actor, params, vec![("customer".to_owned(), RecordKind::Customer, customer.id)]).await
}

pub(super) async fn kobject(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    match params.value("customer") {
        Some(_) => kobject_with_customer(unit, actor, params).await,
        None => put_kobject(unit, actor, params, Vec::new()).await,
    }
}

pub(super) async fn conversation(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let customer = params.required_record(unit, "customer", &RecordKind::Customer).await?;
    let mut attributes = standard_attributes(
        params,
        &[
            "name",
            "externalId",
            "status",
            "priority",
            "direction",
            "replyChannel",
            "tags",
            "assignedUsers",
            "assignedTeams",
            "queue",
            "defaultLang",
        ],
    )?;
    attributes.entry("status").or_insert_with(|| json!("open"));
    attributes.entry("priority").or_insert_with(|| json!(DEFAULT_PRIORITY));
    require_one_of(&attributes, "status", &["open", "done", "snoozed"])?;
    require_one_of(&attributes, "direction", &["in", "out"])?;
    let relationships = vec![("customer".to_owned(), RecordKind::Customer, customer.id)];
    put(unit, actor.record_id(), RecordKind::Conversation, attributes, relationships)
}

pub(super) async fn message(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    params.required_text("body")?;
    let mut attributes = standard_attributes(
        params,
        &[
            "channel",
            "app",
            "direction",
            "body",
            "subject",
            "preview",
            "externalId",
            "status",
            "size",
            "sentAt",
            "related",
            "meta",
            "attachments",
            "lang",
        ],
    )?;
    attributes.entry("channel").or_insert_with(|| json!("chat"));
    attributes.entry("app").or_insert_with(|| json!("workflow"));
    attributes.entry("direction").or_insert_with(|| json!("in"));
    require_one_of(&attributes, "channel", &CHANNELS)?;
    require_one_of(&attributes, "direction", &["in", "out"])?;
    require_one_of(&attributes, "status", &["sent", "received", "error"])?;
    let relationships = thread_of(unit, actor, params).await?;
    put(unit, actor.record_id(), RecordKind::Message, attributes, relationships)
}

pub(super) async fn note(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    params.required_text("body")?;
    let attributes = standard_attributes(params, &["body", "externalId", "userMentions", "attachments"])?;
    let relationships = match params.value("conversation") {
        Some(_) => conversation_of(unit, params).await?,
        None => {
            let customer = params.required_record(unit, "customer", &RecordKind::Customer).await?;
            vec![("customer".to_owned(), RecordKind::Customer, customer.id)]
        }
    };
    put(unit, actor.record_id(), RecordKind::Note, attributes, relationships)
}

pub(super) fn company(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    params.required_text("name")?;
    let attributes = standard_attributes(
        params,
        &["name", "externalId", "domains", "emails", "phones", "whatsapps", "socials", "urls", "locations", "tags"],
    )?;
    put(unit, actor.record_id(), RecordKind::Company, attributes, Vec::new())
}

/// The attributes of a customer that a step gives, apart from the addresses.
pub(super) fn customer_attributes(params: &Params<'_>) -> Result<Map<String, Value>, NotDone> {
    let mut attributes = standard_attributes(
        params,
        &[
            "name",
            "company",
            "externalId",
            "username",
            "avatarUrl",
            "phones",
            "socials",
            "urls",
            "locations",
            "locale",
            "timeZone",
            "tags",
            "sentiment",
            "birthdayAt",
            "gender",
            "defaultLang",
            "signedUpAt",
        ],
    )?;
    if let Some(phone) = params.text("phone")? {
        attributes.entry("phones").or_insert_with(|| json!([{ "type": "home", "phone": phone, "verified": false }]));
    }
    Ok(attributes)
}

/// The addresses of a customer that a step gives: one in `email`, or Kustomer's list in `emails`; `None` for neither.
pub(super) fn customer_emails(params: &Params<'_>) -> Result<Option<Vec<customers::Email>>, NotDone> {
    if let Some(list) = params.value("emails") {
        return customers::read_emails(list).map(Some);
    }
    match params.text("email")? {
        Some(email) => Ok(Some(vec![customers::Email::home(&email)?])),
        None => Ok(None),
    }
}

/// Thread and customer of a message; a message that names only a customer opens a conversation of its own.
async fn thread_of(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Relationships, NotDone> {
    if params.value("conversation").is_some() {
        return conversation_of(unit, params).await;
    }
    let customer = params.required_record(unit, "customer", &RecordKind::Customer).await?;
    let owner = ("customer".to_owned(), RecordKind::Customer, customer.id);
    let mut attributes = Map::new();
    attributes.insert("name".to_owned(), json!(params.text("subject")?));
    attributes.insert("status".to_owned(), json!("open"));
    attributes.insert("priority".to_owned(), json!(DEFAULT_PRIORITY));
    let conversation = actor.conversation_id();
    put(unit, conversation, RecordKind::Conversation, attributes, vec![owner.clone()])?;
    Ok(vec![("conversation".to_owned(), RecordKind::Conversation, conversation), owner])
}

/// The conversation that a step names, and its customer.
async fn conversation_of(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Relationships, NotDone> {
    let conversation = params.required_record(unit, "conversation", &RecordKind::Conversation).await?;
    let mut relationships = vec![("conversation".to_owned(), RecordKind::Conversation, conversation.id)];
    if let Some(customer) = conversation.related("customer") {
        relationships.push(("customer".to_owned(), RecordKind::Customer, customer));
    }
    Ok(relationships)
}

async fn put_kobject(
    unit: &mut Unit<'_>,
    actor: Actor<'_>,
    params: &Params<'_>,
    relationships: Relationships,
) -> Result<Value, NotDone> {
    let name = params.required_text("klassName")?;
    let Some(klass) = find::klass(unit, &name).await? else {
        return Err(NotDone::failed(
            "unknown_klass",
            format!("There is no klass `{}`. Create it first, or correct `klassName`.", shown(&name)),
        ));
    };
    params.required_text("title")?;
    let mut attributes = Map::new();
    copy_with_text(params, &["title", "description", "externalId", "icon", "images", "tags"], &mut attributes)?;
    attributes.insert("data".to_owned(), Value::Object(params.object("data")?));
    let custom = klass.accept_custom(&params.object("custom")?).map_err(wrong_custom)?;
    attributes.insert("custom".to_owned(), Value::Object(custom));
    put(unit, actor.record_id(), RecordKind::Kobject(klass.name), attributes, relationships)
}

fn standard_attributes(params: &Params<'_>, names: &[&str]) -> Result<Map<String, Value>, NotDone> {
    let mut attributes = Map::new();
    copy_with_text(params, names, &mut attributes)?;
    let custom = params.object("custom")?;
    if !custom.is_empty() {
        let custom = Klass::accept_standard_custom(&custom).map_err(wrong_custom)?;
        attributes.insert("custom".to_owned(), Value::Object(custom));
    }
    Ok(attributes)
}

/// Copies what is there, with what people read as text whatever it was.
fn copy_with_text(params: &Params<'_>, names: &[&str], attributes: &mut Map<String, Value>) -> Result<(), NotDone> {
    params.copy(names, attributes);
    for name in ["name", "title", "body", "subject", "description", "externalId"] {
        if let (true, Some(text)) = (attributes.contains_key(name), params.text(name)?) {
            attributes.insert(name.to_owned(), Value::String(text));
        }
    }
    Ok(())
}

fn require_one_of(attributes: &Map<String, Value>, name: &str, words: &[&str]) -> Result<(), NotDone> {
    match attributes.get(name) {
        None => Ok(()),
        Some(value) if value.as_str().is_some_and(|word| words.contains(&word)) => Ok(()),
        Some(_) => Err(NotDone::failed("wrong_param", format!("The param `{name}` is one of: {}.", words.join(", ")))),
    }
}

fn wrong_custom(problem: domain::CustomProblem) -> NotDone {
    NotDone::failed("wrong_custom", format!("{problem}."))
}

fn put(
    unit: &mut Unit<'_>,
    id: RecordId,
    kind: RecordKind,
    attributes: Map<String, Value>,
    relationships: Relationships,
) -> Result<Value, NotDone> {
    let now = unit.now();
    let record =
        Record { id, org: unit.org(), kind, rev: 1, attributes, relationships, created_at: now, updated_at: now };
    unit.put_record(&record)?;
    Ok(record.flattened())
}
