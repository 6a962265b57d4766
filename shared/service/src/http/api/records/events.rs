//! Publishing an event.

use domain::EventId;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::{
    Refused, Response,
    call::{Call, bad_attribute, check_names},
    resource::{one, text},
};
use crate::{announce, event_names::check_published, records::Unit};

/// `POST /v1/events`: `{"name": "kustomer.app.shop.order.paid", "data": {…}}`.
///
/// *Once it is answered* the event is a transaction, whether somebody listens or not.
pub(in super::super) async fn publish(call: &Call<'_>) -> Result<Response, Refused> {
    // An event's own `data` may look like that of a JSON:API document, which has no name beside it.
    let document = call.document()?;
    let attributes = if document.contains_key("name") { document } else { call.attributes()? };
    check_names(&attributes, &["name", "data"])?;
    let name = text(&attributes, "name")?.unwrap_or_default();
    check_published(&name).map_err(|sentence| bad_attribute("name", sentence))?;
    let data = match attributes.get("data") {
        None | Some(Value::Null) => Value::Object(Map::new()),
        Some(data @ Value::Object(_)) => data.clone(),
        Some(_) => return Err(bad_attribute("data", "`data` is an object, which step 1 of a workflow sees.")),
    };
    let (org, now) = (call.caller.org, call.management.world.now());
    let (id, author) = (EventId::fresh(now, call.random()?), call.author());
    let (store, queue) = (call.management.store.as_ref(), call.management.queue.as_ref());
    let mut unit = Unit::new(store, org, now);
    unit.publish(author.event(id, org, name.clone(), data, now));
    announce::write(store, queue, (org, &author), unit.into_work()).await?;
    let document = json!({
        "type": "event",
        "id": id,
        "attributes": { "name": name, "createdAt": now },
        "links": { "self": format!("/v1/transactions/{id}") },
    });
    Ok(one(StatusCode::CREATED, document))
}
