//! Customers, and the rule that an e-mail address has one owner.
//!
//! The owner of an address stands in an item of its own, which is written together with the customer and expected
//! absent: of two writers that want the same address, one conflicts.

use domain::{EmailAddress, Klass, Record, RecordId, RecordKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{NotDone, Unit, email_key};
use crate::{document, ports::Unavailable};

/// The most addresses of one customer; each is an item of the same write.
pub const EMAILS_LIMIT: usize = 20;

/// One address of a customer.
///
/// *Shape*: `{"type":"home","email":"ann@example.com","verified":false}`. *Source*: reference, section 8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Email {
    /// `home`, `work` or `other`.
    #[serde(rename = "type", default = "home")]
    kind: String,
    email: String,
    #[serde(default)]
    verified: bool,
}

fn home() -> String {
    "home".to_owned()
}

impl Email {
    /// The address `text`, of type `home`, not verified.
    pub fn home(text: &str) -> Result<Self, NotDone> {
        Ok(Self { kind: home(), email: parse(text)?.as_written().to_owned(), verified: false })
    }

    /// The address, as its owner's key needs it.
    fn address(&self) -> Result<EmailAddress, NotDone> {
        parse(&self.email)
    }
}

/// What a customer is to have.
#[derive(Debug, Default)]
pub struct Draft {
    /// Attributes, with `custom` among them; of an existing customer only these change.
    pub attributes: Map<String, Value>,
    /// The addresses in place of the ones there are; `None` leaves them.
    pub emails: Option<Vec<Email>>,
}

/// The addresses in Kustomer's list `[{"type","email","verified"}]`, or a plain list of addresses.
///
/// *Errors*: it is no such list, or has more than [`EMAILS_LIMIT`] entries.
pub fn read_emails(list: &Value) -> Result<Vec<Email>, NotDone> {
    let wrong = || {
        NotDone::failed(
            "wrong_param",
            format!(
                "`emails` is a list of at most {EMAILS_LIMIT} addresses such as {{\"type\": \"home\", \"email\": \"ann@example.com\"}}."
            ),
        )
    };
    let list = list.as_array().filter(|list| list.len() <= EMAILS_LIMIT).ok_or_else(wrong)?;
    list.iter()
        .map(|entry| match entry {
            Value::String(text) => Email::home(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                let email: Email = serde_json::from_value(entry.clone()).map_err(|_| wrong())?;
                email.address()?;
                Ok(email)
            }
        })
        .collect()
}

/// The customer who owns `address`.
pub async fn find_by_email(unit: &mut Unit<'_>, address: &EmailAddress) -> Result<Option<Record>, Unavailable> {
    match owner(unit, address).await? {
        Some(id) => unit.find_record(&RecordKind::Customer, id).await,
        None => Ok(None),
    }
}

/// Makes the customer `id`.
///
/// *Errors*: `email_taken` when one of the addresses has an owner.
pub async fn create(unit: &mut Unit<'_>, id: RecordId, draft: Draft) -> Result<Record, NotDone> {
    let now = unit.now();
    let mut customer = Record {
        id,
        org: unit.org(),
        kind: RecordKind::Customer,
        rev: 1,
        attributes: Map::new(),
        relationships: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    apply(unit, &mut customer, draft).await?;
    unit.put_record(&customer)?;
    Ok(customer)
}

/// Changes the customer `before`.
///
/// *Errors*: as [`create`].
pub async fn update(unit: &mut Unit<'_>, before: Record, draft: Draft) -> Result<Record, NotDone> {
    let mut customer = before;
    customer.rev += 1;
    customer.updated_at = unit.now();
    apply(unit, &mut customer, draft).await?;
    unit.put_record(&customer)?;
    Ok(customer)
}

async fn apply(unit: &mut Unit<'_>, customer: &mut Record, draft: Draft) -> Result<(), NotDone> {
    for (name, value) in draft.attributes {
        match (name.as_str(), value) {
            ("custom", Value::Object(custom)) => merge_custom(customer, custom)?,
            (_, value) => {
                customer.attributes.insert(name, value);
            }
        }
    }
    if let Some(emails) = draft.emails {
        move_addresses(unit, customer, &emails).await?;
        customer.attributes.insert("emails".to_owned(), json!(emails));
    }
    Ok(())
}

/// New custom attributes beside the old ones; `null` clears one.
fn merge_custom(customer: &mut Record, custom: Map<String, Value>) -> Result<(), NotDone> {
    let custom = Klass::accept_standard_custom(&custom)
        .map_err(|problem| NotDone::failed("wrong_custom", format!("{problem}.")))?;
    let kept = customer.attributes.entry("custom").or_insert_with(|| json!({}));
    if let Value::Object(kept) = kept {
        for (name, value) in custom {
            if value.is_null() {
                kept.shift_remove(&name);
            } else {
                kept.insert(name, value);
            }
        }
    }
    Ok(())
}

/// Gives the customer the addresses in `emails` and frees the ones it no longer has.
async fn move_addresses(unit: &mut Unit<'_>, customer: &Record, emails: &[Email]) -> Result<(), NotDone> {
    let mut wanted: Vec<EmailAddress> = Vec::with_capacity(emails.len());
    for email in emails {
        let address = email.address()?;
        // Written twice in one list, an address is still one address.
        if wanted.iter().all(|other| other.key() != address.key()) {
            wanted.push(address);
        }
    }
    for address in addresses(customer) {
        if wanted.iter().all(|other| other.key() != address.key()) && owner(unit, &address).await? == Some(customer.id)
        {
            unit.delete(email_key(customer.org, &address));
        }
    }
    for address in wanted {
        match owner(unit, &address).await? {
            Some(id) if id == customer.id => {}
            Some(id) => {
                return Err(NotDone::failed(
                    "email_taken",
                    format!(
                        "The e-mail address `{address}` belongs to the customer {id} already. Look the customer up by e-mail first."
                    ),
                ));
            }
            None => unit.put_mark(email_key(customer.org, &address), document::write(&customer.id)?),
        }
    }
    Ok(())
}

fn addresses(customer: &Record) -> Vec<EmailAddress> {
    let emails =
        customer.attributes.get("emails").and_then(|emails| serde_json::from_value::<Vec<Email>>(emails.clone()).ok());
    emails.unwrap_or_default().iter().filter_map(|email| email.address().ok()).collect()
}

async fn owner(unit: &mut Unit<'_>, address: &EmailAddress) -> Result<Option<RecordId>, Unavailable> {
    let key = email_key(unit.org(), address);
    let found = unit.find(&key).await?;
    found.as_ref().map(document::read).transpose()
}

fn parse(text: &str) -> Result<EmailAddress, NotDone> {
    EmailAddress::parse(text).map_err(|sentence| NotDone::failed("wrong_email", format!("{sentence}.")))
}
