//! The text and the HTML of a mail, decoded only when asked for: most hooks want neither.

use super::Part;
use super::charset::{self, Kind};
use super::part::Flow;
use super::transfer::decode_up_to;

/// Most bytes of a body as text.
pub const BODY_TEXT_LIMIT_BYTES: usize = 131_072;

/// Bytes that are decoded for a body: no charset in use needs more than four for one byte of UTF-8, all but switches between alphabets.
const DECODED_LIMIT_BYTES: usize = 4 * BODY_TEXT_LIMIT_BYTES;

/// The text of a mail, with LF line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// At most [`BODY_TEXT_LIMIT_BYTES`] bytes.
    pub text: String,
    /// Whether the mail has more of it.
    pub is_cut: bool,
}

pub(super) fn text(tree: &Part, raw: &[u8]) -> Option<Body> {
    let part = tree.leaves().find(|part| part.content_type == "text/plain" && !part.is_attached())?;
    let body = decoded(part, raw, Kind::Plain);
    match part.flow {
        Flow::Fixed => Some(body),
        Flow::Flowed | Flow::FlowedWithoutSpace => {
            Some(Body { text: unflowed(&body.text, part.flow), is_cut: body.is_cut })
        }
    }
}

pub(super) fn html(tree: &Part, raw: &[u8]) -> Option<Body> {
    let part = tree.leaves().find(|part| part.is_html() && !part.is_attached())?;
    Some(decoded(part, raw, Kind::Html))
}

fn decoded(part: &Part, raw: &[u8], kind: Kind) -> Body {
    let (bytes, is_cut) = decode_up_to(raw, part.transfer(), part.span.clone(), DECODED_LIMIT_BYTES);
    let mut text = charset::with_lf(charset::text(bytes, part.charset.as_deref(), kind));

    let is_longer = text.len() > BODY_TEXT_LIMIT_BYTES;
    text.truncate(text.floor_char_boundary(BODY_TEXT_LIMIT_BYTES));
    Body { text, is_cut: is_cut || is_longer }
}

/// Puts paragraphs back on one line each; the quote marks before them stay.
fn unflowed(text: &str, flow: Flow) -> String {
    let mut output = String::with_capacity(text.len());
    let mut open_depth: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let unquoted = content.trim_start_matches('>');
        let depth = content.len() - unquoted.len();
        // A space was put before text that begins with one, with `>` or with `From `.
        let words = unquoted.strip_prefix(' ').unwrap_or(unquoted);
        let is_signature = words == "-- ";

        if open_depth != Some(depth) || is_signature {
            end_paragraph(open_depth, &mut output);
            output.extend(std::iter::repeat_n('>', depth));
            output.push_str(if depth > 0 { " " } else { "" });
        }
        let goes_on = words.ends_with(' ') && !is_signature;
        open_depth = goes_on.then_some(depth);
        match (goes_on, flow) {
            (true, Flow::FlowedWithoutSpace) => output.push_str(words.strip_suffix(' ').unwrap_or(words)),
            (true, Flow::Flowed | Flow::Fixed) | (false, _) => output.push_str(words),
        }
        if !goes_on && line.ends_with('\n') {
            output.push('\n');
        }
    }
    output
}

fn end_paragraph(open_depth: Option<usize>, output: &mut String) {
    if open_depth.is_some() {
        output.push('\n');
    }
}
