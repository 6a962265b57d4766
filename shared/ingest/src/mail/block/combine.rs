//! The data of a mail, made of its blocks. One block is its value as it was written, so that a mail with one order looks like a form.

use std::collections::HashSet;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// One value stays as it is; several become one array, in which the elements of arrays stand themselves and each value stands once; of none
/// comes null.
///
/// Values are the same when they differ in the order of keys at most. They are told apart by their digests, so the work grows with their
/// length and not with the square of their number.
pub(crate) fn combine<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    let values: Vec<&Value> = values.collect();
    // Most mails have one block, which nothing has to be told from.
    if let [only] = values.as_slice() {
        return (*only).clone();
    }

    let mut seen = HashSet::new();
    let mut distinct = values.into_iter().filter(|value| seen.insert(digest(value)));

    let Some(first) = distinct.next() else {
        return Value::Null;
    };
    let Some(second) = distinct.next() else {
        return first.clone();
    };

    let mut spliced = HashSet::new();
    let elements = [first, second].into_iter().chain(distinct).flat_map(elements);
    Value::Array(elements.filter(|element| spliced.insert(digest(element))).cloned().collect())
}

fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    }
}

fn digest(value: &Value) -> [u8; 32] {
    let mut hasher = Sha256::new();
    feed(value, &mut hasher);
    hasher.finalize().into()
}

/// Feeds the value in a form in which equal values are the same bytes and others are not: a mark of its kind, its length, its content.
fn feed(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Null => hasher.update(b"0"),
        Value::Bool(false) => hasher.update(b"f"),
        Value::Bool(true) => hasher.update(b"t"),
        Value::Number(number) => feed_text(b"n", number.as_str(), hasher),
        Value::String(text) => feed_text(b"s", text, hasher),
        Value::Array(list) => {
            feed_length(b"a", list.len(), hasher);
            list.iter().for_each(|element| feed(element, hasher));
        }
        Value::Object(map) => feed_object(map, hasher),
    }
}

fn feed_object(map: &Map<String, Value>, hasher: &mut Sha256) {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);

    feed_length(b"o", members.len(), hasher);
    for (key, member) in members {
        feed_text(b"k", key, hasher);
        feed(member, hasher);
    }
}

fn feed_text(mark: &[u8; 1], text: &str, hasher: &mut Sha256) {
    feed_length(mark, text.len(), hasher);
    hasher.update(text.as_bytes());
}

fn feed_length(mark: &[u8; 1], length: usize, hasher: &mut Sha256) {
    hasher.update(mark);
    hasher.update((length as u64).to_be_bytes());
}
