//! JSON:API documents: one resource, or a page of them.

use domain::exact::object;
use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{Response, call::Call};
use crate::http::answer::json_response;

/// A resource of an org.
pub(super) fn resource(kind: &str, id: &str, path: &str, attributes: Value, relationships: Value) -> Value {
    object([
        ("type", json!(kind)),
        ("id", json!(id)),
        ("attributes", attributes),
        ("relationships", relationships),
        ("links", json!({ "self": path })),
    ])
}

/// The relationship to the caller's org.
pub(super) fn org_relationship(call: &Call<'_>) -> Value {
    json!({ "org": { "data": { "type": "org", "id": call.caller.org } } })
}

/// The same, and to the app that brought the resource along.
pub(super) fn owned_relationships(call: &Call<'_>, installed_by: Option<&str>) -> Value {
    let mut relationships = org_relationship(call);
    if let (Some(app), Some(relationships)) = (installed_by, relationships.as_object_mut()) {
        let links = json!({ "self": format!("/v1/apps/{app}") });
        relationships.insert("app".to_owned(), json!({ "data": { "type": "app", "id": app }, "links": links }));
    }
    relationships
}

/// An answer with one resource.
pub(super) fn one(status: StatusCode, resource: Value) -> Response {
    json_response(status, &object([("data", resource)]))
}

/// An answer with a page of resources.
///
/// *Shape*: `{"data":[…],"meta":{"page":1,"pageSize":25},"links":{"self":"…","next":"…"}}`; `next` is `null` at the end.
pub(super) fn many(call: &Call<'_>, resources: Vec<Value>, page_size: usize, next: Option<&str>) -> Response {
    many_with(call, resources, page_size, next, json!({}))
}

/// The same with more in its `meta`.
pub(super) fn many_with(
    call: &Call<'_>,
    resources: Vec<Value>,
    page_size: usize,
    next: Option<&str>,
    mut meta: Value,
) -> Response {
    let page = call.page_number();
    if let Some(meta) = meta.as_object_mut() {
        meta.insert("page".to_owned(), json!(page));
        meta.insert("pageSize".to_owned(), json!(page_size));
    }
    let next = next.map(|after| next_link(call, page + 1, page_size, after));
    let this = call.request.uri().path_and_query().map_or("", |path| path.as_str());
    json_response(
        StatusCode::OK,
        &object([("data", Value::Array(resources)), ("meta", meta), ("links", json!({ "self": this, "next": next }))]),
    )
}

/// Takes from `attributes` the key `name` as text; `Ok(None)` when it is not there.
pub(super) fn text(attributes: &Map<String, Value>, name: &str) -> Result<Option<String>, super::Refused> {
    match attributes.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(super::call::bad_attribute(name, format!("`{name}` has to be text.")))
        }
    }
}

/// The link to the next page: this request's own filters, and where that page begins.
fn next_link(call: &Call<'_>, page: u64, page_size: usize, after: &str) -> String {
    let uri = call.request.uri();
    let mut pairs: Vec<String> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| {
            !pair.is_empty() && !["page", "pageSize", "after"].contains(&pair.split('=').next().unwrap_or(pair))
        })
        .map(str::to_owned)
        .collect();
    pairs.push(format!("page={page}"));
    pairs.push(format!("pageSize={page_size}"));
    pairs.push(format!("after={}", utf8_percent_encode(&call.marked_position(after), NON_ALPHANUMERIC)));
    format!("{}?{}", uri.path(), pairs.join("&"))
}

/// Names the size of what is too large to be shown with everything else: `{"leftOutBytes": 524288}` in the place of each of
/// the values under `keys` that has more than a kilobyte.
pub(super) fn leave_large_values_out(object: &mut Value, keys: &[&str]) {
    const SHOWN_BYTES: usize = 1_024;
    for key in keys {
        if let Some(value) = object.get_mut(*key) {
            let bytes = value.to_string().len();
            if bytes > SHOWN_BYTES {
                *value = json!({ "leftOutBytes": bytes });
            }
        }
    }
}
