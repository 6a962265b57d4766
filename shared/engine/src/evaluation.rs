//! One evaluation: what its expressions read, how much work is left, and what is told of it when somebody asks why.
//!
//! All expressions of one step's params, or of one look at its transitions, share an evaluation, so that a thousand
//! templates may do no more work than one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::fault::Fault;
use crate::limits::EVALUATION_LIMIT_OPERATIONS;
use crate::path::Path;
use crate::surroundings::{Setup, Surroundings};

/// How many bytes a function reads or makes for one operation.
const OPERATION_BYTES: usize = 64;

/// How many sentences are told of one evaluation.
const TOLD_LIMIT_SENTENCES: usize = 200;

/// What expressions may read, borrowed from the run.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// An object: what each step left, by step id; `"1"` is the trigger.
    pub steps: &'a Value,
    /// The last failure, `{"code","message","status","attempt","retryable","step"}`.
    pub error: Option<&'a Value>,
    /// Everything else.
    pub surroundings: Surroundings<'a>,
    /// Which step, visit and part of it asks, so that chance differs between them.
    pub asker: Asker<'a>,
}

/// Who asks for a value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker<'a> {
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
    /// The sentences told so far; nothing when nobody listens.
    told: Option<Mutex<Vec<String>>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) const fn new(context: Context<'a>) -> Evaluation<'a> {
        Evaluation {
            context,
            operations_left: AtomicU64::new(EVALUATION_LIMIT_OPERATIONS),
            drawn: AtomicU64::new(0),
            told: None,
        }
    }

    /// The same, which tells what it does.
    pub(crate) fn explained(context: Context<'a>) -> Evaluation<'a> {
        Evaluation { told: Some(Mutex::new(Vec::new())), ..Evaluation::new(context) }
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
        self.tell(|| match found {
            Some(value) => format!("`{}` is {}.", as_written(), self.name(value)),
            None => format!("`{}` is missing: {}", as_written(), path.explain_missing(&self.context)),
        });
        found
    }

    /// A value in a few words, without any secret in it.
    pub(crate) fn name(&self, value: &Value) -> String {
        self.setup().mask_text(&crate::naming::named(value))
    }

    /// Pays for work.
    ///
    /// *Errors* — [`Fault::TooManyOperations`] when nothing is left.
    pub(crate) fn pay(&self, operations: u64) -> Result<(), Fault> {
        let less = |left: u64| left.checked_sub(operations);
        let paid = self.operations_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        paid.map(|_| ()).map_err(|_| Fault::TooManyOperations)
    }

    /// Pays for a call that reads or makes so many bytes.
    pub(crate) fn pay_for_bytes(&self, bytes: usize) -> Result<(), Fault> {
        self.pay(1 + (bytes / OPERATION_BYTES) as u64)
    }

    /// Thirty-two bytes that no other draw of this run gives.
    pub(crate) fn draw(&self) -> [u8; 32] {
        let Asker { step, visit, part } = self.context.asker;
        let count = self.drawn.fetch_add(1, Ordering::Relaxed);
        let mut digest = Sha256::new();
        for text in [self.context.surroundings.seed, step, part] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.update(visit.to_be_bytes());
        digest.update(count.to_be_bytes());
        digest.finalize().into()
    }

    /// Tells `sentence`, if somebody listens and it was not told yet.
    pub(crate) fn tell(&self, sentence: impl FnOnce() -> String) {
        let Some(told) = &self.told else { return };
        let sentence = sentence();
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < TOLD_LIMIT_SENTENCES && !told.contains(&sentence) {
            told.push(sentence);
        }
    }

    /// Whether nothing was told yet.
    pub(crate) fn is_silent(&self) -> bool {
        self.told.as_ref().is_none_or(|told| told.lock().unwrap_or_else(PoisonError::into_inner).is_empty())
    }

    /// What was told, in order.
    pub(crate) fn into_told(self) -> Vec<String> {
        self.told.map(|told| told.into_inner().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default()
    }
}
