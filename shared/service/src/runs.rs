//! The runs table: transactions, runs with their journals, and the debug log.
//!
//! | document | partition | sort | listed under |
//! | --- | --- | --- | --- |
//! | transaction with its trace | `{org}#transaction#{id}` | `transaction` | `{org}#arrivals#{hook}`, by arrival; not of events |
//! | run, with the first entries of its journal | `{org}#run#{id}` | `run` | `{org}#workflow#{workflow}`, by start |
//! | later entries of the journal | `{org}#run#{id}` | `journal#000001` … | |
//! | timer of a run that waits long | `{org}#run#{id}` | `timer` | `due#00` … `due#15`, by its time |
//! | answer to a step that waits | `{org}#run#{id}` | `answer#{branch}#{step}#{visit}#{attempt}` | |
//! | what came of a step, where nobody knew | `{org}#run#{id}` | `answer#{branch}#{step}#{visit}#{tries}` | |
//! | what links to answers are signed with | `{org}#link-key` | `key` | |
//! | scheduled run | `{org}#scheduled#{id}` | `scheduled` | `{org}#scheduled`, by when it runs |
//! | its timer | `{org}#scheduled#{id}` | `timer` | `due#00` … `due#15`, by its time |
//! | recurring schedule | `{org}#recurring#{id}` | `recurring` | `{org}#recurring`, by creation |
//! | the timer of its next occurrence | `{org}#recurring#{id}` | `timer` | `due#00` … `due#15`, by its time |
//! | how many were started in a quarter of an hour | `{org}#scheduled-turns` | when that began | |
//! | head of a line of runs for one key | `{org}#line#{workflow}#{kind}#{digest}` | `head` | |
//! | run that waits for its turn in it | as its head | `wait#{instant}#{transaction}#{run}` | |
//! | arrival that is collected in it | as its head | `item#{run}#{instant}#{transaction}#{run}` | |
//! | where in an event somebody waits for something | `{org}#awaited-places#{event}` | digest of the places | |
//! | step that waits for an event | `{org}#awaited#{digest}` | `run#{run}#{digest}` | |
//! | that the event happened | `{org}#awaited#{digest}` | `event#{instant}#{transaction}` | |
//! | intent to do something outside | `{org}#run#{id}` | `intent#{step}#{visit}` | |
//! | interaction of a hook in debug | `{org}#debug#{hook}` | instant, id | |
//! | mail in quarantine | `{org}#quarantined#{hook}#{id}` | `mail` | `{org}#quarantine#{hook}`, by arrival |
//! | refusal of a hook, one of the last 20 | `{org}#refusals#{hook}` | place | |
//! | the last repeat of a hook in one of 20 places, and how many came there | `{org}#duplicates#{hook}` | place | |
//! | how often a transaction was repeated | `{org}#transaction#{id}` | `repeats` | |
//! | arrival on a hook's tape | `{org}#tape#{hook}` | instant, id | |
//! | arrival that the queue did not take | `{org}#unsent#{transaction}` | `unsent` | `due#00` … `due#15`, by its time |
//! | arrival that a paused hook holds | `{org}#held#{hook}#{transaction}` | `held` | `{org}#holding#{hook}`, by arrival |
//! | that a hook goes on, and what it held with it | `{org}#held#{hook}` | `release` | `due#00` … `due#15`, by its time |
//! | mark of an arrival, against repeats | `{org}#seen#{hook}#{digest}` | `mark` | |
//! | upload that a form may name | `{org}#upload#{hook}#{id}` | `upload` | |
//! | bucket of a limit | `{org}#limit#{hook}`, `{org}#limit` | `bucket#{requests}#{seconds}` | |
//! | how many runs followed from one transaction | `{org}#lineage#{transaction}` | `count` | |
//! | delivery to a webhook | `{org}#delivery#{id}` | `delivery` | `{org}#deliveries#{webhook}`, by creation |
//! | attempt of a delivery | `{org}#delivery#{id}` | `attempt#000001` … | |
//! | dead letter | `{org}#dead-letter#{id}` | `letter` | `{org}#dead-letters#{state}`, by when it was given up |
//! | its message, as it was sent | `{org}#dead-letter#{id}` | `message` | |
//! | how a webhook fares | `{org}#webhook#{id}` | `standing` | |
//! | last use of an API key | `{org}#key-use` | key id | |

