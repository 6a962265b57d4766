//! What becomes of the parts of a definition: the changes that make them, and the ids that they get.

use domain::{Hook, HookHash, HookId, Klass, KlassId, Timestamp, WorkflowId};
use engine::{
    Definition,
    app::{AppDefinition, HookPart, KlassPart, WorkflowPart},
};
use serde_json::{Map, Value, json};

use super::{Refusal, Site};
use crate::{
    directory::{
        Versioned,
        apps::{InstalledHook, InstalledWorkflow, Parts},
        hooks, klasses,
        workflows::{self, Origin, Workflow},
    },
    ports::{Change, Expectation, Unavailable},
};

/// Parts that are to be written.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    pub(super) changes: Vec<Change>,
    pub(super) parts: Parts,
}

/// Assembles `definition` where `before` was of the same app, or nothing.
pub(super) async fn assemble(site: &Site<'_>, definition: &AppDefinition, before: &Parts) -> Result<Assembly, Refusal> {
    let mut assembly = Assembly::default();
    let now = site.world.now();
    for hook in &definition.hooks {
        add_hook(site, &mut assembly, (&definition.name, hook), before, now)?;
    }
    for klass in definition.klasses.iter().filter(|klass| !klass.is_standard) {
        add_klass(site, &mut assembly, (&definition.name, klass), before, now).await?;
    }
    let ids = workflow_ids(site, definition, before, now)?;
    for (part, id) in definition.workflows.iter().zip(&ids) {
        let document = with_ids_of_the_org(part, &definition.workflows, &ids);
        add_workflow(site, &mut assembly, (&definition.name, *id, document), before, now).await?;
    }
    Ok(assembly)
}

/// A hook that is there stays as it is, with its address and what the org has set of it.
fn add_hook(
    site: &Site<'_>,
    assembly: &mut Assembly,
    (app, part): (&str, &HookPart),
    before: &Parts,
    now: Timestamp,
) -> Result<(), Unavailable> {
    let is_same = |hook: &&InstalledHook| hook.event_name == part.event_name && hook.kind == part.kind;
    if let Some(kept) = before.hooks.iter().find(is_same) {
        assembly.parts.hooks.push(kept.clone());
        return Ok(());
    }
    let (mut id, mut hash) = ([0; 8], [0; 32]);
    site.world.fill(&mut id)?;
    site.world.fill(&mut hash)?;
    let id = HookId::fresh(now, id);
    let hook = Hook {
        title: part.title.clone(),
        description: part.description.clone(),
        event_name: part.event_name.clone(),
        installed_by: Some(app.to_owned()),
        ..Hook::new(id, site.org, part.kind, HookHash::from_random(hash), now)
    };
    assembly.changes.extend(hooks::creation(&hook)?);
    let (event_name, kind, hash) = (part.event_name.clone(), part.kind, hook.hash);
    assembly.parts.hooks.push(InstalledHook { event_name, kind, id, hash });
    Ok(())
}

async fn add_klass(
    site: &Site<'_>,
    assembly: &mut Assembly,
    (app, part): (&str, &KlassPart),
    before: &Parts,
    now: Timestamp,
) -> Result<(), Unavailable> {
    let kept = match before.klasses.contains(&part.name) {
        true => klasses::find(site.store, site.org, &part.name).await?,
        false => None,
    };
    let change = match kept {
        Some(Versioned { rev, value }) => {
            let klass = Klass { updated_at: now, ..with(value, part) };
            klasses::change(&klass, rev + 1, Expectation::Rev(rev))?
        }
        None => {
            let mut id = [0; 8];
            site.world.fill(&mut id)?;
            let bare = Klass {
                id: KlassId::fresh(now, id),
                org: site.org,
                name: part.name.clone(),
                display_name: None,
                icon: None,
                color: None,
                metadata: Map::new(),
                installed_by: Some(app.to_owned()),
                created_at: now,
                updated_at: now,
            };
            klasses::change(&with(bare, part), 1, Expectation::Absent)?
        }
    };
    assembly.changes.push(change);
    assembly.parts.klasses.push(part.name.clone());
    Ok(())
}

