//! API keys, roles and who is calling.
//!
//! Only a key's digest is kept. Its token names the org and the key in the open, so that one read finds it.

use core::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{ApiKeyId, OrgId, Timestamp};

/// What every token begins with, so that a leaked one is recognised by scanners.
pub const TOKEN_PREFIX: &str = "hk";

/// The right to do something: dotted words, `org.permission.hook.create`.
///
/// A role covers itself and everything below it: `org.permission.hook` covers `org.permission.hook.create`,
/// and `org.admin` covers all management. *Source*: Kustomer's keys and roles (reference, section 9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(String);

impl Role {
    /// The role that `text` names.
    ///
    /// *Errors*: a sentence unless it is `org`, `.` and words of `a-z 0-9 _ *` joined by dots, 128 bytes at most.
    pub fn parse(text: &str) -> Result<Self, String> {
        let word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
        };
        let well_formed = text.starts_with("org.") && text.len() <= 128 && text.split('.').all(word);
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not a role: roles are lower-case words joined by dots that begin with `org.`, such as org.hooks, org.admin or org.permission.workflow.read"
            ))
        }
    }

    /// The role as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a holder of this role may do what needs `needed`.
    pub fn covers(&self, needed: &str) -> bool {
        match needed.strip_prefix(self.0.as_str()) {
            Some(rest) => rest.is_empty() || rest.starts_with('.'),
            None => false,
        }
    }
}

/// Who sent a management request, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The only org whose things the caller sees.
    pub org: OrgId,
    /// The key they used.
    pub key: ApiKeyId,
    /// What they may do.
    pub roles: Vec<Role>,
}

impl Caller {
    /// Whether one of the caller's roles covers `permission`; `org.admin` covers every `org.permission`.
    pub fn may(&self, permission: &str) -> bool {
        self.roles.iter().any(|role| {
            role.covers(permission) || (role.as_str() == "org.admin" && permission.starts_with("org.permission."))
        })
    }
}

/// The secret half of an API key, before it is forgotten.
///
/// *Why no `Debug`*: so that it cannot be printed by accident.
pub struct ApiKeySecret([u8; 32]);

impl ApiKeySecret {
    /// The secret made of 32 random bytes.
    pub const fn from_random(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The token its holder sends: `hk_{org}_{key}_{64 hex digits}`.
    pub fn token(&self, org: OrgId, key: ApiKeyId) -> String {
        format!("{TOKEN_PREFIX}_{org}_{key}_{}", hex::encode(self.0))
    }

    /// What is kept of it: the SHA-256 of its bytes, in hex. A secret of 256 random bits needs no slow digest.
    pub fn digest(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }

    /// Takes a token apart; `None` unless it has the shape of one.
    pub fn read_token(token: &str) -> Option<(OrgId, ApiKeyId, Self)> {
        let mut parts = token.split('_');
        let (prefix, org, key, secret) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if prefix != TOKEN_PREFIX || parts.next().is_some() {
            return None;
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(secret, &mut bytes).ok()?;
        Some((OrgId::parse(org).ok()?, ApiKeyId::parse(key).ok()?, Self(bytes)))
    }
}

/// Why a key lets its holder do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProblem {
    /// The secret is not the key's.
    OtherSecret,
    /// Its time is over.
    Expired,
    /// It does not work from there.
    OtherNetwork,
}

/// An API key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// The public half.
    pub id: ApiKeyId,
    /// Its org.
    pub org: OrgId,
    /// What people call it.
    pub name: String,
    /// What its holder may do; fixed for the key's life.
    pub roles: Vec<Role>,
    /// The SHA-256 of its secret, in hex.
    pub digest: String,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The networks it works from; all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cidrs: Vec<IpNet>,
    /// The key that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_to: Option<ApiKeyId>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl ApiKey {
    /// The key whose holder has `secret`: it does not expire and works from everywhere.
    pub fn new(
        id: ApiKeyId,
        org: OrgId,
        name: String,
        roles: Vec<Role>,
        secret: &ApiKeySecret,
        now: Timestamp,
    ) -> Self {
        let digest = secret.digest();
        Self { id, org, name, roles, digest, expires_at: None, cidrs: Vec::new(), rotated_to: None, created_at: now }
    }

