//! `application/x-www-form-urlencoded`. Values are always text: `1` is `"1"`, because a form cannot say otherwise.
//!
//! *Source*: URL Standard, section 5.1. Broken `%` sequences stay as they are.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};
use percent_encoding::percent_decode;
use serde_json::Value;

use crate::charset;
use crate::fields::Fields;
use crate::notes::{Notes, path_of};
use crate::{Reading, Refusal};

pub(crate) fn read(body: &[u8], encoding: Option<&'static Encoding>) -> Result<Reading, Refusal> {
    let encoding = encoding.unwrap_or(UTF_8);
    let mut notes = Notes::default();
    let mut fields = Fields::default();

    let body = charset::without_utf8_mark(body, &mut notes);
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let (name, value) = split_pair(pair);
        let name = decode(name, encoding, "$", &mut notes);
        let value = decode(value, encoding, &path_of(&name), &mut notes);
        fields.add(&name, Value::String(value))?;
    }

    Ok(Reading { data: fields.into_data(&mut notes), notes: notes.into_list(), files: Vec::new() })
}

/// A pair at its first `=`; without one it is a name with an empty value.
fn split_pair(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let name = parts.next().unwrap_or_default();
    let value = parts.next().unwrap_or_default();
    (name, value)
}

fn decode(encoded: &[u8], encoding: &'static Encoding, path: &str, notes: &mut Notes) -> String {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Cow<'_, [u8]> = percent_decode(&spaced).into();
    charset::decode_replacing(&bytes, encoding, path, notes).into_owned()
}
