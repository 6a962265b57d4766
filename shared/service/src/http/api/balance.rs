//! The balance of a hook, and of all hooks of an org.

use domain::{Hook, HookId, Timestamp};
use serde_json::{Value, json};

use super::{
    Refused, Response,
    call::{Call, bad_query},
    hooks,
    resource::many,
};
use crate::{
    balance::Balance,
    directory::{self, Paging},
    ports::Store,
    runs,
};

/// How many transactions are in memory at a time; one may have 2 MB.
const AT_ONCE: usize = 10;

/// `GET /v1/hooks/{kind}/{id}/balance`: what became of the next `pageSize` arrivals, newest first.
pub(super) async fn of_hook(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = hooks::found(call).await?.value;
    let Paging { limit, after } = call.paging()?;
    let mut count = Count { left: limit, ..Count::default() };
    let next = count.add(call.management.store.as_ref(), &hook, span(call)?, after).await?;
    Ok(many(call, vec![count.resource("hook", &hook.id.to_string())], limit, next.as_deref()))
}

/// `GET /v1/balance`: the same of all hooks that are not deleted, one after another.
pub(super) async fn of_org(call: &Call<'_>) -> Result<Response, Refused> {
    let (store, org) = (call.management.store.as_ref(), call.caller.org);
    let Paging { limit, after } = call.paging()?;
    let (begin, mut after) = match after {
        Some(position) => {
            let (hook, after) = place(&position)?;
            (Some(hook), after)
        }
        None => (None, None),
    };
    let mut all = directory::hooks::all(store, org).await?;
    all.sort_by_key(|hook| hook.id);
    let span = span(call)?;
    let mut count = Count { left: limit, ..Count::default() };
    let mut next = None;
    for hook in all.iter().filter(|hook| begin.is_none_or(|begin| hook.id >= begin)) {
        let place = if begin == Some(hook.id) { after.take() } else { None };
        if count.left == 0 {
            next = Some(format!("{}:", hook.id));
            break;
        }
        if let Some(more) = count.add(store, hook, span, place).await? {
            next = Some(format!("{}:{more}", hook.id));
            break;
        }
    }
    Ok(many(call, vec![count.resource("org", &org.to_string())], limit, next.as_deref()))
}

type Span = (Option<Timestamp>, Option<Timestamp>);

fn span(call: &Call<'_>) -> Result<Span, Refused> {
    Ok((call.instant("from")?, call.instant("until")?))
}

fn place(position: &str) -> Result<(HookId, Option<String>), Refused> {
    let (hook, after) = position.split_once(':').unwrap_or((position, ""));
    let hook = HookId::parse(hook).map_err(|_| bad_query("after", "taken from the `links.next` of this same list"))?;
    Ok((hook, Some(after.to_owned()).filter(|after| !after.is_empty())))
}

#[derive(Default)]
struct Count {
    balance: Balance,
    /// How many transactions may still be looked at.
    left: usize,
    /// How many arrivals the hooks hold that begin on this page; they will be transactions once they go on.
    held_arrivals: usize,
}

impl Count {
    /// Counts what arrived at the hook behind `after`, and gives where it goes on.
    async fn add(
        &mut self,
        store: &dyn Store,
        hook: &Hook,
        span: Span,
        mut after: Option<String>,
    ) -> Result<Option<String>, Refused> {
        if after.is_none() {
            self.held_arrivals += runs::count_held(store, hook.org, hook.id).await?.count;
        }
        while self.left > 0 {
            let paging = Paging { limit: self.left.min(AT_ONCE), after };
            let page = runs::list_arrived(store, hook.org, hook.id, span, paging).await?;
            self.left = self.left.saturating_sub(page.items.len().max(1));
            self.balance.add(store, hook.org, &page.items).await?;
            after = page.next;
            if after.is_none() {
                return Ok(None);
            }
        }
        Ok(after)
    }

    fn resource(&self, of: &str, id: &str) -> Value {
        let Balance { accepted, unheard, done, failed, held, waiting, running, dead_lettered } = &self.balance;
        json!({
            "type": "balance",
            "id": id,
            "attributes": {
                "of": of,
                "accepted": accepted,
                "unheard": unheard,
                "done": done,
                "failed": failed,
                "held": held,
                "waiting": waiting,
                "running": running,
                "deadLettered": dead_lettered,
                "addsUp": self.balance.adds_up(),
                "heldArrivals": self.held_arrivals,
            },
        })
    }
}
