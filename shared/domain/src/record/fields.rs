//! The attributes that a record of each kind has, and what each of them takes.
//!
//! Templates always give text, so text that reads as a whole as the wanted number, flag or instant is taken as one, and a
//! number is taken as the text it was written as. *Source*: reference, section 8.

use serde_json::{Map, Number, Value, json};

use super::RecordKind;
use crate::{EmailAddress, RecordId, Timestamp, shortened};

/// The most characters of one line: a name, a title, a locale.
pub const LINE_LIMIT_CHARS: usize = 1_024;

/// The most characters of an id that another system gave.
pub const EXTERNAL_ID_LIMIT_CHARS: usize = 255;

/// The most entries of a list by which records are found: addresses, phones, external ids. *Why*: each is an item of its own
/// in the write that changes them.
pub const KEYS_LIMIT: usize = 20;

/// The most entries of other lists.
pub const LIST_LIMIT: usize = 200;

/// What an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One line of text.
    Line,
    /// Text as long as the record may be.
    Text,
    /// An id that another system gave.
    ExternalId,
    /// One e-mail address.
    Email,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from the first to the last.
    Whole(i64, i64),
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// An instant or a date, ISO 8601.
    Instant,
    /// A list of lines: tags, ids of users.
    Lines,
    /// E-mail addresses: `[{"type":"home","email":"ann@example.com","verified":false}]`, or plain ones.
    Emails,
    /// Phone numbers: `[{"type":"home","phone":"+15550100","verified":false}]`, or plain ones.
    Phones,
    /// Ids of other systems: `[{"externalId":"c-1"}]`, or plain ones.
    ExternalIds,
    /// Accounts of a network: `[{"id":"1001"}]`, or plain ids.
    Accounts,
    /// A list of anything.
    List,
    /// An object.
    Object,
    /// Anything.
    Any,
}

use Shape::{
    Accounts, Any, Email, Emails, ExternalId, ExternalIds, Flag, Instant, Line, Lines, List, Number as Decimal, Object,
    Phones, Text, Whole, Word,
};

/// Channels of a message. *Source*: reference, section 8.
const CHANNELS: &[&str] =
    &["email", "sms", "chat", "facebook", "twitter-dm", "twitter-tweet", "voice", "instagram", "whatsapp"];

const DIRECTIONS: &[&str] = &["in", "out"];

const CUSTOMER: &[(&str, Shape)] = &[
    ("name", Line),
    ("username", Line),
    ("externalId", ExternalId),
    ("externalIds", ExternalIds),
    ("sharedExternalIds", List),
    ("emails", Emails),
    ("sharedEmails", List),
    ("phones", Phones),
    ("sharedPhones", List),
    ("whatsapps", Phones),
    ("facebookIds", Accounts),
    ("instagramIds", Accounts),
    ("smoochIds", Accounts),
    ("twitterIds", Accounts),
    ("socials", List),
    ("sharedSocials", List),
    ("urls", List),
    ("locations", List),
    ("avatarUrl", Line),
    ("locale", Line),
    ("timeZone", Line),
    ("tags", Lines),
    ("sentiment", Any),
    ("birthdayAt", Instant),
    ("gender", Word(&["m", "f"])),
    ("defaultLang", Line),
    ("signedUpAt", Instant),
    ("lastActivityAt", Instant),
    ("lastCustomerActivityAt", Instant),
    ("lastSeenAt", Instant),
    ("importedAt", Instant),
];

const CONVERSATION: &[(&str, Shape)] = &[
    ("name", Line),
    ("externalId", ExternalId),
    ("status", Word(&["open", "done", "snoozed"])),
    ("subStatus", Line),
    ("priority", Whole(1, 5)),
    ("direction", Word(DIRECTIONS)),
    ("replyChannel", Line),
    ("tags", Lines),
    ("suggestedTags", List),
    ("assignedUsers", Lines),
    ("assignedTeams", Lines),
    ("queue", Any),
    ("defaultLang", Line),
    ("satisfaction", Any),
    ("snooze", Object),
    ("locked", Flag),
    ("deleted", Flag),
    ("ended", Flag),
    ("endedAt", Instant),
    ("endedBy", Line),
    ("endedReason", Line),
    ("importedAt", Instant),
];

