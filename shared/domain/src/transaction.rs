//! Transactions: arrivals that were accepted, in the one shape every workflow sees.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{HookId, HookKind, OrgId, Timestamp, TransactionId, exact::object};

/// One arrival, normalized.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The transaction.
    pub id: TransactionId,
    /// The org it belongs to.
    pub org: OrgId,
    /// The hook it came through.
    pub hook: HookId,
    /// That hook's kind.
    pub hook_kind: HookKind,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// What the sender sent.
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
    /// The JSON that step 1 of a workflow sees.
    ///
    /// *Source*: the seed `kobject-from-a-hook`, key for key; `/v1/org/` is singular there.
    pub fn document(&self) -> Value {
        let kind = self.hook_kind;
        let relationships = json!({
            "org": {
                "data": { "type": "org", "id": self.org },
                "links": { "self": format!("/v1/org/{}", self.org) },
            },
            "hook": {
                "data": { "type": kind.type_name(), "id": self.hook },
                "links": { "self": format!("/v1/hooks/{}/{}", kind.word(), self.hook) },
            },
        });
        let mut attributes =
            Map::from_iter([("createdAt".to_owned(), json!(self.created_at)), ("data".to_owned(), self.data.clone())]);
        attributes.extend(self.email.clone().map(|email| ("email".to_owned(), email)));
        object([
            ("id", json!(self.id)),
            ("type", json!("transaction")),
            ("attributes", Value::Object(attributes)),
            ("relationships", relationships),
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
            hook: HookId::parse("5a345109e578360010eaa1ad").unwrap(),
            hook_kind: HookKind::Form,
            created_at: Timestamp::parse("2017-12-22T05:23:02.138Z").unwrap(),
            data: json!({"orderId": "1234", "price": "$10.25", "quantity": 2, "email": "test@example.com"}),
            email: None,
            files: vec![StoredFile { sha256: "ab".repeat(32), size: 5 }],
        };
        let expected = r#"{"id":"a5c3694a5d1ab8ffee5b2b0e","type":"transaction","attributes":{"createdAt":"2017-12-22T05:23:02.138Z","data":{"orderId":"1234","price":"$10.25","quantity":2,"email":"test@example.com"}},"relationships":{"org":{"data":{"type":"org","id":"581392b55ac7a2110099d9c8"},"links":{"self":"/v1/org/581392b55ac7a2110099d9c8"}},"hook":{"data":{"type":"form_hook","id":"5a345109e578360010eaa1ad"},"links":{"self":"/v1/hooks/form/5a345109e578360010eaa1ad"}}}}"#;
        assert_eq!(transaction.document().to_string(), expected);
    }
}
