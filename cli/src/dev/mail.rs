//! Mail in local mode: what SES does on AWS, between the listener and the door for mail.
//!
//! A mail is kept and taken in before its sender is told that it was, so that whoever is told otherwise sends it again.

use std::{fs, net::IpAddr, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use clap::Args as ClapArgs;
use ingest::ses::{Delivery, Place, Verdicts};
use local::{
    LocalMails,
    smtp::{Inbox, Incoming, SmtpLimits, SmtpRefusal, SmtpSettings, SmtpTls},
};
use service::{
    MailDoor,
    ports::{Unavailable, World},
};

/// What the keys of mails begin with, as in `template.yaml`.
pub(super) const KEY_PREFIX: &str = "inbound/";

/// Flags of the listener for mail.
#[derive(Debug, ClapArgs)]
pub(super) struct MailArgs {
    /// The port for mail, on the loopback address only; 0 takes a free one.
    #[arg(long, default_value_t = 2525)]
    pub(super) smtp_port: u16,
    /// The domain of the addresses of email hooks.
    #[arg(long, value_name = "DOMAIN", default_value = "hooks.localhost", value_parser = domain)]
    pub(super) mail_domain: String,
    /// Offers STARTTLS with this certificate (PEM); a made one that nobody vouches for, if it is `self-signed`.
    #[arg(long, value_name = "FILE")]
    smtp_certificate: Option<PathBuf>,
    /// The key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "smtp_certificate")]
    smtp_key: Option<PathBuf>,
}

impl MailArgs {
    /// How the listener behaves.
    ///
    /// *Errors*: a sentence, when the certificate cannot be used.
    pub(super) fn settings(&self, world: Arc<dyn World>) -> Result<SmtpSettings, String> {
        let host_name = "inbound-smtp.localhost".to_owned();
        let tls = self.tls(&host_name)?;
        Ok(SmtpSettings { host_name, limits: SmtpLimits::default(), tls, world })
    }

    fn tls(&self, host_name: &str) -> Result<Option<SmtpTls>, String> {
        let Some(certificate) = &self.smtp_certificate else { return Ok(None) };
        let made = match &self.smtp_key {
            None if certificate.as_os_str() == "self-signed" => SmtpTls::self_signed(host_name),
            None => {
                return Err(
                    "A certificate needs its key: pass --smtp-key, or `--smtp-certificate self-signed`.".to_owned()
                );
            }
            Some(key) => {
                let read = |file: &PathBuf| {
                    fs::read(file).map_err(|error| format!("{} cannot be read: {error}.", file.display()))
                };
                SmtpTls::from_pem(&read(certificate)?, &read(key)?)
            }
        };
        made.map(Some).map_err(|error| format!("STARTTLS cannot be offered: {error}."))
    }
}

/// At least one label of letters, digits and `-`.
fn domain(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if text.len() <= 190 && text.split('.').all(is_label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a domain is labels of letters, digits and - with dots between, such as hooks.localhost".to_owned())
    }
}

/// The hooks, as a server for mail sees them.
pub(super) struct HookInbox {
    pub(super) door: Arc<MailDoor>,
    pub(super) mails: Arc<LocalMails>,
    pub(super) world: Arc<dyn World>,
}

#[async_trait]
impl Inbox for HookInbox {
    async fn recipient(&self, address: &str, _peer: IpAddr) -> Result<(), SmtpRefusal> {
        // A program hands all recipients of a mail to one server, and gives up where one of them is refused: the customer
        // in `To` beside the hook in `Bcc`.
        if self.is_elsewhere(address) {
            return Ok(());
        }
        match self.door.hook_for(address).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(self.nobody()),
            Err(error) => Err(later(&error)),
        }
    }

    async fn deliver(&self, mail: Incoming) -> Result<String, SmtpRefusal> {
        let Incoming { id, from, recipients, raw, .. } = mail;
        let (others, recipients): (Vec<String>, Vec<String>) =
            recipients.into_iter().partition(|address| self.is_elsewhere(address));
        if recipients.is_empty() {
            return Err(no_hook());
        }
        if !others.is_empty() {
            tracing::info!(
                mail.id = id,
                others = others.len(),
                "a mail is for others too; nothing leaves this machine"
            );
        }
        let key = format!("{KEY_PREFIX}{id}");
        self.mails.put(&key, raw).await.map_err(|error| later(&error))?;
        let delivery = Delivery {
            id,
            envelope_from: Some(from),
            recipients: Some(recipients),
            verdicts: unchecked(),
            received_at: Some(self.world.now()),
            place: Place::Object { bucket: None, key: Some(key) },
        };
        let outcomes = self.door.receive(&delivery).await.map_err(|error| later(&error))?;
        // A hook may be deleted between its address and the mail.
        if outcomes.is_empty() { Err(self.nobody()) } else { Ok(delivery.id) }
    }

    async fn too_large(&self, recipients: &[String], bytes: u64) {
        self.door.note_too_large(recipients, bytes).await;
    }
}

impl HookInbox {
    /// Whether the address is at another domain than the hooks; one without a domain is not.
    fn is_elsewhere(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(_, domain)| !domain.eq_ignore_ascii_case(&self.door.domain))
    }

    fn nobody(&self) -> SmtpRefusal {
        let text = format!("No email hook has this address; those of this server end in @{}", self.door.domain);
        SmtpRefusal { code: 550, enhanced: "5.1.1", text }
    }
}

fn no_hook() -> SmtpRefusal {
    let text = "No email hook is among the recipients; nothing leaves this machine".to_owned();
    SmtpRefusal { code: 554, enhanced: "5.1.1", text }
}

/// Nothing is checked here, and a workflow can see that.
fn unchecked() -> Verdicts {
    let disabled = || Some("DISABLED".to_owned());
    Verdicts {
        spam: disabled(),
        virus: disabled(),
        spf: disabled(),
        dkim: disabled(),
        dmarc: disabled(),
        dmarc_policy: None,
    }
}

fn later(error: &Unavailable) -> SmtpRefusal {
    tracing::error!(%error, "a mail was not taken; its sender is asked to send it again");
    SmtpRefusal::unavailable()
}
