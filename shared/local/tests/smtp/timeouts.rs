//! Time, on a clock that stands still until everybody waits.

use std::sync::Arc;
use std::time::Duration;

use local::smtp::attend;
use tokio::io::{DuplexStream, duplex};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::given::{Client, LOOPBACK, Shelf, settings};

/// A client that was greeted, its inbox, and what keeps the service from stopping.
async fn greeted() -> (Client<DuplexStream>, Arc<Shelf>, watch::Sender<()>) {
    let (ours, theirs) = duplex(64 * 1024);
    let (stop, stopping) = watch::channel(());
    let shelf = Shelf::open();
    tokio::spawn(attend(theirs, LOOPBACK, shelf.clone(), Arc::new(settings()), stopping));
    let mut client = Client::over(ours);
    assert_eq!(client.code().await, 220);
    (client, shelf, stop)
}

const LAST_WORD: &str = "421 4.4.2 Nothing came for too long\r\n";

#[tokio::test(start_paused = true)]
async fn a_command_may_take_five_minutes_however_slowly_its_bytes_come() {
    let (mut client, _shelf, _stop) = greeted().await;
    sleep(Duration::from_secs(299)).await;
    assert_eq!(client.ask("EHLO x").await, 250);

    let began = Instant::now();
    for byte in b"NOOP " {
        client.send([*byte]).await;
        sleep(Duration::from_secs(59)).await;
    }
    assert_eq!(client.rest().await, LAST_WORD);
    assert_eq!(began.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn a_mail_may_take_long_but_not_stand_still_for_three_minutes() {
    let (mut client, shelf, _stop) = greeted().await;
    assert_eq!(client.ask("EHLO x").await, 250);
    client.begin_mail().await;
    for byte in b"S: 1\r\n\r\n." {
        client.send([*byte]).await;
        sleep(Duration::from_secs(179)).await;
    }
    assert_eq!(client.ask("").await, 250);
    assert_eq!(shelf.mails().len(), 1);

    client.begin_mail().await;
    client.send("Subject: half").await;
    let began = Instant::now();
    assert_eq!(client.rest().await, LAST_WORD);
    assert_eq!(began.elapsed().as_secs(), 180);
    assert_eq!(shelf.mails().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mail_has_half_an_hour_to_come_however_its_bytes_do() {
    for (pause, piece) in [(179, &b"x"[..]), (1, &[b'x'; 1_000])] {
        let (mut client, shelf, _stop) = greeted().await;
        assert_eq!(client.ask("EHLO x").await, 250);
        client.begin_mail().await;
        let began = Instant::now();
        while began.elapsed().as_secs() < 30 * 60 {
            client.send(piece).await;
            sleep(Duration::from_secs(pause)).await;
        }
        assert_eq!(client.rest().await, "421 4.4.2 The mail took too long\r\n", "{pause}");
        assert!(shelf.mails().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_given_up() {
    let (ours, theirs) = duplex(16);
    let (_stop, stopping) = watch::channel(());
    let session = tokio::spawn(attend(theirs, LOOPBACK, Shelf::open(), Arc::new(settings()), stopping));
    session.await.unwrap();
    drop(ours);
}
