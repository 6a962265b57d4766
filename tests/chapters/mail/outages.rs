//! A world that does not answer: the mail comes again, and in the end it has done everything once.

use std::sync::Arc;

use domain::Timestamp;
use ingest::ses::Delivery;
use service::{
    mail::{MailDoor, MailOutcome, What},
    ports::{Blobs, Mails, Queue, Store},
};
use tests::{
    faults::{DownQueue, Fault, Faulty, Fuse, NoStandIn},
    mail::{EmailHook, Ports, delivery, order_mail, verdicts, word},
    world::{NOON, World},
};

const ORDER: &str = "{\"orderNumber\":\"1\"}";

/// How often AWS tells of the mail.
const TOLD: usize = 5;

/// An order with a file, so that every port has something to do.
fn mail() -> String {
    let html = order_mail("<1@shop.example>", ORDER);
    let (headers, body) = html.split_once("\r\n\r\n").unwrap();
    let headers = headers.replace("text/html; charset=utf-8", "multipart/mixed; boundary=b");
    format!(
        "{headers}\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n{body}\r\n--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nA\r\n--b--\r\n"
    )
}

/// A mail door whose ports are counted together and fail as the fuse says.
fn faulty_door(world: &World, fuse: &Arc<Fuse>) -> MailDoor {
    let ports = world.mail_ports();
    world.mail_door_over(Ports {
        store: Arc::new(Faulty::<dyn Store>::sharing(ports.store, fuse.clone())),
        queue: Arc::new(Faulty::<dyn Queue>::sharing(ports.queue, fuse.clone())),
        blobs: Arc::new(Faulty::<dyn Blobs>::sharing(ports.blobs, fuse.clone())),
        mails: Arc::new(Faulty::<dyn Mails>::sharing(ports.mails, fuse.clone())),
    })
}

/// Two hooks that a mail goes to, each with a listener.
async fn two_hooks(world: &World) -> Vec<(EmailHook, String)> {
    let mut hooks = Vec::new();
    for _ in 0..2 {
        let hook = world.email_hook().await;
        let workflow = world.listener(&hook).await;
        hooks.push((hook, workflow));
    }
    hooks
}

fn to_all(hooks: &[(EmailHook, String)]) -> Delivery {
    let addresses: Vec<&str> = hooks.iter().map(|(hook, _)| hook.address.as_str()).collect();
    delivery("m1", &addresses)
}

#[tokio::test]
async fn told_of_five_times_and_failing_at_every_call_in_turn_a_mail_runs_once_at_each_hook() {
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut failures = 0;
        for offset in 0.. {
            let world = World::new().await;
            let hooks = two_hooks(&world).await;
            world.mails.put("inbound/m1", mail());
            let fuse = Arc::new(Fuse::new(fault));
            let delivery = to_all(&hooks);
            let mut last = Vec::new();
            let before = failures;
            for told in 0..TOLD {
                // A process of its own each time: nothing is remembered but what is stored.
                let door = faulty_door(&world, &fuse);
                if told + 1 < TOLD {
                    fuse.fail_in(offset + told);
                } else {
                    fuse.heal();
                }
                match door.receive(&delivery).await {
                    Ok(outcomes) => last = outcomes,
                    Err(error) => {
                        assert!(told + 1 < TOLD, "{error:?}");
                        failures += 1;
                    }
                }
                if told % 2 == 0 {
                    world.work().await;
                }
            }
            world.later(60).await;
            check_once(&world, &hooks, &last).await;
            if failures == before {
                break;
            }
        }
        assert!(failures > 10, "{failures} failures were tried");
    }
}

async fn check_once(world: &World, hooks: &[(EmailHook, String)], outcomes: &[MailOutcome]) {
    assert_eq!(outcomes.len(), hooks.len());
    for ((_, workflow), outcome) in hooks.iter().zip(outcomes) {
        assert!(matches!(outcome.what, What::Fired | What::Repeated), "{outcome:?}");
        let runs = world.runs(workflow).await;
        assert_eq!(runs.len(), 1);
        assert_eq!(runs[0]["attributes"]["transactionId"], outcome.transaction.to_string());
        let transaction = world.transaction(outcome).await;
        assert_eq!(transaction.attribute("data")["orderNumber"], "1");
        assert_eq!(transaction.attribute("createdAt"), NOON);
    }
    assert_eq!(world.blobs.count(), 1);
}

