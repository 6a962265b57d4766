//! The nouns of Hookwright and what is always true of them.
//!
//! Nothing here is async, reads a clock, draws randomness or does I/O: instants and random bytes are arguments.
//! A value of one of these types is the proof that it is well formed; the only way to get one from text is `parse`.

mod id;
mod timestamp;

mod event;
mod hook;
mod transaction;

mod custom;
mod klass;
pub mod record;

mod run;
mod schedule;
mod scheduled_run;

mod recurrence;
mod recurring_schedule;

mod webhook;

mod api_key;
mod email_address;
mod rejected;
mod sentence;

pub mod exact;

pub use api_key::{ApiKey, ApiKeySecret, Caller, KeyProblem, Role, TOKEN_PREFIX};
pub use custom::{CUSTOM_STR_LIMIT_CHARS, CUSTOM_TXT_LIMIT_CHARS, CustomProblem, Suffix};
pub use email_address::EmailAddress;
pub use event::{CHANGES_LIMIT_BYTES, Client, Event, GENERATION_HEADER, LINEAGE_LIMIT_DEPTH, Lineage};
pub use hook::{
    Auth, BEARER, DUPLICATES_DEFAULT_SECONDS, DUPLICATES_LIMIT_SECONDS, DuplicateRule, Duplicates, Guard, Hook,
    HookHash, HookKind, Limit, MailBody, MailPolicy, MailRule, REPLY_BODY_LIMIT_BYTES, REPLY_LIMIT_SECONDS,
    RETIRED_SECONDS, Reply, RetiredSecret, SECRETS_LIMIT, Secret, Treatment, UPLOAD_LIMIT_BYTES, UploadRule,
};
pub use id::{
    ApiKeyId, AuditEntryId, DeadLetterId, DeliveryId, EventId, HookId, InvalidId, KlassId, OrgId, RecordId,
    RecurringScheduleId, RunId, ScheduleId, ScheduledRunId, TransactionId, VariableId, WebhookId, WorkflowId,
};
pub use klass::{Klass, Property};
pub use record::{Record, RecordKey, RecordKind};
pub use recurrence::{Cron, Interval, Recurrence};
pub use recurring_schedule::{CATCH_UP_SECONDS, RecurringSchedule, Skipped};
pub use rejected::{Rejected, Rejection};
pub use run::{Effects, Failure, Line, LineKind, ReplayOf, Run, RunFailure, RunState, UnknownOutcome};
pub use schedule::{Holiday, Schedule, Span, is_time_zone, no_time_zone};
pub use scheduled_run::{ScheduledRun, ScheduledState};
pub use sentence::shortened;
pub use timestamp::Timestamp;
pub use transaction::{Note, StoredFile, Transaction};
pub use webhook::{WEBHOOK_EVENTS_LIMIT, WEBHOOK_SECRET_BYTES, Webhook, is_heard};
