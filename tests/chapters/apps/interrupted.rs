//! Every call of the store fails once while an app is installed, upgraded and uninstalled; doing it again ends it.

use std::sync::Arc;

use domain::Timestamp;
use serde_json::{Value, json};
use service::memory::{FixedWorld, MemoryStore};
use tests::{
    Answer,
    faults::{Fault, FaultyStore},
    world::{NOON, World, workflow_of},
};

use super::{ecommstore, ecommstore_in, install, register};

/// A world with both versions registered, whose store fails where it is told to.
async fn world_that(fault: Fault) -> (World, Arc<FaultyStore>) {
    let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
    let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new(clock.clone())), fault));
    let world = World::over(store.clone(), clock).await;
    let mut older = ecommstore();
    older["workflows"].as_array_mut().unwrap().push(workflow_of(
        "leaves",
        "order",
        json!([{ "id": "end", "transitions": [] }]),
    ));
    older["hooks"].as_array_mut().unwrap().push(json!({ "eventName": "order", "type": "web" }));
    register(&world, &older).await.expect(201);
    register(&world, &ecommstore_in("0.0.2")).await.expect(201);
    (world, store)
}

async fn install_older(world: &World) -> Answer {
    world.api("POST", "/v1/apps", json!({ "app": "ecommstore", "version": "0.0.1" })).await
}

/// How many hooks, workflows and klasses there are.
async fn counts(world: &World) -> [usize; 4] {
    let mut counts = [0; 4];
    for (place, path) in ["hooks/form", "hooks/web", "workflows", "klasses"].iter().enumerate() {
        counts[place] = world.get(&format!("/v1/{path}")).await.expect(200).body["data"].as_array().unwrap().len();
    }
    counts
}

#[tokio::test]
async fn an_install_that_fails_anywhere_leaves_all_or_nothing() {
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut failed = 0;
        for offset in 0.. {
            let (world, store) = world_that(fault).await;
            store.fail_in(offset);
            let answer = install_older(&world).await;
            store.heal();
            let is_there = world.get("/v1/apps/ecommstore").await.status == 200;
            assert_eq!(counts(&world).await, if is_there { [1, 1, 2, 1] } else { [0; 4] }, "{fault:?} {offset}");
            if answer.status == 201 {
                break;
            }
            failed += 1;
            answer.expect(503);
            install_older(&world).await.expect(if is_there { 409 } else { 201 });
            assert_eq!(counts(&world).await, [1, 1, 2, 1], "{fault:?} {offset}");
        }
        assert!(failed > 8, "{failed}");
    }
}

#[tokio::test]
async fn an_upgrade_that_fails_anywhere_is_ended_by_doing_it_again() {
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut failed = 0;
        for offset in 0.. {
            let (world, store) = world_that(fault).await;
            install_older(&world).await.expect(201);
            store.fail_in(offset);
            let upgrade = async || world.api("PUT", "/v1/apps/ecommstore", json!({ "version": "0.0.2" })).await;
            let answer = upgrade().await;
            store.heal();
            if answer.status == 200 {
                break;
            }
            failed += 1;
            answer.expect(503);
            assert_eq!(upgrade().await.expect(200).attribute("version"), "0.0.2");
            assert_eq!(counts(&world).await, [1, 0, 1, 1], "{fault:?} {offset}");
        }
        assert!(failed > 12, "{failed}");
    }
}

#[tokio::test]
async fn an_uninstall_that_fails_anywhere_is_ended_by_doing_it_again() {
    for fault in [Fault::Refuses, Fault::DoesAndFails] {
        let mut failed = 0;
        for offset in 0.. {
            let (world, store) = world_that(fault).await;
            install_older(&world).await.expect(201);
            world
                .api("PUT", "/v1/apps/ecommstore/settings", json!({ "default": { "apiKey": "obviously-fake" } }))
                .await
                .expect(200);
            store.fail_in(offset);
            let answer = world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await;
            store.heal();
            if answer.status == 204 {
                break;
            }
            failed += 1;
            answer.expect(503);
            let left = world.get("/v1/apps/ecommstore").await;
            if left.status == 200 && left.attribute("state") == "uninstalling" {
                assert_eq!(install(&world, "ecommstore").await.expect(409).code(), "already_installed");
                assert_eq!(world.api("PUT", "/v1/apps/ecommstore", json!({})).await.expect(409).code(), "uninstalling");
            }
            let again = world.api("DELETE", "/v1/apps/ecommstore", Value::Null).await.status;
            assert_eq!(again, if left.status == 200 { 204 } else { 404 }, "{fault:?} {offset}");
            assert_eq!(counts(&world).await, [0; 4], "{fault:?} {offset}");
            install_older(&world).await.expect(201);
        }
        assert!(failed > 12, "{failed}");
    }
}
