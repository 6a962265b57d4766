//! The events that a transaction of a webhook fires beside its hook's own.

use apps::Fired;
use domain::{Transaction, exact};
use serde_json::{Value, json};

use crate::Source;

/// What every webhook fires, whatever its app. *Source*: Concours Pro's "Inbound Webhook".
const ANY_WEBHOOK: &str = "concours.webhook.receive";

/// The events, the app's own first.
pub(super) fn fired(source: &Source, transaction: &Transaction) -> Vec<Fired> {
    let app = source.app.as_deref().and_then(apps::find);
    let mut fired = app.map_or_else(Vec::new, |app| app.events(&source.input(&transaction.data)));
    let data = exact::object([
        ("method", json!(source.method)),
        ("query", Value::Object(source.query.clone())),
        ("headers", Value::Object(source.headers.clone())),
        ("data", transaction.data.clone()),
    ]);
    fired.push(Fired { name: ANY_WEBHOOK.to_owned(), aliases: Vec::new(), data });
    fired
}

/// When it happened, if the app can tell.
pub(super) fn occurred_at(source: &Source, transaction: &Transaction) -> Option<String> {
    apps::find(source.app.as_deref()?)?.occurred_at(&source.input(&transaction.data))
}
