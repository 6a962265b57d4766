//! Apps that an org registers and installs: which definitions there are, and what is made of them.
//!
//! ```text
//! register ─→ available ─ install ─→ installed ─ upgrade ─→ installed ─ uninstall ─→ available
//! ```
//!
//! Installing is one write, and so is what makes a newer version the one that counts; each has happened or has not. What a
//! newer version does not have any more, and an app that is uninstalled, go in several writes, of which each may be done
//! again: doing the same again ends what was interrupted.

mod assembly;
mod install;
mod known;
mod register;
pub mod settings;
mod uninstall;
mod upgrade;

use std::sync::Arc;

use domain::{ApiKeyId, OrgId, Rejected, Rejection};
use engine::{Problem, app::AppDefinition};
use semver::Version;

use crate::{
    directory::{apps, hooks::AddressCache},
    ports::{Store, Unavailable, World, WriteError},
};

pub use install::{MailIs, install};
pub(crate) use known::{actions_of, attributes_of};
pub use register::{Registered, register};
pub use uninstall::uninstall;
pub use upgrade::upgrade;

/// Where apps are registered and installed, and by whom.
pub struct Site<'a> {
    /// Where everything is.
    pub store: &'a dyn Store,
    /// Time and chance.
    pub world: &'a Arc<dyn World>,
    /// The org.
    pub org: OrgId,
    /// The key that asks for it.
    pub by: ApiKeyId,
    /// The door's memory of addresses.
    pub addresses: &'a AddressCache,
}

/// Why nothing was done, or not all.
#[derive(Debug)]
pub enum Refusal {
    /// The caller has to change something.
    Rejected(Rejected),
    /// The same of a document, all of it at once.
    Problems(Vec<Problem>),
    /// The world must recover, or somebody else was there first.
    Write(WriteError),
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        Self::Write(error.into())
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

/// A definition that was checked when it was registered.
///
/// *Errors*: this program cannot read what another one took.
fn parsed(document: &serde_json::Value) -> Result<AppDefinition, Refusal> {
    AppDefinition::parse(document).map_err(|problems| {
        let told: Vec<String> =
            problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
        let detail =
            format!("This program cannot read the definition any more; register a newer one. {}", told.join("; "));
        Rejected::new(Rejection::Taken, "definition_unusable", detail).into()
    })
}

/// The definition of the version that is asked for, or of the newest.
async fn definition(site: &Site<'_>, name: &str, version: Option<&str>) -> Result<AppDefinition, Refusal> {
    let available = apps::find_available(site.store, site.org, name).await?.ok_or_else(|| unknown_app(name))?.value;
    let newest = available.versions.last().map(String::as_str).unwrap_or_default();
    let version = version.unwrap_or(newest);
    let found = apps::find_version(site.store, site.org, name, version).await?;
    let document = found.ok_or_else(|| {
        let known = available.versions.join(", ");
        let detail = format!(
            "The app {name} was not registered in a version {}. There are {known}.",
            domain::shortened(version, SHOWN_CHARS)
        );
        Rejected { path: "$.version".to_owned(), ..Rejected::new(Rejection::NotFound, "unknown_version", detail) }
    })?;
    parsed(&document)
}

/// How much of what was asked for a sentence quotes.
const SHOWN_CHARS: usize = 80;

fn unknown_app(name: &str) -> Rejected {
    let name = domain::shortened(name, SHOWN_CHARS);
    let detail = format!("No app {name} was registered in your org. Register it first: POST /v1/apps/available.");
    Rejected { path: "$.app".to_owned(), ..Rejected::new(Rejection::NotFound, "unknown_app", detail) }
}

/// The version as one; what was checked when it was registered always is.
fn version_of(text: &str) -> Result<Version, Unavailable> {
    Version::parse(text)
        .map_err(|error| Unavailable { port: "store", cause: format!("a version cannot be read: {error}") })
}
