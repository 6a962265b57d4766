//! From the name of an operation and a JSON body to the engine's answer, as DynamoDB puts both on the wire.

use dynoxide::actions::transact_write_items::TransactWriteItemsRequest;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

const TARGET_PREFIX: &str = "DynamoDB_20120810.";

/// What DynamoDB answers to `body` for `target` (`DynamoDB_20120810.PutItem`): the status and the JSON body.
///
/// It knows the operations that the adapters and the tests use; others are answered as unknown. The token of a
/// transaction is not looked at: nothing gets lost between here and the engine, and the engine looks through all tokens
/// of the last ten minutes at every transaction.
pub fn answer(database: &Database, target: &str, body: &str) -> (u16, String) {
    let operation = target.strip_prefix(TARGET_PREFIX).unwrap_or(target);
    match dispatch(database, operation, body) {
        Ok(answer) => (200, answer),
        Err(error) => (error.status_code(), error.to_json()),
    }
}

fn dispatch(database: &Database, operation: &str, body: &str) -> Result<String, DynoxideError> {
    match operation {
        "PutItem" => carry_out(body, |request| database.put_item(request)),
        "GetItem" => carry_out(body, |request| database.get_item(request)),
        "DeleteItem" => carry_out(body, |request| database.delete_item(request)),
        "UpdateItem" => carry_out(body, |request| database.update_item(request)),
        "Query" => carry_out(body, |request| database.query(request)),
        "Scan" => carry_out(body, |request| database.scan(request)),
        "BatchGetItem" => carry_out(body, |request| database.batch_get_item(request)),
        "TransactWriteItems" => carry_out(body, |mut request: TransactWriteItemsRequest| {
            request.client_request_token = None;
            database.transact_write_items(request)
        }),
        "TransactGetItems" => carry_out(body, |request| database.transact_get_items(request)),
        "CreateTable" => carry_out(body, |request| database.create_table(request)),
        "DescribeTable" => carry_out(body, |request| database.describe_table(request)),
        "DeleteTable" => carry_out(body, |request| database.delete_table(request)),
        "ListTables" => carry_out(body, |request| database.list_tables(request)),
        "UpdateTimeToLive" => carry_out(body, |request| database.update_time_to_live(request)),
        "DescribeTimeToLive" => carry_out(body, |request| database.describe_time_to_live(request)),
        unknown => Err(DynoxideError::UnsupportedCapability(unknown.to_owned())),
    }
}

fn carry_out<Request, Response>(
    body: &str,
    operation: impl FnOnce(Request) -> Result<Response, DynoxideError>,
) -> Result<String, DynoxideError>
where
    Request: DeserializeOwned,
    Response: Serialize,
{
    let request = serde_json::from_str(body).map_err(|error| DynoxideError::ValidationException(error.to_string()))?;
    let response = operation(request)?;
    serde_json::to_string(&response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
