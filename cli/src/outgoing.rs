//! Requests to addresses that are no management API: a hook's own, and a program on this machine.
//!
//! Bytes, method and headers go out as they are. Whatever HTTP answers is an answer: no status is a failure here, and no
//! redirect is followed.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method, Uri, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::config::{Place, place_of};

/// A person may stand at a breakpoint in the program that answers.
const TIMEOUT_SECONDS: u64 = 300;

/// Answers are shown, not kept; what is longer is cut.
const ANSWER_LIMIT_BYTES: u64 = 1024 * 1024;

/// What belongs to one connection and not to what is sent over it (RFC 9110, 7.6.1), and what is made anew.
const OF_THE_CONNECTION: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request with the bytes that are to arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outgoing {
    /// `POST`
    pub(crate) method: String,
    /// Absolute, with its query.
    pub(crate) url: String,
    /// In their order; a name may come more than once.
    pub(crate) headers: Vec<(String, String)>,
    /// The bytes as they are.
    pub(crate) body: Vec<u8>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The type of the body, empty if none was named.
    pub(crate) content_type: String,
    /// The body, as far as it could be read.
    pub(crate) body: Vec<u8>,
}

/// Why there was no answer, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// There can be no such request.
    Impossible(String),
    /// Nobody answered; it may be sent again.
    Unanswered(String),
}

impl Outgoing {
    /// Sends the request and reads what is answered.
    ///
    /// *Errors*: there can be no such request, or nobody answers.
    pub(crate) fn send(&self) -> Result<Reply, Unsent> {
        let request = self.request()?;
        let unanswered = |error: ureq::Error| {
            let cause = error.into_io();
            Unsent::Unanswered(format!("Nothing answers at {} ({cause}).", origin_of(&self.url)))
        };
        let mut answer = agent_for(request.uri()).run(request).map_err(unanswered)?;
        let status = answer.status().as_u16();
        let content_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = answer.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_vec().unwrap_or_default();
        Ok(Reply { status, content_type, body })
    }

    /// The headers as text, `name: value`, without those that belong to a connection.
    pub(crate) fn lasting_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let is_lasting = |name: &str| !OF_THE_CONNECTION.contains(&name.to_ascii_lowercase().as_str());
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(move |(name, _)| is_lasting(name))
    }

    /// Puts the headers in the place of those with the same names.
    pub(crate) fn replace_headers(&mut self, headers: Vec<(String, String)>) {
        self.headers.retain(|(name, _)| !headers.iter().any(|(new, _)| new.eq_ignore_ascii_case(name)));
        self.headers.extend(headers);
    }

    /// Reads the attributes of a signed request of the API; `None` if a part is missing.
    pub(crate) fn from_attributes(attributes: &Value) -> Option<Self> {
        let text = |name: &str| attributes.get(name).and_then(Value::as_str);
        let headers = attributes.get("headers").and_then(Value::as_array)?.iter();
        let headers = headers.map(|pair| match pair.as_array().map(Vec::as_slice) {
            Some([name, value]) => Some((name.as_str()?.to_owned(), value.as_str()?.to_owned())),
            Some(_) | None => None,
        });
        Some(Self {
            method: text("method")?.to_owned(),
            url: text("url")?.to_owned(),
            headers: headers.collect::<Option<_>>()?,
            body: STANDARD.decode(text("bodyBase64")?).ok()?,
        })
    }

    /// The attributes of a signed request, as the API has them.
    pub(crate) fn as_attributes(&self) -> Value {
        json!({ "method": self.method, "url": self.url, "headers": self.headers, "bodyBase64": STANDARD.encode(&self.body) })
    }

    fn request(&self) -> Result<http::Request<Vec<u8>>, Unsent> {
        let impossible = |what: &str| Unsent::Impossible(format!("There can be no request with the {what}."));
        let uri: Uri = self.url.parse().map_err(|_| impossible(&format!("address `{}`", self.url)))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(impossible(&format!("address `{}`", self.url)));
        }
        let method = Method::from_bytes(self.method.as_bytes());
        let mut request = http::Request::new(self.body.clone());
        *request.method_mut() = method.map_err(|_| impossible(&format!("method `{}`", self.method)))?;
        *request.uri_mut() = uri;
        for (name, value) in self.lasting_headers() {
            let header =
                HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_bytes(value.as_bytes()).ok());
            let (name, value) = header.ok_or_else(|| impossible(&format!("header `{name}`")))?;
            request.headers_mut().append(name, value);
        }
        Ok(request)
    }
}

fn agent_for(uri: &Uri) -> ureq::Agent {
    let mut builder = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(Duration::from_secs(TIMEOUT_SECONDS)));
    if place_of(uri) == Place::Here {
        // A proxy has no way to this machine.
        builder = builder.proxy(None);
    }
    builder.build().new_agent()
}

/// The address without its path and query, which may hold what is secret.
fn origin_of(url: &str) -> String {
    match url.parse::<Uri>() {
        Ok(uri) => {
            format!("{}://{}", uri.scheme_str().unwrap_or("http"), uri.authority().map_or("", |host| host.as_str()))
        }
        Err(_) => "the address".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(method: &str, url: &str, header: (&str, &str)) -> Outgoing {
        let headers = vec![(header.0.to_owned(), header.1.to_owned())];
        Outgoing { method: method.to_owned(), url: url.to_owned(), headers, body: Vec::new() }
    }

    #[test]
    fn what_can_be_no_request_is_not_sent() {
        for request in [
            outgoing("PO ST", "http://127.0.0.1:1/", ("a", "b")),
            outgoing("POST", "127.0.0.1:1/x", ("a", "b")),
            outgoing("POST", "ftp://127.0.0.1/", ("a", "b")),
            outgoing("POST", "http://127.0.0.1:1/a b", ("a", "b")),
            outgoing("POST", "http://127.0.0.1:1/", ("a b", "c")),
            outgoing("POST", "http://127.0.0.1:1/", ("a", "b\r\nx-evil: 1")),
        ] {
            assert!(matches!(request.send(), Err(Unsent::Impossible(_))), "{request:?}");
        }
    }

    #[test]
    fn a_signed_request_reads_back_as_it_was_written() {
        let mut request = outgoing("POST", "https://hooks.example.com/h", ("x-signature", "t=1,v1=ab"));
        request.body = vec![0, 255, 10];
        assert_eq!(Outgoing::from_attributes(&request.as_attributes()), Some(request));
        for broken in [json!({}), json!({"method": "POST", "url": "u", "headers": [["a"]], "bodyBase64": ""})] {
            assert_eq!(Outgoing::from_attributes(&broken), None);
        }
    }

    #[test]
    fn a_new_header_takes_the_place_of_the_old_ones_of_its_name() {
        let mut request = outgoing("POST", "http://127.0.0.1:1/", ("X-Signature", "old"));
        request.replace_headers(vec![("x-signature".to_owned(), "new".to_owned())]);
        assert_eq!(request.headers, [("x-signature".to_owned(), "new".to_owned())]);
    }
}
