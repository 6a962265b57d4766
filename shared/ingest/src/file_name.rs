//! The names in a part's `Content-Disposition` header. A file name is data from outside: it is shown to people, never used as a path.

use encoding_rs::UTF_8;
use percent_encoding::percent_decode_str;

use crate::charset;
use crate::media_type::{find_parameter, parameters};

/// Characters of a file name that are kept.
pub(crate) const FILE_NAME_LIMIT_CHARS: usize = 255;

/// What a file is called when nothing is left of its name.
pub(crate) const UNNAMED: &str = "file";

/// The names a part states.
pub(crate) struct Disposition {
    /// The form field.
    pub(crate) name: Option<String>,
    /// The file name as it was sent; empty when a file input was left empty.
    pub(crate) file_name: Option<String>,
}

/// Reads a `Content-Disposition` header. `filename*` counts before `filename`, because its encoding is stated.
pub(crate) fn disposition(header: &str) -> Disposition {
    let parameters = parameters(header);
    let extended = find_parameter(&parameters, "filename*").and_then(decode_extended);
    let plain = || find_parameter(&parameters, "filename").map(str::to_owned);

    Disposition { name: find_parameter(&parameters, "name").map(str::to_owned), file_name: extended.or_else(plain) }
}

/// A base name: no path, no control characters, none that turn the direction of text around, at most 255 characters, never empty.
pub fn base_name(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|character| !is_hidden(*character)).collect();
    let kept: String = visible.trim().chars().take(FILE_NAME_LIMIT_CHARS).collect();

    match kept.as_str() {
        "" | "." | ".." => UNNAMED.to_owned(),
        _ => kept,
    }
}

/// Direction marks make `gpj.exe` look like `exe.jpg`.
fn is_hidden(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// `UTF-8''na%C3%AFve.txt` (RFC 8187).
fn decode_extended(value: &str) -> Option<String> {
    let (label, rest) = value.split_once('\'')?;
    let (_language, encoded) = rest.split_once('\'')?;
    let encoding = charset::encoding_named(label).unwrap_or(UTF_8);
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    Some(encoding.decode_without_bom_handling(&bytes).0.into_owned())
}
