//! Outbound webhooks: addresses of others that are told of events.

use serde::{Deserialize, Serialize};

use crate::{OrgId, RetiredSecret, Secret, Timestamp, WebhookId};

/// The most events that one webhook subscribes to.
pub const WEBHOOK_EVENTS_LIMIT: usize = 100;

/// How many random bytes a secret has. *Source*: Standard Webhooks, which asks for 24 to 64.
pub const WEBHOOK_SECRET_BYTES: usize = 32;

/// How many characters of a secret are shown.
const SHOWN_CHARS: usize = 4;

/// What a subscription to everything below a name ends with.
const BELOW: &str = ".*";

/// An address of somebody else, and what it is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The webhook.
    pub id: WebhookId,
    /// Its owner.
    pub org: OrgId,
    /// Where it is told.
    pub url: String,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is told of: `kustomer.customer.create`, `kustomer.customer.*`, `*`.
    pub events: Vec<String>,
    /// Whether its owner wants it told.
    pub enabled: bool,
    /// What it is signed with: `whsec_` and base64.
    pub secret: Secret,
    /// What it was signed with before, and is beside the other one for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<RetiredSecret>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Webhook {
    /// The secrets it is signed with at `now`, the present one first.
    pub fn secrets(&self, now: Timestamp) -> Vec<&Secret> {
        std::iter::once(&self.secret).chain(self.signing(now).map(|retired| &retired.secret)).collect()
    }

    /// The earlier secrets that still sign at `now`, the latest first.
    pub fn signing(&self, now: Timestamp) -> impl Iterator<Item = &RetiredSecret> {
        self.retired.iter().filter(move |retired| now < retired.until)
    }

    /// Puts `secret` in the place of the present one, which goes on signing beside it for `overlap_seconds`. Those before
    /// it sign on until their own time is up; without an overlap it is up for all of them.
    pub fn rotate(&mut self, secret: Secret, now: Timestamp, overlap_seconds: i64) {
        let before = std::mem::replace(&mut self.secret, secret);
        if overlap_seconds <= 0 {
            self.retired.clear();
            return;
        }
        self.retired.retain(|retired| now < retired.until);
        self.retired.insert(0, RetiredSecret { secret: before, until: now.plus_seconds(overlap_seconds) });
    }

    /// What is shown of the secret: `whsec_••••3f2a`.
    pub fn masked_secret(&self) -> String {
        let text = self.secret.reveal();
        let shown: Vec<char> = text.chars().rev().take(SHOWN_CHARS).collect();
        format!("whsec_••••{}", shown.into_iter().rev().collect::<String>())
    }
}

/// Whether the subscription `pattern` is one to the event `name`.
///
/// `*` is to all, `a.b.*` to all that begin with `a.b.`, any other text to the event of that name.
pub fn is_heard(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix(BELOW) {
        Some(above) => name.strip_prefix(above).is_some_and(|rest| rest.starts_with('.')),
        None => pattern == "*" || pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_is_to_a_name_or_to_all_below_one() {
        for (pattern, name, expected) in [
            ("kustomer.customer.create", "kustomer.customer.create", true),
            ("kustomer.customer.create", "kustomer.customer.created", false),
            ("kustomer.customer.*", "kustomer.customer.create", true),
            ("kustomer.customer.*", "kustomer.customers.create", false),
            ("kustomer.customer.*", "kustomer.customer", false),
            ("kustomer.*", "kustomer.kobject.order.update", true),
            ("*", "shop.paid", true),
            ("shop.*", "shop.paid", true),
            ("shop.paid", "shop.paid.late", false),
        ] {
            assert_eq!(is_heard(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn a_rotated_secret_signs_on_until_its_time_is_up_and_none_is_printed() {
        let now = Timestamp::from_millisecond(0);
        let secret = |text: &str| Secret::new(text.to_owned());
        let mut webhook = Webhook {
            id: WebhookId::fresh(now, [1; 8]),
            org: OrgId::fresh(now, [2; 8]),
            url: "https://shop.example/told".to_owned(),
            description: None,
            events: vec!["*".to_owned()],
            enabled: true,
            secret: secret("whsec_older"),
            retired: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        let revealed = |webhook: &Webhook, at: Timestamp| {
            webhook.secrets(at).into_iter().map(|secret| secret.reveal().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(revealed(&webhook, now), ["whsec_older"]);
        webhook.rotate(secret("whsec_newer"), now, 10);
        assert_eq!(revealed(&webhook, now.plus_seconds(9)), ["whsec_newer", "whsec_older"]);
        assert_eq!(revealed(&webhook, now.plus_seconds(10)), ["whsec_newer"]);
        assert_eq!(webhook.masked_secret(), "whsec_••••ewer");
        webhook.rotate(secret("whsec_newest"), now.plus_seconds(5), 2);
        assert_eq!(revealed(&webhook, now.plus_seconds(6)), ["whsec_newest", "whsec_newer", "whsec_older"]);
        assert_eq!(revealed(&webhook, now.plus_seconds(7)), ["whsec_newest", "whsec_older"]);
        webhook.rotate(secret("whsec_last"), now.plus_seconds(7), 0);
        assert_eq!(revealed(&webhook, now.plus_seconds(7)), ["whsec_last"]);
        assert!(!format!("{webhook:?}").contains("whsec_"));
    }
}
