//! A listener with an inbox that can be looked into, and a client that sends what it is told to, byte by byte.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::Timestamp;
use local::smtp::{Inbox, Incoming, SmtpLimits, SmtpRefusal, SmtpSettings, serve};
use service::memory::FixedWorld;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) const HOST_NAME: &str = "inbound-smtp.localhost";

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// How long a test waits for an answer before it fails instead of hanging: longer than any timeout that is tested.
const PATIENCE: Duration = Duration::from_secs(600);

/// Takes every mail, but those of `broken@…`; knows everybody, but `nobody@…`, `later@…` and `bye@…`.
pub(crate) struct Shelf {
    mails: Mutex<Vec<Incoming>>,
    too_large: Mutex<Vec<(Vec<String>, u64)>>,
    /// One permit for each mail that may be kept.
    pub(crate) permits: Semaphore,
    /// One permit for each mail that was asked to be kept.
    pub(crate) asked: Semaphore,
}

impl Shelf {
    pub(crate) fn with_permits(permits: usize) -> Arc<Self> {
        let (permits, asked) = (Semaphore::new(permits), Semaphore::new(0));
        Arc::new(Self { mails: Mutex::default(), too_large: Mutex::default(), permits, asked })
    }

    pub(crate) fn open() -> Arc<Self> {
        Self::with_permits(Semaphore::MAX_PERMITS)
    }

    pub(crate) fn mails(&self) -> Vec<Incoming> {
        self.mails.lock().unwrap().clone()
    }

    /// Who would have got the mails that were too large, and how large these were.
    pub(crate) fn too_large(&self) -> Vec<(Vec<String>, u64)> {
        self.too_large.lock().unwrap().clone()
    }

    /// The content of the one mail, without our header.
    pub(crate) fn content(&self) -> Vec<u8> {
        let mails = self.mails();
        let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
        without_received(&mail.raw)
    }
}

#[async_trait]
impl Inbox for Shelf {
    async fn recipient(&self, address: &str, _peer: IpAddr) -> Result<(), SmtpRefusal> {
        let refusal = |code, enhanced, text: &str| Err(SmtpRefusal { code, enhanced, text: text.to_owned() });
        match address.split_once('@').map_or(address, |(local, _)| local) {
            "nobody" => refusal(550, "5.1.1", "No such hook"),
            "later" => refusal(451, "4.3.0", "Ask again later"),
            "bye" => refusal(421, "4.3.2", "Bye"),
            _ => Ok(()),
        }
    }

    async fn deliver(&self, mail: Incoming) -> Result<String, SmtpRefusal> {
        self.asked.add_permits(1);
        self.permits.acquire().await.unwrap().forget();
        if mail.from.starts_with("broken@") {
            return Err(SmtpRefusal::unavailable());
        }
        let id = mail.id.clone();
        self.mails.lock().unwrap().push(mail);
        Ok(id)
    }

    async fn too_large(&self, recipients: &[String], bytes: u64) {
        self.too_large.lock().unwrap().push((recipients.to_vec(), bytes));
    }
}

pub(crate) fn settings() -> SmtpSettings {
    let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(1_780_384_463_000)));
    SmtpSettings { host_name: HOST_NAME.to_owned(), limits: SmtpLimits::default(), tls: None, world }
}

pub(crate) fn settings_with(change: impl FnOnce(&mut SmtpLimits)) -> SmtpSettings {
    let mut settings = settings();
    change(&mut settings.limits);
    settings
}

/// A listener at work.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) shelf: Arc<Shelf>,
    stop: watch::Sender<()>,
    serving: JoinHandle<()>,
}

impl Listening {
    pub(crate) async fn new() -> Self {
        Self::with(settings(), Shelf::open()).await
    }

    pub(crate) async fn with(settings: SmtpSettings, shelf: Arc<Shelf>) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(());
        let serving = tokio::spawn(serve(listener, shelf.clone(), settings, stopping));
        Self { address, shelf, stop, serving }
    }

    /// A client that has been greeted.
    pub(crate) async fn client(&self) -> Client<TcpStream> {
        let mut client = self.stranger().await;
        assert_eq!(client.hear().await, format!("220 {HOST_NAME} ESMTP Hookwright\r\n"));
        client
    }

    /// A client that has heard nothing yet.
    pub(crate) async fn stranger(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Client::over(stream)
    }

    /// A client that has said `EHLO`.
    pub(crate) async fn known_client(&self) -> Client<TcpStream> {
        let mut client = self.client().await;
        assert_eq!(client.ask("EHLO mail.example").await, 250);
        client
    }

    /// Asks the listener to stop; the handle ends when it has.
    pub(crate) fn stop(self) -> (Arc<Shelf>, JoinHandle<()>) {
        drop(self.stop);
        (self.shelf, self.serving)
    }
}

/// One end of a session.
pub(crate) struct Client<S> {
    stream: BufReader<S>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) fn into_stream(self) -> S {
        self.stream.into_inner()
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).await.unwrap();
        self.stream.get_mut().flush().await.unwrap();
    }

    /// The next answer, all its lines.
    pub(crate) async fn hear(&mut self) -> String {
        let mut answer = String::new();
        loop {
            let begun = answer.len();
            let read = timeout(PATIENCE, self.stream.read_line(&mut answer)).await;
            assert_ne!(read.expect("an answer in time").unwrap(), 0, "the connection ended after {answer:?}");
            assert!(answer.ends_with("\r\n"), "{answer:?}");
            if answer.as_bytes()[begun + 3] == b' ' {
                return answer;
            }
        }
    }

    /// The code of the next answer.
    pub(crate) async fn code(&mut self) -> u16 {
        self.hear().await[..3].parse().unwrap()
    }

    pub(crate) async fn ask(&mut self, line: impl AsRef<[u8]>) -> u16 {
        self.send([line.as_ref(), b"\r\n"].concat()).await;
        self.code().await
    }

    /// Everything that is still said until the other end hangs up.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        timeout(PATIENCE, self.stream.read_to_string(&mut rest)).await.expect("an end in time").unwrap();
        rest
    }

    /// Sends a mail for `a@hooks.example` as far as its content.
    pub(crate) async fn begin_mail(&mut self) {
        assert_eq!(self.ask("MAIL FROM:<ann@mail.example>").await, 250);
        assert_eq!(self.ask("RCPT TO:<a@hooks.example>").await, 250);
        assert_eq!(self.ask("DATA").await, 354);
    }
}

/// The message as it was sent.
pub(crate) fn without_received(raw: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    assert!(text.starts_with("Received: from "), "{}", text.get(..200).unwrap_or(&text));
    let end = raw.windows(7).position(|window| window == b"(UTC)\r\n").unwrap();
    raw[end + 7..].to_vec()
}
