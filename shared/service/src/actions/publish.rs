//! Actions that tell of something under a name of its own.

use domain::EventId;
use serde_json::{Map, Value, json};

use super::{Actor, NotDone, Params, params::wrong};
use crate::{
    event_names::{COMMANDS, check_published},
    records::Unit,
};

/// Publishes `name` with `data`.
pub(super) fn event(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let name = params.either_text("eventName", "name")?;
    check_published(&name).map_err(|sentence| NotDone::wrong("name", "wrong_event_name", sentence))?;
    let data = params.value("data").cloned().unwrap_or_else(|| Value::Object(Map::new()));
    if !data.is_object() {
        return Err(wrong("data", "an object"));
    }
    Ok(published(unit, actor, name, data))
}

/// Fires the event of the command called `name`, which a workflow may listen to. Commands of apps are no code here.
pub(super) fn command(unit: &mut Unit<'_>, actor: Actor<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let name = params.required_text("name")?;
    let event_name = format!("{COMMANDS}{name}");
    check_published(&event_name).map_err(|sentence| NotDone::wrong("name", "wrong_event_name", sentence))?;
    let data = params.object("params")?;
    Ok(published(unit, actor, event_name, Value::Object(data)))
}

fn published(unit: &mut Unit<'_>, actor: Actor<'_>, name: String, data: Value) -> Value {
    let id = EventId::for_step(actor.run, &actor.instance(), actor.visit);
    let output = json!({ "id": id, "type": "event", "name": name });
    unit.publish(actor.author.event(id, unit.org(), name, data, unit.now()));
    output
}