mod answers;
mod awaited;
mod dead_letters;
mod debug_log;
mod deliveries;
mod duplicate_log;
mod duplicates;
mod held;
mod intents;
mod journal;
mod lineage;
mod lines;
mod link_key;
mod outcomes;
mod pinned;
mod quarantine;
mod recurring;
mod refusals;
mod replays;
mod scheduled;
mod standings;
mod tape;
mod timers;
mod trace;
mod unsent;
mod verdicts;

use domain::Timestamp;
use serde::de::DeserializeOwned;

use crate::{
    directory::Paging,
    document::{self, Listing},
    ports::{
        Change, Expectation, Freshness, Item, Key, Order, Page, Range, Scope, Store, Table, Unavailable, WriteError,
    },
};

pub use answers::{Answer, Given as AnswerGiven, WaitingStep, find_answer, give_answer};
pub use awaited::{Happened, Waiter, awaited_places, find_happened, forget_waiter, keep_happened, wait_for, waiters};
pub use dead_letters::{
    DeadLetter, GivenUp, LetterKind, LetterState, ReasonCode, dead_letter_change, dead_letter_deletion,
    find_dead_letter, find_dead_message, keep_dead_letter, list_dead_letters,
};
pub use debug_log::{Interaction, Refusal, list_interactions, log_interaction};
pub use deliveries::{
    Attempt, AttemptState, Delivery, DeliveryState, attempt_change, delivery_change, find_delivery, list_attempts,
    list_deliveries,
};
pub use duplicate_log::{Duplicate, Duplicates, Tally, find_duplicates, find_tally, note_duplicate};
pub use duplicates::{KeyDigest, Mark, Marked, RepeatRule, find_mark, mark};
pub use held::{
    COUNTED_LIMIT, Held, HeldCount, HeldItem, Holding, Release, count_held, find_held, find_releases, hold, list_held,
    release_change, remove_held, stay_change,
};
pub use intents::{CLAIM_SECONDS, Intent, Standing, find_intent, intent_change, release_intent};
pub use journal::{
    JournalEntry, StoredRun, entries_in_head, find_run, find_run_head, find_run_heads, keep_replayed_until, keep_until,
    list_runs, reopening_changes, run_changes,
};
pub use lineage::count_lineage;
pub use lines::{Batch, Last, LineHead, Queued, StoredLine, collected, find_line, leaving_changes};
pub use link_key::{find_link_key, find_or_make_link_key};
pub use outcomes::{Answered, OutcomeAnswer, OutcomeWord, find_outcome, outcome_change};
pub use pinned::{installed_version, installed_versions, pin};
pub use quarantine::{Quarantined, discard_quarantined, find_quarantined, list_quarantined, put_released, quarantine};
pub(crate) use recurring::recurring_timer;
pub use recurring::{find_recurring, list_recurring, recurring_changes, recurring_deletion};
pub use refusals::{Reason, RefusalRecord, keep_refusal, list_refusals};
pub use replays::Replayed;
pub(crate) use scheduled::scheduled_timer;
pub use scheduled::{WINDOW_SECONDS, find_scheduled, list_scheduled, scheduled_change, scheduled_changes, take_turn};
pub use standings::{
    DISABLED_AFTER_SECONDS, Standing as WebhookStanding, Stopped, WARNED_AFTER_SECONDS, find_standing, find_standings,
    standing_change, standing_key,
};
pub use tape::{Placed, Recording, list_recordings, record};
pub use timers::{Due, TIMER_SHARDS, Timer, due, needs_timer, next_timer_at, remove_timer, timer_change};
pub use trace::{
    Admitted, AppEvent, AppTrigger, Awaited, Considered, RunRef, Shape, StoredTransaction, Verdict, admit,
    find_transaction, list_arrived, transaction_change,
};
pub use unsent::{Unsent, find_unsent, keep_unsent, remove_unsent};
pub use verdicts::verdicts;

