//! Sending a mail: everything about it but the sending, which the executor does under a claim.
//!
//! The same run, step and visit at the same instant always make the same bytes, `Message-ID` and boundaries included, so
//! that a mail which is sent again because nobody knows whether it went out is the same mail and not another one.

mod attachments;
mod compose;
mod draft;
mod loops;
mod mailbox;

use std::sync::Arc;

use domain::Failure;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Actor, NotDone, NotPerformed, Occasion, OnUnknownOutcome, Params};
use crate::ports::{Blobs, NotPosted, OutgoingContent, OutgoingMail, Post, Posted};

use compose::Head;
use draft::{Content, Draft, Template};
use mailbox::Mailbox;

pub(super) use attachments::are_in as has_attachments;

/// How many bytes of the SHA-256 of a step's id stand in a `Message-ID`, where the id itself may be any text.
const STEP_DIGEST_BYTES: usize = 6;

/// What it takes to send mail.
#[derive(Clone)]
pub struct Mailing {
    /// The way out.
    pub post: Arc<dyn Post>,
    /// Where attachments lie.
    pub blobs: Arc<dyn Blobs>,
    /// The domain whose addresses are hooks; nothing is sent there, because it would come back.
    pub domain: Option<String>,
    /// Who sends where a step does not say: `orders@shop.example` or `Shop <orders@shop.example>`.
    pub from: Option<String>,
}

/// A mail that only has to be handed over.
pub(crate) struct Prepared {
    /// What to do where nobody knows whether it was sent.
    pub(super) on_unknown_outcome: OnUnknownOutcome,
    post: Arc<dyn Post>,
    mail: OutgoingMail,
    /// `<…@…>`; a templated mail has none of ours.
    message_id: Option<String>,
    draft: Draft,
}

impl Mailing {
    /// The mail that the params `input` ask for.
    ///
    /// *Errors*: [`NotDone`]; nothing has been sent.
    pub(super) async fn prepare(&self, occasion: Occasion<'_>, input: &Value) -> Result<Prepared, NotDone> {
        let draft = Draft::read(&Params::of(input)?, self.from.as_deref(), occasion.transaction)?;
        loops::check(&draft, self.domain.as_deref(), occasion.transaction.email.as_ref())?;
        let (content, message_id) = match &draft.content {
            Content::Written(written) => {
                let files = attachments::load(self.blobs.as_ref(), &written.attachments).await?;
                let message_id = message_id(occasion.actor, self.domain.as_deref(), &draft.from);
                let head = Head { occasion, message_id: &message_id, draft: &draft };
                let bytes = compose::message(&head, written, &files);
                (OutgoingContent::Raw(bytes.into()), Some(format!("<{message_id}>")))
            }
            Content::Template(template) => (templated(&draft, template), None),
        };
        let mail = OutgoingMail {
            org: occasion.transaction.org,
            key: key(occasion.actor),
            from: draft.from.address.clone(),
            recipients: draft.recipients().map(|mailbox| mailbox.address.clone()).collect(),
            content,
        };
        let (post, on_unknown_outcome) = (Arc::clone(&self.post), draft.on_unknown_outcome);
        Ok(Prepared { on_unknown_outcome, post, mail, message_id, draft })
    }
}

impl Prepared {
    /// Hands the mail over and gives what the step leaves behind.
    pub(super) async fn send(&self) -> Result<Value, NotPerformed> {
        match self.post.send(&self.mail).await {
            Ok(posted) => Ok(self.output(&posted)),
            Err(NotPosted::Refused(failure)) => Err(NotPerformed::Failed(failure)),
            Err(NotPosted::NotSent(error)) => Err(NotPerformed::NotDone(not_sent(), error)),
            Err(NotPosted::Unknown(error)) => Err(NotPerformed::Unknown(error)),
        }
    }

    /// What is told where nobody knows whether it was sent.
    pub(super) fn unknown_outcome(&self) -> Failure {
        let message = format!(
            "It is not known whether the mail {} was sent: the program that was sending it stopped before it could say. \
             Look for it at the mail service or ask its recipient before you send another.",
            self.name()
        );
        Failure::new("unknown_outcome", message)
    }

    /// What the step leaves behind once the mail was handed over.
    ///
    /// *Shape*: `{"id","messageId","from":"orders@shop.example","to":["ann@example.com"],"cc":[],"bcc":[],"subject"}`;
    /// a templated mail has neither `messageId` nor `subject`.
    fn output(&self, posted: &Posted) -> Value {
        let subject = match &self.draft.content {
            Content::Written(written) => Some(&written.subject),
            Content::Template(_) => None,
        };
        json!({
            "id": posted.id,
            "messageId": self.message_id,
            "from": self.draft.from.address,
            "to": addresses(&self.draft.to),
            "cc": addresses(&self.draft.cc),
            "bcc": addresses(&self.draft.bcc),
            "subject": subject,
        })
    }

    /// The key, and the `Message-ID` where it has one of ours.
    pub(super) fn names(&self) -> (&str, Option<&str>) {
        (&self.mail.key, self.message_id.as_deref())
    }

    /// How a person finds the mail: by its `Message-ID`, or where it has none of ours, by its key.
    fn name(&self) -> &str {
        self.message_id.as_deref().unwrap_or(&self.mail.key)
    }
}

/// There is no way out for mail.
pub(super) fn not_set_up() -> NotDone {
    let message = "No mail can be sent from here: give the deployment a sender whose address or domain is verified \
                   (docs/deploy.md). `hookwright dev` needs nothing; it puts mail into its outbox.";
    NotDone::failed("mail_not_set_up", message)
}

fn not_sent() -> Failure {
    let message = "The mail service did not take the mail: it cannot be reached, or asks to slow down.";
    Failure::new("mail_not_sent", message).retryable()
}

fn key(actor: Actor<'_>) -> String {
    format!("{}/{}/{}", actor.run, actor.instance(), actor.visit)
}

/// *Shape*: `5a345109e578360010eaa1ad.0123456789ab.1@hooks.example`, without the angle brackets.
fn message_id(actor: Actor<'_>, own_domain: Option<&str>, from: &Mailbox) -> String {
    let digest = Sha256::digest(actor.instance().as_bytes());
    let step = hex::encode(digest.get(..STEP_DIGEST_BYTES).unwrap_or(&digest));
    format!("{}.{step}.{}@{}", actor.run, actor.visit, own_domain.unwrap_or(from.domain()))
}

fn templated(draft: &Draft, template: &Template) -> OutgoingContent {
    OutgoingContent::Template {
        name: template.name.clone(),
        data: template.data.clone(),
        to: addresses(&draft.to),
        cc: addresses(&draft.cc),
        bcc: addresses(&draft.bcc),
        reply_to: addresses(&draft.reply_to),
    }
}

fn addresses(mailboxes: &[Mailbox]) -> Vec<String> {
    mailboxes.iter().map(|mailbox| mailbox.address.clone()).collect()
}
