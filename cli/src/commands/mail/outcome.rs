//! What became of a mail that was sent: the transaction, or why there is none.
//!
//! A server that takes a mail has not looked into it yet, so this is asked for until it is there.

use std::{
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
};

const ASK_EVERY: Duration = Duration::from_millis(300);

/// How often a transaction is asked for again while a run that it starts is not there yet: 3 seconds in all.
const RUN_ASKS: u32 = 10;

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

/// Asks until it is known what became of the mail at `hook` and its runs are there, or `wait` is over.
///
/// *Errors*: those of the API.
pub(super) fn outcome(client: &Client, hook: &str, taken: &Taken, wait: Duration) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let mut outcome = Outcome::Unseen;
    let Some(id) = id_of(hook, taken).filter(|_| !wait.is_zero()) else { return Ok(outcome) };
    let mut run_asks_left = RUN_ASKS;
    loop {
        if let Some(known) = ask(client, hook, &id)? {
            outcome = known;
            if run_asks_left == 0 || !outcome.lacks_runs() {
                return Ok(outcome);
            }
            run_asks_left -= 1;
        }
        if begun.elapsed() >= wait {
            return Ok(outcome);
        }
        thread::sleep(ASK_EVERY);
    }
}

/// The id that the mail has at the hook, whether it is a transaction, waits in quarantine or was refused: it follows from
/// the hook and from what the server calls the mail.
fn id_of(hook: &str, taken: &Taken) -> Option<String> {
    let hook = HookId::parse(hook).ok()?;
    Some(TransactionId::for_mail(hook, taken.mail.as_deref()?).to_string())
}

/// *Why refusals come first*: a mail that is only kept for the record is a transaction too.
fn ask(client: &Client, hook: &str, id: &str) -> Result<Option<Outcome>, Failure> {
    if let Some(refusal) = refusal(client, hook, id)? {
        return Ok(Some(Outcome::NotFired { refusal }));
    }
    let document = match client.get(&Address::of(&["transactions", id])) {
        Err(Failure::Refused(refusal)) if refusal.status == NOT_FOUND => return Ok(None),
        answer => answer?,
    };
    let Some(reason) = document.pointer("/meta/trace/notFired").filter(|reason| reason.is_object()) else {
        return Ok(Some(Outcome::Fired(document)));
    };
    // It was explained a moment after it was kept, unless there was too much to explain.
    let refusal = self::refusal(client, hook, id)?.unwrap_or_else(|| {
        json!({ "id": id, "attributes": {
        "createdAt": document.pointer("/data/attributes/createdAt"), "code": reason.get("code"),
        "detail": reason.get("sentence"), "transactionId": id } })
    });
    Ok(Some(Outcome::NotFired { refusal }))
}

fn refusal(client: &Client, hook: &str, id: &str) -> Result<Option<Value>, Failure> {
    let document = client.get(&Address::of(&["hooks", hooks::MAIL_KIND, hook, "refusals"]))?;
    let refusals = document.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Ok(refusals.iter().find(|refusal| text_at(refusal, "/id") == id).cloned())
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

    /// Whether a run was started that the server cannot show yet.
    fn lacks_runs(&self) -> bool {
        let Self::Fired(document) = self else { return false };
        let considered = document.pointer("/meta/trace/considered").and_then(Value::as_array);
        considered.is_some_and(|considered| considered.iter().any(is_to_come))
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
                page.append(hooks::mail_refusal(&recipient.id, refusal));
            }
            Self::Unseen => {
                page.line("  Nothing is known of it. It may still come; at an address that is no hook's it leaves nothing behind.");
                page.line(format!("  Look again with `hookwright hooks doctor {} --kind email`.", recipient.id));
            }
        }
        page
    }
}

fn is_to_come(considered: &Value) -> bool {
    let run = considered.get("run").filter(|run| run.get("id").is_some_and(Value::is_string));
    run.is_some_and(|run| !run.get("state").is_some_and(Value::is_string))
}
