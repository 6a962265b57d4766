//! Apps that are there without anybody installing them, and what installed ones can do.

use std::{collections::HashMap, sync::OnceLock};

use domain::OrgId;
use engine::app::{AppDefinition, AppRange, app_of};
use serde_json::Value;

use crate::{
    actions::Action,
    directory::apps::{self, Installed},
    ports::{Store, Unavailable},
};

/// The major version that everything built in counts as having. *Source*: exports name `kustomer-^1.4.11` and `hooks-^1.0.0`.
const BUILT_IN_MAJOR: u64 = 1;

/// Apps of Kustomer that are built in, and words that paths below `/v1/apps` begin with.
const BUILT_IN: [&str; 2] = ["kustomer", "hooks"];
const PATH_WORDS: [&str; 2] = ["available", "installed"];

/// Whether an app of this name is there without being installed.
pub(super) fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name) || ::apps::find(name).is_some() || has_built_in_actions(name)
}

/// Whether nobody may register an app of this name.
pub(super) fn is_reserved(name: &str) -> bool {
    is_built_in(name) || PATH_WORDS.contains(&name)
}

/// Whether actions below `kustomer.app.{name}.` are built in, such as those of `mail`.
fn has_built_in_actions(name: &str) -> bool {
    static NAMES: OnceLock<Vec<&str>> = OnceLock::new();
    NAMES.get_or_init(|| Action::names().into_iter().filter_map(app_of).collect()).contains(&name)
}

/// Whether the range takes what is built in.
pub(super) fn takes_built_in(range: &AppRange) -> bool {
    range.takes_some_of(BUILT_IN_MAJOR)
}

/// The actions of a definition, each with the JSON Schema of its params.
pub(super) fn actions(definition: &AppDefinition) -> impl Iterator<Item = (String, Value)> {
    definition.actions.iter().map(|action| (action.name.clone(), action.params_schema()))
}

/// The actions of those of `names` that are installed, and the versions they are of.
pub(crate) async fn actions_of(
    store: &dyn Store,
    org: OrgId,
    names: &[String],
) -> Result<(Vec<(String, Value)>, HashMap<String, String>), Unavailable> {
    let (mut found, mut versions) = (Vec::new(), HashMap::new());
    for name in names {
        let Some((version, definition)) = installed_definition(store, org, name).await? else { continue };
        found.extend(definition.iter().flat_map(actions));
        versions.insert(name.clone(), version);
    }
    Ok((found, versions))
}

/// The attributes that the installed version of `app` gives its klass.
pub(crate) async fn attributes_of(
    store: &dyn Store,
    org: OrgId,
    app: &str,
    klass: &str,
) -> Result<Vec<String>, Unavailable> {
    let installed = installed_definition(store, org, app).await?;
    let Some(definition) = installed.and_then(|(_, definition)| definition) else { return Ok(Vec::new()) };
    let part = definition.klasses.iter().find(|part| part.name == klass);
    let properties = part.and_then(|part| part.metadata.get("properties")).and_then(Value::as_object);
    Ok(properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default())
}

/// The version of the app that is installed, and its definition, if this program can read it.
async fn installed_definition(
    store: &dyn Store,
    org: OrgId,
    name: &str,
) -> Result<Option<(String, Option<AppDefinition>)>, Unavailable> {
    let Some(installed) = apps::find_installed(store, org, name).await? else { return Ok(None) };
    let Installed { version, .. } = installed.value;
    let document = apps::find_version(store, org, name, &version).await?;
    Ok(Some((version, document.and_then(|document| AppDefinition::parse(&document).ok()))))
}
