//! The text and the HTML of a mail.

use super::Part;

/// Most bytes of a body as text.
pub const BODY_TEXT_LIMIT_BYTES: usize = 131_072;

/// The text of a mail, with LF line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// At most [`BODY_TEXT_LIMIT_BYTES`] bytes.
    pub text: String,
    /// Whether the mail has more of it.
    pub is_cut: bool,
}

pub(super) fn text(_tree: &Part, _raw: &[u8]) -> Option<Body> {
    None
}

pub(super) fn html(_tree: &Part, _raw: &[u8]) -> Option<Body> {
    None
}
