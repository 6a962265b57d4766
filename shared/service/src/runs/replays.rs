//! What the journal of a run says of its being replayed from where it failed.

use domain::{ApiKeyId, Timestamp};
use serde::{Deserialize, Serialize};

/// Who had a run replayed from where it failed, and on what.
///
/// *Shape*: `{"at":"…","key":"…","fromHash":"…","toHash":"…","request":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// When.
    pub at: Timestamp,
    /// The API key of whoever said so.
    pub key: ApiKeyId,
    /// The definition that it failed on.
    pub from_hash: String,
    /// The definition that it goes on with; mostly the same.
    pub to_hash: String,
    /// What the request is known by, so that one that is repeated is not taken for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}
