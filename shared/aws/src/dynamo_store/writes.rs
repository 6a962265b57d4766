//! `PutItem` and `DeleteItem`: one change goes alone, because a transaction costs twice as much.
//!
//! A single change carries no token, so when one of its tries ended without an answer, a failed condition may be the
//! trace of our own write: the store cannot say then, and says that.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use service::ports::{Change, DOCUMENT_LIMIT_BYTES, Expectation, Item, Key, Table, Unavailable, WriteError};

use super::attributes::{self, Attributes};
use super::condition::Condition;
use super::{DynamoStore, unavailable};
use crate::attempts::{Defeat, Earlier, cause, trouble, within_budget};
use crate::pack::{Packed, pack};

/// A change whose document is packed, and in the blob store if it has to be.
pub(super) enum Prepared<'change> {
    Put(&'change Item, Packed, Expectation),
    Delete(&'change Key, Expectation),
}

impl Prepared<'_> {
    pub(super) const fn table(&self) -> Table {
        match self {
            Self::Put(item, ..) => item.key.table,
            Self::Delete(key, _) => key.table,
        }
    }
}

impl DynamoStore {
    pub(super) async fn make(&self, changes: &[Change]) -> Result<(), WriteError> {
        if !changes.iter().all(Change::is_possible) {
            return Err(unavailable("a key is empty or over its limit".to_owned()).into());
        }
        let prepared = self.prepare(changes).await?;
        match prepared.as_slice() {
            [] => Err(unavailable("a write has at least one change".to_owned()).into()),
            [Prepared::Put(item, packed, expectation)] => self.put(item, packed, *expectation).await,
            [Prepared::Delete(key, expectation)] => self.delete(key, *expectation).await,
            several => self.transact(several).await,
        }
    }

    /// *Once it returns* large documents are in the blob store, before anything points at them.
    async fn prepare<'change>(&self, changes: &'change [Change]) -> Result<Vec<Prepared<'change>>, Unavailable> {
        let mut prepared = Vec::with_capacity(changes.len());
        for change in changes {
            prepared.push(match change {
                Change::Put(item, expectation) => Prepared::Put(item, self.pack(item).await?, *expectation),
                Change::Delete(key, expectation) => Prepared::Delete(key, *expectation),
            });
        }
        Ok(prepared)
    }

    async fn pack(&self, item: &Item) -> Result<Packed, Unavailable> {
        if item.document.len() > DOCUMENT_LIMIT_BYTES {
            return Err(unavailable(format!("a document is over {DOCUMENT_LIMIT_BYTES} bytes")));
        }
        let packed = pack(&item.document);
        if let Packed::Blob { sha256, bytes } = &packed {
            self.blobs.put(sha256, bytes.clone()).await?;
        }
        Ok(packed)
    }

    async fn put(&self, item: &Item, packed: &Packed, expectation: Expectation) -> Result<(), WriteError> {
        let condition = Condition::of(expectation, self.world.now());
        let request = self
            .client
            .put_item()
            .table_name(self.tables.of(item.key.table))
            .set_item(Some(attributes::of_item(item, packed)))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_return_consumed_capacity(self.capacity_wish());
        match within_budget(&*self.world, trouble, || request.clone().send()).await {
            Ok(answer) => self.count_write(&answer.consumed_capacity),
            Err(defeat) => return Err(self.error(item.key.table, &defeat, refusal_of_put(&defeat)).await),
        }
        Ok(())
    }

    async fn delete(&self, key: &Key, expectation: Expectation) -> Result<(), WriteError> {
        let condition = Condition::of(expectation, self.world.now());
        let request = self
            .client
            .delete_item()
            .table_name(self.tables.of(key.table))
            .set_key(Some(attributes::of_key(key)))
            .set_condition_expression(condition.expression)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_return_consumed_capacity(self.capacity_wish());
        match within_budget(&*self.world, trouble, || request.clone().send()).await {
            Ok(answer) => self.count_write(&answer.consumed_capacity),
            Err(defeat) => return Err(self.error(key.table, &defeat, refusal_of_delete(&defeat)).await),
        }
        Ok(())
    }

    /// What the failure of a single change means to the caller.
    async fn error<E>(&self, table: Table, defeat: &Defeat<E>, refusal: Option<&Refusal>) -> WriteError
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        match (refusal, defeat.earlier) {
            (None, _) => unavailable(cause(&defeat.last)).into(),
            (Some(_), Earlier::Unknown) => {
                unavailable("an earlier try was not answered and may have been carried out".to_owned()).into()
            }
            (Some(refusal), Earlier::NotDone) => self.conflict(table, 0, refusal.item()).await,
        }
    }

    /// The conflict at `position`, with the item that was in the way.
    pub(super) async fn conflict(&self, table: Table, position: usize, found: Option<&Attributes>) -> WriteError {
        let found = match found {
            None => Ok(None),
            Some(attributes) => self.item(table, attributes).await,
        };
        match found {
            Ok(found) => WriteError::Conflict { position, found: found.map(Box::new) },
            Err(unreadable) => unreadable.into(),
        }
    }
}

type Refusal = ConditionalCheckFailedException;

fn refusal_of_put(defeat: &Defeat<PutItemError>) -> Option<&Refusal> {
    let error = defeat.last.as_service_error()?;
    if let PutItemError::ConditionalCheckFailedException(refusal) = error { Some(refusal) } else { None }
}

fn refusal_of_delete(defeat: &Defeat<DeleteItemError>) -> Option<&Refusal> {
    let error = defeat.last.as_service_error()?;
    if let DeleteItemError::ConditionalCheckFailedException(refusal) = error { Some(refusal) } else { None }
}
