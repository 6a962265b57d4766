//! The two directions of a connection, with their limits of length and time.
//!
//! Answers wait until nothing more has come that could be answered, so that a client which sends many commands at once gets
//! their answers at once.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::SmtpLimits;
use super::content::{Lines, Spool, TooLarge};
use super::reply::Reply;
use super::tls::SmtpTls;

/// The longest command with its line end.
const LINE_LIMIT_BYTES: usize = 2_048;

/// How much is read at a time.
const READ_BYTES: usize = 16 * 1024;

/// How long a client may take to agree on a cipher.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the last answer may take, and again how long a client may go on sending after it. A connection that is closed
/// on bytes that nobody has read is broken, and its last answer lost.
const PARTING_TIMEOUT: Duration = Duration::from_secs(1);

/// Anything that a session can be held over.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    input: BytesMut,
    output: BytesMut,
    stopping: watch::Receiver<()>,
    limits: SmtpLimits,
}

/// A line as it came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// One that ended with `CR LF`, without it.
    Whole(BytesMut),
    /// One that ended with `LF` alone.
    Bare,
    /// One longer than any command; it was not kept.
    TooLong,
}

/// Whether a client has already sent more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behind {
    Nothing,
    More,
}

/// Why nothing more comes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Gone {
    #[error("the client has gone")]
    Closed,
    #[error("the connection is broken: {0}")]
    Broken(io::Error),
    #[error("nothing came in time")]
    Silent,
    #[error("a mail took too long")]
    Slow,
    #[error("we are asked to end")]
    Stopping,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Stream>, stopping: watch::Receiver<()>, limits: SmtpLimits) -> Self {
        Self { stream, input: BytesMut::new(), output: BytesMut::new(), stopping, limits }
    }

    /// Puts an answer behind those that wait.
    pub(crate) fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// The next line, within the time for a command.
    pub(crate) async fn line(&mut self) -> Result<Line, Gone> {
        let deadline = Instant::now() + self.limits.idle;
        let (mut searched, mut too_long) = (0, None);
        loop {
            let fresh = self.input.get(searched..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let line = self.input.split_to(searched + end + 1);
                return Ok(too_long.unwrap_or_else(|| ended(line)));
            }
            searched = self.input.len();
            if searched >= LINE_LIMIT_BYTES {
                too_long = Some(Line::TooLong);
                self.input.clear();
                searched = 0;
            }
            self.fill(deadline).await?;
        }
    }

    /// The mail that comes, put behind the head in `spool`, or how long it was if that was too long.
    pub(crate) async fn content(&mut self, mut spool: Spool) -> Result<Result<Bytes, TooLarge>, Gone> {
        let ends_at = Instant::now() + self.limits.content;
        let mut lines = Lines::new();
        loop {
            if let Some(taken) = lines.take(&self.input, &mut spool) {
                self.input.advance(taken);
                return Ok(spool.finish());
            }
            self.input.clear();
            let filled = self.fill(ends_at.min(Instant::now() + self.limits.stall)).await;
            // Whoever never stops sending is not silent at any deadline.
            match filled {
                Ok(()) | Err(Gone::Silent) if Instant::now() >= ends_at => return Err(Gone::Slow),
                filled => filled?,
            }
        }
    }

    pub(crate) fn behind(&self) -> Behind {
        if self.input.is_empty() { Behind::Nothing } else { Behind::More }
    }

    /// The same connection, encrypted. What came before is forgotten: nobody knows who sent it.
    pub(crate) async fn encrypted(mut self, tls: &SmtpTls) -> Result<Self, Gone> {
        self.flush().await?;
        let stream = tokio::select! {
            _ = self.stopping.changed() => return Err(Gone::Stopping),
            stream = timeout(HANDSHAKE_TIMEOUT, tls.acceptor.accept(self.stream)) => stream,
        };
        match stream {
            Ok(Ok(stream)) => Ok(Self::new(Box::new(stream), self.stopping, self.limits)),
            Ok(Err(error)) => Err(Gone::Broken(error)),
            Err(_) => Err(Gone::Silent),
        }
    }

    /// Sends what waits, and closes. Errors are nobody's business any more.
    pub(crate) async fn part(mut self) {
        let last_words = async {
            self.stream.write_all_buf(&mut self.output).await?;
            self.stream.shutdown().await
        };
        if let Ok(Ok(())) = timeout(PARTING_TIMEOUT, last_words).await {
            let silence = async {
                self.input.clear();
                while let Ok(1..) = self.stream.read_buf(&mut self.input).await {
                    self.input.clear();
                }
            };
            let _over = timeout(PARTING_TIMEOUT, silence).await;
        }
    }

    async fn fill(&mut self, deadline: Instant) -> Result<(), Gone> {
        self.flush().await?;
        self.input.reserve(READ_BYTES);
        tokio::select! {
            biased;
            _ = self.stopping.changed() => Err(Gone::Stopping),
            read = timeout_at(deadline, self.stream.read_buf(&mut self.input)) => match read {
                Ok(Ok(0)) => Err(Gone::Closed),
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(Gone::Broken(error)),
                Err(_) => Err(Gone::Silent),
            },
        }
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        if self.output.is_empty() {
            return Ok(());
        }
        let sent = async {
            self.stream.write_all_buf(&mut self.output).await?;
            self.stream.flush().await
        };
        tokio::select! {
            biased;
            sent = timeout(self.limits.stall, sent) => match sent {
                Ok(Ok(())) => Ok(()),
                Ok(Err(error)) => Err(Gone::Broken(error)),
                Err(_) => Err(Gone::Silent),
            },
            _ = self.stopping.changed() => Err(Gone::Stopping),
        }
    }
}

fn ended(mut line: BytesMut) -> Line {
    if line.len() > LINE_LIMIT_BYTES {
        return Line::TooLong;
    }
    match line.strip_suffix(b"\r\n").map(<[u8]>::len) {
        Some(length) => {
            line.truncate(length);
            Line::Whole(line)
        }
        None => Line::Bare,
    }
}
