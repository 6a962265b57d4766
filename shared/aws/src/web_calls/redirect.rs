//! Where an answer leads, and what is said there.
//!
//! *Source*: Fetch, "HTTP-redirect fetch"; RFC 3986, 5.2, for what a `Location` is relative to.

use http::{Response, Uri};
use service::ports::{Method, NotCalled, Secrecy};

use super::{Stage, refusal};
use crate::web::{Place, Reach};

/// Headers that describe a body, which go with it.
const OF_THE_BODY: [&str; 4] = ["content-encoding", "content-language", "content-location", "content-type"];

/// The stage that follows.
pub(super) struct Next(pub(super) Stage);

/// The stage that `answer` leads to; none where it is an answer like others.
///
/// *Errors*: [`NotCalled::Refused`] where nobody may go there, or would take a secret along.
pub(super) fn next<B>(stage: &Stage, answer: &Response<B>, reach: &Reach) -> Result<Option<Next>, NotCalled> {
    let status = answer.status().as_u16();
    let Some(location) = answer.headers().get("location").filter(|_| [301, 302, 303, 307, 308].contains(&status))
    else {
        return Ok(None);
    };
    let place = Place::parse(&resolved(stage.place.uri(), location.as_bytes()), reach).map_err(refusal::of_redirect)?;
    let method = match (status, stage.method) {
        (303, method @ (Method::Get | Method::Head)) => method,
        (303, _) | (301 | 302, Method::Post) => Method::Get,
        (_, method) => method,
    };
    let mut call = stage.call.clone();
    if method != stage.method {
        call.body = None;
        call.headers.retain(|header| !OF_THE_BODY.contains(&header.name()));
    }
    if !place.has_origin_of(&stage.place) {
        if call.body.as_ref().is_some_and(|body| body.secrecy == Secrecy::Secret) {
            return Err(refusal::of_secret_body(status));
        }
        call.headers.retain(|header| !header.is_credential());
    }
    Ok(Some(Next(Stage { method, place, call })))
}

/// The URL that `location` is in an answer of `base`. What no URL may hold but servers write is escaped.
fn resolved(base: &Uri, location: &[u8]) -> String {
    let location = escaped(location);
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, authority) =
        (base.scheme_str().unwrap_or_default(), base.authority().map_or("", |authority| authority.as_str()));
    let path = base.path();
    if has_scheme(location) {
        return location.to_owned();
    }
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    let relative = match location.chars().next() {
        Some('/') => location.to_owned(),
        Some('?') => format!("{path}{location}"),
        Some(_) => {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{folder}/{location}")
        }
        None => base.path_and_query().map_or("/", |whole| whole.as_str()).to_owned(),
    };
    let (path, query) = relative.split_once('?').map_or((relative.as_str(), None), |(path, query)| (path, Some(query)));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}{}{query}", without_dots(path))
}

/// *Source*: RFC 3986, 3.1.
fn has_scheme(location: &str) -> bool {
    let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic()) && scheme.bytes().all(is_scheme_byte)
    })
}

/// *Source*: RFC 3986, 5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    for (at, segment) in segments.into_iter().enumerate() {
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if at == last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// White space around it is none of it; bytes that are not ASCII and blanks are percent-encoded, control characters stay and
/// make it malformed.
fn escaped(location: &[u8]) -> String {
    let mut text = String::with_capacity(location.len());
    for byte in location.trim_ascii() {
        match byte {
            b' ' | 0x80.. => text.push_str(&format!("%{byte:02X}")),
            _ => text.push(char::from(*byte)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::resolved;

    #[test]
    fn a_location_is_read_as_relative_to_the_place_that_sent_it() {
        for (location, expected) in [
            ("https://b.example/x", "https://b.example/x"),
            ("HTTP://b.example", "HTTP://b.example"),
            ("//b.example/x?y", "https://b.example/x?y"),
            ("/x", "https://a.example:8443/x"),
            ("/x/../y/./z/..", "https://a.example:8443/y/"),
            ("/../../etc", "https://a.example:8443/etc"),
            ("x", "https://a.example:8443/one/x"),
            ("./x", "https://a.example:8443/one/x"),
            ("../x?y=../z", "https://a.example:8443/x?y=../z"),
            ("?y", "https://a.example:8443/one/two?y"),
            ("", "https://a.example:8443/one/two?q=1"),
            ("#part", "https://a.example:8443/one/two?q=1"),
            ("  /x#part ", "https://a.example:8443/x"),
            ("/gr\u{f6}\u{df}e \u{e4}", "https://a.example:8443/gr%C3%B6%C3%9Fe%20%C3%A4"),
            ("mailto:ann@b.example", "mailto:ann@b.example"),
            ("x:y", "x:y"),
            ("/x:y", "https://a.example:8443/x:y"),
        ] {
            let base = "https://a.example:8443/one/two?q=1".parse().unwrap();
            assert_eq!(resolved(&base, location.as_bytes()), expected, "{location}");
        }
    }
}
