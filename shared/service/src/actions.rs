//! What a step can do: the actions of the `kustomer` app.
//!
//! There are two kinds. A [`RecordAction`] reads and changes our own records through a [`Unit`] only, so all it does is
//! written with the step's journal entry or not at all; a look-up that finds nothing is no failure: its output has no
//! `id`. An [`OutsideAction`] does something that cannot be taken back, so the executor writes down that it will.

mod catalogue;
mod create;
mod find;
mod outside;
mod params;
mod rest;
mod send_mail;
mod update;

use domain::{RecordId, RunId};
use serde_json::Value;

use crate::records::Unit;

pub use crate::records::NotDone;
pub use catalogue::catalogue;
pub(crate) use outside::{Headers, NotPerformed, Occasion, OnUnknownOutcome, Prepared, Ways};
pub use send_mail::Mailing;

use params::Params;

/// Which visit of which step acts, so that what it makes has an id of its own.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: &'a str,
    /// How often the run has come to this step, from 1.
    pub visit: u32,
}

impl Actor<'_> {
    /// The id of the record this visit makes.
    fn record_id(&self) -> RecordId {
        RecordId::for_step(self.run, self.step, self.visit)
    }

    /// The id of the conversation this visit opens for its message.
    fn conversation_id(&self) -> RecordId {
        RecordId::for_conversation_of_step(self.run, self.step, self.visit)
    }
}

/// An action, by the name a workflow document gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// On our own records.
    Record(RecordAction),
    /// Outside.
    Outside(OutsideAction),
}

macro_rules! actions {
    ($(#[$kind_doc:meta])* $kind:ident: $($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        $(#[$kind_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $kind {
            $($(#[$doc])* $variant,)*
        }

        impl $kind {
            /// Every one of them, in the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in workflow documents.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// An action on our own records.
    RecordAction:
    /// `{email}` → the customer who owns the address, or nothing.
    CustomerFindByEmail = "kustomer.customer.find-by-email",
    /// `{name, email | emails, phone | phones, custom, …}` → the new customer.
    CustomerCreate = "kustomer.customer.create",
    /// `{id, name, email | emails, custom, …}` → the changed customer.
    CustomerUpdate = "kustomer.customer.update",
    /// `{klassName, customer, title, data, custom, externalId}` → the new instance on the customer's timeline.
    KobjectCreateWithCustomer = "kustomer.kobject.create-with-customer",
    /// `{klassName, title, data, custom, externalId}` → the new instance.
    KobjectCreate = "kustomer.kobject.create",
    /// `{klassName}` → the klass, or nothing.
    KlassFindByKlassname = "kustomer.klass.find-by-klassname",
    /// `{customer, name, status, priority, direction, tags, custom, …}` → the new conversation.
    ConversationCreate = "kustomer.conversation.create",
    /// `{customer | conversation, channel, body, …}` → the new message.
    MessageCreate = "kustomer.message.create",
    /// `{conversation | customer, body}` → the new note.
    NoteCreate = "kustomer.note.create",
    /// `{name, …}` → the new company.
    CompanyCreate = "kustomer.company.create",
}

actions! {
    /// An action whose effect is outside.
    OutsideAction:
    /// `{to, cc, bcc, from, subject, text, html, attachments, template, …}` → the mail that was handed over.
    MailSend = "kustomer.app.mail.send",
    /// `{uri, method, headers, qs, data, json, …}` → `{body, response}`; the body is JSON.
    RestJson = "kustomer.rest-api.json",
    /// The same; the body is text.
    RestGeneric = "kustomer.rest-api.generic",
}

impl Action {
    /// The action that a workflow document calls `name`.
    pub fn parse(name: &str) -> Option<Self> {
        let mut records = RecordAction::ALL.iter().copied();
        let mut outside = OutsideAction::ALL.iter().copied();
        records
            .find(|action| action.name() == name)
            .map(Self::Record)
            .or_else(|| outside.find(|action| action.name() == name).map(Self::Outside))
    }

    /// The names of all actions.
    pub fn names() -> Vec<&'static str> {
        let records = RecordAction::ALL.iter().map(|action| action.name());
        records.chain(OutsideAction::ALL.iter().map(|action| action.name())).collect()
    }
}

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
            Self::CustomerFindByEmail => find::customer_by_email(unit, &params).await,
            Self::CustomerCreate => create::customer(unit, actor, &params).await,
            Self::CustomerUpdate => update::customer(unit, &params).await,
            Self::KobjectCreateWithCustomer => create::kobject_with_customer(unit, actor, &params).await,
            Self::KobjectCreate => create::kobject(unit, actor, &params).await,
            Self::KlassFindByKlassname => find::klass_by_name(unit, &params).await,
            Self::ConversationCreate => create::conversation(unit, actor, &params).await,
            Self::MessageCreate => create::message(unit, actor, &params).await,
            Self::NoteCreate => create::note(unit, actor, &params).await,
            Self::CompanyCreate => create::company(unit, actor, &params),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_found_by_its_name() {
        for action in RecordAction::ALL {
            assert_eq!(Action::parse(action.name()), Some(Action::Record(*action)));
        }
        for action in OutsideAction::ALL {
            assert_eq!(Action::parse(action.name()), Some(Action::Outside(*action)));
        }
        assert_eq!(Action::parse("kustomer.customer.explode"), None);
        assert_eq!(Action::names().len(), RecordAction::ALL.len() + OutsideAction::ALL.len());
    }
}
