//! One evaluation: what its expressions read, how much work is left, and what is told of it when somebody asks why.
//!
//! All expressions of one step's params, or of one look at its transitions, share an evaluation, so that a thousand
//! templates may do no more work than one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::allowance::weight;
use crate::fault::Fault;
use crate::limits::EVALUATION_LIMIT_OPERATIONS;
use crate::naming::{cut, named};
use crate::path::Path;
use crate::surroundings::{LinkSigner, Setup, Surroundings};

/// How many bytes a function reads or makes for one operation.
const OPERATION_BYTES: usize = 64;

/// How much is told of one evaluation.
#[derive(Debug, Clone, Copy)]
struct Telling {
    sentences: usize,
    /// How many are made to find those that were not told yet.
    made: u64,
    /// How long one of them is; a path may be longer than what is to be said of it.
    bytes: usize,
}

const EXPLAINED: Telling = Telling { sentences: 200, made: 400, bytes: 2_048 };
const KEPT: Telling = Telling { sentences: 10, made: 20, bytes: 512 };

/// How large a value is at the most that is looked through for secrets before something is told of what was made of it.
const SEARCHED_LIMIT_BYTES: usize = 65_536;

/// What expressions may read, borrowed from the run.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// An object: what each step left, by step id; `"1"` is the trigger.
    pub steps: &'a Value,
    /// The same of the branches around the one that asks, innermost first; what stands in `steps` hides what stands there.
    pub outer: &'a [&'a Value],
    /// The last failure, `{"code","message","status","attempt","retryable","step"}`.
    pub error: Option<&'a Value>,
    /// Everything else.
    pub surroundings: Surroundings<'a>,
    /// Which step, visit and part of it asks, so that chance differs between them.
    pub asker: Asker<'a>,
    /// What paths begin in where it is no run: the data that a template of an app is about.
    pub scope: Option<&'a Value>,
}

/// Who asks for a value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker<'a> {
    /// The branch that the step is in; empty in the trunk.
    pub branch: &'a str,
    /// The step; empty for an evaluation outside of any run.
    pub step: &'a str,
    /// How often the run has come to it.
    pub visit: u32,
    /// `params` or `transitions`.
    pub part: &'static str,
}

/// An evaluation under way. *Why atomics*: a helper of the `handlebars` crate, which shares it, has to be `Sync`.
#[derive(Debug)]
pub(crate) struct Evaluation<'a> {
    context: Context<'a>,
    operations_left: AtomicU64,
    drawn: AtomicU64,
    listener: Listener,
    /// The sentences told so far.
    told: Mutex<Vec<String>>,
    /// How many were made for it.
    made: AtomicU64,
}

/// What is told of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listener {
    /// Nothing.
    Nobody,
    /// What led nowhere; a step's entry keeps that.
    Journal,
    /// Everything.
    Explainer,
}

impl<'a> Evaluation<'a> {
    pub(crate) const fn new(context: Context<'a>) -> Evaluation<'a> {
        Evaluation {
            context,
            operations_left: AtomicU64::new(EVALUATION_LIMIT_OPERATIONS),
            drawn: AtomicU64::new(0),
            listener: Listener::Nobody,
            told: Mutex::new(Vec::new()),
            made: AtomicU64::new(0),
        }
    }

    /// The same, which tells what it does.
    pub(crate) fn explained(context: Context<'a>) -> Evaluation<'a> {
        Evaluation { listener: Listener::Explainer, ..Evaluation::new(context) }
    }

    /// The same, which tells what leads nowhere.
    pub(crate) fn kept(context: Context<'a>) -> Evaluation<'a> {
        Evaluation { listener: Listener::Journal, ..Evaluation::new(context) }
    }

    pub(crate) const fn setup(&self) -> &'a Setup {
        self.context.surroundings.setup
    }

    pub(crate) const fn now(&self) -> Timestamp {
        self.context.surroundings.now
    }

    /// What is at `path`; `as_written` is how the author spells it.
    pub(crate) fn find(&self, path: &Path, as_written: impl Fn() -> String) -> Option<&'a Value> {
        let found = path.find(&self.context);
        match found {
            Some(value) => self.tell(|| format!("`{}` is {}.", as_written(), self.name(value))),
            None => self.tell_missing(|| self.missing(path, as_written())),
        }
        found
    }

    /// The same where the author is prepared for there being nothing; a journal does not tell that.
    pub(crate) fn find_optional(&self, path: &Path, as_written: impl Fn() -> String) -> Option<&'a Value> {
        let found = path.find(&self.context);
        self.tell(|| match found {
            Some(value) => format!("`{}` is {}.", as_written(), self.name(value)),
            None => self.missing(path, as_written()),
        });
        found
    }

