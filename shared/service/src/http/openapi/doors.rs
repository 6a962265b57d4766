//! The addresses that strangers write to, as operations of the document. They are in no table of routes, because it is the
//! hook at an address, not a role, that says who may come.

use serde_json::{Map, Value, json};

use super::{answer, path_parameters, reference};

/// What tells these operations from those of management.
pub(super) const TAG: &str = "Hook addresses";

/// Where a hook is: with its org before the hash, and without.
const PLACES: [(&str, &str); 2] = [("{org}/{hash}", ""), ("{hash}", "WithoutOrg")];

const TOO_MANY: (&str, &str) = ("429", "More than is taken here; the headers say when to come again.");
const LATER: (&str, &str) = ("503", "Try again after the seconds in Retry-After.");

/// Puts the addresses of hooks into `paths`.
pub(super) fn insert(paths: &mut Map<String, Value>) {
    for (place, suffix) in PLACES {
        let form = format!("/v1/hooks/form/{place}");
        paths.insert(format!("{form}/challenge"), json!({ "get": challenge(&form, suffix) }));
        paths.insert(format!("{form}/uploads"), json!({ "post": upload(&form, suffix) }));
        paths.insert(form.clone(), json!({ "post": post(&form, suffix) }));
        let web = format!("/v1/hooks/web/{place}");
        let arrivals = [("get", "Get"), ("post", "Post"), ("put", "Put")]
            .map(|(method, word)| (method.to_owned(), arrival(&web, method, &format!("{word}Webhook{suffix}"))));
        paths.insert(web, Value::Object(arrivals.into_iter().collect()));
    }
    paths.insert("/v1/hooks/form/guard.js".to_owned(), json!({ "get": script() }));
}

fn post(path: &str, suffix: &str) -> Value {
    let errors = [
        ("400", "The body cannot be read, or the hook's guard refused it."),
        ("403", "The hook takes no posts of this page."),
        ("404", "No hook is at this address."),
        ("405", "A form hook takes POST only."),
        ("409", "The Idempotency-Key came before with another body."),
        ("413", "The body has more than 409,600 bytes."),
        ("415", "A media type that cannot be read."),
        TOO_MANY,
        LATER,
    ];
    let mut responses = accepted();
    tell(&mut responses, &errors);
    json!({
        "operationId": format!("PostForm{suffix}"),
        "tags": [TAG],
        "summary": "Takes what a form or a program posts. A hook may be set to answer otherwise.",
        "parameters": with_idempotency_key(path_parameters(path)),
        "requestBody": any_body(),
        "responses": responses,
    })
}

fn challenge(path: &str, suffix: &str) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), answer("What a post has to bring.", "Challenge"));
    let errors = [
        ("403", "The hook takes no posts of this page."),
        ("404", "No hook is at this address, or it asks for no challenge."),
        TOO_MANY,
        LATER,
    ];
    tell(&mut responses, &errors);
    json!({
        "operationId": format!("GetChallenge{suffix}"),
        "tags": [TAG],
        "summary": "Gives a challenge, where the hook's guard asks for one.",
        "parameters": path_parameters(path),
        "responses": responses,
    })
}

fn upload(path: &str, suffix: &str) -> Value {
    let mut responses = Map::new();
    responses.insert("201".to_owned(), answer("Where the bytes go, and with which headers.", "UploadGrant"));
    let errors = [
        ("400", "The description cannot be read, or the hook's guard refused it."),
        ("403", "The hook takes no posts of this page."),
        ("404", "No hook is at this address, or it takes no uploads."),
        ("413", "More bytes than the hook takes."),
        TOO_MANY,
        LATER,
    ];
    tell(&mut responses, &errors);
    json!({
        "operationId": format!("CreateUpload{suffix}"),
        "tags": [TAG],
        "summary": "Grants the right to bring a file that is too large for a post.",
        "parameters": path_parameters(path),
        "requestBody": { "required": true, "content": { "application/json": { "schema": reference("UploadDraft") } } },
        "responses": responses,
    })
}

