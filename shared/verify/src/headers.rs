//! Headers that decide something: each comes exactly once, or the arrival is refused.

use http::{HeaderMap, HeaderName};

use crate::Refusal;

/// The one value of a header.
pub(crate) fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or_else(|| Refusal::Missing { header: name.as_str().to_owned() })?;
    if values.next().is_some() {
        return Err(Refusal::Ambiguous { header: name.as_str().to_owned() });
    }
    value.to_str().map_err(|_| Refusal::malformed(name, "it has characters that are not visible ASCII"))
}

/// The name of the first of these headers that came, or a refusal that names the first.
pub(crate) fn first<'n>(headers: &HeaderMap, names: &'n [HeaderName]) -> Result<&'n HeaderName, Refusal> {
    names.iter().find(|name| headers.contains_key(*name)).ok_or_else(|| Refusal::Missing {
        header: names.first().map(|name| name.as_str().to_owned()).unwrap_or_default(),
    })
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
