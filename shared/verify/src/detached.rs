//! A signature in its own header, over a template of the bytes: HMAC, Ed25519 and RSA. Every signature that came is read before any is
//! believed, so that a header with too many is refused even if the first is right.

use http::HeaderName;
use ring::hmac;
use subtle::ConstantTimeEq;

use crate::{
    Arrival, Problem, PublicKey, Refusal, Settings, Verified, clock,
    encoding::{self, Encoding},
    headers,
    public_key::Method,
    scheme::{self, Digest, Format, MadeWith, Prefix, SecretForm},
    settings::KEYS_LIMIT,
    template::{Parts, Template},
};

/// Most signatures in one header; more are refused without a look at them.
///
/// *Why*: each costs a comparison, or a public-key operation; senders that rotate keys send two.
pub const SIGNATURES_LIMIT: usize = 10;

/// Longest delivery id that is taken, since it becomes a key.
const ID_LIMIT_BYTES: usize = 256;

/// A scheme with its keys.
pub(crate) struct Detached {
    headers: Vec<HeaderName>,
    encoding: Encoding,
    format: Format,
    proofs: Vec<Proof>,
    timestamp: Option<HeaderName>,
    id: Option<HeaderName>,
    signed: Template,
    tolerance_seconds: i64,
}

struct Proof {
    label: String,
    keys: Keys,
}

enum Keys {
    Sha256(Vec<hmac::Key>),
    Sha1(Vec<hmac::Key>),
    Public(Method, Vec<PublicKey>),
}

impl Detached {
    pub(crate) fn new(scheme: &scheme::Detached, settings: &Settings) -> Result<Self, Problem> {
        let published = if settings.public_keys.is_empty() { &scheme.public_keys } else { &settings.public_keys };
        let public_keys = parse_keys(published)?;
        let mut proofs = Vec::new();
        for proof in &scheme.proofs {
            let keys = match proof.made_with {
                MadeWith::Hmac(_) if settings.secrets.is_empty() && !public_keys.is_empty() => continue,
                MadeWith::Hmac(digest) => hmac_keys(digest, scheme.secret, settings.shared_secrets()?)?,
                MadeWith::PrivateKey(method) => {
                    let fitting: Vec<_> = public_keys.iter().filter(|key| key.fits(method)).cloned().collect();
                    if fitting.is_empty() && !proofs.is_empty() {
                        continue;
                    }
                    if fitting.is_empty() {
                        return Err(Problem::of("publicKeys", format!("This scheme needs {}.", method.word())));
                    }
                    Keys::Public(method, fitting)
                }
            };
            proofs.push(Proof { label: proof.label.clone(), keys });
        }
        if proofs.is_empty() {
            settings.shared_secrets()?;
        }
        Ok(Self {
            headers: scheme.headers.clone(),
            encoding: scheme.encoding,
            format: scheme.format.clone(),
            proofs,
            timestamp: scheme.timestamp.clone(),
            id: scheme.id.clone(),
            signed: scheme.signed.clone(),
            tolerance_seconds: settings.tolerance(scheme.tolerance_seconds)?,
        })
    }

    pub(crate) fn verify(&self, arrival: &Arrival<'_>, now_seconds: i64) -> Result<Verified, Refusal> {
        let (header, value) = headers::first(arrival.headers, &self.headers)?;
        let found = self.read(header, value)?;

        let timestamp = match &self.timestamp {
            Some(name) => Some((name, headers::one(arrival.headers, name)?)),
            None => found.timestamp.map(|text| (header, text)),
        };
        let timestamp_seconds = timestamp.map(|(name, text)| clock::parse(name, text)).transpose()?;
        let id = self.id.as_ref().map(|name| delivery_id(name, headers::one(arrival.headers, name)?)).transpose()?;

        let timestamp_text = timestamp.map(|(_, text)| text).unwrap_or_default();
        let parts = Parts { id: id.unwrap_or_default(), timestamp: timestamp_text, body: arrival.body };
        let secret = self.matching(header, &found, parts)?;
        if let Some(timestamp) = timestamp_seconds {
            clock::check(timestamp, now_seconds, self.tolerance_seconds)?;
        }
        Ok(Verified { id: id.map(str::to_owned), timestamp: timestamp_seconds, secret })
    }

