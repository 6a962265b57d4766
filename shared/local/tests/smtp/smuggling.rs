//! Mails within mails: what another server took for content must not be a mail of its own here.

use crate::given::Listening;

const SMUGGLED: &str = "MAIL FROM:<evil@x>\r\nRCPT TO:<a@hooks.example>\r\nDATA\r\nSubject: evil\r\n\r\n.\r\n";

#[tokio::test]
async fn only_a_dot_between_full_line_ends_ends_a_mail() {
    for false_end in
        ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\n\0.\r\n", "\r\n.\0\r\n"]
    {
        let listening = Listening::new().await;
        let mut client = listening.known_client().await;
        client.begin_mail().await;
        client.send(format!("Subject: 1\r\n\r\nhello{false_end}{SMUGGLED}")).await;
        assert_eq!(client.code().await, 250, "{false_end:?}");
        let content = String::from_utf8(listening.shelf.content()).unwrap();
        assert!(content.contains("MAIL FROM:<evil@x>") && content.ends_with("Subject: evil\r\n\r\n"), "{false_end:?}");
    }
}

#[tokio::test]
async fn a_lone_line_feed_ends_no_command() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    client.send("MAIL FROM:<a@b>\nRCPT TO:<c@d>\r\nNOOP\r\n").await;
    assert_eq!(client.hear().await, "500 5.5.2 A line ends with CR LF; this one ended with LF alone\r\n");
    assert_eq!((client.code().await, client.code().await), (503, 250));
}

#[tokio::test]
async fn a_command_has_nothing_in_it_that_is_not_text() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    for line in [
        &b"MAIL FROM:<a@b>\rRCPT TO:<c@d>"[..],
        b"MAIL FROM:<a\0@b>",
        b"NOOP\0",
        b"MAIL FROM:<a@b>\tSIZE=1",
        b"EHLO x\x7f",
        b"MAIL FROM:<jos\xe9@b> SMTPUTF8",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ] {
        assert_eq!(client.ask(line).await, 500, "{}", line.escape_ascii());
    }
    assert_eq!(client.ask("DATA").await, 503);
}
