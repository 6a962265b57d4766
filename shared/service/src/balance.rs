//! The balance of a hook: everything that it has accepted, and what became of it.
//!
//! Each transaction stands in one place only, so the places add up to what was accepted, always. It is worked out from the
//! transactions and the journals themselves and counted nowhere, so that it cannot be wrong where they are right.

use std::collections::{HashMap, HashSet};

use domain::{OrgId, RunId, RunState, TransactionId};

use crate::{
    directory::Paging,
    ports::{Order, Store, Unavailable},
    runs::{self, LetterState, StoredTransaction},
};

/// How many pages of dead letters are looked through; more than these are a matter of their own.
const LETTER_PAGES_LIMIT: usize = 10;

/// How many letters a page has.
const LETTERS: usize = 100;

/// What became of what was accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Balance {
    /// How many transactions were accepted.
    pub(crate) accepted: u64,
    /// No workflow listened, or none that could start; the transaction says why.
    pub(crate) unheard: u64,
    /// All of its runs succeeded, or gave way to a later arrival.
    pub(crate) done: u64,
    /// A run failed, and all are over.
    pub(crate) failed: u64,
    /// A run waits for a person.
    pub(crate) held: u64,
    /// A run waits for a time, an event or its turn, and none is held.
    pub(crate) waiting: u64,
    /// A run is under way, or is to begin.
    pub(crate) running: u64,
    /// A message for it was given up, and it is not over.
    pub(crate) dead_lettered: u64,
}

/// Where one transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Unheard,
    Done,
    Failed,
    Waiting,
    Held,
    Running,
    DeadLettered,
}

impl Balance {
    /// Counts `transactions` in.
    pub(crate) async fn add(
        &mut self,
        store: &dyn Store,
        org: OrgId,
        transactions: &[StoredTransaction],
    ) -> Result<(), Unavailable> {
        let started = |stored: &StoredTransaction| {
            stored.considered.iter().filter_map(|considered| considered.run).collect::<Vec<RunId>>()
        };
        let ids: Vec<RunId> = transactions.iter().flat_map(started).collect();
        let heads = runs::find_run_heads(store, org, &ids).await?;
        let states: HashMap<RunId, RunState> = heads.into_iter().map(|(run, _)| (run.id, run.state)).collect();
        let mut places: Vec<(TransactionId, Place)> = Vec::with_capacity(transactions.len());
        for stored in transactions {
            let place = started(stored).iter().map(|run| place_of(states.get(run).copied())).max();
            places.push((stored.transaction.id, place.unwrap_or(Place::Unheard)));
        }
        let is_open = |place: &Place| matches!(place, Place::Waiting | Place::Held | Place::Running);
        if places.iter().any(|(_, place)| is_open(place)) {
            let dead = dead_lettered(store, org).await?;
            let open = places.iter_mut().filter(|(_, place)| is_open(place));
            open.filter(|(id, _)| dead.contains(id)).for_each(|(_, place)| *place = Place::DeadLettered);
        }
        for (_, place) in places {
            self.accepted += 1;
            *self.place(place) += 1;
        }
        Ok(())
    }

    /// Whether the places add up to what was accepted.
    pub(crate) const fn adds_up(&self) -> bool {
        let Self { accepted, unheard, done, failed, held, waiting, running, dead_lettered } = *self;
        accepted == unheard + done + failed + held + waiting + running + dead_lettered
    }

    const fn place(&mut self, place: Place) -> &mut u64 {
        match place {
            Place::Unheard => &mut self.unheard,
            Place::Done => &mut self.done,
            Place::Failed => &mut self.failed,
            Place::Waiting => &mut self.waiting,
            Place::Held => &mut self.held,
            Place::Running => &mut self.running,
            Place::DeadLettered => &mut self.dead_lettered,
        }
    }
}

/// Where a run stands; nothing where it has not begun.
const fn place_of(state: Option<RunState>) -> Place {
    match state {
        None | Some(RunState::Running) => Place::Running,
        Some(RunState::Waiting) => Place::Waiting,
        Some(RunState::Held) => Place::Held,
        Some(RunState::Succeeded | RunState::Cancelled) => Place::Done,
        Some(RunState::Failed) => Place::Failed,
    }
}

/// The transactions of which a message is a dead letter.
async fn dead_lettered(store: &dyn Store, org: OrgId) -> Result<HashSet<TransactionId>, Unavailable> {
    let mut dead = HashSet::new();
    let mut after = None;
    for _ in 0..LETTER_PAGES_LIMIT {
        let paging = (Order::Descending, Paging { limit: LETTERS, after });
        let page = runs::list_dead_letters(store, org, LetterState::Dead, (None, None), paging).await?;
        dead.extend(page.items.iter().filter_map(|letter| letter.transaction));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(dead)
}
