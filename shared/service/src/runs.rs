//! The runs table: transactions, runs with their journals, and the debug log.
//!
//! | document | partition | sort | listed under |
//! | --- | --- | --- | --- |
//! | transaction with its trace | `{org}#transaction#{id}` | `transaction` | |
//! | run, with the first entries of its journal | `{org}#run#{id}` | `run` | `{org}#workflow#{workflow}`, by start |
//! | later entries of the journal | `{org}#run#{id}` | `journal#000001` … | |
//! | interaction of a hook in debug | `{org}#debug#{hook}` | instant, id | |
//! | refusal of a hook, one of the last 20 | `{org}#refusals#{hook}` | place | |
//! | arrival on a hook's tape | `{org}#tape#{hook}` | instant, id | |
//! | mark of an arrival, against repeats | `{org}#seen#{hook}#{digest}` | `mark` | |
//! | upload that a form may name | `{org}#upload#{hook}#{id}` | `upload` | |
//! | bucket of a limit | `{org}#limit#{hook}`, `{org}#limit` | `bucket#{requests}#{seconds}` | |
//! | last use of an API key | `{org}#key-use` | key id | |

mod debug_log;
mod duplicates;
mod journal;
mod refusals;
mod tape;
mod trace;

pub use debug_log::{Interaction, Refusal, list_interactions, log_interaction};
pub use duplicates::{Mark, Marked, find_mark, mark};
pub use journal::{JournalEntry, StoredRun, find_run, find_run_heads, list_runs, run_changes};
pub use refusals::{Reason, RefusalRecord, keep_refusal, list_refusals};
pub use tape::{Placed, Recording, list_recordings, record};
pub use trace::{Admitted, AppEvent, Considered, StoredTransaction, Verdict, admit, find_transaction};

/// How long transactions and runs are kept. *Why 90 days*: a quarter is what an audit of orders asks for.
pub const RETENTION_SECONDS: i64 = 90 * 24 * 60 * 60;
