//! What a post shows to the guard. It may stand in headers or at the top of the data, and leaves the data either way.

use domain::{Guard, Rejected};
use http::HeaderMap;
use serde_json::{Map, Value};

use super::{captcha::Captcha, refused};

/// The token of the challenge.
pub(crate) const TOKEN_FIELD: &str = "hw_token";

/// The solution of its work.
pub(crate) const NONCE_FIELD: &str = "hw_nonce";

/// [`TOKEN_FIELD`] as a header.
pub(crate) const TOKEN_HEADER: &str = "x-hookwright-token";

/// [`NONCE_FIELD`] as a header.
pub(crate) const NONCE_HEADER: &str = "x-hookwright-nonce";

/// What a post shows.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The token of a challenge.
    pub(crate) token: Option<String>,
    /// The solution of its work.
    pub(crate) nonce: Option<String>,
    /// The answer of Turnstile's widget.
    pub(crate) turnstile: Option<String>,
    /// The answer of reCAPTCHA's widget.
    pub(crate) recaptcha: Option<String>,
    /// Whether something was written into the field that people do not see.
    pub(crate) is_honeypot_filled: bool,
}

impl Shown {
    /// Takes what `guard` looks at out of `data`, whether it asks for it at present or not, so that a page need not know
    /// how a hook is set. Only an object has such fields.
    ///
    /// *Errors*: one of them came twice, or is no text.
    pub(crate) fn take(guard: &Guard, headers: &HeaderMap, data: &mut Value) -> Result<Self, Rejected> {
        let mut nothing = Map::new();
        let fields = data.as_object_mut().unwrap_or(&mut nothing);
        Ok(Self {
            token: single(TOKEN_FIELD, headers_of(headers, TOKEN_HEADER), fields)?,
            nonce: single(NONCE_FIELD, headers_of(headers, NONCE_HEADER), fields)?,
            turnstile: single(Captcha::TURNSTILE_FIELD, Vec::new(), fields)?,
            recaptcha: single(Captcha::RECAPTCHA_FIELD, Vec::new(), fields)?,
            is_honeypot_filled: guard
                .honeypot
                .as_ref()
                .and_then(|name| fields.shift_remove(name))
                .is_some_and(|value| !is_empty(&value)),
        })
    }
}

/// A header that is no ASCII text is nothing we have given out, and is shown as such.
fn headers_of(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

/// The one value of a field. An empty one is none: a form sends its hidden inputs before a script has filled them in.
fn single(field: &str, mut sent: Vec<String>, fields: &mut Map<String, Value>) -> Result<Option<String>, Rejected> {
    match fields.shift_remove(field) {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => sent.push(text),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(refused("guard_field_ambiguous", format!("The field {field} is one text. Send it once.")));
        }
    }
    sent.retain(|text| !text.is_empty());
    let first = sent.pop();
    if sent.is_empty() {
        return Ok(first);
    }
    Err(refused("guard_field_ambiguous", format!("The field {field} came more than once. Send it once.")))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(is_empty),
        Value::Object(map) => map.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn guard() -> Guard {
        Guard { honeypot: Some("website".to_owned()), ..Guard::default() }
    }

    #[test]
    fn the_fields_of_the_guard_leave_the_data_and_nothing_else_does() {
        let mut data = json!({ "a": 1, "hw_token": "t", "hw_nonce": "n", "cf-turnstile-response": "c",
            "g-recaptcha-response": "g", "website": "", "hw_other": 2, "in": { "hw_token": "stays" } });
        let shown = Shown::take(&guard(), &HeaderMap::new(), &mut data).unwrap();
        assert_eq!(data, json!({ "a": 1, "hw_other": 2, "in": { "hw_token": "stays" } }));
        assert_eq!((shown.token.as_deref(), shown.nonce.as_deref()), (Some("t"), Some("n")));
        assert_eq!((shown.turnstile.as_deref(), shown.recaptcha.as_deref()), (Some("c"), Some("g")));
        assert!(!shown.is_honeypot_filled);
    }

    #[test]
    fn a_token_comes_once_in_a_header_or_in_a_field() {
        let mut header = HeaderMap::new();
        header.insert(TOKEN_HEADER, "h".parse().unwrap());
        let mut both = header.clone();
        both.append(TOKEN_HEADER, "h".parse().unwrap());
        for (headers, data, token) in [
            (&HeaderMap::new(), json!({}), Ok(None)),
            (&HeaderMap::new(), json!({ "hw_token": "" }), Ok(None)),
            (&HeaderMap::new(), json!({ "hw_token": null }), Ok(None)),
            (&HeaderMap::new(), json!(["hw_token"]), Ok(None)),
            (&HeaderMap::new(), json!("hw_token"), Ok(None)),
            (&header, json!([1]), Ok(Some("h"))),
            (&header, json!({ "hw_token": "" }), Ok(Some("h"))),
            (&header, json!({ "hw_token": "h" }), Err(())),
            (&both, json!({}), Err(())),
            (&HeaderMap::new(), json!({ "hw_token": ["a", "a"] }), Err(())),
            (&HeaderMap::new(), json!({ "hw_token": 7 }), Err(())),
        ] {
            let taken = Shown::take(&guard(), headers, &mut data.clone());
            let taken = taken.map(|shown| shown.token).map_err(|rejected| {
                assert_eq!(rejected.code, "guard_field_ambiguous");
            });
            assert_eq!(taken, token.map(|token: Option<&str>| token.map(str::to_owned)), "{data}");
        }
    }

    #[test]
    fn a_honeypot_is_filled_by_anything_but_emptiness() {
        for (website, filled) in [
            (json!(""), false),
            (json!(null), false),
            (json!(["", ""]), false),
            (json!({ "": "" }), false),
            (json!(" "), true),
            (json!("http://spam.example"), true),
            (json!(["", "x"]), true),
            (json!(false), true),
            (json!(0), true),
        ] {
            let mut data = json!({ "website": website });
            assert_eq!(
                Shown::take(&guard(), &HeaderMap::new(), &mut data).unwrap().is_honeypot_filled,
                filled,
                "{website}"
            );
            assert_eq!(data, json!({}));
        }
    }
}
