//! A sample as a request that is not signed yet.

use apps::samples::{self, Sample};
use serde_json::Value;

use crate::{failure::Failure, outgoing::Outgoing};

/// How many events are named where one was mistyped.
const NAMED_LIMIT: usize = 5;

/// The sample of the event, with other values in its body. Several providers tell some events, such as
/// `concours.appointment.book`; that of `app` comes first.
///
/// *Errors*: there is no such event, or a path leads nowhere.
pub(super) fn of(event: &str, app: Option<&str>, changes: &[(String, Value)]) -> Result<Sample, Failure> {
    let of_app = app.and_then(|app| samples::find_of(app, event));
    let sample = of_app.or_else(|| samples::find(event)).ok_or_else(|| Failure::Usage(unknown(event)))?;
    sample.with(changes).map_err(Failure::Usage)
}

/// The sample as it goes to `url`.
pub(super) fn request(sample: &Sample, url: &str) -> Outgoing {
    let (url, headers) = (sample.url_at(url), sample.sent_headers());
    Outgoing { method: sample.method.clone(), url, headers, body: sample.body.bytes() }
}

/// Reads `PATH=VALUE`.
pub(crate) fn change(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.is_empty() => {
            let value = domain::exact::parse(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            Ok((path.to_owned(), value))
        }
        Some(_) | None => Err("it is PATH=VALUE, such as customer.email=ann@example.com".to_owned()),
    }
}

fn unknown(event: &str) -> String {
    let app = event.split('.').next().unwrap_or_default();
    let names = samples::all().into_iter().filter(|sample| sample.app == app).map(|sample| sample.event.as_str());
    let names: Vec<&str> = names.take(NAMED_LIMIT).collect();
    match (apps::find(app), names.is_empty()) {
        (Some(_), false) => format!(
            "There is no sample of `{event}`. Of {app} there are {} and others: `hookwright trigger --list {app}`.",
            names.join(", ")
        ),
        (Some(_), true) | (None, _) => {
            format!("There is no sample of `{event}`. The events there are: `hookwright trigger --list`.")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_json_if_it_is_json_and_text_if_not() {
        let rows = [
            ("a=7", json!(7)),
            ("a=1e400", domain::exact::parse("1e400").unwrap()),
            ("a=true", json!(true)),
            ("a=null", Value::Null),
            (r#"a="7""#, json!("7")),
            (r#"a={"b":[1]}"#, json!({"b": [1]})),
            ("a=ann@example.com", json!("ann@example.com")),
            ("a=x=y", json!("x=y")),
            ("a=", json!("")),
        ];
        for (text, value) in rows {
            assert_eq!(change(text), Ok(("a".to_owned(), value)), "{text}");
        }
        for wrong in ["", "a", "=7"] {
            assert!(change(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_sample_can_be_sent() {
        for sample in samples::all() {
            let request = request(sample, "https://hooks.example.com/h");
            assert!(request.url.starts_with("https://hooks.example.com/h"), "{}", sample.event);
            assert_eq!(Outgoing::from_attributes(&request.as_attributes()), Some(request));
        }
    }
}
