//! What a paused hook holds.

use domain::{Hook, Rejected, Rejection};
use serde_json::{Value, json};

use super::{
    super::{Refused, Response, call::Call, resource::many_with},
    found,
};
use crate::{
    directory::Paging,
    runs::{self, HeldItem},
};

/// What the hook holds, in the order in which it came; `meta` has how many there are and since when.
pub(in super::super) async fn held(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found(call).await?.value;
    let paging = call.paging()?;
    let (store, size) = (call.management.store.as_ref(), paging.limit);
    let (items, next) = runs::list_held(store, hook.org, hook.id, paging).await?;
    let count = runs::count_held(store, hook.org, hook.id).await?;
    let first = Paging { limit: 1, after: None };
    let (oldest, _) = runs::list_held(store, hook.org, hook.id, first).await?;
    let oldest_at = oldest.first().map(|item| item.held.created_at);
    let meta = json!({
        "count": count.count,
        "countsMore": count.has_more,
        "oldestAt": oldest_at,
        "paused": hook.paused,
    });
    Ok(many_with(call, items.iter().map(held_resource).collect(), size, next.as_deref(), meta))
}

/// *Errors*: the hook holds something, which would go on without it.
pub(super) async fn none_is_held(call: &Call<'_>, hook: &Hook) -> Result<(), Refused> {
    let count = runs::count_held(call.management.store.as_ref(), hook.org, hook.id).await?;
    if count.count == 0 {
        return Ok(());
    }
    let detail = "This hook holds arrivals that were accepted. Set `paused` to false, and delete it once they have gone on: /held says how many are left.";
    Err(Rejected::new(Rejection::Taken, "holds_arrivals", detail).into())
}

fn held_resource(item: &HeldItem) -> Value {
    let held = &item.held;
    json!({
        "id": held.transaction,
        "type": "held_arrival",
        "attributes": { "createdAt": held.created_at, "heldAt": held.held_at, "bytes": held.message.len() },
    })
}
