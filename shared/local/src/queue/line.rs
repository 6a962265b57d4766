//! The messages of one org, as far as they are in memory.

use std::collections::BTreeMap;

use super::file::Stored;

/// The least of an org that has a place in memory, however much others have there.
pub(super) const LINE_LEAST: usize = 100;

#[derive(Default)]
pub(super) struct Line {
    /// What can be received, by age.
    pub(super) visible: BTreeMap<i64, Stored>,
    /// How many were received and are neither done nor given back.
    pub(super) in_flight: usize,
    /// How many are invisible: in flight, held back, or resting.
    pub(super) hidden: usize,
    /// When it was last its turn.
    pub(super) turn: u64,
    backlog: Backlog,
}

/// Whether the file has messages of the org that are not in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Backlog {
    #[default]
    None,
    /// It has, all behind this id.
    Behind(i64),
    /// The writer was told to load some of those behind this id.
    Coming(i64),
}

impl Line {
    /// A line whose turn comes after all that there were before `turn`.
    pub(super) fn at(turn: u64) -> Self {
        Self { turn, ..Self::default() }
    }

    /// Where it stands: few in flight first, then a turn long ago.
    pub(super) const fn place(&self) -> (usize, u64) {
        (self.in_flight, self.turn)
    }

    /// One of those that are invisible is not any more.
    pub(super) fn unhide(&mut self, was_in_flight: bool) {
        self.hidden -= 1;
        self.in_flight -= usize::from(was_in_flight);
    }

    /// Whether there is nothing of it any more, here or in the file.
    pub(super) fn is_over(&self) -> bool {
        self.visible.is_empty() && self.hidden == 0 && self.backlog == Backlog::None
    }

    /// Whether all that can be received is in the file, and nobody was told to load it.
    pub(super) fn wants_load(&self) -> bool {
        self.visible.is_empty() && matches!(self.backlog, Backlog::Behind(_))
    }

    /// Takes in a message that has just been written, while there is room for it and for all before it.
    pub(super) fn add(&mut self, message: Stored, has_room: bool) {
        match self.backlog {
            Backlog::None if has_room || self.visible.len() < LINE_LEAST => {
                self.visible.insert(message.id, message);
            }
            Backlog::None => self.backlog = Backlog::Behind(message.id.saturating_sub(1)),
            Backlog::Behind(_) | Backlog::Coming(_) => {}
        }
    }

    /// Behind which message the file has to be read, where it has to be.
    pub(super) const fn begin_load(&mut self) -> Option<i64> {
        match self.backlog {
            Backlog::Behind(id) => {
                self.backlog = Backlog::Coming(id);
                Some(id)
            }
            Backlog::None | Backlog::Coming(_) => None,
        }
    }

    /// Takes in what was read up to the message `last`; the file `has_more` behind it.
    pub(super) fn load(&mut self, messages: Vec<Stored>, last: Option<i64>, has_more: bool) {
        self.backlog = match last {
            Some(last) if has_more => Backlog::Behind(last),
            Some(_) | None => Backlog::None,
        };
        for message in messages {
            self.visible.entry(message.id).or_insert(message);
        }
    }

    /// The file could not be read; the next receive asks for it again.
    pub(super) const fn load_failed(&mut self) {
        if let Backlog::Coming(id) = self.backlog {
            self.backlog = Backlog::Behind(id);
        }
    }
}
