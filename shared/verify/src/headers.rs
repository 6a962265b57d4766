//! Headers that decide something: each comes exactly once, or the arrival is refused.

use http::{HeaderMap, HeaderName};

use crate::Refusal;

/// The one value of a header.
pub(crate) fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    found(headers, name).unwrap_or_else(|| Err(Refusal::Missing { header: name.as_str().to_owned() }))
}

/// The first of these headers that came, or a refusal that names the first of all.
pub(crate) fn first<'a, 'n>(
    headers: &'a HeaderMap,
    names: &'n [HeaderName],
) -> Result<(&'n HeaderName, &'a str), Refusal> {
    for name in names {
        if let Some(value) = found(headers, name) {
            return value.map(|value| (name, value));
        }
    }
    Err(Refusal::Missing { header: names.first().map(|name| name.as_str().to_owned()).unwrap_or_default() })
}

fn found<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Result<&'a str, Refusal>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return Some(Err(Refusal::Ambiguous { header: name.as_str().to_owned() }));
    }
    // A header value never has control characters; this is the same test as `to_str`, many bytes at a time.
    let text = std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.is_ascii());
    Some(text.ok_or_else(|| Refusal::malformed(name, "it has characters that are not visible ASCII")))
}

/// What follows an authorization scheme's word, in any case: `Basic …`, `bearer …`.
pub(crate) fn after_word<'a>(value: &'a str, word: &str) -> Option<&'a str> {
    let (found, rest) = value.split_once(' ')?;
    found.eq_ignore_ascii_case(word).then(|| rest.trim_start_matches(' '))
}

/// Whether a form came, by its content type.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
