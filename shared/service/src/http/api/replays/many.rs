//! Replaying many runs of a workflow: those that a filter finds, counted first, and then a page at a time, each a little later
//! than the one before.

use domain::{Run, RunState, Timestamp, WorkflowId};
use futures_util::future::join_all;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Refused, Response,
        attributes::{flag, instant, number},
        resource::one as one_resource,
    },
    Asked, Call, From, bad_attribute, check_names, not_found, one, read, text,
};
use crate::{
    directory::{Paging, workflows},
    ports::LIST_LIMIT_ITEMS,
    runs,
};

/// The most runs that one request replays.
const LIMIT: usize = 1_000;

/// How many where the request does not say.
const DEFAULT_LIMIT: usize = 100;

/// The most runs that one request looks at to count those that are meant.
const SEEN_LIMIT: usize = 10_000;

/// How many begin in a second.
const PER_SECOND: usize = 10;

/// How many are written at the same time.
const AT_ONCE: usize = 20;

/// Which runs are meant.
struct Filter {
    state: Option<RunState>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    error_code: Option<String>,
}

impl Filter {
    /// One that was replayed from its start already is meant no more: asked twice, it is replayed once.
    fn is_meant(&self, run: &Run) -> bool {
        self.state.is_none_or(|state| run.state == state)
            && run.state.is_final()
            && run.replayed_as.is_empty()
            && run.collected_into.is_none()
            && self.error_code.as_ref().is_none_or(|code| run.error.as_ref().is_some_and(|error| error.code == *code))
    }
}

/// What was found.
struct Found {
    /// The first of them, as many as are to be replayed, the oldest first.
    runs: Vec<Run>,
    count: usize,
    /// Whether all runs were looked at.
    is_whole: bool,
}

/// `POST /v1/workflows/{id}/replays`: `{"filter":{"state":"failed","errorCode":"rest_timeout"},"from":"failed","limit":100,"dryRun":true}`.
///
/// *Once it is answered* each of those that it counts as `replayed` will go on, or its replay will begin.
pub(in super::super) async fn replay_many(call: &Call<'_>) -> Result<Response, Refused> {
    let workflow = call.id("id", WorkflowId::parse)?;
    let attributes = call.attributes()?;
    check_names(&attributes, &["filter", "from", "definition", "effects", "dryRun", "limit"])?;
    let asked = read(call, &attributes)?;
    let filter = filter_of(&attributes, &asked)?;
    let limit = number(&attributes, "limit", DEFAULT_LIMIT, LIMIT)?;
    let is_dry = flag(&attributes, "dryRun")?;
    if workflows::find(call.management.store.as_ref(), call.caller.org, workflow).await?.is_none() {
        return Err(not_found().into());
    }
    let found = find(call, workflow, &filter, limit).await?;
    let (mut replayed, mut refused) = (Vec::new(), Vec::new());
    if !is_dry {
        let numbered: Vec<(usize, &Run)> = found.runs.iter().enumerate().collect();
        for chunk in numbered.chunks(AT_ONCE) {
            let replays = chunk.iter().map(|(number, run)| {
                let seconds = u32::try_from(number / PER_SECOND).unwrap_or(u32::MAX);
                let asked = &asked;
                async move { (run.id, one(call, run.id, asked, seconds).await) }
            });
            for (id, outcome) in join_all(replays).await {
                match outcome {
                    Ok(by) => replayed.push(json!({ "run": id, "replayedBy": by })),
                    Err(Refused::Rejected(why)) => {
                        refused.push(json!({ "run": id, "code": why.code, "detail": why.detail }));
                    }
                    Err(Refused::Problems(_)) => refused.push(json!({ "run": id, "code": "refused" })),
                    Err(Refused::Unavailable(error)) => return Err(error.into()),
                }
            }
        }
    }
    let attributes = json!({
        "matched": found.count,
        "isCountWhole": found.is_whole,
        "dryRun": is_dry,
        "replayedCount": replayed.len(),
        "refusedCount": refused.len(),
        "remaining": found.count.saturating_sub(replayed.len()),
        "replayed": replayed,
        "refused": refused,
    });
    Ok(one_resource(StatusCode::OK, json!({ "type": "replays", "attributes": attributes })))
}

async fn find(call: &Call<'_>, workflow: WorkflowId, filter: &Filter, limit: usize) -> Result<Found, Refused> {
    let store = call.management.store.as_ref();
    let mut paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    let (mut meant, mut seen): (Vec<Run>, usize) = (Vec::new(), 0);
    loop {
        let period = (filter.from, filter.until);
        let listing = runs::list_runs(store, call.caller.org, workflow, period, paging.clone()).await?;
        seen += listing.items.len();
        meant.extend(listing.items.into_iter().filter(|run| filter.is_meant(run)));
        paging.after = listing.next;
        if paging.after.is_none() || seen >= SEEN_LIMIT {
            break;
        }
    }
    let count = meant.len();
    // Those that came first are replayed first, as they had run.
    meant.reverse();
    meant.truncate(limit);
    Ok(Found { runs: meant, count, is_whole: paging.after.is_none() })
}

fn filter_of(attributes: &Map<String, Value>, asked: &Asked) -> Result<Filter, Refused> {
    let filter = match attributes.get("filter") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(filter)) => filter.clone(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err(bad_attribute("filter", "`filter` is an object: {\"state\": \"failed\"}."));
        }
    };
    check_names(&filter, &["state", "from", "until", "errorCode"])?;
    let state = match text(&filter, "state")? {
        None => None,
        Some(word) => match RunState::parse(&word).filter(|state| state.is_final()) {
            Some(state) => Some(state),
            None => {
                return Err(bad_attribute("filter.state", "`state` is one of: succeeded, failed, cancelled."));
            }
        },
    };
    let state = match (asked.from, state) {
        (From::Failed, None) => Some(RunState::Failed),
        (From::Failed, Some(RunState::Failed)) | (From::Start, _) => state,
        (From::Failed, Some(_)) => {
            let detail =
                "Only runs that failed are replayed from the step that failed; leave `state` out, or say \"failed\".";
            return Err(bad_attribute("filter.state", detail));
        }
    };
    let (from, until) = (instant(&filter, "from")?, instant(&filter, "until")?);
    let error_code = text(&filter, "errorCode")?;
    if state.is_none() && from.is_none() && until.is_none() && error_code.is_none() {
        let detail = "Say by `filter` which runs are meant: by `state`, `from`, `until` or `errorCode`.";
        return Err(bad_attribute("filter", detail));
    }
    Ok(Filter { state, from, until, error_code })
}
