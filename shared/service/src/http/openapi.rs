//! The OpenAPI 3.1 document, made from the table of routes and a file of schemas; the addresses of hooks stand beside it.

mod doors;
mod links;

use serde_json::{Map, Value, json};

use super::{
    RouteMethod,
    api::RECORD_KEYS,
    operation::Operation,
    routes::{ROUTES, Route},
};
use crate::runs::{LetterKind, LetterState, ReasonCode};

/// The schemas by name. Whether a route's schema is among them is tested.
const SCHEMAS: &str = include_str!("schemas.json");

/// What says which page of a list is asked for.
const PAGES: [&str; 3] = ["pageSize", "page", "after"];

/// What may be asked for in a query, beside the page.
const FILTERS: &[(Operation, &[&str])] = &[
    (Operation::CallWorkflow, &["wait"]),
    (Operation::ListHookArrivals, &["since"]),
    (Operation::ListAuditLog, &["objectType", "objectId", "key", "from", "until"]),
    (Operation::ListRuns, &["state", "from", "until", "where"]),
    (Operation::ListDeliveries, &["state"]),
    (Operation::GetHookBalance, &["from", "until"]),
    (Operation::GetBalance, &["from", "until"]),
    (Operation::ListDeadLetters, &["state", "kind", "hook", "event", "reason", "from", "until"]),
    (Operation::DiffWorkflow, &["from", "to"]),
    (Operation::GetAvailableApp, &["version"]),
    (Operation::ListCustomers, &RECORD_KEYS),
    (Operation::ListConversations, &["customer", "externalId"]),
    (Operation::ListMessages, &["customer", "conversation", "externalId"]),
    (Operation::ListNotes, &["customer", "conversation", "externalId"]),
    (Operation::ListCompanies, &["externalId"]),
    (Operation::ListUsers, &["email", "externalId"]),
    (Operation::ListTags, &["externalId"]),
    (Operation::ListInstancesOfKlass, &["externalId"]),
];

/// The document.
pub fn document() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(route.method.as_http().as_str().to_lowercase(), operation(route));
        }
    }
    doors::insert(&mut paths);
    links::insert(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Hookwright",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Form hooks and webhooks, and the management of hooks, keys, workflows, runs and records.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": serde_json::from_str::<Value>(SCHEMAS).unwrap_or_default(),
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": "An API key, hk_…" } },
        },
    })
}

fn operation(route: &Route) -> Value {
    let suffix = if route.method == RouteMethod::Put && has_patch(route) { "ByPut" } else { "" };
    let mut operation = json!({
        "operationId": format!("{:?}{suffix}", route.operation),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": responses(route),
    });
    let Some(map) = operation.as_object_mut() else { return operation };
    if let Some(permission) = route.permission {
        map.insert("security".to_owned(), json!([{ "key": [permission] }]));
        map.insert("description".to_owned(), json!(format!("Needs the role `{permission}`, or one that covers it.")));
    }
    if let Some(schema) = route.request {
        let content = json!({ "application/json": { "schema": reference(schema) } });
        map.insert("requestBody".to_owned(), json!({ "required": needs_body(route), "content": content }));
    }
    operation
}

/// Whether the same path takes PATCH for the same thing, so that the two need different operation ids.
fn has_patch(route: &Route) -> bool {
    ROUTES.iter().any(|other| other.path == route.path && other.method == RouteMethod::Patch)
}

/// Whether a request without a body says too little.
fn needs_body(route: &Route) -> bool {
    !matches!(route.operation, Operation::RotateApiKey | Operation::PublishDraft | Operation::CreateAnswerLink)
}

fn parameters(route: &Route) -> Vec<Value> {
    let asked = query_names(route).filter(|name| !(comes_whole(route) && PAGES.contains(name))).map(
        |name| json!({ "name": name, "in": "query", "required": false, "schema": query_schema(name, route.response) }),
    );
    path_parameters(route.path).into_iter().chain(asked).collect()
}

/// The query parameters that the route knows. Lists that come whole have one page, whatever is asked for.
pub(super) fn query_names(route: &Route) -> impl Iterator<Item = &'static str> {
    let pages: &[&str] = if route.response.ends_with("List") { &PAGES } else { &[] };
    let filters =
        FILTERS.iter().find(|(operation, _)| *operation == route.operation).map_or(&[][..], |(_, names)| names);
    pages.iter().chain(filters).copied()
}

/// Whether the route's list is short and comes whole, so that nobody needs to be told of pages.
fn comes_whole(route: &Route) -> bool {
    ["InteractionList", "RefusalList", "DuplicateList", "AppList", "ActionList"].contains(&route.response)
}

