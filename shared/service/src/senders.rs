//! How a webhook knows its sender: an API key, a shared secret, a token or a provider's signature.
//!
//! What is checked is decided by `verify` and by the data of `apps`; here is only what a check needs of the world: keys
//! from the directory, certificates and key sets from the web, and the present second.

mod credentials;
mod pages;
mod schemes;

use std::{net::IpAddr, sync::Arc};

use domain::{ApiKeySecret, Auth, BEARER, Hook, KeyProblem, Rejected, Rejection};
use verify::{Arrival, Needs, PublicKey, Refusal, Scheme, Settings, Shown, Verifier};

use crate::{
    accept::{Diagnosis, Door, NotAccepted, unknown_address},
    directory::keys::KeyCache,
    runs::Reason,
};

use pages::Pages;

pub(crate) use credentials::{bearer_token, unknown_key};
pub use schemes::{SCHEMES, check_auth, scheme};
pub(crate) use schemes::{may_take_query, settings};

/// The role of a key that may post to webhooks.
pub const HOOKS_ROLE: &str = "org.hooks";

/// What webhooks remember about senders.
#[derive(Default)]
pub struct Senders {
    keys: Arc<KeyCache>,
    pages: Pages,
}

/// A sender who is not known.
pub(crate) struct Unknown {
    /// What it is told.
    pub(crate) reason: NotAccepted,
    /// What the check said, for the owner.
    failed: Option<Failed>,
}

enum Failed {
    /// An API key that lets its holder do nothing.
    Key(KeyProblem),
    /// A check of what was sent.
    Check(Box<FailedCheck>),
}

struct FailedCheck {
    refusal: Refusal,
    scheme: Arc<Scheme>,
    settings: Settings,
    fetched: Vec<PublicKey>,
}

impl<T: Into<NotAccepted>> From<T> for Unknown {
    fn from(reason: T) -> Self {
        Self { reason: reason.into(), failed: None }
    }
}

impl Senders {
    /// The senders whose API keys are remembered in `keys`, which whoever changes keys in this process shares.
    pub fn with_keys(keys: Arc<KeyCache>) -> Self {
        Self { keys, pages: Pages::default() }
    }

    /// Makes sure that `arrival`, which came from `source`, is of somebody whom `hook` trusts.
    ///
    /// *Errors*: [`Unknown`]. A key of another org is told what an unknown address is told.
    pub(crate) async fn know(
        &self,
        door: &Door,
        hook: &Hook,
        arrival: &Arrival<'_>,
        source: Option<IpAddr>,
    ) -> Result<(), Unknown> {
        let bearer = Auth::of(BEARER);
        let auth = hook.auth.as_ref().unwrap_or(&bearer);
        if auth.scheme == BEARER {
            return self.know_key(door, hook, arrival, source).await;
        }
        let Some(scheme) = scheme(&auth.scheme) else {
            let detail = "This hook is set to a scheme that this version does not know.";
            return Err(Rejected::new(Rejection::Unauthenticated, "bad_credentials", detail).into());
        };
        let settings = schemes::settings(auth);
        let mut fetched = Vec::new();
        match self.check(door, auth, &scheme, &settings, arrival, &mut fetched).await {
            Ok(()) => Ok(()),
            Err(Unchecked::Refused(refusal)) => {
                let reason = told(&scheme, &refusal).into();
                Err(Unknown {
                    reason,
                    failed: Some(Failed::Check(Box::new(FailedCheck { refusal, scheme, settings, fetched }))),
                })
            }
            Err(Unchecked::Misset(sentence)) => {
                tracing::error!(hook.id = %hook.id, sentence, "a hook's settings cannot be used");
                let detail = "This hook cannot check its senders. Its owner has to mend its settings.";
                Err(Rejected::new(Rejection::Unauthenticated, "bad_credentials", detail).into())
            }
            Err(Unchecked::Unavailable(error)) => Err(error.into()),
        }
    }

    async fn know_key(
        &self,
        door: &Door,
        hook: &Hook,
        arrival: &Arrival<'_>,
        source: Option<IpAddr>,
    ) -> Result<(), Unknown> {
        let token = bearer_token(arrival.headers)?;
        let (org, id, secret) = ApiKeySecret::read_token(token).ok_or_else(unknown_key)?;
        let now = door.world.now();
        let key = self.keys.find(door.store.as_ref(), org, id, now).await?;
        let caller = key.map(|key| key.admit(&secret, source, now));
        if org != hook.org {
            return Err(unknown_address().into());
        }
        let caller = caller
            .ok_or_else(unknown_key)?
            .map_err(|problem| Unknown { reason: unknown_key().into(), failed: Some(Failed::Key(problem)) })?;
        if !caller.may(HOOKS_ROLE) {
            let detail = format!("This key may not post to webhooks: it needs the role {HOOKS_ROLE}.");
            return Err(Rejected::new(Rejection::Forbidden, "role_missing", detail).into());
        }
        self.keys.note_use(door.store.as_ref(), org, id, now).await;
        Ok(())
    }

