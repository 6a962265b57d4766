//! Messages of Amazon SNS: RSA over chosen fields of the body. The certificate's address comes from the sender, so only Amazon's own
//! hosts are ever named to be fetched.

use std::{borrow::Cow, str::FromStr};

use http::HeaderName;
use jiff::Timestamp;
use serde::Deserialize;

use crate::{
    Arrival, Problem, PublicKey, Refusal, Settings, Verified, clock, detached::parse_keys, encoding::Encoding,
    public_key::Method,
};

/// How old a message may be. *Source*: SNS tries for at most 3,600 s, with the time of the first try; and five minutes for clocks.
const TOLERANCE_SECONDS: i64 = 3_900;

static RAW_DELIVERY_HEADER: HeaderName = HeaderName::from_static("x-amz-sns-rawdelivery");

/// The topics that are listened to, and the keys that the owner put in the place of Amazon's.
pub(crate) struct Sns {
    topic_arns: Vec<String>,
    public_keys: Vec<PublicKey>,
    tolerance_seconds: i64,
}

/// A message as SNS posts it. *Source*: SNS Developer Guide, "Parsing message formats".
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Message<'a> {
    #[serde(rename = "Type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    message_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) topic_arn: Cow<'a, str>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(borrow)]
    signature_version: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
    #[serde(rename = "SigningCertURL", borrow)]
    signing_cert_url: Cow<'a, str>,
    #[serde(borrow)]
    subject: Option<Cow<'a, str>>,
    #[serde(borrow)]
    token: Option<Cow<'a, str>>,
    #[serde(rename = "SubscribeURL", borrow)]
    pub(crate) subscribe_url: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body)
            .map_err(|_| Refusal::MalformedBody { what: "it is not a signed message of Amazon SNS" })
    }

    pub(crate) fn is_subscription(&self) -> bool {
        self.kind == "SubscriptionConfirmation"
    }
}

impl Sns {
    /// *Errors*: without topics anybody with an AWS account could send.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Problem> {
        if settings.topic_arns.is_empty() {
            let sentence = "At least one topic must be named: any AWS account can sign messages of its own topics.";
            return Err(Problem::of("topicArns", sentence));
        }
        let tolerance_seconds = settings.tolerance(Some(TOLERANCE_SECONDS))?;
        let public_keys = parse_keys(&settings.public_keys)?;
        Ok(Self { topic_arns: settings.topic_arns.clone(), public_keys, tolerance_seconds })
    }

    /// Where the certificate of this message is, if that is a place to trust; `None` where the owner named the keys.
    pub(crate) fn certificate_url(&self, arrival: &Arrival<'_>) -> Result<Option<String>, Refusal> {
        let message = self.expected(arrival)?;
        Ok(self.public_keys.is_empty().then(|| message.signing_cert_url.into_owned()))
    }

    pub(crate) fn verify(
        &self,
        arrival: &Arrival<'_>,
        fetched: &[PublicKey],
        now_seconds: i64,
    ) -> Result<Verified, Refusal> {
        let message = self.expected(arrival)?;
        let method = match message.signature_version.as_ref() {
            "1" => Method::RsaSha1,
            "2" => Method::RsaSha256,
            _ => return Err(Refusal::MalformedBody { what: "its SignatureVersion is neither 1 nor 2" }),
        };
        let signature = Encoding::Base64
            .decode(&message.signature)
            .ok_or(Refusal::MalformedBody { what: "its Signature is not padded base64" })?;
        let timestamp = Timestamp::from_str(&message.timestamp)
            .map_err(|_| Refusal::MalformedBody { what: "its Timestamp is not an instant" })?
            .as_second();
        let keys = if self.public_keys.is_empty() { fetched } else { &self.public_keys };
        if keys.is_empty() {
            return Err(Refusal::BadCertificate);
        }
        let is_signed = signed_texts(&message)?
            .iter()
            .any(|text| keys.iter().any(|key| key.verifies(method, text.as_bytes(), &signature)));
        if !is_signed {
            return Err(Refusal::WrongSignature);
        }
        clock::check(timestamp, now_seconds, self.tolerance_seconds)?;
        Ok(Verified { id: Some(message.message_id.into_owned()), timestamp: Some(timestamp), secret: None })
    }

    fn expected<'a>(&self, arrival: &Arrival<'a>) -> Result<Message<'a>, Refusal> {
        if arrival.headers.contains_key(&RAW_DELIVERY_HEADER) {
            return Err(Refusal::RawDelivery);
        }
        let message = Message::read(arrival.body)?;
        if !self.topic_arns.iter().any(|topic| *topic == message.topic_arn) {
            return Err(Refusal::UnknownTopic);
        }
        if !is_certificate_url(&message.signing_cert_url) {
            return Err(Refusal::UntrustedCertificateUrl);
        }
        Ok(message)
    }
}

