//! Actions that change records.

use domain::RecordKind;
use serde_json::Value;

use super::{NotDone, Params, create};
use crate::records::{Unit, customers};

pub(super) async fn customer(unit: &mut Unit<'_>, params: &Params<'_>) -> Result<Value, NotDone> {
    let before = params.required_record(unit, "id", &RecordKind::Customer).await?;
    let draft =
        customers::Draft { attributes: create::customer_attributes(params)?, emails: create::customer_emails(params)? };
    let customer = customers::update(unit, before, draft).await?;
    Ok(customer.flattened())
}
