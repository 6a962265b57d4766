//! Every action by its name. *Source*: the built-in app of Kustomer, version 1.5.3 (reference, section 5.1); what each takes and
//! gives stands in `catalogue/`.

use domain::{Klass, RecordKind};

use super::{Action, NotDone, Params, params::shown};

/// Which records an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Customers.
    Customer,
    /// Conversations.
    Conversation,
    /// Messages.
    Message,
    /// Notes.
    Note,
    /// Companies.
    Company,
    /// Instances of the klass that the param `klassName` names.
    Kobject,
    /// Users.
    User,
}

/// An action on our own records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordAction {
    /// Makes a record.
    Create(Of),
    /// Makes an instance on a customer's timeline.
    CreateWithCustomer,
    /// Changes a record.
    Update(Of),
    /// Deletes an instance.
    Delete,
    /// Makes one customer of two.
    Merge,
    /// Gives a customer one more address.
    AppendEmail,
    /// Gives a customer one more number.
    AppendPhone,
    /// Assigns a conversation to a team.
    AssignTeam,
    /// Assigns a conversation to a user.
    AssignUser,
    /// Gives a conversation tags.
    AppendTags,
    /// Takes tags from a conversation.
    RemoveTags,
    /// Relates an instance to another record.
    AddRelationship,
    /// Makes a klass.
    CreateKlass,
    /// Looks a record up by its id.
    FindById(Of),
    /// Looks a record up by the id that another system gave it.
    FindByExternalId(Of),
    /// Looks a customer or a user up by an address.
    FindByEmail(Of),
    /// Looks a customer up by a number.
    FindByPhone,
    /// Looks a customer up by a number on WhatsApp.
    FindByWhatsapp,
    /// Looks a customer up by an account of this network.
    FindByAccount(&'static str),
    /// Reads what was said in a conversation.
    FindBody,
    /// Looks for the newest message.
    FindLastMessage,
    /// Looks a klass up by its name.
    FindKlass,
    /// Reads the org.
    CurrentOrg,
    /// Publishes an event.
    PublishEvent,
    /// Fires the event of a command.
    RunCommand,
    /// Looks for a pattern in a text.
    MatchRegex,
    /// Gives back what it is given.
    Transform,
}

impl RecordAction {
    /// Whether it changes something, or only reads and works out.
    pub(super) const fn has_effect(self) -> bool {
        match self {
            Self::Create(_)
            | Self::CreateWithCustomer
            | Self::Update(_)
            | Self::Delete
            | Self::Merge
            | Self::AppendEmail
            | Self::AppendPhone
            | Self::AssignTeam
            | Self::AssignUser
            | Self::AppendTags
            | Self::RemoveTags
            | Self::AddRelationship
            | Self::CreateKlass
            | Self::PublishEvent
            | Self::RunCommand => true,
            Self::FindById(_)
            | Self::FindByExternalId(_)
            | Self::FindByEmail(_)
            | Self::FindByPhone
            | Self::FindByWhatsapp
            | Self::FindByAccount(_)
            | Self::FindBody
            | Self::FindLastMessage
            | Self::FindKlass
            | Self::CurrentOrg
            | Self::MatchRegex
            | Self::Transform => false,
        }
    }
}

/// An action whose effect is outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutsideAction {
    /// Sends a mail.
    MailSend,
    /// Calls a service whose body is JSON.
    RestJson,
    /// Calls a service whose body is text.
    RestGeneric,
}

use RecordAction as Own;

const fn own(action: RecordAction) -> Action {
    Action::Record(action)
}

const fn outside(action: OutsideAction) -> Action {
    Action::Outside(action)
}

