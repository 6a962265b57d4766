//! What a hook answered to a sample.

use serde_json::{Value, json};

use crate::{
    outgoing::Reply,
    output::{Page, shortened},
};

/// A body that is longer says no more to a person.
const BODY_LIMIT_CHARS: usize = 2_000;

/// An answer and what is in it.
pub(super) struct Answer {
    reply: Reply,
    transaction_ids: Vec<String>,
}

impl Answer {
    /// Reads the answer.
    pub(super) fn to(reply: Reply) -> Self {
        let document: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        let data = document.get("data").unwrap_or(&Value::Null);
        let resources = data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
        let of_transactions = |resource: &&Value| resource.get("type").and_then(Value::as_str) == Some("transaction");
        let ids = resources.iter().filter(of_transactions).filter_map(|resource| resource.get("id")?.as_str());
        Self { transaction_ids: ids.map(str::to_owned).collect(), reply }
    }

    /// The HTTP status.
    pub(super) fn status(&self) -> u16 {
        self.reply.status
    }

    /// Whether the sample was not taken.
    pub(super) fn is_refusal(&self) -> bool {
        self.reply.status >= 400
    }

    /// For people; `hook` is the id and kind, where it was a hook that answered.
    pub(super) fn page(&self, hook: Option<(&str, &str)>) -> Page {
        let mut page = Page::default();
        page.line(format!("answered  {}", self.reply.status));
        let body = String::from_utf8_lossy(&self.reply.body);
        if !body.is_empty() {
            page.line(format!("body      {}", shortened(&body, BODY_LIMIT_CHARS)));
        }
        for id in &self.transaction_ids {
            page.line(format!("arrived   {id}: `hookwright transactions show {id}`"));
        }
        match hook {
            Some((id, kind)) if self.is_refusal() => {
                page.line(format!("Why: `hookwright hooks doctor {id} --kind {kind}`"));
            }
            // The reply of the hook or of its provider names no transaction.
            Some((id, kind)) if self.transaction_ids.is_empty() => {
                page.line(format!(
                    "To see what became of it: `hookwright hooks debug {id} on --kind {kind}`, send it again,"
                ));
                page.line(format!("and then `hookwright hooks transactions {id} --kind {kind}`."));
            }
            Some(_) | None => {}
        }
        page
    }

    /// For programs.
    pub(super) fn document(&self) -> Value {
        json!({ "type": "answer", "attributes": {
            "status": self.reply.status,
            "contentType": self.reply.content_type,
            "body": String::from_utf8_lossy(&self.reply.body),
            "transactionIds": self.transaction_ids,
        } })
    }
}
