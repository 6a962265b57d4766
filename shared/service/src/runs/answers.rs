//! What came for a step that waits: a person's answer, or that nothing will be taken any more.
//!
//! There is one place for each visit of a waiting step, and whoever writes there first decides. A wait that is over writes
//! there as well, in the write that ends it, so that an answer is either used or refused.

use domain::{OrgId, Run, RunId, Timestamp};
use engine::run::Waiting;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{RETENTION_SECONDS, put_or_find};
use crate::{
    document,
    ports::{Freshness, Item, Key, Store, Table, Unavailable},
};

/// Which visit of which step waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingStep {
    /// The owner of the run.
    pub org: OrgId,
    /// The run.
    pub run: RunId,
    /// The branch of it.
    pub branch: String,
    /// The step.
    pub step: String,
    /// The visit.
    pub visit: u32,
    /// The attempt at it.
    pub attempt: u32,
}

/// What stands in the place.
///
/// *Shape*: `{"at":"…","outcome":{"reason":"answer","choice":"approve",…}}`; without an outcome nothing more is taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// When it came.
    pub at: Timestamp,
    /// What becomes the output of the step.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "domain::exact")]
    pub outcome: Option<Value>,
}

/// Whether an answer was the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// It was, and the run is to be woken.
    First,
    /// Another one came before it, or the wait was over.
    TooLate,
}

impl WaitingStep {
    /// The step of `run` that waits.
    pub fn of(run: &Run, waiting: &Waiting<'_>) -> Self {
        let Waiting { branch, step, visit, attempt, .. } = *waiting;
        Self { org: run.org, run: run.id, branch: branch.to_owned(), step: step.to_owned(), visit, attempt }
    }

    /// Where its answer stands.
    pub(crate) fn key(&self) -> Key {
        let Self { org, run, branch, step, visit, attempt } = self;
        Key::new(Table::Runs, format!("{org}#run#{run}"), format!("answer#{branch}#{step}#{visit}#{attempt}"))
    }

    /// The item of its answer.
    pub(crate) fn item(&self, answer: &Answer) -> Result<Item, Unavailable> {
        Ok(Item {
            key: self.key(),
            rev: 1,
            document: document::write(answer)?,
            index: None,
            expires_at: Some(answer.at.plus_seconds(RETENTION_SECONDS).as_second()),
        })
    }
}

/// What stands there for the step.
pub async fn find_answer(store: &dyn Store, step: &WaitingStep) -> Result<Option<Answer>, Unavailable> {
    store.find(&step.key(), Freshness::Latest).await?.as_ref().map(document::read).transpose()
}

/// Writes `answer` for the step, if nothing stands there.
pub async fn give_answer(store: &dyn Store, step: &WaitingStep, answer: &Answer) -> Result<Given, Unavailable> {
    let before: Option<Answer> = put_or_find(store, step.item(answer)?).await?;
    Ok(if before.is_none() { Given::First } else { Given::TooLate })
}
