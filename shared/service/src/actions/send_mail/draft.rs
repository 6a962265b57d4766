//! What a step asks to be sent, every param of it checked.

use domain::Transaction;
use serde_json::Value;

use super::{
    super::{
        NotDone, OnUnknownOutcome, Params,
        params::{missing, shown},
    },
    attachments::{self, Attachment},
    mailbox::{self, Mailbox},
};

/// The most recipients of one mail. *Source*: SES, "Service quotas".
const RECIPIENTS_LIMIT: usize = 50;

/// The most characters of a subject. *Source*: the length of a line in RFC 5322, 2.1.1.
const SUBJECT_LIMIT_CHARS: usize = 998;

/// The most bytes of a template's name. *Source*: SES, `CreateTemplate`.
const TEMPLATE_NAME_LIMIT_BYTES: usize = 64;

/// The most bytes of a template's data as JSON. *Source*: SES, `SendTemplatedEmail`.
const TEMPLATE_DATA_LIMIT_BYTES: usize = 262_144;

/// The most bytes of a `Message-ID`, so that its header stays within a line of RFC 5322.
const MESSAGE_ID_LIMIT_BYTES: usize = 900;

/// Params that a template has no place for.
const NOT_WITH_TEMPLATE: [&str; 5] = ["subject", "text", "html", "attachments", "inReplyTo"];

/// A mail as a step wants it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) from: Mailbox,
    pub(super) to: Vec<Mailbox>,
    pub(super) cc: Vec<Mailbox>,
    pub(super) bcc: Vec<Mailbox>,
    pub(super) reply_to: Vec<Mailbox>,
    pub(super) content: Content,
    pub(super) on_unknown_outcome: OnUnknownOutcome,
}

/// What it says.
#[derive(Debug)]
pub(super) enum Content {
    Written(Written),
    Template(Template),
}

/// A mail whose every part the step has written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    /// Without its angle brackets.
    pub(super) in_reply_to: Option<String>,
    pub(super) attachments: Vec<Attachment>,
}

/// A template of the mail service.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) name: String,
    /// A JSON object.
    pub(super) data: String,
}

impl Draft {
    /// The mail that `params` ask for, from `default_from` where they name no sender.
    ///
    /// *Errors*: a sentence for the author; no sender's text can become a header of its own.
    pub(super) fn read(
        params: &Params<'_>,
        default_from: Option<&str>,
        transaction: &Transaction,
    ) -> Result<Self, NotDone> {
        let draft = Self {
            // SES compares the sender with what a role may send from, and it does so by the letter.
            from: sender(params, default_from)?.in_lower_case_domain(),
            to: mailboxes(params, "to")?,
            cc: mailboxes(params, "cc")?,
            bcc: mailboxes(params, "bcc")?,
            reply_to: mailboxes(params, "replyTo")?,
            content: match params.value("template") {
                Some(_) => Content::Template(template(params)?),
                None => Content::Written(written(params, transaction)?),
            },
            on_unknown_outcome: OnUnknownOutcome::read(params)?,
        };
        for (count, what) in [(draft.recipients().count(), "recipients"), (draft.reply_to.len(), "`replyTo` addresses")]
        {
            if count > RECIPIENTS_LIMIT {
                let message =
                    format!("A mail has at most {RECIPIENTS_LIMIT} {what}, and here are {count}. Send several.");
                return Err(NotDone::failed("too_many_recipients", message));
            }
        }
        if draft.recipients().next().is_none() {
            return Err(missing("to"));
        }
        Ok(draft)
    }

    /// Who gets it, in the order of `to`, `cc` and `bcc`.
    pub(super) fn recipients(&self) -> impl Iterator<Item = &Mailbox> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

fn sender(params: &Params<'_>, default_from: Option<&str>) -> Result<Mailbox, NotDone> {
    if params.value("from").is_some() {
        let mut senders = mailboxes(params, "from")?;
        return match (senders.pop(), senders.is_empty()) {
            (Some(sender), true) => Ok(sender),
            (Some(_) | None, _) => Err(NotDone::failed("wrong_param", "The param `from` is one e-mail address.")),
        };
    }
    let Some(default) = default_from else {
        let message = "The param `from` is missing, and there is no default sender. Give the step a `from`, or the deployment a sender.";
        return Err(NotDone::failed("missing_param", message));
    };
    Mailbox::parse(default).map_err(|problem| {
        let message = format!(
            "The default sender `{}` {problem}. Correct it where this was deployed.",
            shown(default).escape_debug()
        );
        NotDone::failed("mail_not_set_up", message)
    })
}

fn mailboxes(params: &Params<'_>, name: &str) -> Result<Vec<Mailbox>, NotDone> {
    params.value(name).map_or_else(|| Ok(Vec::new()), |value| mailbox::read(name, value))
}

fn written(params: &Params<'_>, transaction: &Transaction) -> Result<Written, NotDone> {
    let subject = params.required_text("subject")?.trim().to_owned();
    if subject.chars().any(char::is_control) {
        let message = "The param `subject` is one line, without line breaks and other control characters.";
        return Err(NotDone::failed("wrong_param", message));
    }
    if subject.chars().count() > SUBJECT_LIMIT_CHARS {
        let message = format!("The param `subject` has at most {SUBJECT_LIMIT_CHARS} characters.");
        return Err(NotDone::failed("wrong_param", message));
    }
    let (text, html) = (body(params, "text")?, body(params, "html")?);
    if text.is_none() && html.is_none() {
        let message = "A mail needs `text`, `html` or `template`. If one is a reference, what it points to was not there in this run.";
        return Err(NotDone::failed("missing_param", message));
    }
    let attachments = attachments::read(params, transaction)?;
    Ok(Written { subject, text, html, in_reply_to: in_reply_to(params)?, attachments })
}

/// A body, if there is anything in it.
fn body(params: &Params<'_>, name: &str) -> Result<Option<String>, NotDone> {
    Ok(params.text(name)?.filter(|text| !text.trim().is_empty()))
}

fn in_reply_to(params: &Params<'_>) -> Result<Option<String>, NotDone> {
    let Some(text) = params.text("inReplyTo")? else { return Ok(None) };
    let id = text.trim();
    let id = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
    let is_id_byte = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    if id.is_empty() || id.len() > MESSAGE_ID_LIMIT_BYTES || !id.bytes().all(is_id_byte) {
        let message = "The param `inReplyTo` is the Message-ID of one mail: <…@…>, without white space in it.";
        return Err(NotDone::failed("wrong_param", message));
    }
    Ok(Some(id.to_owned()))
}

fn template(params: &Params<'_>) -> Result<Template, NotDone> {
    if let Some(name) = NOT_WITH_TEMPLATE.into_iter().find(|name| params.value(name).is_some()) {
        let message = format!("A step has either `template` or `{name}`; what a template says is in the template.");
        return Err(NotDone::failed("wrong_param", message));
    }
    let name = params.required_text("template")?;
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.len() > TEMPLATE_NAME_LIMIT_BYTES || !name.bytes().all(is_name_byte) {
        let message = format!(
            "The param `template` is a name of at most {TEMPLATE_NAME_LIMIT_BYTES} letters, digits, `-` and `_`."
        );
        return Err(NotDone::failed("wrong_param", message));
    }
    let data = Value::Object(params.object("templateData")?).to_string();
    if data.len() > TEMPLATE_DATA_LIMIT_BYTES {
        let message = format!("The param `templateData` has at most {TEMPLATE_DATA_LIMIT_BYTES} bytes as JSON.");
        return Err(NotDone::failed("mail_too_large", message));
    }
    Ok(Template { name, data })
}
