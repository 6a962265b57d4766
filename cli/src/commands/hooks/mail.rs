//! What an email hook takes: the flags that make its key and its `mail`.
//!
//! A flag that is not given is not in the document, so that the server keeps what it has.

mod refusals;
mod view;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::ValueEnum;
use serde_json::{Map, Value, json};

pub(crate) use self::refusals::tell as refusal;
pub(super) use self::{
    refusals::view as refusals,
    view::{one, row},
};
use crate::{failure::Failure, machine::random};

/// Six bits a character make 192 of them in 32 characters, all of which may stand in an attribute of a tag.
const KEY_BYTES: usize = 24;

/// The flags of an email hook.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Mails, at email hooks")]
pub(super) struct MailArgs {
    /// Take only scripts whose tag has this in data-kustomer-key: 16 to 128 characters
    #[arg(long, value_name = "KEY", conflicts_with = "generate_key")]
    key: Option<String>,
    /// Make such a key
    #[arg(long)]
    generate_key: bool,
    /// The bodies that go along, such as text,html; a mail without data starts workflows too then, if there is no key
    #[arg(long, value_name = "BODIES", value_delimiter = ',')]
    bodies: Vec<Body>,
    /// An address or a domain that mails may be from; may be repeated [default: any]
    #[arg(long = "sender", value_name = "SENDER")]
    senders: Vec<String>,
    /// What is done with what looks like spam [default: quarantine]
    #[arg(long, value_name = "TREATMENT")]
    spam: Option<Treatment>,
    /// What is done where the owner of the sender's domain says to reject it [default: quarantine]
    #[arg(long, value_name = "TREATMENT")]
    dmarc: Option<Treatment>,
    /// What is done where nothing shows who sent it [default: quarantine]
    #[arg(long, value_name = "TREATMENT")]
    unauthenticated: Option<Treatment>,
    /// Decode entities in the texts of valid JSON, such as the &amp; that shops write
    #[arg(long)]
    decode_entities: bool,
    /// Keep no attachments
    #[arg(long)]
    no_attachments: bool,
}

/// What is put back at an email hook.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is taken back, at email hooks")]
pub(super) struct MailTakenBack {
    /// Take scripts with any key and with none
    #[arg(long, conflicts_with_all = ["key", "generate_key"])]
    no_key: bool,
    /// Let no bodies go along
    #[arg(long, conflicts_with = "bodies")]
    no_bodies: bool,
    /// Take mails from anybody
    #[arg(long, conflicts_with = "senders")]
    no_sender: bool,
    /// Leave entities as they are
    #[arg(long, conflicts_with = "decode_entities")]
    no_decode_entities: bool,
    /// Keep attachments again
    #[arg(long, conflicts_with = "no_attachments")]
    attachments: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Body {
    /// The first text/plain.
    Text,
    /// The first text/html.
    Html,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Treatment {
    /// It is taken.
    Accept,
    /// It waits for somebody to release it.
    Quarantine,
    /// It is recorded and does nothing.
    Drop,
}

impl MailArgs {
    /// Adds the settings that were named to the document.
    ///
    /// *Errors*: a key is to be made and the system has no random numbers.
    pub(super) fn write(self, document: &mut Map<String, Value>) -> Result<(), Failure> {
        self.write_key(document)?;
        let mut mail = Map::new();
        self.set(&mut mail);
        add(document, mail);
        Ok(())
    }

    fn write_key(&self, document: &mut Map<String, Value>) -> Result<(), Failure> {
        let made = if self.generate_key { Some(URL_SAFE_NO_PAD.encode(random::<KEY_BYTES>()?)) } else { None };
        document.extend(self.key.clone().or(made).map(|key| ("key".to_owned(), Value::String(key))));
        Ok(())
    }

    fn set(&self, mail: &mut Map<String, Value>) {
        if !self.bodies.is_empty() {
            mail.insert("bodies".to_owned(), self.bodies.iter().map(|body| json!(body.word())).collect());
        }
        if !self.senders.is_empty() {
            mail.insert("senders".to_owned(), json!(self.senders));
        }
        let policy = [("spam", self.spam), ("dmarc", self.dmarc), ("unauthenticated", self.unauthenticated)];
        let named =
            policy.into_iter().filter_map(|(name, treatment)| Some((name.to_owned(), json!(treatment?.word()))));
        let policy: Map<String, Value> = named.collect();
        if !policy.is_empty() {
            mail.insert("policy".to_owned(), Value::Object(policy));
        }
        if self.decode_entities {
            mail.insert("decodeEntities".to_owned(), json!(true));
        }
        if self.no_attachments {
            mail.insert("attachments".to_owned(), json!(false));
        }
    }
}

impl MailTakenBack {
    /// Adds to the document what takes the settings back.
    pub(super) fn write(&self, document: &mut Map<String, Value>) {
        if self.no_key {
            document.insert("key".to_owned(), Value::Null);
        }
        let rows = [
            (self.no_bodies, "bodies", json!([])),
            (self.no_sender, "senders", json!([])),
            (self.no_decode_entities, "decodeEntities", json!(false)),
            (self.attachments, "attachments", json!(true)),
        ];
        let named = rows.into_iter().filter(|(is_named, ..)| *is_named);
        add(document, named.map(|(_, name, value)| (name.to_owned(), value)).collect());
    }
}

/// Adds these settings to `mail` in the document.
fn add(document: &mut Map<String, Value>, settings: Map<String, Value>) {
    if settings.is_empty() {
        return;
    }
    match document.get_mut("mail").and_then(Value::as_object_mut) {
        Some(mail) => mail.extend(settings),
        None => drop(document.insert("mail".to_owned(), Value::Object(settings))),
    }
}

impl Body {
    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Html => "html",
        }
    }
}

impl Treatment {
    const fn word(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Quarantine => "quarantine",
            Self::Drop => "drop",
        }
    }
}
