//! The one scheduler: it decides what happens next, and what goes wrong with it.

mod faulty;
mod people;
mod replaying;
mod sending;

use std::collections::{BTreeMap, BTreeSet};

use domain::{Timestamp, TransactionId};
use serde_json::{Value, json};

use crate::{
    chance::{Chance, Purpose},
    estate::{self, Arrival, Estate},
    fault::{Fault, Plan},
    gate::{Port, Verdict, Waiting},
    process::PUBLIC_URL,
    stage::Stage,
    tasks::Done,
};

pub(crate) use replaying::Replay;
pub(crate) use sending::Sent;

/// How many messages are executed at a time, in all processes together.
const IN_WORK_LIMIT: usize = 6;

/// How many decisions a phase in which things go wrong takes at the most, and how many faults end it.
const DECISIONS_LIMIT: u64 = 3_000;
const FAULTS_LIMIT: usize = 150;

/// How many decisions it may take until everything has come to its end once nothing goes wrong any more.
const DRAIN_LIMIT: u64 = 60_000;

/// How long a call of a service takes at the most. *Source*: `service::ports::CALL_LIMIT_SECONDS`.
const CALL_LIMIT_MS: i64 = 30_000;

/// How often is ticked. *Source*: `service::ticker::TICK_SECONDS`.
const TICK_SECONDS: i64 = 60;

/// How long timers are waited for at the end: longer than any workflow of the estate waits.
const HORIZON_SECONDS: u64 = 30 * 86_400;

pub(crate) struct Scheduler {
    chance: Chance,
    plan: Plan,
    fault_per_mille: u64,
    asked_at: BTreeMap<u64, Timestamp>,
    arrivals: Vec<Arrival>,
    decision: u64,
    is_gone: bool,
    is_paused: bool,
    /// Whether the hook goes on for good.
    is_resumed: bool,
    /// When everything was ticked the last time while draining.
    ticked_at: Option<Timestamp>,
    pub(crate) stage: Stage,
    pub(crate) estate: Estate,
    pub(crate) sent: Vec<Sent>,
    /// Every transaction that a sender was told of, by arrival: more than one where the store did not answer at first, so that
    /// nobody could know.
    pub(crate) accepted: BTreeMap<usize, BTreeSet<TransactionId>>,
    pub(crate) faults: Vec<(u64, Fault)>,
    pub(crate) violations: Vec<String>,
    /// How many dead letters were put back.
    pub(crate) dead_letters: usize,
    /// What is to be replayed, and was.
    pub(crate) replays: Vec<Replay>,
    /// How many calls and mails had arrived when the first replay was asked for; all of them, where none was.
    pub(crate) effects_before_replays: usize,
}

/// What the scheduler may let happen.
enum Choice {
    Pass(Waiting),
    Deliver(u64),
    Send(usize),
    Replay(usize),
    Tick,
    TimePasses,
}

impl Scheduler {
    /// The world of `seed` before anything happens.
    pub(crate) fn new(seed: u64, plan: Plan) -> Self {
        let chance = Chance::of(seed);
        let processes = 1 + chance.index(3, Purpose::Setting, 3);
        let arrivals = estate::arrivals(chance);
        let mut scheduler = Self {
            chance,
            plan,
            fault_per_mille: [10, 30, 60, 100, 200][chance.index(4, Purpose::Setting, 5)],
            asked_at: BTreeMap::new(),
            sent: vec![Sent::NotYet; arrivals.len()],
            accepted: BTreeMap::new(),
            arrivals,
            decision: 0,
            is_gone: false,
            is_paused: false,
            is_resumed: false,
            ticked_at: None,
            stage: Stage::new(processes),
            estate: Estate::default(),
            faults: Vec::new(),
            violations: Vec::new(),
            dead_letters: 0,
            replays: Vec::new(),
            effects_before_replays: usize::MAX,
        };
        scheduler.set_up();
        scheduler
    }

    /// Lets things happen and go wrong, and then only happen until nothing is left to do; and the same once more while what has
    /// failed is replayed.
    pub(crate) fn run(&mut self) {
        self.go_through();
        if self.violations.is_empty() && self.wish_for_replays() {
            self.go_through();
        }
    }

