//! Bytes as text in a header. Strict: the other encoding, another alphabet or missing padding is refused, and the doctor says so.

use base64::{
    Engine,
    engine::{
        DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig,
        general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    },
};
use serde::Deserialize;

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Encoding {
    /// Either case.
    Hex,
    /// The standard alphabet, padded.
    Base64,
}

impl Encoding {
    /// Reads exactly `N` bytes, without allocating.
    pub(crate) fn decode_exactly<const N: usize>(self, text: &str) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        match self {
            Self::Hex => hex::decode_to_slice(text, &mut bytes).ok()?,
            Self::Base64 => {
                let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
                (length == N).then_some(())?;
            }
        }
        Some(bytes)
    }

    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(text).ok(),
            Self::Base64 => STANDARD.decode(text).ok(),
        }
    }

    pub(crate) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Hex => Self::Base64,
            Self::Base64 => Self::Hex,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }
}

/// Keys and secrets are pasted by people, who lose padding on the way; signatures are not.
const PASTED: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 that somebody pasted, with or without padding.
pub(crate) fn pasted_base64(text: &str) -> Option<Vec<u8>> {
    PASTED.decode(text).ok()
}

/// Base64 as tokens have it: the URL's alphabet, no padding.
pub(crate) fn token_base64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

pub(crate) fn to_token_base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes between the first pair of `-----BEGIN {label}-----` and `-----END {label}-----`.
pub(crate) fn pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, after) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (inside, _) = after.split_once(&format!("-----END {label}-----"))?;
    let compact: String = inside.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    pasted_base64(&compact)
}
