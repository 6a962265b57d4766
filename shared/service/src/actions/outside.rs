//! What all actions outside have in common: each is prepared before its visit is claimed, and performed under the claim.

use std::sync::Arc;

use domain::{Failure, Timestamp, Transaction};
use engine::run::Params;
use serde_json::Value;

use super::{Actor, Mailing, NotDone, OutsideAction, params::Params as ParamsOf, send_mail};
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

/// What only has to be performed, and is the same for every attempt of a visit.
pub(crate) enum Prepared {
    /// A mail.
    Mail(Box<send_mail::Prepared>),
}

/// What becomes of a step whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnUnknownOutcome {
    /// The same is done once more.
    Retry,
    /// The step fails.
    Fail,
}

/// Why an action outside has no output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NotPerformed {
    /// It has an outcome, and this is it.
    Failed(Failure),
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
        }
    }

    /// What the `params` ask for.
    ///
    /// *Errors*: [`NotDone`]; nothing has happened outside.
    pub(crate) async fn prepare(
        self,
        ways: &Ways,
        occasion: Occasion<'_>,
        params: &Params,
    ) -> Result<Prepared, NotDone> {
        match self {
            Self::MailSend => {
                let mailing = ways.mailing.as_deref().ok_or_else(send_mail::not_set_up)?;
                Ok(Prepared::Mail(Box::new(mailing.prepare(occasion, &params.input).await?)))
            }
        }
    }
}

impl Prepared {
    /// What to do where nobody knows whether it was done.
    pub(crate) fn on_unknown_outcome(&self) -> OnUnknownOutcome {
        match self {
            Self::Mail(mail) => mail.on_unknown_outcome,
        }
    }

    /// Does it, and gives the step's output.
    pub(crate) async fn perform(&self) -> Result<Value, NotPerformed> {
        match self {
            Self::Mail(mail) => mail.send().await,
        }
    }

    /// What a step fails with that is not to be tried again while nobody knows whether it was done.
    pub(crate) fn unknown_outcome(&self) -> Failure {
        match self {
            Self::Mail(mail) => mail.unknown_outcome(),
        }
    }
}

impl OnUnknownOutcome {
    /// The param `onUnknownOutcome`.
    pub(super) fn read(params: &ParamsOf<'_>) -> Result<Self, NotDone> {
        match params.text("onUnknownOutcome")?.as_deref() {
            None | Some("retry") => Ok(Self::Retry),
            Some("fail") => Ok(Self::Fail),
            Some(_) => Err(NotDone::failed("wrong_param", "The param `onUnknownOutcome` is one of: retry, fail.")),
        }
    }
}
