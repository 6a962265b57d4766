//! Look-ups. Finding nothing gives an empty object, so that `exists` on its `id` is false.

use domain::{EmailAddress, Klass};
use serde_json::{Map, Value, json};

use super::{NotDone, Params};
use crate::{
    directory::klasses::klass_key,
    document,
    records::{Unit, customers},
};

pub(super) async fn customer_by_email(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let text = params.required_text("email")?;
    // Text that is no address is nobody's, so looking for it finds nothing.
    let Ok(address) = EmailAddress::parse(&text) else { return Ok(nothing()) };
    let found = customers::find_by_email(unit, &address).await?;
    Ok(found.map_or_else(nothing, |customer| customer.flattened()))
}

pub(super) async fn klass_by_name(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let name = match params.text("klassName")? {
        Some(name) => name,
        None => params.required_text("name")?,
    };
    match klass(unit, &name).await? {
        Some(klass) => {
            let mut output = Map::new();
            output.insert("id".to_owned(), json!(klass.id));
            output.insert("type".to_owned(), json!("klass"));
            output.extend(klass.attributes());
            Ok(Value::Object(output))
        }
        None => Ok(nothing()),
    }
}

/// The klass called `name`; none for a name that no klass can have.
pub(super) async fn klass(unit: &mut Unit<'_>, name: &str) -> Result<Option<Klass>, NotDone> {
    if Klass::check_name(name).is_err() {
        return Ok(None);
    }
    let key = klass_key(unit.org(), name);
    let found = unit.find(&key).await?;
    Ok(found.as_ref().map(document::read).transpose()?)
}

fn nothing() -> Value {
    Value::Object(Map::new())
}
