//! The org and its first key, made on the first start.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use domain::{ApiKey, ApiKeyId, ApiKeySecret, OrgId, Role};
use local::Stack;
use service::{
    directory::keys,
    ports::{Change, Expectation, Freshness, Item, Key, Store, Table, Unavailable, WriteError},
};

/// The org of this stack and the token of its administrator.
pub(super) struct Admin {
    pub(super) org: OrgId,
    pub(super) token: String,
    /// Where the token is; nowhere in memory mode.
    pub(super) file: Option<PathBuf>,
    /// Whether it was made just now.
    pub(super) is_new: bool,
}

/// The token in `file`, made if it is not there; without a file, one that is known to this process only.
///
/// A token whose key the store does not know (the state was removed, the file was kept) is put into the store again.
pub(super) async fn find_or_make(stack: &Stack, file: Option<PathBuf>) -> Result<Admin, String> {
    let existing = file.as_deref().map(read).transpose()?.flatten();
    let (org, id, secret) = match (&existing, &file) {
        (Some(token), Some(file)) => ApiKeySecret::read_token(token).ok_or_else(|| {
            format!("{} holds no API key. Put the key back, or remove the file and the state with it.", file.display())
        })?,
        (Some(_) | None, _) => fresh(stack).await.map_err(|error| error.to_string())?,
    };
    let token = secret.token(org, id);
    keep(stack, org, id, &secret).await?;
    if let (None, Some(file)) = (&existing, &file) {
        write_private(file, &token).map_err(|error| format!("{} cannot be written: {error}.", file.display()))?;
    }
    Ok(Admin { org, token, file, is_new: existing.is_none() })
}

fn read(file: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{} cannot be read: {error}.", file.display())),
    }
}

/// A new key: of the org that this state belongs to, or of a new one if it belongs to none yet.
async fn fresh(stack: &Stack) -> Result<(OrgId, ApiKeyId, ApiKeySecret), Unavailable> {
    let (mut org, mut id, mut secret) = ([0; 8], [0; 8], [0; 32]);
    stack.world.fill(&mut org)?;
    stack.world.fill(&mut id)?;
    stack.world.fill(&mut secret)?;
    let now = stack.world.now();
    let org = owner_or(stack, OrgId::fresh(now, org)).await?;
    Ok((org, ApiKeyId::fresh(now, id), ApiKeySecret::from_random(secret)))
}

/// The org that this state belongs to. It is kept in the store, so that a lost key file does not lose the org.
async fn owner_or(stack: &Stack, new: OrgId) -> Result<OrgId, Unavailable> {
    let key = Key::new(Table::Directory, "local", "org");
    let kept = stack.store.find(&key, Freshness::Latest).await?;
    if let Some(org) = kept.and_then(|item| OrgId::parse(item.document.trim_matches('"')).ok()) {
        return Ok(org);
    }
    let item = Item { key, rev: 1, document: format!("\"{new}\""), index: None, expires_at: None };
    match stack.store.write(&[Change::Put(item, Expectation::Anything)]).await {
        Ok(()) | Err(WriteError::Conflict { .. }) => Ok(new),
        Err(WriteError::Unavailable(error)) => Err(error),
    }
}

/// Puts the key into the store unless it is there.
async fn keep(stack: &Stack, org: OrgId, id: ApiKeyId, secret: &ApiKeySecret) -> Result<(), String> {
    let told = |error: Unavailable| error.to_string();
    if keys::find(stack.store.as_ref(), org, id).await.map_err(told)?.is_some() {
        return Ok(());
    }
    let (name, roles) = ("admin of this machine".to_owned(), vec![Role::parse("org.admin")?]);
    let key = ApiKey::new(id, org, name, roles, secret, stack.world.now());
    keys::create(stack.store.as_ref(), &key).await.map_err(|error| error.to_string())
}

/// Writes a file that only its owner may read, whole or not at all.
fn write_private(file: &Path, token: &str) -> io::Result<()> {
    if let Some(directory) = file.parent() {
        fs::create_dir_all(directory)?;
    }
    let draft = file.with_extension("key.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&draft)?;
    writeln!(open, "{token}")?;
    open.sync_all()?;
    fs::rename(&draft, file)
}
