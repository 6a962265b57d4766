//! Lines and their codes, in good and in bad orders.

use crate::given::{Listening, Shelf, settings};

/// Asks the lines in this order, in one session that has been greeted.
async fn check(name: &str, rows: &[(&str, u16)]) {
    let listening = Listening::new().await;
    let mut client = listening.client().await;
    for (line, code) in rows {
        assert_eq!(client.ask(line).await, *code, "{name}: {line}");
    }
}

#[tokio::test]
async fn what_is_offered_is_said() {
    let listening = Listening::new().await;
    let mut client = listening.client().await;
    client.send("EHLO mail.example\r\n").await;
    assert_eq!(
        client.hear().await,
        "250-inbound-smtp.localhost\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n\
         250-SIZE 41943040\r\n250 HELP\r\n"
    );
    client.send("HELO mail.example\r\n").await;
    assert_eq!(client.hear().await, "250 inbound-smtp.localhost\r\n");
}

#[tokio::test]
async fn commands_are_taken_in_any_case_and_in_their_order() {
    check(
        "a session",
        &[
            ("eHLo mail.example", 250),
            ("mail from:<a@b> size=10 body=8bitmime smtputf8", 250),
            ("rcpt to:<josé@hooks.example>", 250),
            ("Rcpt To:<c@hooks.example>", 250),
            ("rset", 250),
            ("noop anything", 250),
            ("VRFY a@hooks.example", 252),
            ("HELP", 214),
            ("HELP DATA", 214),
            ("quit", 221),
        ],
    )
    .await;
}

