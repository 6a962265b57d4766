//! What is asked of the file of a hook: what a server would refuse, or take without a word and do nothing with.

use domain::{Auth, Duplicates, Guard, HookKind, Limit, MailRule, Reply, UPLOAD_LIMIT_BYTES, UploadRule};
use engine::Problem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use service::hook_settings;

use super::{hooks, placeholders::key_path, problem};

const TITLE_LIMIT_CHARS: usize = 256;
const DESCRIPTION_LIMIT_CHARS: usize = 4_096;

const OF_ALL: [&str; 6] = ["kind", "title", "description", "eventName", "limit", "duplicates"];
const OF_FORMS: [&str; 5] = ["reply", "addressLimit", "tape", "guard", "uploads"];
const OF_WEBHOOKS: [&str; 6] = ["reply", "addressLimit", "tape", "auth", "app", "methods"];
const OF_MAIL: [&str; 1] = ["mail"];

/// What is in no file: the path, below which it stands, and its name.
const SECRETS: [(&str, &str); 6] = [
    ("auth", "secrets"),
    ("auth", "addSecrets"),
    ("auth", "verifyToken"),
    ("guard", "turnstileSecret"),
    ("guard", "recaptchaSecret"),
    ("", "key"),
];

/// The members of the settings that are objects, those among them that are secrets.
const MEMBERS: [(&str, &[&str]); 8] = [
    ("limit", &hook_settings::LIMIT),
    ("addressLimit", &hook_settings::LIMIT),
    ("duplicates", &hook_settings::DUPLICATES),
    ("reply", &hook_settings::REPLY),
    ("uploads", &hook_settings::UPLOADS),
    ("guard", &hook_settings::GUARD),
    ("mail", &hook_settings::MAIL),
    ("auth", &hook_settings::AUTH),
];

/// Everything that is wrong with the file of a hook.
pub(super) fn check(document: &Map<String, Value>) -> Vec<Problem> {
    let Some(kind) = document.get("kind").and_then(Value::as_str).and_then(hooks::kind_of) else {
        let message = "Say the `kind` of the hook: \"form\", \"web\" or \"email\".";
        return vec![problem("$.kind", "unknown_kind", message)];
    };
    let mut problems = secrets(document);
    problems.extend(unknown_keys(kind, document));
    problems.extend(texts(document));
    if problems.is_empty() {
        problems.extend(values(document));
        // Secrets are no part of a file, so that they are missing is none of its faults.
        let auth = auth_problem(&hooks::settings(kind, document), None).filter(|(setting, _)| setting != "secrets");
        problems
            .extend(auth.map(|(setting, sentence)| problem(format!("$.auth.{setting}"), "bad_attribute", sentence)));
    }
    problems
}

