//! Searching runs by what stands in what started them: `where=data.orderId=1234`.
//!
//! Nothing is indexed by value, which would cost each run a write for each of them: the transactions of a bounded number of runs
//! are read, and the next page goes on.

use domain::Run;
use engine::flow;
use futures_util::future::try_join_all;

use super::{
    Refused,
    call::{Call, bad_query},
};
use crate::{
    ports::Store,
    runs::{self, StoredTransaction},
};

/// How many places may be named. *Source*: as many as an event may be waited for by.
const PLACES_LIMIT: usize = flow::MATCHES_LIMIT;

/// How many runs one page of the store has where their transactions are read, and how many transactions are in memory at a
/// time; one may have 2 MB.
pub(super) const PAGE_RUNS: usize = 25;
const AT_ONCE: usize = 5;

const SHAPE: &str = "PATH=VALUE, where the path begins with `data.`, which is what arrived, or with `trigger.`, which is what step 1 saw: data.orderId=1234";

/// A place and what has to stand there.
struct Wanted {
    root: Root,
    path: String,
    value: String,
}

/// What a path begins in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    /// The data of the transaction.
    Data,
    /// What step 1 saw.
    Trigger,
}

/// What has to stand where; all of it has to.
pub(super) struct Search(Vec<Wanted>);

impl Search {
    /// The one that the query says; nothing where it says none.
    pub(super) fn of_query(call: &Call<'_>) -> Result<Option<Self>, Refused> {
        let wanted = call.queries("where").into_iter().map(|text| read(&text).ok_or_else(|| bad_query("where", SHAPE)));
        let wanted: Vec<Wanted> = wanted.collect::<Result<_, _>>()?;
        if wanted.len() > PLACES_LIMIT {
            return Err(bad_query("where", &format!("there at most {PLACES_LIMIT} times")));
        }
        Ok((!wanted.is_empty()).then_some(Self(wanted)))
    }

    /// Those of `runs` that were started by what fits. One whose transaction is not kept any more does not fit.
    pub(super) async fn fitting(&self, store: &dyn Store, runs: Vec<Run>) -> Result<Vec<Run>, Refused> {
        let mut fitting = Vec::new();
        for some in runs.chunks(AT_ONCE) {
            let found = some.iter().map(|run| runs::find_transaction(store, run.org, run.transaction_id));
            let found = try_join_all(found).await?;
            let fits = |(run, stored): &(&Run, Option<StoredTransaction>)| {
                stored.as_ref().is_some_and(|stored| self.fits(run, stored))
            };
            fitting.extend(some.iter().zip(found).filter(fits).map(|(run, _)| run.clone()));
        }
        Ok(fitting)
    }

    fn fits(&self, run: &Run, stored: &StoredTransaction) -> bool {
        let seen = stored.considered_for(run).filter(|_| self.0.iter().any(|wanted| wanted.root == Root::Trigger));
        let seen = seen.map(|considered| stored.trigger_output(considered));
        self.0.iter().all(|wanted| {
            let value = match wanted.root {
                Root::Data => Some(&stored.transaction.data),
                Root::Trigger => seen.as_ref(),
            };
            let found = value.and_then(|value| flow::values_at(std::slice::from_ref(&wanted.path), value));
            found.is_some_and(|found| found.iter().all(|found| found.value == wanted.value))
        })
    }
}

fn read(text: &str) -> Option<Wanted> {
    let (place, value) = text.split_once('=')?;
    let (root, path) = place.split_once('.')?;
    let root = match root {
        "data" => Root::Data,
        "trigger" => Root::Trigger,
        _ => return None,
    };
    flow::is_path(path).then(|| Wanted { root, path: path.to_owned(), value: value.to_owned() })
}
