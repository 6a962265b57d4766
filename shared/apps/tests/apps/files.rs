//! Every provider's files, whichever there are: each failure names the file it is about.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use apps::{App, samples, samples::Sample};
use serde_json::Value;

use crate::arrival::Arrival;

/// Fails with all problems at once, so that one run shows what there is to do.
#[track_caller]
fn check_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

fn file(sample: &Sample) -> String {
    let variant = sample.variant.as_ref().map(|variant| format!("~{variant}")).unwrap_or_default();
    format!("providers/{}/samples/{}{variant}.json", sample.app, sample.event)
}

fn app_of(sample: &Sample) -> Option<&'static App> {
    apps::find(sample.app)
}

fn is_dotted_lower_case(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
    };
    name.contains('.') && name.split('.').all(part)
}

/// A name that the arrival brings, as it may look.
fn without_places(name: &str) -> String {
    name.split('{')
        .map(|part| part.split_once('}').map_or_else(|| part.to_owned(), |(_, after)| format!("x{after}")))
        .collect()
}

#[test]
fn every_folder_has_an_app_json_that_can_be_read() {
    let providers = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
    let folders = fs::read_dir(providers).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let known: Vec<&str> = apps::all().iter().map(App::name).collect();
    let unknown = folders.filter(|folder| !known.contains(&folder.as_str()));
    let unknown = unknown.map(|folder| format!("providers/{folder}: has no app.json"));

    let unreadable =
        apps::all().iter().filter_map(|app| Some(format!("providers/{}/app.json: {}", app.name(), app.check().err()?)));
    check_none(unknown.chain(unreadable).collect());
}

#[test]
fn every_sample_can_be_read() {
    check_none(samples::problems().into_iter().map(|problem| format!("providers/{problem}")).collect());
}

#[test]
fn every_app_says_what_people_need_to_know() {
    let mut problems = Vec::new();
    for app in apps::all() {
        let mut check = |holds: bool, what: &str| {
            if !holds {
                problems.push(format!("providers/{}/app.json: {what}", app.name()));
            }
        };
        check(!app.display_name().is_empty(), "displayName is empty");
        check(app.docs().starts_with("https://"), "docs is no address");
        check(!app.methods().is_empty(), "methods is empty");
        check(app.headers().iter().all(|name| *name == name.to_lowercase()), "headers are in lower case");
        let is_secret = |name: &String| name.contains("signature") || name.contains("hmac") || name == "authorization";
        check(!app.headers().iter().any(is_secret), "headers keeps a credential or signature");
        for event in app.event_specs() {
            check(!event.display_name.is_empty(), &format!("{} has no displayName", event.name));
            let mut names = event.aliases.iter().chain([&event.name]);
            check(
                names.all(|name| is_dotted_lower_case(&without_places(name))),
                &format!("{} is not lower case with dots", event.name),
            );
        }
    }
    check_none(problems);
}

#[test]
fn a_name_or_alias_belongs_to_one_event_unless_it_is_a_concours_one() {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for app in apps::all() {
        for event in app.event_specs() {
            for name in event.aliases.iter().chain([&event.name]) {
                owners.entry(name).or_default().push(app.name());
            }
        }
    }
    let is_shared = |name: &str, apps: &[&str]| {
        let distinct: BTreeSet<_> = apps.iter().collect();
        distinct.len() != apps.len() || (apps.len() > 1 && !name.starts_with("concours."))
    };
    let shared = owners.iter().filter(|(name, apps)| is_shared(name, apps));
    check_none(
        shared.map(|(name, apps)| format!("{name} is the name of several events: {}", apps.join(", "))).collect(),
    );
}

