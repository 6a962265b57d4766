//! The management API: who is calling, may they, and what is done.

mod actions;
mod answering;
mod apps;
mod attributes;
mod audit;
mod balance;
mod call;
mod dead_letters;
mod dry;
mod evaluate;
mod flow;
mod hooks;
mod keys;
mod klasses;
mod links;
mod mail;
mod org;
mod outbox;
mod outcomes;
mod perform;
mod records;
mod recurring;
mod replays;
mod resource;
mod runs;
mod samples;
mod scheduled;
mod schedules;
mod search;
mod settings;
mod variables;
mod webhooks;
mod workflows;

use std::sync::{Arc, OnceLock};

use domain::{ApiKeySecret, Caller, OrgId, Rejected, Rejection, Role};
use http::StatusCode;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::{
    ANSWER_LIMIT_BYTES, API_BODY_LIMIT_BYTES, Request, Response,
    answer::{
        json_response, json_text_response, method_not_allowed_response, problems_response, rejected_response,
        unavailable_response,
    },
    openapi,
    operation::Operation,
    routes::{Method as RouteMethod, ROUTES, Route},
    source_address,
};
use crate::{
    accept::unknown_address,
    audit::{Audited, Author},
    directory::{
        hooks::AddressCache,
        keys::{self as api_keys, KeyCache},
    },
    ports::{Destinations, LIST_LIMIT_ITEMS, Queue, SentMails, Store, Unavailable, World, WriteError},
    senders::{bearer_token, unknown_key},
};

use call::Call;
use perform::perform;

pub use mail::{MailSetup, MailWay};
pub(super) use records::KEYS as RECORD_KEYS;

/// The JSON Schema of workflow documents, for editors. Whether it says what the checks do is tested.
const WORKFLOW_SCHEMA: &str = include_str!("../../../../docs/schemas/workflow.json");

/// What the key is called that stands in the configuration.
const FIRST_KEY_NAME: &str = "first key";

/// How much of what a client says of itself is kept.
const CLIENT_LIMIT_CHARS: usize = 256;

/// What the addresses of hooks begin with.
const ADDRESSES: &str = "/v1/hooks/";

/// The key that a deployer made before there was a store to keep one in.
#[derive(Debug, Clone)]
pub struct FirstKey {
    /// Its org.
    pub org: OrgId,
    /// The SHA-256 of its secret, in hex.
    pub digest: String,
}

/// What stands behind the management API.
#[derive(Clone)]
pub struct Management {
    /// Where everything is.
    pub store: Arc<dyn Store>,
    /// Where it is told that something happened.
    pub queue: Arc<dyn Queue>,
    /// Where webhooks may lead.
    pub destinations: Arc<dyn Destinations>,
    /// Time and chance.
    pub world: Arc<dyn World>,
    /// The door's memory of addresses, if the door is in this process.
    pub addresses: Arc<AddressCache>,
    /// The door's memory of keys, likewise.
    pub keys: Arc<KeyCache>,
    /// What hook addresses begin with; taken from the request where it is not set.
    pub public_url: Option<String>,
    /// The mail of this stack, where it has any.
    pub mail: Option<MailSetup>,
    /// The mail that workflows sent, where it is kept.
    pub outbox: Option<Arc<dyn SentMails>>,
    /// A key with `org.admin` that stands in the configuration.
    pub first_key: Option<FirstKey>,
}

/// Why an operation gave no answer of its own.
pub(crate) enum Refused {
    Rejected(Rejected),
    Problems(Vec<super::answer::Problem>),
    Unavailable(Unavailable),
}

impl From<Rejected> for Refused {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<Unavailable> for Refused {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl From<WriteError> for Refused {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Unavailable(error) => Self::Unavailable(error),
            WriteError::Conflict { .. } => Self::Rejected(changed_meanwhile()),
        }
    }
}

fn changed_meanwhile() -> Rejected {
    let detail = "Somebody else changed this at the same moment. Read it again and repeat the change.";
    Rejected::new(Rejection::Taken, "changed_meanwhile", detail)
}

impl Management {
    /// Answers a request to the management API.
    pub async fn answer(&self, request: &Request) -> Response {
        let answered = match links::token_of(request.uri().path()) {
            Some(token) => links::receive(self, request, token).await,
            None => self.operate(request).await,
        };
        match answered {
            Ok(response) => response,
            Err(Refused::Rejected(rejected)) => rejected_response(&rejected),
            Err(Refused::Problems(problems)) => problems_response(&problems),
            Err(Refused::Unavailable(error)) => unavailable_response(&error),
        }
    }

