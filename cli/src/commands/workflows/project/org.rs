//! What an org has of the parts that a project is about, read over the management API.

use domain::HookKind;
use engine::app::{AppDefinition, prefixed};
use serde_json::{Map, Value, json};

use crate::{
    client::{Address, Client},
    failure::Failure,
    paging::next_cursor,
    project::{Entry, Part, Project, hooks, workflows},
};

/// Items of a page of a list.
const PAGE_ITEMS: &str = "100";

/// One thing that an org has.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    /// Its id; of a klass and of an app its name, which is what the API takes.
    pub(super) id: String,
    /// What a project knows it by: the title of a hook, the name of anything else.
    pub(super) name: String,
    /// The kind of a hook.
    pub(super) kind: Option<HookKind>,
    /// What it says, to be compared with what a file says.
    pub(super) document: Map<String, Value>,
    /// Its attributes as the API shows them.
    pub(super) shown: Map<String, Value>,
    /// The app that brought it along.
    pub(super) owner: Option<String>,
}

impl Standing {
    /// What changes with every change of it.
    pub(super) fn stamp(&self) -> &Value {
        stamp(&self.shown)
    }

    fn of(part: Part, kind: Option<HookKind>, resource: &Value) -> Self {
        let text = |pointer: &str| resource.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let shown = resource.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
        let id = text("/id");
        let (id, name, document) = match (part, kind) {
            (Part::Klasses, _) => (text("/attributes/name"), text("/attributes/name"), klass(&shown)),
            (Part::Apps, _) => (id.clone(), id, Map::new()),
            (Part::Hooks, None) | (Part::Workflows, _) => (id, text("/attributes/name"), workflows::meaning(&shown)),
            (Part::Hooks, Some(kind)) => {
                let document = hooks::settings_shown(kind, &id, &shown);
                (id, text("/attributes/title").trim().to_owned(), document)
            }
        };
        let owner = resource.pointer("/relationships/app/data/id").and_then(Value::as_str).map(str::to_owned);
        Self { id, name, kind, document, shown, owner }
    }
}

/// The same of what the API shows of a thing.
pub(super) fn stamp(shown: &Map<String, Value>) -> &Value {
    shown.get("rev").or_else(|| shown.get("updatedAt")).unwrap_or(&Value::Null)
}

/// What a klass says, to be compared.
pub(super) fn klass(document: &Map<String, Value>) -> Map<String, Value> {
    let says = |key: &str, value: &Value| {
        !matches!(key, "createdAt" | "updatedAt") && !value.is_null() && !value.as_object().is_some_and(Map::is_empty)
    };
    document.iter().filter(|(key, value)| says(key, value)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A definition that was registered, in a version.
#[derive(Debug)]
pub(super) struct Registered {
    /// The app.
    pub(super) app: String,
    /// Its version.
    pub(super) version: String,
    /// The definition, with whole names.
    pub(super) document: Map<String, Value>,
}

/// What an org has.
#[derive(Debug, Default)]
pub(super) struct Org {
    pub(super) klasses: Vec<Standing>,
    pub(super) apps: Vec<Standing>,
    pub(super) hooks: Vec<Standing>,
    pub(super) workflows: Vec<Standing>,
    pub(super) registered: Vec<Registered>,
}

impl Org {
    /// Those of the parts, and what was registered of the apps of the project in their versions.
    pub(super) fn read(client: &Client, parts: &[Part], project: &Project) -> Result<Self, Failure> {
        let mut org = Self::default();
        for part in parts {
            match part {
                Part::Klasses => org.klasses = list(client, *part, None, &["klasses"])?,
                Part::Apps => org.apps = installed(client)?,
                Part::Hooks => {
                    for kind in [HookKind::Form, HookKind::Web, HookKind::Email] {
                        org.hooks.extend(list(client, *part, Some(kind), &["hooks", kind.word()])?);
                    }
                }
                Part::Workflows => org.workflows = list(client, *part, None, &["workflows"])?,
            }
        }
        for entry in &project.apps {
            let version = version_of(entry);
            org.registered.extend(registered(client, entry.text("app"), &version)?);
        }
        Ok(org)
    }

    /// Those of a part.
    pub(super) fn of(&self, part: Part) -> &[Standing] {
        match part {
            Part::Klasses => &self.klasses,
            Part::Apps => &self.apps,
            Part::Hooks => &self.hooks,
            Part::Workflows => &self.workflows,
        }
    }

    /// Those that an entry may mean: one, if the org is in order.
    pub(super) fn meant(&self, part: Part, entry: &Entry) -> Vec<&Standing> {
        let kind = hooks::kind_of(entry.text("kind"));
        let is_meant = |standing: &&Standing| match part {
            Part::Klasses | Part::Workflows => standing.name == entry.text("name"),
            Part::Apps => standing.name == entry.text("app"),
            // A hook that an app brought along is the app's, whatever it is called.
            Part::Hooks => {
                standing.owner.is_none() && standing.kind == kind && standing.name == entry.text("title").trim()
            }
        };
        self.of(part).iter().filter(is_meant).collect()
    }
}

/// The definition in a file, with whole names.
pub(super) fn definition(entry: &Entry) -> Map<String, Value> {
    prefixed(&json!(entry.document)).as_object().cloned().unwrap_or_default()
}

/// The version in a file, as a server spells it.
pub(super) fn version_of(entry: &Entry) -> String {
    let definition = AppDefinition::parse(&Value::Object(definition(entry)));
    definition.map_or_else(|_| entry.text("version").to_owned(), |definition| definition.version.to_string())
}

/// The definition of a version, if it was registered.
pub(super) fn registered(client: &Client, app: &str, version: &str) -> Result<Option<Registered>, Failure> {
    let address = Address::of(&["apps", "available", app]).query("version", Some(version));
    match client.get(&address) {
        Ok(answer) => {
            let document = answer.pointer("/data/attributes/definition").and_then(Value::as_object).cloned();
            let document = document.unwrap_or_default();
            Ok(Some(Registered { app: app.to_owned(), version: version.to_owned(), document }))
        }
        Err(Failure::Refused(refusal)) if refusal.status == 404 => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn installed(client: &Client) -> Result<Vec<Standing>, Failure> {
    let mut apps = list(client, Part::Apps, None, &["apps"])?;
    apps.retain(|app| app.shown.get("source").and_then(Value::as_str) == Some("installed"));
    Ok(apps)
}

fn list(client: &Client, part: Part, kind: Option<HookKind>, path: &[&str]) -> Result<Vec<Standing>, Failure> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        // The list of apps has no pages.
        let size = (part != Part::Apps).then_some(PAGE_ITEMS);
        let page = client.get(&Address::of(path).query("pageSize", size).query("after", after.as_deref()))?;
        let items = page.get("data").and_then(Value::as_array).into_iter().flatten();
        found.extend(items.map(|resource| Standing::of(part, kind, resource)));
        after = next_cursor(&page);
        if after.is_none() {
            return Ok(found);
        }
    }
}
