//! The actions that steps may use: what each takes and gives.

use domain::{Rejected, Rejection};
use http::StatusCode;
use serde_json::Value;

use super::{
    Refused, Response,
    call::Call,
    resource::{many, one},
};
use crate::actions::{Description, description, descriptions};

pub(super) async fn list(call: &Call<'_>) -> Result<Response, Refused> {
    let resources: Vec<Value> = descriptions().iter().map(Description::resource).collect();
    let count = resources.len();
    Ok(many(call, resources, count, None))
}

pub(super) async fn get(call: &Call<'_>) -> Result<Response, Refused> {
    let name = call.param("name");
    let unknown = || {
        let shown = domain::shortened(name, 80);
        let detail = format!("There is no action `{shown}`. GET /v1/actions lists those that are built in.");
        Rejected::new(Rejection::NotFound, "not_found", detail)
    };
    let action = description(name).ok_or_else(unknown)?;
    Ok(one(StatusCode::OK, action.resource()))
}
