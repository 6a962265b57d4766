//! Which dead letters are meant: the same words in the query of a list and in the body of a redrive.

use domain::{HookId, Timestamp};
use serde_json::{Map, Value};

use super::super::{
    Refused,
    call::{Call, bad_attribute, bad_query},
    resource::text,
};
use crate::runs::{DeadLetter, LetterKind, ReasonCode};

/// The words of it, but for the state.
pub(super) const NAMES: [&str; 6] = ["kind", "hook", "event", "reason", "from", "until"];

/// Which letters are meant; all of them where it says nothing.
#[derive(Debug, Default)]
pub(super) struct Filter {
    kind: Option<LetterKind>,
    hook: Option<HookId>,
    event: Option<String>,
    reason: Option<ReasonCode>,
    pub(super) from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Filter {
    /// The one that the query of `call` says.
    pub(super) fn of_query(call: &Call<'_>) -> Result<Self, Refused> {
        Self::read(|name| Ok(call.query(name).filter(|word| !word.is_empty())), bad_query)
    }

    /// The one that the attributes of a body say.
    pub(super) fn of_attributes(attributes: &Map<String, Value>) -> Result<Self, Refused> {
        let refused = |name: &str, wanted: &str| bad_attribute(name, format!("`{name}` has to be {wanted}."));
        Self::read(|name| text(attributes, name), refused)
    }

    fn read(
        word: impl Fn(&str) -> Result<Option<String>, Refused>,
        refused: impl Fn(&str, &str) -> Refused,
    ) -> Result<Self, Refused> {
        let instant = |name: &str| match word(name)? {
            None => Ok(None),
            Some(text) => match Timestamp::parse(&text) {
                Some(instant) => Ok(Some(instant)),
                None => Err(refused(name, "an instant such as 2026-11-22T09:30:00Z")),
            },
        };
        let kind = word("kind")?.map(|text| {
            parse(LetterKind::ALL, LetterKind::word, &text)
                .ok_or_else(|| refused("kind", &one_of(LetterKind::ALL, LetterKind::word)))
        });
        let reason = word("reason")?.map(|text| {
            parse(ReasonCode::ALL, ReasonCode::word, &text)
                .ok_or_else(|| refused("reason", &one_of(ReasonCode::ALL, ReasonCode::word)))
        });
        let hook = word("hook")?.map(|text| HookId::parse(&text));
        Ok(Self {
            kind: kind.transpose()?,
            hook: hook.transpose().map_err(|_| refused("hook", "the id of a hook, 24 hex digits"))?,
            event: word("event")?,
            reason: reason.transpose()?,
            from: instant("from")?,
            until: instant("until")?,
        })
    }

    /// Between which instants they were given up.
    pub(super) const fn failed(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.from, self.until)
    }

    /// Whether `letter`, which was given up between these instants, is meant.
    pub(super) fn fits(&self, letter: &DeadLetter) -> bool {
        self.kind.is_none_or(|kind| letter.kind == kind)
            && self.hook.is_none_or(|hook| letter.hook == Some(hook))
            && self.event.as_ref().is_none_or(|event| letter.event.as_ref() == Some(event))
            && self.reason.is_none_or(|reason| letter.reason.code == reason)
    }
}

/// The one of `all` whose word is `text`.
pub(super) fn parse<T: Copy, const ALL: usize>(all: [T; ALL], word: fn(T) -> &'static str, text: &str) -> Option<T> {
    all.into_iter().find(|one| word(*one) == text)
}

/// What to say of a word that is none of them.
pub(super) fn one_of<T: Copy, const ALL: usize>(all: [T; ALL], word: fn(T) -> &'static str) -> String {
    format!("one of {}", all.map(word).join(", "))
}