/// What keeps a webhook with these settings and secrets from being made: the setting, and a sentence.
pub(crate) fn auth_problem(
    settings: &Map<String, Value>,
    secrets: Option<&Map<String, Value>>,
) -> Option<(String, String)> {
    let mut auth = settings.get("auth")?.as_object()?.clone();
    auth.extend(secrets.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    match serde_json::from_value::<Auth>(Value::Object(auth)) {
        Ok(auth) => service::senders::check_auth(&auth).err().map(|(setting, sentence)| (setting.to_owned(), sentence)),
        // What cannot be read may be a secret, so it is not quoted.
        Err(_) => Some(("*".to_owned(), "A setting of `auth` is of another type than it has to be.".to_owned())),
    }
}

fn secrets(document: &Map<String, Value>) -> Vec<Problem> {
    let found = SECRETS.into_iter().filter_map(|(above, name)| {
        let (place, path) = match above {
            "" => (Some(document), "$".to_owned()),
            above => (document.get(above).and_then(Value::as_object), key_path("$", above)),
        };
        place?.get(name).filter(|value| !value.is_null())?;
        let message = format!(
            "`{name}` is a secret, and a project goes into a repository. Take it out, and hand it to `hookwright workflows apply` with --secrets FILE."
        );
        Some(problem(key_path(&path, name), "secret_in_project", message))
    });
    found.collect()
}

fn unknown_keys(kind: HookKind, document: &Map<String, Value>) -> Vec<Problem> {
    let own: &[&str] = match kind {
        HookKind::Form => &OF_FORMS,
        HookKind::Web => &OF_WEBHOOKS,
        HookKind::Email => &OF_MAIL,
    };
    let is_secret = |above: &str, key: &str| SECRETS.contains(&(above, key));
    let mut problems = Vec::new();
    for key in document.keys().filter(|key| !OF_ALL.contains(&key.as_str()) && !is_secret("", key)) {
        if own.contains(&key.as_str()) {
            continue;
        }
        let message = match key.as_str() {
            "debug" => {
                "`debug` ends by itself, so it is no part of a project. Use `hookwright hooks debug ID on`.".to_owned()
            }
            "paused" => {
                "`paused` is what a hook does at the moment, so it is no part of a project. Use `hookwright hooks pause ID`."
                    .to_owned()
            }
            _ => {
                let known: Vec<&str> = OF_ALL.iter().chain(own).copied().collect();
                format!("A hook of the kind {} has no `{key}`; it has {}.", kind.word(), known.join(", "))
            }
        };
        problems.push(problem(key_path("$", key), "unknown_key", message));
    }
    for (name, members) in MEMBERS {
        let given = document.get(name).and_then(Value::as_object).into_iter().flatten();
        for (key, _) in given.filter(|(key, _)| !members.contains(&key.as_str())) {
            let known: Vec<&str> = members.iter().copied().filter(|member| !is_secret(name, member)).collect();
            let message = format!("`{name}` has no `{key}`; it has {}.", known.join(", "));
            problems.push(problem(key_path(&key_path("$", name), key), "unknown_key", message));
        }
    }
    problems
}

fn texts(document: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = Vec::new();
    match document.get("title").and_then(Value::as_str).map(str::trim) {
        None | Some("") => {
            let message = "A hook needs a `title`: it is what an org knows the hook of a project by.";
            problems.push(problem("$.title", "missing_field", message));
        }
        Some(title) if title.chars().count() > TITLE_LIMIT_CHARS => {
            problems.push(problem(
                "$.title",
                "too_long",
                format!("`title` has at most {TITLE_LIMIT_CHARS} characters."),
            ));
        }
        Some(_) => {}
    }
    for (name, limit) in [("description", DESCRIPTION_LIMIT_CHARS), ("eventName", TITLE_LIMIT_CHARS)] {
        let is_wrong = document.get(name).is_some_and(|value| match value {
            Value::Null => false,
            Value::String(text) => text.chars().count() > limit,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
        });
        if is_wrong {
            let message = format!("`{name}` is a text of at most {limit} characters.");
            problems.push(problem(key_path("$", name), "bad_attribute", message));
        }
    }
    problems
}

/// The values, as a server reads them.
fn values(document: &Map<String, Value>) -> Vec<Problem> {
    let at = |name: &str| document.get(name).filter(|value| !value.is_null());
    let mut problems = Vec::new();
    let mut tell = |name: &str, outcome: Result<(), String>| {
        problems.extend(outcome.err().map(|sentence| {
            let message = format!("{}.", sentence.trim_end_matches('.'));
            problem(key_path("$", name), "bad_attribute", message)
        }));
    };
    for name in ["limit", "addressLimit"] {
        tell(name, checked::<Limit>(at(name), |limit| limit.check()));
    }
    tell("reply", checked::<Reply>(at("reply"), |reply| reply.check()));
    if at("duplicates") != Some(&Value::Bool(false)) {
        tell("duplicates", checked::<Duplicates>(at("duplicates"), |duplicates| duplicates.check()));
    }
    tell(
        "uploads",
        checked::<UploadRule>(at("uploads"), |uploads| match uploads.limit_bytes {
            1..=UPLOAD_LIMIT_BYTES => Ok(()),
            _ => Err(format!("limitBytes is 1 to {UPLOAD_LIMIT_BYTES}")),
        }),
    );
    tell("mail", checked::<MailRule>(at("mail"), MailRule::check));
    let guard = at("guard").map(|guard| {
        let mut guard = guard.clone();
        // It is kept otherwise than it is written.
        if let Some(members) = guard.as_object_mut() {
            members.shift_remove("recaptchaMinimumScore");
        }
        guard
    });
    tell("guard", checked::<Guard>(guard.as_ref(), service::guard::check_settings));
    let tape = at("tape").filter(|tape| !tape.is_boolean());
    tell("tape", tape.map_or(Ok(()), |_| Err("`tape` is true or false".to_owned())));
    problems
}

fn checked<T: DeserializeOwned>(value: Option<&Value>, check: impl Fn(&T) -> Result<(), String>) -> Result<(), String> {
    let Some(value) = value else { return Ok(()) };
    // A list would be read as well, its items in the order of the fields.
    if !value.is_object() {
        return Err("It has to be an object".to_owned());
    }
    match serde_json::from_value::<T>(value.clone()) {
        Ok(read) => check(&read),
        Err(error) => Err(format!("It cannot be read: {error}")),
    }
}
