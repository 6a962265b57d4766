//! What is left, beside what was promised.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use benches::{Outcome, api::Api};
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    dev::{Dev, Shop},
    sink::Charge,
};

/// How long everything may take to come to its end: several claims, all rests of a message, and a backlog of ten thousand orders in
/// an unoptimized build.
const DRAIN_LIMIT: Duration = Duration::from_secs(1_800);

/// How often is looked whether all is over.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// The places of the balance in which something is still to happen.
const OPEN: [&str; 4] = ["running", "waiting", "held", "deadLettered"];

/// What was found of the orders that were accepted.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Runs by how they ended.
    states: BTreeMap<String, usize>,
    /// Orders without a transaction.
    missing: Vec<u64>,
    /// Orders by whose transaction not exactly one run was started.
    runs_of: BTreeMap<u64, usize>,
    /// How many instances of the klass there are for each order.
    objects: BTreeMap<String, usize>,
    /// How many notes there are for each order.
    notes: BTreeMap<String, usize>,
    /// How many runs the workflow has in all.
    runs: usize,
    /// How many messages were dead letters, because a process was killed at each of their five deliveries, and were redriven.
    redriven: u64,
    /// What the product says became of it all, by place.
    balance: BTreeMap<String, u64>,
}

/// Waits until each run is over, and looks at everything.
pub(crate) async fn when_all_is_over(
    dev: &mut Dev,
    shop: &Shop,
    accepted_orders: &BTreeMap<u64, String>,
) -> Outcome<Findings> {
    let begun = Instant::now();
    let mut api = dev.api().await?;
    let mut findings = Findings::default();
    // The whole is asked for, and not each order: asking must not be what the executor waits for.
    while begun.elapsed() < DRAIN_LIMIT {
        findings.redriven += api.redrive_dead_letters().await?;
        findings.balance = api.balance().await?;
        let is_over = |place: &&str| findings.balance.get(*place).copied().unwrap_or_default() == 0;
        let accepted = findings.balance.get("accepted").copied().unwrap_or_default();
        if accepted >= number_of(accepted_orders.len()) && OPEN.iter().all(is_over) {
            break;
        }
        sleep(LOOK_EVERY).await;
    }
    for (number, id) in accepted_orders {
        match api.find(&format!("/v1/transactions/{id}")).await? {
            Some(found) => findings.note(*number, &found),
            None => findings.missing.push(*number),
        }
    }
    for customer in api.all("/v1/customers").await? {
        let id = customer["id"].as_str().unwrap_or_default();
        findings.notes.extend(count(&mut api, &format!("/v1/notes?customer={id}"), "body").await?);
        findings.objects.extend(count(&mut api, &format!("/v1/customers/{id}/klasses/order"), "title").await?);
    }
    findings.runs = api.all(&format!("/v1/workflows/{}/runs", shop.workflow)).await?.len();
    Ok(findings)
}

/// How often each word comes that a text of the resources begins with.
async fn count(api: &mut Api, path: &str, attribute: &str) -> Outcome<BTreeMap<String, usize>> {
    let mut counted = BTreeMap::new();
    for one in api.all(path).await? {
        let text = one["attributes"][attribute].as_str().unwrap_or_default();
        *counted.entry(text.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    Ok(counted)
}

fn considered(found: &Value) -> &[Value] {
    found["meta"]["trace"]["considered"].as_array().map_or(&[], Vec::as_slice)
}

fn number_of(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Findings {
    fn note(&mut self, number: u64, found: &Value) {
        for one in considered(found) {
            let state = one["run"]["state"].as_str().unwrap_or("never began").to_owned();
            *self.states.entry(state).or_default() += 1;
        }
        let runs = considered(found).len();
        if runs != 1 {
            self.runs_of.insert(number, runs);
        }
    }
}

/// Prints the ledger, and gives whether every promise was kept.
pub(crate) fn print(findings: &Findings, accepted: &BTreeMap<u64, String>, charges: &BTreeMap<String, Charge>) -> bool {
    let orders = accepted.len();
    let mut ids: Vec<&String> = accepted.values().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut by_order: BTreeMap<&str, usize> = BTreeMap::new();
    for charge in charges.values() {
        *by_order.entry(charge.body.as_str()).or_default() += 1;
    }
    let repeated = charges.values().filter(|charge| charge.times > 1).count();
    let once = |counted: &BTreeMap<String, usize>| counted.values().filter(|times| **times == 1).count();
    let balance = |place: &str| {
        let count = findings.balance.get(place).copied().unwrap_or_default();
        usize::try_from(count).unwrap_or(usize::MAX)
    };
    let lines = [
        ("orders accepted", orders, orders),
        ("transactions, each of another order", ids.len(), orders),
        ("accepted, by `hookwright balance`", balance("accepted"), orders),
        ("done, by `hookwright balance`", balance("done"), orders),
        ("orders without a transaction", findings.missing.len(), 0),
        ("orders with another number of runs than one", findings.runs_of.len(), 0),
        ("runs that succeeded", findings.states.get("succeeded").copied().unwrap_or_default(), orders),
        ("runs of the workflow in all", findings.runs, orders),
        ("orders on a timeline exactly once", once(&findings.objects), orders),
        ("orders on a timeline at all", findings.objects.len(), orders),
        ("orders with exactly one note", once(&findings.notes), orders),
        (
            "orders that were charged under exactly one key",
            by_order.values().filter(|keys| **keys == 1).count(),
            orders,
        ),
        ("keys under which something came", charges.len(), orders),
        ("keys under which not always the same came", charges.values().filter(|charge| charge.differs).count(), 0),
    ];
    let mut is_kept = true;
    for (what, found, promised) in lines {
        let verdict = if found == promised { "" } else { "  BROKEN" };
        is_kept &= found == promised;
        println!("{what:<50} {found:>8} of {promised}{verdict}");
    }
    println!("{:<50} {repeated:>8}", "charges that came again, under their key");
    println!("{:<50} {:>8}", "dead letters that were redriven", findings.redriven);
    println!("states: {:?}", findings.states);
    is_kept
}
