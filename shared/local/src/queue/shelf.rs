//! What of the queue is in memory: of each org the messages that can be received, and those that cannot now.
//!
//! Every message in the file is here, or stands behind its org's last one here and waits for its turn to be loaded. So an
//! org with a backlog that memory does not hold keeps none of the others in the file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::OrgId;
use tokio::time::Instant;

use super::file::{Stored, known};
use super::line::{LINE_LEAST, Line};
use super::{Delivery, Receipt};

/// How many messages that can be received are kept in memory; at 1 KB each that is 10 MB. Each org may have
/// [`LINE_LEAST`] beyond it.
const READY_LIMIT: usize = 10_000;

/// How many messages that cannot be received now are kept in memory at the most; what is held back beyond it is seen earlier.
const HIDDEN_LIMIT: usize = 100_000;

#[derive(Default)]
pub(super) struct Shelf {
    lines: HashMap<OrgId, Line>,
    /// The lines with something to receive, the next one first.
    waiting: BTreeMap<(usize, u64), OrgId>,
    /// The lines whose messages are all in the file, and which nobody was told yet to load.
    hungry: BTreeSet<OrgId>,
    hidden: HashMap<i64, Hidden>,
    /// The hidden ones by when they are visible again.
    returns: BTreeSet<(Instant, i64)>,
    /// How many messages can be received, in all lines.
    visible: usize,
    turns: u64,
}

struct Hidden {
    org: OrgId,
    body: Arc<str>,
    receive_count: u32,
    visible_at: Instant,
    is_in_flight: bool,
}

/// What the writer is to load: messages of the org behind one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) org: OrgId,
    pub(super) after: i64,
    pub(super) limit: usize,
}

/// What one receive found.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) deliveries: Vec<Delivery>,
    /// The last receipts of messages that were received too often; they are on the shelf no more.
    pub(super) dead: Vec<Receipt>,
    /// What the file has more of, and nobody was told yet to load.
    pub(super) loads: Vec<Load>,
    /// Another receive would find something right now.
    pub(super) leaves_more: bool,
    /// When the next invisible message is visible again.
    pub(super) next_visible_at: Option<Instant>,
}

/// How many messages of each of so many orgs are loaded when the file is opened.
pub(super) fn first_load_limit(orgs: usize) -> usize {
    (READY_LIMIT / orgs.max(1)).max(LINE_LEAST)
}

impl Shelf {
    /// Takes in a message that has just been written.
    pub(super) fn add(&mut self, message: Stored) {
        let has_room = self.visible < READY_LIMIT;
        self.change(message.org, |line| line.add(message, has_room));
    }

    /// Takes in a message that has just been written and is not visible before `visible_at`.
    pub(super) fn hold_back(&mut self, message: Stored, visible_at: Instant) {
        if self.hidden.len() >= HIDDEN_LIMIT {
            return self.add(message);
        }
        self.change(message.org, |line| line.hidden += 1);
        let Stored { id, org, body, receive_count } = message;
        self.hide(id, Hidden { org, body, receive_count, visible_at, is_in_flight: false });
    }

    /// Takes in what was read from the file.
    pub(super) fn load(&mut self, load: &Load, mut messages: Vec<Stored>) {
        let (last, has_more) = (messages.last().map(|message| message.id), messages.len() >= load.limit);
        // What was held back is here already.
        messages.retain(|message| !self.hidden.contains_key(&message.id));
        self.change(load.org, |line| line.load(messages, last, has_more));
    }

    /// The file could not be read; the next receive asks for it again.
    pub(super) fn load_failed(&mut self, load: &Load) {
        self.change(load.org, Line::load_failed);
    }

    /// Hands out at most `max` messages. Each next one is the oldest of the org with the fewest in flight, and of several such
    /// orgs, of the one whose turn was longest ago.
    pub(super) fn take(&mut self, max: usize, visibility: Duration, max_receives: u32, now: Instant) -> Taken {
        self.show_what_is_back(now);
        let mut taken = Taken::default();
        while taken.deliveries.len() < max {
            let Some(message) = self.next(max_receives) else { break };
            let Stored { id, org, body, receive_count } = message;
            if receive_count >= max_receives {
                taken.dead.push(Receipt { id, org, receive_count });
                continue;
            }
            let receive_count = receive_count.saturating_add(1);
            let receipt = Receipt { id, org, receive_count };
            taken.deliveries.push(Delivery { id, receipt, org: known(org), body, receive_count });
        }

        // Only now, so that a visibility of no time does not hand one message out twice in one receive.
        taken.leaves_more = !self.waiting.is_empty();
        for Delivery { id, receipt, body, receive_count, .. } in &taken.deliveries {
            let (org, body, receive_count) = (receipt.org, Arc::clone(body), *receive_count);
            let visible_at = now + visibility;
            self.hide(*id, Hidden { org, body, receive_count, visible_at, is_in_flight: true });
        }
        taken.next_visible_at = self.returns.first().map(|(visible_at, _)| *visible_at);
        taken.loads = self.begin_loads();
        taken
    }

