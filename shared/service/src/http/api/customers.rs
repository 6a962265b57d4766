//! Customers, their timelines and instances, and the records that are read by id.

use domain::{EmailAddress, Klass, Record, RecordId, RecordKind, Rejected, Rejection};
use http::StatusCode;
use serde_json::{Map, Value};

use super::{
    Refused, Response,
    call::{Call, bad_attribute, not_found},
    resource::{many, one, text},
};
use crate::{
    directory::Listing,
    ports::Freshness,
    records::{self, NotDone, Unit, customers},
};

/// How many pages of a timeline one request for instances reads before it answers with what it has.
const FILTER_PAGES_LIMIT: usize = 10;

pub(super) async fn create(call: &Call<'_>) -> Result<Response, Refused> {
    let draft = draft(call.attributes()?)?;
    let mut unit = unit(call);
    let mut random = [0; 8];
    call.management.world.fill(&mut random)?;
    let id = RecordId::fresh(unit.now(), random);
    let customer = customers::create(&mut unit, id, draft).await.map_err(refused)?;
    write(call, unit).await?;
    Ok(one(StatusCode::CREATED, customer.resource()))
}

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = records::list_customers(call.management.store.as_ref(), call.caller.org, paging).await?;
    Ok(page_of_records(call, &listing, size))
}

/// By id, or by `email={address}` as Kustomer has it.
pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    if let Some(email) = call.param("id").strip_prefix("email=") {
        let address = EmailAddress::parse(email).map_err(|_| not_found())?;
        let found = customers::find_by_email(&mut unit(call), &address).await?;
        return Ok(one(StatusCode::OK, found.ok_or_else(not_found)?.resource()));
    }
    record(call, &RecordKind::Customer).await
}

pub(super) async fn update(call: &Call<'_>) -> Result<Response, Refused> {
    let draft = draft(call.attributes()?)?;
    let id = call.id("id", RecordId::parse)?;
    let mut unit = unit(call);
    let before = unit.find_record(&RecordKind::Customer, id).await?.ok_or_else(not_found)?;
    let customer = customers::update(&mut unit, before, draft).await.map_err(refused)?;
    write(call, unit).await?;
    Ok(one(StatusCode::OK, customer.resource()))
}

pub(super) async fn timeline(call: &Call<'_>) -> Result<Response, Refused> {
    let customer = found(call, &RecordKind::Customer).await?;
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = records::list_timeline(call.management.store.as_ref(), call.caller.org, customer.id, paging).await?;
    Ok(page_of_records(call, &listing, size))
}

/// The timeline's instances of one klass. A page may have fewer than `pageSize` of them and still have a next one.
pub(super) async fn instances(call: &Call<'_>) -> Result<Response, Refused> {
    let customer = found(call, &RecordKind::Customer).await?;
    let kind = RecordKind::Kobject(call.param("name").to_owned());
    let mut paging = call.paging()?;
    let size = paging.limit;
    let mut items = Vec::new();
    for _ in 0..FILTER_PAGES_LIMIT {
        let listing =
            records::list_timeline(call.management.store.as_ref(), call.caller.org, customer.id, paging.clone())
                .await?;
        items.extend(listing.items.into_iter().filter(|record| record.kind == kind));
        paging.after = listing.next;
        if paging.after.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(page_of_records(call, &Listing { items, next: paging.after }, size))
}

/// The instance of the klass that the path names.
pub(super) async fn instance(call: &Call<'_>) -> Result<Response, Refused> {
    let name = call.param("name");
    Klass::check_name(name).map_err(|_| not_found())?;
    record(call, &RecordKind::Kobject(name.to_owned())).await
}

/// The record of `kind` that the path names.
pub(super) async fn record(call: &Call<'_>, kind: &RecordKind) -> Result<Response, Refused> {
    Ok(one(StatusCode::OK, found(call, kind).await?.resource()))
}

async fn found(call: &Call<'_>, kind: &RecordKind) -> Result<Record, Refused> {
    let id = call.id("id", RecordId::parse)?;
    let key = records::record_key(call.caller.org, kind, id);
    let found = call.management.store.find(&key, Freshness::Latest).await?;
    let record: Option<Record> = found.as_ref().map(crate::document::read).transpose()?;
    record.ok_or_else(|| not_found().into())
}

fn unit<'c>(call: &'c Call<'_>) -> Unit<'c> {
    Unit::new(call.management.store.as_ref(), call.caller.org, call.management.world.now())
}

async fn write(call: &Call<'_>, unit: Unit<'_>) -> Result<(), Refused> {
    Ok(call.management.store.write(&unit.into_changes()).await?)
}

/// The attributes that a request may set; ids, times and counters are the server's.
fn draft(mut attributes: Map<String, Value>) -> Result<customers::Draft, Refused> {
    for own in ["id", "type", "rev", "createdAt", "updatedAt"] {
        attributes.shift_remove(own);
    }
    let emails = match (attributes.shift_remove("emails"), attributes.shift_remove("email")) {
        (Some(list), _) => Some(customers::read_emails(&list).map_err(refused)?),
        (None, Some(Value::String(email))) => Some(vec![customers::Email::home(&email).map_err(refused)?]),
        (None, Some(_)) => return Err(bad_attribute("email", "`email` has to be text.")),
        (None, None) => None,
    };
    for name in ["name", "externalId"] {
        text(&attributes, name)?;
    }
    if attributes.get("custom").is_some_and(|custom| !custom.is_object()) {
        return Err(bad_attribute("custom", "`custom` has to be an object."));
    }
    Ok(customers::Draft { attributes, emails })
}

fn refused(error: NotDone) -> Refused {
    match error {
        NotDone::Unavailable(error) => error.into(),
        NotDone::Failed(failure) if failure.code == "email_taken" => {
            Rejected { path: "$.emails".to_owned(), ..Rejected::new(Rejection::Taken, "email_taken", failure.message) }
                .into()
        }
        NotDone::Failed(failure) => Rejected::new(Rejection::Malformed, "bad_attribute", failure.message).into(),
    }
}

fn page_of_records(call: &Call<'_>, listing: &Listing<Record>, size: usize) -> Response {
    many(call, listing.items.iter().map(Record::resource).collect(), size, listing.next.as_deref())
}
