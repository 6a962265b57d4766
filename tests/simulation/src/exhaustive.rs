//! One arrival after another, carried by one process whose calls are counted, so that it can be upset at each of them in turn.

mod outcome;

use std::{fs, path::Path};

use domain::Timestamp;
use serde_json::{Map, Value, json};

use crate::{
    gate::Verdict,
    process::PUBLIC_URL,
    stage::{Stage, post},
    tasks::Done,
};

/// How far ahead timers are waited for: longer than any example waits.
const HORIZON_SECONDS: u64 = 30 * 86_400;

/// How many calls one play has at the most.
const CALLS_LIMIT: usize = 10_000;

/// How a process is upset at one of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upset {
    /// It ends before the call, as behind the one before.
    Ends,
    /// The call does nothing and says so.
    Refused,
    /// The call does what it should, and nobody knows.
    AppliedUnseen,
    /// The call, if it is a write, meets another one and does nothing.
    Contended,
}

/// An example with what happens to it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What it is about.
    pub name: String,
    example: String,
    hook: String,
    arrivals: Vec<Value>,
    customers: Vec<Value>,
    answer: Option<String>,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// All that is left: runs with their steps, records, and what went outside, without times and with ids told by the order in
    /// which they come.
    pub left: String,
    /// How many calls of ports there were.
    pub calls: usize,
    /// In how many seconds it came to its end, by the clock of its world.
    pub seconds: u64,
}

impl Case {
    /// Every case of `cases.json`.
    pub fn all() -> Vec<Self> {
        let cases: Vec<Value> = serde_json::from_str(include_str!("../cases.json")).expect("cases of ours");
        let text = |case: &Value, key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let list = |case: &Value, key: &str| case[key].as_array().cloned().unwrap_or_default();
        let case = |case: &Value| Self {
            name: text(case, "name"),
            example: text(case, "example"),
            hook: text(case, "hook"),
            arrivals: list(case, "arrivals"),
            customers: list(case, "customers"),
            answer: case["answer"].as_str().map(str::to_owned),
        };
        cases.iter().map(case).collect()
    }

    /// The folder of the example it is about.
    pub fn example(&self) -> &str {
        &self.example
    }

    /// Plays it, upset at each of these calls, counted from 0.
    pub fn play(&self, upsets: &[(usize, Upset)]) -> Played {
        let mut player = Player { stage: Stage::new(1), calls: 0, upsets: upsets.to_vec() };
        let begun = player.stage.now();
        let paths = self.set_up(&mut player.stage);
        for (index, body) in self.arrivals.iter().enumerate() {
            player.arrive(index, &paths, body);
            // One after another, or it would be chance which of two makes what both need.
            player.drain(false);
        }
        player.drain(self.answer.is_none());
        if let Some(choice) = &self.answer {
            for run in outcome::waiting_runs(&mut player.stage) {
                player.stage.ask("POST", &format!("/v1/runs/{run}/answers"), &json!({ "choice": choice }));
            }
            player.drain(true);
        }
        let seconds = begun.seconds_until(player.stage.now());
        Played { left: outcome::left(&mut player.stage), calls: player.calls, seconds }
    }

    /// Makes what the example's folder has, and gives the path of the hook's address.
    fn set_up(&self, stage: &mut Stage) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(&self.example);
        let mut ids = Map::new();
        let mut path = String::new();
        for (name, hook) in documents(&folder.join("hooks")) {
            let kind = hook["kind"].as_str().unwrap_or_default().to_owned();
            let mut attributes = hook.clone();
            attributes.as_object_mut().expect("an object").remove("kind");
            let made = stage.ask("POST", &format!("/v1/hooks/{kind}"), &attributes);
            if name == self.hook {
                let address = made["data"]["attributes"]["url"].as_str().unwrap_or_default();
                path = address.strip_prefix(PUBLIC_URL).unwrap_or_default().to_owned();
            }
            ids.insert(format!("${{hooks.{name}.id}}"), made["data"]["id"].clone());
        }
        for (_, klass) in documents(&folder.join("klasses")) {
            stage.ask("POST", "/v1/klasses", &klass);
        }
        for (_, workflow) in documents(&folder.join("workflows")) {
            let mut text = workflow.to_string();
            for (placeholder, id) in &ids {
                text = text.replace(placeholder, id.as_str().unwrap_or_default());
            }
            let workflow = serde_json::from_str(&text).expect("a document");
            stage.ask("POST", "/v1/workflows", &workflow);
        }
        for customer in &self.customers {
            stage.ask("POST", "/v1/customers", customer);
        }
        path
    }
}

/// The JSON documents of a folder by name, in order.
fn documents(folder: &Path) -> Vec<(String, Value)> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    files.sort();
    let json = files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    let document = |file: &std::path::PathBuf| {
        let text = fs::read_to_string(file).expect("a readable file");
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        (name, serde_json::from_str(&text).expect("a document"))
    };
    json.map(document).collect()
}

struct Player {
    stage: Stage,
    calls: usize,
    upsets: Vec<(usize, Upset)>,
}

impl Player {
    /// Sends it, again if need be, until it is accepted.
    fn arrive(&mut self, index: usize, path: &str, body: &Value) {
        let key = format!("arrival-{index}");
        loop {
            self.stage.send(0, index, post(path, Some(&key), body));
            if self.work() {
                return;
            }
        }
    }

    /// Lets every call be made that is to be made, and gives whether a sender was told that it was accepted.
    fn work(&mut self) -> bool {
        let mut is_accepted = false;
        loop {
            for done in self.stage.poll() {
                match done {
                    Done::Executed(received, true) => self.stage.durable.shelf.delete(&received),
                    Done::Executed(_, false) | Done::Replayed(..) | Done::Nothing => {}
                    Done::Answered(_, response) => is_accepted |= response.status().as_u16() == 202,
                }
            }
            let Some(call) = self.stage.gate.waiting().into_iter().next() else { return is_accepted };
            let upset = self.upsets.iter().find(|(at, _)| *at == self.calls).map(|(_, upset)| *upset);
            self.calls += 1;
            assert!(self.calls < CALLS_LIMIT, "it does not come to an end");
            match upset {
                None => self.stage.gate.decide(call.call, Verdict::Proceeds),
                Some(Upset::Refused) => self.stage.gate.decide(call.call, Verdict::Refused),
                Some(Upset::AppliedUnseen) => self.stage.gate.decide(call.call, Verdict::AppliedUnseen),
                Some(Upset::Contended) => self.stage.gate.decide(call.call, Verdict::Contended),
                Some(Upset::Ends) => drop(self.stage.kill(0)),
            }
        }
    }

    /// Delivers what is on the queue, one message after another, and lets time pass to what is due next; to timers only where it
    /// `waits`.
    fn drain(&mut self, waits: bool) {
        loop {
            let (shelf, now) = (&self.stage.durable.shelf, self.stage.now());
            if let Some(message) = shelf.visible().first().copied() {
                self.stage.deliver(0, message);
                self.work();
                continue;
            }
            let visible_at = shelf.next_visible_at();
            // What the queue did not take is due at once.
            let is_waited_for = |due: &Timestamp| *due <= now || waits && now.seconds_until(*due) < HORIZON_SECONDS;
            let timer = self.stage.next_timer().filter(is_waited_for);
            match [visible_at, timer].into_iter().flatten().min() {
                Some(due) if due > now => self.stage.durable.world.set(due),
                Some(_) => {
                    self.stage.tick(0);
                    self.work();
                }
                None => return,
            }
        }
    }
}
