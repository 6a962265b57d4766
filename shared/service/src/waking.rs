//! Waking a run because something has come that it may wait for.

use domain::OrgId;

use crate::{
    envelope::{Named, Woken},
    ports::{Queue, Unavailable},
    runs::RunRef,
};

/// Has an executor take the run up in `seconds`, whatever the time is until which it waits.
///
/// *Once it returns* it will be taken up; one that finds nothing new waits on.
pub(crate) async fn wake(queue: &dyn Queue, org: OrgId, run: RunRef, seconds: u32) -> Result<(), Unavailable> {
    let RunRef { transaction, run } = run;
    let woken = Woken { org, transaction, run, answered: true };
    queue.send_later(org, Named::Wake(woken).message()?, seconds).await
}
