//! Hooks: the addresses that receive data.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

mod auth;
mod door;
mod mail;

pub use auth::{Auth, BEARER, RETIRED_SECONDS, RetiredSecret, SECRETS_LIMIT, Secret};
pub use door::{
    DUPLICATES_DEFAULT_SECONDS, DUPLICATES_LIMIT_SECONDS, Duplicates, Guard, Limit, UPLOAD_LIMIT_BYTES, UploadRule,
};
pub use mail::{MailBody, MailPolicy, MailRule, Treatment};

use crate::{HookId, OrgId, Timestamp};

/// How long the debug log stays on after it was switched on. *Source*: Kustomer's `debug` on a hook.
const DEBUG_SECONDS: i64 = 24 * 60 * 60;

/// The largest body a hook may be set to answer with.
pub const REPLY_BODY_LIMIT_BYTES: usize = 16 * 1024;

/// The three kinds of hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookKind {
    /// Posted to by anyone.
    Form,
    /// Posted to with credentials.
    Web,
    /// Mailed to.
    Email,
}

impl HookKind {
    /// The word in addresses and event names.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Web => "web",
            Self::Email => "email",
        }
    }

    /// The JSON:API type of a hook of this kind.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Form => "form_hook",
            Self::Web => "web_hook",
            Self::Email => "email_hook",
        }
    }
}

/// The secret part of a hook's address.
///
/// *Shape*: 64 lower-case hex digits; 256 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HookHash([u8; 32]);

impl HookHash {
    /// The hash made of 32 random bytes.
    pub const fn from_random(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The hash that `text` spells; `None` unless it is exactly 64 lower-case hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The same in fewer characters: 52, base32 in lower case. *Why*: the 64 digits are all that the local part of a mail
    /// address may have, and leave no room for a tag. *Source*: RFC 5321, 4.5.3.1.1.
    pub fn short(&self) -> String {
        BASE32_NOPAD.encode(&self.0).to_ascii_lowercase()
    }

    /// The hash that the local part of a mail address spells, in either form; mail knows no upper and lower case.
    pub fn of_local_part(local: &str) -> Option<Self> {
        Self::parse(&local.to_ascii_lowercase()).or_else(|| {
            let bytes = BASE32_NOPAD.decode(local.to_ascii_uppercase().as_bytes()).ok()?;
            bytes.try_into().ok().map(Self)
        })
    }
}

impl fmt::Display for HookHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Serialize for HookHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HookHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("a hook hash is 64 lower-case hexadecimal digits"))
    }
}

/// What a poster is answered instead of the standard `202`.
///
/// *Shape*: `{"status": 303, "location": "https://shop.example/thanks"}`,
/// `{"status": 200, "body": "ok", "contentType": "text/plain"}`, or `{"waitSeconds": 10}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// 200 to 299, or 303 with a `location`.
    #[serde(default = "accepted")]
    pub status: u16,
    /// At most [`REPLY_BODY_LIMIT_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// `text/plain; charset=utf-8` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Where a browser goes next; `http` or `https`, or a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// How long the answer of a workflow is waited for, at most [`REPLY_LIMIT_SECONDS`]; what else stands here is answered
    /// where none comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_seconds: Option<u32>,
}

/// The longest that a poster may be let wait for the answer of a workflow. *Why*: an HTTP API on AWS answers within 30 s.
pub const REPLY_LIMIT_SECONDS: u32 = 25;

/// The status of the standard answer.
const fn accepted() -> u16 {
    202
}

impl Reply {
    /// Whether it says only that an answer is waited for, so that without one the standard answer is given.
    pub const fn only_waits(&self) -> bool {
        self.wait_seconds.is_some() && self.status == accepted() && self.body.is_none() && self.location.is_none()
    }

    /// Says what is wrong with this reply, in a sentence; `Ok` when it can be sent.
    pub fn check(&self) -> Result<(), String> {
        let printable = |text: &String| text.chars().all(|c| !c.is_control() && c.is_ascii());
        if self.body.as_ref().is_some_and(|body| body.len() > REPLY_BODY_LIMIT_BYTES) {
            return Err(format!("a reply's body has at most {REPLY_BODY_LIMIT_BYTES} bytes"));
        }
        if !self.content_type.iter().chain(&self.location).all(printable) {
            return Err("a reply's contentType and location are printable ASCII".to_owned());
        }
        if self.wait_seconds.is_some_and(|seconds| !(1..=REPLY_LIMIT_SECONDS).contains(&seconds)) {
            return Err(format!("a reply's waitSeconds is 1 to {REPLY_LIMIT_SECONDS}"));
        }
        if matches!(self.status, 204 | 205) && self.body.is_some() {
            return Err(format!("a reply with status {} has no body", self.status));
        }
        match (self.status, &self.location) {
            (200..=299, None) => Ok(()),
            (200..=299, Some(_)) => Err("a reply with a location has status 303".to_owned()),
            (303, Some(location)) if is_web_location(location) => Ok(()),
            (303, _) => Err(
                "a reply with status 303 has a location: an http or https address, or a path that begins with one /"
                    .to_owned(),
            ),
            (_, _) => Err("a reply's status is 200 to 299, or 303".to_owned()),
        }
    }
}

/// `//host` is an address too, though it looks like a path; it is refused so that a path stays on the hook's host.
fn is_web_location(location: &str) -> bool {
    let path = location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\");
    path || location.starts_with("https://") || location.starts_with("http://")
}

