//! Putting dead letters on the queue again: one, or as many as a filter fits, a few each second.
//!
//! A letter is marked only once the queue has its message. Where that mark is missing it is redriven twice, which does no harm:
//! it is the same transaction, whose runs begin once, or names the same run.

use domain::{DeadLetterId, exact::object};
use futures_util::{TryStreamExt, stream};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Refused, Response,
        attributes::{flag, number},
        call::{Call, check_names, not_found},
        resource::one,
    },
    filter::{Filter, NAMES},
    found, letter_resource,
};
use crate::{
    directory::Paging,
    document::Versioned,
    ports::{LIST_LIMIT_ITEMS, Order, Unavailable, WriteError},
    runs::{self, DeadLetter, LetterState},
};

/// How many letters one request redrives at the most. *Why*: it is done long before API Gateway gives up after 29 seconds, and
/// one each second is less than the 900 seconds that the queue can hold a message back.
const REDRIVE_LIMIT_LETTERS: usize = 500;

/// How many letters one request looks at for some that fit, in pages of [`LIST_LIMIT_ITEMS`].
const LOOK_LIMIT_PAGES: usize = 100;

/// How many letters a second are put on the queue at the most, and where nothing is said.
const RATE_LIMIT: usize = 100;
const RATE_UNSET: usize = 10;

/// How often a letter is marked that others write at the same time.
const TRIES_LIMIT: usize = 5;

/// How many are redriven at the same time.
const AT_ONCE: usize = 8;

/// What a request to redrive many asks for.
struct Wish {
    filter: Filter,
    is_dry_run: bool,
    per_second: usize,
    limit: usize,
}

/// The letters that fit.
struct Fitting {
    /// The first ones, the oldest first, no more than are redriven.
    first: Vec<DeadLetterId>,
    count: usize,
    /// The last one that was looked at, where there are more.
    last_looked_at: Option<DeadLetter>,
}

/// `POST /v1/dead-letters/{id}/redrive`: puts its message on the queue again; doing it again changes nothing.
pub(in super::super) async fn redrive(call: &Call<'_>) -> Result<Response, Refused> {
    let found = found(call).await?;
    let letter = match found.value.state {
        LetterState::Redriven => found.value,
        LetterState::Dead => put_back(call, found, 0).await?,
    };
    Ok(one(StatusCode::OK, letter_resource(&letter, None)))
}

/// `POST /v1/dead-letters/redrive`: `{"event":"…","dryRun":true,"perSecond":10,"limit":500}`.
///
/// The oldest are first. *Errors*: `503` where the queue or the store fails; what is redriven by then is marked, and asking again
/// goes on with the others.
pub(in super::super) async fn redrive_many(call: &Call<'_>) -> Result<Response, Refused> {
    let wish = wish(&call.attributes()?)?;
    let Fitting { first, count, last_looked_at } = fitting(call, &wish).await?;
    let seconds = first.len().saturating_sub(1) / wish.per_second;
    let redriven = match wish.is_dry_run {
        true => 0,
        false => put_all_back(call, first, wish.per_second).await?,
    };
    let attributes = json!({
        "dryRun": wish.is_dry_run,
        "matched": count,
        "redriven": redriven,
        "remaining": count.saturating_sub(redriven),
        "perSecond": wish.per_second,
        "seconds": seconds,
        "lookOnFrom": last_looked_at.map(|letter| letter.failed_at),
    });
    Ok(one(StatusCode::OK, object([("type", json!("dead_letter_redrive")), ("attributes", attributes)])))
}

fn wish(attributes: &Map<String, Value>) -> Result<Wish, Refused> {
    let known: Vec<&str> = NAMES.into_iter().chain(["dryRun", "perSecond", "limit"]).collect();
    check_names(attributes, &known)?;
    Ok(Wish {
        filter: Filter::of_attributes(attributes)?,
        is_dry_run: flag(attributes, "dryRun")?,
        per_second: number(attributes, "perSecond", RATE_UNSET, RATE_LIMIT)?,
        limit: number(attributes, "limit", REDRIVE_LIMIT_LETTERS, REDRIVE_LIMIT_LETTERS)?,
    })
}

