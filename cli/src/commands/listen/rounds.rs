//! Round after round: read a page, deliver each arrival, note it.
//!
//! The order never changes and nothing is skipped: while one arrival is not delivered, the later ones wait.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    cursor::{Cursor, Position},
    forward::Delivered,
    tape::{Arrival, TapePage},
};
use crate::{
    failure::{Failure, Refusal},
    outgoing::{Reply, Unsent},
};

const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many quiet rounds there are before the pauses grow.
const QUIET_ROUNDS: u32 = 30;

/// The longest pause before somebody who did not answer is asked again.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// When to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// When everything that is there was delivered.
    Empty,
    /// Never by itself.
    Stopped,
}

/// What became of an arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The program answered.
    Answered(Reply),
    /// It is only printed.
    Shown,
    /// Nobody answered; it is tried again.
    Waiting(String),
}

/// What is counted, readable from other threads.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    delivered: Arc<AtomicU64>,
    unwelcome: Arc<AtomicU64>,
}

/// Where a page comes from.
pub(super) type Read = dyn FnMut(&Position) -> Result<TapePage, Failure> + Send;
/// Where an arrival goes to.
pub(super) type Deliver = dyn FnMut(&Arrival) -> Delivered + Send;
/// Who is told what became of it.
pub(super) type Tell = dyn FnMut(&Arrival, &Outcome) -> Result<(), Failure> + Send;

/// The rounds and all they need.
pub(super) struct Rounds {
    pub(super) read: Box<Read>,
    pub(super) cursor: Cursor,
    pub(super) deliver: Box<Deliver>,
    pub(super) tell: Box<Tell>,
    pub(super) pause: Box<dyn FnMut(Duration) + Send>,
    pub(super) until: Until,
}

impl Rounds {
    /// Goes round until the end.
    ///
    /// *Errors*: the API refuses, the cursor cannot be written, or, where it is to end by itself, nobody answers.
    pub(super) fn run(&mut self, tally: &Tally) -> Result<(), Failure> {
        let (mut quiet, mut has_news) = (0_u32, false);
        let Position { after, since, .. } = self.cursor.position();
        let begin = after.clone().or_else(|| since.clone()).unwrap_or_default();
        loop {
            let TapePage { arrivals, next, settled } = self.page()?;
            // What came before this began is not asked for, settled or not.
            let settled = settled.max(begin.clone());
            for arrival in &arrivals {
                if !self.cursor.position().delivered.contains(&arrival.id) {
                    self.see_to(arrival, tally)?;
                    has_news = true;
                }
            }
            if !arrivals.is_empty() {
                self.cursor.turned(next, &settled)?;
                continue;
            }
            // The end of the tape. The next round begins where it is settled: an arrival that took long to be accepted may
            // still take its place before later ones.
            self.cursor.turned(settled.clone(), &settled)?;
            if self.until == Until::Empty {
                return Ok(());
            }
            quiet = if has_news { 0 } else { quiet.saturating_add(1) };
            has_news = false;
            (self.pause)(pause_after(quiet.saturating_sub(1)));
        }
    }

