//! Credentials in a request's headers.

use domain::{Rejected, Rejection};
use http::{HeaderMap, header};

/// The most bytes of an `Authorization` header that anybody looks at.
const AUTHORIZATION_LIMIT_BYTES: usize = 8 * 1024;

/// The API key in the one `Authorization` header.
///
/// *Errors*: malformed when there are several, unauthenticated when there is none or it is something else.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<&str, Rejected> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        let detail = "Send an API key in the header `Authorization: Bearer hk_…`.";
        return Err(Rejected::new(Rejection::Unauthenticated, "no_credentials", detail));
    };
    if values.next().is_some() {
        let detail = "Send one Authorization header, not several.";
        return Err(Rejected::new(Rejection::Malformed, "ambiguous_credentials", detail));
    }
    let text = value.to_str().unwrap_or_default();
    // The scheme's case does not matter (RFC 9110, 11.1).
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && text.len() <= AUTHORIZATION_LIMIT_BYTES => {
            Ok(token.trim())
        }
        Some(_) | None => {
            let detail = "The Authorization header has to be `Bearer`, a space and an API key.";
            Err(Rejected::new(Rejection::Unauthenticated, "bad_credentials", detail))
        }
    }
}

/// The one answer to every key that does not work, whatever the reason.
pub(crate) fn unknown_key() -> Rejected {
    let detail = "This key is not known, has expired, was deleted, or does not work from this address.";
    Rejected::new(Rejection::Unauthenticated, "bad_credentials", detail)
}
