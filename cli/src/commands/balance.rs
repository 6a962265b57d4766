//! `hookwright balance`: everything that was accepted, and what became of it.

use serde_json::{Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Format, Page, print, text_at},
    paging::next_cursor,
    session::Session,
};

/// The places that add up to what was accepted: their names in answers and on a terminal, and what each means.
const PLACES: [(&str, &str, &str); 7] = [
    ("done", "done", "all runs succeeded, or gave way to a later arrival"),
    ("failed", "failed", "a run failed; `hookwright why ID` says where"),
    ("held", "held", "a run waits for a person"),
    ("waiting", "waiting", "a run waits for a time, an event or its turn"),
    ("running", "running", "a run is under way, or is to begin"),
    ("deadLettered", "dead-lettered", "a message was given up; `hookwright dead-letters ls`"),
    ("unheard", "unheard", "nothing listened, or nothing that could start"),
];

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  hookwright balance
  hookwright balance 6a1f2e3d4c5b6a7980a1b2c3 --kind web --from 2026-11-22T00:00:00Z")]
pub(crate) struct Args {
    /// The hook [default: all hooks of the org]
    hook: Option<String>,
    /// What kind of hook it is
    #[arg(long, default_value = "form", value_parser = ["form", "web", "email"])]
    kind: String,
    /// Only what arrived at this instant or later, such as 2026-11-22T09:30:00Z
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Only what arrived before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let (mut accepted, mut held_arrivals, mut places) = (0, 0, [0_u64; PLACES.len()]);
    let mut after = None;
    loop {
        let address = match &args.hook {
            Some(hook) => Address::of(&["hooks", &args.kind, hook, "balance"]),
            None => Address::of(&["balance"]),
        };
        let address = address
            .query("pageSize", Some("100"))
            .query("from", args.from.as_deref())
            .query("until", args.until.as_deref())
            .query("after", after.as_deref());
        let page = session.client.get(&address)?;
        let count = |name: &str| page.pointer(&format!("/data/0/attributes/{name}")).and_then(Value::as_u64);
        accepted += count("accepted").unwrap_or_default();
        held_arrivals += count("heldArrivals").unwrap_or_default();
        for (sum, (name, ..)) in places.iter_mut().zip(PLACES) {
            *sum += count(name).unwrap_or_default();
        }
        after = next_cursor(&page);
        if after.is_none() {
            break;
        }
    }
    let sum: u64 = places.iter().sum();
    let mut whole = json!({ "accepted": accepted, "addsUp": sum == accepted, "heldArrivals": held_arrivals });
    for ((name, ..), count) in PLACES.iter().zip(places) {
        if let Some(whole) = whole.as_object_mut() {
            whole.insert((*name).to_owned(), json!(count));
        }
    }
    let mut page = Page::default();
    match session.format {
        Format::Json => page.json(&json!({ "data": { "type": "balance", "attributes": whole } })),
        Format::Human => page.append(table(&whole, sum == accepted, held_arrivals)),
    }
    print(&page)
}

fn table(whole: &Value, adds_up: bool, held_arrivals: u64) -> Page {
    let mut page = Page::default();
    let place = |(key, name, meaning): &(&str, &str, &str)| {
        [(*name).to_owned(), text_at(whole, &format!("/{key}")), (*meaning).to_owned()]
    };
    let accepted = ["accepted".to_owned(), text_at(whole, "/accepted"), String::new()];
    page.table(["", "TRANSACTIONS", "MEANING"], std::iter::once(accepted).chain(PLACES.iter().map(place)).collect());
    page.line(match adds_up {
        true => "It adds up: everything accepted is in one of these places.",
        false => "It does not add up. Please report it, with the output of this command and --json.",
    });
    if held_arrivals > 0 {
        page.line(format!("Paused hooks hold {held_arrivals} more; `hookwright hooks held` lists them, `hookwright hooks resume` lets them go on."));
    }
    page
}
