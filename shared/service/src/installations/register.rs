//! Registering a version of an app: checked as a whole, prefixed, and kept for good.

use std::collections::HashSet;

use domain::{Rejected, Rejection};
use engine::{
    Problem,
    app::{self, AppDefinition, AppRange},
    problem::Severity,
};
use semver::Version;
use serde_json::Value;

use super::{
    Refusal, Site,
    known::{actions, is_built_in, is_reserved, takes_built_in},
    version_of,
};
use crate::{
    actions::catalogue,
    directory::{
        Versioned,
        apps::{self, APPS_LIMIT, Available, VERSIONS_LIMIT},
    },
    ports::Unavailable,
};

/// A version that is registered.
#[derive(Debug)]
pub struct Registered {
    /// The app.
    pub available: Available,
    /// The version.
    pub definition: AppDefinition,
    /// What its author should know.
    pub warnings: Vec<Problem>,
}

/// Registers the version that `document` is.
///
/// *Once it returns* it is there for good. The same document again is answered as it was the first time.
/// *Errors*: [`Refusal`]: every problem of the document; a version that is not higher than those there are.
pub async fn register(site: &Site<'_>, document: &Value) -> Result<Registered, Refusal> {
    let mut problems = Vec::new();
    let others = see_dependencies(site, document, &mut problems).await?;
    let checked = app::check(document, catalogue(), others);
    problems.extend(checked.problems);
    problems.extend(document.get("app").and_then(Value::as_str).and_then(reserved));
    let (errors, warnings): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|problem| problem.severity == Severity::Error);
    let Some(definition) = checked.definition.filter(|_| errors.is_empty()) else {
        return Err(Refusal::Problems(errors));
    };
    let before = apps::find_available(site.store, site.org, &definition.name).await?;
    if let Some(known) = same_again(site, &before, &definition).await? {
        return Ok(Registered { available: known, definition, warnings });
    }
    let available = next(site, before.as_ref(), &definition).await?;
    let version = definition.version.to_string();
    let rev = before.map(|before| before.rev);
    apps::register(site.store, site.org, rev, &available, (&version, &definition.document)).await?;
    tracing::info!(app.name = definition.name, app.version = version, "an app was registered");
    Ok(Registered { available, definition, warnings })
}

fn reserved(name: &str) -> Option<Problem> {
    let message = "An app of this name is built in, or is a word of the API; choose another one.";
    is_reserved(name).then(|| problem(Severity::Error, "$.app".to_owned(), "reserved_name", message.to_owned()))
}

/// What was registered before, where this very version was.
async fn same_again(
    site: &Site<'_>,
    before: &Option<Versioned<Available>>,
    definition: &AppDefinition,
) -> Result<Option<Available>, Refusal> {
    let version = definition.version.to_string();
    let Some(before) = before.as_ref().filter(|before| before.value.versions.contains(&version)) else {
        return Ok(None);
    };
    let known = apps::find_version(site.store, site.org, &definition.name, &version).await?;
    if known.as_ref() == Some(&definition.document) {
        return Ok(Some(before.value.clone()));
    }
    let detail = format!(
        "Version {version} was registered with another document. Versions never change; give this one a higher number."
    );
    Err(at_version("version_taken", detail).into())
}

/// The app as it is known with this version.
async fn next(
    site: &Site<'_>,
    before: Option<&Versioned<Available>>,
    definition: &AppDefinition,
) -> Result<Available, Refusal> {
    let now = site.world.now();
    let Some(Versioned { value: before, .. }) = before else {
        if apps::all_available(site.store, site.org).await?.len() >= APPS_LIMIT {
            let detail = format!("An org registers at most {APPS_LIMIT} apps.");
            return Err(Rejected::new(Rejection::Taken, "too_many_apps", detail).into());
        }
        return Ok(known_as(definition, vec![definition.version.to_string()], now));
    };
    let newest = before.versions.last().map(|newest| version_of(newest)).transpose()?;
    if let Some(newest) = newest.filter(|newest| *newest >= definition.version) {
        let detail = format!(
            "Version {newest} was registered already. Every later one has a higher number, such as {}.",
            Version::new(newest.major, newest.minor, newest.patch.saturating_add(1))
        );
        return Err(at_version("version_not_higher", detail).into());
    }
    if before.versions.len() >= VERSIONS_LIMIT {
        let detail = format!("An app has at most {VERSIONS_LIMIT} versions; register another app.");
        return Err(at_version("too_many_versions", detail).into());
    }
    let mut versions = before.versions.clone();
    versions.push(definition.version.to_string());
    Ok(Available { created_at: before.created_at, ..known_as(definition, versions, now) })
}

