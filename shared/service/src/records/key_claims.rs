//! The rule that what a record is found by has one owner.
//!
//! The owner stands in an item of its own, which is written together with the record and expected as it was read: of two
//! writers that want the same key, one conflicts.

use domain::{Record, RecordId, RecordKey};

use super::{NotDone, Unit};

/// The most keys of one record in all. *Why*: a change of all of them takes twice as many items, in one write.
const KEYS_LIMIT: usize = 40;

/// Gives `after` the keys it has, and frees those that only `before` had.
///
/// *Errors*: `email_taken` and its like, when one has another owner.
pub(super) async fn claim(unit: &mut Unit<'_>, before: Option<&Record>, after: &Record) -> Result<(), NotDone> {
    let had = before.map(Record::keys).unwrap_or_default();
    let wanted = after.keys();
    if wanted.len() > KEYS_LIMIT {
        let message = format!(
            "A {} is found by at most {KEYS_LIMIT} addresses, numbers and ids together; this one would be by {}.",
            after.kind,
            wanted.len()
        );
        return Err(NotDone::failed("too_many_keys", message));
    }
    let given_up = had.iter().filter(|key| !wanted.contains(key));
    free(unit, given_up, after.id).await?;
    for key in &wanted {
        match unit.owner(key).await? {
            Some(owner) if owner == after.id => {}
            Some(owner) => return Err(taken(key, after, owner)),
            None => unit.put_owner(key, after.id)?,
        }
    }
    Ok(())
}

/// Frees every key of `record`.
pub(super) async fn release(unit: &mut Unit<'_>, record: &Record) -> Result<(), NotDone> {
    free(unit, record.keys().iter(), record.id).await
}

/// Frees those of `keys` that are `owner`'s.
async fn free(unit: &mut Unit<'_>, keys: impl Iterator<Item = &RecordKey>, owner: RecordId) -> Result<(), NotDone> {
    for key in keys {
        if unit.owner(key).await? == Some(owner) {
            unit.delete_owner(key);
        }
    }
    Ok(())
}

fn taken(key: &RecordKey, record: &Record, owner: RecordId) -> NotDone {
    let message = format!(
        "The {} `{}` belongs to the {} {owner} already. Look the {} up first.",
        key.noun(),
        domain::shortened(&key.value, 60),
        record.kind,
        record.kind
    );
    NotDone::wrong(key.attribute(), key.taken_code(), message)
}
