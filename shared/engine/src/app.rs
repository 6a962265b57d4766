//! Definitions of apps that an org registers: hooks, triggers, actions, klasses, settings and workflows in one document.
//!
//! Reading never stops at the first problem, as with workflow documents. The one thing a newcomer would get wrong: names of
//! events and actions are prefixed *before* a document is read ([`prefixed`]), and the prefixed document is the one that is
//! kept, so an [`AppDefinition`] holds whole names only.
//!
//! Reading order: an [`AppDefinition`] has [`parts`], which are read by `format`; its workflows are checked by [`check`].

mod action;
mod check;
mod format;
mod names;
mod parts;
mod range;
pub(crate) mod schema;
mod settings;
mod trigger;

use semver::Version;
use serde_json::Value;

pub use check::{Checked, check};
pub use format::{ACTIONS_LIMIT, DEPENDENCIES_LIMIT, PARTS_LIMIT_CHANGES, SETTINGS_LIMIT, TRIGGERS_LIMIT};
pub use names::{app_of, prefixed};
pub use parts::{HookPart, KlassPart, WorkflowPart};
pub use range::AppRange;
pub use settings::{Setting, SettingKind};
pub use trigger::TriggerPart;

pub use action::{ActionPart, SettingAlias, Visit};

/// What names of events and actions of apps begin with.
pub const NAMESPACE: &str = "kustomer.app.";

/// A definition that was read, every name in it whole.
///
/// *Source* — Kustomer's "App definition"; `docs/app-definitions.md` describes what is kept of it.
#[derive(Debug)]
pub struct AppDefinition {
    /// The document, names prefixed.
    pub document: Value,
    /// The app's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// What people call it.
    pub title: String,
    /// The apps that have to be installed before it.
    pub dependencies: Vec<AppRange>,
    /// Its settings.
    pub settings: Vec<Setting>,
    /// Its hooks.
    pub hooks: Vec<HookPart>,
    /// What its events give to workflows.
    pub triggers: Vec<TriggerPart>,
    /// What its steps can do.
    pub actions: Vec<ActionPart>,
    /// Its klasses.
    pub klasses: Vec<KlassPart>,
    /// Its workflows.
    pub workflows: Vec<WorkflowPart>,
}

impl AppDefinition {
    /// Reads a document whose names are whole.
    ///
    /// *Errors* — every [`crate::Problem`] but those of its workflows, which [`check`] tells.
    pub fn parse(document: &Value) -> Result<AppDefinition, Vec<crate::Problem>> {
        let read = format::read(document);
        read.definition.ok_or_else(|| read.problems.into_vec())
    }

    /// The trigger of the event called `name`.
    pub fn trigger(&self, name: &str) -> Option<&TriggerPart> {
        self.triggers.iter().find(|trigger| trigger.event_name == name)
    }

    /// The action called `name`.
    pub fn action(&self, name: &str) -> Option<&ActionPart> {
        self.actions.iter().find(|action| action.name == name)
    }
}
