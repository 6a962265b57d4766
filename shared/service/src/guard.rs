//! The guard of a public form: what a post has to show before it is taken.
//!
//! Checks go from cheap to dear, and what can be used only once is used last, so that a post that is refused can be mended
//! and sent again with the same token: the fields of the guard are taken out of the data ([`Shown::take`]), they are
//! checked without a look at the world ([`check`]), and only then is a captcha asked and the token marked ([`admit`]).

pub(crate) mod captcha;
pub(crate) mod challenge;
pub(crate) mod origin;
mod settings;
mod shown;

use domain::{Guard, Hook, Rejected, Rejection, Timestamp};

pub use settings::{check as check_settings, with_challenge_key};
pub(crate) use shown::Shown;

use crate::{
    Door,
    accept::{Arrival, NotAccepted, Repeat, data_sha256},
    runs::{self, KeyDigest, Mark, Marked},
};
use captcha::Captcha;

/// How long a used token is remembered: longer than any is good for.
const USED_SECONDS: u32 = challenge::LIFE_SECONDS + 60;

/// Checks what needs neither the store nor the web: honeypot, token, time and work.
///
/// *Errors*: what the sender must change; [`NotAccepted::Unavailable`] when the guard was saved without its key.
pub(crate) fn check(hook: &Hook, guard: &Guard, shown: &Shown, now: Timestamp) -> Result<(), NotAccepted> {
    if shown.is_honeypot_filled {
        let name = guard.honeypot.as_deref().unwrap_or_default();
        let detail =
            format!("The field {name} is there for machines. People leave it empty: send the form without it.");
        return Err(refused("honeypot_filled", detail).into());
    }
    if challenge::is_asked(guard) {
        let issued_at = challenge::issued_at(hook, guard, shown, now)?;
        challenge::check_fill_time(guard, issued_at, now)?;
        challenge::check_work(guard, shown)?;
    }
    Captcha::asked(guard).try_for_each(|captcha| captcha.response(shown).map(|_| ())).map_err(NotAccepted::from)
}

/// Checks a token that is to stand for more than one request, as uploads before the post do: the person may still be
/// filling in the form, and the token is not used up.
///
/// *Errors*: as [`check`].
pub(crate) fn check_ahead(hook: &Hook, guard: &Guard, shown: &Shown, now: Timestamp) -> Result<(), NotAccepted> {
    if challenge::is_asked(guard) {
        challenge::issued_at(hook, guard, shown, now)?;
        challenge::check_work(guard, shown)?;
    }
    Ok(())
}

/// Asks the captchas and marks the token as used by `arrival`. [`check`] has passed.
///
/// *Once it returns* no post with other data is admitted with the same token. This one is, as often as it comes, under the
/// id that it had first, so that a post whose answer was lost is never lost itself.
/// *Errors*: [`NotAccepted`]; a store or captcha that does not answer admits nobody.
pub(crate) async fn admit(
    door: &Door,
    hook: &Hook,
    guard: &Guard,
    shown: &Shown,
    arrival: &mut Arrival,
) -> Result<(), NotAccepted> {
    let Some(ticket) = ticket(guard, shown) else { return Ok(()) };
    let key = KeyDigest::of(&format!("challenge:{ticket}"));
    let body_sha256 = data_sha256(&arrival.reading.data);
    let mark = Mark { transaction: arrival.id, created_at: arrival.created_at, body_sha256 };
    let store = door.store.as_ref();
    if Captcha::asked(guard).next().is_some() {
        // A captcha's answer is good for one question only, so a post that comes again is known before it is asked.
        if let Some(before) = runs::find_mark(store, hook.org, hook.id, &key).await? {
            return Ok(repeat(arrival, &mark, &before)?);
        }
        for captcha in Captcha::asked(guard) {
            captcha.ask(door.web.as_ref(), shown, &mark.body_sha256).await?;
        }
    }
    match runs::mark(store, hook.org, hook.id, &key, &mark, USED_SECONDS).await? {
        Marked::First => Ok(()),
        Marked::Repeat(before) => Ok(repeat(arrival, &mark, &before)?),
    }
}

/// *Errors*: the token was used by a post with other data.
fn repeat(arrival: &mut Arrival, mark: &Mark, before: &Mark) -> Result<(), Rejected> {
    if before.body_sha256 != mark.body_sha256 {
        let detail = "This challenge has already been used for another post. Get a new one and send the form again.";
        return Err(refused("challenge_used", detail));
    }
    (arrival.id, arrival.created_at, arrival.repeat) = (before.transaction, before.created_at, Repeat::Yes);
    Ok(())
}

/// What is used up by the post: our token, or where none is asked for, a captcha's answer.
fn ticket<'a>(guard: &'a Guard, shown: &'a Shown) -> Option<&'a str> {
    if challenge::is_asked(guard) {
        return shown.token.as_deref();
    }
    Captcha::asked(guard).find_map(|captcha| captcha.response(shown).ok())
}

pub(crate) fn refused(code: &'static str, detail: impl Into<String>) -> Rejected {
    Rejected::new(Rejection::Malformed, code, detail)
}