    /// A page; where it is to go on, a server that is away for a while is waited for.
    fn page(&mut self) -> Result<TapePage, Failure> {
        let mut tries = 0;
        loop {
            match (self.read)(self.cursor.position()) {
                Err(failure) if self.until == Until::Stopped && is_passing(&failure) => {
                    (self.pause)(backoff_after(tries));
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn see_to(&mut self, arrival: &Arrival, tally: &Tally) -> Result<(), Failure> {
        let mut tries = 0;
        let outcome = loop {
            match (self.deliver)(arrival) {
                Ok(Some(reply)) => break Outcome::Answered(reply),
                Ok(None) => break Outcome::Shown,
                Err(Unsent::Impossible(sentence)) => return Err(Failure::Usage(sentence)),
                Err(Unsent::Unanswered(sentence)) if self.until == Until::Empty => {
                    return Err(Failure::Unavailable(format!(
                        "{sentence} What is not delivered stays for the next time."
                    )));
                }
                Err(Unsent::Unanswered(sentence)) => {
                    if tries == 0 {
                        (self.tell)(arrival, &Outcome::Waiting(sentence))?;
                    }
                    (self.pause)(backoff_after(tries));
                    tries += 1;
                }
            }
        };
        self.cursor.delivered(&arrival.id)?;
        tally.count(&outcome);
        (self.tell)(arrival, &outcome)
    }
}

impl Outcome {
    /// In a word or two, for the end of a line.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Answered(reply) => format!("-> {}", reply.status),
            Self::Shown => String::new(),
            Self::Waiting(sentence) => format!("-> {sentence} Trying again until it is answered."),
        }
    }

    /// For programs, one document for each line.
    pub(super) fn document(&self, arrival: &Arrival) -> Value {
        let (state, status) = match self {
            Self::Answered(reply) => ("delivered", json!(reply.status)),
            Self::Shown => ("printed", Value::Null),
            Self::Waiting(_) => ("waiting", Value::Null),
        };
        json!({ "type": "delivery", "arrival": arrival.id, "receivedAt": arrival.received_at,
            "transactionIds": arrival.transaction_ids, "state": state, "status": status })
    }
}

impl Tally {
    /// Counts what was delivered.
    fn count(&self, outcome: &Outcome) {
        self.delivered.fetch_add(1, Ordering::SeqCst);
        if matches!(outcome, Outcome::Answered(Reply { status, .. }) if !(200..300).contains(status)) {
            self.unwelcome.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// All in a sentence.
    pub(super) fn sentence(&self) -> String {
        let (delivered, unwelcome) = (self.delivered.load(Ordering::SeqCst), self.unwelcome.load(Ordering::SeqCst));
        match unwelcome {
            0 => format!("{delivered} delivered."),
            _ => format!("{delivered} delivered, {unwelcome} of them answered with something else than 2xx."),
        }
    }
}

fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Unavailable(_) => true,
        Failure::Refused(Refusal { status, .. }) => *status >= 500 || *status == 429,
        Failure::Usage(_)
        | Failure::Answered(_)
        | Failure::Problems
        | Failure::Pending
        | Failure::CasesFailed
        | Failure::FilesWrong
        | Failure::OutputClosed => false,
    }
}

fn pause_after(quiet_rounds: u32) -> Duration {
    let grown = Duration::from_secs(u64::from(quiet_rounds.saturating_sub(QUIET_ROUNDS)));
    (SHORTEST_PAUSE + grown).min(LONGEST_PAUSE)
}

fn backoff_after(tries: u32) -> Duration {
    (SHORTEST_PAUSE * 2_u32.saturating_pow(tries.min(8))).min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// The end of a test, which nothing in the rounds can mend.
    fn over() -> Failure {
        Failure::Usage("The test is over.".to_owned())
    }

    fn page(ids: &[&str], next: &str) -> Result<TapePage, Failure> {
        let arrivals = ids.iter().map(|id| Arrival { id: (*id).to_owned(), ..Arrival::default() });
        Ok(TapePage { arrivals: arrivals.collect(), next: next.to_owned(), settled: next.to_owned() })
    }

    fn reply(status: u16) -> Delivered {
        Ok(Some(Reply { status, content_type: String::new(), body: Vec::new() }))
    }

    /// Runs the rounds over these pages and answers; what was read, delivered and paused, in order, and the outcome.
    fn run(
        dir: &std::path::Path,
        until: Until,
        pages: Vec<Result<TapePage, Failure>>,
        answers: Vec<Delivered>,
    ) -> (Vec<String>, Result<(), Failure>, Tally) {
        let story = Arc::new(Mutex::new(Vec::new()));
        let (read, delivered, paused) = (Arc::clone(&story), Arc::clone(&story), Arc::clone(&story));
        let (mut pages, mut answers) = (pages.into_iter(), answers.into_iter());
        let mut rounds = Rounds {
            read: Box::new(move |position| {
                read.lock().unwrap().push(format!("read {}", position.after.as_deref().unwrap_or("-")));
                pages.next().unwrap_or_else(|| Err(over()))
            }),
            cursor: Cursor::open(dir, "http://127.0.0.1:8787", "web", "h1").unwrap(),
            deliver: Box::new(move |arrival| {
                delivered.lock().unwrap().push(format!("deliver {}", arrival.id));
                answers.next().unwrap_or_else(|| reply(200))
            }),
            tell: Box::new(|_, _| Ok(())),
            pause: Box::new(move |pause| paused.lock().unwrap().push(format!("pause {}", pause.as_secs()))),
            until,
        };
        let tally = Tally::default();
        let outcome = rounds.run(&tally);
        (story.lock().unwrap().clone(), outcome, tally)
    }

    #[test]
    fn what_is_not_answered_waits_and_nothing_is_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let unanswered = || Err(Unsent::Unanswered("Nothing answers.".to_owned()));
        let (story, _, tally) = run(
            dir.path(),
            Until::Stopped,
            vec![page(&["a1", "a2"], "p1")],
            vec![unanswered(), unanswered(), unanswered(), reply(500), reply(200)],
        );
        let expected = [
            "read -",
            "deliver a1",
            "pause 1",
            "deliver a1",
            "pause 2",
            "deliver a1",
            "pause 4",
            "deliver a1",
            "deliver a2",
            "read p1",
        ];
        assert_eq!(story, expected);
        assert_eq!(tally.sentence(), "2 delivered, 1 of them answered with something else than 2xx.");
    }

    #[test]
    fn a_start_after_an_end_in_the_middle_of_a_page_delivers_the_rest_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let unanswered = Err(Unsent::Unanswered("Nothing answers.".to_owned()));
        let first = run(dir.path(), Until::Empty, vec![page(&["a1", "a2"], "p1")], vec![reply(200), unanswered]);
        assert!(matches!(first.1, Err(Failure::Unavailable(_))));
        let pages = vec![page(&["a1", "a2"], "p1"), page(&[], "p1")];
        let (story, outcome, _) = run(dir.path(), Until::Empty, pages, vec![]);
        assert!(outcome.is_ok());
        assert_eq!(story, ["read -", "deliver a2", "read p1"]);
        let (story, ..) = run(dir.path(), Until::Empty, vec![page(&["a3"], "p2"), page(&[], "p2")], vec![]);
        assert_eq!(story, ["read p1", "deliver a3", "read p2"]);
    }

