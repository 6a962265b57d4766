//! Transactions: arrivals that were accepted, in the one shape every workflow sees.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Event, HookId, HookKind, Lineage, OrgId, RunId, Timestamp, TransactionId, exact::object};

/// One arrival, normalized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The transaction.
    pub id: TransactionId,
    /// The org it belongs to.
    pub org: OrgId,
    /// The hook it came through; nothing where an event was no arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookId>,
    /// That hook's kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_kind: Option<HookKind>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// What the sender sent; `null` where there was none.
    #[serde(with = "crate::exact")]
    pub data: Value,
    /// What is known of the mail that the data was in, where it came in one: who wrote to whom, what was checked, what
    /// was attached. *Shape*: `docs/email.md`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Value>,
    /// Its files, which are all among the blobs. Only our own readers write this: an object in `data` that looks like a file
    /// may be the sender's, and proves nothing. No part of [`Transaction::document`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<StoredFile>,
    /// How many runs lie between the beginning and this, where a run's call brought it: as [`Lineage::depth`].
    #[serde(default, skip_serializing_if = "is_first")]
    pub generation: u32,
    /// The event that it is, where it did not arrive at a hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired: Option<Box<Event>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it skips by reference")]
const fn is_first(generation: &u32) -> bool {
    *generation == 0
}

/// A file among the blobs, under `sha256/` and its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredFile {
    /// SHA-256 of its bytes, 64 lower-case hex digits.
    pub sha256: String,
    /// How many bytes it has.
    pub size: u64,
}

impl Transaction {
    /// The transaction that `event` is.
    pub fn of_event(event: Event) -> Self {
        Self {
            id: event.id.into(),
            org: event.org,
            hook: None,
            hook_kind: None,
            created_at: event.created_at,
            data: Value::Null,
            email: None,
            files: Vec::new(),
            generation: 0,
            fired: Some(Box::new(event)),
        }
    }

    /// What the events of a run that it starts follow from.
    pub fn lineage_of(&self, run: RunId) -> Lineage {
        let (root, depth) =
            self.fired.as_ref().map_or((self.id, self.generation), |event| (event.lineage.root, event.lineage.depth));
        Lineage { root, depth: depth + 1, run: Some(run) }
    }

    /// The JSON that step 1 of a workflow sees.
    ///
    /// *Source*: the seed `kobject-from-a-hook`, key for key; `/v1/org/` is singular there. Of an event [`Event::step_output`].
    pub fn document(&self) -> Value {
        if let Some(event) = &self.fired {
            return event.step_output();
        }
        let org = json!({
            "data": { "type": "org", "id": self.org },
            "links": { "self": format!("/v1/org/{}", self.org) },
        });
        let mut relationships = Map::from_iter([("org".to_owned(), org)]);
        if let (Some(hook), Some(kind)) = (self.hook, self.hook_kind) {
            let hook = json!({
                "data": { "type": kind.type_name(), "id": hook },
                "links": { "self": format!("/v1/hooks/{}/{hook}", kind.word()) },
            });
            relationships.insert("hook".to_owned(), hook);
        }
        let mut attributes =
            Map::from_iter([("createdAt".to_owned(), json!(self.created_at)), ("data".to_owned(), self.data.clone())]);
        attributes.extend(self.email.clone().map(|email| ("email".to_owned(), email)));
        object([
            ("id", json!(self.id)),
            ("type", json!("transaction")),
            ("attributes", Value::Object(attributes)),
            ("relationships", Value::Object(relationships)),
        ])
    }
}

/// Something about an accepted body that its owner should know, such as a key that came twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// A stable word: `duplicate_key`.
    pub code: String,
    /// Where in the data, as a JSON path.
    pub path: String,
    /// The note as a sentence.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_seeds_key_for_key() {
        let transaction = Transaction {
            id: TransactionId::parse("a5c3694a5d1ab8ffee5b2b0e").unwrap(),
            org: OrgId::parse("581392b55ac7a2110099d9c8").unwrap(),
            hook: Some(HookId::parse("5a345109e578360010eaa1ad").unwrap()),
            hook_kind: Some(HookKind::Form),
            created_at: Timestamp::parse("2017-12-22T05:23:02.138Z").unwrap(),
            data: json!({"orderId": "1234", "price": "$10.25", "quantity": 2, "email": "test@example.com"}),
            email: None,
            files: vec![StoredFile { sha256: "ab".repeat(32), size: 5 }],
            generation: 0,
            fired: None,
        };
        let expected = r#"{"id":"a5c3694a5d1ab8ffee5b2b0e","type":"transaction","attributes":{"createdAt":"2017-12-22T05:23:02.138Z","data":{"orderId":"1234","price":"$10.25","quantity":2,"email":"test@example.com"}},"relationships":{"org":{"data":{"type":"org","id":"581392b55ac7a2110099d9c8"},"links":{"self":"/v1/org/581392b55ac7a2110099d9c8"}},"hook":{"data":{"type":"form_hook","id":"5a345109e578360010eaa1ad"},"links":{"self":"/v1/hooks/form/5a345109e578360010eaa1ad"}}}}"#;
        assert_eq!(transaction.document().to_string(), expected);
    }
}