#[tokio::test]
async fn a_mail_that_waits_or_is_recorded_does_so_once_whatever_fails() {
    for (found, html, expected) in [
        ("FAIL PASS PASS PASS PASS -", order_mail("<1@shop.example>", ORDER), "quarantined spam"),
        ("PASS PASS PASS PASS PASS -", order_mail("<1@shop.example>", ""), "recorded no_data"),
    ] {
        for fault in [Fault::Refuses, Fault::DoesAndFails] {
            for offset in 0..12 {
                let world = World::new().await;
                let hooks = two_hooks(&world).await;
                world.mails.put("inbound/m1", html.clone());
                let fuse = Arc::new(Fuse::new(fault));
                let mut delivery = to_all(&hooks);
                delivery.verdicts = verdicts(found);
                fuse.fail_in(offset);
                // A record for its owner that could not be written does not bring the mail again.
                let first = faulty_door(&world, &fuse).receive(&delivery).await;
                fuse.heal();
                let outcomes = match first {
                    Ok(outcomes) => outcomes,
                    Err(_) => faulty_door(&world, &fuse).receive(&delivery).await.unwrap(),
                };
                for ((hook, workflow), outcome) in hooks.iter().zip(&outcomes) {
                    assert_eq!(word(outcome.what), expected, "{offset}");
                    assert!(world.runs(workflow).await.is_empty());
                    let is_waiting = usize::from(expected.starts_with("quarantined"));
                    assert_eq!(world.quarantine(hook).await.len(), is_waiting);
                    assert!(world.refusals(hook).await.len() <= 1);
                }
            }
        }
    }
}

#[tokio::test]
async fn each_port_that_is_down_makes_the_mail_come_again() {
    let world = World::new().await;
    let hooks = two_hooks(&world).await;
    world.mails.put("inbound/m1", mail());
    let delivery = to_all(&hooks);
    // While the queue alone is down, the store stands in for it.
    for name in ["queue", "store", "mails", "blobs"] {
        let fuse = Arc::new(Fuse::new(Fault::Refuses));
        fuse.fail_in(0);
        let mut ports = world.mail_ports();
        match name {
            "queue" => (ports.queue, ports.store) = (Arc::new(DownQueue), Arc::new(NoStandIn(ports.store))),
            "store" => ports.store = Arc::new(Faulty::<dyn Store>::sharing(ports.store, fuse)),
            "blobs" => ports.blobs = Arc::new(Faulty::<dyn Blobs>::sharing(ports.blobs, fuse)),
            _ => ports.mails = Arc::new(Faulty::<dyn Mails>::sharing(ports.mails, fuse)),
        }
        let error = world.mail_door_over(ports).receive(&delivery).await.unwrap_err();
        assert_eq!(error.port, name);
        // Files failed once, for the first hook; the other one does not wait for it.
        assert_eq!(world.queue.depth(), usize::from(name == "blobs"), "{name}");
    }
    let outcomes = world.mail_door.receive(&delivery).await.unwrap();
    check_once(&world, &hooks, &outcomes).await;
}

#[tokio::test]
async fn a_mail_that_is_not_there_yet_is_waited_for_and_recorded_when_it_is_gone() {
    let world = World::new().await;
    let hooks = two_hooks(&world).await;
    let delivery = to_all(&hooks);
    for seconds in [0, 60, 15 * 60 - 61] {
        world.clock.pass_seconds(seconds);
        assert_eq!(world.mail_door.receive(&delivery).await.unwrap_err().port, "mails");
    }
    // It came late.
    let outcomes = world.mail(&delivery, mail()).await.unwrap();
    check_once(&world, &hooks, &outcomes).await;

    let mut gone = delivery.clone();
    gone.id = "m2".to_owned();
    gone.place = tests::mail::delivery("m2", &[]).place;
    world.mail_door.receive(&gone).await.unwrap_err();
    world.clock.pass_seconds(1);
    for _ in 0..2 {
        let outcomes = world.mail_door.receive(&gone).await.unwrap();
        for ((hook, workflow), outcome) in hooks.iter().zip(&outcomes) {
            assert_eq!(word(outcome.what), "recorded mail_gone");
            assert_eq!(world.runs(workflow).await.len(), 1);
            let codes = world.refusals(hook).await;
            assert_eq!((codes.len(), codes[0]["attributes"]["code"].as_str()), (1, Some("mail_gone")));
            let transaction = world.transaction(outcome).await;
            assert_eq!(transaction.attribute("email")["sesMessageId"], "m2");
        }
    }
    // Nobody knows when it was received: it is not waited for.
    gone.id = "m3".to_owned();
    gone.received_at = None;
    assert_eq!(word(world.mail_door.receive(&gone).await.unwrap()[0].what), "recorded mail_gone");
}

#[tokio::test]
async fn a_mail_in_a_bucket_that_is_not_ours_is_not_read() {
    let world = World::new().await;
    let hooks = two_hooks(&world).await;
    world.mails.put("inbound/m1", mail());
    let mut delivery = to_all(&hooks);
    delivery.place =
        ingest::ses::Place::Object { bucket: Some("somebody-elses".to_owned()), key: Some("inbound/m1".to_owned()) };
    delivery.received_at = Timestamp::parse("2026-11-22T11:00:00Z");
    assert_eq!(world.mail_door.receive(&delivery).await.unwrap(), []);
    assert_eq!(world.queue.depth(), 0);
    for (hook, _) in &hooks {
        assert!(world.refusals(hook).await.is_empty());
    }
}
