//! What the head of a workflow says of its definition.

use domain::{Event, OrgId, Timestamp, WorkflowId};
use engine::{Definition, app::app_of};
use serde_json::Value;

use super::{Workflow, definition_hash};
use crate::actions::Action;

impl Workflow {
    /// The head of a workflow that is made at `now` with this definition, which is `document`.
    pub fn of(definition: &Definition, document: &Value, (org, id): (OrgId, WorkflowId), now: Timestamp) -> Self {
        let bare = Self {
            id,
            org,
            name: String::new(),
            event_name: String::new(),
            enabled: true,
            replaces: None,
            hash: definition_hash(document),
            apps: Vec::new(),
            awaits: Vec::new(),
            installed_by: None,
            created_at: now,
            updated_at: now,
        };
        bare.saying(definition)
    }

    /// The same head, saying what it has to of `definition`.
    #[must_use]
    pub fn saying(self, definition: &Definition) -> Self {
        Self {
            name: definition.name().to_owned(),
            event_name: event_name(self.id, definition),
            enabled: definition.is_enabled(),
            replaces: definition.replaces().map(str::to_owned),
            apps: apps_of(definition),
            awaits: definition.awaited_events().into_iter().map(str::to_owned).collect(),
            ..self
        }
    }
}

/// The event that starts it; a callable workflow that names none has one made of its id, as Kustomer has it.
fn event_name(id: WorkflowId, definition: &Definition) -> String {
    match definition.event_name() {
        "" => Event::name_of_call(id),
        name => name.to_owned(),
    }
}

/// The apps whose actions its steps use, those aside that are built in.
fn apps_of(definition: &Definition) -> Vec<String> {
    let actions = definition.actions().filter(|action| Action::parse(action).is_none());
    let mut apps: Vec<String> = actions.filter_map(app_of).map(str::to_owned).collect();
    apps.sort_unstable();
    apps.dedup();
    apps
}
