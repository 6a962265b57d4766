//! What sentences quote of what was sent, which may be long.

/// The text, cut after `limit_chars` with a `…` as the mark that it was.
pub fn shortened(text: &str, limit_chars: usize) -> String {
    match text.char_indices().nth(limit_chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
