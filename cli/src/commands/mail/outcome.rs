//! What became of a mail that was sent: the transaction, or why there is none.
//!
//! A server that takes a mail has not looked into it yet, so this is asked for until it is there.

use std::{
    collections::HashSet,
    thread,
    time::{Duration, Instant},
};

use domain::{HookId, TransactionId};
use serde_json::{Value, json};

use super::{recipient::Recipient, relay::Taken};
use crate::{
    client::{Address, Client},
    commands::{hooks, transactions},
    failure::Failure,
    output::{Page, text_at},
    session::Session,
};

const ASK_EVERY: Duration = Duration::from_millis(300);

/// The status of what is not there, or not yet.
const NOT_FOUND: u16 = 404;

/// What became of a mail at a hook.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is a transaction; this is the API's document.
    Fired(Value),
    /// It started nothing.
    NotFired {
        /// The API's resource that tells why.
        refusal: Value,
    },
    /// Nothing is known of it.
    Unseen,
}

/// A hook that is watched for a mail.
pub(super) struct Watch {
    hook: String,
    /// Of mails before it.
    known: HashSet<String>,
}

impl Watch {
    /// Watches for nothing, where nobody wants to wait.
    pub(super) fn idle(hook: &str) -> Self {
        Self { hook: hook.to_owned(), known: HashSet::new() }
    }

    /// Notes what is there before the mail is sent.
    ///
    /// *Errors*: those of the API.
    pub(super) fn begin(client: &Client, hook: &str) -> Result<Self, Failure> {
        let mut watch = Self::idle(hook);
        watch.known = refusals(client, hook)?.iter().map(|refusal| text_at(refusal, "/id")).collect();
        Ok(watch)
    }

    /// Asks until the mail is there, or `wait` is over.
    ///
    /// *Errors*: those of the API.
    pub(super) fn until(&self, session: &Session, taken: &Taken, wait: Duration) -> Result<Outcome, Failure> {
        let begun = Instant::now();
        let transaction = self.transaction_of(taken);
        while !wait.is_zero() {
            if let Some(outcome) = self.ask(&session.client, transaction.as_deref())? {
                return Ok(outcome);
            }
            if begun.elapsed() >= wait {
                break;
            }
            thread::sleep(ASK_EVERY);
        }
        Ok(Outcome::Unseen)
    }

    /// Its id follows from the hook and from what the server calls the mail.
    fn transaction_of(&self, taken: &Taken) -> Option<String> {
        let hook = HookId::parse(&self.hook).ok()?;
        Some(TransactionId::for_mail(hook, taken.mail.as_deref()?).to_string())
    }

    /// *Why refusals come first*: a mail that is only kept for the record is a transaction too.
    fn ask(&self, client: &Client, transaction: Option<&str>) -> Result<Option<Outcome>, Failure> {
        if let Some(refusal) = self.refusal(client, transaction)? {
            return Ok(Some(Outcome::NotFired { refusal }));
        }
        let Some(id) = transaction else { return Ok(None) };
        let document = match client.get(&Address::of(&["transactions", id])) {
            Err(Failure::Refused(refusal)) if refusal.status == NOT_FOUND => return Ok(None),
            answer => answer?,
        };
        let Some(reason) = document.pointer("/meta/trace/notFired").filter(|reason| reason.is_object()) else {
            return Ok(Some(Outcome::Fired(document)));
        };
        // It was explained a moment after it was kept, unless there was too much to explain.
        let refusal = self.refusal(client, transaction)?.unwrap_or_else(|| {
            json!({ "id": id, "attributes": {
            "createdAt": document.pointer("/data/attributes/createdAt"), "code": reason.get("code"),
            "detail": reason.get("sentence"), "transactionId": id } })
        });
        Ok(Some(Outcome::NotFired { refusal }))
    }

    fn refusal(&self, client: &Client, transaction: Option<&str>) -> Result<Option<Value>, Failure> {
        Ok(refusals(client, &self.hook)?.into_iter().find(|refusal| {
            let of = refusal.pointer("/attributes/transactionId").and_then(Value::as_str);
            let is_other = of.is_some_and(|of| transaction.is_some_and(|id| id != of));
            !is_other && !self.known.contains(&text_at(refusal, "/id"))
        }))
    }
}

impl Outcome {
    /// For programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Fired(_) => "fired",
            Self::NotFired { .. } => "not_fired",
            Self::Unseen => "unseen",
        }
    }

    /// The transaction's resource.
    pub(super) fn transaction(&self) -> Option<&Value> {
        match self {
            Self::Fired(document) => document.get("data"),
            Self::NotFired { .. } | Self::Unseen => None,
        }
    }

    /// The refusal's resource.
    pub(super) fn refusal(&self) -> Option<&Value> {
        match self {
            Self::NotFired { refusal } => Some(refusal),
            Self::Fired(_) | Self::Unseen => None,
        }
    }

    /// For people.
    pub(super) fn page(&self, recipient: &Recipient) -> Page {
        let mut page = Page::default();
        page.line("");
        page.line(format!("At {} ({}):", recipient.id, recipient.address));
        match self {
            Self::Fired(document) => page.append(transactions::view(document)),
            Self::NotFired { refusal } => {
                page.append(hooks::mail_refusal(&recipient.id, refusal.get("attributes").unwrap_or(&Value::Null)));
            }
            Self::Unseen => {
                page.line(
                    "  Nothing is known of it. It may still come; a mail with the Message-ID of one that came before,",
                );
                page.line("  and an address that is no hook's, leave nothing behind.");
                page.line(format!("  Look again with `hookwright hooks doctor {} --kind email`.", recipient.id));
            }
        }
        page
    }
}

fn refusals(client: &Client, hook: &str) -> Result<Vec<Value>, Failure> {
    let document = client.get(&Address::of(&["hooks", hooks::MAIL_KIND, hook, "refusals"]))?;
    Ok(document.get("data").and_then(Value::as_array).cloned().unwrap_or_default())
}
