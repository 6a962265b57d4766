//! Redriving: nothing is lost and nothing done twice, one letter or hundreds, whatever fails on the way.

use std::sync::Arc;

use serde_json::{Value, json};
use service::{
    Management,
    http::Request,
    ports::{Queue, Store},
};
use tests::{
    World,
    faults::{Fault, Faulty, FaultyStore, Fuse, failing_executor},
    letters::{given_up, last_delivery, work_to_the_end},
};

use super::{companies, company_hook, letters, redrive};

#[tokio::test]
async fn a_redriven_letter_is_marked_with_who_and_when_and_a_second_time_sends_nothing() {
    let world = World::new().await;
    let hook = company_hook(&world).await;
    world.post(&hook, json!({ "name": "n" })).await.expect(202);
    let sent = world.queue.receive(1, 60).remove(0);
    world.queue.delete(&sent.receipt);
    let id = given_up(&world, None, "m1", &sent.body).await;
    world.clock.pass_seconds(60);
    let path = format!("/v1/dead-letters/{id}/redrive");

    let first = world.api("POST", &path, Value::Null).await.expect(200);
    assert_eq!(first.attribute("redrivenAt"), "2026-11-22T12:01:00.000Z");
    assert!(first.attribute("redrivenBy").is_string());
    assert_eq!(world.queue.depth(), 1);
    let second = world.api("POST", &path, Value::Null).await.expect(200);
    assert_eq!((second.body, world.queue.depth()), (first.body, 1));
    assert_eq!(letters(&world, "").await.len(), 0);
    assert_eq!(letters(&world, "state=redriven").await.len(), 1);
    let entries = world.get("/v1/audit-log?objectType=dead_letter").await.expect(200).body["data"].clone();
    let [entry] = entries.as_array().unwrap().as_slice() else { panic!("{entries}") };
    assert_eq!(entry["attributes"]["operation"], "RedriveDeadLetter");
    assert_eq!(
        entry["attributes"]["changes"],
        json!([{ "op": "replace", "path": "$.state", "before": "dead", "after": "redriven" }])
    );

    work_to_the_end(&world, &world.executor).await;
    assert_eq!(companies(&world).await, ["n"]);
}

#[tokio::test]
async fn a_message_that_fails_anew_after_its_redrive_is_dead_anew() {
    let world = World::new().await;
    let id = given_up(&world, Some(world.org), "m1", "garbage").await;
    world.api("POST", &format!("/v1/dead-letters/{id}/redrive"), Value::Null).await.expect(200);
    world.clock.pass_seconds(60);
    // The queue gives it a new name.
    work_to_the_end(&world, &world.executor).await;
    let anew = letters(&world, "").await;
    assert_eq!((anew.len(), &anew[0]["reason"]["code"]), (1, &json!("unreadable")));
    // Or the same one, as a local queue may after a restart.
    given_up(&world, Some(world.org), "m1", "garbage").await;
    assert_eq!(letters(&world, "").await.len(), 2);
    assert_eq!(letters(&world, "state=redriven").await.len(), 0);
}

#[tokio::test]
async fn wherever_its_last_delivery_fails_a_transaction_is_done_once_in_the_end() {
    for fault in Fault::ALL {
        for place in 0.. {
            let world = World::new().await;
            let hook = company_hook(&world).await;
            world.post(&hook, json!({ "name": "n" })).await.expect(202);
            let sent = world.queue.receive(1, 60).remove(0);
            world.queue.delete(&sent.receipt);
            let last = last_delivery(Some(world.org), "m1", &sent.body);
            let (executor, fuse) = failing_executor(&world, fault, place);
            let outcome = executor.execute_delivered(&last, std::future::pending()).await;
            let is_past_the_end = fuse.calls() <= place;
            if outcome.is_err() {
                world.executor.keep_given_up(&last).await.unwrap();
            }
            let (kept, made) = (letters(&world, "").await.len(), companies(&world).await.len());
            assert!(kept == 1 || made == 1, "{fault:?} at {place}: it is nowhere");
            assert!(!is_past_the_end || kept == 0, "{fault:?} at {place}");

            redrive(&world, json!({})).await.expect(200);
            work_to_the_end(&world, &world.executor).await;

            assert_eq!(companies(&world).await, ["n"], "{fault:?} at {place}");
            assert_eq!(letters(&world, "").await.len(), 0, "{fault:?} at {place}");
            if is_past_the_end {
                assert!(place >= 5, "only {place} calls");
                break;
            }
        }
    }
}

