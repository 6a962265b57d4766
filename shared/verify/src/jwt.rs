//! Tokens of an issuer, RS256, ES256 or `EdDSA`. They are read here and not by the well-kept crate, because the clock must be an argument
//! and that crate's backends would bring a second crypto library.
//!
//! The algorithm is the hook's choice: what the token names must be on its list and fit the key, so `none` and HMAC with a public key
//! are refused before a key is looked at.

use http::{HeaderName, header::AUTHORIZATION};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Number, Value};

use crate::{
    Arrival, Problem, PublicKey, Refusal, Settings, Verified, detached::parse_keys, encoding, headers,
    public_key::Method, scheme, scheme::Requirement, scheme_document,
};

/// How far the issuer's clock may be off, unless the hook says otherwise.
const LEEWAY_SECONDS: i64 = 60;

/// Longest token that is looked at.
const TOKEN_LIMIT_BYTES: usize = 16_384;

/// What a token may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(crate) const fn method(self) -> Method {
        match self {
            Self::Rs256 => Method::RsaSha256,
            Self::Es256 => Method::EcdsaP256,
            Self::EdDsa => Method::Ed25519,
        }
    }
}

/// What tokens must say.
pub(crate) struct Jwt {
    header: HeaderName,
    algorithms: Vec<Algorithm>,
    keys: Vec<PublicKey>,
    issuers: Vec<String>,
    audience: String,
    email: Option<String>,
    subject: Option<String>,
    leeway_seconds: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// *Source*: RFC 7519, 4.1; `OpenID` Connect Core, 5.1.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    aud: Option<Value>,
    exp: Option<Number>,
    nbf: Option<Number>,
    iat: Option<Number>,
    sub: Option<String>,
    email: Option<String>,
    email_verified: Option<Value>,
}

/// A token in its three parts.
struct Token<'a> {
    header: Header,
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

impl Jwt {
    pub(crate) fn new(scheme: &scheme::Jwt, settings: &Settings) -> Result<Self, Problem> {
        let keys =
            parse_keys(if settings.public_keys.is_empty() { &scheme.public_keys } else { &settings.public_keys })?;
        let issuers = settings.issuer.as_ref().map_or_else(|| scheme.issuers.clone(), |issuer| vec![issuer.clone()]);
        if issuers.is_empty() && keys.is_empty() {
            return Err(Problem::of("issuer", "The issuer of the tokens must be named."));
        }
        let audience = settings.audience.clone().filter(|audience| !audience.is_empty());
        let audience = audience.ok_or_else(|| Problem::of("audience", "The audience of the tokens must be named."))?;
        if scheme.requires.contains(&Requirement::Email) && settings.email.is_none() {
            return Err(Problem::of("email", "The e-mail address of the sender must be named."));
        }
        if scheme.requires.contains(&Requirement::Subject) && settings.subject.is_none() {
            return Err(Problem::of("subject", "The subject of the tokens must be named."));
        }
        Ok(Self {
            header: token_header(settings)?,
            algorithms: if scheme.algorithms.is_empty() { Algorithm::ALL.to_vec() } else { scheme.algorithms.clone() },
            keys,
            issuers,
            audience,
            email: settings.email.clone(),
            subject: settings.subject.clone(),
            leeway_seconds: settings.tolerance(Some(LEEWAY_SECONDS))?,
        })
    }

    /// The name of the key to fetch; `None` if the hook has keys of its own.
    pub(crate) fn needed_key(&self, arrival: &Arrival<'_>) -> Result<Option<Option<String>>, Refusal> {
        let (token, _) = self.token(arrival)?;
        Ok(self.keys.is_empty().then_some(token.header.kid))
    }

    pub(crate) fn verify(
        &self,
        arrival: &Arrival<'_>,
        fetched: &[PublicKey],
        now_seconds: i64,
    ) -> Result<Verified, Refusal> {
        let (token, method) = self.token(arrival)?;
        let keys = if self.keys.is_empty() { fetched } else { &self.keys };
        let is_named = |key: &&PublicKey| match (token.header.kid.as_deref(), key.kid()) {
            (Some(wanted), Some(kid)) => wanted == kid,
            (None, _) | (_, None) => true,
        };
        let mut keys = keys.iter().filter(is_named).filter(|key| key.fits(method)).peekable();
        if keys.peek().is_none() {
            return Err(Refusal::UnknownKey);
        }
        if !keys.any(|key| key.verifies(method, token.signed.as_bytes(), &token.signature)) {
            return Err(Refusal::WrongSignature);
        }
        let claims: Claims = self.part(token.claims)?;
        self.check_times(&claims, now_seconds)?;
        self.check_identity(&claims)?;
        Ok(Verified { id: None, timestamp: claims.iat.and_then(|iat| iat.as_i64()), secret: None })
    }

