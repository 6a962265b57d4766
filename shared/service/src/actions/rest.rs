//! Calls of services of the web: everything about them but the way, which the executor goes under a claim.
//!
//! The same run, step and visit always make the same call under the same key, so that a service which knows the key takes
//! a repeat for one. Any status is an output; only where there is no answer has the step failed.

mod address;
mod answer;
mod draft;

use std::sync::Arc;

use domain::Failure;
use serde_json::Value;

use super::{Actor, NotDone, NotPerformed, OnUnknownOutcome, Params, RestBody};
use crate::ports::{Calls, NotCalled, OutgoingCall, Unavailable};

use answer::Reading;
use draft::Draft;

/// A call that only has to be made.
pub(crate) struct Prepared {
    /// What to do where nobody knows whether the service got it.
    pub(super) on_unknown_outcome: OnUnknownOutcome,
    calls: Arc<dyn Calls>,
    call: OutgoingCall,
    reading: Reading,
    key: String,
}

/// The call that the params ask for.
///
/// *Errors*: [`NotDone`]; nothing has been sent.
pub(super) fn prepare(
    calls: &Arc<dyn Calls>,
    kind: RestBody,
    actor: Actor<'_>,
    params: &engine::run::Params,
) -> Result<Prepared, NotDone> {
    let draft = Draft { params: Params::of(&params.input)?, shown: params.shown(), kind };
    Ok(Prepared {
        on_unknown_outcome: OnUnknownOutcome::read(&draft.params)?,
        calls: Arc::clone(calls),
        call: draft.call(actor)?,
        reading: draft.reading()?,
        key: draft::key(actor),
    })
}

impl Prepared {
    /// Makes the call and gives what the step leaves behind.
    pub(super) async fn make(&self) -> Result<Value, NotPerformed> {
        match self.calls.call(&self.call).await {
            Ok(answer) => answer::output(&answer, self.reading).map_err(NotPerformed::Failed),
            Err(NotCalled::Refused(failure)) => Err(NotPerformed::Failed(failure)),
            Err(NotCalled::NotSent(error)) => Err(NotPerformed::NotDone(not_reached(), error)),
            Err(NotCalled::TimedOut(error)) => {
                let message = format!("The service did not answer within {} s.", self.call.deadline.as_secs());
                Err(self.interrupted("rest_timeout", &message, error))
            }
            Err(NotCalled::Broken(error)) => {
                let message = "The service did not give a whole answer: the connection ended, or it is no HTTP.";
                Err(self.interrupted("rest_no_answer", message, error))
            }
        }
    }

    /// What is told where nobody knows whether the service got the call.
    pub(super) fn unknown_outcome(&self) -> Failure {
        let message = format!(
            "It is not known whether the service carried out this call. Look there for what was asked for under the idempotency key \
             {} before you ask again.",
            self.key
        );
        Failure::new("unknown_outcome", message)
    }

    /// The idempotency key of the call.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    fn interrupted(&self, code: &str, message: &str, error: Unavailable) -> NotPerformed {
        match self.on_unknown_outcome {
            OnUnknownOutcome::Retry => NotPerformed::Interrupted(Failure::new(code, message).retryable(), error),
            OnUnknownOutcome::Ask => NotPerformed::Unknown(error),
            OnUnknownOutcome::Fail => NotPerformed::Interrupted(self.unknown_outcome(), error),
        }
    }
}

/// The headers are not written out in the step.
pub(super) fn unwritten_headers() -> NotDone {
    let message = "The param `headers` is an object that is written out in the step, so that no data can name a header. Write \
                   each header's name there; its value may be a reference or a template.";
    NotDone::failed("wrong_param", message)
}

/// There is no way out for calls.
pub(super) fn not_set_up() -> NotDone {
    NotDone::failed(
        "rest_not_set_up",
        "No service can be called from here: this program was started without a way to the web.",
    )
}

fn not_reached() -> Failure {
    let message = "The service could not be reached: its host's name is not known, nobody answers there, or its certificate is not \
                   one that is trusted.";
    Failure::new("rest_not_reached", message).retryable()
}
