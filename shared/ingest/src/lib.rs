//! The bytes a sender sent, read into JSON data.
//!
//! Nothing here knows what the data means: text that looks like a reference or a template stays text, and whatever can be kept is kept, with
//! a [`Note`] when it was not quite what was sent. The rules for users are in `docs/bodies.md`.
//!
//! What this crate never does: read a clock, draw a random number, wait, open a file, fetch an entity, panic on input.

mod charset;
mod fields;
mod file_name;
mod form;
pub mod json;
pub mod mail;
mod media_type;
mod multipart;
mod notes;
mod refusal;
pub mod ses;
mod sniff;
mod xml;

use std::io::{self, Write};

use bytes::Bytes;
use serde_json::{Value, json};

pub use file_name::base_name;
pub use notes::Note;
pub use refusal::Refusal;

use charset::Broken;
use media_type::{Format, MediaType};
use notes::Notes;

/// Most bytes the data of one body may take as compact JSON.
///
/// *Why*: a body is at most 409,600 bytes, but one control character takes six bytes once it is escaped; the queue carries 1 MiB.
pub const DECODED_LIMIT_BYTES: usize = 1_000_000;

/// Bodies up to this size cannot become more than [`DECODED_LIMIT_BYTES`]: no format makes more than six bytes of one, and the objects that
/// stand for at most a hundred files take under 200,000 bytes.
const ALWAYS_FITS_BYTES: usize = 100_000;

/// What a body became.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The data; an object for every format but JSON, which may be any value.
    pub data: Value,
    /// What the hook's owner should know although the body was accepted; at most 52.
    pub notes: Vec<Note>,
    /// The files of a multipart form, in the order they came.
    pub files: Vec<File>,
}

/// A file of a multipart form.
///
/// *Shape* of its place in [`Reading::data`]:
/// `{"fileName":"a.png","contentType":"image/png","size":3,"sha256":"…","blob":"sha256/…"}`. The caller stores the bytes under `blob`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The form field, as the sender wrote it (`photos[]`).
    pub name: String,
    /// A base name without path and control characters, at most 255 characters; never empty.
    pub file_name: String,
    /// As the sender stated it, `application/octet-stream` when it did not.
    pub content_type: String,
    /// SHA-256 of the bytes, 64 lower-case hex.
    pub sha256: String,
    /// The content.
    pub bytes: Bytes,
}

impl File {
    /// Where the caller puts the bytes: `sha256/` and the digest.
    pub fn blob(&self) -> String {
        format!("sha256/{}", self.sha256)
    }

    fn document(&self) -> Value {
        json!({
            "fileName": self.file_name,
            "contentType": self.content_type,
            "size": self.bytes.len(),
            "sha256": self.sha256,
            "blob": self.blob(),
        })
    }
}

/// Reads a body by its `Content-Type` header; without one, by its looks.
///
/// *Units and limits*: the caller has checked the size of `body` (409,600 bytes); depth, keys, fields, parts and nodes are checked here.
///
/// *Errors*: a [`Refusal`], whose sentence tells the sender what to change.
pub fn read(content_type: Option<&str>, body: &[u8]) -> Result<Reading, Refusal> {
    let media_type = content_type.and_then(MediaType::parse);

    let reading = match media_type {
        Some(media_type) => read_as(&media_type, body)?,
        None => sniff::read_unlabelled(refusal::not_empty(body)?)?,
    };

    check_decoded_size(&reading.data, body.len())?;
    Ok(reading)
}

fn read_as(media_type: &MediaType, body: &[u8]) -> Result<Reading, Refusal> {
    let format = media_type.format()?;
    let encoding = media_type.encoding()?;
    let body = refusal::not_empty(body)?;

    match format {
        Format::Json => json::read(body, encoding),
        Format::Form => sniff::read_form_or_json(body, encoding),
        Format::Multipart => multipart::read(media_type.parameter("boundary"), body),
        Format::Xml => xml::read(body, encoding),
        Format::Text => read_text(body, encoding),
    }
}

fn read_text(body: &[u8], encoding: Option<&'static encoding_rs::Encoding>) -> Result<Reading, Refusal> {
    let mut notes = Notes::default();
    let text = charset::decode(body, encoding, Broken::Replaced, &mut notes)?;

    Ok(Reading { data: json!({ "unstructured": text }), notes: notes.into_list(), files: Vec::new() })
}

fn check_decoded_size(data: &Value, body_bytes: usize) -> Result<(), Refusal> {
    if body_bytes <= ALWAYS_FITS_BYTES {
        return Ok(());
    }

    let mut room = Room { left_bytes: DECODED_LIMIT_BYTES };
    serde_json::to_writer(&mut room, data).map_err(|_| Refusal::TooLarge {
        code: "too_large_decoded",
        detail: format!(
            "The body takes more than {DECODED_LIMIT_BYTES} bytes once it is written as JSON; send less in one request."
        ),
    })
}

/// A writer that keeps nothing and fails once more was written than there is room for.
struct Room {
    left_bytes: usize,
}

impl Write for Room {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        self.left_bytes =
            self.left_bytes.checked_sub(written.len()).ok_or_else(|| io::Error::from(io::ErrorKind::StorageFull))?;
        Ok(written.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
