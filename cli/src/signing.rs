//! Signing on this machine, where the server must not have what is signed with, or is not asked.
//!
//! The scheme is looked up as the server does it: a built-in app's own, else one of the general ones.

use domain::Timestamp;
use serde_json::Value;
use verify::{
    Scheme, Settings, SignedWith,
    sign::{self, PrivateKey, Unsigned},
};

use crate::{failure::Failure, outgoing::Outgoing, source};

/// The scheme of a webhook that names none.
pub(crate) const BEARER: &str = "bearer";

/// Something that signs requests as a hook's sender would.
pub(crate) struct Signer {
    way: Way,
}

enum Way {
    /// With a key of an org in `Authorization`, which is not `verify`'s business.
    Bearer(String),
    /// As the scheme has it.
    Scheme(Box<OfScheme>),
}

struct OfScheme {
    scheme: Scheme,
    settings: Settings,
    private_key: Option<PrivateKey>,
}

impl Signer {
    /// Signs with an API key.
    pub(crate) fn with_key(key: String) -> Self {
        Self { way: Way::Bearer(key) }
    }

    /// Signs with the secret in the scheme of `auth`, a hook's attribute.
    ///
    /// *Errors*: there is no such scheme, or it does not sign with a secret.
    pub(crate) fn with_secret(auth: &Value, secret: String) -> Result<Self, Failure> {
        if scheme_word(auth) == BEARER {
            return Ok(Self::with_key(secret));
        }
        let (scheme, mut settings) = read(auth)?;
        if scheme.signed_with() == SignedWith::PrivateKey {
            return Err(usage(format!("{} signs with a private key: pass it with --private-key.", scheme_word(auth))));
        }
        settings.secrets = vec![secret];
        Ok(Self { way: of_scheme(scheme, settings, None) })
    }

    /// Signs with the private key (PKCS#8, PEM) in a file, in the scheme of `auth`.
    ///
    /// *Errors*: the file cannot be read or holds no such key, or there is no such scheme.
    pub(crate) fn with_private_key(auth: &Value, file: &str) -> Result<Self, Failure> {
        let (scheme, settings) = read(auth)?;
        let key = PrivateKey::parse(&source::read_text(file)?);
        let key = key.map_err(|error| usage(format!("The file {file} cannot be used: {error}")))?;
        Ok(Self { way: of_scheme(scheme, settings, Some(key)) })
    }

    /// Signs with nothing, in the scheme of `auth`.
    ///
    /// *Errors*: there is no such scheme, or it has to sign.
    pub(crate) fn without_secret(auth: &Value) -> Result<Self, Failure> {
        let word = scheme_word(auth);
        if word == BEARER {
            return Err(usage("The hook takes API keys: pass one with --key or HOOKWRIGHT_HOOK_KEY.".to_owned()));
        }
        let (scheme, settings) = read(auth)?;
        match scheme.signed_with() {
            SignedWith::Nothing => Ok(Self { way: of_scheme(scheme, settings, None) }),
            SignedWith::Secret | SignedWith::Credentials => {
                Err(usage(format!("{word} signs with a secret: pass it with --secret or --secret-file.")))
            }
            SignedWith::PrivateKey => Err(usage(needs_private_key(word))),
        }
    }

    /// Whether what it adds is an API key.
    pub(crate) fn adds_key(&self) -> bool {
        matches!(self.way, Way::Bearer(_))
    }

    /// The request with its signature.
    ///
    /// *Errors*: a sentence, where the scheme cannot sign it.
    pub(crate) fn sign(&self, mut request: Outgoing, id: &str, now: Timestamp) -> Result<Outgoing, String> {
        match &self.way {
            Way::Bearer(key) => {
                request.replace_headers(vec![("authorization".to_owned(), format!("Bearer {key}"))]);
                Ok(request)
            }
            Way::Scheme(of_scheme) => {
                let OfScheme { scheme, settings, private_key } = of_scheme.as_ref();
                let Outgoing { method, url, headers, body } = request.clone();
                let unsigned = Unsigned { method, url, headers, body };
                let signed = sign::sign(scheme, settings, private_key.as_ref(), unsigned, id, now.as_second())?;
                (request.url, request.body) = (signed.url, signed.body);
                request.replace_headers(signed.headers);
                Ok(request)
            }
        }
    }
}

fn of_scheme(scheme: Scheme, settings: Settings, private_key: Option<PrivateKey>) -> Way {
    Way::Scheme(Box::new(OfScheme { scheme, settings, private_key }))
}

/// The word of the scheme in a hook's `auth`.
pub(crate) fn scheme_word(auth: &Value) -> &str {
    auth.get("scheme").and_then(Value::as_str).unwrap_or(BEARER)
}

/// What is wanted where a scheme signs with a key that no server has.
pub(crate) fn needs_private_key(scheme: &str) -> String {
    format!(
        "{scheme} signs with a private key, which only its sender has: make a pair of your own, give the hook the public one with --public-key, and pass the private one with --private-key."
    )
}

fn read(auth: &Value) -> Result<(Scheme, Settings), Failure> {
    let word = scheme_word(auth);
    let of_app = apps::find(word).and_then(apps::App::auth).map(Scheme::parse).transpose().map_err(usage)?;
    let scheme = of_app.or_else(|| Scheme::general(word));
    let scheme = scheme.ok_or_else(|| usage(format!("There is no scheme `{word}` that this program can sign in.")))?;
    let settings = if auth.is_null() { Ok(Settings::default()) } else { serde_json::from_value(auth.clone()) };
    Ok((scheme, settings.map_err(|error| usage(format!("The hook's auth cannot be read: {error}.")))?))
}

fn usage(sentence: String) -> Failure {
    Failure::Usage(sentence)
}
