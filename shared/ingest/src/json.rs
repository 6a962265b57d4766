//! JSON as it was sent: every number keeps its digits, every oddity that is accepted is noted.
//!
//! Reading with plain `serde_json` is not the same: it writes `1E5` as `1e+5`, refuses lone surrogates, says nothing of duplicate keys, and
//! takes an object that uses its private key for a number.

mod source;
pub mod tolerant;
mod visitor;

use std::borrow::Cow;

use encoding_rs::Encoding;
use serde::de::DeserializeSeed;
use serde_json::{Deserializer, Value};

use crate::Reading;
use crate::charset::{self, Broken};
use crate::notes::{Note, Notes};
use crate::refusal::{Refusal, empty_body, malformed};
use visitor::{Progress, ValueSeed};

/// The code of the note that a key came more than once.
pub(crate) const DUPLICATE_KEY: &str = "duplicate_key";

/// Objects and arrays a sent document may nest.
pub const DEPTH_LIMIT: usize = 64;

/// Keys a sent document may have, over all its objects.
pub const KEYS_LIMIT: usize = 10_000;

/// Keys a document of an owner may have. *Why*: a workflow of 1,000 steps has more than strangers are let.
pub const OWNER_KEYS_LIMIT: usize = 100_000;

/// Characters of one number as written.
pub const NUMBER_LIMIT_CHARS: usize = 1_000;

/// Reads a document that somebody sent; scalars and arrays are documents too.
///
/// *Units and limits*: [`DEPTH_LIMIT`], [`KEYS_LIMIT`], [`NUMBER_LIMIT_CHARS`].
///
/// *Errors*: `empty_body`, `broken_text`, `malformed_json`, `too_deep`, `too_many_keys`, `number_too_long`, `reserved_key`; all but the
/// first two name line and column.
pub fn parse(bytes: &[u8]) -> Result<(Value, Vec<Note>), Refusal> {
    parse_within(KEYS_LIMIT, bytes)
}

/// The same of a document that an owner sent, who is known: it may have [`OWNER_KEYS_LIMIT`] keys.
pub fn parse_of_owner(bytes: &[u8]) -> Result<(Value, Vec<Note>), Refusal> {
    parse_within(OWNER_KEYS_LIMIT, bytes)
}

/// Of the notes of a document that an owner sent, those of keys that come twice, as what is wrong with it: nobody can say
/// which of the two is meant.
pub fn repeated_keys(notes: Vec<Note>) -> impl Iterator<Item = Note> {
    let repeated = notes.into_iter().filter(|note| note.code == DUPLICATE_KEY);
    repeated.map(|note| Note { message: "This key comes more than once; leave one of them.".to_owned(), ..note })
}

fn parse_within(keys_limit: usize, bytes: &[u8]) -> Result<(Value, Vec<Note>), Refusal> {
    let mut notes = Notes::default();
    let data = parse_noting(bytes, None, keys_limit, &mut notes)?;
    Ok((data, notes.into_list()))
}

pub(crate) fn read(body: &[u8], encoding: Option<&'static Encoding>) -> Result<Reading, Refusal> {
    let mut notes = Notes::default();
    let data = parse_noting(body, encoding, KEYS_LIMIT, &mut notes)?;

    Ok(Reading { data, notes: notes.into_list(), files: Vec::new() })
}

fn parse_noting(
    bytes: &[u8],
    encoding: Option<&'static Encoding>,
    keys_limit: usize,
    notes: &mut Notes,
) -> Result<Value, Refusal> {
    let text = charset::decode(bytes, encoding, Broken::Refused, notes)?;
    if text.trim_ascii().is_empty() {
        return Err(empty_body());
    }

    let first = match parse_text(&text, &[], keys_limit, notes) {
        Ok(data) => return Ok(data),
        Err(refusal) => refusal,
    };
    if first.code() != "malformed_json" {
        return Err(first);
    }

    // Lone surrogates are rare and `serde_json` has no word for them, so only a document that failed is searched for them.
    match source::without_lone_surrogates(&text) {
        Some(mended) => parse_text(&mended.text, &mended.strings, keys_limit, notes),
        None => Err(first),
    }
}

fn parse_text(text: &str, mended_strings: &[usize], keys_limit: usize, notes: &mut Notes) -> Result<Value, Refusal> {
    let mut progress = Progress::new(text, mended_strings, keys_limit);
    let mut deserializer = Deserializer::from_str(text);

    let parsed =
        ValueSeed(&mut progress).deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));

    match parsed {
        Ok(value) => {
            progress.notes.prefix_with_root();
            notes.append(progress.notes);
            Ok(value)
        }
        Err(error) => Err(progress.refusal.take().map_or_else(|| not_json(&error), |limit| placed(limit, &error))),
    }
}

fn not_json(error: &serde_json::Error) -> Refusal {
    malformed("malformed_json", format!("The body is not JSON: {error}."))
}

/// A limit's refusal with the place where the parser stood.
fn placed((code, sentence): (&'static str, Cow<'static, str>), error: &serde_json::Error) -> Refusal {
    malformed(code, format!("{sentence} (line {}, column {}).", error.line(), error.column()))
}
