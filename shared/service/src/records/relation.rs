//! Relationships of instances that their authors name.

use domain::{Record, RecordKind, record::fields};

use super::{NotDone, Unit, write::set_relationship};

/// The most records that one belongs to.
const RELATIONSHIPS_LIMIT: usize = 20;

/// The most characters of the name of a relationship.
const NAME_LIMIT_CHARS: usize = 64;

/// Names that a record has for something else.
const TAKEN: [&str; 7] = ["org", "id", "type", "rev", "custom", "createdAt", "updatedAt"];

/// A relationship of an instance: its name, and what it leads to.
///
/// *Shape* of those that name one: `{"relationship":"payer","type":"customer","relatedId":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    name: String,
    kind: RecordKind,
}

impl Relation {
    /// The relationship `name` of an instance of `of`, which leads to what `kind` says; where that says nothing, the name does.
    ///
    /// *Errors*: `wrong_param` for `relationship` and `type`.
    pub fn of(of: &RecordKind, name: String, kind: Option<String>) -> Result<Self, NotDone> {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.len() <= NAME_LIMIT_CHARS
            && name.chars().all(|c| c.is_ascii_alphanumeric())
            && !TAKEN.contains(&name.as_str())
            && fields::fields(of).iter().all(|(attribute, _)| *attribute != name);
        if !is_name {
            return Err(wrong("relationship", "a name of at most 64 letters and digits that is no attribute's"));
        }
        let written = kind.unwrap_or_else(|| name.clone());
        let kind = RecordKind::try_from(written).map_err(|_| {
            wrong("type", "customer, conversation, message, note, company, user, tag or kobject.{klass}")
        })?;
        // An instance stands on the timeline of its `customer`, which can be nothing else.
        let fixed = fields::relationships(of).iter().find(|(relation, _)| *relation == name);
        if let Some((_, wanted)) = fixed.filter(|(_, wanted)| *wanted != kind) {
            return Err(wrong("type", &format!("{wanted}, because that is what `{name}` of an instance is")));
        }
        Ok(Self { name, kind })
    }

    /// What it leads to.
    pub const fn kind(&self) -> &RecordKind {
        &self.kind
    }
}

/// Relates `before` to `other` in the place of what it was related to by that name.
///
/// *Errors*: `too_many_relationships` past [`RELATIONSHIPS_LIMIT`].
pub fn relate(unit: &mut Unit<'_>, before: &Record, relation: &Relation, other: &Record) -> Result<Record, NotDone> {
    let mut after = before.clone();
    set_relationship(&mut after, &relation.name, Some((other.kind.clone(), other.id)));
    if after.relationships.len() > RELATIONSHIPS_LIMIT {
        let message = format!("A {} belongs to at most {RELATIONSHIPS_LIMIT} others.", after.kind);
        return Err(NotDone::failed("too_many_relationships", message));
    }
    unit.put_record(Some(before), after)
}

/// Takes the relationship `name` away, if it is there.
pub fn unrelate(unit: &mut Unit<'_>, before: &Record, name: &str) -> Result<Record, NotDone> {
    let mut after = before.clone();
    set_relationship(&mut after, name, None);
    unit.put_record(Some(before), after)
}

fn wrong(name: &str, wanted: &str) -> NotDone {
    NotDone::wrong(name, "wrong_param", format!("`{name}` has to be {wanted}."))
}