#[test]
fn every_event_has_a_sample() {
    let fired: BTreeSet<(&str, &str)> = samples::all()
        .into_iter()
        .flat_map(|sample| {
            let others = sample.other_events.keys().map(String::as_str);
            others.chain([sample.event.as_str()]).map(|event| (sample.app, event)).collect::<Vec<_>>()
        })
        .collect();
    let has_sample = |app: &App, event: &str| match event.split_once('{') {
        None => fired.contains(&(app.name(), event)),
        Some((start, _)) => fired.iter().any(|(other, name)| *other == app.name() && name.starts_with(start)),
    };
    let missing = apps::all().iter().flat_map(|app| {
        let without = app.event_specs().iter().filter(|event| !has_sample(app, &event.name));
        without.map(|event| format!("providers/{}/samples: none fires {}", app.name(), event.name)).collect::<Vec<_>>()
    });
    check_none(missing.collect());
}

#[test]
fn every_sample_is_the_event_it_says_with_the_data_it_says() {
    let mut problems = Vec::new();
    for sample in samples::all() {
        let Some(app) = app_of(sample) else { continue };
        let fired = Arrival::of(app, sample).events(app);
        let data = |event: &str| -> Vec<&Value> {
            fired.iter().filter(|fired| fired.name == event).map(|fired| &fired.data).collect()
        };
        for (event, expected) in sample.other_events.iter().chain([(&sample.event, &sample.expect)]) {
            let given = data(event);
            let expected = match expected {
                Value::Null if !given.is_empty() => continue,
                Value::Array(list) => list.iter().collect(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => vec![expected],
            };
            if given != expected {
                let shown: Vec<String> = given.iter().map(|data| format!("{data:#}")).collect();
                problems.push(format!(
                    "{}: {event} is fired {} times, as\n{}",
                    file(sample),
                    given.len(),
                    shown.join("\n")
                ));
            }
        }
        let stated = |name: &String| *name == sample.event || sample.other_events.contains_key(name);
        let unstated: BTreeSet<&String> = fired.iter().map(|fired| &fired.name).filter(|name| !stated(name)).collect();
        problems.extend(unstated.into_iter().map(|name| format!("{}: otherEvents leaves out {name}", file(sample))));
    }
    check_none(problems);
}

#[test]
fn a_silent_sample_is_no_event() {
    let fired = samples::silent().into_iter().filter_map(|sample| {
        let app = app_of(sample)?;
        let fired = Arrival::of(app, sample).events(app);
        (!fired.is_empty()).then(|| format!("{}: fires {fired:#?}", file(sample)))
    });
    check_none(fired.collect());
}

#[test]
fn every_concours_event_knows_its_contact() {
    let mut problems = Vec::new();
    for sample in samples::all() {
        let Some(app) = app_of(sample) else { continue };
        for fired in Arrival::of(app, sample).events(app) {
            if fired.name.starts_with("concours.") && !fired.data.get("contact").is_some_and(Value::is_object) {
                problems.push(format!("{}: {} has no contact", file(sample), fired.name));
            }
        }
    }
    check_none(problems);
}

#[test]
fn a_sample_is_no_ping_and_has_the_delivery_id_its_app_declares() {
    let mut problems = Vec::new();
    for sample in samples::all() {
        let Some(app) = app_of(sample) else { continue };
        let arrival = Arrival::of(app, sample);
        for input in arrival.inputs() {
            if app.is_ping(&input) || app.echo(&input).is_some() {
                problems.push(format!("{}: is a ping or handshake", file(sample)));
            }
            if app.declares_delivery_ids() && app.delivery_id(&input).is_none() {
                problems.push(format!("{}: has no delivery id", file(sample)));
            }
        }
    }
    check_none(problems);
}

#[test]
fn a_sample_is_sent_the_way_its_provider_sends() {
    let methods = samples::all().into_iter().filter_map(|sample| {
        let is_used = app_of(sample)?.methods().contains(&sample.method);
        (!is_used).then(|| format!("{}: {} is not one of the app's methods", file(sample), sample.method))
    });
    let headers = samples::all().into_iter().filter_map(|sample| {
        let upper = sample.headers.keys().find(|name| **name != name.to_lowercase())?;
        Some(format!("{}: the header {upper} is not in lower case", file(sample)))
    });
    check_none(methods.chain(headers).collect());
}