    /// The caller behind `secret` who calls from `source` at `now`. A key that is bound to networks works from no unknown
    /// place.
    ///
    /// Digests are compared in constant time.
    /// *Errors*: why not, for the owner of the key and nobody else.
    pub fn admit(&self, secret: &ApiKeySecret, source: Option<IpAddr>, now: Timestamp) -> Result<Caller, KeyProblem> {
        let same: bool = self.digest.as_bytes().ct_eq(secret.digest().as_bytes()).into();
        let expired = self.expires_at.is_some_and(|until| now >= until);
        let source = source.map(|source| source.to_canonical());
        let at_home = self.cidrs.is_empty()
            || source.is_some_and(|source| self.cidrs.iter().any(|network| network.contains(&source)));
        match (same, expired, at_home) {
            (false, _, _) => Err(KeyProblem::OtherSecret),
            (true, true, _) => Err(KeyProblem::Expired),
            (true, false, false) => Err(KeyProblem::OtherNetwork),
            (true, false, true) => Ok(Caller { org: self.org, key: self.id, roles: self.roles.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millisecond(1_700_000_000_000);

    fn caller(roles: &[&str]) -> Caller {
        Caller {
            org: OrgId::fresh(NOW, [1; 8]),
            key: ApiKeyId::fresh(NOW, [2; 8]),
            roles: roles.iter().map(|role| Role::parse(role).unwrap()).collect(),
        }
    }

    #[test]
    fn a_role_covers_itself_and_what_is_below_it() {
        for (role, permission, may) in [
            ("org.permission.hook.create", "org.permission.hook.create", true),
            ("org.permission.hook", "org.permission.hook.create", true),
            ("org.permission", "org.permission.hook.create", true),
            ("org.admin", "org.permission.hook.create", true),
            ("org.permission.hook.create", "org.permission.hook.read", false),
            ("org.permission.hook", "org.permission.hooks.create", false),
            ("org.hooks", "org.hooks", true),
            ("org.hooksx", "org.hooks", false),
            ("org.admin", "org.hooks", false),
            ("org.administrator", "org.permission.hook.read", false),
        ] {
            assert_eq!(caller(&[role]).may(permission), may, "{role} -> {permission}");
        }
    }

    #[test]
    fn role_names_are_lower_case_words_below_org() {
        for wrong in ["", "org", "org.", "ORG.HOOKS", "org..hooks", "admin", "org.hooks ", "org.*"] {
            assert!(Role::parse(wrong).is_err(), "{wrong}");
        }
    }

    fn key() -> (ApiKey, ApiKeySecret) {
        let secret = ApiKeySecret::from_random([7; 32]);
        let (id, org) = (ApiKeyId::fresh(NOW, [2; 8]), OrgId::fresh(NOW, [1; 8]));
        let roles = vec![Role::parse("org.admin").unwrap()];
        (ApiKey::new(id, org, "ci".to_owned(), roles, &secret, NOW), secret)
    }

    #[test]
    fn a_key_admits_its_own_token_until_it_expires() {
        let (mut key, secret) = key();
        let token = secret.token(key.org, key.id);
        let (org, id, read) = ApiKeySecret::read_token(&token).unwrap();
        assert_eq!((org, id), (key.org, key.id));
        assert!(key.admit(&read, None, NOW).is_ok());
        assert!(key.admit(&ApiKeySecret::from_random([8; 32]), None, NOW).is_err());
        key.expires_at = Some(NOW.plus_seconds(1));
        assert!(key.admit(&read, None, NOW).is_ok());
        assert!(key.admit(&read, None, NOW.plus_seconds(1)).is_err());
    }

    #[test]
    fn a_key_that_is_bound_to_networks_works_from_there_only() {
        let (mut key, secret) = key();
        key.cidrs = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        for (source, works) in [
            (Some("192.0.2.0"), true),
            (Some("192.0.2.255"), true),
            (Some("192.0.3.0"), false),
            (Some("::ffff:192.0.2.7"), true),
            (Some("2001:db8::1"), true),
            (Some("2001:db9::1"), false),
            (None, false),
        ] {
            let source = source.map(|text| text.parse().unwrap());
            assert_eq!(key.admit(&secret, source, NOW).is_ok(), works, "{source:?}");
        }
    }

    #[test]
    fn text_that_is_no_token_is_not_taken_apart() {
        for wrong in ["", "hk", "hk_a_b_c", "Bearer hk", "hk_581392b55ac7a2110099d9c8_581392b55ac7a2110099d9c8_00"] {
            assert!(ApiKeySecret::read_token(wrong).is_none(), "{wrong}");
        }
    }
}
