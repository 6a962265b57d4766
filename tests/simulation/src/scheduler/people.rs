//! What people do once nothing goes wrong any more: look after runs that are held for an unknown outcome.

use serde_json::{Value, json};

use super::Scheduler;

impl Scheduler {
    /// Says of each step that a run is held for whether the other side has got the call, as somebody would who has looked there.
    /// Gives whether there was any.
    pub(super) fn answer_held(&mut self) -> bool {
        let mut is_any = false;
        let ids: Vec<String> = self.estate.listeners.iter().map(|(id, _)| id.clone()).collect();
        for id in ids {
            let runs = self.stage.ask("GET", &format!("/v1/workflows/{id}/runs?state=held&pageSize=100"), &Value::Null);
            for run in runs["data"].as_array().cloned().unwrap_or_default() {
                let held = run["attributes"]["heldFor"].as_array().cloned().unwrap_or_default();
                for held in held.into_iter().filter(|held| held["answeredAt"].is_null()) {
                    is_any = true;
                    let key = held["key"].as_str().unwrap_or_default();
                    let is_done = self.stage.durable.outside.ledger().entries.contains_key(key);
                    let answer = json!({
                        "outcome": if is_done { "done" } else { "not_done" },
                        "step": held["step"],
                        "visit": held["visit"],
                    });
                    let path = format!("/v1/runs/{}/outcomes", run["id"].as_str().unwrap_or_default());
                    self.stage.ask("POST", &path, &answer);
                }
            }
        }
        is_any
    }
}
