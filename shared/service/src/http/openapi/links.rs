//! What whoever was sent a link may ask, as operations of the document. They are in no table of routes: the link is the key.

use serde_json::{Map, Value, json};

use super::path_parameters;

/// What tells these operations from those of management.
const TAG: &str = "Answer links";

const PATH: &str = "/v1/answers/{token}";

/// Puts the address of links into `paths`.
pub(super) fn insert(paths: &mut Map<String, Value>) {
    let operations = json!({ "get": show(), "post": answer() });
    paths.insert(PATH.to_owned(), operations);
}

fn show() -> Value {
    json!({
        "operationId": "ShowQuestion",
        "tags": [TAG],
        "summary": "Shows the question that a link answers, as a page or as JSON. It never answers it.",
        "parameters": path_parameters(PATH),
        "responses": responses("The question."),
    })
}

fn answer() -> Value {
    let schema = json!({ "type": "object", "properties": { "choice": { "type": "string" } } });
    json!({
        "operationId": "AnswerByLink",
        "tags": [TAG],
        "summary": "Answers the step that a link is for.",
        "parameters": path_parameters(PATH),
        "requestBody": { "required": false, "content": { "application/x-www-form-urlencoded": { "schema": schema } } },
        "responses": responses("The answer was taken."),
    })
}

fn responses(success: &str) -> Value {
    let page = |description: &str| {
        let content = json!({ "text/html": { "schema": { "type": "string" } }, "application/json": { "schema": { "type": "object" } } });
        json!({ "description": description, "content": content })
    };
    let told = [
        ("200", success),
        ("400", "None of the choices."),
        ("404", "No link, or not one of this API."),
        ("409", "It was answered before, the run is over, or it does not wait now."),
        ("410", "The link has expired."),
        ("413", "The body has more than 4,096 bytes."),
        ("503", "Try again after the seconds in Retry-After."),
    ];
    told.into_iter().map(|(status, description)| (status.to_owned(), page(description))).collect::<Map<_, _>>().into()
}
