//! `STARTTLS`: nothing that was said in the open counts afterwards.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local::smtp::{SmtpSettings, SmtpTls};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::given::{Client, HOST_NAME, Listening, Shelf, settings};

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der)).into_bytes()
}

/// Settings with a certificate, and a client that trusts it.
fn encrypting() -> (SmtpSettings, TlsConnector) {
    let made = rcgen::generate_simple_self_signed([HOST_NAME.to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let key = made.signing_key.serialize_der();
    let tls = SmtpTls::from_pem(&pem("CERTIFICATE", &certificate), &pem("PRIVATE KEY", &key)).unwrap();

    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (SmtpSettings { tls: Some(tls), ..settings() }, Arc::new(config).into())
}

async fn encrypted(
    client: Client<TcpStream>,
    connector: &TlsConnector,
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let name = ServerName::try_from(HOST_NAME).unwrap();
    connector.connect(name, client.into_stream()).await.map(Client::over)
}

#[tokio::test]
async fn a_mail_may_come_encrypted() {
    let (settings, connector) = encrypting();
    let listening = Listening::with(settings, Shelf::open()).await;
    let mut client = listening.client().await;
    client.send("EHLO mail.example\r\n").await;
    assert!(client.hear().await.ends_with("250 STARTTLS\r\n"));
    assert_eq!(client.ask("STARTTLS").await, 220);

    let mut client = encrypted(client, &connector).await.unwrap();
    assert_eq!(client.ask("MAIL FROM:<a@b>").await, 503, "who said EHLO in the open is not known");
    client.send("EHLO mail.example\r\n").await;
    assert!(!client.hear().await.contains("STARTTLS"));
    assert_eq!(client.ask("STARTTLS").await, 503);
    client.begin_mail().await;
    assert_eq!(client.ask("Subject: secret\r\n\r\n.").await, 250);
    assert_eq!(client.ask("QUIT").await, 221);
    assert_eq!(client.rest().await, "", "the end is said as TLS wants it");
    assert!(String::from_utf8_lossy(&listening.shelf.mails()[0].raw).contains(" with ESMTPS id "));
}

#[tokio::test]
async fn encryption_begins_only_where_it_can() {
    let (settings, _) = encrypting();
    let listening = Listening::with(settings, Shelf::open()).await;
    let mut client = listening.client().await;
    for (line, code) in [
        ("STARTTLS", 503),
        ("EHLO x", 250),
        ("STARTTLS now", 501),
        ("MAIL FROM:<a@b>", 250),
        ("STARTTLS", 503),
        ("RSET", 250),
        ("STARTTLS", 220),
    ] {
        assert_eq!(client.ask(line).await, code, "{line}");
    }
    assert!(SmtpTls::self_signed(HOST_NAME).is_ok());
    assert!(SmtpTls::from_pem(b"no certificate", b"no key").is_err());
}

#[tokio::test]
async fn commands_behind_starttls_are_never_obeyed() {
    let (settings, connector) = encrypting();
    let listening = Listening::with(settings, Shelf::open()).await;
    // Before the answer to it.
    let mut client = listening.known_client().await;
    client.send("STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@x>\r\n").await;
    assert_eq!(client.code().await, 554);
    assert_eq!(client.rest().await, "");

    // Between the answer and the handshake.
    let mut client = listening.known_client().await;
    assert_eq!(client.ask("STARTTLS").await, 220);
    client.send("EHLO evil\r\nMAIL FROM:<evil@x>\r\n").await;
    assert!(encrypted(client, &connector).await.is_err());
    assert!(listening.shelf.mails().is_empty());
}
