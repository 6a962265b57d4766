//! One authenticated request to the management API, and how its parts are read.

use domain::{Caller, GENERATION_HEADER, RecordKind, Rejected, Rejection, Timestamp, record::fields};
use http::header;
use ingest::Note;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Management, Refused, Request, Route, openapi};
use crate::{
    accept::refused_body,
    announce::{self, Author},
    directory::Paging,
    http::answer::Problem,
    ports::{LIST_LIMIT_ITEMS, Unavailable},
};

const DEFAULT_PAGE_SIZE: usize = 25;

/// A request, its caller, and the variable parts of its path.
pub(super) struct Call<'a> {
    pub(super) management: &'a Management,
    pub(super) request: &'a Request,
    pub(super) params: Vec<(String, String)>,
    pub(super) caller: Caller,
    /// The most items of a page, whatever was asked for.
    pub(super) page_limit: usize,
}

impl Call<'_> {
    /// The part of the path that the route calls `name`.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(param, _)| param == name).map_or("", |(_, value)| value.as_str())
    }

    /// The part of the path that the route calls `name`, as `parse` reads it.
    ///
    /// *Errors*: `404`, because nothing has an id that is none.
    pub(super) fn id<T, E>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<T, Refused> {
        parse(self.param(name)).map_err(|_| not_found().into())
    }

    /// The query parameter `name`.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        self.values_of(name).next()
    }

    /// The query parameter `name`, as often as it is there.
    pub(super) fn queries(&self, name: &str) -> Vec<String> {
        self.values_of(name).collect()
    }

    fn values_of<'n>(&self, name: &'n str) -> impl Iterator<Item = String> + use<'_, 'n> {
        let query = self.request.uri().query().unwrap_or_default();
        query.split('&').filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key) == name).then(|| decode(value))
        })
    }

    /// *Errors*: a query parameter that the route does not know. Left out, a filter that is written wrong would find everything.
    pub(super) fn check_query(&self, route: &Route) -> Result<(), Refused> {
        let Some(query) = self.request.uri().query() else { return Ok(()) };
        let known: Vec<&str> = openapi::query_names(route).collect();
        let names = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split('=').next().unwrap_or(pair));
        let Some(unknown) = names.map(decode).find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
        let shown = domain::shortened(&unknown, 60);
        let detail = match known.is_empty() {
            true => format!("There is no query parameter `{shown}` here, nor any other."),
            false => format!("There is no query parameter `{shown}` here; there is {}.", known.join(", ")),
        };
        Err(Rejected::at(shown, "bad_query", detail).into())
    }

    /// The query parameter `name` as an instant.
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, Refused> {
        let Some(text) = self.query(name) else { return Ok(None) };
        match Timestamp::parse(&text) {
            Some(instant) => Ok(Some(instant)),
            None => Err(bad_query(name, "an instant such as 2026-11-22T09:30:00Z")),
        }
    }

    /// Which page is asked for: `pageSize`, and `after` from an earlier answer's `links.next`.
    pub(super) fn paging(&self) -> Result<Paging, Refused> {
        let limit = self.page_size()?;
        let after = match self.query("after").filter(|after| !after.is_empty()) {
            None => None,
            Some(sent) => match sent.split_once('.') {
                Some((check, position)) if check == self.position_check(position) => Some(position.to_owned()),
                Some(_) | None => return Err(bad_query("after", "taken from the `links.next` of this same list")),
            },
        };
        Ok(Paging { limit, after })
    }

    /// How many items a page is to have.
    pub(super) fn page_size(&self) -> Result<usize, Refused> {
        let size = match self.query("pageSize") {
            None => DEFAULT_PAGE_SIZE,
            Some(text) => match text.parse() {
                Ok(size) if (1..=LIST_LIMIT_ITEMS).contains(&size) => size,
                Ok(_) | Err(_) => return Err(bad_query("pageSize", &format!("a number from 1 to {LIST_LIMIT_ITEMS}"))),
            },
        };
        Ok(size.min(self.page_limit))
    }

    /// A position as it is given out. A wrong one would begin the list anew, and whoever follows it never come to its end.
    pub(super) fn marked_position(&self, position: &str) -> String {
        format!("{}.{position}", self.position_check(position))
    }

    fn position_check(&self, position: &str) -> String {
        const SHOWN_BYTES: usize = 4;
        let digest =
            Sha256::new().chain_update(self.request.uri().path()).chain_update("#").chain_update(position).finalize();
        hex::encode(digest.get(..SHOWN_BYTES).unwrap_or_default())
    }

    /// The number of the page that is asked for, which only counts along.
    pub(super) fn page_number(&self) -> u64 {
        self.query("page").and_then(|page| page.parse().ok()).filter(|page| *page > 0).unwrap_or(1)
    }

    /// The attributes in the body: the whole object, or `data.attributes` of a JSON:API document.
    ///
    /// *Errors*: no JSON, or no object; a key that comes twice, of which nobody can say which one is meant.
    pub(super) fn attributes(&self) -> Result<Map<String, Value>, Refused> {
        self.resource().map(|(attributes, _)| attributes)
    }

    /// The same, and of a JSON:API document what it is related to, by id, where an attribute may say so.
    pub(super) fn attributes_of_record(&self, kind: &RecordKind) -> Result<Map<String, Value>, Refused> {
        let (mut attributes, relationships) = self.resource()?;
        for (name, _) in fields::relationships(kind) {
            if let Some(data) = relationships.get(name).and_then(|related| related.get("data")) {
                attributes.entry(*name).or_insert_with(|| data.get("id").cloned().unwrap_or_default());
            }
        }
        Ok(attributes)
    }

    /// The attributes in the body, and the relationships beside them in a JSON:API document. Without `attributes` it is none:
    /// an instance has an attribute called `data`.
    fn resource(&self) -> Result<(Map<String, Value>, Value), Refused> {
        let mut document = self.document()?;
        if let Some(Value::Object(data)) = document.get_mut("data")
            && let Some(Value::Object(attributes)) = data.get_mut("attributes")
        {
            let attributes = std::mem::take(attributes);
            return Ok((attributes, data.shift_remove("relationships").unwrap_or_default()));
        }
        Ok((document, Value::Null))
    }

    /// The object in the body as it is.
    ///
    /// *Errors*: as [`Call::attributes`].
    pub(super) fn document(&self) -> Result<Map<String, Value>, Refused> {
        let (document, notes) = ingest::json::parse_of_owner(self.request.body()).map_err(refused_body)?;
        let repeated: Vec<Problem> = ingest::json::repeated_keys(notes).map(problem).collect();
        if !repeated.is_empty() {
            return Err(Refused::Problems(repeated));
        }
        match document {
            Value::Object(document) => Ok(document),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(Rejected::new(Rejection::Malformed, "not_an_object", "The body has to be a JSON object.").into())
            }
        }
    }

    /// The attributes in the body; none where there is no body.
    pub(super) fn optional_attributes(&self) -> Result<Map<String, Value>, Refused> {
        if self.request.body().is_empty() { Ok(Map::new()) } else { self.attributes() }
    }

    /// Who makes what the request makes.
    pub(super) fn author(&self) -> Author {
        let header = self.request.headers().get(GENERATION_HEADER).and_then(|value| value.to_str().ok());
        Author::Request { generation: announce::generation(header) }
    }

    /// Bytes that nobody can guess.
    pub(super) fn random<const N: usize>(&self) -> Result<[u8; N], Unavailable> {
        let mut bytes = [0; N];
        self.management.world.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// What the addresses of hooks begin with.
    pub(super) fn base_url(&self) -> String {
        if let Some(url) = &self.management.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let text = |name| self.request.headers().get(name).and_then(|value| value.to_str().ok());
        let scheme = text(header::HeaderName::from_static("x-forwarded-proto")).unwrap_or("https");
        let host = text(header::HOST).unwrap_or("localhost");
        format!("{scheme}://{host}")
    }
}

