//! Making what a folder holds, and what a case gives, in a world.
//!
//! As a plan of the folder would, but for what guards a hook: signatures and captchas are for senders to pass, and a test
//! sends what it says. Workflows whose ids are named, or that have variables, get their id first and their document last.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{
    case::{Given, Record},
    folder::Folder,
    placeholder::{self, Names},
    reading::Problem,
    world::World,
};
use crate::project::Entry;

/// What is in a world, by the names that tests use.
#[derive(Debug, Default)]
pub(crate) struct Estate {
    /// Hooks by their handles.
    pub(crate) hooks: Vec<(String, Hook)>,
    /// Workflows: id and what people call it, its handle or its own name where an app brought it.
    pub(crate) workflows: Vec<(String, String)>,
    /// What placeholders stand for.
    pub(crate) names: Names,
}

/// A hook of a world.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    /// `form`, `web` or `email`.
    pub(crate) kind: String,
    /// The path of its address, or the address of a mailbox.
    pub(crate) address: String,
    /// What the scripts of its mails have to show.
    pub(crate) key: Option<String>,
}

impl Estate {
    /// Makes everything in the folder, and the variables that `given` names.
    ///
    /// *Errors*: what was refused, by file.
    pub(crate) async fn build(world: &World, folder: &Folder, given: &Given) -> Result<Self, Vec<Problem>> {
        let mut estate = Self::default();
        for klass in &folder.klasses {
            let document = Value::Object(klass.document.clone());
            refused_at(klass, world.api("POST", "/v1/klasses", Some(&document)).await)?;
        }
        for entry in &folder.hooks {
            estate.make_hook(world, entry).await?;
        }
        for entry in &folder.apps {
            let document = estate.names.filled(&Value::Object(entry.document.clone()));
            refused_at(entry, world.api("POST", "/v1/apps/available", Some(&document)).await)?;
            let install = json!({ "app": entry.text("app") });
            refused_at(entry, world.api("POST", "/v1/apps", Some(&install)).await)?;
        }
        estate.make_workflows(world, folder, given).await?;
        let all = world.list("/v1/workflows").await.map_err(|told| of_nothing(&told))?;
        for workflow in all {
            let (id, name) = (text(&workflow, "/id"), text(&workflow, "/attributes/name"));
            if !estate.workflows.iter().any(|(known, _)| *known == id) {
                estate.workflows.push((id, name));
            }
        }
        Ok(estate)
    }