    #[test]
    fn an_arrival_that_took_its_place_late_is_delivered_and_the_others_are_not_again() {
        let dir = tempfile::tempdir().unwrap();
        let within =
            |ids: &[&str], next: &str| page(ids, next).map(|page| TapePage { settled: "p1".to_owned(), ..page });
        let pages = vec![
            within(&["p1a", "p1c"], "p1c"),
            within(&[], "p1c"),
            within(&["p1a", "p1b", "p1c"], "p1c"),
            within(&[], "p1c"),
        ];
        let (story, ..) = run(dir.path(), Until::Stopped, pages, vec![]);
        let expected = [
            "read -",
            "deliver p1a",
            "deliver p1c",
            "read p1c",
            "pause 1",
            "read p1",
            "deliver p1b",
            "read p1c",
            "pause 1",
            "read p1",
        ];
        assert_eq!(story, expected);
    }

    #[test]
    fn a_server_that_is_away_is_waited_for_and_one_that_refuses_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let refused = |status| Err(Failure::Refused(Refusal { status, document: Value::Null, hint: None }));
        let pages =
            vec![refused(503), Err(Failure::Unavailable("Away.".to_owned())), page(&["a1"], "p1"), refused(403)];
        let (story, outcome, _) = run(dir.path(), Until::Stopped, pages, vec![]);
        assert!(matches!(outcome, Err(Failure::Refused(Refusal { status: 403, .. }))));
        assert_eq!(story, ["read -", "pause 1", "read -", "pause 2", "read -", "deliver a1", "read p1"]);
        let (story, outcome, _) = run(dir.path(), Until::Empty, vec![refused(503)], vec![]);
        assert!(matches!(outcome, Err(Failure::Refused(_))) && story.len() == 1);
    }

    #[test]
    fn the_pauses_of_a_quiet_hook_grow_to_five_seconds() {
        let pauses = [0, 30, 31, 34, 60, u32::MAX].map(|quiet| pause_after(quiet).as_secs());
        assert_eq!(pauses, [1, 1, 2, 5, 5, 5]);
        assert_eq!([0, 1, 4, 5, u32::MAX].map(|tries| backoff_after(tries).as_secs()), [1, 2, 16, 30, 30]);
    }
}
