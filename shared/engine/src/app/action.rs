//! Actions of an app: a call to the web that is written once and used by any step.
//!
//! ```text
//! params ─ inputSchema ─→ inputTemplate ─→ the call ─→ outputTemplate ─ outputSchema ─→ output
//! ```

use domain::Failure;
use serde_json::{Map, Value};

use super::{
    Setting,
    schema::Schema,
    trigger::{read_schema, read_template},
};
use crate::document::{Object, Presence, Reader};
use crate::expression::{Asker, Context, Expression};
use crate::naming::quoted;
use crate::problem::Place;
use crate::surroundings::Surroundings;

/// The types of actions that can run here.
const TYPES: [&str; 1] = ["rest_api"];

/// Those that Kustomer has besides. *Source* — its app SDK and starter files, the spelling as well.
const TYPES_ELSEWHERE: [&str; 7] =
    ["kode", "internal_api", "event", "regex_match", "schedule", "aws_lamda", "responsive"];

/// An action of an app.
#[derive(Debug)]
pub struct ActionPart {
    /// What steps call it.
    pub name: String,
    /// Settings that its input template finds beside the params.
    pub settings: Vec<SettingAlias>,
    input_schema: Option<Schema>,
    input_template: Option<Expression>,
    output_template: Option<Expression>,
    output_schema: Option<Schema>,
}

/// A setting by the name that an input template has for it.
///
/// *Shape* — in a definition, `"appSettings":{"key":{"key":"ecommstore.default.apiKey"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingAlias {
    /// What the template calls it.
    pub alias: String,
    /// Its category.
    pub category: String,
    /// Its name there.
    pub name: String,
}

/// Which visit of which step an action is performed for.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// What the org has set up, and when the run came to the step.
    pub surroundings: Surroundings<'a>,
    /// The step, and how often the run has come to it.
    pub asker: Asker<'a>,
}

impl ActionPart {
    /// Whether it makes its call of a template, and not of the params as they are.
    pub fn has_template(&self) -> bool {
        self.input_template.is_some()
    }

    /// The JSON Schema of its params.
    pub fn params_schema(&self) -> Value {
        self.input_schema.as_ref().map_or_else(|| Value::Object(Map::new()), |schema| schema.document.clone())
    }

    /// The call that a step with `params` makes, as the params of `kustomer.rest-api.json`; `app` is whose action it is.
    ///
    /// *Errors* — the params do not fit the schema, or the template passed a limit.
    pub fn request(&self, app: &str, params: &Value, visit: Visit<'_>) -> Result<Value, Failure> {
        if let Some(schema) = &self.input_schema {
            let wrong = |wrong: String| format!("The params of {} do not fit its inputSchema: {wrong}.", self.name);
            schema.check(params).map_err(|found| Failure::new("wrong_params", wrong(found)))?;
        }
        let Some(template) = &self.input_template else { return Ok(params.clone()) };
        let mut scope = params.as_object().cloned().unwrap_or_default();
        let settings = visit.surroundings.setup.app_settings.get(app);
        for SettingAlias { alias, category, name } in &self.settings {
            // Never a param in the place of a setting: a param may be what a sender wrote.
            scope.shift_remove(alias);
            if let Some(value) = settings.and_then(|settings| settings.get(category)?.get(name)) {
                scope.insert(alias.clone(), value.clone());
            }
        }
        let scope = Value::Object(scope);
        self.worked_out(template, (app, "inputTemplate"), &scope, visit).map(Option::unwrap_or_default)
    }

    /// What the step leaves of an answer, `{"response":{…},"body":…}`; `app` is whose action it is.
    ///
    /// *Errors* — the template passed a limit, or what it gave does not fit the schema.
    pub fn output(&self, app: &str, answer: Value, visit: Visit<'_>) -> Result<Value, Failure> {
        let output = match &self.output_template {
            Some(template) => self.worked_out(template, (app, "outputTemplate"), &answer, visit)?.unwrap_or_default(),
            None => answer,
        };
        if let Some(schema) = &self.output_schema {
            let wrong = |wrong: String| format!("What {} gives does not fit its outputSchema: {wrong}.", self.name);
            schema.check(&output).map_err(|found| Failure::new("wrong_output", wrong(found)))?;
        }
        Ok(output)
    }

