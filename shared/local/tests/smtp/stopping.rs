//! The end of the listener: what is kept is answered, and what is not is sent again by whoever sent it.

use crate::given::{Listening, Shelf, settings};

#[tokio::test]
async fn clients_are_told_when_the_listener_stops() {
    let listening = Listening::new().await;
    let mut idle = listening.client().await;
    let mut half = listening.known_client().await;
    half.begin_mail().await;
    half.send("Subject: half\r\n").await;

    let (shelf, serving) = listening.stop();
    for client in [&mut idle, &mut half] {
        assert_eq!(client.rest().await, "421 4.3.2 The service stops; try again later\r\n");
    }
    drop((idle, half));
    serving.await.unwrap();
    assert!(shelf.mails().is_empty());
}

#[tokio::test]
async fn a_mail_that_is_being_kept_is_kept_and_answered() {
    let listening = Listening::with(settings(), Shelf::with_permits(0)).await;
    let mut client = listening.known_client().await;
    client.begin_mail().await;
    client.send("Subject: 1\r\n\r\n.\r\n").await;
    let shelf = listening.shelf.clone();
    shelf.asked.acquire().await.unwrap().forget();

    let (shelf, serving) = listening.stop();
    shelf.permits.add_permits(1);
    let rest = client.rest().await;
    assert!(
        rest.starts_with("250 2.0.0 Ok: queued as ")
            && rest.ends_with("421 4.3.2 The service stops; try again later\r\n")
    );
    drop(client);
    serving.await.unwrap();
    assert_eq!(shelf.mails().len(), 1);
}

#[tokio::test]
async fn a_client_that_hangs_up_on_its_answer_has_sent_its_mail() {
    let listening = Listening::with(settings(), Shelf::with_permits(0)).await;
    let mut client = listening.known_client().await;
    client.begin_mail().await;
    client.send("Subject: 1\r\n\r\n.\r\n").await;
    listening.shelf.asked.acquire().await.unwrap().forget();
    drop(client);
    listening.shelf.permits.add_permits(1);
    let (shelf, serving) = listening.stop();
    serving.await.unwrap();
    assert_eq!(shelf.mails().len(), 1);
}
