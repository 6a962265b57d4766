//! What happens in a world, as its API tells: which runs began, until when they waited, and what there is in the end.

use domain::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::{setup::Estate, world::World};
use crate::output::text_at;

/// A run that was seen.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The run.
    pub(crate) id: String,
    /// What its workflow is called.
    pub(crate) workflow: String,
    /// Until when it waited, each time.
    pub(crate) timers: Vec<Timestamp>,
    /// Its attributes, as they were when somebody looked last.
    pub(crate) attributes: Value,
    is_over: bool,
    /// By when and by what it began, so that runs are told in the order they began.
    began: (String, String, String),
}

/// Who looks on.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    runs: Vec<Seen>,
    /// When it looked last.
    looked_at: Option<Timestamp>,
}

impl Witness {
    /// Looks which runs there are, and which of them wait.
    ///
    /// *Errors*: sentences of the API; none is known.
    pub(crate) async fn look(&mut self, world: &World, estate: &Estate) -> Result<(), Vec<String>> {
        for seen in self.runs.iter_mut().filter(|seen| !seen.is_over) {
            seen.look(world).await?;
        }
        let since = self.looked_at.map(|instant| format!("?from={instant}")).unwrap_or_default();
        for (id, name) in &estate.workflows {
            for run in world.list(&format!("/v1/workflows/{id}/runs{since}")).await? {
                let run_id = text_at(&run, "/id");
                if self.runs.iter().any(|seen| seen.id == run_id) {
                    continue;
                }
                let attributes = run.get("attributes").unwrap_or(&Value::Null);
                let began = (text_at(attributes, "/startedAt"), text_at(attributes, "/transactionId"), run_id.clone());
                let (workflow, timers, is_over) = (name.clone(), Vec::new(), false);
                let mut seen = Seen { id: run_id, workflow, timers, attributes: Value::Null, is_over, began };
                seen.look(world).await?;
                self.runs.push(seen);
            }
        }
        self.looked_at = Some(world.now());
        Ok(())
    }

    /// Every run in the order they began.
    pub(crate) fn into_runs(mut self) -> Vec<Seen> {
        self.runs.sort_by(|one, other| one.began.cmp(&other.began));
        self.runs
    }
}

impl Seen {
    /// Reads the run. *Why each time it is not over*: one that has ended is not kept for ever, and a case may go on for a year.
    async fn look(&mut self, world: &World) -> Result<(), Vec<String>> {
        let mut run = world.get(&format!("/v1/runs/{}", self.id)).await?;
        self.attributes = run.pointer_mut("/data/attributes").map(Value::take).unwrap_or_default();
        self.is_over = ["succeeded", "failed", "cancelled"].contains(&self.state().as_str());
        let until = self.attributes.get("resumesAt").and_then(Value::as_str).and_then(Timestamp::parse);
        self.timers.extend(until.filter(|until| self.timers.last() != Some(until)));
        Ok(())
    }

    /// A run that nobody has to look at.
    #[cfg(test)]
    pub(crate) fn of(workflow: &str, attributes: Value, timers: Vec<Timestamp>) -> Self {
        let (id, began) = (String::new(), Default::default());
        Self { id, workflow: workflow.to_owned(), timers, attributes, is_over: false, began }
    }

    /// Its state.
    pub(crate) fn state(&self) -> String {
        text_at(&self.attributes, "/state")
    }

