//! The actions that steps may use: what each takes and gives.

use http::StatusCode;
use serde_json::Value;

use super::{
    Refused, Response,
    call::{Call, not_found},
    resource::{many, one},
};
use crate::actions::{Description, description, descriptions};

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let resources: Vec<Value> = descriptions().iter().map(Description::resource).collect();
    let count = resources.len();
    Ok(many(call, resources, count, None))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let action = description(call.param("name")).ok_or_else(not_found)?;
    Ok(one(StatusCode::OK, action.resource()))
}
