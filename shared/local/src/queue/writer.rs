//! The one thread that writes the file: it takes all orders that are waiting and commits them together.
//!
//! A commit costs several times what a row does, so that 32 senders at once wait for one commit, not for 32.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use domain::OrgId;
use service::ports::Unavailable;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::file::{Batch, QueueFile, Stored};
use super::shelf::Load;
use super::{DeadLetter, Receipt, Shared, unavailable};

/// How many orders are committed together at most; past here a batch only makes its first order wait longer.
const BATCH_LIMIT_ORDERS: usize = 256;

pub(super) type Answer<T> = oneshot::Sender<Result<T, Unavailable>>;

/// What the writer is told.
pub(super) enum Order {
    Send { org: OrgId, body: Arc<str>, held_for: Duration, answer: Answer<()> },
    Delete { receipt: Receipt, answer: Answer<()> },
    Count { id: i64, receive_count: u32 },
    Bury { id: i64 },
    Load(Load),
    Forget { id: i64, answer: Answer<()> },
    DeadLetters { after: i64, limit: usize, answer: Answer<Vec<DeadLetter>> },
}

/// What an order has brought about in the file, to be made known once it is committed.
enum Effect {
    Added(Vec<Stored>),
    /// One that is not to be received before some time has passed.
    HeldBack(Stored, Duration),
    Deleted(Receipt),
    Loaded(Load, Vec<Stored>),
    Buried,
    Read(Vec<DeadLetter>),
    Nothing,
}

/// Works until nobody can give an order any more.
pub(super) fn run(file: &mut QueueFile, incoming: &Receiver<Order>, shared: &Shared) {
    while let Ok(first) = incoming.recv() {
        let mut orders = vec![first];
        orders.extend(incoming.try_iter().take(BATCH_LIMIT_ORDERS - 1));
        match carry_out(file, &orders) {
            Ok(effects) => make_known(orders, effects, shared),
            Err(error) => orders.into_iter().for_each(|order| refuse(order, &unavailable(&error), shared)),
        }
    }
}

fn carry_out(file: &mut QueueFile, orders: &[Order]) -> rusqlite::Result<Vec<Effect>> {
    let deleted: HashSet<i64> = orders.iter().filter_map(deleted_id).collect();
    let mut batch = file.begin()?;
    let effects = orders.iter().map(|order| perform(&mut batch, order, &deleted)).collect::<Result<_, _>>()?;
    batch.commit()?;
    Ok(effects)
}

fn perform(batch: &mut Batch<'_>, order: &Order, deleted: &HashSet<i64>) -> rusqlite::Result<Effect> {
    match order {
        Order::Send { org, body, held_for, .. } => {
            let message = Stored { id: batch.insert(*org, body)?, org: *org, body: Arc::clone(body), receive_count: 0 };
            Ok(if held_for.is_zero() { Effect::Added(vec![message]) } else { Effect::HeldBack(message, *held_for) })
        }
        Order::Delete { receipt, .. } => batch.delete(receipt.id).map(|()| Effect::Deleted(*receipt)),
        // A message that was done before its count was written needs none.
        Order::Count { id, .. } if deleted.contains(id) => Ok(Effect::Nothing),
        Order::Count { id, receive_count } => batch.count(*id, *receive_count).map(|()| Effect::Nothing),
        Order::Bury { id } => batch.bury(*id).map(|()| Effect::Buried),
        Order::Forget { id, .. } => batch.forget(*id).map(|()| Effect::Nothing),
        Order::Load(load) => batch.load(load).map(|messages| Effect::Loaded(*load, messages)),
        Order::DeadLetters { after, limit, .. } => batch.dead_letters(*after, *limit).map(Effect::Read),
    }
}

const fn deleted_id(order: &Order) -> Option<i64> {
    match order {
        Order::Delete { receipt, .. } => Some(receipt.id),
        Order::Send { .. }
        | Order::Count { .. }
        | Order::Bury { .. }
        | Order::Forget { .. }
        | Order::Load(_)
        | Order::DeadLetters { .. } => None,
    }
}

/// Puts the effects on the shelf, in the order they happened in, and only then answers.
fn make_known(orders: Vec<Order>, effects: Vec<Effect>, shared: &Shared) {
    let mut shelf = shared.shelf();
    for effect in &effects {
        match effect {
            Effect::Added(messages) => messages.iter().for_each(|message| shelf.add(message.clone())),
            Effect::HeldBack(message, held_for) => shelf.hold_back(message.clone(), Instant::now() + *held_for),
            Effect::Deleted(receipt) => shelf.forget(*receipt),
            Effect::Loaded(load, messages) => shelf.load(load, messages.clone()),
            // Whoever waits for it looks at the file, and nobody may be waiting yet.
            Effect::Buried => shared.died.notify_one(),
            Effect::Read(_) | Effect::Nothing => {}
        }
    }
    drop(shelf);

    // Whoever sent something waits for this; whoever receives takes some time with what arrived.
    for (order, effect) in orders.into_iter().zip(effects) {
        answer(order, effect);
    }
    shared.arrived.notify_one();
}

/// Whoever asked may have stopped waiting.
fn answer(order: Order, effect: Effect) {
    match (order, effect) {
        (Order::Send { answer, .. } | Order::Delete { answer, .. } | Order::Forget { answer, .. }, _) => {
            drop(answer.send(Ok(())))
        }
        (Order::DeadLetters { answer, .. }, Effect::Read(letters)) => drop(answer.send(Ok(letters))),
        // The others either wait for no answer, or have an effect that is not theirs and see their channel close.
        (Order::DeadLetters { .. } | Order::Count { .. } | Order::Bury { .. } | Order::Load(_), _) => {}
    }
}

fn refuse(order: Order, cause: &Unavailable, shared: &Shared) {
    match order {
        Order::Send { answer, .. } | Order::Delete { answer, .. } | Order::Forget { answer, .. } => {
            drop(answer.send(Err(cause.clone())));
        }
        Order::DeadLetters { answer, .. } => drop(answer.send(Err(cause.clone()))),
        Order::Load(load) => shared.shelf().load_failed(&load),
        Order::Count { .. } | Order::Bury { .. } => {}
    }
}