    /// Its steps, the trigger first.
    pub(crate) fn steps(&self) -> &[Value] {
        self.attributes.get("steps").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The steps it came to, without the trigger and without repeated tries.
    pub(crate) fn path(&self) -> Vec<&Value> {
        let trigger = self.steps().first().and_then(|trigger| trigger.get("id"));
        let mut path: Vec<&Value> = Vec::new();
        for step in self.steps().iter().filter(|step| step.get("id") != trigger) {
            let is_again = path
                .last()
                .is_some_and(|last| last.get("id") == step.get("id") && last.get("visit") == step.get("visit"));
            if is_again {
                // The last try is the one that counts.
                path.pop();
            }
            path.push(step);
        }
        path
    }

    /// What the step put out last, if it was come to.
    pub(crate) fn output(&self, step: &str) -> Option<&Value> {
        self.steps().iter().rev().find(|ran| ran.get("id").and_then(Value::as_str) == Some(step))?.get("output")
    }
}

/// Every record of the collection, as tests see it: its attributes, its `id`, and what it belongs to, as drafts have it.
///
/// *Errors*: sentences of the API, such as that there is no such klass.
pub(crate) async fn records(world: &World, collection: &str) -> Result<Vec<Value>, Vec<String>> {
    let resources = match (collection, collection.strip_prefix("klasses/")) {
        ("conversations" | "messages" | "notes", _) => {
            let path = |customer: &str| format!("/v1/{collection}?customer={customer}");
            of_customers(world, path).await?
        }
        (_, Some(klass)) => {
            // A list of what there cannot be is empty, too.
            let known = world.get(&format!("/v1/klasses/{klass}")).await;
            known.map_err(|_| vec![format!("There is no klass {klass}.")])?;
            let mut all = of_customers(world, |customer| format!("/v1/customers/{customer}/klasses/{klass}")).await?;
            all.extend(world.list(&format!("/v1/klasses/{klass}/instances")).await?);
            all
        }
        (_, None) => world.list(&format!("/v1/{collection}")).await?,
    };
    Ok(resources.iter().map(record).collect())
}

async fn of_customers(world: &World, path: impl Fn(&str) -> String) -> Result<Vec<Value>, Vec<String>> {
    let mut all = Vec::new();
    for customer in world.list("/v1/customers").await? {
        all.extend(world.list(&path(&text_at(&customer, "/id"))).await?);
    }
    Ok(all)
}

fn record(resource: &Value) -> Value {
    let mut members = resource.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
    members.insert("id".to_owned(), resource.get("id").cloned().unwrap_or_default());
    for (name, related) in resource.get("relationships").and_then(Value::as_object).into_iter().flatten() {
        if let Some(id) = related.pointer("/data/id") {
            members.entry(name.as_str()).or_insert_with(|| id.clone());
        }
    }
    for (one, list) in [("email", "/emails/0/email"), ("phone", "/phones/0/phone")] {
        let first = resource.get("attributes").and_then(|attributes| attributes.pointer(list));
        if let Some(first) = first {
            members.entry(one).or_insert_with(|| first.clone());
        }
    }
    Value::Object(members)
}

/// Every mail that workflows sent, in order, as tests see it.
///
/// *Errors*: sentences of the API; none is known.
pub(crate) async fn mails(world: &World) -> Result<Vec<Value>, Vec<String>> {
    let mut mails = Vec::new();
    for id in world.mailbox.ids() {
        let path = format!("/v1/outbox/{}", utf8_percent_encode(&id, NON_ALPHANUMERIC));
        mails.push(world.get(&path).await?.pointer("/data/attributes").map(mail).unwrap_or_default());
    }
    Ok(mails)
}

fn mail(attributes: &Value) -> Value {
    let addresses = |pointer: &str| -> Vec<Value> {
        let boxes = attributes.pointer(pointer).and_then(Value::as_array).into_iter().flatten();
        boxes.filter_map(|mailbox| mailbox.get("address").cloned()).collect()
    };
    let mut members = Map::new();
    for key in ["from", "recipients", "subject", "text", "html", "template", "attachments", "sentAt"] {
        if let Some(value) = attributes.get(key).filter(|value| !value.is_null()) {
            members.insert(key.to_owned(), value.clone());
        }
    }
    members.insert("to".to_owned(), json!(addresses("/headers/to")));
    members.insert("cc".to_owned(), json!(addresses("/headers/cc")));
    members.insert("replyTo".to_owned(), json!(addresses("/headers/replyTo")));
    Value::Object(members)
}
