//! JSON as people write it: what is short stands on one line.

use serde_json::Value;

/// How wide a line is at most.
const WIDTH_CHARS: usize = 140;

/// The document on as few lines as it is readable on.
pub(crate) fn laid_out(value: &Value) -> String {
    laid(value, 0, 0)
}

/// `lead` characters stand before the value on its line.
fn laid(value: &Value, indent: usize, lead: usize) -> String {
    let line = on_one_line(value);
    if indent + lead + line.chars().count() <= WIDTH_CHARS {
        return line;
    }
    let pad = " ".repeat(indent + 2);
    let (rows, ends): (Vec<String>, [char; 2]) = match value {
        Value::Object(members) => {
            let row = |(key, member): (&String, &Value)| {
                let key = Value::from(key.as_str()).to_string();
                format!("{pad}{key}: {}", laid(member, indent + 2, key.chars().count() + 3))
            };
            (members.iter().map(row).collect(), ['{', '}'])
        }
        Value::Array(entries) => {
            (entries.iter().map(|entry| format!("{pad}{}", laid(entry, indent + 2, 1))).collect(), ['[', ']'])
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return line,
    };
    format!("{}\n{}\n{}{}", ends[0], rows.join(",\n"), " ".repeat(indent), ends[1])
}

pub(crate) fn on_one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let member =
                |(key, member): (&String, &Value)| format!("{}: {}", Value::from(key.as_str()), on_one_line(member));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Array(entries) => format!("[{}]", entries.iter().map(on_one_line).collect::<Vec<_>>().join(", ")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
