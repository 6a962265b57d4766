//! The settings of an app: what they are called, what may be put there, and what holds until somebody does.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::document::{DESCRIPTION_LIMIT_CHARACTERS, Object, Presence, Reader};
use crate::naming::quoted;
use crate::problem::Place;

/// The most characters of a category and of a name, as where settings are changed.
const NAME_LIMIT_CHARACTERS: usize = 128;

/// What may be put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// A text.
    String,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A text that is never given out again.
    Secret,
}

impl SettingKind {
    const ALL: [(&'static str, SettingKind); 4] = [
        ("string", SettingKind::String),
        ("number", SettingKind::Number),
        ("boolean", SettingKind::Boolean),
        ("secret", SettingKind::Secret),
    ];

    /// Whether `value` may be put there.
    pub fn takes(self, value: &Value) -> bool {
        match self {
            SettingKind::String | SettingKind::Secret => value.is_string(),
            SettingKind::Number => value.is_number(),
            SettingKind::Boolean => value.is_boolean(),
        }
    }

    /// What it takes, for sentences.
    pub const fn wanted(self) -> &'static str {
        match self {
            SettingKind::String | SettingKind::Secret => "a text",
            SettingKind::Number => "a number",
            SettingKind::Boolean => "true or false",
        }
    }
}

/// A setting of an app.
///
/// *Shape* — in a definition, `{"default":{"region":{"type":"string","defaultValue":"eu","required":true}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The category it stands in.
    pub category: String,
    /// What it is called there.
    pub name: String,
    /// What may be put there.
    #[serde(rename = "type")]
    pub kind: SettingKind,
    /// What holds until somebody puts something there.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "domain::exact")]
    pub default_value: Option<Value>,
    /// Whether the app needs it.
    #[serde(default)]
    pub required: bool,
    /// Whether forms leave it out.
    #[serde(default)]
    pub hidden: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Setting {
    /// `{category}.{name}`.
    pub fn path(&self) -> String {
        format!("{}.{}", self.category, self.name)
    }

    /// The setting as JSON.
    pub fn shown(&self) -> Value {
        domain::exact::object([
            ("category", json!(self.category)),
            ("name", json!(self.name)),
            ("type", json!(self.kind)),
            ("defaultValue", self.default_value.clone().unwrap_or_default()),
            ("required", json!(self.required)),
            ("hidden", json!(self.hidden)),
            ("description", json!(self.description)),
        ])
    }
}

/// Reads the settings of a definition.
pub(super) fn read<'d>(reader: &mut Reader<'d>, root: &'d Object) -> Vec<Setting> {
    let place = Place::ROOT.key("settings");
    let mut settings = Vec::new();
    let Some(categories) = reader.optional_object(root, "settings", &Place::ROOT).and_then(Value::as_object) else {
        return settings;
    };
    for (category, named) in categories {
        let place = place.key(category);
        check_name(reader, category, &place);
        for (name, setting) in reader.object(named, &place).into_iter().flatten() {
            let place = place.key(name);
            check_name(reader, name, &place);
            settings.extend(read_setting(reader, (category, name), setting, &place));
        }
    }
    settings
}

fn check_name(reader: &mut Reader<'_>, name: &str, place: &Place<'_>) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || !name.bytes().all(is_plain) {
        let message = "Name categories and settings with letters, digits, \"-\" and \"_\".";
        reader.problems.add(place, "bad_name", message);
    }
    reader.check_length(name, NAME_LIMIT_CHARACTERS, place);
}

fn read_setting<'d>(
    reader: &mut Reader<'d>,
    (category, name): (&str, &str),
    setting: &'d Value,
    place: &Place<'_>,
) -> Option<Setting> {
    let setting = reader.object(setting, place)?;
    reader.check_keys(setting, &["type", "defaultValue", "required", "hidden", "description"], place);
    let word = reader.text(setting, "type", place, Presence::Required);
    let kind = word.and_then(|word| read_kind(reader, word, &place.key("type")));
    let default_value = setting.get("defaultValue").filter(|value| !value.is_null());
    if let (Some(kind), Some(value)) = (kind, default_value) {
        check_default(reader, kind, value, &place.key("defaultValue"));
    }
    let required = reader.flag(setting, "required", place).unwrap_or_default();
    let hidden = reader.flag(setting, "hidden", place).unwrap_or_default();
    let description = reader.optional_text(setting, "description", place);
    description
        .iter()
        .for_each(|text| reader.check_length(text, DESCRIPTION_LIMIT_CHARACTERS, &place.key("description")));
    let default_value = default_value.filter(|_| kind != Some(SettingKind::Secret)).cloned();
    let (category, name, description) = (category.to_owned(), name.to_owned(), description.map(str::to_owned));
    Some(Setting { category, name, kind: kind?, default_value, required, hidden, description })
}

fn read_kind(reader: &mut Reader<'_>, word: &str, place: &Place<'_>) -> Option<SettingKind> {
    let found = SettingKind::ALL.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind);
    if found.is_none() {
        let known = SettingKind::ALL.map(|(known, _)| known);
        let message = format!("There is no type {} of settings; use one of {}.", quoted(word), known.join(", "));
        reader.problems.add_unknown(place, "unknown_type", message, word, &known);
    }
    found
}

fn check_default(reader: &mut Reader<'_>, kind: SettingKind, value: &Value, place: &Place<'_>) {
    if !kind.takes(value) {
        return reader.wrong_type(place, kind.wanted(), value);
    }
    if kind == SettingKind::Secret && value.as_str() != Some("") {
        let message = "Take the value out: everybody may read a definition. Secrets are set once the app is installed.";
        reader.problems.add(place, "secret_in_definition", message);
    }
}
