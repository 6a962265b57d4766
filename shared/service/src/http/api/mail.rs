//! Mail: what the domain's owner has to set up, and the mails that wait to be released.

use std::sync::Arc;

use domain::{HookKind, Rejected, Rejection, TransactionId};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Refused, Response,
    call::{Call, mail_not_set_up, not_found},
    changed_meanwhile,
    hooks::found_of,
    resource::{many, one, org_relationship, resource},
};
use crate::{
    http::answer::empty_response,
    mail::{MailDoor, NotReleased},
    runs::{self, Quarantined},
};

/// The mail of a stack, as its owner set it up.
#[derive(Clone)]
pub struct MailSetup {
    /// The door that mail comes in by.
    pub door: Arc<MailDoor>,
    /// How it comes there.
    pub way: MailWay,
}

/// How mail comes to a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailWay {
    /// Through SES.
    Ses {
        /// The region that receives.
        region: String,
        /// The tokens of DKIM, which say under which names SES publishes its keys.
        dkim_tokens: Vec<String>,
        /// The rule set that has to be the active one.
        rule_set: Option<String>,
    },
    /// Through the listener of this process.
    Listener {
        /// Where it listens: `127.0.0.1:2525`.
        address: String,
    },
}

pub(super) async fn domain(call: &Call<'_>) -> Result<Response, Refused> {
    let setup = call.management.mail.as_ref().ok_or_else(mail_not_set_up)?;
    let domain = &setup.door.domain;
    let attributes = match &setup.way {
        MailWay::Ses { region, dkim_tokens, rule_set } => json!({
            "domain": domain,
            "region": region,
            "smtp": null,
            "records": records(domain, region, dkim_tokens),
            "steps": steps(rule_set.as_deref()),
        }),
        MailWay::Listener { address } => json!({
            "domain": domain,
            "region": null,
            "smtp": address,
            "records": [],
            "steps": [format!("Send mail to {address}, with a hook's address as its recipient. No DNS is needed.")],
        }),
    };
    Ok(one(StatusCode::OK, resource("mail_domain", domain, "/v1/mail-domain", attributes, org_relationship(call))))
}

/// What has to stand in the domain's DNS. *Source*: SES, "Publishing an MX record" and "Easy DKIM".
fn records(domain: &str, region: &str, dkim_tokens: &[String]) -> Vec<Value> {
    let record = |kind: &str, name: String, value: String, why: &str| json!({ "type": kind, "name": name, "value": value, "why": why });
    let mx = format!("10 inbound-smtp.{region}.amazonaws.com");
    let mut records = vec![record("MX", domain.to_owned(), mx, "Mail to hook addresses goes to SES.")];
    records.extend(dkim_tokens.iter().map(|token| {
        let (name, value) = (format!("{token}._domainkey.{domain}"), format!("{token}.dkim.amazonses.com"));
        record("CNAME", name, value, "SES may receive for the domain, and signs what workflows send.")
    }));
    let policy = "v=DMARC1; p=quarantine; adkim=r".to_owned();
    let why = "Nobody else passes as a sender of the domain.";
    records.push(record("TXT", format!("_dmarc.{domain}"), policy, why));
    records
}

fn steps(rule_set: Option<&str>) -> Vec<String> {
    let activate = rule_set.map(|name| {
        format!("Make the rule set the active one: aws ses set-active-receipt-rule-set --rule-set-name {name}. CloudFormation cannot, and an account has one active rule set for all of its domains.")
    });
    let sandbox =
        "Mail that workflows send reaches verified addresses only, until the account has left the SES sandbox.";
    activate.into_iter().chain([sandbox.to_owned()]).collect()
}

pub(super) async fn quarantine(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found_of(call, HookKind::Email).await?.value;
    let paging = call.paging()?;
    let size = paging.limit;
    let listing = runs::list_quarantined(call.management.store.as_ref(), hook.org, hook.id, paging).await?;
    let resources = listing.items.iter().map(|quarantined| quarantined_resource(call, quarantined)).collect();
    Ok(many(call, resources, size, listing.next.as_deref()))
}

pub(super) async fn release(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found_of(call, HookKind::Email).await?.value;
    let setup = call.management.mail.as_ref().ok_or_else(mail_not_set_up)?;
    let id = call.id("mail", TransactionId::parse)?;
    let released =
        setup.door.release(call.management.store.as_ref(), &hook, id).await.map_err(|error| match error {
            NotReleased::Unknown => Refused::from(not_found()),
            NotReleased::Gone => {
                let detail = "The mail itself is not kept any more. Ask its sender to send it again.";
                Rejected::new(Rejection::Taken, "mail_gone", detail).into()
            }
            NotReleased::Useless(reason) => Rejected::new(Rejection::Taken, "nothing_to_start", reason.sentence).into(),
            NotReleased::Overtaken => changed_meanwhile().into(),
            NotReleased::Unavailable(error) => error.into(),
        })?;
    tracing::info!(hook.id = %hook.id, transaction.id = %released.id, "a mail was released from quarantine");
    Ok(one(StatusCode::OK, quarantined_resource(call, &released)))
}

pub(super) async fn discard(call: &Call<'_>) -> Result<Response, Refused> {
    let hook = found_of(call, HookKind::Email).await?.value;
    let id = call.id("mail", TransactionId::parse)?;
    match runs::discard_quarantined(call.management.store.as_ref(), hook.org, hook.id, id).await? {
        true => Ok(empty_response(StatusCode::NO_CONTENT)),
        false => Err(not_found().into()),
    }
}

fn quarantined_resource(call: &Call<'_>, quarantined: &Quarantined) -> Value {
    let at = |pointer: &str| quarantined.email.pointer(pointer).cloned().unwrap_or_default();
    let attributes = json!({
        "createdAt": quarantined.created_at,
        "code": quarantined.code,
        "detail": quarantined.sentence,
        "from": at("/from"),
        "to": at("/to"),
        "subject": at("/subject"),
        "messageId": at("/messageId"),
        "envelopeFrom": at("/envelopeFrom"),
        "verdicts": at("/verdicts"),
        "attachments": at("/attachments"),
        "bytes": quarantined.bytes,
        "recipient": quarantined.recipient,
        "tag": at("/tag"),
        "releasedAt": quarantined.released_at,
        "transactionId": quarantined.transaction,
    });
    let path = call.request.uri().path().trim_end_matches("/release").to_owned();
    let (id, own) = (quarantined.id.to_string(), format!("/{}", quarantined.id));
    let path = if path.ends_with(&own) { path } else { format!("{path}{own}") };
    resource("quarantined_mail", &id, &path, attributes, org_relationship(call))
}