/// The texts that may have been signed; the documents and Amazon's own validator differ about `UnsubscribeConfirmation`.
pub(crate) fn signed_texts(message: &Message<'_>) -> Result<Vec<String>, Refusal> {
    match message.kind.as_ref() {
        "Notification" => Ok(vec![notification_text(message)]),
        "SubscriptionConfirmation" => Ok(vec![confirmation_text(message)?]),
        "UnsubscribeConfirmation" => Ok(vec![confirmation_text(message)?, notification_text(message)]),
        _ => Err(Refusal::MalformedBody { what: "its Type is none that Amazon SNS signs" }),
    }
}

fn notification_text(message: &Message<'_>) -> String {
    let subject = message.subject.as_deref();
    joined(&[
        ("Message", Some(&message.message)),
        ("MessageId", Some(&message.message_id)),
        ("Subject", subject),
        ("Timestamp", Some(&message.timestamp)),
        ("TopicArn", Some(&message.topic_arn)),
        ("Type", Some(&message.kind)),
    ])
}

fn confirmation_text(message: &Message<'_>) -> Result<String, Refusal> {
    let (Some(subscribe_url), Some(token)) = (&message.subscribe_url, &message.token) else {
        return Err(Refusal::MalformedBody { what: "it has no SubscribeURL or no Token" });
    };
    Ok(joined(&[
        ("Message", Some(&message.message)),
        ("MessageId", Some(&message.message_id)),
        ("SubscribeURL", Some(subscribe_url)),
        ("Timestamp", Some(&message.timestamp)),
        ("Token", Some(token)),
        ("TopicArn", Some(&message.topic_arn)),
        ("Type", Some(&message.kind)),
    ]))
}

fn joined(pairs: &[(&str, Option<&str>)]) -> String {
    let mut text = String::with_capacity(1_024);
    for (key, value) in pairs {
        if let Some(value) = value {
            for piece in [key, "\n", value, "\n"] {
                text.push_str(piece);
            }
        }
    }
    text
}

/// `https://`, a host of SNS, and one `.pem` file: nothing else is ever fetched.
fn is_certificate_url(url: &str) -> bool {
    sns_path(url).is_some_and(|path| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        path.strip_suffix(".pem").is_some_and(|name| !name.is_empty() && name.bytes().all(is_plain))
    })
}

/// `https://`, a host of SNS, and the one action.
pub(crate) fn is_subscribe_url(url: &str) -> bool {
    let is_visible = url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\'));
    let query = sns_path(url).and_then(|path| path.strip_prefix('?'));
    is_visible
        && query.is_some_and(|query| {
            form_urlencoded::parse(query.as_bytes())
                .filter(|(name, _)| name == "Action")
                .map(|(_, value)| value)
                .eq(["ConfirmSubscription"])
        })
}

/// What follows `https://sns.{region}.amazonaws.com/` or the same with `.cn`.
///
/// *Source*: Amazon's validator: `^sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?$`.
fn sns_path(url: &str) -> Option<&str> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host.strip_prefix("sns.")?.strip_suffix(".amazonaws.com")?;
    let is_region = region.len() >= 3 && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_region.then_some(path)
}
