//! The settings of email hooks: the key of the scripts, and what is taken of whom.

use domain::{Hook, HookKind, MailRule, Secret};
use serde_json::{Map, Value, json};

use super::{
    super::{
        Refused,
        call::{Call, bad_attribute},
        resource::text,
    },
    settings::read,
};
use crate::hook_settings;

/// What only hooks have that are posted to.
const POSTED_ONLY: [&str; 8] = ["auth", "app", "methods", "reply", "guard", "uploads", "tape", "addressLimit"];

/// What only hooks have that are mailed to.
const MAILED_ONLY: [&str; 2] = ["key", "mail"];

const POLICY_KEYS: [&str; 3] = ["spam", "dmarc", "unauthenticated"];

const SENTENCE: &str = "`mail` is an object such as {\"bodies\": [\"text\"], \"senders\": [\"shop.example\"], \"policy\": {\"spam\": \"accept\"}, \"decodeEntities\": true, \"attachments\": false}; spam, dmarc and unauthenticated are \"accept\", \"quarantine\" or \"drop\".";

/// Puts what `attributes` say into the hook; what they do not name stays.
///
/// *Errors*: also where they name what this kind of hook does not have.
pub(super) fn apply(hook: &mut Hook, attributes: &Map<String, Value>) -> Result<(), Refused> {
    let (others, sentence) = match hook.kind {
        HookKind::Email => (&POSTED_ONLY[..], "An email hook has no such setting."),
        HookKind::Form | HookKind::Web => (&MAILED_ONLY[..], "Only email hooks have it."),
    };
    if let Some(other) = others.iter().find(|key| attributes.contains_key(**key)) {
        return Err(bad_attribute(other, format!("`{other}` does not apply here. {sentence}")));
    }
    let mut rule = hook.mail.clone();
    if let Some(value) = attributes.get("mail") {
        rule = MailRule { key: rule.key, ..written(&hook.mail, value)? };
    }
    if attributes.contains_key("key") {
        rule.key = text(attributes, "key")?.map(Secret::new);
        rule.check().map_err(|sentence| bad_attribute("key", format!("{sentence}.")))?;
    }
    rule.check().map_err(|sentence| bad_attribute("mail", format!("{sentence}.")))?;
    hook.mail = rule;
    Ok(())
}

/// The rule with those keys replaced that `value` names; the standard one for `null`.
fn written(before: &MailRule, value: &Value) -> Result<MailRule, Refused> {
    let wrong = || bad_attribute("mail", SENTENCE);
    let Value::Object(changes) = value else {
        return if value.is_null() { Ok(MailRule::default()) } else { Err(wrong()) };
    };
    let is_policy = |value: &Value| {
        value.as_object().is_some_and(|policy| policy.keys().all(|key| POLICY_KEYS.contains(&key.as_str())))
    };
    if changes.get("policy").is_some_and(|value| !is_policy(value)) {
        return Err(wrong());
    }
    let mut merged = shown(before);
    for (key, value) in changes {
        if !hook_settings::MAIL.contains(&key.as_str()) || value.is_null() {
            return Err(wrong());
        }
        match (merged.get_mut(key), value) {
            (Some(Value::Object(policy)), Value::Object(changes)) => policy.extend(changes.clone()),
            (_, value) => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    read::<MailRule>("mail", &hook_settings::MAIL, &Value::Object(merged), SENTENCE)?.ok_or_else(wrong)
}

fn shown(rule: &MailRule) -> Map<String, Value> {
    let mut shown = json!(rule);
    let map = shown.as_object_mut().map(std::mem::take).unwrap_or_default();
    map.into_iter().filter(|(key, _)| key != "key").collect()
}

/// The address with this local part; none where the stack has no mail domain.
pub(in super::super) fn address_at(call: &Call<'_>, local: &str) -> Option<String> {
    let setup = call.management.mail.as_ref()?;
    Some(format!("{local}@{}", setup.door.domain))
}

/// What is shown of an email hook. Its key is shown as Kustomer shows it, because it is written into the templates of mails
/// by hand.
pub(super) fn show(call: &Call<'_>, hook: &Hook, attributes: &mut Map<String, Value>) {
    attributes.insert("email".to_owned(), json!(address_at(call, &hook.hash.to_string())));
    attributes.insert("shortEmail".to_owned(), json!(address_at(call, &hook.hash.short())));
    attributes.insert("key".to_owned(), json!(hook.mail.key.as_ref().map(Secret::reveal)));
    attributes.insert("mail".to_owned(), Value::Object(shown(&hook.mail)));
}
