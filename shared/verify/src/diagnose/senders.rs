//! Whose header is it: the senders that are known by one. Order matters where two share a header.

use http::HeaderMap;

const SENDERS: &[(&str, &str)] = &[
    ("x-shopify-hmac-sha256", "Shopify"),
    ("shopify-hmac-sha256", "Shopify"),
    ("stripe-signature", "Stripe"),
    ("x-twilio-signature", "Twilio"),
    ("x-github-event", "GitHub"),
    ("x-hub-signature-256", "Meta or GitHub"),
    ("x-hub-signature", "Meta or GitHub"),
    ("x-li-signature", "LinkedIn"),
    ("tiktok-signature", "TikTok"),
    ("calendly-webhook-signature", "Calendly"),
    ("x-cal-signature-256", "Cal.com"),
    ("x-slack-signature", "Slack"),
    ("x-ghl-signature", "GoHighLevel"),
    ("x-wh-signature", "GoHighLevel"),
    ("x-amz-sns-message-type", "Amazon SNS"),
    ("x-kustomer-webhook-signature", "Kustomer"),
    ("webhook-signature", "Standard Webhooks"),
    ("svix-signature", "Standard Webhooks under the names of Svix"),
];

/// The first known header that came, and whose it is, unless that is the sender who signs in one of `own`.
///
/// *Why*: GitHub names the event in a header of its own also where no secret is set and nothing is signed.
pub(super) fn stranger(headers: &HeaderMap, own: &[&str]) -> Option<(&'static str, &'static str)> {
    let (header, sender) = SENDERS.iter().find(|(header, _)| headers.contains_key(*header)).copied()?;
    let mut own_senders = SENDERS.iter().filter(|(header, _)| own.contains(header)).map(|(_, sender)| sender);
    let is_own = own.contains(&header) || own_senders.any(|own_sender| own_sender.contains(sender));
    (!is_own).then_some((header, sender))
}
