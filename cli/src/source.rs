//! Documents that a command is given: a file, or standard input when its name is `-`.

use std::{
    fs,
    io::{self, Read},
};

use domain::exact;
use serde_json::Value;

use crate::failure::Failure;

/// The name that stands for standard input.
pub(crate) const STDIN: &str = "-";

/// The text in the file called `name`.
///
/// *Errors*: it cannot be read, or is no text.
pub(crate) fn read_text(name: &str) -> Result<String, Failure> {
    String::from_utf8(read(name)?).map_err(|_| Failure::Usage(format!("The file {name} is no text.")))
}

/// The secret in the file called `name`. *Why without the line break at its end*: editors and `echo` put one there.
///
/// *Errors*: it cannot be read, or is no text.
pub(crate) fn read_secret(name: &str) -> Result<String, Failure> {
    let text = read_text(name)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Whether it is JSON itself, and no name of a file. What begins with two braces is a template.
pub(crate) fn is_json(text: &str) -> bool {
    text.starts_with(['{', '[']) && !text.starts_with("{{")
}

/// The JSON that `text` is, or that the file of this name holds; `what` says where it was given.
///
/// *Errors*: it cannot be read, or is no JSON.
pub(crate) fn read_json(what: &str, text: &str) -> Result<Value, Failure> {
    let text = if is_json(text) { text.to_owned() } else { read_text(text)? };
    exact::parse(&text).map_err(|error| Failure::Usage(format!("What is given as {what} is no JSON: {error}.")))
}

/// The bytes of the document called `name`, as they are.
///
/// *Errors*: it cannot be read.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, Failure> {
    if name != STDIN {
        return fs::read(name).map_err(|error| Failure::Usage(format!("The file {name} cannot be read: {error}.")));
    }
    let mut bytes = Vec::new();
    match io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::Usage(format!("Standard input cannot be read: {error}."))),
    }
}
