//! How mails are handed to hooks: the flags, and the way of one mail.

use std::{borrow::Cow, time::Duration};

use serde_json::{Value, json};

use super::{
    outcome::{Outcome, outcome},
    recipient::Recipient,
    relay::{LOCAL_RELAY, Relay, Taken},
};
use crate::{
    client::Address,
    config::Place,
    failure::Failure,
    output::{self, Format, Page},
    session::Session,
};

/// What stands for nobody, as in an SMTP command.
const NOBODY: &str = "<>";

/// The HTTP status of a request that cannot be carried out as it is, for the exit code.
const NOT_CARRIED_OUT: u16 = 422;

/// The HTTP status of an answer that did not come in time, for the exit code.
const NOT_IN_TIME: u16 = 504;

/// How a mail is sent.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How it is sent")]
pub(super) struct DeliveryArgs {
    /// The mail server [default: the one that a server on this machine listens with]
    #[arg(long, value_name = "HOST:PORT", value_parser = Relay::parse)]
    smtp: Option<Relay>,
    /// Who sends it, in the envelope; <> for nobody [default: the mail's own From]
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// How long to wait for what becomes of it; 0 does not look
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    wait: u64,
}

impl DeliveryArgs {
    /// The server that mails for the hooks of `session` are handed to.
    ///
    /// *Errors*: the hooks are elsewhere, and no mail server was named.
    pub(super) fn relay(&self, session: &Session) -> Result<Relay, Failure> {
        match (&self.smtp, session.client.place()) {
            (Some(relay), _) => Ok(relay.clone()),
            (None, Place::Here) => own_relay(session),
            (None, Place::Elsewhere) => Err(Failure::Usage(
                "Say with --smtp which mail server takes it: the MX record that `hookwright doctor` tells.".to_owned(),
            )),
        }
    }
}

/// Where local mode listens for mail, as it says itself.
fn own_relay(session: &Session) -> Result<Relay, Failure> {
    let domain = session.client.get(&Address::of(&["mail-domain"]))?;
    let told = domain.pointer("/data/attributes/smtp").and_then(Value::as_str);
    Relay::parse(told.unwrap_or(LOCAL_RELAY)).map_err(Failure::Usage)
}

/// Sends the mail to the hooks by way of `relay` and shows what became of it at each.
///
/// *Errors*: it cannot be sent; or it was, and not every hook started workflows, which has been printed.
pub(super) fn deliver(
    args: &DeliveryArgs,
    relay: &Relay,
    session: &Session,
    recipients: &[Recipient],
    mail: &[u8],
) -> Result<(), Failure> {
    let sender = sender(args, mail)?;
    let addresses: Vec<&str> = recipients.iter().map(|recipient| recipient.address.as_str()).collect();
    let taken = relay.send(sender.as_deref(), &addresses, &with_crlf(mail))?;
    if session.format == Format::Human {
        output::print(&Page::of_line(format!("taken by {relay}: {}", taken.reply)))?;
    }
    let mut ends = Vec::new();
    for recipient in recipients {
        let outcome = outcome(&session.client, &recipient.id, &taken, Duration::from_secs(args.wait))?;
        if session.format == Format::Human {
            output::print(&outcome.page(recipient))?;
        }
        ends.push((recipient, outcome));
    }
    if session.format == Format::Json {
        output::print(&document(&ends, &taken))?;
    }
    exit(args, &ends)
}

fn sender(args: &DeliveryArgs, mail: &[u8]) -> Result<Option<String>, Failure> {
    match args.from.as_deref() {
        Some(NOBODY) => Ok(None),
        Some(address) => Ok(Some(address.to_owned())),
        None => {
            let headers = ingest::mail::read(mail, &ingest::mail::Wishes::default()).headers;
            let own = headers.from.into_iter().next().map(|mailbox| mailbox.address);
            own.map(Some)
                .ok_or_else(|| Failure::Usage("The mail says of nobody that it is from. Pass --from.".to_owned()))
        }
    }
}

/// A server takes no line that ends otherwise. *Source*: RFC 5321, 2.3.8.
fn with_crlf(mail: &[u8]) -> Cow<'_, [u8]> {
    let mut before = 0;
    let is_bare = |&byte: &u8| {
        let is_bare = byte == b'\n' && before != b'\r';
        before = byte;
        is_bare
    };
    if !mail.iter().any(is_bare) {
        return Cow::Borrowed(mail);
    }
    let mut sent = Vec::with_capacity(mail.len() + mail.len() / 32);
    for &byte in mail {
        if byte == b'\n' && sent.last() != Some(&b'\r') {
            sent.push(b'\r');
        }
        sent.push(byte);
    }
    Cow::Owned(sent)
}

fn document(ends: &[(&Recipient, Outcome)], taken: &Taken) -> Page {
    let deliveries = ends.iter().map(|(recipient, outcome)| {
        domain::exact::object([
            ("type", json!("mail_delivery")),
            (
                "attributes",
                domain::exact::object([
                    ("hook", json!(recipient.id)),
                    ("recipient", json!(recipient.address)),
                    ("reply", json!(taken.reply)),
                    ("mail", json!(taken.mail)),
                    ("state", json!(outcome.word())),
                    ("transaction", outcome.transaction().cloned().unwrap_or(Value::Null)),
                    ("refusal", outcome.refusal().cloned().unwrap_or(Value::Null)),
                ]),
            ),
        ])
    });
    let mut page = Page::default();
    page.json(&domain::exact::object([("data", Value::Array(deliveries.collect()))]));
    page
}

fn exit(args: &DeliveryArgs, ends: &[(&Recipient, Outcome)]) -> Result<(), Failure> {
    if args.wait == 0 {
        return Ok(());
    }
    for (_, outcome) in ends {
        match outcome {
            Outcome::Fired(_) => {}
            Outcome::NotFired { .. } => return Err(Failure::Answered(NOT_CARRIED_OUT)),
            Outcome::Unseen => return Err(Failure::Answered(NOT_IN_TIME)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_ends_as_smtp_wants_it() {
        let rows: [(&[u8], &[u8]); 5] = [
            (b"", b""),
            (b"a\r\nb\r\n", b"a\r\nb\r\n"),
            (b"a\nb\n", b"a\r\nb\r\n"),
            (b"a\r\nb\n\nc", b"a\r\nb\r\n\r\nc"),
            (b"\n", b"\r\n"),
        ];
        for (mail, sent) in rows {
            assert_eq!(with_crlf(mail).as_ref(), sent, "{mail:?}");
        }
        assert!(matches!(with_crlf(b"a\r\n"), Cow::Borrowed(_)));
    }
}
