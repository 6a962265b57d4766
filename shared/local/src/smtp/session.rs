//! What a client may do next, and what it is answered.
//!
//! Commands that change what the bytes behind them mean (`EHLO`, `DATA`, `STARTTLS`) come last in what is sent at once. A
//! client that goes on regardless does not read our answers, and what it sends was meant for somebody else.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::command::{Alphabet, Command, Dialect, Sender, parse};
use super::content::{Spool, TooLarge};
use super::received::{Arrival, Secrecy, protocol, received};
use super::reply::Reply;
use super::wire::{Behind, Line};
use super::{Inbox, Incoming, SmtpRefusal, SmtpSettings};

const OK: Reply = Reply::new(250, "2.0.0", "Ok");

const TOO_LARGE: Reply = Reply::new(552, "5.3.4", "The mail is longer than SIZE allows");

const NO_MAIL: Reply = Reply::new(503, "5.5.1", "Say MAIL FROM:<address> first");

const EARLY: Reply = Reply::new(554, "5.5.0", "Wait for the answer to EHLO, DATA and STARTTLS before you send more");

/// One client, from its greeting on.
pub(crate) struct Session {
    inbox: Arc<dyn Inbox>,
    settings: Arc<SmtpSettings>,
    peer: IpAddr,
    secrecy: Secrecy,
    hello: Option<(Dialect, String)>,
    envelope: Option<Envelope>,
    errors: usize,
}

/// A mail that is to come.
struct Envelope {
    sender: Sender,
    recipients: Vec<String>,
}

/// What a command leads to.
pub(crate) enum Next {
    Answer(Reply),
    /// The content of a mail comes, which has this id.
    Content(String, Spool),
    /// From here on everything is encrypted.
    Encrypt,
    /// The answer is the last one.
    Close(Reply),
}

impl Session {
    pub(crate) fn new(inbox: Arc<dyn Inbox>, settings: Arc<SmtpSettings>, peer: IpAddr) -> Self {
        Self { inbox, settings, peer, secrecy: Secrecy::Plain, hello: None, envelope: None, errors: 0 }
    }

    pub(crate) fn greeting(&self) -> Reply {
        Reply::saying(220, "", format!("{} ESMTP Hookwright", self.settings.host_name))
    }

    /// Forgets everything that was said in the open.
    pub(crate) fn encrypted(self) -> Self {
        Self { secrecy: Secrecy::Encrypted, hello: None, envelope: None, ..self }
    }

    /// What `line` leads to; `behind` tells what came with it.
    pub(crate) async fn next(&mut self, line: Line, behind: Behind) -> Next {
        let command = match line {
            Line::Whole(line) => parse(&line),
            Line::Bare => Err(Reply::new(500, "5.5.2", "A line ends with CR LF; this one ended with LF alone")),
            Line::TooLong => Err(Reply::new(500, "5.5.2", "This line is too long for a command")),
        };
        let next = match command {
            Ok(command) => self.obey(command, behind).await,
            Err(reply) => Next::Answer(reply),
        };
        self.counted(next)
    }

    /// Hands over the mail `id` whose content has come, or says that it was too long.
    pub(crate) async fn delivered(&mut self, id: String, raw: Result<Bytes, TooLarge>) -> Reply {
        let Some(envelope) = self.envelope.take() else { return NO_MAIL };
        let raw = match raw {
            Ok(raw) => raw,
            Err(TooLarge { bytes }) => {
                self.inbox.too_large(&envelope.recipients, bytes).await;
                return TOO_LARGE;
            }
        };
        let mail = Incoming {
            id,
            from: envelope.sender.address,
            recipients: envelope.recipients,
            raw,
            peer: self.peer,
            helo: self.hello.as_ref().map(|(_, name)| name.clone()),
        };
        match self.inbox.deliver(mail).await {
            Ok(id) => Reply::saying(250, "2.0.0", format!("Ok: queued as {id}")),
            Err(refusal) => refusal.into(),
        }
    }

    async fn obey(&mut self, command: Command, behind: Behind) -> Next {
        Next::Answer(match (command, behind) {
            (Command::Hello(..) | Command::Data | Command::StartTls, Behind::More) => return Next::Close(EARLY),
            (Command::Hello(dialect, name), Behind::Nothing) => self.hello(dialect, name),
            (Command::Mail(sender), _) => self.mail(sender),
            (Command::Recipient(address), _) => self.recipient(address).await,
            (Command::Data, Behind::Nothing) => return self.data(),
            (Command::StartTls, Behind::Nothing) => return self.start_tls(),
            (Command::Reset, _) => {
                self.envelope = None;
                OK
            }
            (Command::Nothing, _) => OK,
            (Command::Verify, _) => Reply::new(252, "2.0.0", "Send a mail and see whether it is accepted"),
            (Command::Help, _) => Reply::new(214, "2.0.0", "EHLO, MAIL FROM:<you>, RCPT TO:<a hook>, DATA, QUIT"),
            (Command::Quit, _) => return Next::Close(Reply::new(221, "2.0.0", "Bye")),
            (Command::Chunk, _) => {
                return Next::Close(Reply::new(502, "5.5.1", "CHUNKING is not offered here; send the mail with DATA"));
            }
            (Command::Web, _) => {
                return Next::Close(Reply::new(554, "5.5.0", "Mail is received here; HTTP has another port"));
            }
        })
    }

