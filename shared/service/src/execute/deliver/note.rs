//! How a webhook fares, noted after each attempt.

use domain::{EventId, OrgId, Timestamp, Webhook, WebhookId};
use serde_json::json;

use super::{super::Executor, Verdict};
use crate::{
    announce::{self, Author, Happening},
    document::Versioned,
    event_names::{WEBHOOK_DISABLED, WEBHOOK_FAILING},
    ports::{Unavailable, WriteError},
    records::Work,
    runs::{self, WebhookStanding},
};

/// How often it is tried to write how a webhook fares, which each of its deliveries may do at the same time.
const TRIES_LIMIT: usize = 20;

impl Executor {
    /// Notes how the webhook fares, and publishes that its owner has to see to it.
    pub(super) async fn note(&self, webhook: &Webhook, verdict: Verdict) -> Result<WebhookStanding, Unavailable> {
        let (store, org) = (self.store.as_ref(), webhook.org);
        for _ in 0..TRIES_LIMIT {
            let Versioned { rev, value: before } = self.standing(org, webhook.id).await?;
            let now = self.world.now();
            let after = match verdict {
                Verdict::Delivered => before.after_success(),
                Verdict::Failed => before.after_failure(now),
                Verdict::Gone => before.after_gone(now),
            };
            if after == before {
                return Ok(after);
            }
            let change = runs::standing_change(org, &after, (rev > 0).then_some(rev))?;
            let happening = told_of(webhook, &before, &after, now);
            let work = Work { changes: vec![change], happenings: happening.into_iter().collect(), ..Work::default() };
            match announce::write(store, self.queue.as_ref(), (org, &Author::Hookwright), work).await {
                Ok(()) => return Ok(after),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Unavailable(error)) => return Err(error),
            }
        }
        let cause = format!("how webhook {} fares was written by others {TRIES_LIMIT} times", webhook.id);
        Err(Unavailable { port: "store", cause })
    }

    /// How the webhook fares; of revision 0 where nothing is known.
    pub(super) async fn standing(
        &self,
        org: OrgId,
        webhook: WebhookId,
    ) -> Result<Versioned<WebhookStanding>, Unavailable> {
        let found = runs::find_standing(self.store.as_ref(), org, webhook).await?;
        Ok(found.unwrap_or(Versioned { rev: 0, value: WebhookStanding::new(webhook) }))
    }
}

/// What is published of a webhook that was warned of or stopped just now.
///
/// *Shape* of its data: `{"id","type":"webhook","attributes":{"url","description","failingSince","reason"}}`.
fn told_of(webhook: &Webhook, before: &WebhookStanding, after: &WebhookStanding, now: Timestamp) -> Option<Happening> {
    let since = after.failing_since.unwrap_or(now);
    let (name, reason) = match &after.stopped {
        Some(stopped) if before.stopped.is_none() => (WEBHOOK_DISABLED, Some(stopped.sentence.clone())),
        Some(_) | None if before.warned_at != after.warned_at => (WEBHOOK_FAILING, after.warning(now)),
        Some(_) | None => return None,
    };
    let id = EventId::for_webhook(webhook.id, name, since);
    let data = json!({
        "id": webhook.id,
        "type": "webhook",
        "attributes": {
            "url": webhook.url,
            "description": webhook.description,
            "failingSince": since,
            "reason": reason,
        },
    });
    let event = Author::Hookwright.event(id, webhook.org, name.to_owned(), data, now);
    Some(Happening::Published(Box::new(event)))
}
