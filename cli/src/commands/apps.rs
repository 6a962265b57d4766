//! `hookwright apps`: the providers that are built in, and the apps that an org registers and installs itself.

mod lifecycle;

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    config::Global,
    failure::Failure,
    output::{Page, brief, text_at},
    session::Session,
    source,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright apps ls
  hookwright apps show shopify
  hookwright apps register ecommstore.json
  hookwright apps install ecommstore
  hookwright apps settings ecommstore --set default.region=eu")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the installed apps and the built-in providers
    #[command(visible_alias = "list", after_help = "Examples:\n  hookwright apps ls\n  hookwright apps ls --json")]
    Ls,
    /// Show or change the settings of an app, which workflows read with getAppSetting
    #[command(after_help = "\
Examples:
  hookwright apps settings ecommstore
  hookwright apps settings ecommstore --set default.region=eu --set default.limit=5 --unset default.old
  hookwright apps settings ecommstore --secret default.apiKey=api-key.txt

What the definition of an installed app calls a secret is never given out again. Settings of other apps are no secrets:
those are variables of a workflow.")]
    Settings {
        /// The app's name
        name: String,
        /// A setting and its value: a number, true, false, or a text; may be repeated
        #[arg(long = "set", value_name = "CATEGORY.NAME=VALUE", value_parser = setting)]
        set: Vec<(String, String, Value)>,
        /// A setting and the file that its text is in, or - for standard input; may be repeated
        #[arg(long = "secret", value_name = "CATEGORY.NAME=FILE", value_parser = secret)]
        secret: Vec<(String, String, String)>,
        /// A setting to take away; may be repeated
        #[arg(long = "unset", value_name = "CATEGORY.NAME", value_parser = unset)]
        unset: Vec<(String, String, Value)>,
    },
    /// Show a provider, how it signs and its events; or an installed app and what it brought along
    #[command(after_help = "Examples:\n  hookwright apps show shopify\n  hookwright apps show shopify --json")]
    Show {
        /// The app's name
        name: String,
    },
    #[command(flatten)]
    Lifecycle(lifecycle::Command),
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match args.command {
        Command::Ls => session.show(&session.client.get(&Address::of(&["apps"]))?, table),
        Command::Settings { name, set, secret, unset } => {
            let address = Address::of(&["apps", &name, "settings"]);
            let mut changes: Vec<_> = set.into_iter().chain(unset).collect();
            for (category, name, file) in secret {
                changes.push((category, name, Value::String(source::read_secret(&file)?)));
            }
            let document = match changes.as_slice() {
                [] => session.client.get(&address)?,
                changes => session.client.put(&address, patch(changes).to_string().into_bytes())?,
            };
            session.show(&document, settings)
        }
        Command::Show { name } => session.show(&session.client.get(&Address::of(&["apps", &name]))?, view),
        Command::Lifecycle(command) => lifecycle::run(command, &session),
    }
}

fn setting(text: &str) -> Result<(String, String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write it as CATEGORY.NAME=VALUE")?;
    let (category, name) = named(name)?;
    // What reads as a number or a truth is one; all else is a text.
    let value = match serde_json::from_str::<Value>(value) {
        Ok(scalar @ (Value::Number(_) | Value::Bool(_) | Value::String(_))) => scalar,
        Ok(Value::Null | Value::Array(_) | Value::Object(_)) | Err(_) => Value::String(value.to_owned()),
    };
    Ok((category, name, value))
}

fn secret(text: &str) -> Result<(String, String, String), String> {
    let (name, file) = text.split_once('=').ok_or("write it as CATEGORY.NAME=FILE")?;
    let (category, name) = named(name)?;
    Ok((category, name, file.to_owned()))
}

fn unset(text: &str) -> Result<(String, String, Value), String> {
    let (category, name) = named(text)?;
    Ok((category, name, Value::Null))
}

fn named(text: &str) -> Result<(String, String), String> {
    let (category, name) = text.split_once('.').ok_or("write it as CATEGORY.NAME, such as default.region")?;
    Ok((category.to_owned(), name.to_owned()))
}

fn patch(changes: &[(String, String, Value)]) -> Value {
    let mut patch = Map::new();
    for (category, name, value) in changes {
        let category = patch.entry(category.as_str()).or_insert_with(|| json!({}));
        if let Some(settings) = category.as_object_mut() {
            settings.insert(name.clone(), value.clone());
        }
    }
    Value::Object(patch)
}

fn settings(settings: &Value) -> Page {
    let mut page = Page::default();
    let app = text_at(settings, "/id");
    let mut rows = Vec::new();
    for (category, settings) in settings.get("attributes").and_then(Value::as_object).into_iter().flatten() {
        for (name, value) in settings.as_object().into_iter().flatten() {
            rows.push([format!("{app}.{category}.{name}"), value.to_string()]);
        }
    }
    if rows.is_empty() {
        return Page::of_line(format!("The app {app} has no settings."));
    }
    page.table(["SETTING", "VALUE"], rows);
    page
}

fn table(apps: &Value) -> Page {
    let apps = apps.as_array().map_or(&[][..], Vec::as_slice);
    if apps.is_empty() {
        return Page::of_line("There are no apps.");
    }
    let mut page = Page::default();
    let rows = apps.iter().map(|app| {
        let number = events(app).len().to_string();
        let (source, auth) = (text_at(app, "/attributes/source"), text_at(app, "/attributes/scheme"));
        let version = text_at(app, "/attributes/version");
        [name(app), source, version, auth, number, text_at(app, "/attributes/displayName")]
    });
    page.table(["NAME", "SOURCE", "VERSION", "AUTH", "EVENTS", "PROVIDER"], rows.collect());
    page
}

fn view(app: &Value) -> Page {
    if app.pointer("/attributes/source").and_then(Value::as_str) == Some("installed") {
        return lifecycle::installed(app);
    }
    let mut page = Page::default();
    page.fields(&[
        ("name", name(app)),
        ("provider", text_at(app, "/attributes/displayName")),
        ("auth", text_at(app, "/attributes/scheme")),
        ("methods", listed(app.pointer("/attributes/methods"))),
        ("docs", text_at(app, "/attributes/docs")),
    ]);
    if !events(app).is_empty() {
        page.line("");
        let rows = events(app).iter().map(|event| {
            [
                text_at(event, "/name"),
                text_at(event, "/topic"),
                text_at(event, "/displayName"),
                listed(event.get("aliases")),
            ]
        });
        page.table(["EVENT", "TOPIC", "MEANS", "ALSO FIRED AS"], rows.collect());
    }
    page
}

fn name(app: &Value) -> String {
    app.pointer("/attributes/name").map_or_else(|| text_at(app, "/id"), brief)
}

fn events(app: &Value) -> &[Value] {
    app.pointer("/attributes/events").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn listed(items: Option<&Value>) -> String {
    let items = items.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items.iter().map(brief).collect::<Vec<_>>().join(", ")
}