    fn hello(&mut self, dialect: Dialect, name: String) -> Reply {
        self.envelope = None;
        self.hello = Some((dialect, name));
        let SmtpSettings { host_name, limits, tls, .. } = self.settings.as_ref();
        match dialect {
            Dialect::Smtp => Reply::saying(250, "", host_name.clone()),
            Dialect::Esmtp => {
                let mut offers = format!(
                    "{host_name}\nPIPELINING\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nSIZE {}\nHELP",
                    limits.mail_bytes
                );
                if tls.is_some() && self.secrecy == Secrecy::Plain {
                    offers.push_str("\nSTARTTLS");
                }
                Reply::saying(250, "", offers)
            }
        }
    }

    fn mail(&mut self, sender: Sender) -> Reply {
        if self.hello.is_none() {
            return Reply::new(503, "5.5.1", "Say EHLO first");
        }
        if self.envelope.is_some() {
            return Reply::new(503, "5.5.1", "One mail at a time; RSET forgets the one that was begun");
        }
        if !sender.alphabet.has(&sender.address) {
            return Reply::new(553, "5.6.7", "This address needs SMTPUTF8");
        }
        self.envelope = Some(Envelope { sender, recipients: Vec::new() });
        Reply::new(250, "2.1.0", "Ok")
    }

    async fn recipient(&mut self, address: String) -> Reply {
        let Some(envelope) = &mut self.envelope else { return NO_MAIL };
        if !envelope.sender.alphabet.has(&address) {
            return Reply::new(553, "5.6.7", "This address needs SMTPUTF8, said with MAIL");
        }
        if envelope.recipients.len() >= self.settings.limits.recipients {
            return Reply::new(452, "4.5.3", "Too many recipients; send the mail to the others once more");
        }
        if let Err(refusal) = self.inbox.recipient(&address, self.peer).await {
            return refusal.into();
        }
        // Only here is it known for whom a mail is that says with `MAIL` that it is too long.
        let limit = u64::try_from(self.settings.limits.mail_bytes).unwrap_or(u64::MAX);
        if let Some(bytes) = envelope.sender.size.filter(|bytes| *bytes > limit) {
            self.inbox.too_large(&[address], bytes).await;
            return TOO_LARGE;
        }
        envelope.recipients.push(address);
        Reply::new(250, "2.1.5", "Ok")
    }

    fn data(&self) -> Next {
        let (Some(envelope), Some((dialect, helo))) = (&self.envelope, &self.hello) else {
            return Next::Answer(NO_MAIL);
        };
        if envelope.recipients.is_empty() {
            return Next::Answer(Reply::new(554, "5.5.1", "No recipient was accepted"));
        }
        let mut id = [0; 20];
        if self.settings.world.fill(&mut id).is_err() {
            return Next::Answer(SmtpRefusal::unavailable().into());
        }
        let id = hex::encode(id);
        let head = received(&Arrival {
            helo,
            peer: self.peer,
            host_name: &self.settings.host_name,
            protocol: protocol(*dialect, self.secrecy, envelope.sender.alphabet),
            id: &id,
            recipients: &envelope.recipients,
            at: self.settings.world.now(),
        });
        let spool = Spool::new(head.as_bytes(), envelope.sender.size, self.settings.limits.mail_bytes);
        Next::Content(id, spool)
    }

    fn start_tls(&self) -> Next {
        Next::Answer(match (self.secrecy, &self.settings.tls) {
            (Secrecy::Encrypted, _) => Reply::new(503, "5.5.1", "It is encrypted already"),
            (Secrecy::Plain, None) => Reply::new(502, "5.5.1", "STARTTLS is not offered here"),
            (Secrecy::Plain, Some(_)) if self.hello.is_none() => Reply::new(503, "5.5.1", "Say EHLO first"),
            (Secrecy::Plain, Some(_)) if self.envelope.is_some() => {
                Reply::new(503, "5.5.1", "A mail was begun; RSET forgets it")
            }
            (Secrecy::Plain, Some(_)) => return Next::Encrypt,
        })
    }

    /// Whoever makes one error after the other is no mail program.
    fn counted(&mut self, next: Next) -> Next {
        match next {
            Next::Answer(reply) if reply.code == 421 => Next::Close(reply),
            Next::Answer(reply) if reply.code >= 500 => {
                self.errors += 1;
                if self.errors >= self.settings.limits.errors {
                    return Next::Close(reply.as_last());
                }
                Next::Answer(reply)
            }
            Next::Answer(_) | Next::Content(..) | Next::Encrypt | Next::Close(_) => next,
        }
    }
}

impl Alphabet {
    fn has(self, address: &str) -> bool {
        match self {
            Self::Ascii => address.is_ascii(),
            Self::Unicode => true,
        }
    }
}
