//! Whatever dies on the way of a replay, it ends as if nothing had, and no effect happens twice.

use std::{collections::HashSet, sync::Arc};

use serde_json::{Value, json};
use service::{
    Executor,
    ports::{Queue, Store},
};
use tests::faults::{Fault, Faulty, Fuse};

use super::{data, first, ids, keys, refused, replay_once, run, way};
use crate::rest::Exchange;

/// A process whose store and queue fail once, and the same for whoever asks.
fn failing(exchange: &mut Exchange, fault: Fault) -> (Executor, Arc<Fuse>) {
    let fuse = Arc::new(Fuse::new(fault));
    let store: Arc<dyn Store> = Arc::new(Faulty::sharing(exchange.store.clone() as Arc<dyn Store>, fuse.clone()));
    let queue: Arc<dyn Queue> = Arc::new(Faulty::sharing(exchange.world.queue.clone() as Arc<dyn Queue>, fuse.clone()));
    (exchange.world.management.store, exchange.world.management.queue) = (store.clone(), queue.clone());
    let executor = Executor::new(store, queue, exchange.world.clock.clone()).with_calls(exchange.calls.clone());
    (executor, fuse)
}

#[tokio::test]
async fn a_crash_at_any_call_of_a_replay_changes_nothing_but_the_number_of_tries() {
    for (draft, runs, expected) in [
        (json!({ "from": "failed" }), 1, vec!["1", "customer", "call replay", "call", "note"]),
        (json!({ "from": "start" }), 2, vec!["1", "customer kept", "call", "note"]),
    ] {
        for fault in [Fault::Refuses, Fault::DoesAndFails] {
            let mut crashes = 0;
            for offset in 0.. {
                let mut exchange = refused().await;
                exchange.run(data()).await;
                let id = first(&exchange).await;
                let (executor, fuse) = failing(&mut exchange, fault);
                let about = format!("{draft} {fault:?} at call {offset}");

                fuse.fail_in(offset);
                let path = format!("/v1/runs/{id}/replays");
                let answer = loop {
                    let answer = replay_once(&exchange, &path, "once", &draft).await;
                    if answer.status != 503 {
                        break answer.expect(200);
                    }
                };
                while exchange.world.queue.depth() > 0 {
                    exchange.world.work_on(&executor).await;
                }
                let is_over = fuse.calls() <= offset;
                fuse.heal();

                let after: Value = run(&exchange, &answer.id()).await;
                assert_eq!(after["state"], "succeeded", "{about}: {after}");
                assert_eq!(way(&after), expected, "{about}");
                assert_eq!(ids(&exchange).await.len(), runs, "{about}");
                assert_eq!(exchange.world.customers().await.len(), 1, "{about}");
                let keys: HashSet<String> = keys(&exchange).into_iter().collect();
                assert_eq!(keys.len(), 1, "{about}: one key");
                if is_over {
                    break;
                }
                crashes += 1;
            }
            assert!(crashes >= 20, "{draft} {fault:?}: there are at least twenty calls, not {crashes}");
        }
    }
}
