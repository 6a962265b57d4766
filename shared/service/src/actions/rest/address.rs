//! The address of a call: what the author wrote, and the query.
//!
//! Whether it may be called is for whoever makes the call to judge. Here only what stands behind the host is put into the
//! form that a URL has, because data in it has any letters; a host stays as it was written.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::super::{NotDone, params::wrong};

/// What a query's names and values have encoded. *Source*: RFC 3986, 2.3.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What cannot stand behind a host as it is, and is no control character: those stay, and the address is refused.
/// *Source*: RFC 3986, 3.3 and 3.4.
const BEHIND_HOST: &[u8] = b" \"<>\\^`{|}";

/// `uri` with the pairs of `qs` at the end of its query, and without its fragment.
pub(super) fn of(uri: &str, qs: &Map<String, Value>) -> Result<String, NotDone> {
    let uri = uri.trim_matches(' ').split('#').next().unwrap_or_default();
    let host_at = uri.find("://").map_or(0, |at| at + "://".len());
    let (begin, rest) = uri.split_at(host_at);
    let (host, behind) = rest.split_at(rest.find(['/', '?', '\\']).unwrap_or(rest.len()));
    let mut address = format!("{begin}{host}");
    // A backslash right behind the host is one to some readers and a slash to others.
    let behind = match behind.strip_prefix('\\') {
        Some(_) => {
            address.push('\\');
            ""
        }
        None => behind,
    };
    address.push_str(&encoded(behind));
    let mut pairs = Vec::new();
    for (name, value) in qs {
        add(&mut pairs, name, value)?;
    }
    if !pairs.is_empty() {
        let separator = match behind.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some((_, query)) if query.ends_with('&') => "",
            Some(_) => "&",
        };
        address.push_str(separator);
        address.push_str(&pairs.join("&"));
    }
    Ok(address)
}

/// A list has its name once for each element; what is null is left out.
fn add(pairs: &mut Vec<String>, name: &str, value: &Value) -> Result<(), NotDone> {
    let text = match value {
        Value::Null => return Ok(()),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(elements) if elements.iter().all(|element| !element.is_array()) => {
            return elements.iter().try_for_each(|element| add(pairs, name, element));
        }
        Value::Array(_) | Value::Object(_) => {
            return Err(wrong("qs", "an object whose values are texts, numbers, true, false, or lists of these"));
        }
    };
    pairs.push(format!("{}={}", utf8_percent_encode(name, QUERY), utf8_percent_encode(&text, QUERY)));
    Ok(())
}

fn encoded(behind: &str) -> String {
    let mut encoded = String::with_capacity(behind.len());
    for character in behind.chars() {
        let is_encoded = !character.is_ascii() || u8::try_from(character).is_ok_and(|byte| BEHIND_HOST.contains(&byte));
        match is_encoded {
            true => {
                let mut bytes = [0; 4];
                let text: &str = character.encode_utf8(&mut bytes);
                encoded.extend(utf8_percent_encode(text, NON_ALPHANUMERIC));
            }
            false => encoded.push(character),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_query_is_added_and_what_a_url_cannot_hold_is_encoded() {
        for (uri, qs, expected) in [
            ("https://a.example", json!({}), "https://a.example"),
            ("https://a.example", json!({ "q": 1 }), "https://a.example?q=1"),
            ("https://a.example/x#part", json!({ "q": true }), "https://a.example/x?q=true"),
            (
                "https://a.example/x?y=1",
                json!({ "q": "a b&c=d/ä" }),
                "https://a.example/x?y=1&q=a%20b%26c%3Dd%2F%C3%A4",
            ),
            ("https://a.example/x?", json!({ "q": "1" }), "https://a.example/x?q=1"),
            ("https://a.example/x?y&", json!({ "q": "1" }), "https://a.example/x?y&q=1"),
            (
                "https://a.example",
                json!({ "a[]": [1, "b", null, false], "n": null }),
                "https://a.example?a%5B%5D=1&a%5B%5D=b&a%5B%5D=false",
            ),
            ("https://a.example/Größe {1}?a=b c", json!({}), "https://a.example/Gr%C3%B6%C3%9Fe%20%7B1%7D?a=b%20c"),
            ("https://a.example/%7Bx%7D?a=%20", json!({}), "https://a.example/%7Bx%7D?a=%20"),
            (" https://a.example/x ", json!({}), "https://a.example/x"),
            ("https://größe.example/ä", json!({}), "https://größe.example/%C3%A4"),
            ("https://a.example/x\\y", json!({}), "https://a.example/x%5Cy"),
            ("https://a.example\\@b.example/", json!({}), "https://a.example\\"),
            ("https://a.example/x\r\ny", json!({}), "https://a.example/x\r\ny"),
            ("a.example/ä", json!({}), "a.example/%C3%A4"),
        ] {
            assert_eq!(of(uri, qs.as_object().unwrap()).unwrap(), expected, "{uri} {qs}");
        }
    }

    #[test]
    fn what_no_query_can_say_fails_the_step() {
        for qs in [json!({ "a": {} }), json!({ "a": [[1]] }), json!({ "a": [{ "b": 1 }] })] {
            assert!(of("https://a.example", qs.as_object().unwrap()).is_err(), "{qs}");
        }
    }
}
