//! Triggers of an app: what its events give to workflows in the place of the whole transaction.

use domain::Timestamp;
use serde_json::Value;

use super::schema::Schema;
use crate::document::{Object, Presence, Reader};
use crate::expression::{Asker, Context, Expression};
use crate::problem::Place;
use crate::surroundings::{Setup, Surroundings};

/// A trigger of an app.
///
/// *Shape* — `{"eventName":"kustomer.app.ecommstore.company.create","outputTemplate":{"companyName":"/#data.name"},"outputSchema":{…}}`.
#[derive(Debug)]
pub struct TriggerPart {
    /// The event it is about.
    pub event_name: String,
    /// What step 1 is made of; without it, step 1 is the transaction.
    template: Option<Expression>,
    /// What that has to be.
    schema: Option<Schema>,
}

impl TriggerPart {
    /// Whether it makes something of the transaction.
    pub fn has_template(&self) -> bool {
        self.template.is_some()
    }

    /// What step 1 sees of a transaction with these `attributes`, which came at `now`; `seed` is what chance is drawn from.
    /// The paths of the template begin in the attributes: `/#data.id`.
    ///
    /// *Errors* — a sentence for the app's author: the template passed a limit, or what it gave does not fit the schema.
    pub fn output(&self, attributes: &Value, now: Timestamp, seed: &str) -> Result<Value, String> {
        let Some(template) = &self.template else { return Ok(attributes.clone()) };
        let setup = Setup::default();
        let context = Context {
            steps: &Value::Null,
            outer: &[],
            error: None,
            surroundings: Surroundings { setup: &setup, now, seed },
            asker: Asker { branch: "", step: "1", visit: 1, part: "outputTemplate" },
            scope: Some(attributes),
        };
        let output =
            template.input(&context).map_err(|fault| format!("The outputTemplate cannot be worked out. {fault}"))?;
        let output = output.unwrap_or(Value::Null);
        if let Some(schema) = &self.schema {
            let wrong =
                |wrong: String| format!("What the outputTemplate gives does not fit the outputSchema: {wrong}.");
            schema.check(&output).map_err(wrong)?;
        }
        Ok(output)
    }
}

/// Reads `triggers`.
pub(super) fn read<'d>(reader: &mut Reader<'d>, root: &'d Object) -> Vec<TriggerPart> {
    let place = Place::ROOT.key("triggers");
    let list = reader.list(root, "triggers", &Place::ROOT, Presence::Optional).unwrap_or_default();
    let mut triggers = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        triggers.extend(read_trigger(reader, value, &place.index(index)));
    }
    triggers
}

fn read_trigger<'d>(reader: &mut Reader<'d>, value: &'d Value, place: &Place<'_>) -> Option<TriggerPart> {
    const KEYS: [&str; 6] =
        ["eventName", "description", "outputTemplate", "outputSchema", "sampleOutputContext", "sampleOutputSchema"];
    let trigger = reader.object(value, place)?;
    reader.check_keys(trigger, &KEYS, place);
    let event_name = reader.text(trigger, "eventName", place, Presence::Required);
    let template = read_template(reader, trigger, "outputTemplate", place);
    let schema = read_schema(reader, trigger, "outputSchema", place);
    Some(TriggerPart { event_name: event_name?.to_owned(), template, schema })
}

/// A template: any value with expressions in it.
pub(super) fn read_template<'d>(
    reader: &mut Reader<'d>,
    part: &'d Object,
    key: &str,
    place: &Place<'_>,
) -> Option<Expression> {
    let template = part.get(key).filter(|template| !template.is_null())?;
    Some(Expression::read(template, &place.key(key), &mut reader.problems))
}

/// A schema; one that is none is told.
pub(super) fn read_schema<'d>(
    reader: &mut Reader<'d>,
    part: &'d Object,
    key: &str,
    place: &Place<'_>,
) -> Option<Schema> {
    let schema = reader.optional_object(part, key, place)?;
    match Schema::compile(schema) {
        Ok(schema) => Some(schema),
        Err(sentence) => {
            reader.problems.add(&place.key(key), "bad_schema", sentence);
            None
        }
    }
}
