//! The listener of a test: HTTP, or TLS under a certificate for any name the test asks for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig, crypto::ring};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// What a TLS record of a handshake begins with.
const HANDSHAKE: u8 = 0x16;

type Answer = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// A listener that counts connections and keeps what it is asked.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    /// Those that trust its certificate.
    pub(super) roots: Arc<RootCertStore>,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    connections: usize,
    requests: Vec<String>,
}

impl Server {
    /// One that answers each request with what `answer` makes of it, and hangs up.
    pub(super) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start_for(&["service.example", "other.example"], answer).await
    }

    /// The same under a certificate for `hosts`.
    pub(super) async fn start_for(hosts: &[&str], answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (roots, acceptor) = certificate(hosts);
        let heard = Arc::<Mutex<Heard>>::default();
        let (noted, answer) = (Arc::clone(&heard), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                noted.lock().unwrap().connections += 1;
                let (noted, answer, acceptor) = (Arc::clone(&noted), Arc::clone(&answer), acceptor.clone());
                tokio::spawn(async move { serve(stream, &acceptor, &noted, answer.as_ref()).await });
            }
        });
        Self { address, roots, heard }
    }

    pub(super) fn connections(&self) -> usize {
        self.heard.lock().unwrap().connections
    }

    /// Every request so far, as text.
    pub(super) fn requests(&self) -> Vec<String> {
        self.heard.lock().unwrap().requests.clone()
    }
}

async fn serve(stream: TcpStream, acceptor: &TlsAcceptor, heard: &Mutex<Heard>, answer: &Answer) {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first == [HANDSHAKE] => {
            // A client that does not trust the certificate hangs up.
            if let Ok(stream) = acceptor.accept(stream).await {
                converse(stream, heard, answer).await;
            }
        }
        Ok(_) => converse(stream, heard, answer).await,
        Err(_) => {}
    }
}

async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, heard: &Mutex<Heard>, answer: &Answer) {
    let Some(request) = request(&mut stream).await else { return };
    heard.lock().unwrap().requests.push(request.clone());
    // A client that has seen enough hangs up.
    let _ = stream.write_all(&answer(&request)).await;
    let _ = stream.shutdown().await;
}

/// A whole request; the length of its body is told.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text);
            }
        }
        let mut some = [0; 4096];
        match stream.read(&mut some).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => bytes.extend_from_slice(&some[..length]),
        }
    }
}

fn certificate(hosts: &[&str]) -> (Arc<RootCertStore>, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let certificate = CertificateParams::new(hosts).unwrap().self_signed(&key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    (Arc::new(roots), TlsAcceptor::from(Arc::new(config)))
}
