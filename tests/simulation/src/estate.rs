//! What the org of a simulation has: a hook, a klass, and some of the workflows in `estate/`.

use serde_json::{Value, json};

use crate::chance::{Chance, Purpose};

/// The workflows that listen to the hook; which of them there are is part of the seed.
const LISTENERS: [(&str, &str); 8] = [
    ("order", include_str!("../estate/order.json")),
    ("stock", include_str!("../estate/stock.json")),
    ("batch", include_str!("../estate/batch.json")),
    ("cart", include_str!("../estate/cart.json")),
    ("lines", include_str!("../estate/lines.json")),
    ("patient", include_str!("../estate/patient.json")),
    ("parent", include_str!("../estate/parent.json")),
    ("careful", include_str!("../estate/careful.json")),
];

/// Those that the others set off; always there.
const OTHERS: [(&str, &str); 2] =
    [("child", include_str!("../estate/child.json")), ("paid", include_str!("../estate/paid.json"))];

/// What stands in the documents in the place of the hook's id.
const HOOK_IN_DOCUMENTS: &str = "ORDERS";

/// How many addresses, articles and carts the arrivals are about: few, so that they meet.
const FEW: u64 = 3;

/// How many seconds lie between two occurrences of the recurring schedule.
pub(crate) const OCCURS_EVERY_SECONDS: u64 = 60;

/// What was made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Estate {
    /// The hook.
    pub(crate) hook: String,
    /// The path of the hook's address.
    pub(crate) path: String,
    /// Ids of the workflows that listen to it, with their documents.
    pub(crate) listeners: Vec<(String, Value)>,
    /// The recurring schedule, if there is one, until it is deleted.
    pub(crate) schedule: Option<String>,
}

/// Something that is sent to the hook.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// The `Idempotency-Key`; without one it is sent once, whatever comes of it.
    pub(crate) key: Option<String>,
    pub(crate) body: Value,
}

/// The documents of the workflows that a seed has: those that are set off, then those that listen to the hook `hook`.
pub(crate) fn documents(chance: Chance, hook: &str) -> (Vec<Value>, Vec<Value>) {
    let parse = |text: &str| serde_json::from_str(&text.replace(HOOK_IN_DOCUMENTS, hook)).expect("a document of ours");
    let first = chance.index(0, Purpose::Setting, LISTENERS.len());
    let count = 1 + chance.index(1, Purpose::Setting, 3);
    let chosen = (0..count).map(|offset| LISTENERS[(first + offset * 2) % LISTENERS.len()].1);
    (OTHERS.iter().map(|(_, text)| parse(text)).collect(), chosen.map(parse).collect())
}

/// A recurring schedule that calls one of the workflows.
pub(crate) fn schedule() -> Value {
    let recurrence = json!({ "every": { "seconds": OCCURS_EVERY_SECONDS } });
    json!({ "title": "Again and again", "workflow": "child", "inputs": { "n": 1_000 }, "recurrence": recurrence })
}

/// The klass of the orders.
pub(crate) fn klass() -> Value {
    json!({ "name": "order", "displayName": "Order", "metadata": { "properties": {} } })
}

/// What is sent, in order.
pub(crate) fn arrivals(chance: Chance) -> Vec<Arrival> {
    let count = 2 + chance.below(2, Purpose::Setting, 7);
    let arrival = |n: u64| {
        let draw = |purpose, bound| chance.below(1_000 + n, purpose, bound);
        let items: Vec<u64> = (0..draw(Purpose::Amount, 4)).collect();
        let body = json!({
            "n": n,
            "orderId": format!("o-{n}"),
            "email": format!("c{}@shop.test", draw(Purpose::Which, FEW)),
            "sku": format!("s{}", draw(Purpose::Next, FEW)),
            "cart": format!("k{}", draw(Purpose::Fault, FEW)),
            "amount": 5 + n,
            "items": items,
        });
        let key = (draw(Purpose::Setting, 8) > 0).then(|| format!("key-{n}"));
        Arrival { key, body }
    };
    (0..count).map(arrival).collect()
}
