//! What leaves for SES, and what each of its answers means for the mail.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_sdk_ses::config::Region;
use aws_smithy_runtime_api::client::result::ConnectorError;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::Timestamp;
use service::memory::FixedWorld;
use service::ports::{NotPosted, OutgoingContent, OutgoingMail, Post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::SesPost;
use crate::canned::{Canned, answer};
use crate::clients::one_connector;

const MESSAGE: &[u8] =
    b"From: a@shop.example\r\nTo: b@mail.example\r\nSubject: Hello\r\n\r\nHello & goodbye + more\r\n";

fn world() -> Arc<FixedWorld> {
    Arc::new(FixedWorld::at(Timestamp::from_millisecond(0)))
}

fn post(canned: &Arc<Canned>) -> SesPost {
    SesPost::new(canned.ses(), world())
}

fn raw() -> OutgoingMail {
    OutgoingMail {
        org: domain::OrgId::parse("581392b55ac7a2110099d9c8").unwrap(),
        key: "run/step/1".to_owned(),
        from: "a@shop.example".to_owned(),
        recipients: vec!["b@mail.example".to_owned(), "hidden+copy@mail.example".to_owned()],
        content: OutgoingContent::Raw(Bytes::from_static(MESSAGE)),
    }
}

fn templated() -> OutgoingMail {
    let list = |address: &str| vec![address.to_owned()];
    let content = OutgoingContent::Template {
        name: "shipped".to_owned(),
        data: r#"{"order":"1234"}"#.to_owned(),
        to: list("b@mail.example"),
        cc: Vec::new(),
        bcc: list("c@mail.example"),
        reply_to: list("d@shop.example"),
    };
    OutgoingMail { content, ..raw() }
}

fn sent(operation: &str) -> Vec<u8> {
    let ns = "http://ses.amazonaws.com/doc/2010-12-01/";
    format!(
        r#"<{operation}Response xmlns="{ns}"><{operation}Result><MessageId>0102-a</MessageId></{operation}Result></{operation}Response>"#
    )
    .into_bytes()
}

fn error(code: &str, message: &str) -> Vec<u8> {
    format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>")
        .into_bytes()
}

/// The fields of a request, decoded.
fn fields(body: &[u8]) -> Vec<(String, String)> {
    let text = str::from_utf8(body).unwrap();
    let decode = |part: &str| {
        let bytes = part.replace('+', " ").into_bytes();
        percent_decode(&bytes)
    };
    text.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (decode(name), decode(value))).collect()
}

fn percent_decode(bytes: &[u8]) -> String {
    let mut decoded = Vec::new();
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [*rest.next().unwrap(), *rest.next().unwrap()];
                decoded.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            other => decoded.push(*other),
        }
    }
    String::from_utf8(decoded).unwrap()
}

fn has(fields: &[(String, String)], name: &str, value: &str) -> bool {
    fields.iter().any(|(known, given)| known == name && given == value)
}

#[tokio::test]
async fn a_whole_message_goes_to_everybody_on_the_envelope() {
    let canned = Canned::with([answer(200, &sent("SendRawEmail"))]);
    assert_eq!(post(&canned).send(&raw()).await.unwrap().id, "0102-a");
    let fields = fields(&canned.requests()[0].body);
    for (name, value) in [
        ("Action", "SendRawEmail"),
        ("Source", "a@shop.example"),
        ("Destinations.member.1", "b@mail.example"),
        ("Destinations.member.2", "hidden+copy@mail.example"),
        ("RawMessage.Data", &STANDARD.encode(MESSAGE)),
    ] {
        assert!(has(&fields, name, value), "{name}={value} in {fields:?}");
    }
}

