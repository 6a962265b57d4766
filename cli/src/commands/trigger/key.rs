//! An API key for five minutes, to post to a hook that takes API keys.

use serde_json::{Value, json};

use crate::{
    client::{Address, Client},
    failure::Failure,
    machine::now,
};

/// Should it not be deleted, it stops working by itself.
const LIFE_SECONDS: i64 = 300;

/// What a key needs to post to webhooks. *Source*: the seed on web hooks.
const HOOKS_ROLE: &str = "org.hooks";

/// A key that was made here.
pub(super) struct ShortKey {
    id: String,
    /// What is sent.
    pub(super) token: String,
}

impl ShortKey {
    /// Makes the key.
    ///
    /// *Errors*: those of the API; a refusal comes with what to do instead.
    pub(super) fn make(client: &Client) -> Result<Self, Failure> {
        let expires_at = now().plus_seconds(LIFE_SECONDS).to_string();
        let draft = json!({ "name": "hookwright trigger", "roles": [HOOKS_ROLE], "expiresAt": expires_at });
        let answer = client.post(&Address::of(&["api-keys"]), draft.to_string().into_bytes()).map_err(hinted)?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        match (text("/data/id"), text("/data/attributes/token")) {
            (Some(id), Some(token)) => Ok(Self { id, token }),
            _ => Err(Failure::Unavailable("The server made a key and did not say which.".to_owned())),
        }
    }

    /// Deletes the key.
    ///
    /// *Errors*: those of the API.
    pub(super) fn delete(self, client: &Client) -> Result<(), Failure> {
        client.delete(&Address::of(&["api-keys", &self.id])).map(drop)
    }
}

fn hinted(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(mut refusal) => {
            refusal.hint.get_or_insert_with(|| {
                format!("The hook takes API keys and none could be made for it. Pass one with the role {HOOKS_ROLE} with --key or HOOKWRIGHT_HOOK_KEY.")
            });
            Failure::Refused(refusal)
        }
        Failure::Usage(_)
        | Failure::Unavailable(_)
        | Failure::Answered(_)
        | Failure::Problems
        | Failure::Pending
        | Failure::CasesFailed
        | Failure::FilesWrong
        | Failure::OutputClosed => failure,
    }
}