#[tokio::test]
async fn commands_out_of_order_are_refused_and_change_nothing() {
    check("before EHLO", &[("MAIL FROM:<a@b>", 503), ("RCPT TO:<a@b>", 503), ("DATA", 503), ("NOOP", 250)]).await;
    check("before MAIL", &[("EHLO x", 250), ("RCPT TO:<a@b>", 503), ("DATA", 503), ("STARTTLS", 502)]).await;
    check(
        "within a mail",
        &[("EHLO x", 250), ("MAIL FROM:<a@b>", 250), ("MAIL FROM:<c@d>", 503), ("DATA", 554), ("RCPT TO:<a@b>", 250)],
    )
    .await;
    for forgets in ["RSET", "EHLO again", "HELO again"] {
        check(
            forgets,
            &[
                ("EHLO x", 250),
                ("MAIL FROM:<a@b>", 250),
                ("RCPT TO:<a@b>", 250),
                (forgets, 250),
                ("RCPT TO:<a@b>", 503),
                ("DATA", 503),
                ("MAIL FROM:<>", 250),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn what_is_no_command_is_told_so() {
    check(
        "syntax",
        &[
            ("EHLO x", 250),
            ("", 500),
            ("HELLO", 500),
            ("EHLO", 501),
            ("HELO ", 501),
            ("MAIL FROM:a@b", 501),
            ("MAIL TO:<a@b>", 501),
            ("MAIL FROM:<a@b> XYZ=1", 555),
            ("MAIL FROM:<a@b> BODY=BINARYMIME", 555),
            ("MAIL FROM:<josé@b>", 553),
            ("MAIL FROM:<a@b>", 250),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a@b> NOTIFY=NEVER", 555),
            ("RCPT TO:<josé@b>", 553),
            ("RCPT TO:<a@b>", 250),
            ("DATA now", 501),
            ("RSET now", 501),
            ("EXPN list", 502),
            ("QUIT", 221),
        ],
    )
    .await;
}

#[tokio::test]
async fn an_inbox_speaks_for_itself() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    assert_eq!(client.ask("MAIL FROM:<a@b>").await, 250);
    client.send("RCPT TO:<nobody@hooks.example>\r\n").await;
    assert_eq!(client.hear().await, "550 5.1.1 No such hook\r\n");
    assert_eq!(client.ask("RCPT TO:<later@hooks.example>").await, 451);
    assert_eq!(client.ask("DATA").await, 554);
    assert_eq!(client.ask("RCPT TO:<bye@hooks.example>").await, 421);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn a_client_that_insists_on_signing_in_is_told_that_nobody_has_to() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    client.send("AUTH PLAIN AGEAYg==\r\n").await;
    assert_eq!(client.hear().await, "502 5.5.1 Nobody has to sign in here; send the mail without AUTH\r\n");
    assert_eq!(client.ask("MAIL FROM:<a@b>").await, 250);
}

#[tokio::test]
async fn commands_that_come_at_once_are_answered_at_once() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    let envelope = "MAIL FROM:<a@b>\r\nRCPT TO:<nobody@c>\r\nRCPT TO:<d@e>\r\nDATA\r\n";
    client.send(envelope).await;
    for code in [250, 550, 250, 354] {
        assert_eq!(client.code().await, code);
    }
    // The end of a mail and the next one may come together as well.
    client.send(format!("Subject: 1\r\n\r\n.\r\nNOOP\r\nRSET\r\n{envelope}")).await;
    for code in [250, 250, 250, 250, 550, 250, 354] {
        assert_eq!(client.code().await, code);
    }
    client.send("Subject: 2\r\n\r\n.\r\nQUIT\r\n").await;
    assert_eq!((client.code().await, client.code().await), (250, 221));
    assert_eq!(client.rest().await, "");
    assert_eq!(listening.shelf.mails().len(), 2);
}

#[tokio::test]
async fn commands_that_come_byte_by_byte_are_the_same() {
    let listening = Listening::new().await;
    let mut client = listening.client().await;
    for (lines, code) in [
        ("EHLO x\r\n", 250),
        ("MAIL FROM:<a@b>\r\n", 250),
        ("RCPT TO:<c@d>\r\n", 250),
        ("DATA\r\n", 354),
        ("Subject: 1\r\n\r\n..\r\n.x\r\n.\r\n", 250),
        ("QUIT\r\n", 221),
    ] {
        for byte in lines.bytes() {
            client.send([byte]).await;
        }
        assert_eq!(client.code().await, code, "{lines}");
    }
    assert_eq!(listening.shelf.content(), b"Subject: 1\r\n\r\n.\r\nx\r\n");
}

#[tokio::test]
async fn who_does_not_wait_for_the_answers_that_matter_is_sent_away() {
    let whole = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: 1\r\n\r\n.\r\nQUIT\r\n";
    let listening = Listening::new().await;
    let mut early = listening.stranger().await;
    early.send(whole).await;
    assert_eq!((early.code().await, early.code().await), (220, 554));
    assert_eq!(early.rest().await, "");

    let mut early = listening.known_client().await;
    early.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nSubject: 1\r\n\r\n.\r\n").await;
    assert_eq!((early.code().await, early.code().await, early.code().await), (250, 250, 554));
    assert_eq!(early.rest().await, "");
    assert!(listening.shelf.mails().is_empty());

    // One command before the greeting is only impatient.
    let mut impatient = listening.stranger().await;
    impatient.send("EHLO x\r\n").await;
    assert_eq!((impatient.code().await, impatient.code().await), (220, 250));
}

#[tokio::test]
async fn a_page_in_a_browser_sends_no_mail() {
    let listening = Listening::new().await;
    for method in ["POST / HTTP/1.1", "GET / HTTP/1.1", "OPTIONS * HTTP/1.1", "put /x HTTP/1.1"] {
        let mut browser = listening.stranger().await;
        browser
            .send(format!("{method}\r\nHost: localhost\r\n\r\nEHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"))
            .await;
        assert_eq!((browser.code().await, browser.code().await), (220, 554), "{method}");
        assert_eq!(browser.rest().await, "");
    }
}

#[tokio::test]
async fn a_chunk_that_nobody_asked_for_is_not_read_as_commands() {
    let listening = Listening::with(settings(), Shelf::open()).await;
    let mut client = listening.known_client().await;
    client.send("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 6 LAST\r\nRSET\r\n").await;
    assert_eq!((client.code().await, client.code().await, client.code().await), (250, 250, 502));
    assert_eq!(client.rest().await, "");
}
