//! Shared secrets that come as they are: Basic authorization, or a header of its own. Only digests are kept and compared.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, header::AUTHORIZATION};
use ring::digest;
use subtle::ConstantTimeEq;

use crate::{Arrival, Problem, Refusal, Settings, Verified, headers, scheme_document};

/// Whether two texts of any length are the same; how long it takes tells nothing about where they differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    sha256(one).as_ref().ct_eq(sha256(other).as_ref()).into()
}

/// The digests of what may come.
pub(crate) struct Credentials {
    header: HeaderName,
    form: Form,
    digests: Vec<digest::Digest>,
}

#[derive(Clone, Copy)]
enum Form {
    Basic,
    Plain,
}

impl Credentials {
    /// Each secret is `user:password`.
    pub(crate) fn basic(settings: &Settings) -> Result<Self, Problem> {
        let secrets = settings.shared_secrets()?;
        if secrets.iter().any(|secret| !secret.contains(':')) {
            return Err(Problem::of("secrets", "For Basic authorization a secret is written user:password."));
        }
        Ok(Self { header: AUTHORIZATION, form: Form::Basic, digests: digests(secrets) })
    }

    pub(crate) fn shared_header(of_scheme: Option<&HeaderName>, settings: &Settings) -> Result<Self, Problem> {
        let header = shared_header_name(of_scheme, settings)?;
        Ok(Self { header, form: Form::Plain, digests: digests(settings.shared_secrets()?) })
    }

    pub(crate) fn verify(&self, arrival: &Arrival<'_>) -> Result<Verified, Refusal> {
        let value = headers::one(arrival.headers, &self.header)?;
        let came = match self.form {
            Form::Plain => sha256(value.as_bytes()),
            Form::Basic => sha256(&basic_pair(&self.header, value)?),
        };
        // All are compared, so that the time says nothing about which of them it was.
        let mut secret = None;
        for (index, digest) in self.digests.iter().enumerate() {
            if bool::from(digest.as_ref().ct_eq(came.as_ref())) {
                secret = Some(index);
            }
        }
        match secret {
            Some(index) => Ok(Verified { id: None, timestamp: None, secret: Some(index) }),
            None => Err(Refusal::WrongCredentials),
        }
    }
}

/// The header of a shared secret: the hook's own, or the scheme's.
pub(crate) fn shared_header_name(of_scheme: Option<&HeaderName>, settings: &Settings) -> Result<HeaderName, Problem> {
    let own = settings.header.as_deref().map(scheme_document::header_name).transpose();
    let own = own.map_err(|sentence| Problem::of("header", sentence))?;
    own.or_else(|| of_scheme.cloned()).ok_or_else(|| Problem::of("header", "The header with the secret must be named."))
}

fn basic_pair(header: &HeaderName, value: &str) -> Result<Vec<u8>, Refusal> {
    let pair = headers::after_word(value, "Basic").ok_or_else(|| Refusal::malformed(header, "it is not Basic"))?;
    STANDARD.decode(pair).map_err(|_| Refusal::malformed(header, "its credentials are not padded base64"))
}

fn digests(secrets: &[String]) -> Vec<digest::Digest> {
    secrets.iter().map(|secret| sha256(secret.as_bytes())).collect()
}

fn sha256(bytes: &[u8]) -> digest::Digest {
    digest::digest(&digest::SHA256, bytes)
}
