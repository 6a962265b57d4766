//! Mails, as the inbox gets them.

use crate::given::{LOOPBACK, Listening};

#[tokio::test]
async fn a_mail_arrives_with_its_envelope_and_our_header_in_front() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    client.begin_mail().await;
    client.send("Subject: order\r\n\r\n..\r\nbye\r\n.\r\n").await;
    let answer = client.hear().await;

    let mail = listening.shelf.mails().remove(0);
    assert_eq!(answer, format!("250 2.0.0 Ok: queued as {}\r\n", mail.id));
    assert_eq!(mail.id.len(), 40);
    assert_eq!(
        (mail.from.as_str(), mail.recipients.as_slice()),
        ("ann@mail.example", &["a@hooks.example".to_owned()][..])
    );
    assert_eq!((mail.peer, mail.helo.as_deref()), (LOOPBACK, Some("mail.example")));
    assert_eq!(
        String::from_utf8(mail.raw.to_vec()).unwrap(),
        format!(
            "Received: from mail.example ([127.0.0.1])\r\n by inbound-smtp.localhost with ESMTP id {}\r\n for \
             a@hooks.example;\r\n Tue, 02 Jun 2026 07:14:23 +0000 (UTC)\r\nSubject: order\r\n\r\n.\r\nbye\r\n",
            mail.id
        )
    );
}

#[tokio::test]
async fn a_mail_to_several_tells_nobody_who_the_others_are() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    assert_eq!(client.ask("MAIL FROM:<>").await, 250);
    for (recipient, code) in [("a@hooks.example", 250), ("nobody@hooks.example", 550), ("B@hooks.example", 250)] {
        assert_eq!(client.ask(format!("RCPT TO:<{recipient}>")).await, code);
    }
    assert_eq!(client.ask("DATA").await, 354);
    assert_eq!(client.ask("To: undisclosed-recipients:;\r\n\r\n.").await, 250);
    let mail = listening.shelf.mails().remove(0);
    assert_eq!(mail.from, "");
    assert_eq!(mail.recipients, ["a@hooks.example", "B@hooks.example"]);
    assert!(!String::from_utf8_lossy(&mail.raw).contains("hooks.example"));
}

#[tokio::test]
async fn how_a_mail_came_is_in_its_header() {
    for (hello, mail, with) in [
        ("HELO x", "MAIL FROM:<a@b>", " with SMTP id "),
        ("EHLO x", "MAIL FROM:<a@b> BODY=8BITMIME", " with ESMTP id "),
        ("EHLO x", "MAIL FROM:<josé@b> SMTPUTF8", " with UTF8SMTP id "),
    ] {
        let listening = Listening::new().await;
        let mut client = listening.client().await;
        for (line, code) in [(hello, 250), (mail, 250), ("RCPT TO:<a@b>", 250), ("DATA", 354), ("\r\n.", 250)] {
            assert_eq!(client.ask(line).await, code, "{line}");
        }
        let raw = listening.shelf.mails().remove(0).raw;
        assert!(String::from_utf8_lossy(&raw).contains(with), "{with}");
    }
}

#[tokio::test]
async fn every_byte_arrives_as_it_was_sent() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    let all: Vec<u8> = (0..=255).chain(*b"\r\n\0\0\r\n").collect();
    client.begin_mail().await;
    client.send([&all[..], b".\r\n"].concat()).await;
    assert_eq!(client.code().await, 250);
    assert_eq!(listening.shelf.content(), all);
}

#[tokio::test]
async fn several_mails_in_one_session_are_several_mails() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    for number in 0..3 {
        client.begin_mail().await;
        assert_eq!(client.ask(format!("Subject: {number}\r\n\r\n.")).await, 250);
        assert_eq!(client.ask("RCPT TO:<a@hooks.example>").await, 503, "the envelope is used up");
    }
    let mut ids: Vec<String> = listening.shelf.mails().into_iter().map(|mail| mail.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn a_mail_that_cannot_be_kept_is_to_be_sent_again() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    assert_eq!(client.ask("MAIL FROM:<broken@mail.example>").await, 250);
    assert_eq!(client.ask("RCPT TO:<a@hooks.example>").await, 250);
    assert_eq!(client.ask("DATA").await, 354);
    client.send("\r\n.\r\n").await;
    assert_eq!(client.hear().await, "451 4.3.0 The mail cannot be kept at the moment; send it again later\r\n");
    client.begin_mail().await;
    assert_eq!(client.ask("\r\n.").await, 250);
}

#[tokio::test]
async fn a_mail_without_its_end_is_none() {
    for content in ["", "Subject: 1\r\n\r\nhalf", "Subject: 1\r\n\r\n", "Subject: 1\r\n\r\n.", "Subject: 1\r\n\r\n.\r"]
    {
        let listening = Listening::new().await;
        let mut client = listening.known_client().await;
        client.begin_mail().await;
        client.send(content).await;
        drop(client);
        let (shelf, serving) = listening.stop();
        serving.await.unwrap();
        assert!(shelf.mails().is_empty(), "{content:?}");
    }
}
