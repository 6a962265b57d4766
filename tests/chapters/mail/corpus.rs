//! The corpus through the whole door: its events as SES sends them, and each of its mails.

use std::collections::HashMap;

use domain::Timestamp;
use ingest::ses::{self, Delivery, Notice, Place};
use serde_json::{Value, json};
use service::mail::{MailOutcome, What};
use tests::{
    comparable::comparable,
    mail::{EmailHook, corpus, corpus_file, word},
    world::World,
};

/// The hooks of the corpus, whose addresses are of another shape than ours.
const HOOKS: [&str; 3] = ["a5c3694a5d1ab8ffee5b2b0e", "5a345109e578360010eaa1ad", "581392b55ac7a2110099d9c8"];

/// What the corpus says of an event that is no mail, and our word for it.
const IGNORED: [(&str, &str); 3] =
    [("setup notification", "setup_notification"), ("s3:TestEvent", "test_event"), ("not JSON", "not_json")];

/// A world with the hooks of the corpus, by their names there.
async fn world_of_the_corpus() -> (World, HashMap<&'static str, EmailHook>) {
    let world = World::new().await;
    world.clock.set(Timestamp::parse("2026-06-02T07:15:00Z").unwrap());
    let mut hooks = HashMap::new();
    for name in HOOKS {
        // The corpus sends one mail under many ids, and means another one each time.
        let hook = world.email_hook_with(json!({ "duplicates": false })).await;
        world.listener(&hook).await;
        hooks.insert(name, hook);
    }
    (world, hooks)
}

/// The bytes with our addresses in the place of the corpus's; in upper case where the corpus has them so.
fn with_our_addresses(bytes: &[u8], hooks: &HashMap<&str, EmailHook>) -> Vec<u8> {
    // Mails of the corpus are in many charsets; its addresses are ASCII in all of them.
    let mut text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    for (name, hook) in hooks {
        text = text.replace(name, &hook.hash).replace(&name.to_uppercase(), &hook.hash.to_uppercase());
    }
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

fn lay_down_mails(world: &World, corpus: &Value, hooks: &HashMap<&str, EmailHook>) {
    for (key, file) in corpus["s3_objects"].as_object().unwrap() {
        world.mails.put(key.clone(), with_our_addresses(&corpus_file(file.as_str().unwrap()), hooks));
    }
}

fn deliveries(event: &[u8]) -> Vec<Result<Delivery, &'static str>> {
    let one = |notice| match notice {
        Notice::Delivery(delivery) => Ok(delivery),
        Notice::Ignored { reason } => Err(reason),
    };
    ses::read(event).into_iter().map(one).collect()
}

#[tokio::test]
async fn every_event_of_the_corpus_does_what_the_corpus_says() {
    let (world, hooks) = world_of_the_corpus().await;
    let corpus = corpus();
    lay_down_mails(&world, &corpus, &hooks);
    let mut transactions: HashMap<String, Vec<String>> = HashMap::new();
    for event in corpus["events"].as_array().unwrap() {
        let file = event["file"].as_str().unwrap();
        let read = deliveries(&with_our_addresses(&corpus_file(file), &hooks));
        let expected = event["expect"].as_array().unwrap();
        assert_eq!(read.len(), expected.len(), "{file}");
        for (read, expected) in read.iter().zip(expected) {
            let reason = expected["reason"].as_str().unwrap_or_default();
            let delivery = match read {
                Ok(delivery) => delivery,
                Err(word) => {
                    assert!(IGNORED.contains(&(reason, word)), "{file}: {word} but {reason}");
                    continue;
                }
            };
            let outcomes = world.mail_door.receive(delivery).await.unwrap();
            check_event(&world, &hooks, file, expected, delivery, &outcomes).await;
            let ids = outcomes.iter().map(|outcome| outcome.transaction.to_string()).collect();
            transactions.insert(file.to_owned(), ids);
        }
    }
    assert_eq!(transactions.len() + IGNORED.len(), 23);
    assert_eq!(transactions["events/ses-lambda-redelivered.json"], transactions["events/ses-lambda-bcc.json"]);
}