/// The actions, in the order of the docs.
pub(super) const ACTIONS: &[(&str, Action)] = &[
    ("kustomer.customer.create", own(Own::Create(Of::Customer))),
    ("kustomer.customer.update", own(Own::Update(Of::Customer))),
    ("kustomer.customer.merge", own(Own::Merge)),
    ("kustomer.customer.find", own(Own::FindById(Of::Customer))),
    ("kustomer.customer.find-by-email", own(Own::FindByEmail(Of::Customer))),
    ("kustomer.customer.find-by-external-id", own(Own::FindByExternalId(Of::Customer))),
    ("kustomer.customer.find-by-phone", own(Own::FindByPhone)),
    ("kustomer.customer.find-by-facebook-id", own(Own::FindByAccount("facebook"))),
    ("kustomer.customer.find-by-instagram-id", own(Own::FindByAccount("instagram"))),
    ("kustomer.customer.find-by-smooch-id", own(Own::FindByAccount("smooch"))),
    ("kustomer.customer.find-by-twitter-id", own(Own::FindByAccount("twitter"))),
    ("kustomer.customer.find-by-whatsapp", own(Own::FindByWhatsapp)),
    ("kustomer.customer.append-email", own(Own::AppendEmail)),
    ("kustomer.customer.append-phone", own(Own::AppendPhone)),
    ("kustomer.company.create", own(Own::Create(Of::Company))),
    ("kustomer.company.update", own(Own::Update(Of::Company))),
    ("kustomer.company.find", own(Own::FindById(Of::Company))),
    ("kustomer.company.find-by-external-id", own(Own::FindByExternalId(Of::Company))),
    ("kustomer.conversation.create", own(Own::Create(Of::Conversation))),
    ("kustomer.conversation.update", own(Own::Update(Of::Conversation))),
    ("kustomer.conversation.find-by-id", own(Own::FindById(Of::Conversation))),
    ("kustomer.conversation.find-by-external-id", own(Own::FindByExternalId(Of::Conversation))),
    ("kustomer.conversation.find-body", own(Own::FindBody)),
    ("kustomer.conversation.assign-team", own(Own::AssignTeam)),
    ("kustomer.conversation.assign-user", own(Own::AssignUser)),
    ("kustomer.conversation.append-tags", own(Own::AppendTags)),
    ("kustomer.conversation.remove-tags", own(Own::RemoveTags)),
    ("kustomer.message.create", own(Own::Create(Of::Message))),
    ("kustomer.message.update", own(Own::Update(Of::Message))),
    ("kustomer.message.find-by-id", own(Own::FindById(Of::Message))),
    ("kustomer.message.find-by-external", own(Own::FindByExternalId(Of::Message))),
    ("kustomer.message.find-last", own(Own::FindLastMessage)),
    ("kustomer.note.create", own(Own::Create(Of::Note))),
    ("kustomer.note.update", own(Own::Update(Of::Note))),
    ("kustomer.note.find-by-id", own(Own::FindById(Of::Note))),
    ("kustomer.note.find-by-external", own(Own::FindByExternalId(Of::Note))),
    ("kustomer.klass.create", own(Own::CreateKlass)),
    ("kustomer.klass.find-by-klassname", own(Own::FindKlass)),
    ("kustomer.kobject.create", own(Own::Create(Of::Kobject))),
    ("kustomer.kobject.create-with-customer", own(Own::CreateWithCustomer)),
    ("kustomer.kobject.update", own(Own::Update(Of::Kobject))),
    ("kustomer.kobject.delete", own(Own::Delete)),
    ("kustomer.kobject.find", own(Own::FindById(Of::Kobject))),
    ("kustomer.kobject.find-by-external-id", own(Own::FindByExternalId(Of::Kobject))),
    ("kustomer.kobject.add-relationship", own(Own::AddRelationship)),
    ("kustomer.user.find-by-id", own(Own::FindById(Of::User))),
    ("kustomer.user.find-by-email", own(Own::FindByEmail(Of::User))),
    ("kustomer.org.current", own(Own::CurrentOrg)),
    ("kustomer.event.publish", own(Own::PublishEvent)),
    ("kustomer.command.run-by-name", own(Own::RunCommand)),
    ("kustomer.regex-match.generic", own(Own::MatchRegex)),
    ("kustomer.transform.generic", own(Own::Transform)),
    ("kustomer.app.mail.send", outside(OutsideAction::MailSend)),
    ("kustomer.rest-api.json", outside(OutsideAction::RestJson)),
    ("kustomer.rest-api.generic", outside(OutsideAction::RestGeneric)),
    ("flow.wait", Action::Flow),
    ("flow.for-each", Action::Flow),
    ("flow.parallel", Action::Flow),
    ("flow.call", Action::Flow),
    ("flow.respond", Action::Flow),
    ("flow.stop", Action::Flow),
    ("kustomer.app.scheduler.schedule-workflow", Action::Flow),
];

impl Of {
    /// The kind of record that these params are about.
    ///
    /// *Errors*: an instance without `klassName`, or with one that no klass can have.
    pub(super) fn kind(self, params: &Params<'_>) -> Result<RecordKind, NotDone> {
        Ok(match self {
            Self::Customer => RecordKind::Customer,
            Self::Conversation => RecordKind::Conversation,
            Self::Message => RecordKind::Message,
            Self::Note => RecordKind::Note,
            Self::Company => RecordKind::Company,
            Self::Kobject => RecordKind::Kobject(klass_name(params)?),
            Self::User => RecordKind::User,
        })
    }
}

/// The name of a klass. *Why*: what cannot be one would be looked up under a key that the store may not have.
fn klass_name(params: &Params<'_>) -> Result<String, NotDone> {
    let name = params.required_text("klassName")?;
    match Klass::check_name(&name) {
        Ok(()) => Ok(name),
        Err(sentence) => {
            let message = format!("There can be no klass `{}`: {sentence}.", shown(&name));
            Err(NotDone::wrong("klassName", "unknown_klass", message))
        }
    }
}
