//! Records: customers, what belongs to them, and the rest that is found by an id.

mod events;

use domain::{EmailAddress, Klass, Record, RecordId, RecordKey, RecordKind, Rejected, Rejection};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, bad_query, check_names, not_found},
    resource::{many, one, text},
};
use crate::{
    announce,
    directory::Listing,
    http::answer::{Problem, empty_response},
    ports::WriteError,
    records::{self, NewIds, NotDone, Relation, Unit},
};

pub(super) use events::publish;

/// How many pages of a timeline one request for some of it reads before it answers with what it has.
const FILTER_PAGES_LIMIT: usize = 10;

/// How often a change is tried that others make at the same time.
const TRIES_LIMIT: usize = 5;

/// What a client may send back as it was read, though it is not theirs to change.
const READ_ONLY: [&str; 5] = ["id", "type", "createdAt", "updatedAt", "mergedIds"];

/// Failures because of something else that is there.
const COLLISIONS: [&str; 6] =
    ["email_taken", "phone_taken", "external_id_taken", "account_taken", "name_taken", "rev_mismatch"];

/// Ways to name a record in a path beside its id: `email=ann@example.com`.
pub(in super::super) const KEYS: [&str; 8] =
    ["email", "phone", "externalId", "whatsapp", "facebookId", "instagramId", "smoochId", "twitterId"];