    fn read<'v>(&self, header: &HeaderName, value: &'v str) -> Result<Found<'v>, Refusal> {
        let mut found = Found::default();
        match &self.format {
            Format::Plain(prefix) => found.keep(0, without_prefix(header, prefix, value)?)?,
            Format::Pairs { timestamp_key } => {
                for pair in value.split(',') {
                    let (key, text) = pair
                        .trim()
                        .split_once('=')
                        .ok_or_else(|| Refusal::malformed(header, "it is not a list of pairs"))?;
                    if timestamp_key.as_deref() != Some(key) {
                        self.count(&mut found, key, text)?;
                    } else if found.timestamp.replace(text).is_some() {
                        return Err(Refusal::malformed(header, "it has two times"));
                    }
                }
                if timestamp_key.is_some() && found.timestamp.is_none() {
                    return Err(Refusal::malformed(header, "it has no time"));
                }
            }
            Format::Versions => {
                for entry in value.split(' ').filter(|entry| !entry.is_empty()) {
                    let (label, text) = entry
                        .split_once(',')
                        .ok_or_else(|| Refusal::malformed(header, "it is not a list of versions"))?;
                    self.count(&mut found, label, text)?;
                }
            }
        }
        if found.kept == 0 {
            return Err(Refusal::malformed(header, "it has no signature of a kind that the hook has a key for"));
        }
        Ok(found)
    }

    /// Counts a signature, and keeps it if its label has a key: one of another kind must never be tried with that key.
    fn count<'v>(&self, found: &mut Found<'v>, label: &str, text: &'v str) -> Result<(), Refusal> {
        match self.proofs.iter().position(|proof| proof.label == label) {
            Some(proof) => found.keep(proof, text),
            None => found.count(),
        }
    }

    /// Which secret made one of the signatures; none for a public key.
    fn matching(&self, header: &HeaderName, found: &Found<'_>, parts: Parts<'_>) -> Result<Option<usize>, Refusal> {
        let mut readable = Readable::None;
        for (index, proof) in self.proofs.iter().enumerate() {
            let signatures = found.signatures().filter(|(of, _)| *of == index).map(|(_, text)| text);
            match &proof.keys {
                Keys::Sha256(keys) => {
                    if let Some(secret) = self.matching_secret::<32>(keys, signatures, parts, &mut readable) {
                        return Ok(Some(secret));
                    }
                }
                Keys::Sha1(keys) => {
                    if let Some(secret) = self.matching_secret::<20>(keys, signatures, parts, &mut readable) {
                        return Ok(Some(secret));
                    }
                }
                Keys::Public(method, keys) => {
                    let signatures: Vec<_> = signatures.filter_map(|text| self.encoding.decode(text)).collect();
                    if !signatures.is_empty() {
                        readable = Readable::Some;
                        if self.has_matching_key(*method, keys, &signatures, parts) {
                            return Ok(None);
                        }
                    }
                }
            }
        }
        Err(match (readable, self.encoding) {
            (Readable::Some, _) => Refusal::WrongSignature,
            (Readable::None, Encoding::Hex) => {
                Refusal::malformed(header, "its signature is not hex of the right length")
            }
            (Readable::None, Encoding::Base64) => {
                Refusal::malformed(header, "its signature is not padded base64 of the right length")
            }
        })
    }

    fn matching_secret<'v, const N: usize>(
        &self,
        keys: &[hmac::Key],
        signatures: impl Iterator<Item = &'v str> + Clone,
        parts: Parts<'_>,
        readable: &mut Readable,
    ) -> Option<usize> {
        keys.iter().position(|key| {
            let mut context = hmac::Context::with_key(key);
            self.signed.fill(parts).for_each(|piece| context.update(piece));
            let tag = context.sign();
            signatures.clone().filter_map(|text| self.encoding.decode_exactly::<N>(text)).any(|signature| {
                *readable = Readable::Some;
                tag.as_ref().ct_eq(&signature).into()
            })
        })
    }

    fn has_matching_key(&self, method: Method, keys: &[PublicKey], signatures: &[Vec<u8>], parts: Parts<'_>) -> bool {
        let mut pieces = self.signed.fill(parts);
        let assembled;
        let message = match (pieces.next(), pieces.next()) {
            (Some(only), None) => only,
            _ => {
                assembled = self.signed.fill(parts).collect::<Vec<_>>().concat();
                assembled.as_slice()
            }
        };
        keys.iter().any(|key| signatures.iter().any(|signature| key.verifies(method, message, signature)))
    }
}