    fn token<'a>(&self, arrival: &Arrival<'a>) -> Result<(Token<'a>, Method), Refusal> {
        let malformed = |what| Refusal::malformed(&self.header, what);
        let value = headers::one(arrival.headers, &self.header)?;
        let text = match headers::after_word(value, "Bearer") {
            Some(text) => text,
            None if self.header == AUTHORIZATION => return Err(malformed("it is not Bearer")),
            None => value,
        };
        if text.len() > TOKEN_LIMIT_BYTES {
            return Err(malformed("the token is longer than 16384 bytes"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(|| malformed("it is not a token of three parts"))?;
        let (header, claims) = signed.split_once('.').ok_or_else(|| malformed("it is not a token of three parts"))?;
        let header: Header = self.part(header)?;
        let named = self.algorithms.iter().find(|algorithm| algorithm.word() == header.alg);
        let algorithm = named.ok_or(Refusal::WrongAlgorithm)?;
        if header.crit.is_some() {
            return Err(malformed("the token demands extensions that nobody here knows"));
        }
        let signature =
            encoding::token_base64(signature).ok_or_else(|| malformed("the token's signature is not base64url"))?;
        Ok((Token { header, signed, claims, signature }, algorithm.method()))
    }

    fn part<T: DeserializeOwned>(&self, text: &str) -> Result<T, Refusal> {
        encoding::token_base64(text)
            .and_then(|json| serde_json::from_slice(&json).ok())
            .ok_or_else(|| Refusal::malformed(&self.header, "a part of the token is not JSON in base64url"))
    }

    fn check_times(&self, claims: &Claims, now_seconds: i64) -> Result<(), Refusal> {
        let expires = seconds("exp", claims.exp.as_ref())?.ok_or(Refusal::WrongClaim { claim: "exp" })?;
        let late_seconds = now_seconds.saturating_sub(expires);
        if late_seconds > self.leeway_seconds {
            return Err(Refusal::Expired { by_seconds: late_seconds });
        }
        for (claim, number) in [("nbf", &claims.nbf), ("iat", &claims.iat)] {
            let from = seconds(claim, number.as_ref())?.unwrap_or(now_seconds);
            let early_seconds = from.saturating_sub(now_seconds);
            if early_seconds > self.leeway_seconds {
                return Err(Refusal::TooNew { by_seconds: early_seconds });
            }
        }
        Ok(())
    }

    fn check_identity(&self, claims: &Claims) -> Result<(), Refusal> {
        let is_issuer = self.issuers.is_empty()
            || claims.iss.as_ref().is_some_and(|found| self.issuers.iter().any(|issuer| issuer == found));
        let is_audience = match &claims.aud {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience.as_str() == Some(&self.audience)),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => false,
        };
        let is_email = self.email.is_none() || claims.email == self.email;
        let is_verified = self.email.is_none() || claims.email_verified == Some(Value::Bool(true));
        let is_subject = self.subject.is_none() || claims.sub == self.subject;
        let checks = [
            ("iss", is_issuer),
            ("aud", is_audience),
            ("email", is_email),
            ("email_verified", is_verified),
            ("sub", is_subject),
        ];
        match checks.iter().find(|(_, is_right)| !is_right) {
            Some((claim, _)) => Err(Refusal::WrongClaim { claim }),
            None => Ok(()),
        }
    }
}

/// Where the token comes.
pub(crate) fn token_header(settings: &Settings) -> Result<HeaderName, Problem> {
    let own = settings.header.as_deref().map(scheme_document::header_name).transpose();
    own.map(|own| own.unwrap_or(AUTHORIZATION)).map_err(|sentence| Problem::of("header", sentence))
}

/// Whole seconds; a fraction, an exponent or a number out of range is a wrong claim.
fn seconds(claim: &'static str, number: Option<&Number>) -> Result<Option<i64>, Refusal> {
    number.map(|number| number.as_i64().ok_or(Refusal::WrongClaim { claim })).transpose()
}

/// What a claim says, before anything about the token is believed; for the owner's eyes.
pub(crate) fn claim_text(arrival: &Arrival<'_>, settings: &Settings, claim: &str) -> Option<String> {
    let value = headers::one(arrival.headers, &token_header(settings).ok()?).ok()?;
    let claims: Value = serde_json::from_slice(&encoding::token_base64(value.split('.').nth(1)?)?).ok()?;
    claims.get(claim).map(Value::to_string)
}
