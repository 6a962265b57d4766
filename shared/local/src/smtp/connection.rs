//! One connection from the greeting to the last word: what the session decides, done on the wire.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use super::reply::Reply;
use super::session::{Next, Session};
use super::wire::{Gone, Wire};
use super::{Inbox, SmtpSettings};

const CONTENT_MAY_COME: Reply = Reply::new(354, "", "Send the mail, and then a line with only a dot");

const ENCRYPTION_MAY_BEGIN: Reply = Reply::new(220, "2.0.0", "Go ahead");

/// Why a conversation is interrupted.
enum Turn {
    /// Everything is said.
    Over,
    /// It goes on encrypted.
    Encrypt,
}

/// Serves one client over `stream` until it goes, or `stopping` is dropped.
pub async fn attend(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: IpAddr,
    inbox: Arc<dyn Inbox>,
    settings: Arc<SmtpSettings>,
    stopping: watch::Receiver<()>,
) {
    let mut wire = Wire::new(Box::new(stream), stopping, settings.limits);
    let mut session = Session::new(inbox, Arc::clone(&settings), peer);
    wire.say(&session.greeting());
    loop {
        match (converse(&mut wire, &mut session).await, &settings.tls) {
            (Ok(Turn::Encrypt), Some(tls)) => match wire.encrypted(tls).await {
                Ok(encrypted) => {
                    wire = encrypted;
                    session = session.encrypted();
                }
                Err(gone) => return tracing::debug!(%gone, "a mail session was not encrypted"),
            },
            (Ok(Turn::Over | Turn::Encrypt), _) => return wire.part().await,
            (Err(gone), _) => {
                tracing::debug!(%gone, "a mail session was interrupted");
                if let Some(last_word) = last_word(&gone) {
                    wire.say(&last_word);
                    wire.part().await;
                }
                return;
            }
        }
    }
}

async fn converse(wire: &mut Wire, session: &mut Session) -> Result<Turn, Gone> {
    loop {
        let line = wire.line().await?;
        let reply = match session.next(line, wire.behind()).await {
            Next::Answer(reply) => reply,
            Next::Content(id, spool) => {
                wire.say(&CONTENT_MAY_COME);
                let raw = wire.content(spool).await?;
                session.delivered(id, raw).await
            }
            Next::Encrypt => {
                wire.say(&ENCRYPTION_MAY_BEGIN);
                return Ok(Turn::Encrypt);
            }
            Next::Close(reply) => {
                wire.say(&reply);
                return Ok(Turn::Over);
            }
        };
        wire.say(&reply);
        if reply.code == 421 {
            return Ok(Turn::Over);
        }
    }
}

/// What a client is told that is still there.
fn last_word(gone: &Gone) -> Option<Reply> {
    match gone {
        Gone::Closed | Gone::Broken(_) => None,
        Gone::Silent => Some(Reply::new(421, "4.4.2", "Nothing came for too long")),
        Gone::Slow => Some(Reply::new(421, "4.4.2", "The mail took too long")),
        Gone::Stopping => Some(Reply::new(421, "4.3.2", "The service stops; try again later")),
    }
}
