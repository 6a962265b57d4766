//! What a record is found by beside its id, each of which has one owner.

use serde_json::Value;

use super::{
    Record, RecordKind,
    fields::{EXTERNAL_ID_LIMIT_CHARS, phone_key},
};
use crate::EmailAddress;

/// Something that only one record of an org has: an e-mail address, a phone number, an id that another system gave.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordKey {
    /// Among what it is the only one: `email`, `phone`, `kobject.order.externalId`.
    pub space: String,
    /// What two spellings of it have in common.
    pub value: String,
}

/// Networks whose accounts customers are found by: the attribute, and the word for the network.
const NETWORKS: [(&str, &str); 4] =
    [("facebookIds", "facebook"), ("instagramIds", "instagram"), ("smoochIds", "smooch"), ("twitterIds", "twitter")];

impl RecordKey {
    /// The key of an e-mail address of a customer.
    pub fn email(address: &EmailAddress) -> Self {
        Self { space: "email".to_owned(), value: address.key() }
    }

    /// The key of a phone number of a customer; none for what is no number.
    pub fn phone(written: &str) -> Option<Self> {
        Some(Self { space: "phone".to_owned(), value: phone_key(written)? })
    }

    /// The key of a number on WhatsApp.
    pub fn whatsapp(written: &str) -> Option<Self> {
        Some(Self { space: "whatsapp".to_owned(), value: phone_key(written)? })
    }

    /// The key of an account of a customer at one of the networks; none for an id that no account can have.
    pub fn account(network: &str, id: &str) -> Option<Self> {
        let is_known = NETWORKS.iter().any(|(_, known)| *known == network);
        (is_known && is_id(id)).then(|| Self { space: network.to_owned(), value: id.to_owned() })
    }

    /// The key of an id that another system gave a record of this kind; none for one that no record can have.
    pub fn external_id(kind: &RecordKind, id: &str) -> Option<Self> {
        is_id(id).then(|| Self { space: format!("{kind}.externalId"), value: id.to_owned() })
    }

    /// The key of a user's address.
    pub fn user_email(address: &EmailAddress) -> Self {
        Self { space: "user.email".to_owned(), value: address.key() }
    }

    /// The key of a tag's name, in whatever case it is written.
    pub fn tag_name(name: &str) -> Self {
        Self { space: "tag.name".to_owned(), value: name.trim().to_lowercase() }
    }

    /// What it is, to people.
    pub fn noun(&self) -> &'static str {
        match self.space.as_str() {
            "email" | "user.email" => "e-mail address",
            "phone" => "phone number",
            "whatsapp" => "number on WhatsApp",
            "tag.name" => "name",
            space if space.ends_with(".externalId") => "external id",
            _ => "account",
        }
    }

    /// The stable word for a refusal because it has an owner.
    pub fn taken_code(&self) -> &'static str {
        match self.noun() {
            "e-mail address" => "email_taken",
            "phone number" | "number on WhatsApp" => "phone_taken",
            "name" => "name_taken",
            "external id" => "external_id_taken",
            _ => "account_taken",
        }
    }

    /// The attribute that holds it.
    pub fn attribute(&self) -> &'static str {
        match self.space.as_str() {
            "email" => "emails",
            "user.email" => "email",
            "phone" => "phones",
            "whatsapp" => "whatsapps",
            "tag.name" => "name",
            space => NETWORKS.iter().find(|(_, network)| *network == space).map_or("externalId", |(name, _)| name),
        }
    }
}

/// Whether another system's id can be one of a record. *Why*: a longer one would be looked up under a key that the store
/// cannot have.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.chars().count() <= EXTERNAL_ID_LIMIT_CHARS
}

impl Record {
    /// What the record is found by, each once.
    pub fn keys(&self) -> Vec<RecordKey> {
        let external_id = |id: &str| RecordKey::external_id(&self.kind, id);
        let text = |name: &str| self.attributes.get(name).and_then(Value::as_str);
        let mut keys: Vec<RecordKey> = text("externalId").and_then(external_id).into_iter().collect();
        match self.kind {
            RecordKind::Customer => {
                let entries = |name: &str, key: &'static str| {
                    let entries = self.attributes.get(name).and_then(Value::as_array).into_iter().flatten();
                    entries.filter_map(move |entry| entry.get(key)?.as_str())
                };
                let email = |written: &str| EmailAddress::parse(written).ok().map(|address| RecordKey::email(&address));
                keys.extend(entries("emails", "email").filter_map(email));
                keys.extend(entries("phones", "phone").filter_map(RecordKey::phone));
                keys.extend(entries("whatsapps", "phone").filter_map(RecordKey::whatsapp));
                keys.extend(entries("externalIds", "externalId").filter_map(external_id));
                for (name, network) in NETWORKS {
                    keys.extend(entries(name, "id").filter_map(|id| RecordKey::account(network, id)));
                }
            }
            RecordKind::User => {
                let address = text("email").and_then(|email| EmailAddress::parse(email).ok());
                keys.extend(address.as_ref().map(RecordKey::user_email));
            }
            RecordKind::Tag => keys.extend(text("name").map(RecordKey::tag_name)),
            RecordKind::Conversation
            | RecordKind::Message
            | RecordKind::Note
            | RecordKind::Company
            | RecordKind::Kobject(_) => {}
        }
        let mut once: Vec<RecordKey> = Vec::with_capacity(keys.len());
        for key in keys {
            if !once.contains(&key) {
                once.push(key);
            }
        }
        once
    }
}
