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
    let chosen: Vec<&App> = match app {
        None => apps::all().iter().collect(),
        Some(name) => vec![apps::find(name).ok_or_else(|| Failure::Usage(unknown(name)))?],
    };
    let mut page = Page::default();
    match format {
        Format::Json => page.json(&Value::Array(chosen.into_iter().flat_map(documents).collect())),
        Format::Human => page.table(["EVENT", "MEANS", "ALSO FIRED AS"], chosen.into_iter().flat_map(rows).collect()),
    }
    output::print(&page)
}

fn rows(app: &App) -> Vec<[String; 3]> {
    let specs = app.event_specs().iter().filter(|spec| samples::find(&spec.name).is_some());
    specs.map(|spec| [spec.name.clone(), spec.display_name.clone(), spec.aliases.join(", ")]).collect()
}

fn documents(app: &App) -> Vec<Value> {
    let specs = app.event_specs().iter().filter(|spec| samples::find(&spec.name).is_some());
    let document = |spec: &apps::EventSpec| {
        json!({ "app": app.name(), "event": spec.name, "displayName": spec.display_name, "aliases": spec.aliases,
            "variants": variants(&spec.name) })
    };
    specs.map(document).collect()
}

fn variants(event: &str) -> Vec<&'static str> {
    let samples = samples::all().into_iter().filter(|sample| sample.event == event);
    samples.filter_map(|sample| sample.variant.as_deref()).collect()
}

fn unknown(name: &str) -> String {
    let names: Vec<&str> = apps::all().iter().map(App::name).collect();
    format!("There is no provider `{name}`. There are {}.", names.join(", "))
}
