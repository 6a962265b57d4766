//! The email hook that somebody names: by id, title or address.

use domain::{HookHash, HookId};
use serde_json::Value;

use crate::{
    client::{Address, Client},
    commands::hooks::MAIL_KIND,
    failure::Failure,
    output::text_at,
    paging,
};

/// An email hook that mail can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipient {
    /// Its id.
    pub(super) id: String,
    /// Where the mail goes: the hook's address, or the one that was named, which may have a tag.
    pub(super) address: String,
    /// What the tags of scripts have to show.
    pub(super) key: Option<String>,
}

/// The id of the hook that `name` names. An id is not looked up.
///
/// *Errors*: as [`find`].
pub(super) fn id(client: &Client, name: &str) -> Result<String, Failure> {
    if HookId::parse(name).is_ok() { Ok(name.to_owned()) } else { find(client, name).map(|found| found.id) }
}

/// The hook that `name` names.
///
/// *Errors*: those of the API; there is no such hook, or there are several of that title.
pub(super) fn find(client: &Client, name: &str) -> Result<Recipient, Failure> {
    if HookId::parse(name).is_ok() {
        let document = client.get(&Address::of(&["hooks", MAIL_KIND, name]))?;
        return of(document.get("data").unwrap_or(&Value::Null), None);
    }
    let hash = hash_in(name);
    let mut named = Vec::new();
    for hook in all(client)? {
        if hash.is_some() && hash_in(&text_at(&hook, "/attributes/email")) == hash {
            return of(&hook, Some(name));
        }
        if text_at(&hook, "/attributes/title").to_lowercase() == name.to_lowercase() {
            named.push(hook);
        }
    }
    match named.as_slice() {
        [hook] => of(hook, None),
        [] => Err(Failure::not_found(format!(
            "There is no email hook with the title or address {name}. `hookwright hooks ls --kind email` lists them."
        ))),
        several => {
            let ids: Vec<String> = several.iter().map(|hook| text_at(hook, "/id")).collect();
            Err(Failure::Usage(format!("Several hooks are called {name}; name one by its id: {}.", ids.join(", "))))
        }
    }
}

fn all(client: &Client) -> Result<Vec<Value>, Failure> {
    let mut hooks = Vec::new();
    let mut after = None;
    loop {
        let address = Address::of(&["hooks", MAIL_KIND]).query("pageSize", Some("100"));
        let document = client.get(&address.query("after", after.as_deref()))?;
        hooks.extend(document.get("data").and_then(Value::as_array).cloned().unwrap_or_default());
        after = paging::next_cursor(&document);
        if after.is_none() {
            return Ok(hooks);
        }
    }
}

fn of(hook: &Value, named: Option<&str>) -> Result<Recipient, Failure> {
    let address = named.or_else(|| hook.pointer("/attributes/email")?.as_str());
    let Some(address) = address else {
        return Err(Failure::Unavailable(
            "The hook has no address, because the server has no domain for mail: `hookwright doctor` tells more."
                .to_owned(),
        ));
    };
    let key = hook.pointer("/attributes/key").and_then(Value::as_str).map(str::to_owned);
    Ok(Recipient { id: text_at(hook, "/id"), address: address.to_owned(), key })
}

/// What an address names a hook by, in either of its forms, with or without a tag.
fn hash_in(address: &str) -> Option<HookHash> {
    let (local, _domain) = address.rsplit_once('@')?;
    HookHash::of_local_part(local.split_once('+').map_or(local, |(local, _tag)| local))
}
