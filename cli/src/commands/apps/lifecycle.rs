//! Apps of an org's own: registered from a file, installed, upgraded, uninstalled.

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::workflows::problems;
use crate::{
    client::Address,
    failure::Failure,
    output::{Page, text_at},
    session::Session,
    source,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a version of an app from its definition
    #[command(after_help = "\
Examples:
  hookwright workflows lint ecommstore.json
  hookwright apps register ecommstore.json

Every later version has a higher number. A version never changes; register the same file again and nothing does.")]
    Register {
        /// The definition, or - for standard input
        file: String,
    },
    /// List the apps that were registered, or show a version of one
    #[command(after_help = "\
Examples:
  hookwright apps available
  hookwright apps available ecommstore --version 0.0.1 --json")]
    Available {
        /// The app's name
        name: Option<String>,
        /// The version; the newest without it
        #[arg(long, requires = "name")]
        version: Option<String>,
    },
    /// Install an app: its hooks, workflows and klasses, all of it or nothing
    #[command(after_help = "\
Examples:
  hookwright apps install ecommstore
  hookwright apps install ecommstore --version 0.0.1

The addresses of its hooks are printed. Set what it needs with `hookwright apps settings NAME --set …`.")]
    Install(AppVersion),
    /// Upgrade an installed app; runs under way finish on the version they began with
    #[command(after_help = "\
Examples:
  hookwright apps upgrade ecommstore
  hookwright apps upgrade ecommstore --version 0.1.0

Hooks keep their addresses. Where it was interrupted, do it again.")]
    Upgrade(AppVersion),
    /// Uninstall an app with its hooks, workflows, klasses and settings; records and runs stay
    #[command(after_help = "\
Examples:
  hookwright apps uninstall ecommstore

Where it was interrupted, do it again.")]
    Uninstall {
        /// The app's name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct AppVersion {
    /// The app's name
    name: String,
    /// The version; the newest that was registered without it
    #[arg(long)]
    version: Option<String>,
}

/// Carries the command out.
pub(super) fn run(command: Command, session: &Session) -> Result<(), Failure> {
    let client = &session.client;
    match command {
        Command::Register { file } => {
            let registered = client.post(&Address::of(&["apps", "available"]), source::read(&file)?)?;
            session.show_document(&registered, registered_page)
        }
        Command::Available { name: None, .. } => {
            session.show(&client.get(&Address::of(&["apps", "available"]))?, available)
        }
        Command::Available { name: Some(name), version } => {
            let address = Address::of(&["apps", "available", &name]).query("version", version.as_deref());
            session.show(&client.get(&address)?, definition)
        }
        Command::Install(AppVersion { name, version }) => {
            let wanted = json!({ "app": name, "version": version });
            session.show(&client.post(&Address::of(&["apps"]), wanted.to_string().into_bytes())?, installed)
        }
        Command::Upgrade(AppVersion { name, version }) => {
            let wanted = json!({ "version": version });
            session.show(&client.put(&Address::of(&["apps", &name]), wanted.to_string().into_bytes())?, installed)
        }
        Command::Uninstall { name } => session
            .remove(&Address::of(&["apps", &name]), format!("The app {name} is uninstalled. Records and runs stay.")),
    }
}

fn registered_page(document: &Value) -> Page {
    let mut page = Page::default();
    let app = document.get("data").unwrap_or(document);
    let (name, version) = (text_at(app, "/id"), text_at(app, "/attributes/version"));
    page.line(format!(
        "Version {version} of the app {name} is registered. `hookwright apps install {name}` installs it, `apps upgrade {name}` where an earlier one is."
    ));
    page.append(problems("warning", document.pointer("/meta/warnings")));
    page
}

fn available(apps: &Value) -> Page {
    let apps = apps.as_array().map_or(&[][..], Vec::as_slice);
    if apps.is_empty() {
        return Page::of_line("No apps were registered. Register one with `hookwright apps register FILE`.");
    }
    let mut page = Page::default();
    let rows = apps.iter().map(|app| {
        let versions = app.pointer("/attributes/versions").and_then(Value::as_array).map_or(0, Vec::len);
        let (name, newest) = (text_at(app, "/id"), text_at(app, "/attributes/version"));
        [name, newest, versions.to_string(), text_at(app, "/attributes/title")]
    });
    page.table(["NAME", "NEWEST", "VERSIONS", "TITLE"], rows.collect());
    page
}

fn definition(app: &Value) -> Page {
    let mut page = Page::default();
    page.json(app.pointer("/attributes/definition").unwrap_or(app));
    page
}

/// An app of the org's own, with where to send data and what is still to be set.
pub(super) fn installed(app: &Value) -> Page {
    let mut page = Page::default();
    page.fields(&[
        ("name", text_at(app, "/id")),
        ("title", text_at(app, "/attributes/displayName")),
        ("version", text_at(app, "/attributes/version")),
        ("state", text_at(app, "/attributes/state")),
        ("klasses", super::listed(app.pointer("/attributes/klasses"))),
        ("needs", super::listed(app.pointer("/attributes/dependencies"))),
        ("to be set", super::listed(app.pointer("/attributes/missingSettings"))),
    ]);
    let list = |key: &str| app.pointer(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let hooks = list("/attributes/hooks");
    if !hooks.is_empty() {
        page.line("");
        let address = |hook: &Value| {
            let key = if hook.get("url").is_some() { "/url" } else { "/email" };
            text_at(hook, key)
        };
        let rows = hooks.iter().map(|hook| [text_at(hook, "/eventName"), text_at(hook, "/id"), address(hook)]);
        page.table(["EVENT", "HOOK", "ADDRESS"], rows.collect());
    }
    let workflows = list("/attributes/workflows");
    if !workflows.is_empty() {
        page.line("");
        let rows = workflows.iter().map(|workflow| [text_at(workflow, "/name"), text_at(workflow, "/id")]);
        page.table(["WORKFLOW", "ID"], rows.collect());
    }
    page
}
