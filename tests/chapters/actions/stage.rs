//! A world in which the records of the table are there.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::Timestamp;
use serde_json::{Map, Value, json};
use service::{
    Executor,
    actions::{Mailing, description, params_of},
    memory::{FixedWorld, MemoryCalls, MemoryPost, MemoryStore},
    ports::{Change, Freshness, Item, Key, Page, Range, Store, Unavailable, WriteError},
};
use tests::world::{FormHook, NOON, World, workflow_of};

/// The table of the actions.
pub(super) fn table() -> Value {
    serde_json::from_str(include_str!("../../fixtures/actions.json")).unwrap()
}

/// In examples, the id of whatever a step has made.
const MADE_ID: &str = "5a345109e578360010eaa0ff";

pub(super) struct Stage {
    pub(super) world: World,
    pub(super) store: Arc<MemoryStore>,
    pub(super) hook: FormHook,
    ids: BTreeMap<String, String>,
    /// The ids that examples have instead.
    doc_ids: Vec<(String, String)>,
}

impl Stage {
    /// With the records of the table, and with these beside.
    pub(super) async fn with(more: &[Value]) -> Self {
        let clock = Arc::new(FixedWorld::at(Timestamp::parse(NOON).unwrap()));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let mut world = World::over(store.clone(), clock).await;
        let executor = Executor::new(store.clone(), world.queue.clone(), world.clock.clone());
        let calls = Arc::new(MemoryCalls::default());
        calls.answer(
            "https://api.carrier.example/shipments",
            201,
            &[("content-type", "application/json")],
            r#"{"id":"s-1"}"#,
        );
        calls.answer("https://api.carrier.example/status", 200, &[("content-type", "text/plain")], "all is well");
        world.executor = executor.with_calls(calls).with_post(Mailing {
            post: Arc::new(MemoryPost::default()),
            blobs: world.blobs.clone(),
            domain: Some("hooks.example".to_owned()),
            from: Some("orders@shop.example".to_owned()),
        });
        let hook = world.form_hook().await;
        let mut stage = Self { world, store, hook, ids: BTreeMap::new(), doc_ids: Vec::new() };
        for record in table()["given"].as_array().unwrap().iter().chain(more) {
            let id = stage.make(record["path"].as_str().unwrap(), &record["body"]).await;
            stage.doc_ids.extend(record["id"].as_str().map(|doc_id| (doc_id.to_owned(), id.clone())));
            stage.ids.insert(record["name"].as_str().unwrap().to_owned(), id);
        }
        stage
    }

    /// Makes a record by the API, a second after the last one.
    pub(super) async fn make(&self, path: &str, body: &Value) -> String {
        self.world.clock.pass_seconds(1);
        self.world.api("POST", &format!("/v1/{path}"), self.filled(body)).await.expect(201).id()
    }

    /// The id of what is called so.
    pub(super) fn id(&self, name: &str) -> String {
        self.ids[name].clone()
    }

    /// The value with ids in the place of names, and long texts written out.
    pub(super) fn filled(&self, value: &Value) -> Value {
        texts_mapped(value, &|text| {
            let count = text.strip_prefix("{x*").and_then(|rest| rest.strip_suffix('}')?.parse().ok());
            let named = text.strip_prefix('{').and_then(|rest| self.ids.get(rest.strip_suffix('}')?));
            match (count, named) {
                (Some(count), _) => "x".repeat(count),
                (None, Some(id)) => id.clone(),
                (None, None) => text.to_owned(),
            }
        })
    }

    /// The params of an example with the ids that there are here.
    pub(super) fn without_doc_ids(&self, params: &Value) -> Value {
        let replaced = |text: &str| self.doc_ids.iter().fold(text.to_owned(), |text, (doc, id)| text.replace(doc, id));
        texts_mapped(params, &replaced)
    }