/// Whether any signature had the form that a right one has.
#[derive(Clone, Copy)]
enum Readable {
    None,
    Some,
}

/// What one header held: signatures with the index of their proof.
#[derive(Default)]
struct Found<'v> {
    signatures: [(usize, &'v str); SIGNATURES_LIMIT],
    kept: usize,
    counted: usize,
    timestamp: Option<&'v str>,
}

impl<'v> Found<'v> {
    fn count(&mut self) -> Result<(), Refusal> {
        self.counted += 1;
        if self.counted > SIGNATURES_LIMIT { Err(Refusal::TooManySignatures) } else { Ok(()) }
    }

    fn keep(&mut self, proof: usize, text: &'v str) -> Result<(), Refusal> {
        self.count()?;
        let slot = self.signatures.get_mut(self.kept).ok_or(Refusal::TooManySignatures)?;
        *slot = (proof, text);
        self.kept += 1;
        Ok(())
    }

    fn signatures(&self) -> impl Iterator<Item = (usize, &'v str)> + Clone {
        self.signatures.iter().take(self.kept).copied()
    }
}

fn without_prefix<'v>(header: &HeaderName, prefix: &Prefix, value: &'v str) -> Result<&'v str, Refusal> {
    match prefix {
        Prefix::None => Ok(value),
        Prefix::Optional(prefix) => Ok(value.strip_prefix(prefix).unwrap_or(value)),
        Prefix::Required(prefix) => {
            value.strip_prefix(prefix).ok_or_else(|| Refusal::malformed(header, "it does not begin as it should"))
        }
    }
}

/// An id with a dot could move the border between id and time in what was signed. *Source*: Standard Webhooks, "Signature scheme".
fn delivery_id<'v>(header: &HeaderName, text: &'v str) -> Result<&'v str, Refusal> {
    if text.is_empty() || text.len() > ID_LIMIT_BYTES || text.contains('.') {
        return Err(Refusal::malformed(header, "an id has 1 to 256 characters and no dot"));
    }
    Ok(text)
}

fn hmac_keys(digest: Digest, form: SecretForm, secrets: &[String]) -> Result<Keys, Problem> {
    let algorithm = hmac_algorithm(digest);
    let keys = secrets
        .iter()
        .map(|secret| key_bytes(form, secret).map(|bytes| hmac::Key::new(algorithm, &bytes)))
        .collect::<Result<_, _>>()?;
    Ok(match digest {
        Digest::Sha256 => Keys::Sha256(keys),
        Digest::Sha1 => Keys::Sha1(keys),
    })
}

pub(crate) fn hmac_algorithm(digest: Digest) -> hmac::Algorithm {
    match digest {
        Digest::Sha256 => hmac::HMAC_SHA256,
        Digest::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
    }
}

/// The bytes that a secret stands for.
pub(crate) fn key_bytes(form: SecretForm, secret: &str) -> Result<Vec<u8>, Problem> {
    match form {
        SecretForm::Text => Ok(secret.as_bytes().to_vec()),
        SecretForm::Whsec => encoding::pasted_base64(secret.strip_prefix("whsec_").unwrap_or(secret))
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| {
                Problem::of("secrets", "A secret of this scheme is base64, with or without whsec_ before it.")
            }),
    }
}

pub(crate) fn parse_keys(texts: &[String]) -> Result<Vec<PublicKey>, Problem> {
    if texts.len() > KEYS_LIMIT {
        return Err(Problem::of("publicKeys", "A hook has at most 10 public keys."));
    }
    texts.iter().map(|text| PublicKey::parse(text).map_err(|sentence| Problem::of("publicKeys", sentence))).collect()
}
