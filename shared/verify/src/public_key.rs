//! Public keys, from all the ways they are handed around. Which key fits is decided by its kind, never by what a sender says.

use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use x509_cert::{
    Certificate,
    der::{Decode, Reader, SliceReader, asn1::ObjectIdentifier, asn1::UintRef},
    spki::SubjectPublicKeyInfoRef,
};

use crate::{Refusal, encoding};

/// *Source*: RFC 8017, A.1.
const RSA_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// *Source*: RFC 8410, 3.
const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// *Source*: RFC 5480, 2.1.1.
const EC_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// *Source*: RFC 5480, 2.1.1.1.
const P256_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Shorter RSA keys can be factored, longer ones make one check take milliseconds.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

const ED25519_KEY_BYTES: usize = 32;
const P256_COORDINATE_BYTES: usize = 32;
/// The first byte of a point that is not compressed, the only form `ring` reads.
const UNCOMPRESSED_POINT: u8 = 4;

/// Most keys of one set that are read.
const KEY_SET_LIMIT: usize = 100;

/// A key that checks signatures: RSA of 2,048 to 8,192 bits, Ed25519 or P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    kid: Option<String>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ed25519(Vec<u8>),
    P256(Vec<u8>),
}

/// How a key is used; a key of another kind never fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    RsaSha1,
    RsaSha256,
    Ed25519,
    EcdsaP256,
}

impl Method {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::RsaSha1 | Self::RsaSha256 => "an RSA key",
            Self::Ed25519 => "an Ed25519 key",
            Self::EcdsaP256 => "a P-256 key",
        }
    }
}

impl PublicKey {
    /// Reads PEM (`PUBLIC KEY`), bare base64 of a `SubjectPublicKeyInfo`, `whpk_` and base64, or a JWK.
    ///
    /// *Errors*: a sentence for whoever pasted the key.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('{') {
            return serde_json::from_str::<Jwk>(text)
                .ok()
                .and_then(Jwk::into_key)
                .ok_or_else(|| "The JWK is not an RSA, Ed25519 or P-256 key for signatures.".to_owned());
        }
        if let Some(raw) = text.strip_prefix("whpk_") {
            return encoding::pasted_base64(raw)
                .and_then(ed25519)
                .map(Self::unnamed)
                .ok_or_else(|| "Behind whpk_ there must be 32 bytes in base64.".to_owned());
        }
        let compact = || text.split_ascii_whitespace().collect::<String>();
        encoding::pem(text, "PUBLIC KEY")
            .or_else(|| encoding::pasted_base64(&compact()))
            .and_then(|der| from_spki(&der))
            .map(Self::unnamed)
            .ok_or_else(|| {
                "The public key must be PEM, base64 of its DER form, whpk_… or a JWK: RSA of at least 2048 bits, Ed25519 or P-256."
                    .to_owned()
            })
    }

    /// The name that tokens call it by.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn fits(&self, method: Method) -> bool {
        match (&self.material, method) {
            (Material::Rsa { .. }, Method::RsaSha1 | Method::RsaSha256)
            | (Material::Ed25519(_), Method::Ed25519)
            | (Material::P256(_), Method::EcdsaP256) => true,
            (Material::Rsa { .. } | Material::Ed25519(_) | Material::P256(_), _) => false,
        }
    }

    /// Whether this key made the signature; no if the key is of another kind.
    pub(crate) fn verifies(&self, method: Method, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, method) {
            (Material::Rsa { modulus, exponent }, Method::RsaSha1) => {
                rsa(modulus, exponent, &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, message, signature)
            }
            (Material::Rsa { modulus, exponent }, Method::RsaSha256) => {
                rsa(modulus, exponent, &RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            (Material::Ed25519(point), Method::Ed25519) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok()
            }
            (Material::P256(point), Method::EcdsaP256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            (Material::Rsa { .. } | Material::Ed25519(_) | Material::P256(_), _) => false,
        }
    }

    pub(crate) fn of_rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        rsa_material(modulus, exponent).map(Self::unnamed)
    }

    pub(crate) fn of_ed25519(point: &[u8]) -> Option<Self> {
        ed25519(point.to_vec()).map(Self::unnamed)
    }

    pub(crate) fn of_p256(point: &[u8]) -> Option<Self> {
        p256(point.to_vec()).map(Self::unnamed)
    }

    /// The same key under a name.
    pub(crate) fn named(mut self, kid: Option<String>) -> Self {
        self.kid = kid;
        self
    }

    const fn unnamed(material: Material) -> Self {
        Self { kid: None, material }
    }
}

