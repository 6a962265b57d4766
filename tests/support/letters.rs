//! Messages that fail to the end, as a queue and whoever executes them do it together.

use std::future::pending;

use domain::{DeadLetterId, OrgId};
use service::{Delivered, Executor, RECEIVES_LIMIT};

use crate::world::World;

/// The message with this body as its queue delivers it for the last time.
pub fn last_delivery(org: Option<OrgId>, name: &str, body: &str) -> Delivered {
    Delivered { name: name.to_owned(), body: body.into(), org, receive_count: RECEIVES_LIMIT, first_received_at: None }
}

/// Has the queue's own dead letter kept, and gives its id.
pub async fn given_up(world: &World, org: Option<OrgId>, name: &str, body: &str) -> String {
    world.executor.keep_given_up(&last_delivery(org, name, body)).await.unwrap();
    DeadLetterId::for_message(name, body).to_string()
}

/// Delivers what is on the queue, each as often as it may be, and lets the time pass to that. What was given up and could not
/// be kept goes the way of the dead-letter queue.
pub async fn work_to_the_end(world: &World, executor: &Executor) {
    while let Some(visible_at) = world.queue.next_visible_at() {
        let now = service::ports::World::now(world.clock.as_ref());
        world.clock.pass_seconds((visible_at.as_millisecond() - now.as_millisecond()).max(0).div_euclid(1_000) + 1);
        for delivery in world.queue.receive(10, 360) {
            let name = delivery.receipt.split('.').next().unwrap().to_owned();
            let delivered = Delivered {
                name,
                body: delivery.body.as_str().into(),
                org: Some(world.org),
                receive_count: delivery.receive_count,
                first_received_at: None,
            };
            let outcome = executor.execute_delivered(&delivered, pending()).await;
            if outcome.is_err() && delivery.receive_count < RECEIVES_LIMIT {
                continue;
            }
            if outcome.is_err() {
                world.executor.keep_given_up(&delivered).await.unwrap();
            }
            world.queue.delete(&delivery.receipt);
        }
    }
}
