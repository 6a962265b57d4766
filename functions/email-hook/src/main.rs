//! The front door for mail on Lambda: what SES tells of mails, on whichever way it comes.
//!
//! An error is for Lambda, which comes again with the same event; so only a world that does not answer is one. A mail that
//! cannot be used is not.

use std::sync::Arc;

use aws::{Clients, config};
use ingest::ses::{self, Delivery, Notice};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::value::RawValue;
use service::{mail::MailDoor, ports::Unavailable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let door = &open_door().await?;
    run(service_fn(|event: LambdaEvent<Box<RawValue>>| async move {
        receive(door, event.payload.get().as_bytes()).await.map_err(Error::from)
    }))
    .await
}

async fn open_door() -> Result<MailDoor, Error> {
    let (door, mail) = config::read(|reader| {
        let (door, mail) = (reader.door(), reader.mail_needed());
        Some((door?, mail?))
    })?;
    let clients = Clients::from_env().await;
    let door = Arc::new(aws::open_door(&clients, door, Arc::default()));
    Ok(aws::open_mail_door(&clients, mail, door))
}

/// Takes in all that `event` tells of, also what comes after a mail that has to come again.
async fn receive(door: &MailDoor, event: &[u8]) -> Result<(), Unavailable> {
    let mut result = Ok(());
    for notice in ses::read(event) {
        match notice {
            Notice::Delivery(delivery) => result = result.and(take(door, &delivery).await),
            Notice::Ignored { reason } => tracing::info!(reason, "an event told of no mail"),
        }
    }
    result
}

async fn take(door: &MailDoor, delivery: &Delivery) -> Result<(), Unavailable> {
    let outcomes = door.receive(delivery).await.inspect_err(|error| {
        tracing::error!(mail.id = delivery.id, cause = %error, "a mail was not taken in and will come again");
    })?;
    for outcome in outcomes {
        let (hook, transaction) = (outcome.hook, outcome.transaction);
        tracing::info!(mail.id = delivery.id, hook.id = %hook, transaction.id = %transaction, what = ?outcome.what, "a mail came");
    }
    Ok(())
}