/// The key of a PEM certificate that is valid now.
///
/// No chain is checked: whoever fetched it over TLS from a host that [`crate::Verifier::needs`] named has its proof.
///
/// *Errors*: [`Refusal::BadCertificate`].
pub fn certificate_key(pem: &[u8], now_seconds: i64) -> Result<PublicKey, Refusal> {
    let read = || {
        let der = encoding::pem(std::str::from_utf8(pem).ok()?, "CERTIFICATE")?;
        let certificate = Certificate::from_der(&der).ok()?;
        let certificate = certificate.tbs_certificate();
        let validity = certificate.validity();
        let now_seconds = u64::try_from(now_seconds).ok()?;
        let from = validity.not_before.to_unix_duration().as_secs();
        let until = validity.not_after.to_unix_duration().as_secs();
        (from..=until).contains(&now_seconds).then_some(())?;
        let info = certificate.subject_public_key_info();
        material(&info.algorithm.oid, None, info.subject_public_key.as_bytes()?)
    };
    read().map(PublicKey::unnamed).ok_or(Refusal::BadCertificate)
}

/// The keys of a JWK set; those for encryption and of unknown kinds are left out.
///
/// *Errors*: [`Refusal::BadKeySet`], also if no key is left.
pub fn jwks_keys(json: &[u8]) -> Result<Vec<PublicKey>, Refusal> {
    let set: KeySet = serde_json::from_slice(json).map_err(|_| Refusal::BadKeySet)?;
    let jwks = set.keys.iter().take(KEY_SET_LIMIT).filter_map(|raw| serde_json::from_str::<Jwk>(raw.get()).ok());
    let keys: Vec<PublicKey> = jwks.filter_map(Jwk::into_key).collect();
    if keys.is_empty() { Err(Refusal::BadKeySet) } else { Ok(keys) }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Box<RawValue>>,
}

/// *Source*: RFC 7517, RFC 7518 6.2 and 6.3, RFC 8037.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    fn into_key(self) -> Option<PublicKey> {
        if self.used_for.as_deref().is_some_and(|used_for| used_for != "sig") {
            return None;
        }
        let bytes = |text: &Option<String>| encoding::token_base64(text.as_deref()?);
        let material = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => rsa_material(&bytes(&self.n)?, &bytes(&self.e)?)?,
            ("OKP", Some("Ed25519")) => ed25519(bytes(&self.x)?)?,
            ("EC", Some("P-256")) => {
                let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
                p256([&[UNCOMPRESSED_POINT], x.as_slice(), y.as_slice()].concat())?
            }
            _ => return None,
        };
        Some(PublicKey { kid: self.kid, material })
    }
}

fn from_spki(der: &[u8]) -> Option<Material> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    let curve = info.algorithm.parameters.and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    material(&info.algorithm.oid, curve, info.subject_public_key.as_bytes()?)
}

fn material(algorithm: &ObjectIdentifier, curve: Option<ObjectIdentifier>, key: &[u8]) -> Option<Material> {
    match *algorithm {
        RSA_OID => {
            let mut reader = SliceReader::new(key).ok()?;
            let (modulus, exponent) = reader
                .sequence(|inner| Ok::<_, x509_cert::der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?)))
                .ok()?;
            rsa_material(modulus.as_bytes(), exponent.as_bytes())
        }
        ED25519_OID => ed25519(key.to_vec()),
        EC_OID if curve == Some(P256_OID) => p256(key.to_vec()),
        _ => None,
    }
}

/// `ring` takes numbers without leading zeros only, and some issuers write one.
fn rsa_material(modulus: &[u8], exponent: &[u8]) -> Option<Material> {
    let bare = |number: &[u8]| number.iter().skip_while(|byte| **byte == 0).copied().collect::<Vec<u8>>();
    let (modulus, exponent) = (bare(modulus), bare(exponent));
    (RSA_MODULUS_BYTES.contains(&modulus.len()) && !exponent.is_empty()).then_some(Material::Rsa { modulus, exponent })
}

fn ed25519(point: Vec<u8>) -> Option<Material> {
    (point.len() == ED25519_KEY_BYTES).then_some(Material::Ed25519(point))
}

fn p256(point: Vec<u8>) -> Option<Material> {
    let is_point = point.len() == 1 + 2 * P256_COORDINATE_BYTES && point.first() == Some(&UNCOMPRESSED_POINT);
    is_point.then_some(Material::P256(point))
}

fn rsa(
    modulus: &[u8],
    exponent: &[u8],
    parameters: &'static signature::RsaParameters,
    message: &[u8],
    found: &[u8],
) -> bool {
    RsaPublicKeyComponents { n: modulus, e: exponent }.verify(parameters, message, found).is_ok()
}
