//! Telling webhooks: each event becomes one delivery to each webhook, and each delivery is a message of its own.
//!
//! ```text
//! event ─→ delivery, written ─→ message ─→ claim and attempt, written ─→ call ─→ outcome, written ─→ done
//!                                  ↑         message of the next turn, held back, before that write ─┘
//!                                  └──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! | where it may end | what the message finds when it comes again |
//! | --- | --- |
//! | before the claim | the delivery as it was |
//! | between claim and outcome | a claim; it waits until that is over, and tries again under the same id |
//! | after the outcome | a turn that is over; the message of the next one is on the queue already |
//!
//! So an endpoint is told at least once, never twice at a time, and no failure makes a second row of tries. A message that is sent
//! for nothing finds its turn over, or not begun, and harms nobody.

mod ladder;
mod note;
mod outcome;
mod posting;

use domain::{Webhook, WebhookId};
use futures_util::future::{try_join, try_join_all};

use super::Executor;
use crate::{
    directory::{settings, webhooks},
    document::{self, Versioned},
    envelope::{Named, Turn},
    ports::{Freshness, Unavailable, WriteError},
    runs::{
        self, Attempt, AttemptState, Delivery, DeliveryState, StoredTransaction, WebhookStanding, attempt_change,
        delivery_change,
    },
};

use outcome::{Outcome, Verdict};
use posting::Told;

/// How often one message takes up a delivery that others write at the same time.
const ROUNDS_LIMIT: usize = 10;

/// Why nobody is told anything.
const DISABLED: &str = "The webhook is disabled. Enable it, then ask for this delivery again.";

/// What is to become of a delivery whose turn has come.
enum Prospect {
    /// The webhook is told this.
    Told(Box<Webhook>, Told),
    /// Nothing, for this reason.
    GivenUp(String),
}

impl Executor {
    /// Writes a delivery for each webhook that is told of the event, and has each of them tried.
    ///
    /// Those that are there already are not written again; one that nobody has tried yet may not have been sent, and is.
    pub(super) async fn tell_webhooks(&self, stored: &StoredTransaction) -> Result<(), Unavailable> {
        if stored.webhooks.is_empty() {
            return Ok(());
        }
        let all = webhooks::all(self.store.as_ref(), stored.transaction.org).await?;
        let told = all.iter().filter(|webhook| webhook.enabled && stored.webhooks.contains(&webhook.id));
        try_join_all(told.map(|webhook| self.tell_webhook(webhook.id, stored))).await.map(|_| ())
    }

    async fn tell_webhook(&self, webhook: WebhookId, stored: &StoredTransaction) -> Result<(), Unavailable> {
        let (store, org, event) = (self.store.as_ref(), stored.transaction.org, stored.transaction.id);
        let now = self.world.now();
        let delivery = Delivery::of(org, webhook, event, stored.event.clone(), now);
        // What it misses while it is disabled stands in its list, so that its owner can ask for it afterwards.
        let delivery = match self.standing(org, webhook).await?.value.stopped {
            Some(_) => delivery.given_up(DISABLED.to_owned(), now),
            None => delivery,
        };
        let delivery = match store.write(&[delivery_change(&delivery, None)?]).await {
            Ok(()) => delivery,
            Err(WriteError::Unavailable(error)) => return Err(error),
            Err(WriteError::Conflict { found: Some(found), .. }) => document::read(&found)?,
            Err(WriteError::Conflict { found: None, .. }) => {
                match runs::find_delivery(store, org, delivery.id).await? {
                    Some(found) => found.value,
                    None => return Ok(()),
                }
            }
        };
        match delivery.turn {
            0 => self.send_turn(&delivery, 0).await,
            _ => Ok(()),
        }
    }

