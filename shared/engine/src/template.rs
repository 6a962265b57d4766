//! A text with `{{…}}` tags, compiled once; it always yields text.
//!
//! Tags are Handlebars, rendered by the `handlebars` crate, but every path into the run is parsed by us and handed
//! over as a numbered slot: paths mean the same here as in references, and only the values a template names are
//! copied for it. A template of nothing but such tags is put together without the crate.

mod helper;
mod rewrite;
mod sandbox;
mod tag;
mod words;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::allowance::{Allowance, weight};
use crate::cast::to_text;
use crate::evaluation::Evaluation;
use crate::fault::Fault;
use crate::limits::{TEMPLATE_LIMIT_BYTES, TEMPLATE_LIMIT_READ_BYTES};
use crate::path::Path;
use crate::problem::Flaw;

/// A compiled template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    text: String,
    /// The paths into the run that it reads; tags name them by their place.
    slots: Vec<Path>,
    /// The functions it calls.
    functions: Vec<&'static str>,
    /// Whether blocks or functions decide which of its paths are needed.
    decides: bool,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Plain(Vec<Piece>),
    Handlebars(handlebars::Template),
}

/// A part of a template that has no blocks and no helpers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// `{{{path}}}`
    Raw(usize),
    /// `{{path}}`
    Escaped(usize),
}

impl Flaw {
    /// A template that is not well formed.
    fn bad(reason: &str) -> Flaw {
        Flaw { code: "bad_template", message: format!("Mend the template: {reason}."), suggestion: None }
    }
}

impl Template {
    /// Compiles a template.
    ///
    /// *Errors* — a [`Flaw`]: what is not Handlebars, names an unknown helper, nests too deep, or asks for partials,
    /// decorators or raw blocks, none of which are allowed.
    pub(crate) fn parse(text: &str) -> Result<Template, Flaw> {
        let rewritten = rewrite::rewrite(text)?;
        let body = match rewritten.pieces {
            Some(pieces) => Body::Plain(pieces),
            None => Body::Handlebars(compile(&rewritten.source)?),
        };
        let (slots, functions, decides) = (rewritten.slots, rewritten.functions, rewritten.decides);
        Ok(Template { text: text.to_owned(), slots, functions, decides, body })
    }

    /// As the author wrote it.
    pub(crate) fn as_written(&self) -> &str {
        &self.text
    }

    /// The paths into the run that it reads.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.slots.iter()
    }

    /// The functions it calls.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &'static str> {
        self.functions.iter().copied()
    }

    /// The text it makes of what the run has left so far. What is missing is the empty text.
    ///
    /// *Errors* — [`Fault`] when a limit is passed.
    pub(crate) fn render(&self, evaluation: &Evaluation<'_>) -> Result<String, Fault> {
        match &self.body {
            Body::Plain(pieces) => self.join(pieces, evaluation),
            Body::Handlebars(template) => sandbox::render(template, self.slot_values(evaluation)?, evaluation),
        }
    }

    fn join(&self, pieces: &[Piece], evaluation: &Evaluation<'_>) -> Result<String, Fault> {
        let mut text = String::new();
        for piece in pieces {
            evaluation.pay(1)?;
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Raw(slot) => text.push_str(&self.text_of(*slot, evaluation)?),
                Piece::Escaped(slot) => text.push_str(&handlebars::html_escape(&self.text_of(*slot, evaluation)?)),
            }
            if text.len() > TEMPLATE_LIMIT_BYTES {
                return Err(Fault::TemplateTooLarge);
            }
        }
        Ok(text)
    }

    fn text_of<'a>(&self, slot: usize, evaluation: &Evaluation<'a>) -> Result<Cow<'a, str>, Fault> {
        let Some(value) = self.slot(slot, evaluation) else { return Ok(Cow::Borrowed("")) };
        evaluation.pay_for_bytes(weight(value))?;
        Ok(to_text(value))
    }

    fn slot<'a>(&self, slot: usize, evaluation: &Evaluation<'a>) -> Option<&'a Value> {
        let path = self.slots.get(slot)?;
        let found = evaluation.find(path, || path.text().to_owned());
        if let Some(value @ (Value::Array(_) | Value::Object(_))) = found {
            evaluation.tell(|| format!("In a template {} is written as JSON.", evaluation.name(value)));
        }
        found
    }

    fn slot_values(&self, evaluation: &Evaluation<'_>) -> Result<Value, Fault> {
        let mut allowance = Allowance::new(TEMPLATE_LIMIT_READ_BYTES, usize::MAX);
        let mut values = Map::with_capacity(self.slots.len());
        for (place, path) in self.slots.iter().enumerate() {
            let as_written = || path.text().to_owned();
            let found = match self.decides {
                true => evaluation.find_optional(path, as_written),
                false => evaluation.find(path, as_written),
            };
            if let Some(value) = found {
                let before = allowance.bytes_left();
                allowance.take(value, 0).map_err(|_| Fault::TemplateReadsTooMuch)?;
                // Copying is work as well, and a thousand templates may name the same value.
                evaluation.pay_for_bytes(before - allowance.bytes_left())?;
                values.insert(place.to_string(), value.clone());
            }
        }
        Ok(Value::Object(values))
    }
}

fn compile(source: &str) -> Result<handlebars::Template, Flaw> {
    handlebars::Template::compile(source).map_err(|error| Flaw::bad(&error.reason().to_string()))
}
