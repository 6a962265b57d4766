//! How a document is kept: as it is, deflated, or in the blob store.
//!
//! DynamoDB charges a write by the KiB, so a document is made small where that pays. A blob is always deflated, so
//! that the reader need not be told.

use std::io::{Read, Write};

use bytes::Bytes;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use service::ports::DOCUMENT_LIMIT_BYTES;
use sha2::{Digest, Sha256};

/// Up to here a document stays readable text: it fits into the first KiB with its keys, so that packing saves nothing.
const PLAIN_LIMIT_BYTES: usize = 512;

/// Past here packed bytes leave the item, far below DynamoDB's own 400 KB.
const INLINE_LIMIT_BYTES: usize = 32 * 1024;

/// The most bytes that unpacking ever gives, twice what is ever packed: more means that the bytes are not ours.
const UNPACKED_LIMIT_BYTES: usize = 2 * DOCUMENT_LIMIT_BYTES;

/// A document on its way into an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packed {
    /// The text itself.
    Plain(String),
    /// Raw deflate.
    Deflated(Bytes),
    /// Raw deflate, to be put into the blob store first.
    Blob { sha256: String, bytes: Bytes },
}

/// Why bytes are no document of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damaged {
    #[error("its document is not deflated text")]
    NotDeflated,
    #[error("its document is over {UNPACKED_LIMIT_BYTES} bytes unpacked")]
    TooLarge,
}

/// The smallest way to keep `document`.
pub(crate) fn pack(document: &str) -> Packed {
    if document.len() <= PLAIN_LIMIT_BYTES {
        return Packed::Plain(document.to_owned());
    }

    let deflated = deflate(document.as_bytes());
    match deflated {
        Some(bytes) if bytes.len() > INLINE_LIMIT_BYTES => {
            Packed::Blob { sha256: hex::encode(Sha256::digest(&bytes)), bytes: bytes.into() }
        }
        Some(bytes) if bytes.len() < document.len() => Packed::Deflated(bytes.into()),
        Some(_) | None => Packed::Plain(document.to_owned()),
    }
}

/// The document that `deflated` was made from.
pub(crate) fn unpack(deflated: &[u8]) -> Result<String, Damaged> {
    let mut document = String::new();
    let one_too_many = u64::try_from(UNPACKED_LIMIT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    DeflateDecoder::new(deflated).take(one_too_many).read_to_string(&mut document).map_err(|_| Damaged::NotDeflated)?;
    if document.len() > UNPACKED_LIMIT_BYTES { Err(Damaged::TooLarge) } else { Ok(document) }
}

/// Fast rather than tight: documents are repetitive, and the first level already halves them.
fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that deflate cannot make smaller than about three quarters: digits of a digest chain.
    fn dense(length: usize) -> String {
        let mut text = String::new();
        let mut digest = Sha256::digest(b"seed");
        while text.len() < length {
            text.push_str(&hex::encode(digest));
            digest = Sha256::digest(digest);
        }
        text.truncate(length);
        text
    }

    #[test]
    fn a_document_comes_back_as_it_went_in_whatever_its_size() {
        for around in [0, 512, 1024, 32 * 1024, 64 * 1024, 350_000, 400 * 1024, 1024 * 1024] {
            for length in [usize::saturating_sub(around, 1), around, around + 1] {
                for document in [dense(length), "ä".repeat(length / 2), "a".repeat(length)] {
                    let back = match pack(&document) {
                        Packed::Plain(text) => text,
                        Packed::Deflated(bytes) | Packed::Blob { bytes, .. } => unpack(&bytes).unwrap(),
                    };
                    assert!(back == document, "{length} bytes");
                }
            }
        }
    }

    #[test]
    fn a_document_of_512_bytes_stays_readable_and_one_of_513_is_deflated() {
        assert!(matches!(pack(&"a".repeat(512)), Packed::Plain(_)));
        assert!(matches!(pack(&"a".repeat(513)), Packed::Deflated(_)));
    }

    #[test]
    fn a_document_leaves_the_item_when_it_is_over_32_kib_packed() {
        let packed_length = |length| match pack(&dense(length)) {
            Packed::Plain(text) => (text.len(), "item"),
            Packed::Deflated(bytes) => (bytes.len(), "item"),
            Packed::Blob { bytes, .. } => (bytes.len(), "blob"),
        };
        for length in (50_000..70_000).step_by(97) {
            let (bytes, place) = packed_length(length);
            assert_eq!(place, if bytes > 32 * 1024 { "blob" } else { "item" }, "{length} bytes, packed {bytes}");
        }
        assert_eq!((packed_length(50_000).1, packed_length(70_000).1), ("item", "blob"));
    }

    #[test]
    fn a_blob_is_named_by_the_digest_of_its_own_bytes() {
        let Packed::Blob { sha256, bytes } = pack(&dense(100_000)) else { panic!("100 kB of noise fit into an item") };
        assert_eq!(sha256, hex::encode(Sha256::digest(&bytes)));
    }

    #[test]
    fn bytes_that_claim_to_be_huge_are_damaged() {
        let exact = deflate(&vec![b' '; 8 * 1024 * 1024]).unwrap();
        assert_eq!(unpack(&exact).map(|text| text.len()), Ok(8 * 1024 * 1024));
        let bomb = deflate(&vec![b' '; 8 * 1024 * 1024 + 1]).unwrap();
        assert_eq!(unpack(&bomb), Err(Damaged::TooLarge));
        assert_eq!(unpack(b"\xff\xff\xff\xff"), Err(Damaged::NotDeflated));
        assert_eq!(unpack(&deflate(b"\xc3\x28").unwrap()), Err(Damaged::NotDeflated));
    }
}
