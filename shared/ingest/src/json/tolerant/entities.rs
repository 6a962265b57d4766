//! (being written)

/// The text with its character references decoded once; `None` when there are none.
pub(crate) fn decoded(_text: &str) -> Option<String> {
    None
}
