//! What makes two arrivals the same.

use domain::{DUPLICATES_DEFAULT_SECONDS, DuplicateRule, Duplicates, Hook};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::circumstances::Circumstances;
use crate::runs::RepeatRule;

/// How long an `Idempotency-Key` is remembered where the hook does not say. *Source*: Stripe's 24 hours.
const KEY_SECONDS: u32 = 24 * 60 * 60;

/// How long a `Message-ID` is remembered. *Source*: reference `email`, section 1.4.
const MESSAGE_ID_SECONDS: u32 = 24 * 60 * 60;

/// The most bytes of an `Idempotency-Key`. *Source*: Stripe's 255 characters.
pub(super) const IDEMPOTENCY_KEY_LIMIT_BYTES: usize = 255;

/// Under which key an arrival is remembered, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepeatKey {
    pub(crate) key: String,
    pub(super) window_seconds: u32,
    pub(super) rule: RepeatRule,
}

/// The key of an arrival; nothing where every arrival counts.
///
/// A hook's own fields go before the provider's delivery id, and that before the sender's `Idempotency-Key`. `position` is
/// the place in a batch.
pub(super) fn repeat_key(
    hook: &Hook,
    delivery_id: Option<&str>,
    circumstances: &Circumstances,
    position: usize,
    data: &Value,
) -> Option<RepeatKey> {
    let rule = match &hook.duplicates {
        Some(DuplicateRule::Taken) => return None,
        Some(DuplicateRule::Suppressed(rule)) => Some(rule),
        None => None,
    };
    let window = |default| rule.map_or(default, |rule| rule.window_seconds);
    let found = |key, rule, default| Some(RepeatKey { key, window_seconds: window(default), rule });
    if let Some(rule) = rule.filter(|rule| !rule.fields.is_empty()) {
        return found(fields_key(rule, data)?, RepeatRule::Fields, DUPLICATES_DEFAULT_SECONDS);
    }
    // The parts of a batch may come under one key and are none the less not each other's repeats.
    let of_part = |key| if position == 0 { key } else { format!("part {position} of {key}") };
    if let Some(id) = delivery_id.filter(|id| !id.is_empty()) {
        return found(of_part(format!("delivery:{id}")), RepeatRule::DeliveryId, DUPLICATES_DEFAULT_SECONDS);
    }
    if let Some(key) = circumstances.header("idempotency-key") {
        return found(of_part(format!("key:{key}")), RepeatRule::IdempotencyKey, KEY_SECONDS);
    }
    rule.and_then(|_| found(format!("body:{}", data_sha256(data)), RepeatRule::Body, DUPLICATES_DEFAULT_SECONDS))
}

/// The key of a mail that its sender calls `message_id`; nothing where every mail counts.
///
/// The data is in the key, because senders exist that give all their mails one id.
pub(crate) fn mail_key(hook: &Hook, message_id: &str, data: &Value) -> Option<RepeatKey> {
    let window_seconds = match &hook.duplicates {
        Some(DuplicateRule::Taken) => return None,
        Some(DuplicateRule::Suppressed(rule)) if !rule.fields.is_empty() => {
            let (key, window_seconds) = (fields_key(rule, data)?, rule.window_seconds);
            return Some(RepeatKey { key, window_seconds, rule: RepeatRule::Fields });
        }
        Some(DuplicateRule::Suppressed(rule)) => rule.window_seconds,
        None => MESSAGE_ID_SECONDS,
    };
    Some(RepeatKey { key: message_key(message_id, data), window_seconds, rule: RepeatRule::MessageId })
}

fn message_key(message_id: &str, data: &Value) -> String {
    format!("mail:{}:{message_id}", data_sha256(data))
}

/// Nothing where none of the fields is in the data.
fn fields_key(rule: &Duplicates, data: &Value) -> Option<String> {
    let values: Vec<&Value> = rule.fields.iter().map(|field| at(data, field).unwrap_or(&Value::Null)).collect();
    if values.iter().all(|value| value.is_null()) {
        return None;
    }
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    Some(format!("fields:{}", texts.join(",")))
}

/// The SHA-256 of the data as JSON, in hex: what tells two arrivals with one key apart.
pub(crate) fn data_sha256(data: &Value) -> String {
    hex::encode(Sha256::digest(data.to_string()))
}

/// The value at a path such as `order.lines.0.id`.
fn at<'v>(data: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(data, |value, part| match value {
        Value::Object(map) => map.get(part),
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use domain::{HookHash, HookId, HookKind, OrgId, Timestamp};
    use serde_json::json;

    use super::*;

    fn key(duplicates: Option<DuplicateRule>, delivery: Option<&str>, idempotency: Option<&str>) -> Option<String> {
        let now = Timestamp::from_millisecond(0);
        let (id, org) = (HookId::fresh(now, [1; 8]), OrgId::fresh(now, [2; 8]));
        let mut hook = Hook::new(id, org, HookKind::Web, HookHash::from_random([3; 32]), now);
        hook.duplicates = duplicates;
        let mut circumstances = Circumstances::default();
        circumstances.headers.extend(idempotency.map(|key| ("idempotency-key".to_owned(), key.to_owned())));
        let data = json!({ "order": { "id": 7, "lines": [{ "sku": "a" }] } });
        repeat_key(&hook, delivery, &circumstances, 0, &data).map(|key| key.key)
    }

    fn fields(fields: &[&str]) -> Option<DuplicateRule> {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        Some(DuplicateRule::Suppressed(Duplicates { window_seconds: 60, fields }))
    }

    #[test]
    fn the_hooks_own_fields_go_before_delivery_ids_and_these_before_the_senders_key() {
        for (rule, delivery, idempotency, expected) in [
            (None, None, None, None),
            (None, None, Some("k"), Some("key:k")),
            (None, Some("d"), Some("k"), Some("delivery:d")),
            (None, Some(""), Some("k"), Some("key:k")),
            (fields(&["order.id", "order.lines.0.sku"]), Some("d"), Some("k"), Some("fields:7,\"a\"")),
            (fields(&["order.id", "nothing"]), None, None, Some("fields:7,null")),
            (fields(&["nothing"]), Some("d"), None, None),
            (Some(DuplicateRule::Taken), Some("d"), Some("k"), None),
        ] {
            assert_eq!(key(rule.clone(), delivery, idempotency).as_deref(), expected, "{rule:?}");
        }
        assert!(key(fields(&[]), None, None).is_some_and(|key| key.starts_with("body:")));
    }
}
