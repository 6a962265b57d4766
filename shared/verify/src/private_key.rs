//! Private keys, to sign samples and tests with; a hook never has one. `Debug` shows the kind only.

use std::fmt;

use ring::{
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};

use crate::{PublicKey, encoding, jwt::Algorithm, public_key::Method};

const ED25519_SEED_BYTES: usize = 32;

/// A key that signs: RSA, Ed25519 or P-256.
pub struct PrivateKey {
    kid: Option<String>,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
    P256(Box<EcdsaKeyPair>),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("PrivateKey").field(&self.algorithm().word()).finish()
    }
}

impl PrivateKey {
    /// Reads PEM (`PRIVATE KEY`, PKCS#8), or `whsk_` and base64 of an Ed25519 seed.
    ///
    /// *Errors*: a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pair = match text.trim().strip_prefix("whsk_") {
            Some(raw) => encoding::pasted_base64(raw).and_then(|bytes| from_seed(&bytes)),
            None => encoding::pem(text, "PRIVATE KEY").and_then(|der| from_pkcs8(&der)),
        };
        let pair =
            pair.ok_or("The private key must be PEM in PKCS#8 form (RSA, Ed25519 or P-256), or whsk_ and base64.")?;
        Ok(Self { kid: None, pair })
    }

    /// The same key under the name that tokens call it by.
    #[must_use]
    pub fn named(mut self, kid: &str) -> Self {
        self.kid = Some(kid.to_owned());
        self
    }

    /// What its signatures are checked with, under the same name.
    ///
    /// *Errors*: an RSA key of under 2,048 bits.
    pub fn public_key(&self) -> Result<PublicKey, String> {
        let key = match &self.pair {
            Pair::Rsa(pair) => {
                let numbers = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                PublicKey::of_rsa(&numbers.n, &numbers.e)
            }
            Pair::Ed25519(pair) => PublicKey::of_ed25519(pair.public_key().as_ref()),
            Pair::P256(pair) => PublicKey::of_p256(pair.public_key().as_ref()),
        };
        key.map(|key| key.named(self.kid.clone())).ok_or_else(|| "The key is too short.".to_owned())
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rs256,
            Pair::Ed25519(_) => Algorithm::EdDsa,
            Pair::P256(_) => Algorithm::Es256,
        }
    }

    /// *Errors*: a sentence, if the key is of another kind.
    pub(crate) fn sign(&self, method: Method, message: &[u8]) -> Result<Vec<u8>, String> {
        if self.algorithm().method() != method {
            return Err(format!("This is signed with {}, not with {} key.", method.word(), self.algorithm().word()));
        }
        let refused = |_| "The private key cannot sign.".to_owned();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map_err(refused)?;
                Ok(signature)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::P256(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()).map_err(refused)
            }
        }
    }
}

fn from_pkcs8(der: &[u8]) -> Option<Pair> {
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
        return Some(Pair::Ed25519(Box::new(pair)));
    }
    if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
        return Some(Pair::Rsa(Box::new(pair)));
    }
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &SystemRandom::new()).ok()?;
    Some(Pair::P256(Box::new(pair)))
}

/// The seed alone, or with the public key behind it as its older libraries keep them.
fn from_seed(bytes: &[u8]) -> Option<Pair> {
    let (seed, public) = bytes.split_at_checked(ED25519_SEED_BYTES)?;
    let pair = match public {
        [] => Ed25519KeyPair::from_seed_unchecked(seed),
        public => Ed25519KeyPair::from_seed_and_public_key(seed, public),
    };
    pair.ok().map(|pair| Pair::Ed25519(Box::new(pair)))
}
