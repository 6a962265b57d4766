//! What goes wrong.

use std::sync::Arc;

use serde_json::json;

use super::{Scheduler, Sent};
use crate::{
    chance::Purpose,
    fault::Fault,
    gate::{Port, Verdict},
    tasks::Done,
};

/// How much a clock is wrong at the most. *Why*: a call may take 30 of the 60 seconds that a claim lasts; of two clocks that
/// differ by more than the rest, one sees a claim end that the other still works under, and then the key has to be what keeps
/// things apart.
const SKEW_LIMIT_MS: u64 = 20_000;

/// How long a process stands still: longer than a message is invisible.
const STALL_MS: i64 = 400_000;

/// How often each kind of fault is drawn.
const WEIGHTS: [(u64, Fault); 15] = [
    (20, Fault::Refused),
    (10, Fault::Lost),
    (20, Fault::AppliedUnseen),
    (6, Fault::Contended),
    (12, Fault::Crash),
    (3, Fault::Deploy),
    (12, Fault::Duplicate),
    (5, Fault::Late),
    (6, Fault::Reordered),
    (1, Fault::Stall),
    (3, Fault::Skew),
    (3, Fault::Edit),
    (2, Fault::Pause),
    (2, Fault::Outage),
    (4, Fault::Resent),
];

impl Scheduler {
    /// Lets something go wrong, if it is time for it and there is something that can.
    pub(super) fn goes_wrong(&mut self) -> bool {
        let is_time = self.chance.below(self.decision, Purpose::Fault, 1_000) < self.fault_per_mille;
        if !is_time || !self.plan.allows(self.decision) {
            return false;
        }
        let all = WEIGHTS.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.chance.below(self.decision, Purpose::Next, all);
        let fault = WEIGHTS.iter().find(|(weight, _)| {
            let is_it = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            is_it
        });
        let Some((_, fault)) = fault else { return false };
        let happened = self.let_go_wrong(*fault);
        if happened {
            self.faults.push((self.decision, *fault));
        }
        happened
    }

    fn let_go_wrong(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::Refused => self.fail_a_call(Verdict::Refused, |_| true),
            Fault::Lost => self.fail_a_call(Verdict::Lost, |_| true),
            Fault::AppliedUnseen => self.fail_a_call(Verdict::AppliedUnseen, |port| port != Port::Read),
            Fault::Contended => self.fail_a_call(Verdict::Contended, |port| port == Port::Write),
            Fault::Crash => self.crash(),
            Fault::Deploy => self.deploy(),
            Fault::Duplicate => {
                let in_flight = self.stage.durable.shelf.in_flight();
                self.one_of(&in_flight).is_some_and(|message| {
                    self.deliver(message);
                    true
                })
            }
            Fault::Late => {
                let visible = self.stage.durable.shelf.visible();
                let seconds = self.chance.below(self.decision, Purpose::Amount, 600);
                self.one_of(&visible).is_some_and(|message| {
                    self.stage.durable.shelf.delay(message, i64::try_from(seconds).unwrap_or_default());
                    true
                })
            }
            Fault::Reordered => {
                let visible = self.stage.durable.shelf.visible();
                let younger = visible.get(1..).unwrap_or_default();
                self.one_of(younger).is_some_and(|message| {
                    self.deliver(message);
                    true
                })
            }
            Fault::Stall => self.stall(),
            Fault::Skew => {
                let most = SKEW_LIMIT_MS * 2 + 1;
                let drawn = self.chance.below(self.decision, Purpose::Amount, most);
                let ahead = i64::try_from(drawn).unwrap_or_default() - i64::try_from(SKEW_LIMIT_MS).unwrap_or_default();
                let index = self.some_process();
                self.stage.processes[index].clock.set_ahead(ahead);
                true
            }
            Fault::Edit => self.edit(),
            Fault::Pause => self.pause(),
            Fault::Outage => {
                let is_gone = !self.is_gone;
                self.set_gone(is_gone);
                true
            }
            Fault::Resent => {
                let has_key = |arrival: &usize| self.arrivals[*arrival].key.is_some();
                let accepted = (0..self.sent.len()).filter(|arrival| matches!(self.sent[*arrival], Sent::Accepted));
                let accepted: Vec<usize> = accepted.filter(has_key).collect();
                self.one_of(&accepted).is_some_and(|arrival| {
                    self.send(arrival);
                    true
                })
            }
        }
    }

    fn fail_a_call(&mut self, verdict: Verdict, fits: impl Fn(Port) -> bool) -> bool {
        let waiting: Vec<_> = self.stage.gate.waiting().into_iter().filter(|call| fits(call.port)).collect();
        let which = self.chance.index(self.decision, Purpose::Which, waiting.len());
        waiting.get(which).is_some_and(|call| {
            self.decide(call, verdict);
            true
        })
    }

    /// Ends a process where it stands. Its senders come again, if they have a key; its messages do when they are visible.
    fn crash(&mut self) -> bool {
        let index = self.some_process();
        if self.stage.tasks.iter().all(|task| task.process != index) {
            return false;
        }
        for arrival in self.stage.kill(index) {
            self.unanswered(arrival);
        }
        true
    }

    fn unanswered(&mut self, arrival: usize) {
        if self.sent[arrival] == Sent::UnderWay {
            let has_key = self.arrivals[arrival].key.is_some();
            self.sent[arrival] = if has_key { Sent::NotYet } else { Sent::GivenUp };
        }
    }

    /// Has a process of the other build take over; what the one before has begun it ends, and processes of the two go on beside
    /// each other.
    fn deploy(&mut self) -> bool {
        let index = self.some_process();
        self.stage.replace(index, self.stage.processes[index].build.other());
        true
    }

    /// Lets a long time pass while calls are under way, whose answers nobody takes.
    fn stall(&mut self) -> bool {
        if self.stage.tasks.is_empty() {
            return false;
        }
        self.pass_ms(STALL_MS);
        true
    }

    /// Changes a workflow, so that what begins from now on is of another version.
    fn edit(&mut self) -> bool {
        let which = self.chance.index(self.decision, Purpose::Which, self.estate.listeners.len());
        let Some((id, document)) = self.estate.listeners.get(which).cloned() else { return false };
        let mut document = document;
        document["description"] = json!(format!("As of decision {}.", self.decision));
        let index = self.some_process();
        let process = Arc::clone(&self.stage.processes[index]);
        let request = self.stage.request("PUT", &format!("/v1/workflows/{id}"), &document);
        self.stage.start(index, async move {
            drop(process.management.answer(&request).await);
            Done::Nothing
        });
        true
    }

    /// Pauses the hook, or lets it go on. Whether that comes to pass is another matter: the calls it takes may fail.
    fn pause(&mut self) -> bool {
        self.is_paused = !self.is_paused;
        let index = self.some_process();
        let process = Arc::clone(&self.stage.processes[index]);
        let path = format!("/v1/hooks/form/{}", self.estate.hook);
        let request = self.stage.request("PATCH", &path, &json!({ "paused": self.is_paused }));
        self.stage.start(index, async move {
            drop(process.management.answer(&request).await);
            Done::Nothing
        });
        true
    }

    fn one_of<T: Copy>(&self, things: &[T]) -> Option<T> {
        let which = self.chance.index(self.decision, Purpose::Which, things.len());
        things.get(which).copied()
    }
}
