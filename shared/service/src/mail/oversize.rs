//! What is kept of a mail that is larger than the server for mail takes: the reason, for the owner of the hook.
//!
//! Only a server that asks us first can tell of such a mail, as the one of local mode does. SES refuses it by itself.

use domain::Hook;

use super::{MailDoor, keep::refusal, policy};

impl MailDoor {
    /// Keeps, at each of the distinct hooks among `recipients`, that a mail of `bytes` was refused for its size.
    ///
    /// It never fails, because a record of a refusal must not change the answer. In a flood of refusals nothing is kept.
    pub async fn note_too_large(&self, recipients: &[String], bytes: u64) {
        match self.hooks_for(recipients).await {
            Ok(hooks) => {
                for (hook, _) in &hooks {
                    self.keep_too_large(hook, bytes).await;
                }
            }
            Err(error) => tracing::error!(%error, bytes, "the refusal of a mail that is too large was not kept"),
        }
    }

    async fn keep_too_large(&self, hook: &Hook, bytes: u64) {
        let (now, reason) = (self.door.world.now(), policy::oversize());
        tracing::warn!(hook.id = %hook.id, code = reason.code, bytes, "a mail was refused");
        let Some(slot) = self.door.limits.refusal_slot(hook.id, now) else { return };
        let Ok(id) = self.door.fresh_id() else { return };
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let record = refusal(&reason, id, now, bytes);
        self.door.keep_refusal(hook, slot, &record).await;
    }
}