    fn worked_out(
        &self,
        template: &Expression,
        (app, part): (&str, &'static str),
        scope: &Value,
        Visit { surroundings, asker }: Visit<'_>,
    ) -> Result<Option<Value>, Failure> {
        let setup = surroundings.setup.of_app(app);
        let surroundings = Surroundings { setup: &setup, ..surroundings };
        let asker = Asker { part, ..asker };
        let context = Context { steps: &Value::Null, outer: &[], error: None, surroundings, asker, scope: Some(scope) };
        template.input(&context).map_err(|fault| {
            Failure::new(fault.code(), format!("The {part} of {} cannot be worked out. {fault}", self.name))
        })
    }
}

/// Reads `actions` of the app with these settings.
pub(super) fn read<'d>(reader: &mut Reader<'d>, root: &'d Object, own: (&str, &[Setting])) -> Vec<ActionPart> {
    let place = Place::ROOT.key("actions");
    let list = reader.list(root, "actions", &Place::ROOT, Presence::Optional).unwrap_or_default();
    let mut actions = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        actions.extend(read_action(reader, value, own, &place.index(index)));
    }
    actions
}

fn read_action<'d>(
    reader: &mut Reader<'d>,
    value: &'d Value,
    own: (&str, &[Setting]),
    place: &Place<'_>,
) -> Option<ActionPart> {
    const KEYS: [&str; 9] = [
        "name",
        "description",
        "type",
        "appSettings",
        "inputTemplate",
        "inputSchema",
        "outputTemplate",
        "outputSchema",
        "sampleOutputContext",
    ];
    let action = reader.object(value, place)?;
    reader.check_keys(action, &KEYS, place);
    let name = reader.text(action, "name", place, Presence::Required);
    if let Some(word) = reader.text(action, "type", place, Presence::Required) {
        check_type(reader, word, &place.key("type"));
    }
    let settings = read_aliases(reader, action, own, place);
    let input_template = read_template(reader, action, "inputTemplate", place);
    if input_template.as_ref().is_some_and(|template| !template.has_written_keys("headers")) {
        let message =
            "Write the template out as an object, and its \"headers\" too, so that no data can name a header.";
        reader.problems.add(&place.key("inputTemplate"), "unwritten_headers", message);
    }
    let input_schema = read_schema(reader, action, "inputSchema", place);
    let output_template = read_template(reader, action, "outputTemplate", place);
    let output_schema = read_schema(reader, action, "outputSchema", place);
    let name = name?.to_owned();
    Some(ActionPart { name, settings, input_schema, input_template, output_template, output_schema })
}

fn check_type(reader: &mut Reader<'_>, word: &str, place: &Place<'_>) {
    if TYPES.contains(&word) {
        return;
    }
    if TYPES_ELSEWHERE.contains(&word) {
        let message =
            format!("Actions of the type {} cannot run here; those of {} can.", quoted(word), TYPES.join(", "));
        reader.problems.add(place, "unsupported_type", message);
        return;
    }
    let message = format!("There is no type {} of actions; use {}.", quoted(word), TYPES.join(", "));
    reader.problems.add_unknown(place, "unknown_type", message, word, &TYPES);
}

/// Settings of its own app only: an app that could name another's would read its secrets.
fn read_aliases<'d>(
    reader: &mut Reader<'d>,
    action: &'d Object,
    (app, settings): (&str, &[Setting]),
    place: &Place<'_>,
) -> Vec<SettingAlias> {
    let aliases_place = place.key("appSettings");
    let mut aliases = Vec::new();
    let given = reader.optional_object(action, "appSettings", place).and_then(Value::as_object);
    for (alias, value) in given.into_iter().flatten() {
        let place = aliases_place.key(alias);
        let Some(value) = reader.object(value, &place) else { continue };
        let Some(key) = reader.text(value, "key", &place, Presence::Required) else { continue };
        let own = key.strip_prefix(app).and_then(|rest| rest.strip_prefix('.'));
        let found = own.and_then(|path| settings.iter().find(|setting| setting.path() == path));
        let Some(Setting { category, name, .. }) = found else {
            let known: Vec<String> = settings.iter().map(|setting| format!("{app}.{}", setting.path())).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let message = format!("The app has no setting {}; write it as {app}.category.name.", quoted(key));
            reader.problems.add_unknown(&place.key("key"), "unknown_setting", message, key, &known);
            continue;
        };
        aliases.push(SettingAlias { alias: alias.clone(), category: category.clone(), name: name.clone() });
    }
    aliases
}
