//! Processes over what is durable, and the tasks that are under way in them. Nothing here decides what happens.

use std::{cell::RefCell, future::pending, rc::Rc, sync::Arc};

use bytes::Bytes;
use domain::{ApiKey, ApiKeyId, ApiKeySecret, OrgId, Role, RunId, Timestamp, exact};
use serde_json::{Value, json};
use service::{
    directory::keys,
    http::{Request, form},
    memory::{FixedWorld, MemoryBlobs, MemoryStore},
    ports::World,
    runs::{self, StoredRun},
    ticker::TICK_LIMIT_TIMERS,
};

use crate::{
    build::Build,
    gate::{Gate, Verdict},
    outside::Outside,
    process::{Durable, ORG, Process},
    shelf::Shelf,
    tasks::{Done, Task},
};

/// When every world begins.
const BEGIN: &str = "2026-11-22T12:00:00.000Z";

pub(crate) struct Stage {
    pub(crate) durable: Durable,
    pub(crate) gate: Arc<Gate>,
    pub(crate) processes: Vec<Arc<Process>>,
    pub(crate) tasks: Vec<Task>,
    started: u64,
    admin: String,
}

impl Stage {
    /// An org with an admin key, and so many processes.
    pub(crate) fn new(processes: usize) -> Self {
        let world = Arc::new(FixedWorld::at(Timestamp::parse(BEGIN).expect("a time of ours")));
        let durable = Durable {
            store: Arc::new(MemoryStore::new(Arc::clone(&world) as Arc<dyn World>)),
            shelf: Shelf::new(&world),
            blobs: Arc::new(MemoryBlobs::default()),
            outside: Arc::new(Outside::default()),
            org: OrgId::parse(ORG).expect("an org of ours"),
            world,
        };
        let gate = Arc::<Gate>::default();
        let processes = (0..processes).map(|_| Process::start(&durable, &gate, Build::This)).collect();
        let mut stage = Self { durable, gate, processes, tasks: Vec::new(), started: 0, admin: String::new() };
        stage.admin = stage.admin_key();
        stage
    }

    /// The present, by the clock that is right.
    pub(crate) fn now(&self) -> Timestamp {
        self.durable.world.now()
    }

    /// Polls whoever was woken until nobody is, and gives what came to its end.
    pub(crate) fn poll(&mut self) -> Vec<Done> {
        let mut all = Vec::new();
        loop {
            let mut index = 0;
            let mut is_over = true;
            while let Some(task) = self.tasks.get_mut(index) {
                match task.go_on(&self.gate) {
                    Some(done) => {
                        is_over = false;
                        all.push(done);
                        self.tasks.remove(index);
                    }
                    None => index += 1,
                }
            }
            if is_over {
                return all;
            }
        }
    }

    /// Begins a task in a process.
    pub(crate) fn start(&mut self, process: usize, future: impl Future<Output = Done> + 'static) -> &mut Task {
        self.started += 1;
        self.tasks.push(Task::new(self.started, process, future));
        self.tasks.last_mut().expect("it was pushed just now")
    }

    /// Has a process execute a message, visible or not.
    pub(crate) fn deliver(&mut self, index: usize, message: u64) {
        let Some(received) = self.durable.shelf.receive(message) else { return };
        let process = Arc::clone(&self.processes[index]);
        let own = received.clone();
        let task = self.start(index, async move {
            let done = process.executor.execute_delivered(&own.delivered(), pending()).await.is_ok();
            Done::Executed(own, done)
        });
        task.is_message = true;
    }

    /// Keeps what the queue has given up, puts every dead letter back, calmly, and gives how many there were. What panicked is told.
    pub(crate) fn redrive(&mut self) -> Result<usize, String> {
        for dead in self.durable.shelf.dead() {
            let process = Arc::clone(&self.processes[0]);
            let kept = self.calmly(async move { process.executor.keep_given_up(&dead).await });
            kept.map_err(|error| error.to_string())?;
        }
        self.durable.shelf.bury();
        let panicked = self.ask("GET", "/v1/dead-letters?reason=panicked", &Value::Null);
        if panicked["data"].as_array().is_none_or(|letters| !letters.is_empty()) {
            return Err(format!("an executor panicked: {panicked}"));
        }
        let redriven = self.ask("POST", "/v1/dead-letters/redrive", &json!({ "perSecond": 100 }));
        let count = redriven["data"]["attributes"]["redriven"].as_u64().ok_or("nothing says how many")?;
        usize::try_from(count).map_err(|error| error.to_string())
    }