const MESSAGE: &[(&str, Shape)] = &[
    ("channel", Word(CHANNELS)),
    ("app", Line),
    ("direction", Word(DIRECTIONS)),
    ("body", Text),
    ("subject", Line),
    ("preview", Text),
    ("externalId", ExternalId),
    ("status", Word(&["sent", "received", "error"])),
    ("size", Decimal),
    ("sentAt", Instant),
    ("related", Any),
    ("meta", Any),
    ("attachments", List),
    ("lang", Line),
    ("auto", Flag),
    ("importedAt", Instant),
];

const NOTE: &[(&str, Shape)] = &[
    ("body", Text),
    ("externalId", ExternalId),
    ("userMentions", List),
    ("attachments", List),
    ("importedAt", Instant),
];

const COMPANY: &[(&str, Shape)] = &[
    ("name", Line),
    ("externalId", ExternalId),
    ("domains", Lines),
    ("emails", List),
    ("phones", List),
    ("whatsapps", List),
    ("socials", List),
    ("urls", List),
    ("locations", List),
    ("tags", Lines),
    ("defaultLang", Line),
    ("importedAt", Instant),
];

const KOBJECT: &[(&str, Shape)] = &[
    ("title", Line),
    ("description", Text),
    ("externalId", ExternalId),
    ("icon", Line),
    ("images", List),
    ("data", Object),
    ("tags", Lines),
    ("importedAt", Instant),
];

const USER: &[(&str, Shape)] = &[
    ("name", Line),
    ("displayName", Line),
    ("email", Email),
    ("externalId", ExternalId),
    ("avatarUrl", Line),
    ("locale", Line),
    ("timeZone", Line),
    ("mobile", Line),
    ("teams", Lines),
    ("deleted", Flag),
];

const TAG: &[(&str, Shape)] = &[("name", Line), ("color", Line), ("description", Text), ("deleted", Flag)];

/// The attributes of a record of this kind beside `custom`, which every kind has.
pub const fn fields(kind: &RecordKind) -> &'static [(&'static str, Shape)] {
    match kind {
        RecordKind::Customer => CUSTOMER,
        RecordKind::Conversation => CONVERSATION,
        RecordKind::Message => MESSAGE,
        RecordKind::Note => NOTE,
        RecordKind::Company => COMPANY,
        RecordKind::Kobject(_) => KOBJECT,
        RecordKind::User => USER,
        RecordKind::Tag => TAG,
    }
}

/// What a new record cannot be without.
pub const fn required(kind: &RecordKind) -> &'static [&'static str] {
    match kind {
        RecordKind::Customer | RecordKind::Conversation => &[],
        RecordKind::Message | RecordKind::Note => &["body"],
        RecordKind::Company | RecordKind::User | RecordKind::Tag => &["name"],
        RecordKind::Kobject(_) => &["title"],
    }
}

const OF_CUSTOMER: &[(&str, RecordKind)] = &[("company", RecordKind::Company)];
const OF_CONVERSATION: &[(&str, RecordKind)] = &[("customer", RecordKind::Customer)];
const OF_MESSAGE: &[(&str, RecordKind)] =
    &[("conversation", RecordKind::Conversation), ("customer", RecordKind::Customer)];
const OF_KOBJECT: &[(&str, RecordKind)] =
    &[("customer", RecordKind::Customer), ("company", RecordKind::Company), ("conversation", RecordKind::Conversation)];

