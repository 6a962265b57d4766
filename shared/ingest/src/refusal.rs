//! Why a body was not accepted. Each sentence is written for the sender, who has to change something.

use domain::shortened;

/// A body that cannot become data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not what its content type says, or beyond a limit on its structure; HTTP answers 400.
    #[error("{detail}")]
    Malformed {
        /// A stable word for programs (`malformed_json`, `too_deep`, …).
        code: &'static str,
        /// What to change, in a sentence.
        detail: String,
    },
    /// Too much data once decoded; HTTP answers 413.
    #[error("{detail}")]
    TooLarge {
        /// A stable word for programs (`too_large_decoded`).
        code: &'static str,
        /// What to change, in a sentence.
        detail: String,
    },
    /// A content type or charset that is not read here; HTTP answers 415.
    #[error("{detail}")]
    UnsupportedMediaType {
        /// What is accepted instead, in a sentence.
        detail: String,
    },
}

impl Refusal {
    /// The stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { code, .. } | Self::TooLarge { code, .. } => code,
            Self::UnsupportedMediaType { .. } => "unsupported_media_type",
        }
    }

    /// The sentence for the sender.
    pub fn detail(&self) -> &str {
        match self {
            Self::Malformed { detail, .. } | Self::TooLarge { detail, .. } | Self::UnsupportedMediaType { detail } => {
                detail
            }
        }
    }
}

/// Keys with this beginning are `serde_json`'s own way of writing numbers and raw values: an object that has one would come back from the
/// store as something else, so no format may make one.
pub(crate) const RESERVED_KEY_PREFIX: &str = "$serde_json::private::";

/// Characters of what was sent that a sentence repeats.
const SHOWN_LIMIT_CHARS: usize = 60;

/// Characters of a sentence; the parsers' own words may repeat what was sent, too.
const DETAIL_LIMIT_CHARS: usize = 500;

pub(crate) fn malformed(code: &'static str, detail: impl Into<String>) -> Refusal {
    let detail = shortened(&detail.into(), DETAIL_LIMIT_CHARS);
    Refusal::Malformed { code, detail }
}

/// Something that was sent, quoted and short enough for a sentence.
pub(crate) fn shown(sent: &str) -> String {
    format!("{:?}", shortened(sent, SHOWN_LIMIT_CHARS))
}

pub(crate) fn not_reserved(key: &str) -> Result<(), Refusal> {
    if key.starts_with(RESERVED_KEY_PREFIX) {
        return Err(malformed("reserved_key", format!("The name {} is reserved; rename it.", shown(key))));
    }
    Ok(())
}

pub(crate) fn empty_body() -> Refusal {
    malformed("empty_body", "The body is empty; send the data as the body of the request.")
}

pub(crate) fn not_empty(body: &[u8]) -> Result<&[u8], Refusal> {
    if body.is_empty() {
        return Err(empty_body());
    }
    Ok(body)
}
