//! What-if checks: the same arrival with one thing changed, through the very verifier that refused it.

use std::borrow::Cow;

use http::header::HOST;
use serde_json::Value;

use super::{Reason, bodies};
use crate::{
    Arrival, PublicKey, Refusal, Scheme, Settings, Verifier,
    encoding::Encoding,
    scheme::{Detached, Digest, MadeWith, SecretForm, Shape},
    twilio::public_url,
};

/// Longest body that is written anew.
const REWRITTEN_LIMIT_BYTES: usize = 65_536;

/// All that the refused check had.
pub(super) struct Trials<'a> {
    pub(super) scheme: &'a Scheme,
    pub(super) settings: &'a Settings,
    pub(super) retired_secrets: &'a [String],
    pub(super) arrival: &'a Arrival<'a>,
    pub(super) fetched: &'a [PublicKey],
    pub(super) now_seconds: i64,
}

impl Trials<'_> {
    /// Every change that would have been accepted, or the reason for none.
    pub(super) fn run_or(&self, otherwise: impl FnOnce() -> Reason) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = [
            self.old_secret(),
            self.whitespace(),
            self.prefix(),
            self.digest(),
            self.encoding(),
            self.newline(),
            self.rewritten(),
            self.url(),
        ]
        .into_iter()
        .flatten()
        .collect();
        if reasons.is_empty() {
            reasons.push(otherwise());
        }
        reasons
    }

    fn passes(&self, scheme: &Scheme, settings: &Settings, arrival: &Arrival<'_>) -> bool {
        match Verifier::new(scheme, settings).map(|verifier| verifier.verify(arrival, self.fetched, self.now_seconds)) {
            Ok(Ok(_) | Err(Refusal::TooOld { .. } | Refusal::TooNew { .. })) => true,
            Ok(Err(_)) | Err(_) => false,
        }
    }

    fn passes_with_secrets(&self, scheme: &Scheme, change: impl Fn(&str) -> String) -> bool {
        let secrets: Vec<String> = self.settings.secrets.iter().map(|secret| change(secret)).collect();
        self.passes(scheme, &Settings { secrets, ..self.settings.clone() }, self.arrival)
    }

    fn old_secret(&self) -> Option<Reason> {
        let is_old = self.retired_secrets.chunks(crate::KEYS_LIMIT).any(|secrets| {
            self.passes(self.scheme, &Settings { secrets: secrets.to_vec(), ..self.settings.clone() }, self.arrival)
        });
        is_old.then(|| Reason::new("old_secret", "It was made with a secret that the hook had before: give the sender the new one, or add the old one again until it has."))
    }

    fn whitespace(&self) -> Option<Reason> {
        let is_ours = self.passes_with_secrets(self.scheme, |secret| secret.trim().to_owned());
        let is_theirs = || self.passes_with_secrets(self.scheme, |secret| format!("{secret}\n"));
        if is_ours {
            return Some(Reason::new(
                "secret_has_whitespace",
                "The hook's secret has spaces or a line end around it: set it again without them.",
            ));
        }
        is_theirs().then(|| {
            Reason::new(
                "secret_has_whitespace",
                "The sender's secret has a line end behind it: set it there again without.",
            )
        })
    }

    fn prefix(&self) -> Option<Reason> {
        let detached = self.detached()?;
        let as_text = self.changed(|detached| detached.secret = SecretForm::Text);
        let sentence = match detached.secret {
            SecretForm::Whsec if self.passes_with_secrets(&as_text, str::to_owned) => {
                "The sender takes the secret's text as the key, where this scheme takes the bytes that its base64 stands for."
            }
            SecretForm::Whsec if self.passes_with_secrets(&as_text, other_prefix) => {
                "The sender takes the secret's text as the key, whsec_ kept or dropped, where this scheme takes the bytes that its base64 stands for."
            }
            SecretForm::Text if self.passes_with_secrets(self.scheme, other_prefix) => {
                "The secret was copied without its whsec_, or with one too many: here the whole text counts."
            }
            SecretForm::Text
                if self.passes(
                    &self.changed(|detached| detached.secret = SecretForm::Whsec),
                    self.settings,
                    self.arrival,
                ) =>
            {
                "The sender takes the bytes that the secret's base64 stands for as the key, where this scheme takes the text."
            }
            SecretForm::Whsec | SecretForm::Text => return None,
        };
        Some(Reason::new("secret_prefix", sentence))
    }

    fn digest(&self) -> Option<Reason> {
        let mut used = "";
        let other = self.changed(|detached| {
            for proof in &mut detached.proofs {
                if let MadeWith::Hmac(digest) = &mut proof.made_with {
                    (*digest, used) = match digest {
                        Digest::Sha256 => (Digest::Sha1, "SHA-1"),
                        Digest::Sha1 => (Digest::Sha256, "SHA-256"),
                    };
                }
            }
        });
        let is_other = !used.is_empty() && self.passes(&other, self.settings, self.arrival);
        is_other.then(|| {
            Reason::new("wrong_digest", format!("The sender signs with {used}, which is not this scheme's digest."))
        })
    }

    fn encoding(&self) -> Option<Reason> {
        let detached = self.detached()?;
        let (right, wrong) = (detached.encoding, detached.encoding.other());
        if self.passes(&self.changed(|detached| detached.encoding = wrong), self.settings, self.arrival) {
            let code = match right {
                Encoding::Base64 => "hex_not_base64",
                Encoding::Hex => "base64_not_hex",
            };
            return Some(Reason::new(
                code,
                format!(
                    "The signature is right, but written in {} where this scheme has {}.",
                    wrong.word(),
                    right.word()
                ),
            ));
        }
        let values = detached.headers.iter().filter_map(|name| self.arrival.headers.get(name)?.to_str().ok());
        let is_url_safe = right == Encoding::Base64 && values.into_iter().any(|value| value.contains(['-', '_']));
        is_url_safe.then(|| {
            Reason::new(
                "base64url",
                "The signature is written in the URL's alphabet of base64 where this scheme has the standard one.",
            )
        })
    }

    fn newline(&self) -> Option<Reason> {
        if self.arrival.body.len() > REWRITTEN_LIMIT_BYTES {
            return None;
        }
        let is_end = bodies::other_ends(self.arrival.body).iter().any(|body| self.passes_with_body(body));
        is_end.then(|| Reason::new("newline_in_body", "It fits the body with other white space around it or other line ends: something adds or trims them between signing and sending."))
    }

    fn rewritten(&self) -> Option<Reason> {
        if self.arrival.body.len() > REWRITTEN_LIMIT_BYTES {
            return None;
        }
        let document: Value = serde_json::from_slice(self.arrival.body).ok()?;
        let mut styles = bodies::STYLES.iter();
        let style = styles.find(|style| self.passes_with_body(&bodies::write(&document, **style)))?;
        Some(Reason::new(
            "reserialised_body",
            format!(
                "It fits this JSON written {}: the body was parsed and written anew after it was signed. The bytes must be passed on as they are.",
                style.name
            ),
        ))
    }

    fn passes_with_body(&self, body: &[u8]) -> bool {
        self.passes(self.scheme, self.settings, &Arrival { body, ..*self.arrival })
    }

    fn url(&self) -> Option<Reason> {
        if self.scheme.shape != Shape::Twilio {
            return None;
        }
        let settings = Settings { url: None, ..self.settings.clone() };
        let signed = self
            .other_urls()
            .into_iter()
            .find(|url| self.passes(self.scheme, &settings, &Arrival { url, ..*self.arrival }))?;
        let bare = signed.split('?').next().unwrap_or_default();
        let query = if signed.contains('?') { "with its query" } else { "without a query" };
        Some(Reason::new(
            "url_differs",
            format!(
                "It fits the address {bare} {query}: set the hook's `url` to it, or enter the hook's own address at the sender."
            ),
        ))
    }

    /// The address as it may look from outside: by other headers, with the other scheme, slash or query.
    fn other_urls(&self) -> Vec<String> {
        let seen = public_url(self.settings.url.as_deref(), self.arrival.url);
        let mut origins = vec![seen.clone(), Cow::Borrowed(self.arrival.url)];
        for name in ["x-forwarded-host", "x-original-host", HOST.as_str()] {
            let host = self.arrival.headers.get(name).and_then(|value| value.to_str().ok());
            origins.extend(host.and_then(|host| with_host(&seen, host)).map(Cow::Owned));
        }
        let mut urls: Vec<String> = Vec::new();
        for origin in origins {
            let (path, query) =
                origin.split_once('?').map_or((origin.as_ref(), None), |(path, query)| (path, Some(query)));
            let other_slash = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
            for path in [path, other_slash.as_str()] {
                for path in [Some(path.to_owned()), other_scheme(path)].into_iter().flatten() {
                    urls.extend(query.map(|query| format!("{path}?{query}")));
                    urls.push(path);
                }
            }
        }
        urls
    }

    fn detached(&self) -> Option<&Detached> {
        match &self.scheme.shape {
            Shape::Detached(detached) => Some(detached),
            Shape::Twilio
            | Shape::Sns
            | Shape::Jwt(_)
            | Shape::Basic
            | Shape::Header(_)
            | Shape::None
            | Shape::Any(_) => None,
        }
    }

    fn changed(&self, change: impl FnOnce(&mut Detached)) -> Scheme {
        let mut scheme = self.scheme.clone();
        if let Shape::Detached(detached) = &mut scheme.shape {
            change(detached);
        }
        scheme
    }
}

fn other_prefix(secret: &str) -> String {
    secret.strip_prefix("whsec_").map_or_else(|| format!("whsec_{secret}"), str::to_owned)
}

fn other_scheme(url: &str) -> Option<String> {
    let https = url.strip_prefix("http://").map(|rest| format!("https://{rest}"));
    https.or_else(|| url.strip_prefix("https://").map(|rest| format!("http://{rest}")))
}

fn with_host(url: &str, host: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    Some(format!("{scheme}://{host}{}", rest.get(path_at..)?))
}
