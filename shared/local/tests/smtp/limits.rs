//! Limits, at them and one past them.

use crate::given::{Listening, Shelf, settings_with};

const SIZE: usize = 41_943_040;

const LINE: &[u8] = b"a line of a very long mail, with a lone\nin it\r\n";

#[tokio::test]
async fn a_size_is_judged_before_anything_is_sent() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    for (size, code) in [("0", 250), ("41943040", 250), ("41943041", 552), ("99999999999999999999999", 552)] {
        assert_eq!(client.ask(format!("MAIL FROM:<a@b> SIZE={size}")).await, 250, "{size}");
        assert_eq!(client.ask("RCPT TO:<a@hooks.example>").await, code, "{size}");
        assert_eq!(client.ask("RSET").await, 250);
    }
    let told = listening.shelf.too_large();
    assert_eq!(told, [41_943_041, u64::MAX].map(|bytes| (vec!["a@hooks.example".to_owned()], bytes)));
}

#[tokio::test]
async fn a_mail_of_too_great_a_size_is_refused_for_each_hook_and_a_stranger_stays_one() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    assert_eq!(client.ask("MAIL FROM:<a@b> SIZE=41943041").await, 250);
    assert_eq!(client.ask("RCPT TO:<nobody@hooks.example>").await, 550);
    for hook in ["a@hooks.example", "b@hooks.example"] {
        client.send(format!("RCPT TO:<{hook}>\r\n")).await;
        assert_eq!(client.hear().await, "552 5.3.4 The mail is longer than SIZE allows\r\n");
    }
    assert_eq!(client.ask("DATA").await, 554);
    let told: Vec<String> = listening.shelf.too_large().into_iter().flat_map(|(recipients, _)| recipients).collect();
    assert_eq!(told, ["a@hooks.example", "b@hooks.example"]);
    assert!(listening.shelf.mails().is_empty());
}

#[tokio::test]
async fn a_mail_of_forty_megabytes_is_taken_and_one_byte_more_is_not() {
    for (bytes, announced, code) in [
        (SIZE, "", 250),
        (SIZE, " SIZE=41943040", 250),
        (SIZE, " SIZE=1", 250),
        (SIZE + 1, "", 552),
        (SIZE + 1, " SIZE=1", 552),
    ] {
        let listening = Listening::new().await;
        let mut client = listening.known_client().await;
        let mut content = LINE.repeat(bytes / LINE.len() + 1);
        content.truncate(bytes - 2);
        content.extend_from_slice(b"\r\n");
        assert_eq!(client.ask(format!("MAIL FROM:<a@b>{announced}")).await, 250);
        assert_eq!(client.ask("RCPT TO:<c@d>").await, 250);
        assert_eq!(client.ask("DATA").await, 354);
        client.send(&content).await;
        client.send(".\r\n").await;
        assert_eq!(client.code().await, code, "{bytes}{announced}");
        assert_eq!(listening.shelf.mails().len(), usize::from(code == 250));
        let told = (code == 552).then(|| (vec!["c@d".to_owned()], u64::try_from(bytes).unwrap()));
        assert_eq!(listening.shelf.too_large(), Vec::from_iter(told), "{bytes}{announced}");
        if code == 250 {
            assert!(listening.shelf.content() == content, "{bytes}{announced}");
        }
        client.begin_mail().await;
        assert_eq!(client.ask("\r\n.").await, 250, "the session goes on");
    }
}

#[tokio::test]
async fn the_dots_that_a_client_stuffs_count_for_nothing() {
    let listening = Listening::with(settings_with(|limits| limits.mail_bytes = 6), Shelf::open()).await;
    let mut client = listening.known_client().await;
    for (content, code) in [("..\r\n..\r\n.", 250), ("..\r\n..a\r\n.", 552), ("1234\r\n.", 250), ("12345\r\n.", 552)] {
        client.begin_mail().await;
        assert_eq!(client.ask(content).await, code, "{content:?}");
    }
}

#[tokio::test]
async fn a_line_has_at_most_2048_bytes_with_its_end() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    for (length, code) in [(2_048, 250), (2_049, 500), (100_000, 500)] {
        let mut line = b"NOOP ".to_vec();
        line.resize(length - 2, b'x');
        assert_eq!(client.ask(&line).await, code, "{length}");
    }
    // What is behind the end of such a line is a command again.
    client.send([&[b'x'; 5_000][..], b"\r\nNOOP\r\nHELP\r\n"].concat()).await;
    assert_eq!((client.code().await, client.code().await, client.code().await), (500, 250, 214));
}

#[tokio::test]
async fn a_mail_has_at_most_100_recipients_and_the_others_are_for_another_one() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    assert_eq!(client.ask("MAIL FROM:<a@b>").await, 250);
    for number in 1..=140 {
        let code = if number <= 100 { 250 } else { 452 };
        assert_eq!(client.ask(format!("RCPT TO:<r{number}@hooks.example>")).await, code, "{number}");
    }
    assert_eq!(client.ask("DATA").await, 354);
    assert_eq!(client.ask("\r\n.").await, 250);
    assert_eq!(listening.shelf.mails().remove(0).recipients.len(), 100);
}

#[tokio::test]
async fn the_twentieth_error_is_the_last() {
    let listening = Listening::new().await;
    let mut client = listening.known_client().await;
    for number in 1..20 {
        assert_eq!(client.ask("BOGUS").await, 500, "{number}");
        assert_eq!(client.ask("NOOP").await, 250, "what is no error does not count");
    }
    client.send("RCPT TO:<a@b>\r\n").await;
    assert_eq!(client.hear().await, "421 4.7.0 Say MAIL FROM:<address> first; that was one error too many\r\n");
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn one_connection_too_many_is_turned_away_until_another_has_ended() {
    let listening = Listening::with(settings_with(|limits| limits.connections = 2), Shelf::open()).await;
    let (mut first, _second) = (listening.client().await, listening.client().await);
    let mut third = listening.stranger().await;
    assert_eq!(third.rest().await, "421 4.7.0 inbound-smtp.localhost has too many connections; try again later\r\n");
    assert_eq!(first.ask("QUIT").await, 221);
    drop(first);
    // The listener may hear of the next one before it hears of the end.
    while listening.stranger().await.code().await == 421 {}
}

#[tokio::test]
async fn a_client_that_stalls_holds_nobody_up() {
    let listening = Listening::new().await;
    let mut stalling = Vec::new();
    for said in ["", "EHL", "EHLO x\r\n"] {
        let mut client = listening.client().await;
        client.send(said).await;
        stalling.push(client);
    }
    let mut half = listening.known_client().await;
    half.begin_mail().await;
    half.send("Subject: half").await;

    let mut client = listening.known_client().await;
    client.begin_mail().await;
    assert_eq!(client.ask("Subject: whole\r\n\r\n.").await, 250);
    assert_eq!(half.ask("\r\n\r\n.").await, 250);
    assert_eq!(listening.shelf.mails().len(), 2);
}
