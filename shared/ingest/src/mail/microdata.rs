//! (being written)

use serde_json::Value;

/// The items of a page, as JSON objects.
pub fn items(_html: &str) -> Vec<Value> {
    Vec::new()
}
