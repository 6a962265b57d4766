//! The parts of `docs/actions.md` that are made of the descriptions of the actions. They are written by
//! `cargo run -p service --example write_action_docs`; a test fails while they are not what the actions say.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::{Map, json};
use service::actions::{Attributes, Description, Need, Param, attributes, descriptions, params_beside, params_of};

use crate::layout;

/// Where the page is.
pub(crate) fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/actions.md")
}

/// The page with every made part as the actions say now.
///
/// *Panics* where the page has no place for a part.
pub(crate) fn made_anew(page: &str) -> String {
    let page = between(page, "list", &list());
    let page = between(&page, "actions", &sections());
    between(&page, "failures", &failures())
}

const END: &str = "<!-- end -->";

fn between(page: &str, name: &str, text: &str) -> String {
    let begin = format!("<!-- made: {name} -->\n");
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/actions.md has no {begin}"));
    let (_, after) = rest.split_once(END).unwrap_or_else(|| panic!("{begin} has no end"));
    format!("{before}{begin}{text}{END}{after}")
}

fn list() -> String {
    let mut text = "| action | does | gives |\n| --- | --- | --- |\n".to_owned();
    for Description { name, summary, gives, .. } in descriptions() {
        let anchor: String = name.chars().filter(|c| *c != '.').collect();
        writeln!(text, "| [`{name}`](#{anchor}) | {} | {} |", escaped(summary), coded(gives)).unwrap();
    }
    text
}

fn sections() -> String {
    let mut text = String::new();
    let mut about = "";
    for action in descriptions() {
        let noun = action.name.split('.').nth(1).unwrap();
        let of_kind = attributes().iter().find(|attributes| attributes.noun == noun);
        let (noun, heading) = heading(noun);
        if noun != about {
            about = noun;
            writeln!(text, "\n## {heading}").unwrap();
            if let Some(of_kind) = of_kind.filter(|_| noun != "user") {
                writeln!(text, "\n| attribute | takes | |\n| --- | --- | --- |").unwrap();
                for param in params_of(&json!({ "properties": of_kind.taken, "$defs": action.params["$defs"] })) {
                    text.push_str(&row(&param));
                }
            }
        }
        section(&mut text, action, of_kind);
    }
    text
}

/// What the actions about `noun` stand under.
fn heading(noun: &str) -> (&'static str, &'static str) {
    match noun {
        "customer" => ("customer", "Customers"),
        "company" => ("company", "Companies"),
        "conversation" => ("conversation", "Conversations"),
        "message" => ("message", "Messages"),
        "note" => ("note", "Notes"),
        "klass" => ("klass", "Klasses"),
        "kobject" => ("kobject", "Instances of klasses"),
        "user" => ("user", "Users"),
        "app" => ("app", "Mails"),
        _ => ("other", "The org, events, texts"),
    }
}

fn section(text: &mut String, action: &Description, of_kind: Option<&Attributes>) {
    let Description { name, summary, params, gives, failures, example, .. } = action;
    write!(text, "\n### `{name}`\n\n{summary}\nGives {}.\n", coded(gives)).unwrap();
    // Actions that take the attributes of a record take `custom` among them.
    let of_kind = of_kind.filter(|_| params["properties"].get("custom").is_some());
    let none = Map::new();
    let own = params_beside(params, of_kind.map_or(&none, |of_kind| &of_kind.taken));
    let needed = params_of(params).into_iter().filter(|param| param.need != Need::Never && !own.contains(param));
    let rows: Vec<Param> = own.iter().cloned().chain(needed).collect();
    if of_kind.is_some() {
        writeln!(text, "Takes the attributes above{}", if rows.is_empty() { "." } else { ", and of these:" }).unwrap();
    }
    if !rows.is_empty() {
        writeln!(text, "\n| param | takes | |\n| --- | --- | --- |").unwrap();
        rows.iter().for_each(|param| text.push_str(&row(param)));
    }
    if !failures.is_empty() {
        let codes: Vec<String> = failures.iter().map(|(code, _)| format!("`{code}`")).collect();
        write!(text, "\nFails with {}.\n", codes.join(", ")).unwrap();
    }
    let (given, made) = (layout::laid_out(&example.params), layout::laid_out(&example.output));
    write!(text, "\n```json\n{given}\n```\n```json\n{made}\n```\n").unwrap();
}

fn row(Param { name, need, takes, meaning }: &Param) -> String {
    let name = match need {
        Need::Always => format!("**`{name}`**"),
        Need::OneOf => format!("*`{name}`*"),
        Need::Never => format!("`{name}`"),
    };
    format!("| {name} | {} | {} |\n", escaped(takes), escaped(meaning))
}

fn failures() -> String {
    let mut told: BTreeMap<&str, &str> = BTreeMap::new();
    for action in descriptions() {
        told.extend(action.failures.iter().map(|(code, meaning)| (code.as_str(), meaning.as_str())));
    }
    let mut text = "| code | means |\n| --- | --- |\n".to_owned();
    for (code, meaning) in told {
        writeln!(text, "| `{code}` | {} |", escaped(meaning)).unwrap();
    }
    text
}

/// With the empty object as code.
fn coded(text: &str) -> String {
    escaped(text).replace("{}", "`{}`")
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
