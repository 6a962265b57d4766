//! What an org signs its links to answers with. Whoever needs it first makes it, and nobody is ever shown it.

use domain::{OrgId, Timestamp};
use engine::answer_link::LinkKey;
use serde::{Deserialize, Serialize};

use super::put_or_find;
use crate::{
    document,
    ports::{Freshness, Item, Key, Store, Table, Unavailable, World},
};

/// What stands in the place. It stays as long as the org does, because links are good for a year.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    key: String,
    created_at: Timestamp,
}

/// The key of the org, if it has made one.
pub async fn find_link_key(store: &dyn Store, org: OrgId) -> Result<Option<LinkKey>, Unavailable> {
    let found = store.find(&place(org), Freshness::Latest).await?;
    found.map(|item| read(&document::read(&item)?)).transpose()
}

/// The key of the org. Of two that make one at the same time, the second takes that of the first.
pub async fn find_or_make_link_key(store: &dyn Store, world: &dyn World, org: OrgId) -> Result<LinkKey, Unavailable> {
    if let Some(key) = find_link_key(store, org).await? {
        return Ok(key);
    }
    let mut random = [0; 32];
    world.fill(&mut random)?;
    let key = LinkKey::from_random(random);
    let document = document::write(&Kept { key: key.to_hex(), created_at: world.now() })?;
    let item = Item { key: place(org), rev: 1, document, index: None, expires_at: None };
    match put_or_find(store, item).await? {
        Some(first) => read(&first),
        None => Ok(key),
    }
}

fn place(org: OrgId) -> Key {
    Key::new(Table::Runs, format!("{org}#link-key"), "key")
}

fn read(kept: &Kept) -> Result<LinkKey, Unavailable> {
    let unreadable = || Unavailable { port: "store", cause: "the key of an org's links cannot be read".to_owned() };
    LinkKey::parse(&kept.key).ok_or_else(unreadable)
}
