//! Mails that would go round in circles, and are not sent.

use serde_json::Value;

use super::{
    super::{NotDone, params::shown},
    draft::Draft,
    mailbox::Mailbox,
};

/// Values of `Precedence` that no program should answer. *Source*: RFC 3834, 2.
const BULK: [&str; 3] = ["bulk", "list", "junk"];

/// Whether the mail may go out; `trigger` is what is known of the mail that started the run, where one did.
///
/// *Errors*: `mail_loop`, if it or the answers to it go to the own domain, whose addresses are hooks, or if it answers a mail that no program
/// should answer.
pub(super) fn check(draft: &Draft, own_domain: Option<&str>, trigger: Option<&Value>) -> Result<(), NotDone> {
    let own = |mailbox: &&Mailbox| own_domain.is_some_and(|own| mailbox.domain().eq_ignore_ascii_case(own));
    if let Some(mailbox) = draft.recipients().find(own) {
        let message = format!(
            "A mail to `{}` would come back here as a new transaction, again and again. Send it to an address of another domain.",
            shown(&mailbox.address)
        );
        return Err(NotDone::failed("mail_loop", message));
    }
    if let Some(mailbox) = draft.reply_to.iter().find(own) {
        let message = format!(
            "Answers to `{}` would come back here as new transactions, also those of programs that answer every mail. Let \
             them go to an address of another domain.",
            shown(&mailbox.address)
        );
        return Err(NotDone::failed("mail_loop", message));
    }
    let Some((trigger, why)) = trigger.and_then(|trigger| Some((trigger, automatic(trigger)?))) else {
        return Ok(());
    };
    let senders = senders(trigger);
    let answers = |mailbox: &&Mailbox| senders.iter().any(|sender| sender.eq_ignore_ascii_case(&mailbox.address));
    match draft.recipients().find(answers) {
        Some(mailbox) => {
            let message = format!(
                "The mail to `{}` would answer one that {why}; two programs that answer each other never stop.",
                shown(&mailbox.address)
            );
            Err(NotDone::failed("mail_loop", message))
        }
        None => Ok(()),
    }
}

/// Why no program should answer the mail, as the end of a sentence. *Source*: RFC 3834, 2.
fn automatic(trigger: &Value) -> Option<&'static str> {
    let word = |key: &str| {
        let text = trigger.get(key).and_then(Value::as_str)?;
        // Behind a semicolon there may be parameters.
        Some(text.split(';').next().unwrap_or_default().trim().to_lowercase())
    };
    if word("autoSubmitted").is_some_and(|word| word != "no") {
        return Some("a program sent (it has Auto-Submitted)");
    }
    if word("precedence").is_some_and(|word| BULK.contains(&word.as_str())) {
        return Some("went to many (it has Precedence)");
    }
    // Where nothing is known of the envelope, as in an event of a bucket, there is no text.
    let is_bounce = word("envelopeFrom").is_some_and(|sender| matches!(sender.as_str(), "" | "<>"));
    is_bounce.then_some("wants no answer (its envelope has no sender)")
}

/// Every address at which the sender of the mail would get an answer.
fn senders(trigger: &Value) -> Vec<&str> {
    let listed = ["from", "replyTo"].into_iter().filter_map(|key| trigger.get(key)?.as_array()).flatten();
    let listed = listed.filter_map(|mailbox| mailbox.get("address")?.as_str());
    listed.chain(trigger.get("envelopeFrom").and_then(Value::as_str)).map(str::trim).collect()
}