    /// Whether `receipt` is of the last receive of a message that is still here.
    pub(super) fn is_current(&self, receipt: Receipt) -> bool {
        let visible = || self.lines.get(&receipt.org)?.visible.get(&receipt.id).map(|message| message.receive_count);
        let hidden = self.hidden.get(&receipt.id).map(|hidden| hidden.receive_count);
        hidden.or_else(visible) == Some(receipt.receive_count)
    }

    /// Makes the message visible at `at`, if `receipt` is current and it is not visible yet.
    pub(super) fn release(&mut self, receipt: Receipt, at: Instant) {
        let is_current = |hidden: &&mut Hidden| hidden.receive_count == receipt.receive_count;
        let Some(hidden) = self.hidden.get_mut(&receipt.id).filter(is_current) else { return };
        self.returns.remove(&(hidden.visible_at, receipt.id));
        self.returns.insert((at, receipt.id));
        hidden.visible_at = at;
        let was_in_flight = std::mem::take(&mut hidden.is_in_flight);
        self.change(receipt.org, |line| line.in_flight -= usize::from(was_in_flight));
    }

    /// Lets go of a message that was deleted from the file.
    pub(super) fn forget(&mut self, Receipt { id, org, .. }: Receipt) {
        let Some(hidden) = self.hidden.remove(&id) else {
            return self.change(org, |line| drop(line.visible.remove(&id)));
        };
        self.returns.remove(&(hidden.visible_at, id));
        self.change(org, |line| line.unhide(hidden.is_in_flight));
    }

    fn next(&mut self, max_receives: u32) -> Option<Stored> {
        let org = *self.waiting.first_key_value()?.1;
        self.turns += 1;
        let turn = self.turns;
        self.change(org, |line| {
            let (_, message) = line.visible.pop_first()?;
            line.turn = turn;
            let flies = usize::from(message.receive_count < max_receives);
            line.in_flight += flies;
            line.hidden += flies;
            Some(message)
        })
    }

    fn show_what_is_back(&mut self, now: Instant) {
        while let Some((visible_at, id)) = self.returns.first().copied().filter(|(at, _)| *at <= now) {
            self.returns.remove(&(visible_at, id));
            let Some(Hidden { org, body, receive_count, is_in_flight, .. }) = self.hidden.remove(&id) else { continue };
            self.change(org, |line| {
                line.unhide(is_in_flight);
                line.visible.insert(id, Stored { id, org, body, receive_count });
            });
        }
    }

    fn hide(&mut self, id: i64, hidden: Hidden) {
        self.returns.insert((hidden.visible_at, id));
        self.hidden.insert(id, hidden);
    }

    fn begin_loads(&mut self) -> Vec<Load> {
        let hungry = std::mem::take(&mut self.hungry);
        let limit = (READY_LIMIT.saturating_sub(self.visible) / hungry.len().max(1)).max(LINE_LEAST);
        let begin = |org| Some(Load { org, after: self.lines.get_mut(&org)?.begin_load()?, limit });
        hungry.into_iter().filter_map(begin).collect()
    }

