//! The post through SES.
//!
//! SES does not know a mail again that it has been given already, so nothing here is tried twice that may have left: only
//! what SES has refused for the moment, and what never reached it. It writes a `Message-ID` of its own over the one in
//! the mail; every other header arrives as it was given.

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ses::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ses::primitives::Blob;
use aws_sdk_ses::types::{Destination, RawMessage};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use bytes::Bytes;
use domain::Failure;
use hyper_util::client::legacy;
use service::ports::{NotPosted, OutgoingContent, OutgoingMail, Post, Posted, Unavailable, World};

use crate::attempts::{self, Trouble};

/// SES in one region.
pub struct SesPost {
    client: aws_sdk_ses::Client,
    world: Arc<dyn World>,
}

impl SesPost {
    /// The post through `client`, which has to be one that never tries by itself ([`crate::Clients::ses`]).
    pub fn new(client: aws_sdk_ses::Client, world: Arc<dyn World>) -> Self {
        Self { client, world }
    }

    async fn send_raw(&self, mail: &OutgoingMail, message: &Bytes) -> Result<String, NotPosted> {
        let send = || {
            // Every try makes its own message: it is not kept twice in memory while nothing goes wrong.
            let message = RawMessage::builder().data(Blob::new(message.to_vec())).build();
            let request = self.client.send_raw_email().source(&mail.from);
            async move { request.set_destinations(Some(mail.recipients.clone())).raw_message(message?).send().await }
        };
        let sent = attempts::within_budget(&*self.world, judge, send).await;
        sent.map(|sent| sent.message_id).map_err(|defeat| not_posted(&defeat.last))
    }

    async fn send_template(&self, mail: &OutgoingMail, filled: Filled<'_>) -> Result<String, NotPosted> {
        let destination = Destination::builder()
            .set_to_addresses(Some(filled.to.to_vec()))
            .set_cc_addresses(Some(filled.cc.to_vec()))
            .set_bcc_addresses(Some(filled.bcc.to_vec()))
            .build();
        let request = self.client.send_templated_email().source(&mail.from).destination(destination);
        let request = request.template(filled.name).template_data(filled.data);
        let request = request.set_reply_to_addresses(Some(filled.reply_to.to_vec()));
        let sent = attempts::within_budget(&*self.world, judge, || request.clone().send()).await;
        sent.map(|sent| sent.message_id).map_err(|defeat| not_posted(&defeat.last))
    }
}

/// A template and what goes into it.
struct Filled<'a> {
    name: &'a str,
    data: &'a str,
    to: &'a [String],
    cc: &'a [String],
    bcc: &'a [String],
    reply_to: &'a [String],
}

#[async_trait]
impl Post for SesPost {
    async fn send(&self, mail: &OutgoingMail) -> Result<Posted, NotPosted> {
        let id = match &mail.content {
            OutgoingContent::Raw(message) => self.send_raw(mail, message).await?,
            OutgoingContent::Template { name, data, to, cc, bcc, reply_to } => {
                self.send_template(mail, Filled { name, data, to, cc, bcc, reply_to }).await?
            }
        };
        Ok(Posted { id })
    }
}

/// What a failed try leaves behind: passing is only what has certainly not been sent.
fn judge<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Trouble {
    match error {
        SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(never_left) => Trouble::Passing,
        SdkError::ServiceError(answer) if is_quota(answer.err().code(), answer.err().message()) => Trouble::Final,
        SdkError::ServiceError(answer) if attempts::is_passing(answer.err().code()) => Trouble::Passing,
        SdkError::ServiceError(_) | SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => Trouble::Final,
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) | _ => Trouble::Final,
    }
}

/// Whether the account has sent all that it may in 24 hours. The code is that of a rate which was too high for a second;
/// only the message tells that no try will help for hours. *Source*: SES, "Errors related to the sending quotas".
fn is_quota(code: Option<&str>, message: Option<&str>) -> bool {
    code.is_some_and(|code| code.starts_with("Throttling"))
        && message.is_some_and(|message| message.to_ascii_lowercase().contains("daily message quota exceeded"))
}

/// Whether there was no connection that anything could have left on.
fn never_left(error: &ConnectorError) -> bool {
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect) {
            return true;
        }
        source = inner.source();
    }
    false
}

fn not_posted<E>(error: &SdkError<E, HttpResponse>) -> NotPosted
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let unavailable = Unavailable { port: "post", cause: attempts::cause(error) };
    match error {
        _ if judge(error) == Trouble::Passing => NotPosted::NotSent(unavailable),
        SdkError::ConstructionFailure(_) => NotPosted::NotSent(unavailable),
        SdkError::ServiceError(answer) if answer.raw().status().is_client_error() => {
            refusal(answer.err().code(), answer.err().message(), unavailable)
        }
        // Also a good answer that cannot be read.
        SdkError::ServiceError(_) | SdkError::DispatchFailure(_) => NotPosted::Unknown(unavailable),
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) | _ => NotPosted::Unknown(unavailable),
    }
}

/// What SES has answered instead of sending.
fn refusal(code: Option<&str>, message: Option<&str>, unavailable: Unavailable) -> NotPosted {
    let said = message.unwrap_or("nothing more");
    let (word, what) = match code.unwrap_or_default() {
        // The function's credentials have run out or its clock is wrong, which another try may find mended.
        "ExpiredToken" | "InvalidClientTokenId" | "RequestExpired" | "SignatureDoesNotMatch" => {
            return NotPosted::NotSent(unavailable);
        }
        _ if is_quota(code, message) => (
            "quota_exceeded",
            "The account has sent as many mails within 24 hours as SES lets it. Ask AWS for a higher quota, or send this one later.",
        ),
        "MessageRejected" if said.contains("not verified") => (
            "address_not_verified",
            "SES sends only from verified addresses and domains, and in its sandbox only to them. Verify the address, or ask \
             AWS for production access.",
        ),
        "MessageRejected" => ("mail_rejected", "SES does not send this mail."),
        "MailFromDomainNotVerifiedException" => (
            "mail_from_not_verified",
            "The MX record of the sender's MAIL FROM domain cannot be read. Look at the identity in SES.",
        ),
        "TemplateDoesNotExist" => ("template_not_found", "SES has no template of this name in this region."),
        "AccountSendingPausedException" | "ConfigurationSetSendingPausedException" => {
            ("sending_paused", "AWS has paused sending for this account. Look at the account's dashboard in SES.")
        }
        "AccessDenied" | "AccessDeniedException" => (
            "sending_not_allowed",
            "The executor may not send from this address. It may from the stack's mail domain and from `MailFrom`'s.",
        ),
        _ => ("mail_refused", "SES does not take this mail."),
    };
    NotPosted::Refused(Failure::new(word, format!("{what} SES says: {said}")))
}

#[cfg(test)]
mod tests;
