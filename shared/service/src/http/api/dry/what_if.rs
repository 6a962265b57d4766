//! What another version of a workflow would have made of the runs that it has had.

use std::collections::BTreeMap;

use domain::{Run, WorkflowId, exact};
use engine::Definition;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    super::{
        Refused, Response,
        attributes::{flag, instant, number},
        call::{Call, bad_attribute, check_names, not_found},
        resource::{leave_large_values_out, one},
        workflows as workflows_api,
    },
    setup_of, trigger_output,
};
use crate::{
    directory::{Paging, workflows},
    dry::{Difference, Purpose, Recorded, Walk, compare, walk},
    http::ANSWER_LIMIT_BYTES,
    ports::LIST_LIMIT_ITEMS,
    runs::{self, StoredRun},
};

/// The most runs that one request compares.
const LIMIT: usize = 100;

/// How many where the request does not say.
const DEFAULT_LIMIT: usize = 25;

/// How many pages of runs are looked through for those that are over.
const PAGES_LIMIT: usize = 10;

/// What is told in sum, by step and what became of it.
#[derive(Default)]
struct Sum {
    decisions: BTreeMap<(String, &'static str), usize>,
    effects: BTreeMap<(String, &'static str), usize>,
    different: usize,
    stopped: usize,
    skipped: Vec<Value>,
}

/// `POST /v1/workflows/{id}/what-if`: `{"draft":true,"from":"…","until":"…","limit":25}`, or `definition` in the place of `draft`.
///
/// Sends nothing and writes nothing.
pub(in super::super) async fn what_if(call: &Call<'_>) -> Result<Response, Refused> {
    let id = call.id("id", WorkflowId::parse)?;
    let attributes = call.attributes()?;
    check_names(&attributes, &["draft", "definition", "from", "until", "limit"])?;
    let period = (instant(&attributes, "from")?, instant(&attributes, "until")?);
    let limit = number(&attributes, "limit", DEFAULT_LIMIT, LIMIT)?;
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    if workflows::find(store, org, id).await?.is_none() {
        return Err(not_found().into());
    }
    let definition = version(call, id, &attributes).await?;
    let mut compared = Vec::new();
    let mut sum = Sum::default();
    let mut paging = Paging { limit: LIST_LIMIT_ITEMS, after: None };
    for _ in 0..PAGES_LIMIT {
        let listing = runs::list_runs(store, org, id, period, paging.clone()).await?;
        for run in listing.items.iter().filter(|run| run.state.is_final() && run.collected_into.is_none()) {
            if compared.len() < limit {
                compared.extend(one_run(call, &definition, run, &mut sum).await?);
            }
        }
        paging.after = listing.next;
        if paging.after.is_none() || compared.len() >= limit {
            break;
        }
    }
    let document = |runs: &[Value]| {
        let attributes = exact::object([
            ("comparedCount", json!(runs.len())),
            ("differentCount", json!(sum.different)),
            ("stoppedCount", json!(sum.stopped)),
            ("decisions", told(&sum.decisions)),
            ("effects", told(&sum.effects)),
            ("skipped", json!(sum.skipped)),
            ("runs", Value::Array(runs.to_vec())),
        ]);
        exact::object([("type", json!("what_if")), ("id", json!(id)), ("attributes", attributes)])
    };
    let whole = one(StatusCode::OK, document(&compared));
    if whole.body().len() <= ANSWER_LIMIT_BYTES {
        return Ok(whole);
    }
    compared.iter_mut().for_each(|run| leave_large_values_out(run, &["decisions", "effects"]));
    Ok(one(StatusCode::OK, document(&compared)))
}

/// The version that is asked about.
async fn version(call: &Call<'_>, id: WorkflowId, attributes: &Map<String, Value>) -> Result<Definition, Refused> {
    let document = match (flag(attributes, "draft")?, attributes.get("definition").filter(|given| !given.is_null())) {
        (true, None) => workflows_api::draft_document(call, id).await?,
        (false, Some(document @ Value::Object(_))) => document.clone(),
        (false, Some(_)) => return Err(bad_attribute("definition", "`definition` is a workflow document, an object.")),
        (true, Some(_)) | (false, None) => {
            let detail = "Say which version: `\"draft\": true`, or a whole document as `definition`; one of them.";
            return Err(bad_attribute("draft", detail));
        }
    };
    workflows_api::sound(call, id, &document).await
}

/// How the run would have been different; nothing where that cannot be said, which is told apart.
async fn one_run(call: &Call<'_>, definition: &Definition, run: &Run, sum: &mut Sum) -> Result<Option<Value>, Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let Some(StoredRun { run, entries, .. }) = runs::find_run(store, org, run.id).await? else { return Ok(None) };
    let transaction = runs::find_transaction(store, org, run.transaction_id).await?;
    let transaction = transaction.filter(|stored| stored.considered_for(&run).is_some());
    let Some(transaction) = transaction.filter(|_| !entries.is_empty()) else {
        let why = match entries.is_empty() {
            true => "It was ended before its first step.",
            false => "Its transaction is not kept any more.",
        };
        sum.skipped.push(json!({ "run": run.id, "why": why }));
        return Ok(None);
    };
    let setup = setup_of(call, &run).await?;
    let recorded = Recorded::of(&entries);
    let walked = walk(&Walk {
        definition,
        setup: &setup,
        store,
        org,
        transaction: &transaction.transaction,
        run: run.id,
        trigger_output: trigger_output(call, &transaction, &run).await?,
        entries: Vec::new(),
        recorded: &recorded,
        purpose: Purpose::Compare,
        now: entries.first().map_or(run.started_at, |first| first.ended_at),
    })
    .await?;
    let differences = compare(&entries, &walked);
    for (sums, differences) in [(&mut sum.decisions, &differences.decisions), (&mut sum.effects, &differences.effects)]
    {
        for difference in differences {
            *sums.entry((difference.step.clone(), difference.change.word())).or_default() += 1;
        }
    }
    let is_different = !(differences.decisions.is_empty() && differences.effects.is_empty());
    sum.different += usize::from(is_different);
    sum.stopped += usize::from(!walked.stops.is_empty());
    let list = |differences: &[Difference]| {
        let all = differences.iter().map(|difference| {
            let (mut was, mut becomes) = (difference.was.clone(), difference.becomes.clone());
            setup.mask(&mut was);
            setup.mask(&mut becomes);
            exact::object([
                ("step", json!(difference.step)),
                ("branch", json!(difference.branch)),
                ("visit", json!(difference.visit)),
                ("change", json!(difference.change.word())),
                ("action", json!(difference.action)),
                ("was", was),
                ("becomes", becomes),
            ])
        });
        Value::Array(all.collect())
    };
    Ok(Some(exact::object([
        ("run", json!(run.id)),
        ("transaction", json!(run.transaction_id)),
        ("state", json!(run.state)),
        ("isDifferent", json!(is_different)),
        ("decisions", list(&differences.decisions)),
        ("effects", list(&differences.effects)),
        ("ending", super::ending_of(&walked)),
        ("stops", super::stops_of(&walked)),
        ("notReached", json!(differences.not_reached)),
    ])))
}

fn told(sums: &BTreeMap<(String, &'static str), usize>) -> Value {
    let told = sums.iter().map(|((step, change), count)| json!({ "step": step, "change": change, "count": count }));
    Value::Array(told.collect())
}
