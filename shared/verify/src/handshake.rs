//! What providers ask before they send: answers to challenges, tokens, and the address that confirms a subscription.

use ring::hmac;

use crate::{Refusal, sns};

pub use crate::credentials::same as token_matches;

/// The answer to a challenge that wants its HMAC-SHA256 by the shared secret, in lower-case hex.
///
/// *Source*: `LinkedIn`, "Webhook validation": `challengeResponse`.
pub fn hmac_challenge(secret: &str, challenge: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hex::encode(hmac::sign(&key, challenge.as_bytes()))
}

/// The address that confirms a subscription, of a body whose signature has been verified; `None` if it is another kind of message.
///
/// *Errors*: the topic is none of `topic_arns`, or the address is not the one action of an SNS host.
pub fn subscribe_url(body: &[u8], topic_arns: &[String]) -> Result<Option<String>, Refusal> {
    let message = sns::Message::read(body)?;
    if !message.is_subscription() {
        return Ok(None);
    }
    if !topic_arns.iter().any(|topic| *topic == message.topic_arn) {
        return Err(Refusal::UnknownTopic);
    }
    let url = message.subscribe_url.ok_or(Refusal::UntrustedSubscribeUrl)?;
    if sns::is_subscribe_url(&url) { Ok(Some(url.into_owned())) } else { Err(Refusal::UntrustedSubscribeUrl) }
}