fn script() -> Value {
    let script = json!({ "text/javascript": { "schema": { "type": "string" } } });
    json!({
        "operationId": "GetGuardScript",
        "tags": [TAG],
        "summary": "The script that brings a page past its hook's guard.",
        "responses": { "200": { "description": "Here it is.", "content": script } },
    })
}

/// A webhook takes the methods that it, or its provider, is set to; POST where nothing is said.
fn arrival(path: &str, method: &str, operation_id: &str) -> Value {
    let errors = [
        ("400", "The body cannot be read, or a credential came more than once."),
        ("401", "No credentials, or none that this hook knows."),
        ("403", "The key does not have the role org.hooks, or the verify token is another one."),
        ("404", "No hook is at this address, or the key is of another org."),
        ("405", "The hook does not take this method; see Allow."),
        ("409", "The Idempotency-Key came before with another body."),
        ("413", "The body has more than 409,600 bytes."),
        ("415", "A media type that cannot be read."),
        TOO_MANY,
        LATER,
    ];
    let mut responses = accepted();
    tell(&mut responses, &errors);
    let mut operation = json!({
        "operationId": operation_id,
        "tags": [TAG],
        "summary": "Takes what a provider sends, with the credentials or the signature that the hook is set to.",
        "description": "The data of a GET is its query. Handshakes of providers are answered here too.",
        "security": [{ "key": ["org.hooks"] }, {}],
        "parameters": with_idempotency_key(path_parameters(path)),
        "responses": responses,
    });
    if let (true, Some(operation)) = (method != "get", operation.as_object_mut()) {
        operation.insert("requestBody".to_owned(), any_body());
    }
    operation
}

/// A hook that is set to a reply of its own answers 200 to 299, or 303.
fn accepted() -> Map<String, Value> {
    let mut accepted = answer("Accepted; the transaction is durable.", "Accepted");
    if let Some(accepted) = accepted.as_object_mut() {
        accepted.insert("headers".to_owned(), Value::Object(standing()));
    }
    let mut responses = Map::new();
    responses.insert("202".to_owned(), accepted);
    responses
        .insert("200".to_owned(), json!({ "description": "The hook's own reply, its provider's, or a handshake's." }));
    responses.insert(
        "303".to_owned(),
        json!({
            "description": "The hook's own reply to a form.",
            "headers": { "Location": { "schema": { "type": "string" } } },
        }),
    );
    responses
}

fn tell(responses: &mut Map<String, Value>, errors: &[(&str, &str)]) {
    for (status, description) in errors {
        let mut told = answer(description, "Errors");
        let headers = match *status {
            "401" => header("WWW-Authenticate", "string", "Bearer, or Basic."),
            "405" => header("Allow", "string", "The methods that are taken."),
            "429" => {
                let mut headers = header("Retry-After", "integer", "Seconds until the next one is taken.");
                headers.extend(standing());
                headers
            }
            "503" => header("Retry-After", "integer", "Seconds."),
            _ => Map::new(),
        };
        if let (false, Some(told)) = (headers.is_empty(), told.as_object_mut()) {
            told.insert("headers".to_owned(), Value::Object(headers));
        }
        responses.insert((*status).to_owned(), told);
    }
}

/// The headers by which a sender knows where it stands; on every answer of a hook that has a limit.
fn standing() -> Map<String, Value> {
    let mut headers = header("x-ratelimit-limit", "integer", "How many are taken at once.");
    headers.extend(header("x-ratelimit-remaining", "integer", "How many more are taken now."));
    headers.extend(header("x-ratelimit-reset", "integer", "The epoch second at which all of them are again."));
    headers
}

fn header(name: &str, kind: &str, description: &str) -> Map<String, Value> {
    let mut headers = Map::new();
    headers.insert(name.to_owned(), json!({ "description": description, "schema": { "type": kind } }));
    headers
}

fn with_idempotency_key(mut parameters: Vec<Value>) -> Vec<Value> {
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255 });
    parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "required": false, "schema": schema }));
    parameters
}

fn any_body() -> Value {
    let any = json!({ "schema": {} });
    json!({ "required": true, "content": {
        "application/json": any, "application/x-www-form-urlencoded": any, "multipart/form-data": any,
        "application/xml": any, "text/plain": any,
    } })
}
