//! Reading documents that people write: every problem is told, each with its file, place and path, and what to write instead.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::yaml::{Place, member_path};

/// How alike two words are that are taken for each other. *Source*: the checks of workflow documents.
const SIMILARITY: f64 = 0.8;

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The file.
    pub(crate) file: String,
    /// Where in it, if that is known.
    pub(crate) place: Option<Place>,
    /// The JSON path, if it is about a part of a document.
    pub(crate) path: Option<String>,
    /// A sentence.
    pub(crate) message: String,
}

impl Problem {
    /// A problem of a whole file.
    pub(crate) fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), place: None, path: None, message: message.into() }
    }

    /// `orders.test.yaml:3:5: $.cases[0]: A case has a name.`
    pub(crate) fn line(&self) -> String {
        let place = self.place.map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default();
        let path = self.path.as_ref().map(|path| format!("{path}: ")).unwrap_or_default();
        format!("{}{place}: {path}{}", self.file, self.message)
    }

    /// The same for programs.
    pub(crate) fn document(&self) -> Value {
        json!({
            "file": self.file,
            "line": self.place.map(|place| place.line),
            "column": self.place.map(|place| place.column),
            "path": self.path,
            "message": self.message,
        })
    }
}

/// A file while it is read.
pub(crate) struct Reading<'f> {
    /// What it is called.
    pub(crate) file: &'f str,
    /// Where its values begin, by their paths; empty for JSON.
    pub(crate) places: &'f HashMap<String, Place>,
    /// What is wrong with it so far.
    pub(crate) problems: Vec<Problem>,
}

/// A value in a document.
#[derive(Debug, Clone)]
pub(crate) struct At<'v> {
    /// The value.
    pub(crate) value: &'v Value,
    /// Where it is.
    pub(crate) path: String,
}

impl<'v> At<'v> {
    /// The whole document.
    pub(crate) fn root(value: &'v Value) -> Self {
        Self { value, path: "$".to_owned() }
    }

    /// Its member `key`, if it has one that is not `null`.
    pub(crate) fn member(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Self { value, path: member_path(&self.path, key) })
    }

    /// Its members.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'v str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members.map(|(key, value)| (key.as_str(), Self { value, path: member_path(&self.path, key) }))
    }

    /// Its elements.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Self> {
        let elements = self.value.as_array().into_iter().flatten().enumerate();
        elements.map(|(index, value)| Self { value, path: format!("{}[{index}]", self.path) })
    }
}

impl<'f> Reading<'f> {
    /// Nothing is wrong yet.
    pub(crate) fn new(file: &'f str, places: &'f HashMap<String, Place>) -> Self {
        Self { file, places, problems: Vec::new() }
    }

    /// Something is wrong at `path`.
    pub(crate) fn problem(&mut self, path: &str, message: impl Into<String>) {
        let place = self.place(path);
        let path = Some(path.to_owned());
        self.problems.push(Problem { file: self.file.to_owned(), place, path, message: message.into() });
    }

    /// Where the value is, or what it stands in: what an alias stands for is nowhere else.
    fn place(&self, path: &str) -> Option<Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(*place);
            }
            path = path.rfind(['.', '[']).and_then(|end| path.get(..end))?;
        }
    }

    /// The object `at`, which may have these keys.
    pub(crate) fn object<'v>(&mut self, at: &At<'v>, what: &str, known: &[&str]) -> Option<&'v Map<String, Value>> {
        let Value::Object(members) = at.value else {
            self.problem(&at.path, format!("{what} is an object; it may have {}.", known.join(", ")));
            return None;
        };
        for key in members.keys().filter(|key| !known.contains(&key.as_str())) {
            let path = member_path(&at.path, key);
            self.problem(&path, format!("{what} has no \"{key}\". {}", meant(key, known)));
        }
        Some(members)
    }

    /// Whether `at` is a list; that it is none is a problem.
    pub(crate) fn list(&mut self, at: &At<'_>, what: &str) -> bool {
        if !at.value.is_array() {
            self.problem(&at.path, format!("{what} is a list."));
        }
        at.value.is_array()
    }

    /// Whether `at` is an object with keys of its author's; that it is none is a problem.
    pub(crate) fn mapping(&mut self, at: &At<'_>, what: &str) -> bool {
        if !at.value.is_object() {
            self.problem(&at.path, format!("{what} is an object."));
        }
        at.value.is_object()
    }

    /// The text `at`.
    pub(crate) fn text<'v>(&mut self, at: &At<'v>, what: &str) -> Option<&'v str> {
        let text = at.value.as_str();
        if text.is_none() {
            self.problem(&at.path, format!("{what} is a text."));
        }
        text
    }

    /// The whole number `at`, from `least` to `most`.
    pub(crate) fn number(&mut self, at: &At<'_>, what: &str, (least, most): (u64, u64)) -> Option<u64> {
        let number = at.value.as_u64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.problem(&at.path, format!("{what} is a whole number from {least} to {most}."));
        }
        number
    }
}

/// `Did you mean "expect"?`, or which there are.
pub(crate) fn meant(word: &str, known: &[&str]) -> String {
    let likeness = |candidate: &&&str| strsim::jaro_winkler(word, candidate);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    match nearest.filter(|nearest| likeness(nearest) >= SIMILARITY) {
        Some(nearest) => format!("Did you mean \"{nearest}\"?"),
        None if known.is_empty() => "There are none.".to_owned(),
        None => format!("There are {}.", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_told_where_it_is_near() {
        let known = ["expect", "given", "name"];
        assert_eq!(meant("expcet", &known), "Did you mean \"expect\"?");
        assert_eq!(meant("zzz", &known), "There are expect, given, name.");
        assert_eq!(meant("orders", &[]), "There are none.");
    }

    #[test]
    fn a_problem_has_the_place_of_what_it_is_about_or_stands_in() {
        let places = HashMap::from([("$.cases".to_owned(), Place { line: 2, column: 3 })]);
        let mut reading = Reading::new("a.yaml", &places);
        reading.problem("$.cases[0].name", "A name is a text.");
        reading.problem("$.other", "Nothing.");
        let lines: Vec<String> = reading.problems.iter().map(Problem::line).collect();
        assert_eq!(lines, ["a.yaml:2:3: $.cases[0].name: A name is a text.", "a.yaml: $.other: Nothing."]);
    }
}