/// A management API over the store and the queue of `world`, of whose calls one fails; and what counts them.
fn failing_management(world: &World, fault: Fault, place: usize) -> (Management, Arc<Fuse>) {
    let fuse = Arc::new(Fuse::new(fault));
    let store: Arc<FaultyStore> = Arc::new(Faulty::sharing(world.store.clone(), fuse.clone()));
    let queue: Arc<Faulty<dyn Queue>> = Arc::new(Faulty::sharing(world.queue.clone() as Arc<dyn Queue>, fuse.clone()));
    fuse.fail_in(place);
    (Management { store: store as Arc<dyn Store>, queue, ..world.management.clone() }, fuse)
}

async fn ask(management: &Management, admin: &str, path: &str, body: &str) -> u16 {
    let request = http::Request::post(path).header("authorization", format!("Bearer {admin}"));
    let request: Request = request.body(body.to_owned().into()).unwrap();
    management.answer(&request).await.status().as_u16()
}

#[tokio::test]
async fn a_redrive_that_fails_anywhere_loses_nothing_and_is_asked_for_again() {
    for fault in Fault::ALL {
        for is_of_all in [false, true] {
            for place in 0.. {
                let world = World::new().await;
                let hook = company_hook(&world).await;
                world.post(&hook, json!({ "name": "n" })).await.expect(202);
                let sent = world.queue.receive(1, 60).remove(0);
                world.queue.delete(&sent.receipt);
                let id = given_up(&world, None, "m1", &sent.body).await;
                let path = if is_of_all { "redrive".to_owned() } else { format!("{id}/redrive") };
                let path = format!("/v1/dead-letters/{path}");

                let (management, fuse) = failing_management(&world, fault, place);
                let status = ask(&management, &world.admin, &path, "{}").await;
                let is_past_the_end = fuse.calls() <= place;
                let waits = world.queue.depth();
                let dead = letters(&world, "").await.len();
                assert!(status == 503 || status == 200, "{status} at {place}");
                assert!(waits + dead > 0, "{fault:?} at {place}: it is nowhere");
                assert!(status == 503 || dead == 0, "{fault:?} at {place}: it was said to be redriven");

                fuse.heal();
                assert_eq!(ask(&management, &world.admin, &path, "{}").await, 200);
                work_to_the_end(&world, &world.executor).await;
                assert_eq!(companies(&world).await, ["n"], "{fault:?} at {place}");
                assert_eq!(letters(&world, "").await.len(), 0, "{fault:?} at {place}");
                if is_past_the_end {
                    assert!(place > 4, "only {place} calls");
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_dry_run_counts_what_fits_and_changes_nothing() {
    let world = World::new().await;
    for number in 0..7 {
        given_up(&world, Some(world.org), &format!("m{number}"), "garbage").await;
    }
    let before = world.get("/v1/dead-letters").await.text;
    let counted = redrive(&world, json!({ "dryRun": true, "perSecond": 2, "limit": 5 })).await.expect(200);
    let attributes = &counted.body["data"]["attributes"];
    assert_eq!(
        attributes,
        &json!({ "dryRun": true, "matched": 7, "redriven": 0, "remaining": 7, "perSecond": 2, "seconds": 2, "lookOnFrom": null })
    );
    assert_eq!(tests::schemas::misfits("DeadLetterRedriveResult", &counted.body), [] as [String; 0]);
    assert_eq!((world.get("/v1/dead-letters").await.text, world.queue.depth()), (before, 0));
    assert_eq!(world.get("/v1/audit-log").await.body["data"], json!([]));
}

#[tokio::test]
async fn many_are_redriven_oldest_first_so_many_each_second_and_those_that_do_not_fit_stay() {
    let world = World::new().await;
    let hook = company_hook(&world).await;
    for number in 0..7 {
        world.post(&hook, json!({ "name": format!("n{number}") })).await.expect(202);
        let sent = world.queue.receive(1, 60).remove(0);
        world.queue.delete(&sent.receipt);
        given_up(&world, None, &format!("m{number}"), &sent.body).await;
        given_up(&world, Some(world.org), &format!("g{number}"), "garbage").await;
        world.clock.pass_seconds(1);
    }
    let wish = json!({ "event": hook.event, "perSecond": 2, "limit": 5 });

    let answer = redrive(&world, wish.clone()).await.expect(200);

    assert_eq!(
        answer.body["data"]["attributes"],
        json!({ "dryRun": false, "matched": 7, "redriven": 5, "remaining": 2, "perSecond": 2, "seconds": 2, "lookOnFrom": null })
    );
    let mut seen = Vec::new();
    for _ in 0..3 {
        let due = world.queue.receive(10, 600);
        let number = |body: &str| (0..7).find(|number| body.contains(&format!("\"n{number}\""))).unwrap();
        let mut numbers: Vec<usize> = due.iter().map(|sent| number(&sent.body)).collect();
        numbers.sort_unstable();
        seen.push(numbers);
        world.clock.pass_seconds(1);
    }
    assert_eq!(seen, [vec![0, 1], vec![2, 3], vec![4]]);
    let again = redrive(&world, wish).await.expect(200);
    assert_eq!(again.body["data"]["attributes"]["redriven"], 2);
    assert_eq!(letters(&world, "").await.len(), 7, "what is another event's is dead still");
}

#[tokio::test]
async fn a_redrive_is_refused_past_its_limits_and_taken_at_them() {
    let world = World::new().await;
    given_up(&world, Some(world.org), "m1", "garbage").await;
    for (wish, status) in [
        (json!({ "dryRun": true, "perSecond": 1 }), 200),
        (json!({ "dryRun": true, "perSecond": 100 }), 200),
        (json!({ "dryRun": true, "limit": 1 }), 200),
        (json!({ "dryRun": true, "limit": 500 }), 200),
        (json!({ "perSecond": 0 }), 400),
        (json!({ "perSecond": 101 }), 400),
        (json!({ "perSecond": 1.5 }), 400),
        (json!({ "limit": 0 }), 400),
        (json!({ "limit": 501 }), 400),
        (json!({ "limit": "all" }), 400),
        (json!({ "dryRun": "yes" }), 400),
        (json!({ "dryrun": true }), 400),
        (json!({ "state": "dead" }), 400),
        (json!({ "kind": "letter" }), 400),
        (json!({ "reason": ["panicked"] }), 400),
        (json!({ "hook": "x" }), 400),
        (json!({ "from": "today" }), 400),
    ] {
        let answer = redrive(&world, wish.clone()).await;
        assert_eq!(answer.status, status, "{wish}: {}", answer.text);
    }
    assert_eq!((letters(&world, "").await.len(), world.queue.depth()), (1, 0));
}

#[tokio::test]
async fn as_many_as_one_request_may_take_are_redriven_and_the_others_with_the_next() {
    let world = World::new().await;
    for number in 0..501 {
        given_up(&world, Some(world.org), &format!("m{number}"), "garbage").await;
    }
    for (redriven, remaining, seconds) in [(500, 1, 4), (1, 0, 0), (0, 0, 0)] {
        let answer = redrive(&world, json!({ "perSecond": 100 })).await.expect(200);
        let attributes = &answer.body["data"]["attributes"];
        let told = ["redriven", "remaining", "seconds"].map(|name| attributes[name].as_u64().unwrap());
        assert_eq!(told, [redriven, remaining, seconds]);
    }
    assert_eq!(world.queue.depth(), 501);
}