/// The klass with what the definition says of it; attributes that the org has added stay.
fn with(klass: Klass, part: &KlassPart) -> Klass {
    let mut metadata = klass.metadata;
    let mut properties = metadata.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, value) in &part.metadata {
        match (key.as_str(), value) {
            ("properties", Value::Object(defined)) => {
                properties.extend(defined.iter().map(|(name, property)| (name.clone(), property.clone())));
            }
            _ => {
                metadata.insert(key.clone(), value.clone());
            }
        }
    }
    metadata.insert("properties".to_owned(), Value::Object(properties));
    Klass {
        display_name: part.display_name.clone().or(klass.display_name),
        icon: part.icon.clone().or(klass.icon),
        color: part.color.clone().or(klass.color),
        metadata,
        ..klass
    }
}

/// The id of each workflow: the one it has, or a fresh one.
fn workflow_ids(
    site: &Site<'_>,
    definition: &AppDefinition,
    before: &Parts,
    now: Timestamp,
) -> Result<Vec<WorkflowId>, Unavailable> {
    let id = |part: &WorkflowPart| match before.workflows.iter().find(|workflow| workflow.name == part.name) {
        Some(kept) => Ok(kept.id),
        None => {
            let mut id = [0; 8];
            site.world.fill(&mut id)?;
            Ok(WorkflowId::fresh(now, id))
        }
    };
    definition.workflows.iter().map(id).collect()
}

/// The document without its id, and with the ids of this org where it names workflows of the definition by theirs.
fn with_ids_of_the_org(part: &WorkflowPart, all: &[WorkflowPart], ids: &[WorkflowId]) -> Value {
    let own = all.iter().zip(ids).filter_map(|(part, id)| Some((part.own_id.as_deref()?, id.to_string())));
    let own: Vec<(&str, String)> = own.collect();
    let mut document = part.document.clone();
    if let Some(document) = document.as_object_mut() {
        document.shift_remove("id");
    }
    replace_ids(&mut document, &own);
    document
}

fn replace_ids(value: &mut Value, ids: &[(&str, String)]) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
        Value::String(text) => {
            for (own, id) in ids.iter().filter(|(own, _)| text.contains(own)).cloned().collect::<Vec<_>>() {
                *text = text.replace(own, &id);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| replace_ids(element, ids)),
        Value::Object(members) => members.values_mut().for_each(|inner| replace_ids(inner, ids)),
    }
}

/// The switch of a workflow that is there already is its org's.
async fn add_workflow(
    site: &Site<'_>,
    assembly: &mut Assembly,
    (app, id, mut document): (&str, WorkflowId, Value),
    before: &Parts,
    now: Timestamp,
) -> Result<(), Refusal> {
    let origin = Origin { by: site.by, restores: None };
    let kept = match before.workflows.iter().any(|workflow| workflow.id == id) {
        true => workflows::find(site.store, site.org, id).await?,
        false => None,
    };
    if let (Some(kept), Some(document)) = (&kept, document.as_object_mut()) {
        document.insert("enabled".to_owned(), json!(kept.value.enabled));
    }
    let definition = Definition::parse(&document).map_err(Refusal::Problems)?;
    let head = Workflow::of(&definition, &document, (site.org, id), now);
    let workflow = Workflow { installed_by: Some(app.to_owned()), ..head };
    assembly.parts.workflows.push(InstalledWorkflow { name: workflow.name.clone(), id });
    match kept {
        Some(before) if before.value.hash == workflow.hash => {}
        Some(before) => {
            let workflow = Workflow { created_at: before.value.created_at, ..workflow };
            assembly.changes.extend(workflows::replacement(&before, &workflow, &document, origin)?);
        }
        None => assembly.changes.extend(workflows::creation(&workflow, &document, origin)?),
    }
    Ok(())
}