    async fn check(
        &self,
        door: &Door,
        auth: &Auth,
        scheme: &Scheme,
        settings: &Settings,
        arrival: &Arrival<'_>,
        fetched: &mut Vec<PublicKey>,
    ) -> Result<(), Unchecked> {
        let verifier = Verifier::new(scheme, settings).map_err(|problem| Unchecked::Misset(problem.sentence))?;
        let now_seconds = door.world.now().as_second();
        let needs = verifier.needs(arrival).map_err(Unchecked::Refused)?;
        *fetched = self.pages.keys(door, auth, scheme, &needs, pages::Age::Any).await?;
        match verifier.verify(arrival, fetched, now_seconds) {
            Ok(_) => Ok(()),
            // The issuer may have begun to use a new key since its keys were fetched.
            Err(Refusal::UnknownKey) if matches!(needs, Needs::Jwks { .. }) => {
                *fetched = self.pages.keys(door, auth, scheme, &needs, pages::Age::Fresh).await?;
                verifier.verify(arrival, fetched, now_seconds).map(|_| ()).map_err(Unchecked::Refused)
            }
            Err(refusal) => Err(Unchecked::Refused(refusal)),
        }
    }
}

/// Why a check did not say yes.
pub(crate) enum Unchecked {
    Refused(Refusal),
    Misset(String),
    Unavailable(crate::ports::Unavailable),
}

impl From<crate::ports::Unavailable> for Unchecked {
    fn from(error: crate::ports::Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl Unknown {
    /// Why, for the owner. This may take as long as several checks.
    pub(crate) fn diagnosis(&self, hook: &Hook, arrival: &Arrival<'_>, now_seconds: i64) -> Diagnosis {
        let FailedCheck { refusal, scheme, settings, fetched } = match &self.failed {
            None => return Diagnosis::default(),
            Some(Failed::Key(problem)) => return of_key(*problem),
            Some(Failed::Check(failed)) => failed.as_ref(),
        };
        let retired = hook.auth.iter().flat_map(|auth| &auth.retired).filter(|r| now_seconds < r.until.as_second());
        let retired: Vec<String> = retired.map(|r| r.secret.reveal().to_owned()).collect();
        let reasons = verify::diagnose(scheme, settings, &retired, arrival, fetched, refusal, now_seconds);
        Diagnosis {
            check: refusal.check().to_owned(),
            failure: refusal.to_string(),
            reasons: reasons.into_iter().map(|r| Reason { code: r.code.to_owned(), sentence: r.sentence }).collect(),
            transaction: None,
        }
    }
}

fn of_key(problem: KeyProblem) -> Diagnosis {
    let (failure, code, sentence) = match problem {
        KeyProblem::OtherSecret => (
            "The key is there, but the secret in the token is not the key's.",
            "wrong_secret",
            "The token was cut or mistyped, or made up. Copy it again, or rotate the key for a new one.",
        ),
        KeyProblem::Expired => (
            "The key has expired.",
            "expired",
            "Its time was over, or it was rotated and the overlap has ended. Give the sender the present key.",
        ),
        KeyProblem::OtherNetwork => (
            "The key does not work from the address the request came from.",
            "other_network",
            "The key is bound to networks. Add the sender's network to a new key, or let the sender post from where it should.",
        ),
    };
    let reasons = vec![Reason { code: code.to_owned(), sentence: sentence.to_owned() }];
    Diagnosis { check: "key".to_owned(), failure: failure.to_owned(), reasons, transaction: None }
}

/// What a sender to `hook` is asked for, as `WWW-Authenticate` says it. Those such as Amazon SNS send a password only once
/// they are asked.
pub(crate) fn challenge(hook: &Hook) -> &'static str {
    let scheme = hook.auth.as_ref().and_then(|auth| scheme(&auth.scheme));
    match scheme.map(|scheme| scheme.shown()) {
        Some(Shown::Password) => "Basic realm=\"webhook\", charset=\"UTF-8\"",
        // A hook without a scheme takes API keys.
        Some(Shown::Token) | None => "Bearer",
        Some(Shown::SharedSecret | Shown::Signature) => "Signature",
    }
}

/// What a sender is told: enough to mend an honest mistake, and the same for every wrong signature.
fn told(scheme: &Scheme, refusal: &Refusal) -> Rejected {
    if let Refusal::Ambiguous { header } = refusal {
        let detail = format!("The header {header} came more than once. Send it once.");
        return Rejected::new(Rejection::Malformed, "ambiguous_credentials", detail);
    }
    let (code, detail) = match scheme.shown() {
        Shown::Password => {
            ("bad_credentials", "Send the user name and password of this hook as HTTP Basic credentials.")
        }
        Shown::SharedSecret => {
            ("bad_credentials", "Send the shared secret of this hook in the header that its owner chose.")
        }
        Shown::Token => {
            ("bad_credentials", "Send a valid token of the issuer that this hook trusts as `Authorization: Bearer …`.")
        }
        Shown::Signature => (
            "bad_signature",
            "The signature of this request is missing, out of date or does not match. Sign the exact bytes that are sent, with the secret of this hook.",
        ),
    };
    Rejected::new(Rejection::Unauthenticated, code, detail)
}
