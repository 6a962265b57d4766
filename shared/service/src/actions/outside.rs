//! What all actions outside have in common: each is prepared before its visit is claimed, and performed under the claim.

use std::sync::Arc;

use domain::{Failure, Timestamp, Transaction};
use engine::{Definition, run::Params};
use serde_json::Value;

use super::{Actor, Mailing, NotDone, OutsideAction, RestBody, params::Params as ParamsOf, rest, send_mail};
use crate::ports::{Calls, Unavailable};

/// The ways out of here, as far as there are any.
#[derive(Clone, Default)]
pub(crate) struct Ways {
    /// For mail.
    pub(crate) mailing: Option<Arc<Mailing>>,
    /// For calls of services.
    pub(crate) calls: Option<Arc<dyn Calls>>,
}

/// What an action outside is prepared for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occasion<'a> {
    /// The visit that acts.
    pub(crate) actor: Actor<'a>,
    /// The transaction of its run.
    pub(crate) transaction: &'a Transaction,
    /// When the visit was first claimed, or now; the same for every attempt.
    pub(crate) dated_at: Timestamp,
}

/// Who wrote the names of the headers of a call. Else data could name a header, and with it say what no author meant to say.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Headers<'a> {
    /// The step that the definition has, or not.
    OfStep(&'a Definition),
    /// An author, which was seen to when the action was registered.
    Written,
}

/// What only has to be performed, and is the same for every attempt of a visit.
pub(crate) enum Prepared {
    /// A mail.
    Mail(Box<send_mail::Prepared>),
    /// A call of a service.
    Call(Box<rest::Prepared>),
}

/// What becomes of a step whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnUnknownOutcome {
    /// The same is done once more.
    Retry,
    /// The run is held until a person says what came of it.
    Ask,
    /// The step fails.
    Fail,
}

/// Why an action outside has no output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NotPerformed {
    /// It has an outcome, and this is it.
    Failed(Failure),
    /// Nobody knows whether it was done, and by the step's policy the failure is what comes of the attempt.
    Interrupted(Failure, Unavailable),
    /// It certainly was not done; the failure is the attempt's.
    NotDone(Failure, Unavailable),
    /// Nobody knows whether it was done; whoever comes next, once the claim has run out, goes by the step's policy.
    Unknown(Unavailable),
}

impl OutsideAction {
    /// Whether with these params it takes files along, which are much larger than anything else of a step.
    pub(crate) fn takes_files(self, input: &Value) -> bool {
        match self {
            Self::MailSend => send_mail::has_attachments(input),
            Self::RestJson | Self::RestGeneric => false,
        }
    }

    /// What the `params` ask for.
    ///
    /// *Errors*: [`NotDone`]; nothing has happened outside.
    pub(crate) async fn prepare(
        self,
        ways: &Ways,
        occasion: Occasion<'_>,
        headers: Headers<'_>,
        params: &Params,
    ) -> Result<Prepared, NotDone> {
        let kind = match self {
            Self::MailSend => {
                let mailing = ways.mailing.as_deref().ok_or_else(send_mail::not_set_up)?;
                return Ok(Prepared::Mail(Box::new(mailing.prepare(occasion, &params.input).await?)));
            }
            Self::RestJson => RestBody::Json,
            Self::RestGeneric => RestBody::Generic,
        };
        let calls = ways.calls.as_ref().ok_or_else(rest::not_set_up)?;
        let is_written = match headers {
            Headers::OfStep(definition) => definition.writes_keys_of(occasion.actor.step, "headers"),
            Headers::Written => true,
        };
        if !is_written {
            return Err(rest::unwritten_headers());
        }
        Ok(Prepared::Call(Box::new(rest::prepare(calls, kind, occasion.actor, params)?)))
    }
}

impl Prepared {
    /// What to do where nobody knows whether it was done.
    pub(crate) fn on_unknown_outcome(&self) -> OnUnknownOutcome {
        match self {
            Self::Mail(mail) => mail.on_unknown_outcome,
            Self::Call(call) => call.on_unknown_outcome,
        }
    }

    /// What it is done under, and of a mail its `Message-ID`: what a person looks for who wants to know whether it was done.
    pub(crate) fn names(&self) -> (&str, Option<&str>) {
        match self {
            Self::Mail(mail) => mail.names(),
            Self::Call(call) => (call.key(), None),
        }
    }

    /// Does it, and gives the step's output.
    pub(crate) async fn perform(&self) -> Result<Value, NotPerformed> {
        match self {
            Self::Mail(mail) => mail.send().await,
            Self::Call(call) => call.make().await,
        }
    }

    /// What a step fails with that is not to be tried again while nobody knows whether it was done.
    pub(crate) fn unknown_outcome(&self) -> Failure {
        match self {
            Self::Mail(mail) => mail.unknown_outcome(),
            Self::Call(call) => call.unknown_outcome(),
        }
    }
}

impl OnUnknownOutcome {
    /// The param `onUnknownOutcome`.
    pub(super) fn read(params: &ParamsOf<'_>) -> Result<Self, NotDone> {
        match params.text("onUnknownOutcome")?.as_deref() {
            None | Some("retry") => Ok(Self::Retry),
            Some("ask") => Ok(Self::Ask),
            Some("fail") => Ok(Self::Fail),
            Some(_) => Err(NotDone::failed("wrong_param", "The param `onUnknownOutcome` is one of: retry, ask, fail.")),
        }
    }
}
