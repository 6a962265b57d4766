//! `hookwright runs search`: the runs of an order number, in every workflow.

use serde_json::Value;

use super::table;
use crate::{
    client::{Address, Client},
    failure::Failure,
    output::{Format, Page, print},
    paging::next_cursor,
    session::Session,
};

/// How many pages of one workflow's runs are looked through; each is of 250 runs that do not fit, or ends at the first that do.
const PAGES_LIMIT: usize = 200;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What has to stand where, such as data.orderId=1234; all of it has to
    #[arg(value_name = "PATH=VALUE", required = true, num_args = 1..=5)]
    places: Vec<String>,
    /// Only in this workflow [default: all that are not deleted]
    #[arg(long, value_name = "ID")]
    workflow: Option<String>,
    /// Only runs that started at this instant or later, such as 2026-11-22T09:30:00Z
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Only runs that started before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
}

/// What was found, and whether there may be more.
#[derive(Default)]
struct Found {
    runs: Vec<Value>,
    /// The workflows that were not looked through to the end.
    unfinished: Vec<String>,
}

/// Carries the command out.
pub(super) fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    let workflows = match &args.workflow {
        Some(workflow) => vec![workflow.clone()],
        None => workflows(&session.client)?,
    };
    let mut found = Found::default();
    for workflow in workflows {
        look_through(&session.client, args, workflow, &mut found)?;
    }
    let mut page = Page::default();
    match session.format {
        Format::Json => page.json(&domain::exact::object([("data", Value::Array(found.runs))])),
        Format::Human if found.runs.is_empty() => page.line("No run was started by that."),
        Format::Human => page.append(table(&found.runs)),
    }
    if let (Format::Human, false) = (session.format, found.unfinished.is_empty()) {
        page.line(format!(
            "There may be more, further back: narrow it with --from and --until. Not looked through: {}",
            found.unfinished.join(", ")
        ));
    }
    print(&page)
}

fn workflows(client: &Client) -> Result<Vec<String>, Failure> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let address = Address::of(&["workflows"]).query("pageSize", Some("100")).query("after", after.as_deref());
        let page = client.get(&address)?;
        ids.extend(items(&page).iter().filter_map(|workflow| Some(workflow.get("id")?.as_str()?.to_owned())));
        after = next_cursor(&page);
        if after.is_none() {
            return Ok(ids);
        }
    }
}

fn look_through(client: &Client, args: &Args, workflow: String, found: &mut Found) -> Result<(), Failure> {
    let mut after = None;
    for _ in 0..PAGES_LIMIT {
        let address = Address::of(&["workflows", &workflow, "runs"])
            .query("from", args.from.as_deref())
            .query("until", args.until.as_deref())
            .query("after", after.as_deref());
        let address = args.places.iter().fold(address, |address, place| address.query("where", Some(place)));
        let page = client.get(&address)?;
        found.runs.extend(items(&page).iter().cloned());
        after = next_cursor(&page);
        if after.is_none() {
            return Ok(());
        }
    }
    found.unfinished.push(workflow);
    Ok(())
}

fn items(page: &Value) -> &[Value] {
    page.get("data").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