async fn check_event(
    world: &World,
    hooks: &HashMap<&str, EmailHook>,
    file: &str,
    expected: &Value,
    delivery: &Delivery,
    outcomes: &[MailOutcome],
) {
    let known = |name: &Value| hooks[name.as_str().unwrap()].id.clone();
    // An event that does not tell who the mail was for, of a mail whose headers do not either.
    let ids: Vec<String> =
        expected["hooks"].as_array().map(|names| names.iter().map(known).collect()).unwrap_or_default();
    let found: Vec<String> = outcomes.iter().map(|outcome| outcome.hook.to_string()).collect();
    assert_eq!(found, ids, "{file}");
    if let Some(id) = expected["messageId"].as_str() {
        assert_eq!(delivery.id, id, "{file}");
    }
    match &delivery.place {
        Place::Object { key, .. } => assert!(key.as_deref().is_none_or(|key| expected["key"] == key), "{file} {key:?}"),
        Place::Inline(mail) => {
            let inline = corpus_file(expected["inline"].as_str().unwrap());
            assert!(with_our_addresses(mail, hooks) == with_our_addresses(&inline, hooks), "{file}");
        }
    }
    world.work().await;
    for outcome in outcomes {
        let reason = expected["reason"].as_str().unwrap_or_default();
        match (expected["decision"].as_str().unwrap(), outcome.what) {
            ("process", What::Fired) => {}
            // What the corpus drops may wait to be released.
            ("drop", What::Recorded(code) | What::Quarantined(code)) if code == reason => continue,
            (decision, what) => panic!("{file}: {decision} {reason} but {}", word(what)),
        }
        let transaction = world.transaction(outcome).await;
        let email = transaction.attribute("email");
        assert_eq!(email["tag"], expected["tag"], "{file}");
        assert_eq!(email["sesMessageId"], delivery.id, "{file}");
        assert_eq!(transaction.body["data"]["relationships"]["hook"]["data"]["type"], "email_hook", "{file}");
        world.run_of(&outcome.transaction.to_string()).await;
    }
}

#[tokio::test]
async fn every_mail_of_the_corpus_gives_its_transaction_the_data_that_its_author_wrote() {
    let world = World::new().await;
    // Some mails have one Message-ID and one order, and are none the less different mails.
    let hook = world.email_hook_with(json!({ "duplicates": false })).await;
    let corpus = corpus();
    let (mut differences, mut graded) = (Vec::new(), HashMap::<&str, usize>::new());
    for (number, expected) in corpus["mails"].as_array().unwrap().iter().enumerate() {
        let (file, grade) = (expected["file"].as_str().unwrap(), expected["grade"].as_str().unwrap());
        *graded.entry(grade).or_default() += 1;
        let outcome = world.mail_to(&hook, &format!("corpus-{number}"), corpus_file(file)).await;
        world.work().await;
        let data = world.transaction(&outcome).await.attribute("data");
        let is_firing = !data.is_null();
        if word(outcome.what) != if is_firing { "fired" } else { "recorded no_data" } {
            differences.push(format!("{file}: {} with {data}", word(outcome.what)));
        }
        if is_as_expected(&data, expected) == Some(false) {
            differences.push(format!("{file} ({grade}): expected {}, got {data}", expected["data"]));
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    let graded = ["must", "should", "optional", "robust"].map(|grade| graded[grade]);
    assert_eq!(graded, [100, 25, 15, 39]);
}

/// Whether the data is what its author wrote; nothing where the corpus leaves open whether there is any.
fn is_as_expected(data: &Value, expected: &Value) -> Option<bool> {
    // We count microdata where there is no JSON; the corpus lists it beside the data.
    if expected["data"].is_null() && !data.is_null() && expected["microdata"].is_array() {
        let items = data.as_array().map_or(std::slice::from_ref(data), Vec::as_slice);
        let items: Value = items.iter().map(without_context).collect();
        return Some(comparable(&items) == comparable(&expected["microdata"]));
    }
    let is_decided = ["must", "should"].contains(&expected["grade"].as_str().unwrap());
    let is_same = comparable(data) == comparable(&expected["data"]);
    (is_decided || data.is_null() == expected["data"].is_null()).then_some(is_same)
}

/// The corpus leaves out where the words of an item are from.
fn without_context(item: &Value) -> Value {
    let mut item = item.clone();
    item.as_object_mut().map(|item| item.shift_remove("@context"));
    item
}

#[tokio::test]
async fn a_mail_that_came_whole_in_its_event_cannot_be_read_again() {
    let (world, hooks) = world_of_the_corpus().await;
    let event = with_our_addresses(&corpus_file("events/sns-content-base64.json"), &hooks);
    let [Ok(delivery)] = &mut deliveries(&event)[..] else { panic!("one mail") };
    delivery.verdicts.spam = Some("FAIL".to_owned());
    let outcomes = world.mail_door.receive(delivery).await.unwrap();
    assert_eq!(outcomes[0].what, What::Quarantined("spam"));
    let hook = &hooks["5a345109e578360010eaa1ad"];
    let released = world.release(hook, &outcomes[0].transaction.to_string()).await.expect(409);
    assert_eq!(released.code(), "mail_gone");
    assert_eq!(world.quarantine(hook).await[0]["attributes"]["releasedAt"], json!(null));
}
