//! The SMTP listener of `hookwright dev`: what SES is on AWS.
//!
//! A mail is answered with 250 only once the [`Inbox`] has it for good, and only `CR LF . CR LF` ends it: a mail that ended
//! elsewhere for us than for the server before us could hold another one (SMTP smuggling).

mod session;

mod command;
mod path;
mod reply;

mod content;
mod received;
mod wire;

mod connection;
mod tls;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use service::ports::World;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

pub use connection::attend;
pub use received::RECEIVED_LIMIT_BYTES;
pub use tls::{SmtpTls, SmtpTlsError};

/// How long to wait when the system has no more file handles for connections.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How long mails that are being kept may take when the listener stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// Whoever takes the mails.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Judges one address that a mail is for, as it was written between the angle brackets.
    ///
    /// *Errors*: a refusal of this one; the mail may have others.
    async fn recipient(&self, address: &str, peer: IpAddr) -> Result<(), SmtpRefusal>;

    /// Takes a mail, and gives the id that its sender is told.
    ///
    /// *Once it returns* the mail is durable. It is not stopped half-way when the listener is asked to end.
    /// *Errors*: a refusal of the whole mail, with a code in the 400s where sending it again may help.
    async fn deliver(&self, mail: Incoming) -> Result<String, SmtpRefusal>;

    /// Hears of a mail that is refused because it is longer than [`SmtpLimits::mail_bytes`], before its sender does.
    ///
    /// `recipients` are such that were accepted: one at a time where the sender announces `bytes`, and all of them where
    /// `bytes` have come.
    async fn too_large(&self, recipients: &[String], bytes: u64);
}

/// A mail with at least one recipient that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// 40 lower-case hex digits, the ones in its `Received` header.
    pub id: String,
    /// Who it is from by the envelope; empty for `<>`, which no answer goes to.
    pub from: String,
    /// Who it is for by the envelope, as written and in order, repeats too.
    pub recipients: Vec<String>,
    /// The message with our `Received` header in front, which names the recipient if there is only one.
    ///
    /// At most [`SmtpLimits::mail_bytes`] and [`RECEIVED_LIMIT_BYTES`] together.
    pub raw: Bytes,
    /// Who sent it.
    pub peer: IpAddr,
    /// What the sender calls itself; nothing makes it true.
    pub helo: Option<String>,
}

/// A no, as the sender gets it: `550 5.1.1 No such hook`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpRefusal {
    /// 400 to 499 for "later", 500 to 599 for "never"; 421 ends the session. Anything else becomes 451.
    pub code: u16,
    /// The same in three parts. *Source*: RFC 3463.
    pub enhanced: &'static str,
    /// A sentence. What is not printable ASCII in it is replaced, and only its first 400 characters are sent.
    pub text: String,
}

/// How a listener behaves.
#[derive(Clone)]
pub struct SmtpSettings {
    /// What it calls itself: `inbound-smtp.localhost`.
    pub host_name: String,
    /// What it bears.
    pub limits: SmtpLimits,
    /// What `STARTTLS` needs, which is not offered without.
    ///
    /// *Why not always*: many programs encrypt as soon as they can, and then refuse a certificate that they cannot check.
    pub tls: Option<SmtpTls>,
    /// The clock and chance of ids and `Received` headers.
    pub world: Arc<dyn World>,
}

/// What a listener bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmtpLimits {
    /// The most bytes of a mail. *Source*: 40 MB is what SES receives.
    pub mail_bytes: usize,
    /// The most recipients of a mail. *Source*: 100 is the least that RFC 5321 allows, 4.5.3.1.8.
    pub recipients: usize,
    /// The most connections at a time.
    pub connections: usize,
    /// The most refused commands in a session.
    pub errors: usize,
    /// How long a client may take for its next command. *Source*: five minutes, RFC 5321, 4.5.3.2.7.
    pub idle: Duration,
    /// How long nothing may come in the middle of a mail. *Source*: three minutes, RFC 5321, 4.5.3.2.5.
    pub stall: Duration,
    /// How long a mail may take from `DATA` to its end. *Why*: a byte now and then would hold a connection for ever.
    pub content: Duration,
}

impl Default for SmtpLimits {
    fn default() -> Self {
        Self {
            mail_bytes: 40 * 1024 * 1024,
            recipients: 100,
            connections: 100,
            errors: 20,
            idle: Duration::from_secs(5 * 60),
            stall: Duration::from_secs(3 * 60),
            content: Duration::from_secs(30 * 60),
        }
    }
}

impl SmtpRefusal {
    /// The answer where something of ours does not work at the moment.
    pub fn unavailable() -> Self {
        let text = "The mail cannot be kept at the moment; send it again later".to_owned();
        Self { code: 451, enhanced: "4.3.0", text }
    }
}

/// Serves until `stopping` is dropped. A mail that the inbox has by then is still answered; one that is still coming is not.
pub async fn serve(
    listener: TcpListener,
    inbox: Arc<dyn Inbox>,
    settings: SmtpSettings,
    mut stopping: watch::Receiver<()>,
) {
    let settings = Arc::new(settings);
    let mut sessions = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            _ = stopping.changed() => break,
            Some(_ended) = sessions.join_next(), if !sessions.is_empty() => continue,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    sleep(ACCEPT_REST).await;
                    continue;
                }
            },
        };
        if sessions.len() >= settings.limits.connections {
            turn_away(stream, &settings.host_name).await;
            continue;
        }
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers may wait for more to send");
        }
        sessions.spawn(attend(stream, peer.ip(), Arc::clone(&inbox), Arc::clone(&settings), stopping.clone()));
    }
    drop(listener);
    if timeout(FINISH_TIMEOUT, async { while sessions.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("some mail sessions did not finish in time");
    }
}

/// A fresh connection has room for one line, so that nobody waits here.
async fn turn_away(mut stream: TcpStream, host_name: &str) {
    let line = format!("421 4.7.0 {host_name} has too many connections; try again later\r\n");
    if let Err(error) = stream.write_all(line.as_bytes()).await {
        tracing::debug!(%error, "a connection broke");
    }
}
