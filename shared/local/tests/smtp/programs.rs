//! A mail program that knows nothing of us.

use lettre::message::{Mailbox, SinglePart};
use lettre::{Message, SmtpTransport, Transport};

use crate::given::Listening;

#[tokio::test]
async fn a_mail_program_sends_a_blind_copy_to_a_hook() {
    let listening = Listening::new().await;
    let port = listening.address.port();
    let mailbox = |address: &str| address.parse::<Mailbox>().unwrap();
    let message = Message::builder()
        .from(mailbox("Café <orders@shop.example>"))
        .to(mailbox("ann@mail.example"))
        .bcc(mailbox("a@hooks.example"))
        .subject("Order №1")
        .singlepart(SinglePart::html(".\r\n<p>Für Ann</p>\r\n.\r\n".to_owned()))
        .unwrap();
    let sent = tokio::task::spawn_blocking(move || {
        let program = SmtpTransport::builder_dangerous("127.0.0.1").port(port).build();
        [program.send(&message).unwrap(), program.send(&message).unwrap()]
    });
    assert!(sent.await.unwrap().iter().all(lettre::transport::smtp::response::Response::is_positive));

    let mails = listening.shelf.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].from, "orders@shop.example");
    assert_eq!(mails[0].recipients, ["ann@mail.example", "a@hooks.example"]);
    assert!(!String::from_utf8_lossy(&mails[0].raw).contains("hooks.example"));
}