    async fn make_hook(&mut self, world: &World, entry: &Entry) -> Result<(), Vec<Problem>> {
        let kind = entry.text("kind").to_owned();
        let mut document = entry.document.clone();
        for key in ["kind", "guard"] {
            document.shift_remove(key);
        }
        if let Some(auth) = document.get_mut("auth") {
            *auth = json!({ "scheme": "none" });
        }
        let path = format!("/v1/hooks/{kind}");
        if !["form", "web", "email"].contains(&kind.as_str()) {
            return Err(vec![Problem::of_file(&entry.file, "The `kind` of a hook is form, web or email.")]);
        }
        let made = refused_at(entry, world.api("POST", &path, Some(&Value::Object(document))).await)?;
        let handle = &entry.handle;
        self.names.insert(format!("hooks.{handle}.id"), &text(&made, "/data/id"));
        self.names.insert(format!("hooks.{handle}.hash"), &text(&made, "/data/attributes/hash"));
        let url = text(&made, "/data/attributes/url");
        let address = match url.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
            Some((_, path)) => format!("/{path}"),
            None => text(&made, "/data/attributes/email"),
        };
        let key = made.pointer("/data/attributes/key").and_then(Value::as_str).map(str::to_owned);
        self.hooks.push((handle.clone(), Hook { kind, address, key }));
        Ok(())
    }

    async fn make_workflows(&mut self, world: &World, folder: &Folder, given: &Given) -> Result<(), Vec<Problem>> {
        let named: BTreeSet<String> = folder.workflows.iter().flat_map(|entry| names_in(&entry.document)).collect();
        let is_first = |entry: &Entry| {
            let is_named = named.contains(&format!("workflows.{}.id", entry.handle));
            is_named || !variables_of(entry, given).is_empty()
        };
        let mut reserved: Vec<(&Entry, String, Names)> = Vec::new();
        for entry in folder.workflows.iter().filter(|entry| is_first(entry)) {
            let trigger =
                json!({ "eventName": "kustomer.hooks.form.000000000000000000000000.receive", "transitions": [] });
            let stub = json!({ "name": entry.text("name"), "enabled": false, "trigger": trigger });
            let id = self.make_workflow(world, entry, &stub).await?;
            let variables = make_variables(world, entry, &id, given).await?;
            reserved.push((entry, id, variables));
        }
        for entry in folder.workflows.iter().filter(|entry| !is_first(entry)) {
            let document = self.names.filled(&Value::Object(entry.document.clone()));
            self.make_workflow(world, entry, &document).await?;
        }
        for (entry, id, variables) in reserved {
            let mut document = entry.document.clone();
            document.entry("enabled").or_insert(Value::Bool(true));
            let document = variables.filled(&self.names.filled(&Value::Object(document)));
            refused_at(entry, world.api("PUT", &format!("/v1/workflows/{id}"), Some(&document)).await)?;
        }
        Ok(())
    }

    async fn make_workflow(&mut self, world: &World, entry: &Entry, document: &Value) -> Result<String, Vec<Problem>> {
        let made = refused_at(entry, world.api("POST", "/v1/workflows", Some(document)).await)?;
        let id = text(&made, "/data/id");
        self.names.insert(format!("workflows.{}.id", entry.handle), &id);
        self.workflows.push((id.clone(), entry.handle.clone()));
        Ok(id)
    }

    /// Makes what a case gives beside variables. Nothing of it starts a run.
    ///
    /// *Errors*: what was refused, in sentences.
    pub(crate) async fn give(&mut self, world: &World, given: &Given) -> Result<(), Vec<String>> {
        if let Some(org) = &given.org {
            within("the org", world.api("PATCH", "/v1/org", Some(org)).await)?;
        }
        for schedule in &given.schedules {
            within("a schedule", world.api("POST", "/v1/schedules", Some(schedule)).await)?;
        }
        for (app, settings) in &given.settings {
            let settings = self.names.filled(settings);
            let path = format!("/v1/apps/{app}/settings");
            within(&format!("the settings of {app}"), world.api("PUT", &path, Some(&settings)).await)?;
        }
        for Record { collection, name, attributes } in &given.records {
            let attributes = self.names.filled(&Value::Object(attributes.clone()));
            let made = world.api("POST", &format!("/v1/{collection}"), Some(&attributes)).await;
            let made = within(&format!("a record in {collection}"), made)?;
            if let Some(name) = name {
                self.names.insert(format!("records.{name}.id"), &text(&made, "/data/id"));
            }
        }
        world.forget_messages();
        Ok(())
    }
}

/// Every placeholder of a document.
fn names_in(document: &Map<String, Value>) -> Vec<String> {
    document.values().flat_map(placeholder::named).map(str::to_owned).collect()
}

/// The variables of a workflow: those that a case gives, and those that its document names, whose value is then their name.
fn variables_of(entry: &Entry, given: &Given) -> BTreeMap<String, String> {
    let of_document = names_in(&entry.document).into_iter().filter_map(|name| {
        let name = name.strip_prefix("variables.")?.strip_suffix(".id")?;
        Some((name.to_owned(), name.to_owned()))
    });
    let of_case = given.variables.iter().filter(|(workflow, _, _)| *workflow == entry.handle);
    of_document.chain(of_case.map(|(_, name, value)| (name.clone(), value.clone()))).collect()
}

async fn make_variables(world: &World, entry: &Entry, id: &str, given: &Given) -> Result<Names, Vec<Problem>> {
    let mut names = Names::default();
    for (name, value) in variables_of(entry, given) {
        let draft = json!({ "name": name, "value": value });
        let made = world.api("POST", &format!("/v1/workflows/{id}/variables"), Some(&draft)).await;
        names.insert(format!("variables.{name}.id"), &text(&refused_at(entry, made)?, "/data/id"));
    }
    Ok(names)
}

fn refused_at(entry: &Entry, done: Result<Value, Vec<String>>) -> Result<Value, Vec<Problem>> {
    done.map_err(|told| told.into_iter().map(|sentence| Problem::of_file(&entry.file, sentence)).collect())
}

fn of_nothing(told: &[String]) -> Vec<Problem> {
    told.iter().map(|sentence| Problem::of_file("workflows", sentence.as_str())).collect()
}

fn within(what: &str, done: Result<Value, Vec<String>>) -> Result<Value, Vec<String>> {
    done.map_err(|told| {
        told.into_iter().map(|sentence| format!("What is given of {what} was refused: {sentence}")).collect()
    })
}

fn text(document: &Value, pointer: &str) -> String {
    document.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