    /// Sends a request to the hook's door of a process.
    pub(crate) fn send(&mut self, index: usize, arrival: usize, request: Request) {
        let process = Arc::clone(&self.processes[index]);
        let task =
            self.start(index, async move { Done::Answered(arrival, form::receive(&process.door, &request).await) });
        task.arrival = Some(arrival);
    }

    /// Has a process tick.
    pub(crate) fn tick(&mut self, index: usize) {
        let process = Arc::clone(&self.processes[index]);
        self.start(index, async move {
            drop(process.ticker.tick(TICK_LIMIT_TIMERS).await);
            Done::Nothing
        });
    }

    /// Ends a process where it stands, starts another one in its place, and gives the arrivals that were not answered.
    pub(crate) fn kill(&mut self, index: usize) -> Vec<usize> {
        let (ended, others): (Vec<Task>, Vec<Task>) =
            std::mem::take(&mut self.tasks).into_iter().partition(|task| task.process == index);
        self.tasks = others;
        self.replace(index, self.processes[index].build);
        ended.iter().filter_map(|task| task.arrival).collect()
    }

    /// Starts a process of this build in the place of another one, which ends what it has begun.
    pub(crate) fn replace(&mut self, index: usize, build: Build) {
        self.processes[index] = Process::start(&self.durable, &self.gate, build);
    }

    /// When the next timer is due.
    pub(crate) fn next_timer(&mut self) -> Option<Timestamp> {
        let process = Arc::clone(&self.processes[0]);
        self.calmly(async move { process.ticker.next_due_at().await }).expect("nothing goes wrong here")
    }

    /// The run with its journal.
    pub(crate) fn find_run(&mut self, id: RunId) -> Option<StoredRun> {
        let (process, org) = (Arc::clone(&self.processes[0]), self.durable.org);
        self.calmly(async move { runs::find_run(process.management.store.as_ref(), org, id).await })
            .expect("nothing goes wrong here")
    }

    /// What comes of `future`, whose calls all proceed, while everything else stands still.
    pub(crate) fn calmly<T: 'static>(&mut self, future: impl Future<Output = T> + 'static) -> T {
        let result = Rc::new(RefCell::new(None));
        let place = Rc::clone(&result);
        self.started += 1;
        let id = self.started;
        let mut task = Task::new(id, usize::MAX, async move {
            *place.borrow_mut() = Some(future.await);
            Done::Nothing
        });
        while task.go_on(&self.gate).is_none() {
            let own = self.gate.waiting().into_iter().filter(|call| call.task == id);
            own.for_each(|call| self.gate.decide(call.call, Verdict::Proceeds));
        }
        result.take().expect("it has come to its end")
    }

    /// A request to the management API, calmly.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let process = Arc::clone(&self.processes[0]);
        let request = self.request(method, path, body);
        let response = self.calmly(async move { process.management.answer(&request).await });
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(response.status().is_success(), "{method} {path}: {text}");
        exact::parse(&text).unwrap_or_default()
    }

    /// A request by the admin.
    pub(crate) fn request(&self, method: &str, path: &str, body: &Value) -> Request {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {}", self.admin));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        request.body(Bytes::from(body)).expect("a request of ours")
    }

    fn admin_key(&mut self) -> String {
        let process = Arc::clone(&self.processes[0]);
        let (org, now) = (self.durable.org, self.now());
        let (id, secret) = (ApiKeyId::fresh(now, [1; 8]), ApiKeySecret::from_random([1; 32]));
        let roles = vec![Role::parse("org.admin").expect("a role of ours")];
        let key = ApiKey::new(id, org, "simulation".to_owned(), roles, &secret, now);
        self.calmly(async move { keys::create(process.management.store.as_ref(), &key).await })
            .expect("nothing goes wrong here");
        secret.token(org, id)
    }
}

/// A post of `body` to the hook at `path`, under a key if it has one.
pub(crate) fn post(path: &str, key: Option<&str>, body: &Value) -> Request {
    let mut request = http::Request::post(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    request.body(Bytes::from(body.to_string())).expect("a request of ours")
}