fn problem(Note { code, path, message }: Note) -> Problem {
    Problem { path, code: code.to_owned(), detail: message, suggestion: None }
}

/// The answer for something of the caller's org that is not there.
pub(super) fn not_found() -> Rejected {
    Rejected::new(Rejection::NotFound, "not_found", "There is nothing with this id in your org.")
}

/// That no app brought it along, which alone would change and delete it.
///
/// *Errors*: `409`, with what to do instead.
pub(super) fn owned_by_nobody(what: &str, installed_by: Option<&str>) -> Result<(), Refused> {
    let Some(app) = installed_by else { return Ok(()) };
    let instead = match what {
        "workflow" => {
            " A copy under another name may be changed, and names this one in `replaces`; this one may be switched off."
        }
        _ => "",
    };
    let detail = format!("The {what} belongs to the app {app}, which takes it away when it is uninstalled.{instead}");
    Err(Rejected::new(Rejection::Taken, "owned_by_app", detail).into())
}

/// Nothing takes mail here; the sentence says what to do about it.
pub(super) fn mail_not_set_up() -> Rejected {
    let detail =
        "This stack has no mail domain. Deploy it with the parameter MailDomain; docs/deploy.md has the steps.";
    Rejected::new(Rejection::NotFound, "mail_not_set_up", detail)
}

/// The refusal of a key in a body, with the sentence for its author.
pub(super) fn bad_attribute(name: &str, detail: impl Into<String>) -> Refused {
    Rejected::at(format!("$.{name}"), "bad_attribute", detail).into()
}

/// Makes sure that `attributes` have no others than `known`, of which one would do nothing.
pub(super) fn check_names(attributes: &Map<String, Value>, known: &[&str]) -> Result<(), Refused> {
    let Some(unknown) = attributes.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let shown = domain::shortened(unknown, 60);
    let detail = format!("There is no attribute `{shown}` here; there is {}.", known.join(", "));
    Err(Rejected::at(format!("$.{shown}"), "unknown_attribute", detail).into())
}

pub(super) fn bad_query(name: &str, wanted: &str) -> Refused {
    Rejected::at(name, "bad_query", format!("The query parameter `{name}` has to be {wanted}.")).into()
}

/// A name or a value of a query, or of a form, without its escapes.
pub(super) fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}
