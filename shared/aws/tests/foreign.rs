//! A second opinion on the adapters: they do their work on the emulator at `HOOKWRIGHT_TEST_AWS_ENDPOINT`, which
//! others have written. They are ignored unless they are asked for, as CI does:
//!
//! ```sh
//! moto_server -p 5599 &
//! HOOKWRIGHT_TEST_AWS_ENDPOINT=http://127.0.0.1:5599 cargo test -p aws --test foreign -- --ignored
//! ```

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use aws::{Received, S3Blobs, S3Mails, SesPost, SqsQueue};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use domain::{OrgId, Timestamp};
use service::memory::FixedWorld;
use service::ports::{Blobs, Mails, NotPosted, OutgoingContent, OutgoingMail, Pieces, Post, Queue as _};
use sha2::{Digest, Sha256};

/// Where the emulator is.
fn endpoint() -> String {
    std::env::var("HOOKWRIGHT_TEST_AWS_ENDPOINT").unwrap()
}

fn world() -> Arc<FixedWorld> {
    Arc::new(FixedWorld::at(Timestamp::from_millisecond(0)))
}

fn org() -> OrgId {
    OrgId::fresh(Timestamp::from_millisecond(0), [1; 8])
}

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "secret", None, None, "test")
}

fn s3(endpoint: &str) -> aws_sdk_s3::Client {
    let conf = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(conf)
}

fn ses(endpoint: &str) -> aws_sdk_ses::Client {
    let conf = aws_sdk_ses::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_ses::Client::from_conf(conf)
}

fn sqs(endpoint: &str) -> aws_sdk_sqs::Client {
    let conf = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(credentials())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .build();
    aws_sdk_sqs::Client::from_conf(conf)
}

#[tokio::test]
#[ignore = "it needs an emulator"]
async fn a_message_that_is_held_back_is_there_and_not_to_be_received() {
    use aws_sdk_sqs::types::{MessageSystemAttributeName as System, QueueAttributeName as Attribute};
    let client = sqs(&endpoint());
    let url = client.create_queue().queue_name("held-back").send().await.unwrap().queue_url.unwrap();
    let queue = SqsQueue::new(client.clone(), &url, world());
    queue.send_later(org(), "much later".to_owned(), 86_400).await.unwrap();
    queue.send_later(org(), "later".to_owned(), 900).await.unwrap();
    queue.send_later(org(), "now".to_owned(), 0).await.unwrap();

    let receive = client.receive_message().queue_url(&url).max_number_of_messages(10);
    let received = receive.message_system_attribute_names(System::MessageGroupId).send().await.unwrap();
    let bodies: Vec<_> = received.messages().iter().filter_map(|message| message.body()).collect();
    assert_eq!(bodies, ["now"]);
    let group = &received.messages()[0].attributes.as_ref().unwrap()[&System::MessageGroupId];
    assert_eq!(*group, org().to_string(), "orgs take turns");
    let asked = client.get_queue_attributes().queue_url(&url).attribute_names(Attribute::All).send().await.unwrap();
    let attributes = asked.attributes.unwrap();
    assert_eq!(attributes[&Attribute::ApproximateNumberOfMessagesDelayed], "2");
}

#[tokio::test]
#[ignore = "it needs an emulator"]
async fn messages_that_were_received_come_again_when_it_was_said() {
    let client = sqs(&endpoint());
    let url = client.create_queue().queue_name("released").send().await.unwrap().queue_url.unwrap();
    let queue = SqsQueue::new(client.clone(), &url, world());
    for number in 0..12 {
        queue.send_later(org(), number.to_string(), 0).await.unwrap();
    }
    let receive = || client.receive_message().queue_url(&url).max_number_of_messages(10).visibility_timeout(360).send();
    let mut received = Vec::new();
    for _ in 0..2 {
        received.extend(receive().await.unwrap().messages.unwrap());
    }
    assert_eq!(received.len(), 12);
    assert_eq!(receive().await.unwrap().messages, None, "all are hidden");

    let at_once = |message: &aws_sdk_sqs::types::Message| {
        let seconds = if message.body() == Some("7") { 100_000 } else { 0 };
        Received { receipt: message.receipt_handle().unwrap().to_owned(), seconds }
    };
    queue.release(&received.iter().map(at_once).collect::<Vec<_>>()).await.unwrap();
    let mut again = Vec::new();
    while let Some(messages) = receive().await.unwrap().messages {
        again.extend(messages.into_iter().filter_map(|message| message.body));
    }
    again.sort();
    assert_eq!(again, ["0", "1", "10", "11", "2", "3", "4", "5", "6", "8", "9"]);

    queue.release(&[]).await.unwrap();
    let nobodys = Received { receipt: "nobody's".to_owned(), seconds: 1 };
    assert!(queue.release(&[nobodys]).await.is_err());
}