    fn go_through(&mut self) {
        let (last, most) = (self.decision + DECISIONS_LIMIT, self.faults.len() + FAULTS_LIMIT);
        while self.decision < last && self.faults.len() < most && self.violations.is_empty() && !self.is_idle() {
            self.decision += 1;
            if !self.goes_wrong() {
                self.go_on();
            }
            self.poll();
        }
        self.calm_down();
        let last = self.decision + DRAIN_LIMIT;
        while self.violations.is_empty() {
            self.decision += 1;
            if self.decision > last {
                let (tasks, calls) = (self.stage.tasks.len(), self.stage.gate.waiting());
                self.violations.push(format!("it does not come to an end: {tasks} tasks, {calls:?}"));
                return;
            }
            if !self.drain_one() {
                return;
            }
            self.poll();
        }
    }

    /// Whether nothing is under way, on the queue, or to be asked.
    fn is_idle(&self) -> bool {
        self.stage.tasks.is_empty()
            && self.stage.durable.shelf.next_visible_at().is_none()
            && self.sent.iter().all(|sent| matches!(sent, Sent::Accepted | Sent::GivenUp))
            && self.replays.iter().all(|replay| replay.is_answered)
    }

    /// Everything that stands, as one number: two runs of a seed have the same.
    pub(crate) fn digest(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        for item in self.stage.durable.store.items() {
            (item.key, item.rev, item.document).hash(&mut hasher);
        }
        self.stage.durable.outside.ledger().order.hash(&mut hasher);
        hasher.finish()
    }

    pub(crate) const fn decisions(&self) -> u64 {
        self.decision
    }

    /// One thing that happens as it should.
    fn go_on(&mut self) {
        let mut choices: Vec<(u64, Choice)> = Vec::new();
        let waiting = self.stage.gate.waiting();
        let has_waiting = !waiting.is_empty();
        if has_waiting {
            let which = self.chance.index(self.decision, Purpose::Which, waiting.len());
            choices.extend(waiting.into_iter().nth(which).map(|call| (80, Choice::Pass(call))));
        }
        if let Some(oldest) = self.stage.durable.shelf.visible().first()
            && self.in_work() < IN_WORK_LIMIT
        {
            choices.push((12, Choice::Deliver(*oldest)));
        }
        if let Some(arrival) = self.sent.iter().position(|sent| *sent == Sent::NotYet) {
            choices.push((6, Choice::Send(arrival)));
        }
        choices.extend(self.next_replay().map(|replay| (6, Choice::Replay(replay))));
        choices.push((1, Choice::Tick));
        choices.push((if has_waiting { 2 } else { 12 }, Choice::TimePasses));
        let all = choices.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.chance.below(self.decision, Purpose::Next, all);
        for (weight, choice) in choices {
            if drawn < weight {
                return self.let_happen(choice);
            }
            drawn -= weight;
        }
    }

    fn let_happen(&mut self, choice: Choice) {
        match choice {
            Choice::Pass(call) => self.decide(&call, Verdict::Proceeds),
            Choice::Deliver(message) => self.deliver(message),
            Choice::Send(arrival) => self.send(arrival),
            Choice::Replay(replay) => self.ask_for_replay(replay),
            Choice::Tick => self.tick(),
            Choice::TimePasses => {
                let is_at_work = !self.stage.tasks.is_empty();
                let most = if is_at_work { 2_000 } else { 90_000 };
                let amount = self.chance.below(self.decision, Purpose::Amount, most);
                self.pass_ms(i64::try_from(amount).unwrap_or_default());
            }
        }
    }

    /// Once nothing goes wrong any more: whatever is there to do, and then time passes to the next thing that is due. Gives
    /// whether there was anything.
    fn drain_one(&mut self) -> bool {
        if let Some(call) = self.stage.gate.waiting().into_iter().next() {
            self.decide(&call, Verdict::Proceeds);
            return true;
        }
        if let Some(message) = self.stage.durable.shelf.visible().first().copied() {
            self.deliver(message);
            return true;
        }
        if let Some(arrival) = self.sent.iter().position(|sent| *sent == Sent::NotYet) {
            self.send(arrival);
            return true;
        }
        if let Some(replay) = self.next_replay() {
            self.ask_for_replay(replay);
            return true;
        }
        let now = self.stage.now();
        let timer = self.stage.next_timer().filter(|due| now.seconds_until(*due) < HORIZON_SECONDS);
        let due = [self.stage.durable.shelf.next_visible_at(), timer].into_iter().flatten().min();
        match due {
            Some(due) if due > now => {
                self.stage.durable.world.set(due);
                true
            }
            // Some things stay due for a while: what a hook held that goes on, in case more of it comes late.
            Some(_) if self.ticked_at == Some(now) => {
                self.stage.durable.world.set(now.plus_seconds(TICK_SECONDS));
                true
            }
            Some(_) => {
                self.ticked_at = Some(now);
                self.tick();
                true
            }
            None if !self.is_resumed => {
                // Whoever was asked to pause or resume the hook has come to an end by now.
                self.is_resumed = true;
                let path = format!("/v1/hooks/form/{}", self.estate.hook);
                self.stage.ask("PATCH", &path, &json!({ "paused": false }));
                true
            }
            None if self.answer_held() => true,
            None => match self.stage.redrive() {
                Ok(redriven) => {
                    self.dead_letters += redriven;
                    redriven > 0
                }
                Err(sentence) => {
                    self.violations.push(sentence);
                    false
                }
            },
        }
    }

