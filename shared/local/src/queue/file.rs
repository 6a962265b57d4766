//! The queue's SQLite file: two tables, one row per message, listed by org.

use std::path::Path;
use std::sync::Arc;

use domain::OrgId;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, params};

use super::DeadLetter;
use super::shelf::Load;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, body TEXT NOT NULL, receive_count INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS dead_letters(id INTEGER PRIMARY KEY, body TEXT NOT NULL, receive_count INTEGER NOT NULL);
";

/// Stands for the org of a message that is older than the columns below.
const UNKNOWN_ORG: &str = "000000000000000000000000";

/// Tells whose a message is. What is in a file from before this column has an org of zeros, so that it shares its turns.
const ORG_COLUMNS: &str = "
    ALTER TABLE messages ADD COLUMN org TEXT NOT NULL DEFAULT '000000000000000000000000';
    ALTER TABLE dead_letters ADD COLUMN org TEXT NOT NULL DEFAULT '000000000000000000000000';
";

/// Holds the ids of the rows as well.
const INDEX: &str = "CREATE INDEX IF NOT EXISTS messages_by_org ON messages(org)";

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) org: OrgId,
    pub(super) body: Arc<str>,
    pub(super) receive_count: u32,
}

/// The open file.
pub(super) struct QueueFile {
    connection: Connection,
    /// Never given twice while the process runs, so that no receipt fits a later message.
    next_id: i64,
}

/// Changes that are made together.
pub(super) struct Batch<'file> {
    transaction: Transaction<'file>,
    next_id: &'file mut i64,
}

impl QueueFile {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        Self::over(Connection::open(path)?)
    }

    pub(super) fn memory() -> rusqlite::Result<Self> {
        Self::over(Connection::open_in_memory()?)
    }

    fn over(mut connection: Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        migrate(&mut connection)?;
        let last = "SELECT coalesce(max(id), 0) FROM (SELECT id FROM messages UNION ALL SELECT id FROM dead_letters)";
        let last_id: i64 = connection.query_row(last, [], |row| row.get(0))?;
        Ok(Self { connection, next_id: last_id.saturating_add(1) })
    }

    pub(super) fn begin(&mut self) -> rusqlite::Result<Batch<'_>> {
        Ok(Batch { transaction: self.connection.transaction()?, next_id: &mut self.next_id })
    }

    /// The orgs that have messages, the one with the oldest first.
    pub(super) fn orgs(&mut self) -> rusqlite::Result<Vec<OrgId>> {
        let select = "SELECT org FROM messages GROUP BY org ORDER BY min(id)";
        let mut select = self.connection.prepare(select)?;
        let orgs = select.query_map([], |row| org_in(row, 0))?;
        orgs.collect()
    }

    pub(super) fn load(&mut self, load: &Load) -> rusqlite::Result<Vec<Stored>> {
        self.begin()?.load(load)
    }
}

impl Batch<'_> {
    /// Adds a message and gives its id.
    pub(super) fn insert(&mut self, org: OrgId, body: &str) -> rusqlite::Result<i64> {
        let id = *self.next_id;
        let insert = "INSERT INTO messages(id, body, receive_count, org) VALUES (?1, ?2, 0, ?3)";
        self.transaction.prepare_cached(insert)?.execute(params![id, body, org.to_string()])?;
        *self.next_id = id.saturating_add(1);
        Ok(id)
    }

    pub(super) fn delete(&self, id: i64) -> rusqlite::Result<()> {
        self.transaction.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])?;
        Ok(())
    }

    pub(super) fn count(&self, id: i64, receive_count: u32) -> rusqlite::Result<()> {
        let update = "UPDATE messages SET receive_count = ?2 WHERE id = ?1";
        self.transaction.prepare_cached(update)?.execute(params![id, receive_count])?;
        Ok(())
    }

    /// Moves a message to the dead letters.
    pub(super) fn bury(&self, id: i64) -> rusqlite::Result<()> {
        let copy = "INSERT INTO dead_letters(id, body, receive_count, org)
            SELECT id, body, receive_count, org FROM messages WHERE id = ?1";
        self.transaction.prepare_cached(copy)?.execute([id])?;
        self.delete(id)
    }

    /// Removes a dead letter.
    pub(super) fn forget(&self, id: i64) -> rusqlite::Result<()> {
        self.transaction.prepare_cached("DELETE FROM dead_letters WHERE id = ?1")?.execute([id])?;
        Ok(())
    }

    pub(super) fn dead_letters(&self, after: i64, limit: usize) -> rusqlite::Result<Vec<DeadLetter>> {
        let select = "SELECT id, body, receive_count, org FROM dead_letters WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut select = self.transaction.prepare_cached(select)?;
        let letters = select.query_map(params![after, sql_limit(limit)], |row| {
            Ok(DeadLetter {
                id: row.get(0)?,
                org: known(org_in(row, 3)?),
                body: row.get(1)?,
                receive_count: row.get(2)?,
            })
        })?;
        letters.collect()
    }

    /// The messages that `load` is about, oldest first.
    pub(super) fn load(&self, load: &Load) -> rusqlite::Result<Vec<Stored>> {
        let Load { org, after, limit } = *load;
        let select = "SELECT id, body, receive_count FROM messages WHERE org = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
        let mut select = self.transaction.prepare_cached(select)?;
        let messages = select.query_map(params![org.to_string(), after, sql_limit(limit)], |row| {
            Ok(Stored { id: row.get(0)?, org, body: row.get(1)?, receive_count: row.get(2)? })
        })?;
        messages.collect()
    }

    pub(super) fn commit(self) -> rusqlite::Result<()> {
        self.transaction.commit()
    }
}

/// Makes the tables, or gives those of an older file what they lack.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    let has_org = "SELECT count(*) FROM pragma_table_info('messages') WHERE name = 'org'";
    if transaction.query_row(has_org, [], |row| row.get::<_, u32>(0))? == 0 {
        transaction.execute_batch(ORG_COLUMNS)?;
    }
    transaction.execute_batch(INDEX)?;
    transaction.commit()
}

/// The org itself, unless it stands for none.
pub(super) fn known(org: OrgId) -> Option<OrgId> {
    (org.to_string() != UNKNOWN_ORG).then_some(org)
}

fn org_in(row: &Row<'_>, column: usize) -> rusqlite::Result<OrgId> {
    let text: String = row.get(column)?;
    OrgId::parse(&text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into()))
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