#[tokio::test]
#[ignore = "it needs an emulator"]
async fn a_mail_is_read_as_it_was_stored_and_a_missing_one_is_none() {
    let endpoint = endpoint();
    let client = s3(&endpoint);
    client.create_bucket().bucket("hw-foreign-mail").send().await.unwrap();
    let mail: Vec<u8> = (0..5_000_000_u32).map(|n| n.to_be_bytes()[3]).collect();
    let key = "inbound/2026 06/a+b=\u{e9}";
    client.put_object().bucket("hw-foreign-mail").key(key).body(mail.clone().into()).send().await.unwrap();

    let mails = S3Mails::new(client, "hw-foreign-mail", world());
    assert!(mails.read(key).await.unwrap().unwrap() == mail);
    assert_eq!(mails.read("inbound/missing").await, Ok(None));
}

#[tokio::test]
#[ignore = "it needs an emulator"]
async fn a_blob_in_pieces_is_found_whole() {
    let endpoint = endpoint();
    let client = s3(&endpoint);
    client.create_bucket().bucket("hw-foreign-blobs").send().await.unwrap();
    let blobs = S3Blobs::new(client, "hw-foreign-blobs", world());
    let piece = Bytes::from(vec![7; 65_536]);
    let (count, whole) = (60, vec![7; 60 * 65_536]);
    let sha256 = hex::encode(Sha256::digest(&whole));
    let pieces: Pieces = Arc::new(move || Box::new(std::iter::repeat_n(piece.clone(), count)));

    blobs.put_pieces(&sha256, whole.len() as u64, pieces).await.unwrap();

    assert!(blobs.find(&sha256).await.unwrap().unwrap() == whole);
}

#[tokio::test]
#[ignore = "it needs an emulator"]
async fn ses_sends_what_is_from_a_verified_domain_and_by_a_template_that_it_has() {
    let endpoint = endpoint();
    let client = ses(&endpoint);
    let post = SesPost::new(client.clone(), world());
    let mail = |content| OutgoingMail {
        org: domain::OrgId::parse("581392b55ac7a2110099d9c8").unwrap(),
        key: "run/step/1".to_owned(),
        from: "orders@foreign.example".to_owned(),
        recipients: vec!["customer@mail.example".to_owned()],
        content,
    };
    let message = "From: orders@foreign.example\r\nTo: customer@mail.example\r\nSubject: Hi\r\n\r\nHello\r\n";
    let raw = mail(OutgoingContent::Raw(Bytes::from_static(message.as_bytes())));
    let template = mail(OutgoingContent::Template {
        name: "foreign".to_owned(),
        data: r#"{"order":"1234"}"#.to_owned(),
        to: vec!["customer@mail.example".to_owned()],
        cc: Vec::new(),
        bcc: Vec::new(),
        reply_to: Vec::new(),
    });

    // The emulator has words of its own for what SES calls not verified.
    assert_eq!(refusal(post.send(&raw).await.unwrap_err()), "mail_rejected");
    client.verify_domain_identity().domain("foreign.example").send().await.unwrap();
    assert!(!post.send(&raw).await.unwrap().id.is_empty());

    assert_eq!(refusal(post.send(&template).await.unwrap_err()), "template_not_found");
    let made = aws_sdk_ses::types::Template::builder();
    let made = made.template_name("foreign").subject_part("Order {{order}}").text_part("It is on its way.");
    client.create_template().template(made.build().unwrap()).send().await.unwrap();
    assert!(!post.send(&template).await.unwrap().id.is_empty());
}

fn refusal(error: NotPosted) -> String {
    match error {
        NotPosted::Refused(failure) => failure.code,
        other @ (NotPosted::NotSent(_) | NotPosted::Unknown(_)) => panic!("{other:?}"),
    }
}
