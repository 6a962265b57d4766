//! `hookwright customers`, `conversations`, `messages`, `notes`, `companies`, `users`, `tags`, `instances`: records.
//!
//! All of them are one command, made from the [`Table`] of the noun: which flags stand for which attributes, what a record is
//! found by, which verbs there are.

mod draft;
mod nouns;
mod reference;
mod show;
mod verbs;

use std::marker::PhantomData;

use clap::{ArgMatches, Command, FromArgMatches, error::ErrorKind};
use serde_json::{Value, json};

use crate::{client::Address, config::Global, failure::Failure, output::text_at, paging::Paging, session::Session};

use draft::draft;
use nouns::{Lists, Table};
use reference::Reference;
use verbs::Verb;

pub(crate) use nouns::{Companies, Conversations, Customers, Instances, Messages, Notes, Noun, Tags, Users};

/// What was typed behind the noun.
#[derive(Debug)]
pub(crate) struct Args<N>(ArgMatches, PhantomData<N>);

impl<N: Noun> FromArgMatches for Args<N> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(matches.clone(), PhantomData))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = matches.clone();
        Ok(())
    }
}

impl<N: Noun> clap::Args for Args<N> {
    fn augment_args(command: Command) -> Command {
        verbs::augment(command, N::table())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// Carries the command out.
pub(crate) fn run<N: Noun>(args: &Args<N>, global: &Global) -> Result<(), Failure> {
    let table = N::table();
    let found = args.0.subcommand().and_then(|(name, matches)| Some((Verb::of(table, name)?, matches)));
    let (verb, matches) = found.ok_or_else(|| Failure::Usage(ErrorKind::MissingSubcommand.to_string()))?;
    perform(table, verb, matches, &Session::open(global)?)
}

fn perform(table: &'static Table, verb: Verb, matches: &ArgMatches, session: &Session) -> Result<(), Failure> {
    match verb {
        Verb::Create => {
            let document = draft(table, matches, session)?;
            session.show(&session.client.post(&collection(table, matches), document)?, show::view)
        }
        Verb::Ls => {
            session.list(list(table, matches, session)?, &paging(matches)?, |records| show::table(table, records))
        }
        Verb::Show => session.show(&session.client.get(&named(table, matches).address())?, show::view),
        Verb::Update => {
            let document = draft(table, matches, session)?;
            session.show(&session.client.put(&named(table, matches).address(), document)?, show::view)
        }
        Verb::Rm => {
            let record = named(table, matches);
            session.remove(&record.address(), format!("The {} {record} is deleted.", table.singular))
        }
        Verb::Merge => {
            let other = Reference::of(table, None, verbs::text(matches, verbs::OTHER)).id(session)?;
            let document = json!({ "otherId": other }).to_string().into_bytes();
            session.show(&session.client.post(&named(table, matches).below(&["merge"]), document)?, show::view)
        }
        Verb::Relate => {
            let given = |argument| matches.try_get_one::<String>(argument).ok().flatten();
            let mut document = json!({
                "relationship": verbs::text(matches, verbs::RELATIONSHIP),
                "relatedId": given(verbs::OTHER),
            });
            if let (Some(kind), Some(document)) = (given(verbs::KIND), document.as_object_mut()) {
                document.insert("type".to_owned(), json!(kind));
            }
            let address = named(table, matches).below(&["relationships"]);
            session.show(&session.client.post(&address, document.to_string().into_bytes())?, show::view)
        }
        Verb::Timeline => session.list(named(table, matches).below(&["timeline"]), &paging(matches)?, show::timeline),
        Verb::Instances => {
            let address = named(table, matches).below(&["klasses", verbs::text(matches, verbs::KLASS)]);
            session.list(address, &paging(matches)?, show::timeline)
        }
    }
}

/// The record that the command names.
fn named<'m>(table: &'static Table, matches: &'m ArgMatches) -> Reference<'m> {
    let klass = table.is_of_klass().then(|| verbs::text(matches, verbs::KLASS));
    Reference::of(table, klass, verbs::text(matches, verbs::RECORD))
}

/// Where a new record goes.
fn collection(table: &Table, matches: &ArgMatches) -> Address {
    match table.lists {
        Lists::OfKlass => Address::of(&["klasses", verbs::text(matches, verbs::KLASS)]),
        Lists::All | Lists::OfCustomer | Lists::OfConversation => Address::of(&[table.plural]),
    }
}

/// The list that the command names.
fn list(table: &Table, matches: &ArgMatches, session: &Session) -> Result<Address, Failure> {
    let related = |name| {
        let written = matches.try_get_one::<String>(name).ok().flatten();
        written.map(|written| Reference::of(nouns::related(name), None, written))
    };
    let klass = || verbs::text(matches, verbs::KLASS);
    match (table.lists, related("customer")) {
        (Lists::All, _) => Ok(Address::of(&[table.plural])),
        (Lists::OfCustomer | Lists::OfConversation, customer) => {
            let id = |record: Option<Reference<'_>>| record.map(|record| record.id(session)).transpose();
            let (customer, conversation) = (id(customer)?, id(related("conversation"))?);
            let address = Address::of(&[table.plural]).query("customer", customer.as_deref());
            Ok(address.query("conversation", conversation.as_deref()))
        }
        (Lists::OfKlass, Some(customer)) => Ok(customer.below(&["klasses", klass()])),
        (Lists::OfKlass, None) => Ok(Address::of(&["klasses", klass(), "instances"])),
    }
}

fn paging(matches: &ArgMatches) -> Result<Paging, Failure> {
    Paging::from_arg_matches(matches).map_err(|error| Failure::Usage(error.to_string()))
}

/// The id of the resource in `document`.
fn id_of(document: &Value) -> String {
    text_at(document, "/data/id")
}