    /// An output with the ids that examples have.
    pub(super) fn with_doc_ids(&self, output: &Value) -> Value {
        let replaced = |text: &str| {
            let known = self.doc_ids.iter().fold(text.to_owned(), |text, (doc, id)| text.replace(id, doc));
            other_ids(&known).into_iter().fold(known.clone(), |text, id| {
                let is_known = id == self.world.org.to_string() || self.doc_ids.iter().any(|(doc, _)| *doc == id);
                let is_given = id.starts_with("5a345109e578360010ea");
                if is_known || is_given { text } else { text.replace(&id, MADE_ID) }
            })
        };
        texts_mapped(output, &replaced)
    }

    /// Runs one step of `action` and gives it as the run shows it. Its params come with the data, so that nobody can know
    /// them before.
    pub(super) async fn step(&self, action: &str, params: &Value) -> Value {
        let known = params_of(&description(action).unwrap().params).into_iter().map(|param| param.name);
        let given = params.as_object().unwrap().keys().cloned();
        let references: Map<String, Value> = known
            .chain(given)
            // Names of headers are their author's, so these are written out.
            .filter(|name| name != "headers" || params.get(name).is_some())
            .map(|name| match (name.as_str(), params.get(&name)) {
                ("headers", Some(headers)) => (name, headers.clone()),
                (_, _) => (name.clone(), json!(format!("/#steps.1.attributes.data.params.{name}"))),
            })
            .collect();
        let steps = json!([{ "id": "step", "action": action, "params": references, "transitions": [] }]);
        self.run(steps, json!({ "params": params })).await["steps"][1].clone()
    }

    /// The run of these steps over `data`.
    pub(super) async fn run(&self, steps: Value, data: Value) -> Value {
        let workflow = self.world.workflow(workflow_of("steps", &self.hook.event, steps)).await;
        let transaction = self.world.arrive(&self.hook, data).await;
        let run = self.world.run_of(&transaction).await;
        self.world.api("DELETE", &format!("/v1/workflows/{workflow}"), Value::Null).await.expect(204);
        run
    }

    /// An executor that lets others go first at each call of the store.
    pub(super) fn executor_in_turns(&self) -> Executor {
        let store = Arc::new(InTurns(self.store.clone()));
        Executor::new(store, self.world.queue.clone(), self.world.clock.clone())
    }
}

/// Every sequence of 24 hexadecimal digits.
fn other_ids(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_hexdigit());
    words.filter(|word| word.len() == MADE_ID.len()).map(str::to_owned).collect()
}

fn texts_mapped(value: &Value, map: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(map(text)),
        Value::Array(list) => list.iter().map(|value| texts_mapped(value, map)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), texts_mapped(value, map))).collect()
        }
        other => other.clone(),
    }
}

/// Where `found` is not what was `expected`; of objects only the members that are expected are looked at.
pub(super) fn difference(expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::String(any), found) if any == "*" => found.is_null().then(|| "nothing is there".to_owned()),
        (Value::Object(expected), Value::Object(found)) if !expected.is_empty() => {
            expected.iter().find_map(|(name, expected)| {
                let told = difference(expected, found.get(name).unwrap_or(&Value::Null));
                told.map(|told| format!("{name}: {told}"))
            })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            expected.iter().zip(found).find_map(|(expected, found)| difference(expected, found))
        }
        (expected, found) => (expected != found).then(|| format!("{found} instead of {expected}")),
    }
}

/// A store at which everybody waits for a turn.
struct InTurns(Arc<MemoryStore>);

#[async_trait]
impl Store for InTurns {
    async fn find(&self, key: &Key, freshness: Freshness) -> Result<Option<Item>, Unavailable> {
        tokio::task::yield_now().await;
        self.0.find(key, freshness).await
    }

    async fn find_all(&self, keys: &[Key]) -> Result<Vec<Item>, Unavailable> {
        tokio::task::yield_now().await;
        self.0.find_all(keys).await
    }

    async fn list(&self, range: &Range) -> Result<Page, Unavailable> {
        tokio::task::yield_now().await;
        self.0.list(range).await
    }

    async fn write(&self, changes: &[Change]) -> Result<(), WriteError> {
        tokio::task::yield_now().await;
        self.0.write(changes).await
    }
}
