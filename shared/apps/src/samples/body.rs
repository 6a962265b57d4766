//! The body of a sample. Its bytes are what is signed, so they are made once and sent as they are.

use serde_json::Value;

/// What a sample sends.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleBody {
    /// No body, as with a GET.
    Empty,
    /// A JSON value.
    Json(Value),
    /// The fields of a form, in order.
    Form(Vec<(String, String)>),
    /// Any other text.
    Text(String),
}

impl SampleBody {
    /// The one of the three that is there.
    pub(super) fn of(
        json: Option<Value>,
        form: Option<Vec<(String, String)>>,
        text: Option<String>,
    ) -> Result<Self, String> {
        match (json, form, text) {
            (None, None, None) => Ok(Self::Empty),
            (Some(json), None, None) => Ok(Self::Json(json)),
            (None, Some(form), None) => Ok(Self::Form(form)),
            (None, None, Some(text)) => Ok(Self::Text(text)),
            _ => Err("a sample has one of body, form and text".to_owned()),
        }
    }

    /// The bytes to send: compact JSON, or the form encoded.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Empty => Vec::new(),
            Self::Json(value) => value.to_string().into_bytes(),
            Self::Form(fields) => {
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
            }
            Self::Text(text) => text.clone().into_bytes(),
        }
    }

    /// What a hook's owner would see of it: the JSON, or an object of the fields.
    pub(super) fn data(&self) -> Value {
        match self {
            Self::Json(value) => value.clone(),
            Self::Form(fields) => {
                Value::Object(fields.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect())
            }
            Self::Empty | Self::Text(_) => Value::Null,
        }
    }

    /// The `Content-Type` that goes with it.
    pub fn content_type(&self) -> Option<&'static str> {
        match self {
            Self::Empty => None,
            Self::Json(_) => Some("application/json"),
            Self::Form(_) => Some("application/x-www-form-urlencoded"),
            Self::Text(_) => Some("text/plain; charset=utf-8"),
        }
    }

    /// Sets the value at a path, such as `customer.email` or `line_items.0.sku`.
    ///
    /// *Errors*: a sentence, where the path leads nowhere.
    pub fn set(&mut self, path: &str, value: Value) -> Result<(), String> {
        match self {
            Self::Json(json) => {
                let keys: Vec<&str> = path.split('.').collect();
                set_below(json, &keys, value).ok_or_else(|| format!("The sample's body has no place {path}."))
            }
            Self::Form(fields) => set_field(fields, path, value),
            Self::Empty | Self::Text(_) => Err("The sample's body has no fields.".to_owned()),
        }
    }
}

/// Sets a member (new or not), an element, or the one that follows the last.
fn set_below(target: &mut Value, keys: &[&str], value: Value) -> Option<()> {
    let Some((key, inner)) = keys.split_first() else {
        *target = value;
        return Some(());
    };
    match target {
        Value::Object(object) => {
            let missing = if inner.is_empty() { Value::Null } else { Value::Object(serde_json::Map::new()) };
            set_below(object.entry(*key).or_insert(missing), inner, value)
        }
        Value::Array(list) => {
            let index: usize = key.parse().ok()?;
            if index == list.len() && inner.is_empty() {
                list.push(Value::Null);
            }
            set_below(list.get_mut(index)?, inner, value)
        }
        Value::String(text) => {
            let mut json: Value = serde_json::from_str(text).ok()?;
            set_below(&mut json, keys, value)?;
            *text = json.to_string();
            Some(())
        }
        Value::Null => {
            *target = Value::Object(serde_json::Map::new());
            set_below(target, keys, value)
        }
        Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Sets a field's only value, or makes the field; what follows a dot is a place in a field that holds JSON.
fn set_field(fields: &mut Vec<(String, String)>, path: &str, value: Value) -> Result<(), String> {
    let (name, inner) = path.split_once('.').map_or((path, None), |(name, inner)| (name, Some(inner)));
    let position = fields.iter().position(|(field, _)| field == name);
    let text = match (inner, position.and_then(|at| fields.get(at))) {
        (None, _) => form_text(value),
        (Some(inner), Some((_, text))) => {
            let keys: Vec<&str> = inner.split('.').collect();
            let mut held = Value::String(text.clone());
            set_below(&mut held, &keys, value).ok_or_else(|| format!("The sample's body has no place {path}."))?;
            form_text(held)
        }
        (Some(_), None) => return Err(format!("The sample's form has no field {name}.")),
    };
    match position.and_then(|at| fields.get_mut(at)) {
        Some((_, old)) => *old = text,
        None => fields.push((name.to_owned(), text)),
    }
    Ok(())
}

fn form_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
