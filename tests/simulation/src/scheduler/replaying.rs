//! Runs that failed and are replayed: somebody asks for it until it is answered, each time under the same key.

use std::sync::Arc;

use domain::{RunId, exact};
use serde_json::{Value, json};
use service::http::Response;

use super::Scheduler;
use crate::{chance::Purpose, tasks::Done};

/// Why a run cannot be taken up at a step that failed: there is none.
const NOT_FROM_FAILED: [&str; 2] = ["no_failed_step", "not_begun"];

/// A replay that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct Replay {
    /// The run that failed.
    pub(crate) run: RunId,
    /// Whether it is replayed from the start, as a run of its own, which keeps what was done.
    pub(crate) is_from_start: bool,
    /// Whether somebody knows what came of asking for it.
    pub(crate) is_answered: bool,
    /// The run that does it, as the first answer said.
    pub(crate) replayed_as: Option<RunId>,
}

impl Scheduler {
    /// Everything has come to its end; has what failed be replayed from here on. Gives whether anything has failed.
    ///
    /// A batch is taken up where it failed and never from its start, or what is in it would be in two of them.
    pub(super) fn wish_for_replays(&mut self) -> bool {
        let listeners = self.estate.listeners.clone();
        for (index, (id, document)) in listeners.iter().enumerate() {
            let failed =
                self.stage.ask("GET", &format!("/v1/workflows/{id}/runs?state=failed&pageSize=100"), &Value::Null);
            let failed = failed["data"].as_array().cloned().unwrap_or_default();
            for (number, run) in failed.iter().enumerate() {
                let draw = u64::try_from(index * 100 + number).unwrap_or_default();
                let is_from_start = document["name"] != "batch" && self.chance.below(draw, Purpose::Amount, 3) == 0;
                let run = run["id"].as_str().and_then(|id| RunId::parse(id).ok()).expect("an id of ours");
                self.replays.push(Replay { run, is_from_start, is_answered: false, replayed_as: None });
            }
        }
        self.effects_before_replays = self.stage.durable.outside.ledger().order.len();
        // In case it is paused in between.
        self.is_resumed = false;
        !self.replays.is_empty()
    }

    /// One that nobody has the answer to, and nobody waits for.
    pub(super) fn next_replay(&self) -> Option<usize> {
        let is_awaited = |replay: usize| self.stage.tasks.iter().any(|task| task.replay == Some(replay));
        self.replays.iter().enumerate().position(|(index, replay)| !replay.is_answered && !is_awaited(index))
    }

    pub(super) fn ask_for_replay(&mut self, replay: usize) {
        let index = self.some_process();
        let process = Arc::clone(&self.stage.processes[index]);
        let Replay { run, is_from_start, .. } = self.replays[replay];
        let body = json!({ "from": if is_from_start { "start" } else { "failed" } });
        let mut request = self.stage.request("POST", &format!("/v1/runs/{run}/replays"), &body);
        let key = format!("replay-{replay}").parse().expect("a value of ours");
        request.headers_mut().insert("idempotency-key", key);
        let task =
            self.stage.start(index, async move { Done::Replayed(replay, process.management.answer(&request).await) });
        task.replay = Some(replay);
    }

    pub(super) fn replayed(&mut self, index: usize, response: &Response) {
        let text = String::from_utf8_lossy(response.body()).into_owned();
        let body: Value = exact::parse(&text).unwrap_or_default();
        let replay = &mut self.replays[index];
        let code = body["errors"][0]["code"].as_str().unwrap_or_default();
        match response.status().as_u16() {
            200 => {
                let id = body["data"]["id"].as_str().and_then(|id| RunId::parse(id).ok());
                replay.is_answered = true;
                replay.replayed_as = id;
            }
            503 => {}
            409 if !replay.is_from_start && NOT_FROM_FAILED.contains(&code) => replay.is_answered = true,
            other => self.violations.push(format!("a replay was answered {other}: {text}")),
        }
    }
}
