//! Poison: a message that can never be executed ends as a letter with its reason, and the nine beside it are done.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::{
    memory::{FixedWorld, MemoryStore},
    ports::{MESSAGE_LIMIT_BYTES, Queue as _},
};
use tests::{
    faults::Minefield,
    letters::work_to_the_end,
    sinks::Logs,
    world::{NOON, World},
};

use super::{companies, company_hook, letters};

/// In every poison, and in nothing that is said of it.
const MARK: &str = "obviously-secret";

async fn mined_world() -> (World, Arc<Minefield>) {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(Minefield::new(Arc::new(MemoryStore::new(clock.clone()))));
    (World::over(store.clone(), clock).await, store)
}

/// What the hook's own message becomes where it is poisoned.
fn poisoned(kind: &str, message: &str) -> String {
    match kind {
        "garbage" => format!("\u{0}\u{1f}<{MARK}>"),
        "truncated" => format!("{}{MARK}", &message[..message.len() / 2]),
        "another version" => message.replacen("\"v\":1", &format!("\"v\":2,\"is\":\"{MARK}\""), 1),
        "deep" => {
            let deep = format!("{{\"name\":\"{MARK}\",\"deep\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
            message.replacen("{\"name\":\"poison\"}", &deep, 1)
        }
        "as large as may be" => format!("{}{}", MARK, " ".repeat(MESSAGE_LIMIT_BYTES - MARK.len())),
        "an id that is none" => message.replacen("\"id\":\"", &format!("\"id\":\"{MARK}"), 1),
        other => panic!("there is no poison {other}"),
    }
}

#[tokio::test]
async fn nine_of_ten_are_done_whatever_the_tenth_is() {
    for (kind, code) in [
        ("garbage", "unreadable"),
        ("truncated", "unreadable"),
        ("another version", "unreadable"),
        ("deep", "unreadable"),
        ("as large as may be", "unreadable"),
        ("an id that is none", "unreadable"),
        ("panics", "panicked"),
    ] {
        let logs = Logs::default();
        let guard = tracing::subscriber::set_default(logs.clone());
        let (world, mines) = mined_world().await;
        let hook = company_hook(&world).await;
        for number in 0..9 {
            world.post(&hook, json!({ "name": format!("n{number}") })).await.expect(202);
            if number != 4 {
                continue;
            }
            let poison = world.post(&hook, json!({ "name": "poison" })).await.expect(202).id();
            let sent = world.queue.receive(10, 0).into_iter().find(|sent| sent.body.contains(&poison)).unwrap();
            if kind == "panics" {
                mines.lay(Some(&poison));
                continue;
            }
            world.queue.delete(&sent.receipt);
            world.queue.send(world.org, poisoned(kind, &sent.body)).await.unwrap();
        }

        work_to_the_end(&world, &world.executor).await;
        drop(guard);

        let names: Vec<String> = (0..9).map(|number| format!("n{number}")).collect();
        assert_eq!(companies(&world).await, names, "{kind}");
        let kept = letters(&world, "").await;
        let [letter] = kept.as_slice() else { panic!("{kind}: {kept:?}") };
        assert_eq!((&letter["reason"]["code"], &letter["attempts"]), (&json!(code), &json!(5)), "{kind}");
        assert!(!letter["reason"].to_string().contains(MARK), "{kind}: {letter}");
        assert!(!logs.text().contains(MARK), "{kind}: {}", logs.text());
        assert!(logs.text().contains("a dead letter was kept"), "{kind}");
    }
}

#[tokio::test]
async fn what_panicked_is_done_once_it_is_mended_and_redriven() {
    let (world, mines) = mined_world().await;
    let hook = company_hook(&world).await;
    let transaction = world.post(&hook, json!({ "name": "n" })).await.expect(202).id();
    mines.lay(Some(&transaction));
    work_to_the_end(&world, &world.executor).await;
    let id = world.get("/v1/dead-letters").await.expect(200).body["data"][0]["id"].as_str().unwrap().to_owned();
    let shown = world.get(&format!("/v1/dead-letters/{id}")).await.expect(200);
    assert_eq!(shown.attribute("reason")["sentence"], "the executor panicked; its log says where");
    assert_eq!(shown.attribute("transactionId"), transaction.as_str());

    mines.lay(None);
    world.api("POST", &format!("/v1/dead-letters/{id}/redrive"), Value::Null).await.expect(200);
    work_to_the_end(&world, &world.executor).await;

    assert_eq!(companies(&world).await, ["n"]);
    assert_eq!(world.run_of(&transaction).await["state"], "succeeded");
}