fn query_schema(name: &str, response: &str) -> Value {
    match (name, response) {
        ("pageSize", _) => json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 25 }),
        ("page", _) => json!({ "type": "integer", "minimum": 1, "default": 1 }),
        ("from" | "to", "WorkflowDiff") => json!({ "type": "string", "pattern": "^([0-9]+|live|draft)$" }),
        ("where", _) => {
            json!({ "type": "array", "items": { "type": "string" }, "maxItems": 5, "description": "PATH=VALUE, as in data.orderId=1234" })
        }
        ("wait", _) => json!({ "type": "integer", "minimum": 0, "maximum": 25, "default": 10 }),
        ("from" | "until" | "since", _) => json!({ "type": "string", "format": "date-time" }),
        ("state", "RunList") => json!({ "enum": ["running", "waiting", "held", "succeeded", "failed", "cancelled"] }),
        ("state", "DeadLetterList") => json!({ "enum": LetterState::ALL, "default": LetterState::Dead }),
        ("kind", "DeadLetterList") => json!({ "enum": LetterKind::ALL }),
        ("reason", "DeadLetterList") => json!({ "enum": ReasonCode::ALL }),
        ("state", _) => json!({ "enum": ["pending", "delivered", "failed"] }),
        _ => json!({ "type": "string" }),
    }
}

fn path_parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name) }))
        .collect()
}

fn path_schema(name: &str) -> Value {
    match name {
        "kind" => json!({ "enum": ["form", "web", "email"] }),
        "version" => json!({ "type": "integer", "minimum": 1 }),
        "org" => json!({ "type": "string", "pattern": "^[0-9a-f]{24}$" }),
        "hash" => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        _ => json!({ "type": "string" }),
    }
}

fn responses(route: &Route) -> Value {
    let mut responses = Map::new();
    let success = match (route.method, route.response) {
        (_, "") => ("204", json!({ "description": "Done." })),
        (RouteMethod::Post, schema) if route.creates => ("201", answer("Created.", schema)),
        (_, schema) => ("200", answer("Here it is.", schema)),
    };
    responses.insert(success.0.to_owned(), success.1);
    if route.operation == Operation::CallWorkflow {
        responses.insert("202".to_owned(), answer("It is called; its run is still under way.", "Any"));
    }
    if route.permission.is_some() {
        for (status, description) in [
            ("400", "The request has to be changed; each error says where and how."),
            ("401", "No key, or one that is not known."),
            ("403", "The key does not have the role."),
            ("404", "Nothing of your org is there."),
            ("409", "It collides with something that is there."),
            ("413", "The body is too large."),
            ("503", "Try again after the seconds in Retry-After."),
        ] {
            responses.insert(status.to_owned(), answer(description, "Errors"));
        }
    }
    Value::Object(responses)
}

fn answer(description: &str, schema: &str) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": reference(schema) } } })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    found.insert(reference.trim_start_matches("#/components/schemas/").to_owned());
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_schema_is_used_and_every_used_schema_is_there() {
        let document = document();
        let schemas: BTreeSet<String> =
            document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
        let mut used = BTreeSet::new();
        references(&document, &mut used);
        assert_eq!(used, schemas);
    }

    #[test]
    fn operation_ids_are_unique() {
        let document = document();
        let mut seen = BTreeSet::new();
        for path in document["paths"].as_object().unwrap().values() {
            for operation in path.as_object().unwrap().values() {
                assert!(seen.insert(operation["operationId"].as_str().unwrap().to_owned()), "{operation}");
            }
        }
    }

    #[test]
    fn the_id_of_a_put_ends_otherwise_only_where_a_patch_does_the_same() {
        let document = document();
        for (path, id) in [("/v1/hooks/{kind}/{id}", "UpdateHookByPut"), ("/v1/apps/{name}", "UpgradeApp")] {
            assert_eq!(document["paths"][path]["put"]["operationId"], id, "{path}");
        }
    }

    #[test]
    fn a_path_names_its_parameters() {
        let document = document();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for operation in operations.as_object().unwrap().values() {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let named: Vec<_> = parameters.filter(|p| p["in"] == "path").map(|p| p["name"].as_str()).collect();
                assert_eq!(named.len(), path.matches('{').count(), "{path}");
            }
        }
    }

    #[test]
    fn whoever_has_to_wait_is_told_how_long() {
        let document = document();
        let told = &document["paths"]["/v1/hooks/web/{hash}"]["post"]["responses"]["429"]["headers"];
        let names: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["Retry-After", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]);
    }
}
