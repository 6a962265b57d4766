//! The queue's SQLite file: two tables, one row per message.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::DeadLetter;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, body TEXT NOT NULL, receive_count INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS dead_letters(id INTEGER PRIMARY KEY, body TEXT NOT NULL, receive_count INTEGER NOT NULL);
";

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) id: i64,
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

    fn over(connection: Connection) -> rusqlite::Result<Self> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        let last = "SELECT coalesce(max(id), 0) FROM (SELECT id FROM messages UNION ALL SELECT id FROM dead_letters)";
        let last_id: i64 = connection.query_row(last, [], |row| row.get(0))?;
        Ok(Self { connection, next_id: last_id.saturating_add(1) })
    }

    pub(super) fn begin(&mut self) -> rusqlite::Result<Batch<'_>> {
        Ok(Batch { transaction: self.connection.transaction()?, next_id: &mut self.next_id })
    }

    pub(super) fn load_after(&mut self, id: i64, limit: usize) -> rusqlite::Result<Vec<Stored>> {
        self.begin()?.load_after(id, limit)
    }
}

impl Batch<'_> {
    /// Adds a message and gives its id.
    pub(super) fn insert(&mut self, body: &str) -> rusqlite::Result<i64> {
        let id = *self.next_id;
        let insert = "INSERT INTO messages(id, body, receive_count) VALUES (?1, ?2, 0)";
        self.transaction.prepare_cached(insert)?.execute(params![id, body])?;
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
        let copy = "INSERT INTO dead_letters SELECT id, body, receive_count FROM messages WHERE id = ?1";
        self.transaction.prepare_cached(copy)?.execute([id])?;
        self.delete(id)
    }

    /// Moves all dead letters to the messages, under new ids.
    pub(super) fn redrive(&mut self) -> rusqlite::Result<Vec<Stored>> {
        let dead = self.dead_letters(usize::MAX)?;
        self.transaction.execute("DELETE FROM dead_letters", [])?;
        dead.into_iter()
            .map(|letter| Ok(Stored { id: self.insert(&letter.body)?, body: letter.body.into(), receive_count: 0 }))
            .collect()
    }

    pub(super) fn dead_letters(&self, limit: usize) -> rusqlite::Result<Vec<DeadLetter>> {
        let select = "SELECT id, body, receive_count FROM dead_letters ORDER BY id LIMIT ?1";
        let mut select = self.transaction.prepare_cached(select)?;
        let letters = select.query_map([sql_limit(limit)], |row| {
            Ok(DeadLetter { id: row.get(0)?, body: row.get(1)?, receive_count: row.get(2)? })
        })?;
        letters.collect()
    }

    /// At most `limit` messages behind `id`, oldest first.
    pub(super) fn load_after(&self, id: i64, limit: usize) -> rusqlite::Result<Vec<Stored>> {
        let select = "SELECT id, body, receive_count FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut select = self.transaction.prepare_cached(select)?;
        let messages = select.query_map(params![id, sql_limit(limit)], |row| {
            Ok(Stored { id: row.get(0)?, body: row.get(1)?, receive_count: row.get(2)? })
        })?;
        messages.collect()
    }

    pub(super) fn commit(self) -> rusqlite::Result<()> {
        self.transaction.commit()
    }
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