    /// Does `work` on the line of `org`, which begins and ends with its messages, and puts it where it then stands.
    fn change<T>(&mut self, org: OrgId, work: impl FnOnce(&mut Line) -> T) -> T {
        let line = self.lines.entry(org).or_insert_with(|| {
            self.turns += 1;
            Line::at(self.turns)
        });
        self.waiting.remove(&line.place());
        let before = line.visible.len();
        let done = work(line);
        self.visible = self.visible + line.visible.len() - before;
        if !line.visible.is_empty() {
            self.waiting.insert(line.place(), org);
        } else if line.wants_load() {
            self.hungry.insert(org);
        } else if line.is_over() {
            self.lines.remove(&org);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn message(org: u8, id: i64) -> Stored {
        let org = OrgId::fresh(Timestamp::from_millisecond(0), [org; 8]);
        Stored { id, org, body: "wake".into(), receive_count: 0 }
    }

    fn ids(taken: &Taken) -> Vec<i64> {
        taken.deliveries.iter().map(|delivery| delivery.id).collect()
    }

    #[test]
    fn a_message_that_is_held_back_is_visible_when_its_time_has_come_and_not_before() {
        let mut shelf = Shelf::default();
        let (now, held_for) = (Instant::now(), Duration::from_secs(900));
        shelf.hold_back(message(1, 1), now + held_for);
        let mut taken = |at: Instant| shelf.take(10, Duration::ZERO, 5, at).deliveries.len();
        assert_eq!(taken(now + held_for - Duration::from_millis(1)), 0);
        assert_eq!(taken(now + held_for), 1);
    }

    #[test]
    fn what_is_held_back_behind_a_backlog_in_the_file_is_received_once_and_not_earlier() {
        let mut shelf = Shelf::default();
        let (now, hour) = (Instant::now(), Duration::from_secs(3_600));
        let in_memory = i64::try_from(READY_LIMIT).unwrap();
        (1..=in_memory + 2).for_each(|id| shelf.add(message(1, id)));
        let held_back = in_memory + 3;
        shelf.hold_back(message(1, held_back), now + hour);

        let taken = shelf.take(READY_LIMIT, hour * 9, 5, now);
        let [load] = taken.loads[..] else { panic!("nothing is loaded") };
        assert_eq!((load.after, load.limit), (in_memory, READY_LIMIT));
        shelf.load(&load, (in_memory + 1..=held_back).map(|id| message(1, id)).collect());
        assert_eq!(ids(&shelf.take(10, hour * 9, 5, now)), [in_memory + 1, in_memory + 2]);
        assert_eq!(ids(&shelf.take(10, hour * 9, 5, now + hour)), [held_back]);
    }

    #[test]
    fn each_org_has_its_least_in_memory_however_much_another_one_has() {
        let mut shelf = Shelf::default();
        let (now, hour) = (Instant::now(), Duration::from_secs(3_600));
        (1..=20_000).for_each(|id| shelf.add(message(1, id)));
        let quiet = 30_000;
        let least = i64::try_from(LINE_LEAST).unwrap();
        (0..=least).for_each(|number| shelf.add(message(2, quiet + number)));
        assert_eq!(shelf.visible, READY_LIMIT + LINE_LEAST);

        let taken = shelf.take(2 * LINE_LEAST, hour, 5, now);
        assert_eq!(taken.deliveries.iter().filter(|delivery| delivery.id >= quiet).count(), LINE_LEAST);
        let [load] = taken.loads[..] else { panic!("nothing is loaded") };
        assert_eq!((load.after, load.limit), (quiet + least - 1, LINE_LEAST), "what is missing is loaded");
        shelf.load(&load, vec![message(2, quiet + least)]);
        assert!(ids(&shelf.take(2, hour, 5, now)).contains(&(quiet + least)));
    }

    #[test]
    fn a_load_that_failed_is_asked_for_again() {
        let mut shelf = Shelf::default();
        let (now, hour) = (Instant::now(), Duration::from_secs(3_600));
        (1..=10_001).for_each(|id| shelf.add(message(1, id)));
        let load = shelf.take(READY_LIMIT, hour, 5, now).loads[0];
        assert!(shelf.take(1, hour, 5, now).loads.is_empty(), "it is on its way");
        shelf.load_failed(&load);
        assert_eq!(shelf.take(1, hour, 5, now).loads[0].after, load.after);
    }

    #[test]
    fn an_org_without_messages_is_forgotten() {
        let mut shelf = Shelf::default();
        let now = Instant::now();
        shelf.add(message(1, 1));
        shelf.add(message(2, 2));
        let taken = shelf.take(2, Duration::ZERO, 5, now);
        shelf.release(taken.deliveries[0].receipt, now);
        taken.deliveries.iter().for_each(|delivery| shelf.forget(delivery.receipt));
        assert!(shelf.lines.is_empty() && shelf.waiting.is_empty() && shelf.hungry.is_empty());
        assert!(shelf.hidden.is_empty() && shelf.returns.is_empty());
    }
}
