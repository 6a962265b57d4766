//! Identifiers: 12 bytes, written as 24 lower-case hex digits.
//!
//! A fresh id begins with the second it was made in, so ids sort by age; a derived id (`RunId::for_transaction`,
//! `RecordId::for_step`) is a digest of what it stands for, so making it twice gives the same id. That is what
//! makes a repeated message harmless.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::Timestamp;

const ID_BYTES: usize = 12;

/// Text that is not 24 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an id is 24 lower-case hexadecimal digits")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// *Shape*: `"5a345109e578360010eaa1ad"`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_BYTES]);

        impl $name {
            /// A fresh id: the second of `now`, then eight of the caller's random bytes.
            pub fn fresh(now: Timestamp, random: [u8; 8]) -> Self {
                Self(fresh(now, random))
            }

            /// The id that `text` spells.
            ///
            /// *Errors*: [`InvalidId`] unless it is exactly 24 lower-case hex digits.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

id! {
    /// One tenant: the owner of hooks, workflows, keys and records.
    OrgId
}
id! {
    /// One hook. Its event name is built from this id, its address from its hash.
    HookId
}
id! {
    /// One arrival that was accepted.
    TransactionId
}
id! {
    /// One workflow, through all its revisions.
    WorkflowId
}
id! {
    /// One execution of a workflow.
    RunId
}
id! {
    /// One customer, conversation, message, note, company, klass instance, user or tag.
    RecordId
}
id! {
    /// One thing that happened.
    EventId
}
id! {
    /// One klass.
    KlassId
}
id! {
    /// One call of a workflow that is to be made at a time.
    ScheduledRunId
}
id! {
    /// One business schedule.
    ScheduleId
}
id! {
    /// One recurring schedule: what starts again and again.
    RecurringScheduleId
}
id! {
    /// One variable of a workflow, by which expressions name it.
    VariableId
}
id! {
    /// The public half of an API key.
    ApiKeyId
}
id! {
    /// One entry of the audit log.
    AuditEntryId
}
id! {
    /// One outbound webhook.
    WebhookId
}
id! {
    /// What one webhook is told of one event.
    DeliveryId
}
id! {
    /// One message that was given up.
    DeadLetterId
}

impl AuditEntryId {
    /// The second in which it was made.
    pub fn made_at(self) -> Timestamp {
        let [a, b, c, d, ..] = self.0;
        Timestamp::from_millisecond(i64::from(u32::from_be_bytes([a, b, c, d])) * 1_000)
    }
}

impl TransactionId {
    /// The one transaction that a mail is at a hook, however often it is told of; `mail` is what SES calls it.
    pub fn for_mail(hook: HookId, mail: &str) -> Self {
        Self(derive("mail", &[&hook.0, mail.as_bytes()]))
    }
}

impl DeadLetterId {
    /// The one dead letter that `message` is, which its queue calls `name`, however often it is kept.
    pub fn for_message(name: &str, message: &str) -> Self {
        Self(derive("dead letter", &[name.as_bytes(), message.as_bytes()]))
    }
}

impl From<EventId> for TransactionId {
    /// What an event is as a transaction, under the same id.
    fn from(event: EventId) -> Self {
        Self(event.0)
    }
}

impl EventId {
    /// The one event of the write that made revision `rev` of `record`.
    pub fn for_revision(record: RecordId, rev: u64) -> Self {
        Self(derive("event", &[&record.0, &rev.to_be_bytes()]))
    }

    /// The one event that a visit of a step publishes.
    pub fn for_step(run: RunId, step: &str, visit: u32) -> Self {
        Self(derive("event of step", &[&run.0, step.as_bytes(), &visit.to_be_bytes()]))
    }
}

impl EventId {
    /// The one event that tells of what became of a webhook (`what`) that has not been delivered to since `since`.
    pub fn for_webhook(webhook: WebhookId, what: &str, since: Timestamp) -> Self {
        Self(derive("event of webhook", &[&webhook.0, what.as_bytes(), &since.as_millisecond().to_be_bytes()]))
    }
}

impl ScheduledRunId {
    /// The one that a visit of a step schedules.
    pub fn for_step(run: RunId, step: &str, visit: u32) -> Self {
        Self(derive("scheduled by step", &[&run.0, step.as_bytes(), &visit.to_be_bytes()]))
    }

    /// The one that `schedule` makes for its occurrence at `planned`, however many tickers find it due and whenever they do.
    pub fn for_occurrence(schedule: RecurringScheduleId, planned: Timestamp) -> Self {
        Self(derive("occurrence", &[&schedule.0, &planned.as_millisecond().to_be_bytes()]))
    }
}

impl EventId {
    /// The one call that a scheduled run becomes.
    pub fn for_scheduled(scheduled: ScheduledRunId) -> Self {
        Self(derive("scheduled call", &[&scheduled.0]))
    }
}

impl DeliveryId {
    /// The one delivery of an event to `webhook`, however often it is told of.
    pub fn for_event(event: TransactionId, webhook: WebhookId) -> Self {
        Self(derive("delivery", &[&event.0, &webhook.0]))
    }
}

impl RunId {
    /// The one run that `workflow` has for `transaction`, however often the transaction is delivered.
    pub fn for_transaction(transaction: TransactionId, workflow: WorkflowId) -> Self {
        Self(derive("run", &[&transaction.0, &workflow.0]))
    }

    /// The one run that `workflow` has for the event at `position` among those the transaction fires beside its hook's
    /// own. *Why the position*: an order of three products fires one event three times.
    pub fn for_event(transaction: TransactionId, workflow: WorkflowId, position: u32) -> Self {
        Self(derive("run of event", &[&transaction.0, &workflow.0, &position.to_be_bytes()]))
    }
}

impl RunId {
    /// The one run that replays `run` from its start for a `request`, however often that is made.
    pub fn for_replay(run: Self, request: &[u8]) -> Self {
        Self(derive("replay", &[&run.0, request]))
    }
}

impl KlassId {
    /// The one klass that a visit of a step makes.
    pub fn for_step(run: RunId, step: &str, visit: u32) -> Self {
        Self(derive("klass", &[&run.0, step.as_bytes(), &visit.to_be_bytes()]))
    }
}

impl RecordId {
    /// The one record that a visit of a step makes, however often the step is attempted.
    pub fn for_step(run: RunId, step: &str, visit: u32) -> Self {
        Self(derive("record", &[&run.0, step.as_bytes(), &visit.to_be_bytes()]))
    }

    /// The conversation that a visit of a step opens for the message it makes.
    pub fn for_conversation_of_step(run: RunId, step: &str, visit: u32) -> Self {
        Self(derive("conversation", &[&run.0, step.as_bytes(), &visit.to_be_bytes()]))
    }
}

fn fresh(now: Timestamp, random: [u8; 8]) -> [u8; ID_BYTES] {
    // Four bytes of seconds last until 2106; an instant outside of that only loses the sorting, not the uniqueness.
    let seconds = u32::try_from(now.as_millisecond() / 1000).unwrap_or(u32::MAX);
    let [a, b, c, d] = seconds.to_be_bytes();
    let [r0, r1, r2, r3, r4, r5, r6, r7] = random;
    [a, b, c, d, r0, r1, r2, r3, r4, r5, r6, r7]
}

fn parse(text: &str) -> Result<[u8; ID_BYTES], InvalidId> {
    let mut bytes = [0; ID_BYTES];
    // `hex` also reads upper case, which would give one id two spellings.
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(InvalidId);
    }
    hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidId)?;
    Ok(bytes)
}

