//! Records as they are named on the command line: by id, or by what they are found by.

use std::fmt;

use super::{Table, id_of};
use crate::{client::Address, failure::Failure, session::Session};

/// A record as it was named: `6a1f2e3d4c5b6a7980a1b2c3`, `ann@example.com`, `phone:+15550100`, `externalId:c-1`.
pub(super) struct Reference<'a> {
    table: &'static Table,
    klass: Option<&'a str>,
    written: &'a str,
}

impl<'a> Reference<'a> {
    /// The record of the noun, or instance of the klass, that was `written`.
    pub(super) fn of(table: &'static Table, klass: Option<&'a str>, written: &'a str) -> Self {
        Self { table, klass, written }
    }

    /// Where it is.
    pub(super) fn address(&self) -> Address {
        self.below(&[])
    }

    /// What is below it.
    pub(super) fn below(&self, parts: &[&str]) -> Address {
        let own = self.part();
        let collection: &[&str] = match &self.klass {
            Some(klass) => &["klasses", klass],
            None => &[self.table.plural],
        };
        Address::of(&[collection, &[&own], parts].concat())
    }

    /// Its id, asked for where it was named otherwise.
    ///
    /// *Errors*: there is none, or the server cannot be asked.
    pub(super) fn id(&self, session: &Session) -> Result<String, Failure> {
        match self.key() {
            None => Ok(self.written.to_owned()),
            Some(_) => Ok(id_of(&session.client.get(&self.address())?)),
        }
    }

    /// The part of the path that names it: its id, or `email=ann@example.com`.
    fn part(&self) -> String {
        self.key().map_or_else(|| self.written.to_owned(), |(name, value)| format!("{name}={value}"))
    }

    fn key(&self) -> Option<(&str, &str)> {
        let is_key = |name: &str| self.table.keys.contains(&name);
        let written = self.written.split_once(':').filter(|(name, _)| is_key(name));
        written.or_else(|| (self.written.contains('@') && is_key("email")).then_some(("email", self.written)))
    }
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::nouns, *};

    #[test]
    fn a_record_is_named_by_its_id_or_by_what_records_of_its_kind_are_found_by() {
        let rows: [(&'static Table, &str, &str); 9] = [
            (&nouns::CUSTOMERS, "6a1f2e3d4c5b6a7980a1b2c3", "6a1f2e3d4c5b6a7980a1b2c3"),
            (&nouns::CUSTOMERS, "ann@example.com", "email=ann@example.com"),
            (&nouns::CUSTOMERS, "email:ann@example.com", "email=ann@example.com"),
            (&nouns::CUSTOMERS, "phone:+1 555 0100", "phone=+1 555 0100"),
            (&nouns::CUSTOMERS, "externalId:a@b:c", "externalId=a@b:c"),
            (&nouns::CUSTOMERS, "twitterId:7", "twitterId=7"),
            (&nouns::USERS, "kim@example.com", "email=kim@example.com"),
            (&nouns::NOTES, "externalId:n-1", "externalId=n-1"),
            (&nouns::NOTES, "ann@example.com", "ann@example.com"),
        ];
        for (table, written, part) in rows {
            assert_eq!(Reference::of(table, None, written).part(), part, "{written}");
        }
    }
}
