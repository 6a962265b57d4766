//! Secrets of hooks, which are in no project: from a file beside it, for hooks that are made or get another scheme.
//!
//! *Shape*: `{"shop": {"secrets": ["…"]}, "contact": {"turnstileSecret": "…"}, "mails": {"key": "…"}}`, by the names of
//! the files. What is wrong with it is told without a word of what is in it.

use domain::HookKind;
use serde_json::{Map, Value};

use crate::{
    failure::Failure,
    project::{Project, hooks},
    source,
};

/// Secrets by the handle of their hook.
#[derive(Debug, Default)]
pub(super) struct Secrets(Map<String, Value>);

impl Secrets {
    /// Those in the file, if there is one.
    ///
    /// *Errors*: it cannot be read, or is for no hook of the project.
    pub(super) fn read(file: Option<&str>, project: &Project) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::default()) };
        let wrong = |sentence: String| Failure::Usage(format!("The secrets in {file} cannot be used: {sentence}"));
        let document = domain::exact::parse(&source::read_text(file)?)
            .map_err(|error| wrong(format!("no JSON at line {}, column {}.", error.line(), error.column())))?;
        let Value::Object(secrets) = document else {
            return Err(wrong("they are an object such as {\"NAME\": {\"secrets\": [\"…\"]}}.".to_owned()));
        };
        for (handle, members) in &secrets {
            let Some(entry) = project.hooks.iter().find(|entry| entry.handle == *handle) else {
                return Err(wrong(format!("there is no hooks/{handle}.json.")));
            };
            let known = known_keys(hooks::kind_of(entry.text("kind")));
            let fits =
                members.as_object().is_some_and(|members| members.keys().all(|key| known.contains(&key.as_str())));
            if !fits {
                return Err(wrong(format!("{handle} is a hook that takes an object of {}.", known.join(", "))));
            }
        }
        Ok(Self(secrets))
    }

    /// Those of a hook.
    pub(super) fn of(&self, handle: &str) -> Option<&Map<String, Value>> {
        self.0.get(handle)?.as_object()
    }
}

fn known_keys(kind: Option<HookKind>) -> &'static [&'static str] {
    match kind {
        Some(HookKind::Form) => &["turnstileSecret", "recaptchaSecret"],
        Some(HookKind::Web) => &["secrets", "verifyToken"],
        Some(HookKind::Email) => &["key"],
        None => &[],
    }
}
