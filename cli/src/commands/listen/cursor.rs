//! Up to where a hook's tape was delivered, in a file for each server and hook.
//!
//! The API's position is that of a page, so the arrivals behind it that were delivered are named beside it. The file
//! is replaced as a whole: whoever ends the program at any moment leaves the one before or the one after.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use domain::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Where the next page begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Position {
    /// The API's word for the place, from an earlier page.
    pub(super) after: Option<String>,
    /// An instant, where there was no page yet.
    pub(super) since: Option<String>,
    /// The arrivals after it that were delivered.
    pub(super) delivered: Vec<String>,
}

impl Position {
    /// The place of what arrived at this instant.
    pub(super) fn since(instant: Timestamp) -> Self {
        Self { since: Some(instant.to_string()), ..Self::default() }
    }
}

/// A position and its file.
#[derive(Debug)]
pub(super) struct Cursor {
    path: PathBuf,
    position: Position,
    is_new: bool,
}

impl Cursor {
    /// The cursor of this hook of this server, as it was left; a new one if there is none.
    ///
    /// *Errors*: the file cannot be read, or somebody else wrote it.
    pub(super) fn open(state_dir: &Path, server: &str, kind: &str, hook: &str) -> Result<Self, Failure> {
        let name = [server, kind, hook].map(|part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()).join("-");
        let path = super::folder(state_dir).join(format!("{name}.json"));
        match fs::read_to_string(&path) {
            Ok(text) => match read(&text) {
                Some(position) => Ok(Self { path, position, is_new: false }),
                None => {
                    Err(Failure::Usage(format!("The file {} is no position of `listen`. Remove it.", path.display())))
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { path, position: Position::default(), is_new: true })
            }
            Err(error) => Err(Failure::Usage(format!("The file {} cannot be read: {error}.", path.display()))),
        }
    }

    /// Whether nothing was ever delivered.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// The same file with another position, which is written with the next arrival.
    pub(super) fn at(self, position: Position) -> Self {
        Self { position, ..self }
    }

    /// The position.
    pub(super) fn position(&self) -> &Position {
        &self.position
    }

    /// Notes that the arrival was delivered. Once it returns, no later start delivers it again.
    ///
    /// *Errors*: the file cannot be written.
    pub(super) fn delivered(&mut self, id: &str) -> Result<(), Failure> {
        self.position.delivered.push(id.to_owned());
        self.save()
    }

    /// Notes that the tape was delivered up to `place`. What was delivered of what is not settled yet stays noted, because
    /// it will be read again.
    ///
    /// *Errors*: the file cannot be written.
    pub(super) fn turned(&mut self, place: String, settled: &str) -> Result<(), Failure> {
        let delivered = self.position.delivered.iter().filter(|id| id.as_str() > settled).cloned().collect();
        let position = Position { after: Some(place), since: None, delivered };
        if position == self.position {
            return Ok(());
        }
        self.position = position;
        self.save()
    }

    fn save(&self) -> Result<(), Failure> {
        let Position { after, since, delivered } = &self.position;
        let document = json!({ "after": after, "since": since, "delivered": delivered }).to_string();
        let beside = self.path.with_extension("new");
        let write = || {
            fs::create_dir_all(self.path.parent().unwrap_or(Path::new(".")))?;
            fs::write(&beside, document)?;
            fs::rename(&beside, &self.path)
        };
        write().map_err(|error| Failure::Usage(format!("The file {} cannot be written: {error}.", self.path.display())))
    }
}

fn read(text: &str) -> Option<Position> {
    let document: Value = serde_json::from_str(text).ok()?;
    let word = |name: &str| match document.get(name)? {
        Value::Null => Some(None),
        Value::String(word) => Some(Some(word.clone())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
    };
    let delivered = document.get("delivered")?.as_array()?.iter().map(|id| id.as_str().map(str::to_owned));
    Some(Position { after: word("after")?, since: word("since")?, delivered: delivered.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &Path, hook: &str) -> Cursor {
        Cursor::open(dir, "http://127.0.0.1:8787", "web", hook).unwrap()
    }

    #[test]
    fn a_cursor_is_found_again_as_it_was_left_and_is_of_one_hook_alone() {
        let dir = tempfile::tempdir().unwrap();
        let mut cursor = open(dir.path(), "h1").at(Position::since(Timestamp::from_millisecond(0)));
        cursor.delivered("a1").unwrap();
        let left = open(dir.path(), "h1");
        assert_eq!((left.is_new(), left.position()), (false, cursor.position()));
        assert_eq!(left.position().since.as_deref(), Some("1970-01-01T00:00:00.000Z"));
        cursor.turned("p#2".to_owned(), "p#2").unwrap();
        let expected = Position { after: Some("p#2".to_owned()), ..Position::default() };
        assert_eq!(open(dir.path(), "h1").position(), &expected);
        assert!(open(dir.path(), "h2").is_new());
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        for text in [
            "",
            "null",
            "{}",
            r#"{"after": 1, "since": null, "delivered": []}"#,
            r#"{"after": null, "since": null, "delivered": [1]}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
