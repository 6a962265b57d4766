//! An arrival as a request to a program on this machine.

use http::Uri;

use super::tape::Arrival;
use crate::{
    failure::Failure,
    machine::now,
    outgoing::{Outgoing, Reply, Unsent},
    signing::Signer,
};

/// What became of an arrival that was delivered: what the program answered; nothing where it is only printed.
pub(super) type Delivered = Result<Option<Reply>, Unsent>;

/// Where arrivals go.
pub(super) struct Forward {
    url: String,
    hook: String,
    signer: Option<Signer>,
}

impl Forward {
    /// To this address, signed anew if there is a signer.
    ///
    /// *Errors*: it is no address.
    pub(super) fn to(url: &str, hook: &str, signer: Option<Signer>) -> Result<Self, Failure> {
        let uri: Option<Uri> = url.parse().ok();
        let is_web = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some();
        if !uri.as_ref().is_some_and(is_web) {
            return Err(Failure::Usage(format!(
                "`{url}` is no address to forward to. It has to look like http://127.0.0.1:3000/path."
            )));
        }
        Ok(Self { url: url.to_owned(), hook: hook.to_owned(), signer })
    }

    /// Delivers the arrival; whatever is answered, it is delivered.
    ///
    /// *Errors*: nobody answers, or it cannot be sent or signed at all.
    pub(super) fn deliver(&self, arrival: &Arrival) -> Result<Reply, Unsent> {
        let request = self.request(arrival);
        match &self.signer {
            None => request.send(),
            Some(signer) => signer.sign(request, &arrival.id, now()).map_err(Unsent::Impossible)?.send(),
        }
    }

    fn request(&self, arrival: &Arrival) -> Outgoing {
        let mut request = Outgoing {
            method: arrival.method.clone(),
            url: with_query(&self.url, &arrival.query),
            headers: arrival.headers.clone(),
            body: arrival.body.clone(),
        };
        let mut own = vec![
            ("x-hookwright-hook".to_owned(), self.hook.clone()),
            ("x-hookwright-received-at".to_owned(), arrival.received_at.clone()),
            ("x-hookwright-transaction".to_owned(), arrival.transaction_ids.join(",")),
        ];
        if !arrival.content_type.is_empty() {
            own.push(("content-type".to_owned(), arrival.content_type.clone()));
        }
        request.replace_headers(own);
        request
    }
}

fn with_query(url: &str, query: &str) -> String {
    // What is behind a # never leaves a client.
    let url = url.split('#').next().unwrap_or(url);
    match (query.is_empty(), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&{query}"),
        (false, false) => format!("{url}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrival_keeps_all_it_came_with_beside_what_is_told_about_it() {
        let arrival = Arrival {
            received_at: "2026-11-22T09:00:00.000Z".to_owned(),
            transaction_ids: vec!["t1".to_owned(), "t2".to_owned()],
            method: "PUT".to_owned(),
            query: "a=1".to_owned(),
            content_type: "text/plain".to_owned(),
            headers: vec![("x-topic".to_owned(), "b".to_owned()), ("X-Hookwright-Hook".to_owned(), "faked".to_owned())],
            body: vec![0, 255],
            ..Arrival::default()
        };
        let request = Forward::to("http://127.0.0.1:1/in?x=0#top", "h1", None).unwrap().request(&arrival);
        assert_eq!((request.method.as_str(), request.url.as_str()), ("PUT", "http://127.0.0.1:1/in?x=0&a=1"));
        assert_eq!(request.body, [0, 255]);
        let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let expected = [
            "x-topic: b",
            "x-hookwright-hook: h1",
            "x-hookwright-received-at: 2026-11-22T09:00:00.000Z",
            "x-hookwright-transaction: t1,t2",
            "content-type: text/plain",
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn what_is_no_address_is_said_before_anything_is_asked() {
        for wrong in ["", "127.0.0.1:3000", "localhost", "ftp://127.0.0.1", "http://", "/path"] {
            assert!(Forward::to(wrong, "h1", None).is_err(), "{wrong}");
        }
    }
}
