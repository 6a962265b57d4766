//! The events there are samples of, from what is built into this program.

use apps::{App, samples};
use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{self, Format, Page},
};

/// Prints the events of one provider, or of all.
///
/// *Errors*: there is no such provider.
pub(super) fn run(app: Option<&str>, format: Format) -> Result<(), Failure> {
    let chosen: Vec<&'static App> = match app {
        None => apps::all().iter().collect(),
        Some(name) => vec![apps::find(name).ok_or_else(|| Failure::Usage(unknown(name)))?],
    };
    let mut page = Page::default();
    match format {
        Format::Json => page.json(&Value::Array(chosen.into_iter().flat_map(documents).collect())),
        Format::Human => {
            page.table(["EVENT", "MEANS", "VARIANTS", "ALSO FIRED AS"], chosen.into_iter().flat_map(rows).collect())
        }
    }
    output::print(&page)
}

/// An event that can be sent.
struct Sendable {
    name: &'static str,
    means: &'static str,
    aliases: &'static [String],
}

/// The events that an app names, in its order, and behind them those whose names are filled from the arrival
/// (`github.{x-github-event}.{action}`), by the name that their sample gives them.
fn sendable(app: &'static App) -> Vec<Sendable> {
    let named = app.event_specs().iter().filter(|spec| samples::find(&spec.name).is_some());
    let mut events: Vec<Sendable> =
        named.map(|spec| Sendable { name: &spec.name, means: &spec.display_name, aliases: &spec.aliases }).collect();
    for sample in samples::all().into_iter().filter(|sample| sample.app == app.name()) {
        if !events.iter().any(|event| event.name == sample.event) {
            events.push(Sendable { name: &sample.event, means: &sample.title, aliases: &[] });
        }
    }
    events
}

fn rows(app: &'static App) -> Vec<[String; 4]> {
    let row = |event: Sendable| {
        [event.name.to_owned(), event.means.to_owned(), variants(event.name).join(", "), event.aliases.join(", ")]
    };
    sendable(app).into_iter().map(row).collect()
}

fn documents(app: &'static App) -> Vec<Value> {
    let document = |event: Sendable| {
        json!({ "app": app.name(), "event": event.name, "displayName": event.means, "aliases": event.aliases,
            "variants": variants(event.name) })
    };
    sendable(app).into_iter().map(document).collect()
}

fn variants(event: &str) -> Vec<&'static str> {
    let samples = samples::all().into_iter().filter(|sample| sample.event == event);
    samples.filter_map(|sample| sample.variant.as_deref()).collect()
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = apps::all().iter().map(App::name).collect();
    format!("There is no provider `{name}`. There are {}.", names.join(", "))
}
