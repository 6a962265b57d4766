//! Values that are remembered for a while, in one process.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::Timestamp;

/// Values by key, with when each was put there. Whoever asks says how old an answer may be.
pub(crate) struct Remembered<K, V> {
    entries: Mutex<HashMap<K, (Timestamp, V)>>,
    limit: usize,
}

impl<K: Hash + Eq, V: Clone> Remembered<K, V> {
    /// Remembers at most `limit` values; past it all are forgotten.
    pub(crate) fn at_most(limit: usize) -> Self {
        Self { entries: Mutex::default(), limit }
    }

    /// The value of `key`, unless it is `age_ms` old.
    pub(crate) fn find(&self, key: &K, now: Timestamp, age_ms: i64) -> Option<V> {
        let entries = self.lock();
        let (at, value) = entries.get(key)?;
        is_within(*at, now, age_ms).then(|| value.clone())
    }

    /// The value of `key`, however old.
    pub(crate) fn find_any(&self, key: &K) -> Option<V> {
        self.lock().get(key).map(|(_, value)| value.clone())
    }

    /// Remembers that `key` has `value` at `now`.
    pub(crate) fn put(&self, key: K, value: V, now: Timestamp) {
        self.put_before(key, value, now, |_| false);
    }

    /// The same; where there is no room, the values that `goes_first` are forgotten first.
    pub(crate) fn put_before(&self, key: K, value: V, now: Timestamp, goes_first: impl Fn(&V) -> bool) {
        self.insert(&mut self.lock(), key, (now, value), goes_first);
    }

    /// Remembers that `key` has `value` at `now`, unless it has one that is not `age_ms` old yet; says whether it did.
    pub(crate) fn renew(&self, key: K, value: V, now: Timestamp, age_ms: i64) -> bool {
        let mut entries = self.lock();
        let is_old = entries.get(&key).is_none_or(|(at, _)| !is_within(*at, now, age_ms));
        if is_old {
            self.insert(&mut entries, key, (now, value), |_| false);
        }
        is_old
    }

    /// Forgets `key`.
    pub(crate) fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn insert(
        &self,
        entries: &mut HashMap<K, (Timestamp, V)>,
        key: K,
        entry: (Timestamp, V),
        goes_first: impl Fn(&V) -> bool,
    ) {
        if entries.len() >= self.limit {
            entries.retain(|_, (_, value)| !goes_first(value));
        }
        if entries.len() >= self.limit {
            entries.clear();
        }
        entries.insert(key, entry);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (Timestamp, V)>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_within(at: Timestamp, now: Timestamp, age_ms: i64) -> bool {
    (0..age_ms).contains(&(now.as_millisecond() - at.as_millisecond()))
}