#[tokio::test]
async fn a_template_goes_with_its_data_and_each_kind_of_recipient() {
    let canned = Canned::with([answer(200, &sent("SendTemplatedEmail"))]);
    assert_eq!(post(&canned).send(&templated()).await.unwrap().id, "0102-a");
    let fields = fields(&canned.requests()[0].body);
    for (name, value) in [
        ("Action", "SendTemplatedEmail"),
        ("Source", "a@shop.example"),
        ("Destination.ToAddresses.member.1", "b@mail.example"),
        ("Destination.BccAddresses.member.1", "c@mail.example"),
        ("ReplyToAddresses.member.1", "d@shop.example"),
        ("Template", "shipped"),
        ("TemplateData", r#"{"order":"1234"}"#),
    ] {
        assert!(has(&fields, name, value), "{name}={value} in {fields:?}");
    }
}

#[tokio::test]
async fn what_ses_refuses_is_refused_with_a_sentence_for_whoever_can_change_it() {
    let unverified = "Email address is not verified. The following identities failed the check: a@shop.example";
    for (code, message, word) in [
        ("MessageRejected", unverified, "address_not_verified"),
        ("MessageRejected", "Email contained a virus.", "mail_rejected"),
        ("MailFromDomainNotVerifiedException", "no MX", "mail_from_not_verified"),
        ("TemplateDoesNotExist", "Template shipped does not exist", "template_not_found"),
        ("AccountSendingPausedException", "Sending paused", "sending_paused"),
        ("AccessDenied", "User is not authorized to perform ses:SendRawEmail", "sending_not_allowed"),
        ("InvalidParameterValue", "Missing final '@domain'", "mail_refused"),
        ("Throttling", "Daily message quota exceeded.", "quota_exceeded"),
        ("ThrottlingException", "Daily message quota exceeded", "quota_exceeded"),
        ("ValidationError", "1 validation error detected", "mail_refused"),
    ] {
        for mail in [raw(), templated()] {
            let canned = Canned::with([answer(400, &error(code, message))]);
            match post(&canned).send(&mail).await.unwrap_err() {
                NotPosted::Refused(failure) => {
                    assert_eq!(failure.code, word);
                    assert!(failure.message.ends_with(message), "{}", failure.message);
                }
                other @ (NotPosted::NotSent(_) | NotPosted::Unknown(_)) => panic!("{code}: {other:?}"),
            }
            assert_eq!(canned.requests().len(), 1, "{code}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_ses_has_refused_for_the_moment_is_tried_again_and_was_not_sent() {
    let throttled = || answer(400, &error("Throttling", "Maximum sending rate exceeded."));
    let canned = Canned::with([throttled(), throttled(), answer(200, &sent("SendRawEmail"))]);
    assert!(post(&canned).send(&raw()).await.is_ok());
    assert_eq!(canned.requests().len(), 3);

    let canned = Canned::with([throttled(), throttled(), throttled()]);
    let NotPosted::NotSent(why) = post(&canned).send(&templated()).await.unwrap_err() else { panic!("it was sent") };
    assert_eq!(why.to_string(), "post is unavailable: Throttling (400): Maximum sending rate exceeded.");
}

#[tokio::test]
async fn credentials_that_have_run_out_send_nothing() {
    let canned = Canned::with([answer(403, &error("ExpiredToken", "The security token is expired"))]);
    assert!(matches!(post(&canned).send(&raw()).await, Err(NotPosted::NotSent(_))));
}

#[tokio::test]
async fn what_may_have_left_is_never_tried_again() {
    let closed = || Err(ConnectorError::io("connection reset".into()));
    let late = || Err(ConnectorError::timeout("no answer".into()));
    for trouble in
        [answer(500, b""), answer(503, &error("ServiceUnavailable", "later")), closed(), late(), answer(200, b"<")]
    {
        let canned = Canned::with([trouble]);
        let outcome = post(&canned).send(&raw()).await;
        assert!(matches!(outcome, Err(NotPosted::Unknown(_))), "{outcome:?}");
        assert_eq!(canned.requests().len(), 1);
    }
}

/// The post at an address of this machine, over the connector that functions use.
fn post_at(address: SocketAddr) -> SesPost {
    let conf = aws_sdk_ses::Config::builder()
        .behavior_version(aws_sdk_ses::config::BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(aws_sdk_ses::config::Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
        .retry_config(aws_sdk_ses::config::retry::RetryConfig::disabled())
        .http_client(one_connector())
        .endpoint_url(format!("http://{address}"))
        .build();
    SesPost::new(aws_sdk_ses::Client::from_conf(conf), world())
}

#[tokio::test]
async fn a_mail_was_not_sent_where_nobody_listens() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = post_at(address).send(&raw()).await;
    assert!(matches!(outcome, Err(NotPosted::NotSent(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_mail_may_have_been_sent_where_somebody_took_it_and_went_away() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut some = [0; 64];
        stream.read_exact(&mut some).await.unwrap();
        stream.shutdown().await.unwrap();
        // Whoever tries again would be taken here.
        listener
    });
    let outcome = post_at(address).send(&raw()).await;
    assert!(matches!(outcome, Err(NotPosted::Unknown(_))), "{outcome:?}");
    let listener = server.await.unwrap();
    tokio::select! {
        biased;
        _ = listener.accept() => panic!("it was tried again"),
        () = std::future::ready(()) => {}
    }
}