/// The records that one of this kind may belong to, by the name of the relationship.
pub const fn relationships(kind: &RecordKind) -> &'static [(&'static str, RecordKind)] {
    match kind {
        RecordKind::Customer => OF_CUSTOMER,
        RecordKind::Conversation => OF_CONVERSATION,
        RecordKind::Message | RecordKind::Note => OF_MESSAGE,
        RecordKind::Kobject(_) => OF_KOBJECT,
        RecordKind::Company | RecordKind::User | RecordKind::Tag => &[],
    }
}

/// The names of its standard attributes and of its relationships.
pub fn names(kind: &RecordKind) -> impl Iterator<Item = &'static str> {
    fields(kind).iter().map(|(name, _)| *name).chain(relationships(kind).iter().map(|(name, _)| *name))
}

impl Shape {
    /// `value` as an attribute of this shape keeps it.
    ///
    /// *Errors*: what it takes, as the end of a sentence: "text of at most 1024 characters".
    pub fn accept(self, value: &Value) -> Result<Value, String> {
        match self {
            Self::Line => text(value, LINE_LIMIT_CHARS),
            Self::Text => text(value, usize::MAX),
            Self::ExternalId => text(value, EXTERNAL_ID_LIMIT_CHARS),
            Self::Email => {
                let written = value.as_str().map(str::trim).filter(|written| EmailAddress::parse(written).is_ok());
                written.map(|written| json!(written)).ok_or_else(|| "an e-mail address".to_owned())
            }
            Self::Word(words) => match value.as_str().filter(|word| words.contains(word)) {
                Some(word) => Ok(json!(word)),
                None => Err(format!("one of {}", words.join(", "))),
            },
            Self::Whole(first, last) => {
                let written = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
                let whole = written.parse().ok().filter(|whole: &i64| (first..=last).contains(whole));
                whole.map(|whole| json!(whole)).ok_or_else(|| format!("a whole number from {first} to {last}"))
            }
            Self::Number => match value {
                Value::Number(_) => Ok(value.clone()),
                Value::String(text) => {
                    serde_json::from_str(text.trim()).map(|number: Number| Value::Number(number)).map_err(number_wanted)
                }
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(number_wanted(())),
            },
            Self::Flag => match (value.as_bool(), value.as_str()) {
                (Some(flag), _) => Ok(json!(flag)),
                (None, Some("true")) => Ok(json!(true)),
                (None, Some("false")) => Ok(json!(false)),
                (None, _) => Err("true or false".to_owned()),
            },
            Self::Instant => {
                let wanted = || "a time such as 2026-11-22T09:30:00Z, or a date such as 2026-11-22".to_owned();
                let text = value.as_str().ok_or_else(wanted)?;
                let reads = Timestamp::parse(text).is_some() || text.parse::<jiff::civil::Date>().is_ok();
                if reads { Ok(value.clone()) } else { Err(wanted()) }
            }
            Self::Lines => list(value, LIST_LIMIT, |entry| text(entry, LINE_LIMIT_CHARS)),
            Self::Emails => list(value, KEYS_LIMIT, |entry| contact(entry, "email", &["home", "work", "other"])),
            Self::Phones => {
                list(value, KEYS_LIMIT, |entry| contact(entry, "phone", &["home", "mobile", "work", "fax", "other"]))
            }
            Self::ExternalIds => list(value, KEYS_LIMIT, |entry| named(entry, "externalId")),
            Self::Accounts => list(value, KEYS_LIMIT, |entry| named(entry, "id")),
            Self::List => list(value, LIST_LIMIT, |entry| Ok(entry.clone())),
            Self::Object => match value {
                Value::Object(_) => Ok(value.clone()),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    Err("an object".to_owned())
                }
            },
            Self::Any => Ok(value.clone()),
        }
    }
}

fn number_wanted<E>(_: E) -> String {
    "a number".to_owned()
}

fn text(value: &Value, limit_chars: usize) -> Result<Value, String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return Err("text".to_owned()),
    };
    if text.chars().count() > limit_chars {
        return Err(format!("text of at most {limit_chars} characters"));
    }
    Ok(Value::String(text))
}

