//! Mails in files, or on standard input.

use std::{
    fs::File,
    io::{self, Read},
};

use ingest::mail::MAIL_LIMIT_BYTES;

use crate::{failure::Failure, source::STDIN};

/// The bytes of the mail called `name`, as they are.
///
/// *Errors*: it cannot be read, or is larger than any hook takes; no more than that is read.
pub(super) fn read(name: &str) -> Result<Vec<u8>, Failure> {
    let bytes = if name == STDIN { limited(io::stdin().lock()) } else { File::open(name).and_then(limited) };
    let bytes = bytes.map_err(|error| Failure::Usage(format!("The mail {name} cannot be read: {error}.")))?;
    if bytes.len() > MAIL_LIMIT_BYTES {
        return Err(Failure::Usage(format!(
            "The mail {name} has more than {MAIL_LIMIT_BYTES} bytes, which no hook takes."
        )));
    }
    Ok(bytes)
}

fn limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit_bytes = u64::try_from(MAIL_LIMIT_BYTES).unwrap_or(u64::MAX);
    reader.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
