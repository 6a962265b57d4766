//! The schemes by name: the general ones, and those that apps bring.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use domain::{Auth, BEARER, Hook};
use verify::{Scheme, Settings, Verifier};

/// Schemes that belong to no app.
const GENERAL: [&str; 4] = ["basic", "header", "jwt", "none"];

/// Every scheme a hook may be set to.
pub static SCHEMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let general = std::iter::once(BEARER).chain(GENERAL).map(str::to_owned);
    let of_apps = apps::all().iter().filter(|app| app.auth().is_some()).map(|app| app.name().to_owned());
    general.chain(of_apps).collect()
});

/// The scheme `name`; `None` for `bearer`, which is no signature, and for an unknown one.
pub fn scheme(name: &str) -> Option<Arc<Scheme>> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Scheme>>>> = LazyLock::new(Mutex::default);
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Some(Arc::clone(known));
    }
    let parsed = match GENERAL.contains(&name) {
        true => Scheme::general(name)?,
        false => Scheme::parse(apps::find(name)?.auth()?).ok()?,
    };
    let parsed = Arc::new(parsed);
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(&parsed));
    Some(parsed)
}

/// Whether `hook` may take data in the query, as a `GET` brings it: only where its scheme vouches for the query.
pub(crate) fn may_take_query(hook: &Hook) -> bool {
    let scheme = hook.auth.as_ref().and_then(|auth| scheme(&auth.scheme));
    scheme.is_none_or(|scheme| scheme.vouches_for_query())
}

/// What `auth` says, in the words of `verify`.
pub(crate) fn settings(auth: &Auth) -> Settings {
    Settings {
        secrets: auth.secrets.iter().map(|secret| secret.reveal().to_owned()).collect(),
        public_keys: auth.public_keys.clone(),
        tolerance_seconds: auth.tolerance_seconds,
        header: auth.header.clone(),
        url: auth.url.clone(),
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        email: auth.email.clone(),
        subject: auth.subject.clone(),
        topic_arns: auth.topic_arns.clone(),
    }
}

/// Says which setting of `auth` keeps its scheme from working, with the sentence for its author.
pub fn check_auth(auth: &Auth) -> Result<(), (&'static str, String)> {
    if auth.scheme == BEARER {
        return Ok(());
    }
    let Some(scheme) = scheme(&auth.scheme) else {
        return Err(("scheme", format!("The scheme is one of {}.", SCHEMES.join(", "))));
    };
    match Verifier::new(&scheme, &settings(auth)) {
        Ok(_) => Ok(()),
        Err(problem) => Err((problem.setting, problem.sentence)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scheme_that_an_app_brings_can_be_read() {
        for app in apps::all() {
            if let Some(auth) = app.auth() {
                let parsed = Scheme::parse(auth);
                assert!(parsed.is_ok(), "{}: {:?}", app.name(), parsed.err());
            }
        }
    }

    #[test]
    fn an_unknown_scheme_is_answered_with_the_known_ones() {
        let (setting, sentence) = check_auth(&Auth::of("shopfy")).unwrap_err();
        assert_eq!(setting, "scheme");
        assert!(sentence.contains("shopify"), "{sentence}");
    }
}