fn list(value: &Value, limit: usize, accept: impl Fn(&Value) -> Result<Value, String>) -> Result<Value, String> {
    let wanted = || format!("a list of at most {limit} entries");
    let entries = value.as_array().filter(|entries| entries.len() <= limit).ok_or_else(wanted)?;
    let told = |(index, entry)| accept(entry).map_err(|wanted| format!("a list whose entry {index} is {wanted}"));
    entries.iter().enumerate().map(told).collect()
}

/// An address or a number with its type, also where it is given plainly.
fn contact(entry: &Value, key: &str, kinds: &[&str]) -> Result<Value, String> {
    let plain = Map::from_iter([(key.to_owned(), entry.clone())]);
    let given = entry.as_object().unwrap_or(&plain);
    let written = given.get(key).ok_or_else(|| format!("an object with `{key}`"))?;
    let kept = text(written, LINE_LIMIT_CHARS)?;
    let kept_text = kept.as_str().unwrap_or_default();
    match key {
        "email" => {
            let address = EmailAddress::parse(kept_text);
            address.map_err(|sentence| format!("an e-mail address ({sentence})"))?;
        }
        _ if phone_key(kept_text).is_none() => {
            return Err(format!("a phone number with 3 to 20 digits, not {}", shortened(kept_text, 40)));
        }
        _ => {}
    }
    let kind = match given.get("type") {
        None | Some(Value::Null) => "home",
        Some(kind) => kind
            .as_str()
            .filter(|kind| kinds.contains(kind))
            .ok_or_else(|| format!("of a `type` among {}", kinds.join(", ")))?,
    };
    let verified = match given.get("verified") {
        None | Some(Value::Null) => json!(false),
        Some(flag) => Shape::Flag.accept(flag).map_err(|wanted| format!("one whose `verified` is {wanted}"))?,
    };
    let kept = if key == "email" { json!(kept_text.trim()) } else { kept };
    let mut contact = Map::from_iter([("type".to_owned(), json!(kind)), (key.to_owned(), kept)]);
    contact.insert("verified".to_owned(), json!(verified));
    Ok(Value::Object(contact))
}

/// An id under `key`, also where it is given plainly; whatever else is in the entry stays.
fn named(entry: &Value, key: &str) -> Result<Value, String> {
    let plain = Map::from_iter([(key.to_owned(), entry.clone())]);
    let mut given = entry.as_object().unwrap_or(&plain).clone();
    let id = given.get(key).ok_or_else(|| format!("an object with `{key}`"))?;
    let id = text(id, EXTERNAL_ID_LIMIT_CHARS)?;
    if id.as_str().is_some_and(str::is_empty) {
        return Err(format!("one whose `{key}` is not empty"));
    }
    given.insert(key.to_owned(), id);
    Ok(Value::Object(given))
}

/// What two spellings of one phone number have in common: its digits, and the `+` in front of them.
pub fn phone_key(written: &str) -> Option<String> {
    const DIGITS: std::ops::RangeInclusive<usize> = 3..=20;
    let is_spelling = |c: char| c.is_ascii_digit() || " +-.()/\u{a0}".contains(c);
    let written = written.trim();
    let digits: String = written.chars().filter(char::is_ascii_digit).collect();
    if !written.chars().all(is_spelling) || !DIGITS.contains(&digits.len()) {
        return None;
    }
    let international = written.strip_prefix("00").is_some() || written.starts_with('+');
    let digits = if written.starts_with('+') { digits.as_str() } else { digits.strip_prefix("00").unwrap_or(&digits) };
    Some(if international { format!("+{digits}") } else { digits.to_owned() })
}

/// The record that `value` names.
///
/// *Errors*: what it takes, as [`Shape::accept`].
pub fn related_id(value: &Value) -> Result<RecordId, String> {
    let id = value.as_str().and_then(|text| RecordId::parse(text).ok());
    id.ok_or_else(|| "an id of 24 lower-case hexadecimal digits".to_owned())
}