    /// Nothing goes wrong from here on, and what would go on for ever ends.
    fn calm_down(&mut self) {
        self.set_gone(false);
        if let Some(schedule) = self.estate.schedule.take() {
            self.stage.ask("DELETE", &format!("/v1/recurring-schedules/{schedule}"), &Value::Null);
        }
        for process in &self.stage.processes {
            process.clock.set_ahead(0);
        }
    }

    fn decide(&mut self, call: &Waiting, verdict: Verdict) {
        self.asked_at.remove(&call.call);
        self.stage.gate.decide(call.call, verdict);
    }

    /// Polls whoever was woken, until nobody is.
    fn poll(&mut self) {
        for done in self.stage.poll() {
            self.note(done);
        }
        let now = self.stage.now();
        for call in self.stage.gate.waiting() {
            self.asked_at.entry(call.call).or_insert(now);
        }
    }

    fn note(&mut self, done: Done) {
        match done {
            Done::Executed(received, true) => self.stage.durable.shelf.delete(&received),
            Done::Executed(received, false) => {
                let seconds = self.chance.below(self.decision, Purpose::Amount, 60);
                self.stage.durable.shelf.release(&received, i64::try_from(seconds).unwrap_or_default());
            }
            Done::Answered(arrival, response) => self.answered(arrival, &response),
            Done::Replayed(replay, response) => self.replayed(replay, &response),
            Done::Nothing => {}
        }
    }

    fn in_work(&self) -> usize {
        self.stage.tasks.iter().filter(|task| task.is_message).count()
    }

    fn some_process(&self) -> usize {
        self.chance.index(self.decision, Purpose::Which, self.stage.processes.len())
    }

    fn deliver(&mut self, message: u64) {
        let index = self.some_process();
        self.stage.deliver(index, message);
    }

    fn tick(&mut self) {
        let index = self.some_process();
        self.stage.tick(index);
    }

    /// Lets time pass. A call of a service that would take longer than it may ends before.
    fn pass_ms(&mut self, milliseconds: i64) {
        let then = self.stage.now().as_millisecond() + milliseconds;
        for call in self.stage.gate.waiting().into_iter().filter(|call| call.port == Port::Outside) {
            let asked_at = self.asked_at.get(&call.call).map_or(then, |asked_at| asked_at.as_millisecond());
            if then - asked_at >= CALL_LIMIT_MS {
                self.decide(&call, Verdict::Lost);
            }
        }
        self.poll();
        self.stage.durable.world.set(Timestamp::from_millisecond(then));
    }

    fn set_gone(&mut self, is_gone: bool) {
        self.is_gone = is_gone;
        self.stage.durable.outside.set_gone(is_gone);
    }

    fn set_up(&mut self) {
        let hook = self.stage.ask("POST", "/v1/hooks/form", &json!({ "title": "Orders" }));
        let address = hook["data"]["attributes"]["url"].as_str().unwrap_or_default();
        self.estate.hook = hook["data"]["id"].as_str().unwrap_or_default().to_owned();
        self.estate.path = address.strip_prefix(PUBLIC_URL).unwrap_or_default().to_owned();
        self.stage.ask("POST", "/v1/klasses", &estate::klass());
        let (others, listeners) = estate::documents(self.chance, &self.estate.hook);
        for document in others {
            self.stage.ask("POST", "/v1/workflows", &document);
        }
        for document in listeners {
            let made = self.stage.ask("POST", "/v1/workflows", &document);
            self.estate.listeners.push((made["data"]["id"].as_str().unwrap_or_default().to_owned(), document));
        }
        if self.chance.index(5, Purpose::Setting, 3) == 0 {
            let made = self.stage.ask("POST", "/v1/recurring-schedules", &estate::schedule());
            self.estate.schedule = made["data"]["id"].as_str().map(str::to_owned);
        }
    }
}

impl Scheduler {
    /// Whether a process stood still for long.
    pub(crate) fn has_stalled(&self) -> bool {
        self.faults.iter().any(|(_, fault)| *fault == Fault::Stall)
    }
}
