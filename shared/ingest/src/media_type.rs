//! A `Content-Type` header and the format it stands for. Real senders write them in any case, unquoted, quoted or twice; only the first counts.

use encoding_rs::Encoding;

use crate::charset;
use crate::refusal::{Refusal, shown};

/// How a body is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Form,
    Multipart,
    Xml,
    Text,
}

/// A header value taken apart.
pub(crate) struct MediaType {
    /// `type/subtype` in lower case.
    pub(crate) essence: String,
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// `None` when the header is blank, which is the same as no header.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let end = header.find([';', ',']).unwrap_or(header.len());
        let (essence, rest) = header.split_at_checked(end)?;
        let essence = essence.trim().to_ascii_lowercase();
        if essence.is_empty() {
            return None;
        }

        Some(Self { essence, parameters: parameters(rest) })
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        find_parameter(&self.parameters, name)
    }

    pub(crate) fn format(&self) -> Result<Format, Refusal> {
        let essence = self.essence.as_str();

        match essence {
            "application/json" | "text/json" => Ok(Format::Json),
            "application/x-www-form-urlencoded" => Ok(Format::Form),
            "multipart/form-data" => Ok(Format::Multipart),
            "application/xml" | "text/xml" => Ok(Format::Xml),
            _ if essence.ends_with("+json") => Ok(Format::Json),
            _ if essence.ends_with("+xml") => Ok(Format::Xml),
            _ if essence.starts_with("text/") => Ok(Format::Text),
            _ => Err(Refusal::UnsupportedMediaType {
                detail: format!(
                    "Content-Type {} is not accepted; send application/json, application/x-www-form-urlencoded, \
                     multipart/form-data, application/xml or text/plain.",
                    shown(essence)
                ),
            }),
        }
    }

    /// The encoding its `charset` names, if it has one.
    pub(crate) fn encoding(&self) -> Result<Option<&'static Encoding>, Refusal> {
        let Some(label) = self.parameter("charset") else {
            return Ok(None);
        };

        match charset::encoding_named(label) {
            Some(encoding) => Ok(Some(encoding)),
            None => Err(Refusal::UnsupportedMediaType {
                detail: format!("The charset {} of Content-Type is not known; send UTF-8.", shown(label)),
            }),
        }
    }
}

/// The `; name=value` pairs of a header; names in lower case.
///
/// In a quoted value only `\"` is an escape: file names with a Windows path are sent with bare backslashes.
pub(crate) fn parameters(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header;

    while let Some((_, after)) = rest.split_once(';') {
        // A word without a value (`; inline; name=x`) ends at the next semicolon. The nearer of the two is looked for, so that a header
        // of nothing but semicolons is read once.
        let Some(end) = after.find(['=', ';']) else {
            break;
        };
        let (name, value) = after.split_at_checked(end).unwrap_or((after, ""));
        let Some(value) = value.strip_prefix('=') else {
            rest = value;
            continue;
        };

        let (value, after) = parameter_value(value.trim_start());
        found.push((name.trim().to_ascii_lowercase(), value));
        rest = after;
    }
    found
}

pub(crate) fn find_parameter<'p>(parameters: &'p [(String, String)], name: &str) -> Option<&'p str> {
    parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.trim().to_owned(), rest);
    };

    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' if characters.as_str().starts_with('"') => {
                characters.next();
                value.push('"');
            }
            _ => value.push(character),
        }
    }
    (value, characters.as_str())
}