/// A document of this table that is written once and kept for a while.
fn item(
    partition: String,
    sort: impl Into<String>,
    document: String,
    written_at: Timestamp,
    kept_seconds: i64,
) -> Item {
    Item {
        key: Key::new(Table::Runs, partition, sort),
        rev: 1,
        document,
        index: None,
        expires_at: Some(written_at.plus_seconds(kept_seconds).as_second()),
    }
}

/// Writes `item`; that something else is expected to be there is not an error.
///
/// *Errors*: [`Unavailable`], also where others were writing there all the while, so that this was not written.
async fn put(store: &dyn Store, item: Item, expectation: Expectation) -> Result<(), Unavailable> {
    let key = item.key.clone();
    let found = match store.write(&[Change::Put(item, expectation)]).await {
        Ok(()) => return Ok(()),
        Err(WriteError::Unavailable(error)) => return Err(error),
        Err(WriteError::Conflict { found, .. }) => found.map(|found| *found),
    };
    let there = match (expectation, found) {
        (Expectation::Anything, _) => None,
        (Expectation::Absent | Expectation::Rev(_), Some(found)) => Some(found),
        (Expectation::Absent | Expectation::Rev(_), None) => store.find(&key, Freshness::Latest).await?,
    };
    let overtaken = || Unavailable { port: "store", cause: "others were writing there all the while".to_owned() };
    there.map(drop).ok_or_else(overtaken)
}

/// Writes `item` where nothing is, and gives what was there instead.
async fn put_or_find<T: DeserializeOwned>(store: &dyn Store, item: Item) -> Result<Option<T>, Unavailable> {
    let key = item.key.clone();
    let found = match store.write(&[Change::Put(item, Expectation::Absent)]).await {
        Ok(()) => return Ok(None),
        Err(WriteError::Unavailable(error)) => return Err(error),
        Err(WriteError::Conflict { found: Some(found), .. }) => *found,
        Err(WriteError::Conflict { found: None, .. }) => store
            .find(&key, Freshness::Latest)
            .await?
            .ok_or_else(|| Unavailable { port: "store", cause: "an item was there and then was not".to_owned() })?,
    };
    document::read(&found).map(Some)
}

/// The first items of a partition; of those from `from` on, where it is not empty.
async fn items(
    store: &dyn Store,
    partition: String,
    from: String,
    order: Order,
    limit: usize,
) -> Result<Page, Unavailable> {
    let (table, scope, below) = (Table::Runs, Scope::Own, String::new());
    store.list(&Range { table, scope, partition, from, below, order, limit, after: None }).await
}

/// From when on, and until when.
type Period = (Option<Timestamp>, Option<Timestamp>);

/// One page of the documents that are listed by time under `partition`, newest first; of those in `period`, as far as it has an
/// end.
async fn listing<T: DeserializeOwned>(
    store: &dyn Store,
    partition: String,
    period: Period,
    paging: Paging,
) -> Result<Listing<T>, Unavailable> {
    listing_in(Order::Descending, store, partition, period, paging).await
}

/// The same in the given order.
async fn listing_in<T: DeserializeOwned>(
    order: Order,
    store: &dyn Store,
    partition: String,
    (from, below): Period,
    Paging { limit, after }: Paging,
) -> Result<Listing<T>, Unavailable> {
    let (table, scope) = (Table::Runs, Scope::Index);
    let bound = |instant: Option<Timestamp>| instant.map(|instant| instant.to_string()).unwrap_or_default();
    let (from, below) = (bound(from), bound(below));
    let page = store.list(&Range { table, scope, partition, from, below, order, limit, after }).await?;
    let keys: Vec<Key> = page.items.into_iter().map(|item| item.key).collect();
    Ok(Listing { items: find_all(store, &keys).await?, next: page.next })
}

/// The documents under `keys`, those left out that are not there.
async fn find_all<T: DeserializeOwned>(store: &dyn Store, keys: &[Key]) -> Result<Vec<T>, Unavailable> {
    find_all_items(store, keys).await?.iter().map(document::read).collect()
}

async fn find_all_items(store: &dyn Store, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
    match keys.is_empty() {
        true => Ok(Vec::new()),
        false => store.find_all(keys).await,
    }
}

/// How long transactions and runs are kept. *Why 90 days*: a quarter is what an audit of orders asks for.
pub const RETENTION_SECONDS: i64 = 90 * 24 * 60 * 60;