    fn missing(&self, path: &Path, as_written: String) -> String {
        let why = self.setup().mask_text(&path.explain_missing(&self.context));
        format!("`{as_written}` is missing: {why}")
    }

    /// Whether a secret stands in what is at the path; of what is large, that is taken for granted.
    pub(crate) fn holds_secret(&self, path: &Path) -> bool {
        if !self.setup().has_secrets() {
            return false;
        }
        path.find(&self.context)
            .is_some_and(|value| weight(value) > SEARCHED_LIMIT_BYTES || self.setup().mask_copy(value) != *value)
    }

    /// A value in a few words, without any secret in it.
    pub(crate) fn name(&self, value: &Value) -> String {
        self.setup().mask_text(&named(value))
    }

    /// Pays for work.
    ///
    /// *Errors* — [`Fault::TooManyOperations`] when nothing is left.
    pub(crate) fn pay(&self, operations: u64) -> Result<(), Fault> {
        let less = |left: u64| Some(left.saturating_sub(operations));
        let before = self.operations_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        // What could not be paid took all there was: whoever goes on asking gets nothing more.
        if before.is_ok_and(|left| left >= operations) { Ok(()) } else { Err(Fault::TooManyOperations) }
    }

    /// Pays for a call that reads or makes so many bytes.
    pub(crate) fn pay_for_bytes(&self, bytes: usize) -> Result<(), Fault> {
        self.pay(1 + (bytes / OPERATION_BYTES) as u64)
    }

    /// Thirty-two bytes that no other draw of this run gives.
    pub(crate) fn draw(&self) -> [u8; 32] {
        let Asker { branch, step, visit, part } = self.context.asker;
        let count = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut digest = Sha256::new();
        for text in [self.context.surroundings.seed, step, part] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.update(visit.to_be_bytes());
        digest.update(branch);
        digest.update(count.to_be_bytes());
        digest.finalize().into()
    }

    /// The address at which `step` of this run is answered, signed; none where it would be too long.
    pub(crate) fn link_to(&self, signer: &LinkSigner, step: &str, choice: &str) -> Option<String> {
        signer.link(self.context.surroundings, self.context.asker.branch, step, choice)
    }

    /// Tells `sentence`, if somebody wants to know all and it was not told yet.
    pub(crate) fn tell(&self, sentence: impl FnOnce() -> String) {
        if self.listener == Listener::Explainer {
            self.add(sentence, EXPLAINED);
        }
    }

    /// Tells that something leads nowhere, if somebody listens at all.
    pub(crate) fn tell_missing(&self, sentence: impl FnOnce() -> String) {
        match self.listener {
            Listener::Nobody => {}
            Listener::Journal => self.add(sentence, KEPT),
            Listener::Explainer => self.add(sentence, EXPLAINED),
        }
    }

    fn add(&self, sentence: impl FnOnce() -> String, limit: Telling) {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        if made >= limit.made || self.told().len() >= limit.sentences {
            return;
        }
        let sentence = cut(&sentence(), limit.bytes).into_owned();
        let mut told = self.told();
        if !told.contains(&sentence) {
            told.push(sentence);
        }
    }

    /// Whether nothing was told yet.
    pub(crate) fn is_silent(&self) -> bool {
        self.told().is_empty()
    }

    /// What was told, in order.
    pub(crate) fn into_told(self) -> Vec<String> {
        self.told.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, Vec<String>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