fn known_as(definition: &AppDefinition, versions: Vec<String>, now: domain::Timestamp) -> Available {
    Available {
        name: definition.name.clone(),
        title: definition.title.clone(),
        versions,
        dependencies: definition.dependencies.iter().map(|range| range.text.clone()).collect(),
        created_at: now,
        updated_at: now,
    }
}

/// What is to be said of the apps that the document depends on; gives the actions of those that are registered.
async fn see_dependencies(
    site: &Site<'_>,
    document: &Value,
    problems: &mut Vec<Problem>,
) -> Result<Vec<(String, Value)>, Unavailable> {
    let name = document.get("app").and_then(Value::as_str).unwrap_or_default();
    let list = document.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let ranges = list.enumerate().filter_map(|(index, value)| Some((index, AppRange::parse(value.as_str()?)?)));
    let mut others = Vec::new();
    for (index, range) in ranges.take(app::DEPENDENCIES_LIMIT) {
        let path = format!("$.dependencies[{index}]");
        if is_built_in(&range.app) {
            if !takes_built_in(&range) {
                let message = format!(
                    "{} is built in and counts as version 1.x, which {} does not take.",
                    range.app, range.range
                );
                problems.push(problem(Severity::Error, path, "dependency_unmet", message));
            }
            continue;
        }
        if range.app == name {
            continue;
        }
        let Some(known) = apps::find_available(site.store, site.org, &range.app).await? else {
            let message = format!("No app {} was registered yet; it has to be installed before this one.", range.app);
            problems.push(problem(Severity::Warning, path, "unknown_app", message));
            continue;
        };
        if let Some(ring) = ring(site, name, &known.value).await? {
            let message = format!(
                "These apps depend on each other: {}. None of them could be installed first.",
                ring.join(" → ")
            );
            problems.push(problem(Severity::Error, path.clone(), "cyclic_dependency", message));
        }
        let fitting = known
            .value
            .versions
            .iter()
            .rev()
            .find(|version| Version::parse(version).is_ok_and(|version| range.takes(&version)));
        match fitting {
            None => {
                let message = format!(
                    "{} has the versions {}, and {} takes none of them.",
                    range.app,
                    known.value.versions.join(", "),
                    range.range
                );
                problems.push(problem(Severity::Warning, path, "unknown_version", message));
            }
            Some(version) => {
                let found = apps::find_version(site.store, site.org, &range.app, version).await?;
                let definition = found.and_then(|document| AppDefinition::parse(&document).ok());
                others.extend(definition.iter().flat_map(actions));
            }
        }
    }
    Ok(others)
}

/// The way from `name` over `known`, on which it depends, back to itself.
async fn ring(site: &Site<'_>, name: &str, known: &Available) -> Result<Option<Vec<String>>, Unavailable> {
    let mut seen: HashSet<String> = HashSet::new();
    let mut ways = vec![(vec![name.to_owned(), known.name.clone()], known.dependencies.clone())];
    while let Some((way, dependencies)) = ways.pop() {
        for range in dependencies.iter().filter_map(|text| AppRange::parse(text)) {
            let mut further = way.clone();
            further.push(range.app.clone());
            if range.app == name {
                return Ok(Some(further));
            }
            if !seen.insert(range.app.clone()) || is_built_in(&range.app) {
                continue;
            }
            if let Some(next) = apps::find_available(site.store, site.org, &range.app).await? {
                ways.push((further, next.value.dependencies));
            }
        }
    }
    Ok(None)
}

fn problem(severity: Severity, path: String, code: &'static str, message: String) -> Problem {
    Problem { severity, path, code, message, suggestion: None }
}

fn at_version(code: &'static str, detail: String) -> Rejected {
    Rejected { path: "$.version".to_owned(), ..Rejected::new(Rejection::Taken, code, detail) }
}
