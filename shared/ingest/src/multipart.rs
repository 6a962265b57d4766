//! `multipart/form-data`, by the `multer` crate. It is written for streams; here the whole body is already there, so nothing ever waits.
//!
//! *Source*: RFC 7578, and what browsers send.

use std::convert::Infallible;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use futures_util::{FutureExt, stream};
use multer::{Field, Multipart};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::charset;
use crate::fields::Fields;
use crate::file_name::{UNNAMED, base_name, disposition};
use crate::media_type::{Format, MediaType};
use crate::notes::{Notes, path_of};
use crate::refusal::{malformed, shown};
use crate::{File, Reading, Refusal};

/// Parts one form may have.
pub(crate) const PARTS_LIMIT: usize = 100;

/// Bytes of the headers of one part.
pub(crate) const PART_HEADERS_LIMIT_BYTES: usize = 8 * 1024;

/// Longest boundary, RFC 2046 section 5.1.1.
pub(crate) const BOUNDARY_LIMIT_CHARS: usize = 70;

const UNKNOWN_CONTENT_TYPE: &str = "application/octet-stream";

/// The colon, space and line end around a header's name and value.
const HEADER_FRAME_BYTES: usize = 4;

pub(crate) fn read(boundary: Option<&str>, body: &[u8]) -> Result<Reading, Refusal> {
    let boundary = checked_boundary(boundary)?;
    let whole_body = stream::iter([Ok::<Bytes, Infallible>(Bytes::copy_from_slice(body))]);
    let mut multipart = Multipart::new(whole_body, boundary);
    let mut form = Form::default();

    while let Some(part) = next_part(&mut multipart)? {
        form.add(part)?;
    }

    Ok(Reading { data: form.fields.into_data(&mut form.notes), notes: form.notes.into_list(), files: form.files })
}

fn checked_boundary(boundary: Option<&str>) -> Result<&str, Refusal> {
    match boundary {
        None | Some("") => Err(malformed(
            "boundary_missing",
            "The Content-Type has no boundary; let the HTTP client write this header.",
        )),
        Some(boundary) if boundary.len() > BOUNDARY_LIMIT_CHARS => {
            Err(malformed("boundary_too_long", format!("The boundary may have {BOUNDARY_LIMIT_CHARS} characters.")))
        }
        Some(boundary) => Ok(boundary),
    }
}

/// A part that was read to its end.
struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    bytes: Bytes,
}

fn next_part(multipart: &mut Multipart<'_>) -> Result<Option<Part>, Refusal> {
    let field = multipart.next_field().now_or_never().ok_or_else(incomplete)?.map_err(not_multipart)?;
    let Some(field) = field else {
        return Ok(None);
    };

    check_headers(&field)?;
    let disposition = disposition(&header(&field, "content-disposition").unwrap_or_default());
    let name = disposition.name.ok_or_else(|| {
        malformed("part_without_name", "A part of the form has no name in its Content-Disposition; give each part one.")
    })?;

    Ok(Some(Part {
        name,
        file_name: disposition.file_name,
        content_type: header(&field, "content-type").filter(|sent| !sent.trim().is_empty()),
        bytes: field.bytes().now_or_never().ok_or_else(incomplete)?.map_err(not_multipart)?,
    }))
}

fn check_headers(field: &Field<'_>) -> Result<(), Refusal> {
    let headers = field.headers().iter();
    let total: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + HEADER_FRAME_BYTES).sum();
    if total > PART_HEADERS_LIMIT_BYTES {
        return Err(malformed(
            "part_headers_too_large",
            format!("The headers of one part may take {PART_HEADERS_LIMIT_BYTES} bytes; shorten its names."),
        ));
    }
    Ok(())
}

fn header(field: &Field<'_>, name: &str) -> Option<String> {
    let value = field.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A form while its parts are read.
#[derive(Default)]
struct Form {
    fields: Fields,
    files: Vec<File>,
    notes: Notes,
    parts: usize,
}

impl Form {
    fn add(&mut self, part: Part) -> Result<(), Refusal> {
        self.parts += 1;
        if self.parts > PARTS_LIMIT {
            return Err(malformed(
                "too_many_parts",
                format!("A multipart form may have {PARTS_LIMIT} parts; send less in one request."),
            ));
        }

        let name = part.name.clone();
        let value = match (&part.file_name, is_text(part.content_type.as_deref())) {
            // A browser sends this for a file input in which nothing was chosen.
            (Some(file_name), _) if file_name.is_empty() && part.bytes.is_empty() => Value::Null,
            (None, true) => self.text(&part),
            (Some(_), _) | (None, false) => self.file(part),
        };
        self.fields.add(&name, value)
    }

    fn text(&mut self, part: &Part) -> Value {
        let path = path_of(&part.name);
        let encoding = self.part_encoding(part.content_type.as_deref(), &path);
        let text = charset::decode_replacing(&part.bytes, encoding, &path, &mut self.notes);
        Value::String(text.into_owned())
    }

    fn part_encoding(&mut self, content_type: Option<&str>, path: &str) -> &'static Encoding {
        let media_type = content_type.and_then(MediaType::parse);
        let Some(label) = media_type.as_ref().and_then(|media_type| media_type.parameter("charset")) else {
            return UTF_8;
        };

        charset::encoding_named(label).unwrap_or_else(|| {
            let message = format!("The charset {} of the part is not known; it was read as UTF-8.", shown(label));
            self.notes.add("unknown_charset", path, message);
            UTF_8
        })
    }

    fn file(&mut self, part: Part) -> Value {
        let sent_name = part.file_name.as_deref().unwrap_or(UNNAMED);
        let file_name = base_name(sent_name);
        if file_name != sent_name {
            self.notes.add(
                "file_name_changed",
                path_of(&part.name),
                "The file name had a path, control characters, more than 255 characters or nothing; a plain base name was kept.",
            );
        }

        let file = File {
            file_name,
            content_type: part.content_type.unwrap_or_else(|| UNKNOWN_CONTENT_TYPE.to_owned()),
            sha256: hex::encode(Sha256::digest(&part.bytes)),
            name: part.name,
            bytes: part.bytes,
        };
        let document = file.document();
        self.files.push(file);
        document
    }
}

/// Whether a part without a file name is a value rather than a file.
fn is_text(content_type: Option<&str>) -> bool {
    match content_type.and_then(MediaType::parse).map(|media_type| media_type.format()) {
        None => true,
        Some(Ok(Format::Json | Format::Form | Format::Xml | Format::Text)) => true,
        Some(Ok(Format::Multipart) | Err(_)) => false,
    }
}

fn not_multipart(error: multer::Error) -> Refusal {
    malformed(
        "malformed_multipart",
        format!("The body is not a multipart form with the boundary of its Content-Type: {error}."),
    )
}

fn incomplete() -> Refusal {
    malformed("malformed_multipart", "The body ends within a part; send it whole.")
}
