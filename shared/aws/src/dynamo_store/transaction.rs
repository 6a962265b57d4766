//! `TransactWriteItems`: several changes, or none.
//!
//! All tries of one transaction carry one token, so that a try whose answer was lost is not done again. The token is
//! drawn anew for every write: it saves an unknown outcome, the conditions are what guards (`reliability.md`, F8).

use aws_sdk_dynamodb::error::{BuildError, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use service::ports::{Unavailable, WriteError};

use super::condition::Condition;
use super::writes::Prepared;
use super::{DynamoStore, attributes, unavailable};
use crate::attempts::{Defeat, Earlier, Trouble, cause, trouble, within_budget};

/// Random bytes of a token; in hex they have 32 of the 36 characters that DynamoDB takes.
const TOKEN_BYTES: usize = 16;

const CONDITION_FAILED: &str = "ConditionalCheckFailed";
const MET_ANOTHER: &str = "TransactionConflict";

/// What passes by itself. *Source*: `TransactWriteItems`, "cancellation reason codes".
const PASSING_REASONS: [&str; 3] = [MET_ANOTHER, "ThrottlingError", "ProvisionedThroughputExceeded"];

impl DynamoStore {
    pub(super) async fn transact(&self, changes: &[Prepared<'_>]) -> Result<(), WriteError> {
        let actions = changes.iter().map(|change| self.action(change)).collect::<Result<Vec<_>, _>>();
        let actions = actions.map_err(|error| unavailable(error.to_string()))?;
        let request = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .client_request_token(fresh_token()?)
            .set_return_consumed_capacity(self.capacity_wish());
        match within_budget(&*self.world, trouble_of_transaction, || request.clone().send()).await {
            Ok(answer) => self.count_write(answer.consumed_capacity()),
            Err(defeat) => return Err(self.error_of_transaction(changes, &defeat).await),
        }
        Ok(())
    }

    fn action(&self, change: &Prepared<'_>) -> Result<TransactWriteItem, BuildError> {
        let action = TransactWriteItem::builder();
        let table = self.tables.of(change.table());
        let now = self.world.now();
        Ok(match change {
            Prepared::Put(item, packed, expectation) => {
                let condition = Condition::of(*expectation, now);
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(attributes::of_item(item, packed)))
                    .set_condition_expression(condition.expression)
                    .set_expression_attribute_values(condition.values)
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
                action.put(put.build()?)
            }
            Prepared::Delete(key, expectation) => {
                let condition = Condition::of(*expectation, now);
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(attributes::of_key(key)))
                    .set_condition_expression(condition.expression)
                    .set_expression_attribute_values(condition.values)
                    .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
                action.delete(delete.build()?)
            }
        }
        .build())
    }

    async fn error_of_transaction(
        &self,
        changes: &[Prepared<'_>],
        defeat: &Defeat<TransactWriteItemsError>,
    ) -> WriteError {
        let error = &defeat.last;
        if let Some(position) = only_met_another(defeat) {
            return WriteError::Conflict { position, found: None };
        }
        let failed = |(_, reason): &(usize, &CancellationReason)| reason.code() == Some(CONDITION_FAILED);
        let Some((position, reason)) = reasons(error).iter().enumerate().find(failed) else {
            return unavailable(cause(error)).into();
        };
        match changes.get(position) {
            Some(change) => self.conflict(change.table(), position, reason.item()).await,
            None => unavailable(format!("a transaction failed at a change it did not have: {}", cause(error))).into(),
        }
    }
}

/// A cancelled transaction is tried again when nothing but passing reasons stood in its way.
fn trouble_of_transaction(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> Trouble {
    let mut codes = failing_codes(error).peekable();
    if codes.peek().is_some() && codes.all(|(_, code)| PASSING_REASONS.contains(&code)) {
        return Trouble::Passing;
    }
    trouble(error)
}

/// The first change that another transaction had in hand, if nothing else stood in the way of any try.
///
/// Whoever wrote there has most likely finished by the time the caller reads again, so it is a lost race, no outage.
fn only_met_another(defeat: &Defeat<TransactWriteItemsError>) -> Option<usize> {
    if defeat.earlier == Earlier::Unknown || failing_codes(&defeat.last).any(|(_, code)| code != MET_ANOTHER) {
        return None;
    }
    failing_codes(&defeat.last).map(|(position, _)| position).next()
}

/// The changes that a transaction was cancelled for, and why.
fn failing_codes(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> impl Iterator<Item = (usize, &str)> {
    let codes = reasons(error).iter().map(CancellationReason::code).enumerate();
    codes.filter_map(|(position, code)| Some((position, code?))).filter(|(_, code)| *code != "None")
}

/// Why each change was cancelled, in their order; empty unless the transaction was.
fn reasons(error: &SdkError<TransactWriteItemsError, HttpResponse>) -> &[CancellationReason] {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled.cancellation_reasons(),
        _ => &[],
    }
}

/// Not from the `World`: a token that a test could make come twice would silently swallow the second write.
fn fresh_token() -> Result<String, Unavailable> {
    let mut token = [0; TOKEN_BYTES];
    getrandom::fill(&mut token).map_err(|error| unavailable(error.to_string()))?;
    Ok(hex::encode(token))
}
