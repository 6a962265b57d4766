//! The door of this crate: a scheme with one hook's settings, prepared once, so that each check is little more than its arithmetic.

use std::fmt;

use http::{HeaderMap, HeaderName};

use crate::{
    Problem, PublicKey, Refusal, Scheme, Settings, credentials::Credentials, detached::Detached, jwt::Jwt,
    scheme::Shape, sns::Sns, twilio::Twilio,
};

/// What came, as it came: nothing decoded, nothing parsed.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// In upper case.
    pub method: &'a str,
    /// The full public address, with the query as it was sent.
    pub url: &'a str,
    /// All headers.
    pub headers: &'a HeaderMap,
    /// The raw bytes, after transport encodings only.
    pub body: &'a [u8],
}

/// What a good signature says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// The delivery id, where the signature covers one: the same on every repeat.
    pub id: Option<String>,
    /// When it was signed, in Unix seconds.
    pub timestamp: Option<i64>,
    /// Which of [`Settings::secrets`] matched; none for a public key.
    pub secret: Option<usize>,
}

/// What has to be fetched before an arrival can be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needs {
    /// Nothing; the usual case.
    Nothing,
    /// A certificate of Amazon SNS, for [`crate::certificate_key`]; its host has been checked, redirects must not be followed.
    Certificate {
        /// Where.
        url: String,
    },
    /// The issuer's key set, for [`crate::jwks_keys`].
    Jwks {
        /// The key's name, if the token says it.
        kid: Option<String>,
    },
}

/// A scheme with the secrets and keys of one hook. `Debug` shows none of them.
pub struct Verifier {
    prepared: Prepared,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Verifier").finish_non_exhaustive()
    }
}

enum Prepared {
    Detached(Detached),
    Twilio(Twilio),
    Sns(Sns),
    Jwt(Jwt),
    Credentials(Credentials),
    None,
    Any(Vec<Alternative>),
}

/// One of several schemes; without a verifier if the hook has no key for it.
struct Alternative {
    headers: Vec<HeaderName>,
    verifier: Option<Verifier>,
}

impl Verifier {
    /// Prepares the keys.
    ///
    /// *Errors*: a [`Problem`] for the owner, when the hook is saved. Of several schemes at least one must have its secret or key.
    pub fn new(scheme: &Scheme, settings: &Settings) -> Result<Self, Problem> {
        let prepared = match &scheme.shape {
            Shape::Detached(detached) => Prepared::Detached(Detached::new(detached, settings)?),
            Shape::Twilio => Prepared::Twilio(Twilio::new(settings)?),
            Shape::Sns => Prepared::Sns(Sns::new(settings)?),
            Shape::Jwt(jwt) => Prepared::Jwt(Jwt::new(jwt, settings)?),
            Shape::Basic => Prepared::Credentials(Credentials::basic(settings)?),
            Shape::Header(header) => Prepared::Credentials(Credentials::shared_header(header.as_ref(), settings)?),
            Shape::None => Prepared::None,
            Shape::Any(schemes) => Prepared::Any(alternatives(schemes, settings)?),
        };
        Ok(Self { prepared })
    }

    /// What must be fetched first. Looks at what came only as far as that takes.
    ///
    /// *Errors*: a [`Refusal`] that [`Verifier::verify`] would give as well.
    pub fn needs(&self, arrival: &Arrival<'_>) -> Result<Needs, Refusal> {
        match &self.prepared {
            Prepared::Sns(sns) => Ok(match sns.certificate_url(arrival)? {
                Some(url) => Needs::Certificate { url },
                None => Needs::Nothing,
            }),
            Prepared::Jwt(jwt) => Ok(match jwt.needed_key(arrival)? {
                Some(kid) => Needs::Jwks { kid },
                None => Needs::Nothing,
            }),
            Prepared::Any(alternatives) => decided(alternatives, arrival.headers)?.needs(arrival),
            Prepared::Detached(_) | Prepared::Twilio(_) | Prepared::Credentials(_) | Prepared::None => {
                Ok(Needs::Nothing)
            }
        }
    }

    /// Checks an arrival, with the keys that [`Verifier::needs`] asked for and the clock in Unix seconds.
    pub fn verify(&self, arrival: &Arrival<'_>, fetched: &[PublicKey], now_seconds: i64) -> Result<Verified, Refusal> {
        match &self.prepared {
            Prepared::Detached(detached) => detached.verify(arrival, now_seconds),
            Prepared::Twilio(twilio) => twilio.verify(arrival),
            Prepared::Sns(sns) => sns.verify(arrival, fetched, now_seconds),
            Prepared::Jwt(jwt) => jwt.verify(arrival, fetched, now_seconds),
            Prepared::Credentials(credentials) => credentials.verify(arrival),
            Prepared::None => Ok(Verified::default()),
            Prepared::Any(alternatives) => {
                decided(alternatives, arrival.headers)?.verify(arrival, fetched, now_seconds)
            }
        }
    }
}

fn alternatives(schemes: &[Scheme], settings: &Settings) -> Result<Vec<Alternative>, Problem> {
    let mut problem = None;
    let alternatives: Vec<Alternative> = schemes
        .iter()
        .map(|scheme| Alternative {
            headers: scheme.deciding_headers().to_vec(),
            verifier: Verifier::new(scheme, settings).map_err(|found| problem.get_or_insert(found).clone()).ok(),
        })
        .collect();
    match problem {
        Some(problem) if alternatives.iter().all(|alternative| alternative.verifier.is_none()) => Err(problem),
        Some(_) | None => Ok(alternatives),
    }
}

/// The first scheme whose header came decides alone: after its refusal no other is asked.
fn decided<'a>(alternatives: &'a [Alternative], headers: &HeaderMap) -> Result<&'a Verifier, Refusal> {
    let came = |alternative: &&Alternative| alternative.headers.iter().any(|name| headers.contains_key(name));
    match alternatives.iter().find(came) {
        Some(alternative) => alternative.verifier.as_ref().ok_or(Refusal::NoSecret),
        None => {
            let header = alternatives.iter().flat_map(|alternative| &alternative.headers).next();
            Err(Refusal::Missing { header: header.map(|name| name.as_str().to_owned()).unwrap_or_default() })
        }
    }
}