/// An address that receives data, and what is done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// The hook.
    pub id: HookId,
    /// Its owner.
    pub org: OrgId,
    /// Form, web or email.
    pub kind: HookKind,
    /// The secret part of its address.
    pub hash: HookHash,
    /// What people call it.
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The event each of its transactions fires.
    pub event_name: String,
    /// Until when its interactions are kept for reading; off when it lies in the past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_until: Option<Timestamp>,
    /// What posters are answered instead of the standard `202`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// How a webhook knows its sender; nothing for the other kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// The app whose events its arrivals fire beside the hook's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The methods a webhook takes; POST where it names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// How many arrivals it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// How many it takes of one source address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_limit: Option<Limit>,
    /// Which arrivals it takes for repeats; what its app says where it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicates: Option<DuplicateRule>,
    /// Whether arrivals are kept as they came, for `listen`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tape: bool,
    /// Whether arrivals are taken and held, and start nothing until it goes on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// What guards a public form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guard>,
    /// What a sender may upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploads: Option<UploadRule>,
    /// What an email hook takes, and from whom.
    #[serde(default)]
    pub mail: MailRule,
    /// The app that brought it along, which alone takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub installed_by: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a hook says about repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DuplicateRule {
    /// Every arrival counts.
    Taken,
    /// A repeat is answered as the first was, and starts nothing.
    Suppressed(Duplicates),
}

impl Hook {
    /// A hook that only has an address, made at `now`.
    pub fn new(id: HookId, org: OrgId, kind: HookKind, hash: HookHash, now: Timestamp) -> Self {
        Self {
            id,
            org,
            kind,
            hash,
            title: String::new(),
            description: None,
            event_name: Self::standard_event_name(kind, id),
            debug_until: None,
            reply: None,
            auth: None,
            app: None,
            methods: Vec::new(),
            limit: None,
            address_limit: None,
            duplicates: None,
            tape: false,
            paused: false,
            guard: None,
            uploads: None,
            mail: MailRule::default(),
            installed_by: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The event a plain hook fires: `kustomer.hooks.form.5a345109e578360010eaa1ad.receive`.
    pub fn standard_event_name(kind: HookKind, id: HookId) -> String {
        format!("kustomer.hooks.{}.{id}.receive", kind.word())
    }

    /// Whether interactions at `now` go to the debug log.
    pub fn is_debugging(&self, now: Timestamp) -> bool {
        self.debug_until.is_some_and(|until| now < until)
    }

    /// Switches the debug log on for 24 hours.
    pub fn start_debugging(&mut self, now: Timestamp) {
        self.debug_until = Some(now.plus_seconds(DEBUG_SECONDS));
    }

    /// Switches the debug log off.
    pub fn stop_debugging(&mut self) {
        self.debug_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_from_an_address_in_either_form_and_any_case() {
        let hash = HookHash::from_random([0xa7; 32]);
        let short = hash.short();
        assert_eq!(short.len(), 52);
        for local in [hash.to_string(), hash.to_string().to_uppercase(), short.clone(), short.to_uppercase()] {
            assert_eq!(HookHash::of_local_part(&local), Some(hash), "{local}");
        }
        // The last character has bits to spare; another one with the same bits would be a second spelling.
        let second_spelling = format!("{}r", &short[..51]);
        for wrong in ["", "info", &short[1..], &format!("{short}a"), &second_spelling] {
            assert_eq!(HookHash::of_local_part(wrong), None, "{wrong}");
        }
    }

    fn reply(status: u16, body: Option<&str>, location: Option<&str>) -> Reply {
        Reply {
            status,
            body: body.map(str::to_owned),
            content_type: None,
            location: location.map(str::to_owned),
            wait_seconds: None,
        }
    }

    #[test]
    fn a_reply_is_a_success_or_a_303_with_a_location() {
        let longest = "x".repeat(REPLY_BODY_LIMIT_BYTES);
        for good in [
            reply(200, None, None),
            reply(299, Some(&longest), None),
            reply(303, None, Some("/thanks")),
            reply(303, None, Some("https://shop.example/thanks")),
        ] {
            assert_eq!(good.check(), Ok(()), "{good:?}");
        }
        let too_long = format!("{longest}x");
        for bad in [
            reply(199, None, None),
            reply(204, Some("x"), None),
            reply(205, Some("x"), None),
            reply(300, None, None),
            reply(303, None, None),
            reply(200, None, Some("/thanks")),
            reply(303, None, Some("javascript:alert(1)")),
            reply(303, None, Some("//evil.example")),
            reply(303, None, Some("/a\r\nSet-Cookie: x")),
            reply(200, Some(&too_long), None),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn settings_that_a_later_version_wrote_are_read() {
        let guard: Guard = serde_json::from_str(r#"{"honeypot":"website","later":1}"#).unwrap();
        assert_eq!(guard.honeypot.as_deref(), Some("website"));
        let limit: Limit = serde_json::from_str(r#"{"requests":1,"seconds":2,"later":1}"#).unwrap();
        assert_eq!(limit, Limit { requests: 1, seconds: 2 });
    }

    #[test]
    fn a_hook_hash_has_one_spelling() {
        let hash = HookHash::from_random([171; 32]);
        assert_eq!(HookHash::parse(&hash.to_string()), Some(hash));
        assert_eq!(HookHash::parse(&hash.to_string().to_uppercase()), None);
        assert_eq!(HookHash::parse("ab"), None);
    }
}