async fn fitting(call: &Call<'_>, wish: &Wish) -> Result<Fitting, Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let mut fitting = Fitting { first: Vec::new(), count: 0, last_looked_at: None };
    let mut after = None;
    for _ in 0..LOOK_LIMIT_PAGES {
        let page = (Order::Ascending, Paging { limit: LIST_LIMIT_ITEMS, after });
        let listing = runs::list_dead_letters(store, org, LetterState::Dead, wish.filter.failed(), page).await?;
        for letter in listing.items.iter().filter(|letter| wish.filter.fits(letter)) {
            fitting.count += 1;
            if fitting.first.len() < wish.limit {
                fitting.first.push(letter.id);
            }
        }
        after = listing.next;
        if after.is_none() {
            fitting.last_looked_at = None;
            break;
        }
        fitting.last_looked_at = listing.items.into_iter().next_back().or(fitting.last_looked_at);
    }
    Ok(fitting)
}

/// Puts the letters on the queue again, so many each second; how many. Those that are redriven or gone by now are left out.
async fn put_all_back(call: &Call<'_>, letters: Vec<DeadLetterId>, per_second: usize) -> Result<usize, Refused> {
    let numbered = letters.into_iter().enumerate().map(|(number, id)| {
        let seconds = u32::try_from(number / per_second).unwrap_or(u32::MAX);
        Ok::<_, Refused>((id, seconds))
    });
    stream::iter(numbered)
        .map_ok(|(id, seconds)| put_back_if_dead(call, id, seconds))
        .try_buffer_unordered(AT_ONCE)
        .try_fold(0, async |redriven, was_dead| Ok(redriven + usize::from(was_dead)))
        .await
}

async fn put_back_if_dead(call: &Call<'_>, id: DeadLetterId, seconds: u32) -> Result<bool, Refused> {
    let found = runs::find_dead_letter(call.management.store.as_ref(), call.caller.org, id).await?;
    let Some(found) = found.filter(|found| found.value.state == LetterState::Dead) else { return Ok(false) };
    put_back(call, found, seconds).await.map(|_| true)
}

/// Puts the message of the letter on the queue, to be delivered in `seconds`, and marks the letter.
///
/// *Once it returns* the message is durable on the queue.
async fn put_back(call: &Call<'_>, found: Versioned<DeadLetter>, seconds: u32) -> Result<DeadLetter, Refused> {
    let (store, letter) = (call.management.store.as_ref(), &found.value);
    let message = runs::find_dead_message(store, letter.org, letter.id).await?.ok_or_else(not_found)?;
    call.management.queue.send_later(letter.org, message, seconds).await?;
    mark(call, found).await
}

/// Marks the letter as redriven, unless somebody else has done so or discarded it.
async fn mark(call: &Call<'_>, mut found: Versioned<DeadLetter>) -> Result<DeadLetter, Refused> {
    let store = call.management.store.as_ref();
    for _ in 0..TRIES_LIMIT {
        let (redriven_at, redriven_by) = (Some(call.management.world.now()), Some(call.caller.key));
        let redriven = DeadLetter { state: LetterState::Redriven, redriven_at, redriven_by, ..found.value };
        match store.write(&[runs::dead_letter_change(&redriven, Some(found.rev))?]).await {
            Ok(()) => return Ok(redriven),
            Err(WriteError::Unavailable(error)) => return Err(error.into()),
            Err(WriteError::Conflict { .. }) => {}
        }
        match runs::find_dead_letter(store, redriven.org, redriven.id).await? {
            Some(now) if now.value.state == LetterState::Dead => found = now,
            Some(now) => return Ok(now.value),
            None => return Ok(redriven),
        }
    }
    let cause = format!("a dead letter was written by others {TRIES_LIMIT} times");
    Err(Unavailable { port: "store", cause }.into())
}
