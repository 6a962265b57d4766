//! The guard of a public form: what a post has to show before it is taken.
//!
//! Checks go from cheap to dear, and what can be used only once is used last, so that a post that is refused can be mended
//! and sent again with the same token: the data is read, the fields of the guard are taken out of it ([`Shown::take`]),
//! they are checked without a look at the world ([`check`]), and only then is a captcha asked about and the token marked
//! as used ([`admit`]).

pub(crate) mod captcha;
pub(crate) mod challenge;
pub(crate) mod once;
pub(crate) mod origin;
mod settings;
mod shown;

use domain::{Guard, Hook, Rejected, Rejection, Timestamp, TransactionId};
use sha2::{Digest, Sha256};

pub use settings::{check as check_settings, with_challenge_key};
pub(crate) use shown::Shown;

use crate::{
    accept::{Label, NotAccepted},
    ports::{Fetch, Store},
};
use captcha::Captcha;
use once::{Mark, Use};

/// A post that showed all it had to.
#[derive(Debug)]
pub(crate) enum Admitted {
    /// Its hook has nothing that is used once.
    Freely,
    /// With a token that is now marked: the transaction has the id and the instant of the mark, and [`once::settle`]
    /// follows once it is durable. They are those of an earlier try whose end is not known, if there was one.
    With(Mark),
    /// It is the very post that became this transaction before; there is nothing more to do.
    Before(TransactionId),
}

/// Checks what needs neither the store nor the web: honeypot, token, time and work.
///
/// *Errors*: what the sender must change; [`NotAccepted::Unavailable`] when the guard was saved without its key.
pub(crate) fn check(hook: &Hook, guard: &Guard, shown: &Shown, now: Timestamp) -> Result<(), NotAccepted> {
    if shown.is_honeypot_filled {
        let name = guard.honeypot.as_deref().unwrap_or_default();
        let detail = format!("The field {name} is there for machines. People leave it empty: send the form without it.");
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

/// What a post is known by when it comes again.
pub(crate) struct Post<'a> {
    /// What the headers say of the body.
    pub(crate) label: &'a Label,
    /// The body as it came.
    pub(crate) body: &'a [u8],
    /// The id its transaction will have.
    pub(crate) id: TransactionId,
    /// When it came.
    pub(crate) created_at: Timestamp,
}

/// Asks the captchas and marks the token as used. [`check`] has passed.
///
/// *Once it returns* no other post is admitted with the same token; this one is, as often as it comes.
/// *Errors*: [`NotAccepted`]; an unavailable store or captcha admits nobody.
pub(crate) async fn admit(
    store: &dyn Store,
    web: &dyn Fetch,
    hook: &Hook,
    guard: &Guard,
    shown: &Shown,
    post: &Post<'_>,
) -> Result<Admitted, NotAccepted> {
    let Some(ticket) = ticket(guard, shown) else { return Ok(Admitted::Freely) };
    let mark = Mark::new(ticket, digest(post.label, post.body), post.id, post.created_at);
    if Captcha::asked(guard).next().is_some() {
        // A captcha's answer is good for one question only, so a post that comes again is known before it is asked.
        if let Some(used) = once::find(store, hook, &mark).await? {
            return admitted(used);
        }
        for captcha in Captcha::asked(guard) {
            captcha.ask(web, shown, &mark).await?;
        }
    }
    admitted(once::mark(store, hook, mark).await?)
}

fn admitted(used: Use) -> Result<Admitted, NotAccepted> {
    match used {
        Use::Open(mark) => Ok(Admitted::With(mark)),
        Use::Taken(id) => Ok(Admitted::Before(id)),
        Use::ByAnother => {
            let detail = "This challenge has already been used for another post. Get a new one and send the form again.";
            Err(refused("challenge_used", detail).into())
        }
    }
}

/// What is used up by the post: our token, or where none is asked for, a captcha's answer.
fn ticket<'a>(guard: &'a Guard, shown: &'a Shown) -> Option<&'a str> {
    if challenge::is_asked(guard) {
        return shown.token.as_deref();
    }
    Captcha::asked(guard).find_map(|captcha| captcha.response(shown).ok())
}

/// Tells one post from another. The media type belongs to it: the same bytes read in another way are other data.
fn digest(label: &Label, body: &[u8]) -> String {
    let mut hasher = Sha256::new();
    for content_type in &label.content_types {
        hasher.update(content_type.as_bytes());
        hasher.update(b"\n");
    }
    hasher.update(b"\n");
    hasher.update(body);
    hex::encode(hasher.finalize())
}

pub(crate) fn refused(code: &'static str, detail: impl Into<String>) -> Rejected {
    Rejected::new(Rejection::Malformed, code, detail)
}
