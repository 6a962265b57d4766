//! What a step can do.
//!
//! There are two kinds. A [`RecordAction`] reads and changes our own records through a [`Unit`] only, so all it does is
//! written with the step's journal entry or not at all; a look-up that finds nothing is no failure: its output has no
//! `id`. An [`OutsideAction`] does something that cannot be taken back, so the executor writes down that it will.

mod catalogue;
mod change;
mod compute;
mod find;
mod outside;
mod params;
mod publish;
mod rest;
mod send_mail;
mod table;

use std::borrow::Cow;

use domain::{RecordId, RunId};
use engine::run::TRUNK;
use serde_json::{Map, Value};

use crate::records::{NewIds, Unit};

pub use crate::announce::Author;
pub use crate::records::NotDone;
pub use catalogue::{
    Attributes, Description, Example, Need, Param, attributes, catalogue, description, descriptions,
    params as params_of, params_beside,
};
pub(crate) use outside::{Headers, NotPerformed, Occasion, OnUnknownOutcome, Prepared, Ways};
pub use send_mail::Mailing;
pub use table::{Of, OutsideAction, RecordAction};

use params::Params;

/// Which visit of which step acts, so that what it makes has an id of its own.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The run.
    pub run: RunId,
    /// The branch of the run that the step is in; empty in the trunk.
    pub branch: &'a str,
    /// The step.
    pub step: &'a str,
    /// How often the run has come to this step, from 1.
    pub visit: u32,
    /// What events of it follow from.
    pub author: &'a Author,
}

impl<'a> Actor<'a> {
    /// The step, told from the same one in other branches.
    pub(crate) fn instance(&self) -> Cow<'a, str> {
        instance(self.branch, self.step)
    }

    /// The ids of what this visit makes.
    fn new_ids(&self) -> NewIds {
        NewIds {
            record: RecordId::for_step(self.run, &self.instance(), self.visit),
            conversation: RecordId::for_conversation_of_step(self.run, &self.instance(), self.visit),
        }
    }
}

/// A step, told from the same one in other branches: `charge`, or `each#1.37/charge`.
pub(crate) fn instance<'a>(branch: &str, step: &'a str) -> Cow<'a, str> {
    match branch {
        TRUNK => Cow::Borrowed(step),
        branch => Cow::Owned(format!("{branch}/{step}")),
    }
}

/// An action, by the name a workflow document gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// On our own records.
    Record(RecordAction),
    /// Outside.
    Outside(OutsideAction),
    /// Of the run itself, which whoever carries it knows.
    Flow,
}

impl Action {
    /// The action that a workflow document calls `name`.
    pub fn parse(name: &str) -> Option<Self> {
        table::ACTIONS.iter().find(|(known, _)| *known == name).map(|(_, action)| *action)
    }

    /// The names of all actions, in the order of the docs.
    pub fn names() -> Vec<&'static str> {
        table::ACTIONS.iter().map(|(name, _)| *name).collect()
    }
}

/// Whether whoever performs the action changes something: a record, or the world.
pub(crate) fn has_effect(action: &str) -> bool {
    match Action::parse(action) {
        Some(Action::Outside(_)) => true,
        Some(Action::Record(action)) => action.has_effect(),
        Some(Action::Flow) => CALLS.contains(&action),
        // An app's, which is a call; or a call of a workflow.
        None => true,
    }
}

/// The actions that have another workflow run.
const CALLS: [&str; 2] = ["flow.call", "kustomer.app.scheduler.schedule-workflow"];

/// How a call says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RestBody {
    /// An object or a list, as JSON.
    Json,
    /// Any text.
    Generic,
}

impl RecordAction {
    /// Does the action on `unit` and gives the step's output.
    ///
    /// *Errors*: [`NotDone`]; changes may be left in the unit then, which the caller undoes.
    pub async fn perform(self, unit: &mut Unit<'_>, actor: Actor<'_>, input: &Value) -> Result<Value, NotDone> {
        let params = Params::of(input)?;
        match self {
            Self::Create(of) => change::create(unit, actor, of, &params).await,
            Self::CreateWithCustomer => change::create_with_customer(unit, actor, &params).await,
            Self::Update(of) => change::update(unit, of, &params).await,
            Self::Delete => change::delete(unit, &params).await,
            Self::Merge => change::merge(unit, &params).await,
            Self::AppendEmail => change::append_contact(unit, &params, "emails", "email").await,
            Self::AppendPhone => change::append_contact(unit, &params, "phones", "phone").await,
            Self::AssignTeam => change::assign(unit, &params, "assignedTeams", "team").await,
            Self::AssignUser => change::assign(unit, &params, "assignedUsers", "user").await,
            Self::AppendTags => change::append_tags(unit, &params).await,
            Self::RemoveTags => change::remove_tags(unit, &params).await,
            Self::AddRelationship => change::add_relationship(unit, &params).await,
            Self::CreateKlass => change::create_klass(unit, actor, &params).await,
            Self::FindById(of) => find::by_id(unit, of, &params).await,
            Self::FindByExternalId(of) => find::by_external_id(unit, of, &params).await,
            Self::FindByEmail(of) => find::by_email(unit, of, &params).await,
            Self::FindByPhone => find::by_phone(unit, &params).await,
            Self::FindByWhatsapp => find::by_whatsapp(unit, &params).await,
            Self::FindByAccount(network) => find::by_account(unit, network, &params).await,
            Self::FindBody => find::conversation_body(unit, &params).await,
            Self::FindLastMessage => find::last_message(unit, &params).await,
            Self::FindKlass => find::klass_by_name(unit, &params).await,
            Self::CurrentOrg => find::current_org(unit).await,
            Self::PublishEvent => publish::event(unit, actor, &params),
            Self::RunCommand => publish::command(unit, actor, &params),
            Self::MatchRegex => compute::match_regex(&params),
            Self::Transform => compute::transform(&params),
        }
    }
}

/// What a look-up gives that finds nothing.
fn nothing() -> Value {
    Value::Object(Map::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name_and_has_only_one() {
        for (name, action) in table::ACTIONS {
            assert_eq!(Action::parse(name), Some(*action));
        }
        let mut names = Action::names();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), table::ACTIONS.len());
        assert_eq!(Action::parse("kustomer.customer.explode"), None);
    }
}