    /// Tries the delivery, if its turn has come and is not over.
    ///
    /// *Once it returns* `Ok`, it is at its end, or a message is on the queue that will try it.
    pub(super) async fn deliver(&self, turn: Turn) -> Result<(), Unavailable> {
        for _ in 0..ROUNDS_LIMIT {
            match self.take_turn(turn).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Unavailable(error)) => return Err(error),
                // Somebody else has written it: what is true now decides.
                Err(WriteError::Conflict { .. }) => tracing::debug!(delivery.id = %turn.delivery, "overtaken"),
            }
        }
        Err(Unavailable {
            port: "store",
            cause: format!("delivery {} was overtaken {ROUNDS_LIMIT} times", turn.delivery),
        })
    }

    async fn take_turn(&self, turn: Turn) -> Result<(), WriteError> {
        let Some(found) = runs::find_delivery(self.store.as_ref(), turn.org, turn.delivery).await? else {
            tracing::debug!(delivery.id = %turn.delivery, "what was to be delivered is not kept any more");
            return Ok(());
        };
        let now = self.world.now();
        if turn.turn < found.value.turn || found.value.state != DeliveryState::Pending {
            return Ok(());
        }
        if let Some(until) = found.value.rests_until(now) {
            let message = Named::Deliver(turn).message()?;
            return Ok(self.queue.send_later(turn.org, message, self.delay_seconds_until(until)).await?);
        }
        match self.prospect(&found.value).await? {
            Prospect::Told(webhook, told) => self.attempt(found, &webhook, told).await,
            Prospect::GivenUp(reason) => {
                tracing::info!(delivery.id = %turn.delivery, reason, "a delivery was given up");
                let given_up = found.value.given_up(reason, now);
                self.store.write(&[delivery_change(&given_up, Some(found.rev))?]).await
            }
        }
    }

    async fn prospect(&self, delivery: &Delivery) -> Result<Prospect, Unavailable> {
        let (store, org) = (self.store.as_ref(), delivery.org);
        if delivery.attempts_of_round() >= ladder::ATTEMPTS_LIMIT {
            return Ok(Prospect::GivenUp(ladder::spent()));
        }
        let Some(Versioned { value: webhook, .. }) = webhooks::find(store, org, delivery.webhook).await? else {
            return Ok(Prospect::GivenUp("The webhook was deleted.".to_owned()));
        };
        let is_stopped = self.standing(org, webhook.id).await?.value.stopped.is_some();
        if !webhook.enabled || is_stopped {
            return Ok(Prospect::GivenUp(DISABLED.to_owned()));
        }
        let (stored, settings) =
            try_join(runs::find_transaction(store, org, delivery.event), settings::find(store, org, Freshness::Recent))
                .await?;
        Ok(match stored.and_then(|stored| stored.transaction.fired) {
            Some(event) => {
                let body = event.envelope(settings.value.name.as_deref()).to_string();
                Prospect::Told(Box::new(webhook), Told { body, generation: event.lineage.depth })
            }
            None => Prospect::GivenUp("The event is not kept any more.".to_owned()),
        })
    }

    /// Claims the delivery, tells the endpoint, and writes down what came of it.
    async fn attempt(&self, found: Versioned<Delivery>, webhook: &Webhook, told: Told) -> Result<(), WriteError> {
        let began_at = self.world.now();
        let claimed = found.value.claimed(began_at);
        let attempt = Attempt {
            number: claimed.attempts,
            state: AttemptState::Unknown,
            started_at: began_at,
            duration_ms: None,
            status: None,
            answer: None,
            error: None,
        };
        let claim = [delivery_change(&claimed, Some(found.rev))?, attempt_change(&claimed, &attempt)?];
        self.store.write(&claim).await?;

        let outcome = self.post(webhook, &claimed, told).await;
        let ended_at = self.world.now();
        let standing = self.note(webhook, outcome.verdict).await?;
        tracing::info!(
            delivery.id = %claimed.id,
            webhook.id = %webhook.id,
            attempt = claimed.attempts,
            status = outcome.status,
            delivered = outcome.verdict == Verdict::Delivered,
            duration_ms = ended_at.as_millisecond() - began_at.as_millisecond(),
            "a webhook was told",
        );
        let next = self.next(&claimed, &outcome, &standing)?;
        if next.state == DeliveryState::Pending {
            self.send_turn(&next, self.delay_seconds_until(next.due_at.unwrap_or(ended_at))).await?;
        }
        let told = attempt_change(&claimed, &outcome.told(attempt, ended_at))?;
        let written = self.store.write(&[delivery_change(&next, Some(found.rev + 1))?, told.clone()]).await;
        match written {
            // The claim was over before the endpoint answered. Whoever has the delivery now goes on with it.
            Err(WriteError::Conflict { .. }) => match self.store.write(&[told]).await {
                Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
                Err(error) => Err(error),
            },
            Ok(()) | Err(WriteError::Unavailable(_)) => written,
        }
    }

    /// What becomes of the delivery after its attempt.
    fn next(&self, claimed: &Delivery, outcome: &Outcome, standing: &WebhookStanding) -> Result<Delivery, Unavailable> {
        let now = self.world.now();
        let claimed = &Delivery { status: outcome.status, ..claimed.clone() };
        if outcome.verdict == Verdict::Delivered {
            return Ok(claimed.ended(DeliveryState::Delivered, None, now));
        }
        if let Some(stopped) = &standing.stopped {
            return Ok(claimed.given_up(stopped.sentence.clone(), now));
        }
        let mut random = [0; 4];
        self.world.fill(&mut random)?;
        let attempts = claimed.attempts_of_round();
        let wait = ladder::wait_seconds(attempts, outcome.retry_after_seconds, u32::from_be_bytes(random));
        Ok(match wait {
            Some(seconds) => claimed.put_off(now.plus_seconds(i64::from(seconds)), outcome.error.clone()),
            None => {
                let last = outcome.error.clone().unwrap_or_default();
                claimed.given_up(format!("{} {last}", ladder::spent()).trim_end().to_owned(), now)
            }
        })
    }

    /// Has the delivery tried in `seconds`.
    async fn send_turn(&self, delivery: &Delivery, seconds: u32) -> Result<(), Unavailable> {
        let turn = Turn { org: delivery.org, delivery: delivery.id, turn: delivery.turn };
        self.queue.send_later(delivery.org, Named::Deliver(turn).message()?, seconds).await
    }
}
