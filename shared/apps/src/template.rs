//! Names of events that an arrival itself brings, such as `github.{$.headers.x-github-event}.{$.body.action}`.
//!
//! Whatever the sender wrote, the name is lower case with dots; a part that says nothing leaves no empty place.

use crate::mapping::{Context, Lets, Mapping};

/// A name with or without places.
#[derive(Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Fixed(String),
    Place { mapping: Mapping, shown: String },
}

impl Template {
    /// Reads a name.
    ///
    /// *Errors*: a place that is not closed or whose path is wrong.
    pub(crate) fn parse(text: &str, lets: &Lets) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((fixed, place)) = rest.split_once('{') {
            let (path, after) =
                place.split_once('}').ok_or_else(|| format!("{text} has a place that is not closed"))?;
            parts.push(Part::Fixed(fixed.to_owned()));
            let shown = path.rsplit_once('.').map_or(path, |(_, key)| key).to_owned();
            parts.push(Part::Place { mapping: Mapping::parse(&path.into(), lets)?, shown });
            rest = after;
        }
        parts.push(Part::Fixed(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Whether it has no places.
    pub(crate) fn is_fixed(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Fixed(_)))
    }

    /// What people are shown, such as `github.{x-github-event}.{action}`.
    pub(crate) fn shown(&self) -> String {
        let part = |part: &Part| match part {
            Part::Fixed(text) => text.clone(),
            Part::Place { shown, .. } => format!("{{{shown}}}"),
        };
        self.0.iter().map(part).collect()
    }

    /// The name in this arrival; for an event of an `each`, `$.item` is not to be had.
    pub(crate) fn name(&self, context: &Context<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Fixed(text) => text.clone(),
            Part::Place { mapping, .. } => mapping.value(context).as_ref().and_then(spelled).unwrap_or_default(),
        };
        let raw: String = self.0.iter().map(part).collect();
        let parts: Vec<String> = raw.split('.').filter(|part| !part.is_empty()).map(clean).collect();
        parts.join(".")
    }
}

fn spelled(value: &serde_json::Value) -> Option<String> {
    value.as_str().map(str::to_owned).or_else(|| value.as_number().map(ToString::to_string))
}

fn clean(part: &str) -> String {
    let allowed =
        |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-') { c } else { '-' };
    part.trim().to_lowercase().chars().map(allowed).collect()
}