/// What is to become of a record; which one, the path says.
enum Change<'k> {
    Create { kind: RecordKind, ids: NewIds, attributes: Map<String, Value> },
    Update { kind: &'k RecordKind, attributes: Map<String, Value> },
    Delete { kind: &'k RecordKind },
    Merge { other: RecordId },
    Relate { kind: &'k RecordKind, relation: Relation, other: RecordId },
    Unrelate { kind: &'k RecordKind, name: String },
}

impl Change<'_> {
    async fn perform(&self, call: &Call<'_>, unit: &mut Unit<'_>) -> Result<Record, Refused> {
        let done = match self {
            Change::Create { kind, ids, attributes } => {
                records::create(unit, kind.clone(), *ids, attributes.clone()).await
            }
            Change::Update { kind, attributes } => {
                let before = found_in(call, unit, kind).await?;
                records::update(unit, &before, attributes.clone()).await
            }
            Change::Delete { kind } => {
                let record = found_in(call, unit, kind).await?;
                records::delete(unit, &record).await.map(|()| record)
            }
            Change::Merge { other } => {
                let survivor = found_in(call, unit, &RecordKind::Customer).await?;
                let other = unit.find_living(&RecordKind::Customer, *other).await?;
                let other =
                    other.ok_or_else(|| bad_attribute("otherId", "There is no customer with this id in your org."))?;
                records::merge(unit, &survivor, &other).await
            }
            Change::Relate { kind, relation, other } => {
                let before = found_in(call, unit, kind).await?;
                let other = unit.find_living(relation.kind(), *other).await?.ok_or_else(no_related)?;
                records::relate(unit, &before, relation, &other)
            }
            Change::Unrelate { kind, name } => {
                let before = found_in(call, unit, kind).await?;
                records::unrelate(unit, &before, name)
            }
        };
        done.map_err(refused)
    }
}

fn no_other() -> Refused {
    bad_attribute("otherId", "Name the customer to be merged into this one: {\"otherId\": \"…\"}.")
}

fn no_related() -> Refused {
    let detail =
        "`relatedId` is the id of a record of that `type` which is there, or null to take the relationship away.";
    bad_attribute("relatedId", detail)
}

pub(super) async fn create(call: &Call<'_>, kind: RecordKind) -> Result<Response, Refused> {
    let mut attributes = call.attributes_of_record(&kind)?;
    attributes.shift_remove("rev");
    made(call, kind, attributes).await
}

/// Makes an instance of the klass that the path names, on the timeline of the customer that it names, if it does.
pub(super) async fn create_instance(call: &Call<'_>) -> Result<Response, Refused> {
    let kind = instance_kind(call)?;
    let mut attributes = call.attributes_of_record(&kind)?;
    attributes.shift_remove("rev");
    if !call.param("id").is_empty() {
        attributes.insert("customer".to_owned(), json!(found(call, &RecordKind::Customer).await?.id));
    }
    made(call, kind, attributes).await
}

async fn made(call: &Call<'_>, kind: RecordKind, attributes: Map<String, Value>) -> Result<Response, Refused> {
    let attributes = normalized(&kind, attributes)?;
    let ids = NewIds { record: fresh_id(call)?, conversation: fresh_id(call)? };
    let made = written(call, &Change::Create { kind, ids, attributes }).await?;
    Ok(one(StatusCode::CREATED, made.resource()))
}

pub(super) async fn get(call: &Call<'_>, kind: &RecordKind) -> Result<Response, Refused> {
    Ok(one(StatusCode::OK, found(call, kind).await?.resource()))
}

pub(super) async fn get_instance(call: &Call<'_>) -> Result<Response, Refused> {
    get(call, &instance_kind(call)?).await
}

pub(super) async fn update(call: &Call<'_>, kind: &RecordKind) -> Result<Response, Refused> {
    let attributes = normalized(kind, call.attributes_of_record(kind)?)?;
    Ok(one(StatusCode::OK, written(call, &Change::Update { kind, attributes }).await?.resource()))
}

pub(super) async fn update_instance(call: &Call<'_>) -> Result<Response, Refused> {
    update(call, &instance_kind(call)?).await
}

pub(super) async fn delete(call: &Call<'_>, kind: &RecordKind) -> Result<Response, Refused> {
    written(call, &Change::Delete { kind }).await?;
    Ok(empty_response(StatusCode::NO_CONTENT))
}

pub(super) async fn delete_instance(call: &Call<'_>) -> Result<Response, Refused> {
    delete(call, &instance_kind(call)?).await
}

/// `POST /v1/klasses/{name}/{id}/relationships`: `{"relationship": "payer", "type": "customer", "relatedId": "…"}`.
pub(super) async fn relate_instance(call: &Call<'_>) -> Result<Response, Refused> {
    let kind = instance_kind(call)?;
    let attributes = call.attributes()?;
    let unnamed =
        || bad_attribute("relationship", "Say what the relationship is called: {\"relationship\": \"payer\", …}.");
    check_names(&attributes, &["relationship", "type", "relatedId"])?;
    let name = text(&attributes, "relationship")?.ok_or_else(unnamed)?;
    let change = match attributes.get("relatedId") {
        Some(Value::Null) => Change::Unrelate { kind: &kind, name },
        Some(_) | None => {
            let relation = Relation::of(&kind, name, text(&attributes, "type")?).map_err(refused)?;
            let written = text(&attributes, "relatedId")?;
            let other = written.and_then(|id| RecordId::parse(&id).ok()).ok_or_else(no_related)?;
            Change::Relate { kind: &kind, relation, other }
        }
    };
    Ok(one(StatusCode::OK, written(call, &change).await?.resource()))
}

/// `POST /v1/customers/{id}/merge`: `{"otherId": "…"}`.
pub(super) async fn merge(call: &Call<'_>) -> Result<Response, Refused> {
    let attributes = call.attributes()?;
    check_names(&attributes, &["otherId"])?;
    let other = text(&attributes, "otherId")?.and_then(|id| RecordId::parse(&id).ok()).ok_or_else(no_other)?;
    Ok(one(StatusCode::OK, written(call, &Change::Merge { other }).await?.resource()))
}

/// All customers, newest first, or the one that `email`, `phone` or another key names.
pub(super) async fn list_customers(call: &Call<'_>) -> Result<Response, Refused> {
    if let Some(found) = named_in_query(call, &RecordKind::Customer).await? {
        return Ok(found);
    }
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = records::list_customers(call.management.store.as_ref(), call.caller.org, paging).await?;
    Ok(page_of_records(call, &listing, size))
}

/// The records of a kind that belong to no customer, or the one that a key names.
pub(super) async fn list(call: &Call<'_>, kind: &RecordKind) -> Result<Response, Refused> {
    if let Some(found) = named_in_query(call, kind).await? {
        return Ok(found);
    }
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = records::list_kind(call.management.store.as_ref(), call.caller.org, kind, paging).await?;
    Ok(page_of_records(call, &listing, size))
}

pub(super) async fn list_instances_of_klass(call: &Call<'_>) -> Result<Response, Refused> {
    list(call, &instance_kind(call)?).await
}

/// The records of a kind on the timeline of the `customer` in the query, or in the `conversation`.
pub(super) async fn list_of_customer(call: &Call<'_>, kind: &RecordKind) -> Result<Response, Refused> {
    if let Some(found) = named_in_query(call, kind).await? {
        return Ok(found);
    }
    let mut unit = unit(call);
    let conversation = match call.query("conversation") {
        Some(id) => {
            let id = RecordId::parse(&id).map_err(|_| bad_query("conversation", "the id of a conversation"))?;
            let found = unit.find_record(&RecordKind::Conversation, id).await?;
            Some(found.ok_or_else(|| bad_query("conversation", "the id of a conversation that is there"))?)
        }
        None => None,
    };
    let of_conversation = conversation.as_ref().and_then(|conversation| conversation.related("customer"));
    let named = call.query("customer").map(|id| RecordId::parse(&id));
    let or_conversation = if *kind == RecordKind::Conversation { "" } else { "; `conversation` names one, too" };
    let wanted = || bad_query("customer", &format!("the id of a customer, whose records are listed{or_conversation}"));
    let customer = match (named, of_conversation) {
        (Some(id), _) => id.map_err(|_| wanted())?,
        (None, Some(id)) => id,
        (None, None) => return Err(wanted()),
    };
    let customer = unit.find_living(&RecordKind::Customer, customer).await?.ok_or_else(wanted)?;
    let conversation = conversation.map(|conversation| conversation.id);
    let is_wanted = |record: &Record| {
        record.kind == *kind && conversation.is_none_or(|wanted| record.related("conversation") == Some(wanted))
    };
    some_of_timeline(call, &customer, is_wanted).await
}

pub(super) async fn timeline(call: &Call<'_>) -> Result<Response, Refused> {
    let customer = found(call, &RecordKind::Customer).await?;
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = records::list_timeline(call.management.store.as_ref(), &customer, paging).await?;
    Ok(page_of_records(call, &listing, size))
}

/// The timeline's instances of one klass.
pub(super) async fn list_instances(call: &Call<'_>) -> Result<Response, Refused> {
    let customer = found(call, &RecordKind::Customer).await?;
    let kind = RecordKind::Kobject(call.param("name").to_owned());
    some_of_timeline(call, &customer, |record| record.kind == kind).await
}

/// A page may have fewer than `pageSize` of them and still have a next one.
async fn some_of_timeline(
    call: &Call<'_>,
    customer: &Record,
    is_wanted: impl Fn(&Record) -> bool,
) -> Result<Response, Refused> {
    let mut paging = call.paging()?;
    let size = paging.limit;
    let mut items = Vec::new();
    for _ in 0..FILTER_PAGES_LIMIT {
        let listing = records::list_timeline(call.management.store.as_ref(), customer, paging.clone()).await?;
        items.extend(listing.items.into_iter().filter(|record| is_wanted(record)));
        paging.after = listing.next;
        if paging.after.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(page_of_records(call, &Listing { items, next: paging.after }, size))
}

/// The list of the one record that a key in the query names, if one does.
async fn named_in_query(call: &Call<'_>, kind: &RecordKind) -> Result<Option<Response>, Refused> {
    for name in KEYS {
        if let Some(value) = call.query(name) {
            let found = match key(kind, name, &value) {
                Some(key) => unit(call).find_by_key(kind, &key).await?,
                None => None,
            };
            let listing = Listing { items: found.into_iter().collect(), next: None };
            return Ok(Some(page_of_records(call, &listing, call.page_size()?)));
        }
    }
    Ok(None)
}

async fn found(call: &Call<'_>, kind: &RecordKind) -> Result<Record, Refused> {
    found_in(call, &mut unit(call), kind).await
}

/// The record that the path names: by id, or by `email={address}` and its like, as Kustomer has it.
async fn found_in(call: &Call<'_>, unit: &mut Unit<'_>, kind: &RecordKind) -> Result<Record, Refused> {
    let named = call.param("id");
    let found = match named.split_once('=').filter(|(name, _)| KEYS.contains(name)) {
        Some((name, value)) => match key(kind, name, value) {
            Some(key) => unit.find_by_key(kind, &key).await?,
            None => None,
        },
        None => unit.find_living(kind, call.id("id", RecordId::parse)?).await?,
    };
    found.ok_or_else(|| not_found().into())
}

/// What `name=value` says, if records of this kind are found by it.
fn key(kind: &RecordKind, name: &str, value: &str) -> Option<RecordKey> {
    match (name, kind) {
        ("externalId", kind) => RecordKey::external_id(kind, value),
        ("email", RecordKind::Customer) => EmailAddress::parse(value).ok().as_ref().map(RecordKey::email),
        ("email", RecordKind::User) => EmailAddress::parse(value).ok().as_ref().map(RecordKey::user_email),
        ("phone", RecordKind::Customer) => RecordKey::phone(value),
        ("whatsapp", RecordKind::Customer) => RecordKey::whatsapp(value),
        (account, RecordKind::Customer) => RecordKey::account(account.strip_suffix("Id")?, value),
        (_, _) => None,
    }
}

fn instance_kind(call: &Call<'_>) -> Result<RecordKind, Refused> {
    let name = call.param("name");
    Klass::check_name(name).map_err(|_| not_found())?;
    Ok(RecordKind::Kobject(name.to_owned()))
}

/// The attributes without what is only read, a customer's one address or number as a list.
fn normalized(kind: &RecordKind, mut attributes: Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    for own in READ_ONLY {
        attributes.shift_remove(own);
    }
    if *kind == RecordKind::Customer {
        for (one, list) in [("email", "emails"), ("phone", "phones")] {
            match attributes.shift_remove(one) {
                None | Some(Value::Null) => {}
                Some(Value::String(written)) => {
                    attributes.entry(list).or_insert_with(|| json!([written]));
                }
                Some(_) => return Err(bad_attribute(one, format!("`{one}` has to be text."))),
            }
        }
    }
    Ok(attributes)
}

fn fresh_id(call: &Call<'_>) -> Result<RecordId, Refused> {
    Ok(RecordId::fresh(call.management.world.now(), call.random()?))
}

fn unit<'c>(call: &'c Call<'_>) -> Unit<'c> {
    Unit::new(call.management.store.as_ref(), call.caller.org, call.management.world.now())
}

/// Does `change` in a unit and writes it, and does it again where somebody else was faster. Gives the record as it is then;
/// as it was, if it is gone.
async fn written(call: &Call<'_>, change: &Change<'_>) -> Result<Record, Refused> {
    let (store, queue) = (call.management.store.as_ref(), call.management.queue.as_ref());
    for _ in 0..TRIES_LIMIT {
        let mut unit = unit(call);
        let record = change.perform(call, &mut unit).await?;
        match announce::write(store, queue, (call.caller.org, &call.author()), unit.into_work()).await {
            Ok(()) => return Ok(record),
            Err(WriteError::Conflict { .. }) => {}
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
        }
    }
    let detail = "Others change this all the time. Read it again and repeat the change.";
    Err(Rejected::new(Rejection::Taken, "changed_meanwhile", detail).into())
}

fn refused(error: NotDone) -> Refused {
    let (path, failure) = match error {
        NotDone::Unavailable(error) => return error.into(),
        NotDone::Wrong { field, failure } => (format!("$.{field}"), failure),
        NotDone::Failed(failure) => ("$".to_owned(), failure),
    };
    if let Some(code) = COLLISIONS.iter().find(|code| **code == failure.code) {
        return Rejected { path, ..Rejected::new(Rejection::Taken, code, failure.message) }.into();
    }
    // Of all that may be wrong only the klass stands in the path.
    if failure.code == "unknown_klass" {
        return Rejected::new(Rejection::NotFound, "not_found", failure.message).into();
    }
    let code = if failure.code.ends_with("_param") { "bad_attribute".to_owned() } else { failure.code };
    Refused::Problems(vec![Problem { path, code, detail: failure.message, suggestion: None }])
}

fn page_of_records(call: &Call<'_>, listing: &Listing<Record>, size: usize) -> Response {
    many(call, listing.items.iter().map(Record::resource).collect(), size, listing.next.as_deref())
}
