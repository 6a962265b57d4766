//! The tape of a hook: what arrived, page by page, the oldest first.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::cursor::Position;
use crate::{
    client::{Address, Client},
    failure::Failure,
};

/// What the API gives at once.
const PAGE_SIZE: &str = "100";

/// One arrival, as the sender sent it but for credentials and signatures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) id: String,
    pub(super) received_at: String,
    /// More than one, where a batch was split.
    pub(super) transaction_ids: Vec<String>,
    pub(super) method: String,
    /// Raw, without its question mark; empty if there was none.
    pub(super) query: String,
    /// Empty if none was named.
    pub(super) content_type: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// A page of arrivals.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TapePage {
    pub(super) arrivals: Vec<Arrival>,
    /// Where the next page begins; there may be nothing yet.
    pub(super) next: String,
    /// Up to where nothing can come any more: ids before it are final, later ones may get neighbours.
    pub(super) settled: String,
}

/// The arrivals of one hook.
pub(super) struct Tape {
    client: Client,
    kind: String,
    hook: String,
}

impl Tape {
    /// The tape of this hook.
    pub(super) fn of(client: Client, kind: &str, hook: &str) -> Self {
        Self { client, kind: kind.to_owned(), hook: hook.to_owned() }
    }

    /// The page at the position.
    ///
    /// *Errors*: those of the API, or an answer that is no page.
    pub(super) fn page(&self, position: &Position) -> Result<TapePage, Failure> {
        let address = Address::of(&["hooks", &self.kind, &self.hook, "arrivals"])
            .query("after", position.after.as_deref())
            .query("since", position.since.as_deref())
            .query("pageSize", Some(PAGE_SIZE));
        read(&self.client.get(&address)?)
            .ok_or_else(|| Failure::Unavailable("The server's answer is no page of arrivals.".to_owned()))
    }
}

impl Arrival {
    /// When, what and how much, on one line.
    pub(super) fn line(&self) -> String {
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let kind = if self.content_type.is_empty() { String::new() } else { format!(" {}", self.content_type) };
        let ids = self.transaction_ids.join(", ");
        let ids = if ids.is_empty() { ids } else { format!(", transaction {ids}") };
        format!("{}  {}{query}{kind}, {} bytes{ids}", self.received_at, self.method, self.body.len())
    }
}

fn read(document: &Value) -> Option<TapePage> {
    let arrivals = document.get("data")?.as_array()?.iter().map(arrival);
    let next = document.pointer("/meta/next")?.as_str()?.to_owned();
    // A server that does not tell has settled everything.
    let settled = document.pointer("/meta/settled").and_then(Value::as_str).unwrap_or(&next).to_owned();
    Some(TapePage { arrivals: arrivals.collect::<Option<_>>()?, next, settled })
}

fn arrival(resource: &Value) -> Option<Arrival> {
    let attributes = resource.get("attributes")?;
    let text = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ids = attributes.get("transactionIds").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let headers = attributes.get("headers").and_then(Value::as_object);
    Some(Arrival {
        id: resource.get("id")?.as_str()?.to_owned(),
        received_at: text("receivedAt"),
        transaction_ids: ids.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        method: attributes.get("method")?.as_str()?.to_owned(),
        query: text("query"),
        content_type: text("contentType"),
        headers: headers.into_iter().flatten().flat_map(|(name, value)| named(name, value)).collect(),
        body: STANDARD.decode(text("bodyBase64")).ok()?,
    })
}

/// A header that came more than once has a list of values.
fn named(name: &str, value: &Value) -> Vec<(String, String)> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    values.iter().filter_map(Value::as_str).map(|value| (name.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_arrival_is_read_with_its_exact_bytes() {
        let document = json!({"data": [{"id": "a1", "type": "arrival", "attributes": {
            "receivedAt": "2026-11-22T09:00:00.000Z", "transactionIds": ["t1", "t2"], "method": "POST", "query": "a=1&a=2",
            "contentType": "application/json", "headers": {"x-one": "1", "x-two": ["2", "3"]}, "bodyBase64": "AP8K"}}],
            "meta": {"next": "p2"}});
        let page = read(&document).unwrap();
        let arrival = &page.arrivals[0];
        assert_eq!((page.next.as_str(), arrival.body.as_slice()), ("p2", &[0, 255, 10][..]));
        assert_eq!(arrival.headers.len(), 3);
        assert_eq!(
            arrival.line(),
            "2026-11-22T09:00:00.000Z  POST?a=1&a=2 application/json, 3 bytes, transaction t1, t2"
        );
    }

    #[test]
    fn what_is_no_page_is_not_taken_for_an_empty_one() {
        for document in [
            json!(null),
            json!({"data": []}),
            json!({"data": {}, "meta": {"next": "p"}}),
            json!({"data": [{"id": "a"}], "meta": {"next": "p"}}),
            json!({"data": [{"id": "a", "attributes": {"method": "POST", "bodyBase64": "*"}}], "meta": {"next": "p"}}),
        ] {
            assert_eq!(read(&document), None, "{document}");
        }
    }
}