    async fn operate(&self, request: &Request) -> Result<Response, Refused> {
        let (method, path) = (request.method(), request.uri().path());
        let (route, params) = match find_route(request) {
            Found::Route(route, params) => (route, params),
            // A post below here is for an address, and this is none.
            Found::OtherMethods(_) | Found::Nothing if *method == http::Method::POST && path.starts_with(ADDRESSES) => {
                return Err(unknown_address().into());
            }
            Found::OtherMethods(allow) => return Ok(method_not_allowed_response("address", &allow)),
            Found::Nothing => return Err(unknown_path().into()),
        };
        let Some(permission) = route.permission else { return Ok(self.answer_publicly(route.operation)) };
        let (caller, key_name) = self.caller(request).await?;
        if !caller.may(permission) {
            let detail = format!("This key may not do that: it needs the role {permission}, or one that covers it.");
            return Err(Rejected::new(Rejection::Forbidden, "role_missing", detail).into());
        }
        if request.body().len() > API_BODY_LIMIT_BYTES {
            let detail = format!("A body has at most {API_BODY_LIMIT_BYTES} bytes here.");
            return Err(Rejected::new(Rejection::TooLarge, "body_too_large", detail).into());
        }
        let audited;
        let management = if route.method == RouteMethod::Get {
            self
        } else {
            audited = self.audited(author(request, route, &caller, key_name), caller.org);
            &audited
        };
        let mut call = Call { management, request, params, caller, page_limit: LIST_LIMIT_ITEMS };
        call.check_query(route)?;
        loop {
            let response = perform(route.operation, &call).await?;
            let is_one_item = !route.response.ends_with("List") || call.page_limit == 1;
            if is_one_item || response.body().len() <= ANSWER_LIMIT_BYTES {
                return Ok(response);
            }
            // Too much for one answer: a shorter page, whose `links.next` leads on.
            call.page_limit = call.page_size()?.div_ceil(2);
        }
    }

    /// The same over a store that puts what is changed into the audit log.
    fn audited(&self, author: Author, org: OrgId) -> Self {
        let (store, world) = (Arc::clone(&self.store), Arc::clone(&self.world));
        Self { store: Arc::new(Audited::new(store, world, org, author)), ..self.clone() }
    }

    fn answer_publicly(&self, operation: Operation) -> Response {
        if operation == Operation::ReadOpenApi {
            return json_response(StatusCode::OK, &openapi::document());
        }
        if operation == Operation::ReadWorkflowSchema {
            return json_text_response(StatusCode::OK, WORKFLOW_SCHEMA);
        }
        json_response(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
    }

    /// Who sent the request, and what their key is called.
    async fn caller(&self, request: &Request) -> Result<(Caller, String), Refused> {
        let token = bearer_token(request.headers())?;
        let (org, id, secret) = ApiKeySecret::read_token(token).ok_or_else(unknown_key)?;
        if let Some(first) = self.first_key.as_ref().filter(|first| first.org == org) {
            let same: bool = first.digest.as_bytes().ct_eq(secret.digest().as_bytes()).into();
            if let (true, Ok(admin)) = (same, Role::parse("org.admin")) {
                return Ok((Caller { org, key: id, roles: vec![admin] }, FIRST_KEY_NAME.to_owned()));
            }
        }
        let now = self.world.now();
        let key = api_keys::find(self.store.as_ref(), org, id).await?.ok_or_else(unknown_key)?.value;
        let caller = key.admit(&secret, source_address(request), now).map_err(|_| unknown_key())?;
        self.keys.note_use(self.store.as_ref(), org, id, now).await;
        Ok((caller, key.name))
    }
}

fn author(request: &Request, route: &Route, caller: &Caller, key_name: String) -> Author {
    let client =
        request.headers().get(http::header::USER_AGENT).map(|client| String::from_utf8_lossy(client.as_bytes()));
    Author {
        key: caller.key,
        key_name,
        source: source_address(request),
        client: client.map(|client| client.chars().take(CLIENT_LIMIT_CHARS).collect()),
        operation: format!("{:?}", route.operation),
    }
}

enum Found {
    Route(&'static Route, Vec<(String, String)>),
    OtherMethods(String),
    Nothing,
}

fn find_route(request: &Request) -> Found {
    static ROUTER: OnceLock<matchit::Router<Vec<&'static Route>>> = OnceLock::new();
    let Ok(matched) = ROUTER.get_or_init(router).at(request.uri().path()) else { return Found::Nothing };
    match matched.value.iter().find(|route| route.method.as_http() == *request.method()) {
        Some(route) => {
            let params = matched.params.iter().map(|(name, value)| (name.to_owned(), decoded(value))).collect();
            Found::Route(route, params)
        }
        None => {
            let methods: Vec<String> = matched.value.iter().map(|route| route.method.as_http().to_string()).collect();
            Found::OtherMethods(methods.join(", "))
        }
    }
}

/// One entry for each path, with its routes. A path that the router does not take is missing from it, which the test of
/// the OpenAPI document against the routes would show.
fn router() -> matchit::Router<Vec<&'static Route>> {
    let mut by_path: Vec<(&str, Vec<&'static Route>)> = Vec::new();
    for route in ROUTES {
        match by_path.iter_mut().find(|(path, _)| *path == route.path) {
            Some((_, routes)) => routes.push(route),
            None => by_path.push((route.path, vec![route])),
        }
    }
    let mut router = matchit::Router::new();
    for (path, routes) in by_path {
        if let Err(error) = router.insert(path, routes) {
            tracing::error!(path, %error, "a route cannot be reached");
        }
    }
    router
}

fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

fn unknown_path() -> Rejected {
    Rejected::new(
        Rejection::NotFound,
        "unknown_path",
        "There is nothing at this address. The paths are listed in /v1/openapi.json.",
    )
}