/// Each part goes in behind its length, so that no two lists of parts read alike.
fn derive(purpose: &str, parts: &[&[u8]]) -> [u8; ID_BYTES] {
    let mut hasher = Sha256::new();
    hasher.update(purpose.as_bytes());
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digest: [u8; 32] = hasher.finalize().into();
    let mut id = [0; ID_BYTES];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millisecond(1_513_920_182_138);

    #[test]
    fn an_id_has_one_spelling() {
        let id = OrgId::parse("581392b55ac7a2110099d9c8").unwrap();
        assert_eq!(id.to_string(), "581392b55ac7a2110099d9c8");
        for wrong in
            ["", "581392b5", "581392B55AC7A2110099D9C8", "581392b55ac7a2110099d9cz", "581392b55ac7a2110099d9c80"]
        {
            assert_eq!(OrgId::parse(wrong), Err(InvalidId), "{wrong}");
        }
    }

    #[test]
    fn fresh_ids_sort_by_age() {
        let older = HookId::fresh(NOON, [255; 8]);
        let newer = HookId::fresh(Timestamp::from_millisecond(NOON.as_millisecond() + 1000), [0; 8]);
        assert!(older.to_string() < newer.to_string());
    }

    #[test]
    fn a_run_id_depends_on_the_transaction_and_the_workflow_only() {
        let transaction = TransactionId::fresh(NOON, [1; 8]);
        let workflow = WorkflowId::fresh(NOON, [2; 8]);
        let other = WorkflowId::fresh(NOON, [3; 8]);
        assert_eq!(RunId::for_transaction(transaction, workflow), RunId::for_transaction(transaction, workflow));
        assert_ne!(RunId::for_transaction(transaction, workflow), RunId::for_transaction(transaction, other));
    }

    #[test]
    fn a_mail_is_one_transaction_at_each_hook() {
        let (hook, other) = (HookId::fresh(NOON, [1; 8]), HookId::fresh(NOON, [2; 8]));
        assert_eq!(TransactionId::for_mail(hook, "ses-1"), TransactionId::for_mail(hook, "ses-1"));
        assert_ne!(TransactionId::for_mail(hook, "ses-1"), TransactionId::for_mail(other, "ses-1"));
        assert_ne!(TransactionId::for_mail(hook, "ses-1"), TransactionId::for_mail(hook, "ses-2"));
    }

    #[test]
    fn an_occurrence_is_one_scheduled_run_of_its_schedule_and_its_planned_instant() {
        let (schedule, other) = (RecurringScheduleId::fresh(NOON, [1; 8]), RecurringScheduleId::fresh(NOON, [2; 8]));
        let first = ScheduledRunId::for_occurrence(schedule, NOON);
        assert_eq!(first, ScheduledRunId::for_occurrence(schedule, NOON));
        assert_ne!(first, ScheduledRunId::for_occurrence(other, NOON));
        assert_ne!(first, ScheduledRunId::for_occurrence(schedule, NOON.plus_seconds(60)));
    }

    #[test]
    fn a_record_id_differs_by_run_step_and_visit() {
        let run = RunId::for_transaction(TransactionId::fresh(NOON, [1; 8]), WorkflowId::fresh(NOON, [2; 8]));
        let first = RecordId::for_step(run, "customer", 1);
        assert_eq!(first, RecordId::for_step(run, "customer", 1));
        assert_ne!(first, RecordId::for_conversation_of_step(run, "customer", 1));
        assert_ne!(first, RecordId::for_step(run, "customer", 2));
        assert_ne!(first, RecordId::for_step(run, "custome", 1));
    }
}
