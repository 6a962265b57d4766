//! How webhooks fare: since when nothing was delivered to one, whether its owner was warned, and that it was given up.
//!
//! This is in the runs table, so that whoever delivers need not be able to change what an owner has set up.

use domain::{OrgId, Timestamp, WebhookId};
use serde::{Deserialize, Serialize};

use super::find_all;
use crate::{
    document::{self, Versioned},
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable},
};

/// How long a webhook fails before its owner is warned.
pub const WARNED_AFTER_SECONDS: i64 = 24 * 60 * 60;

/// How long a webhook fails before it is disabled. *Source*: Svix, whose users know it so.
pub const DISABLED_AFTER_SECONDS: i64 = 5 * 24 * 60 * 60;

/// How long its owner has had a warning before it is disabled, where too little happens for an earlier one.
const WARNING_SECONDS: i64 = 24 * 60 * 60;

/// How a webhook fares.
///
/// *Shape*: `{"webhook":"…","failingSince":"…","warnedAt":"…","stopped":{"at":"…","code":"failing","sentence":"…"}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The webhook.
    pub webhook: WebhookId,
    /// When the first attempt failed that no success has followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    /// When its owner was warned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warned_at: Option<Timestamp>,
    /// That nothing is delivered to it until its owner enables it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// Why nothing is delivered to a webhook any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when.
    pub at: Timestamp,
    /// A stable word: `failing`, `gone`.
    pub code: String,
    /// Why, and what to do, in a sentence.
    pub sentence: String,
}

impl Standing {
    /// That of a webhook of which nothing is known.
    pub const fn new(webhook: WebhookId) -> Self {
        Self { webhook, failing_since: None, warned_at: None, stopped: None }
    }

    /// After something was delivered.
    #[must_use]
    pub fn after_success(&self) -> Self {
        Self { stopped: self.stopped.clone(), ..Self::new(self.webhook) }
    }

    /// After an attempt failed at `now`.
    #[must_use]
    pub fn after_failure(&self, now: Timestamp) -> Self {
        let since = self.failing_since.unwrap_or(now);
        let is_past = |from: Timestamp, seconds: i64| from.plus_seconds(seconds) <= now;
        let mut after = Self { failing_since: Some(since), ..self.clone() };
        match self.warned_at {
            None if is_past(since, WARNED_AFTER_SECONDS) => after.warned_at = Some(now),
            Some(warned_at)
                if is_past(since, DISABLED_AFTER_SECONDS)
                    && is_past(warned_at, WARNING_SECONDS)
                    && self.stopped.is_none() =>
            {
                let sentence = format!(
                    "Nothing could be delivered to this webhook since {since}. See to its endpoint, then enable it again."
                );
                after.stopped = Some(Stopped { at: now, code: "failing".to_owned(), sentence });
            }
            None | Some(_) => {}
        }
        after
    }

    /// After its endpoint said that it is gone.
    #[must_use]
    pub fn after_gone(&self, now: Timestamp) -> Self {
        let sentence = "The endpoint answered 410 Gone: it wants to be told nothing any more. Give the webhook another \
                        address, or enable it again.";
        let stopped = Stopped { at: now, code: "gone".to_owned(), sentence: sentence.to_owned() };
        let stopped = Some(self.stopped.clone().unwrap_or(stopped));
        Self { failing_since: self.failing_since.or(Some(now)), stopped, ..self.clone() }
    }

    /// What its owner is warned of at `now`, in a sentence.
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let since = self.failing_since.filter(|since| since.plus_seconds(WARNED_AFTER_SECONDS) <= now)?;
        if self.stopped.is_some() {
            return None;
        }
        let until = since.plus_seconds(DISABLED_AFTER_SECONDS);
        Some(format!(
            "Nothing could be delivered to this webhook since {since}. See to its endpoint: if it goes on like this, the webhook \
             is disabled after {until}."
        ))
    }
}

/// The change that writes `standing` in the place of the revision `rev`, or where nothing is.
pub fn standing_change(org: OrgId, standing: &Standing, rev: Option<u64>) -> Result<Change, Unavailable> {
    let item = Item {
        key: standing_key(org, standing.webhook),
        rev: rev.unwrap_or_default() + 1,
        document: document::write(standing)?,
        index: None,
        // One that was forgotten would enable its webhook again.
        expires_at: None,
    };
    Ok(Change::Put(item, Expectation::unchanged(rev)))
}

/// How the webhook fares, where that is known.
pub async fn find_standing(
    store: &dyn Store,
    org: OrgId,
    webhook: WebhookId,
) -> Result<Option<Versioned<Standing>>, Unavailable> {
    let found = store.find(&standing_key(org, webhook), Freshness::Latest).await?;
    found.as_ref().map(document::read_versioned).transpose()
}

/// How those of `webhooks` fare of which that is known.
pub async fn find_standings(
    store: &dyn Store,
    org: OrgId,
    webhooks: &[WebhookId],
) -> Result<Vec<Standing>, Unavailable> {
    let keys: Vec<Key> = webhooks.iter().map(|webhook| standing_key(org, *webhook)).collect();
    find_all(store, &keys).await
}

/// Where it stands how a webhook fares.
pub fn standing_key(org: OrgId, webhook: WebhookId) -> Key {
    Key::new(Table::Runs, format!("{org}#webhook#{webhook}"), "standing")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 60 * 60;

    #[test]
    fn a_webhook_that_fails_is_warned_of_after_a_day_and_given_up_after_five() {
        let at = |hours: i64| Timestamp::from_millisecond(0).plus_seconds(hours * HOUR);
        let webhook = WebhookId::fresh(at(0), [1; 8]);
        let fails = |standing: &Standing, hours: i64| standing.after_failure(at(hours));
        let mut standing = Standing::new(webhook);
        for (hours, is_warned, is_stopped) in [
            (0, false, false),
            (23, false, false),
            (24, true, false),
            (48, true, false),
            (119, true, false),
            (120, true, true),
            (500, true, true),
        ] {
            standing = fails(&standing, hours);
            assert_eq!((standing.warned_at.is_some(), standing.stopped.is_some()), (is_warned, is_stopped), "{hours}");
            assert_eq!(standing.warning(at(hours)).is_some(), is_warned && !is_stopped, "{hours}");
        }
        assert_eq!(standing.stopped.as_ref().map(|stopped| stopped.at), Some(at(120)));
        assert!(standing.after_success().stopped.is_some(), "only its owner enables it again");

        // Where little happens, the warning comes late, and the end a day after it.
        let late = fails(&fails(&Standing::new(webhook), 0), 200);
        assert_eq!((late.warned_at, late.stopped.clone()), (Some(at(200)), None));
        assert_eq!(fails(&late, 223).stopped, None);
        assert!(fails(&late, 224).stopped.is_some());

        // A success ends it, and the next failure begins anew.
        let mended = fails(&late.after_success(), 300);
        assert_eq!((mended.failing_since, mended.warned_at), (Some(at(300)), None));
        assert_eq!(late.after_success(), Standing::new(webhook));
    }
}
