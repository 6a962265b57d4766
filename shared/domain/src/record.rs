//! Records: customers and what stands on their timelines.

pub mod fields;
mod keys;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{OrgId, RecordId, Timestamp, exact::object};

/// What a record is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum RecordKind {
    /// A person; owns a timeline.
    Customer,
    /// A thread of messages with a customer.
    Conversation,
    /// One message of a conversation.
    Message,
    /// A remark for colleagues.
    Note,
    /// A company.
    Company,
    /// An instance of the klass of this name.
    Kobject(String),
    /// A colleague, to whom conversations are assigned.
    User,
    /// A word that records are sorted by.
    Tag,
}

impl RecordKind {
    /// The klass whose instances are of this kind.
    pub fn klass(&self) -> Option<&str> {
        match self {
            Self::Kobject(klass) => Some(klass),
            Self::Customer
            | Self::Conversation
            | Self::Message
            | Self::Note
            | Self::Company
            | Self::User
            | Self::Tag => None,
        }
    }

    /// The path of the collection that holds records of this kind.
    pub fn collection(&self) -> String {
        match self {
            Self::Customer => "customers".to_owned(),
            Self::Conversation => "conversations".to_owned(),
            Self::Message => "messages".to_owned(),
            Self::Note => "notes".to_owned(),
            Self::Company => "companies".to_owned(),
            Self::Kobject(klass) => format!("klasses/{klass}"),
            Self::User => "users".to_owned(),
            Self::Tag => "tags".to_owned(),
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer => f.write_str("customer"),
            Self::Conversation => f.write_str("conversation"),
            Self::Message => f.write_str("message"),
            Self::Note => f.write_str("note"),
            Self::Company => f.write_str("company"),
            Self::Kobject(klass) => write!(f, "kobject.{klass}"),
            Self::User => f.write_str("user"),
            Self::Tag => f.write_str("tag"),
        }
    }
}

impl From<RecordKind> for String {
    fn from(kind: RecordKind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for RecordKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "customer" => Ok(Self::Customer),
            "conversation" => Ok(Self::Conversation),
            "message" => Ok(Self::Message),
            "note" => Ok(Self::Note),
            "company" => Ok(Self::Company),
            "user" => Ok(Self::User),
            "tag" => Ok(Self::Tag),
            other => match other.strip_prefix("kobject.").filter(|klass| !klass.is_empty()) {
                Some(klass) => Ok(Self::Kobject(klass.to_owned())),
                None => Err(format!("`{other}` is no kind of record")),
            },
        }
    }
}

/// A customer, conversation, message, note, company, klass instance, user or tag.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The record.
    pub id: RecordId,
    /// Its owner.
    pub org: OrgId,
    /// What it is.
    pub kind: RecordKind,
    /// Counts its changes, from 1.
    pub rev: u64,
    /// Its attributes; `custom` among them holds the custom ones.
    #[serde(with = "crate::exact")]
    pub attributes: Map<String, Value>,
    /// The records it belongs to, by the name of the relationship: `customer`, `conversation`.
    pub relationships: Vec<(String, RecordKind, RecordId)>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

pub use keys::RecordKey;

impl Record {
    /// The record that `name` relates this one to.
    pub fn related(&self, name: &str) -> Option<RecordId> {
        self.relationships.iter().find(|(relation, _, _)| relation == name).map(|(_, _, id)| *id)
    }

    /// The record as a JSON:API resource.
    pub fn resource(&self) -> Value {
        let mut attributes = self.attributes.clone();
        attributes.insert("rev".to_owned(), json!(self.rev));
        attributes.insert("createdAt".to_owned(), json!(self.created_at));
        attributes.insert("updatedAt".to_owned(), json!(self.updated_at));
        let mut relationships = Map::new();
        relationships.insert("org".to_owned(), json!({ "data": { "type": "org", "id": self.org } }));
        for (name, kind, id) in &self.relationships {
            let link = format!("/v1/{}/{id}", kind.collection());
            relationships
                .insert(name.clone(), json!({ "data": { "type": kind, "id": id }, "links": { "self": link } }));
        }
        object([
            ("type", json!(self.kind)),
            ("id", json!(self.id)),
            ("attributes", Value::Object(attributes)),
            ("relationships", Value::Object(relationships)),
            ("links", json!({ "self": format!("/v1/{}/{}", self.kind.collection(), self.id) })),
        ])
    }

    /// The record as a step leaves it: attributes at the top, relationships as ids.
    ///
    /// *Source*: Kustomer flattens JSON:API in step outputs (reference, section 4.2).
    pub fn flattened(&self) -> Value {
        let mut flat = Map::new();
        flat.insert("id".to_owned(), json!(self.id));
        flat.insert("type".to_owned(), json!(self.kind));
        flat.extend(self.attributes.clone());
        for (name, _, id) in &self.relationships {
            flat.insert(name.clone(), json!(id));
        }
        flat.insert("rev".to_owned(), json!(self.rev));
        flat.insert("createdAt".to_owned(), json!(self.created_at));
        flat.insert("updatedAt".to_owned(), json!(self.updated_at));
        Value::Object(flat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_sees_attributes_at_the_top_and_relationships_as_ids() {
        let now = Timestamp::from_millisecond(0);
        let customer = RecordId::fresh(now, [1; 8]);
        let order = Record {
            id: RecordId::fresh(now, [2; 8]),
            org: OrgId::fresh(now, [3; 8]),
            kind: RecordKind::Kobject("order".to_owned()),
            rev: 1,
            attributes: json!({"title": "Online Order", "custom": {"orderIDStr": "1234"}})
                .as_object()
                .cloned()
                .unwrap(),
            relationships: vec![("customer".to_owned(), RecordKind::Customer, customer)],
            created_at: now,
            updated_at: now,
        };
        let flat = order.flattened();
        assert_eq!(flat["title"], "Online Order");
        assert_eq!(flat["customer"], customer.to_string());
        let resource = order.resource();
        assert_eq!(resource["type"], "kobject.order");
        assert_eq!(resource["relationships"]["customer"]["data"]["id"], customer.to_string());
    }
}
