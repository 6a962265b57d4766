//! Mail to a world: hooks to send it to, and deliveries as SES tells of them.

use bytes::Bytes;
use domain::Timestamp;
use ingest::ses::{Delivery, Place, Verdicts};
use serde_json::{Value, json};
use service::{mail::MailOutcome, ports::Unavailable};

use crate::world::{MAIL_BUCKET, NOON, World};

/// An email hook that a story has made.
#[derive(Debug, Clone)]
pub struct EmailHook {
    pub id: String,
    pub event: String,
    pub hash: String,
    pub address: String,
}

/// A delivery of a mail under `id` to these envelope recipients, all checks passed.
pub fn delivery(id: &str, recipients: &[&str]) -> Delivery {
    let pass = || Some("PASS".to_owned());
    Delivery {
        id: id.to_owned(),
        envelope_from: Some("bounce@esp.example".to_owned()),
        recipients: Some(recipients.iter().map(|recipient| (*recipient).to_owned()).collect()),
        verdicts: Verdicts {
            spam: pass(),
            virus: pass(),
            spf: pass(),
            dkim: pass(),
            dmarc: pass(),
            dmarc_policy: None,
        },
        received_at: Timestamp::parse(NOON),
        place: Place::Object { bucket: Some(MAIL_BUCKET.to_owned()), key: Some(format!("inbound/{id}")) },
    }
}

/// A mail whose HTML has `json` in a script tag.
pub fn order_mail(message_id: &str, json: &str) -> String {
    html_mail(message_id, &format!("<script type=\"application/ld+json\">{json}</script>"))
}

/// A mail with this HTML in it.
pub fn html_mail(message_id: &str, html: &str) -> String {
    format!(
        "From: Shop <orders@shop.example>\r\nTo: Customer <customer@mail.example>\r\nSubject: Your order\r\n\
         Message-ID: {message_id}\r\nDate: Sun, 22 Nov 2026 11:59:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>Thank you.</p>{html}</body></html>\r\n"
    )
}

impl World {
    pub async fn email_hook(&self) -> EmailHook {
        self.email_hook_with(json!({ "title": "Order mails" })).await
    }

    pub async fn email_hook_with(&self, attributes: Value) -> EmailHook {
        let answer = self.api("POST", "/v1/hooks/email", attributes).await.expect(201);
        let text = |name: &str| answer.attribute(name).as_str().unwrap().to_owned();
        EmailHook { id: answer.id(), event: text("eventName"), hash: text("hash"), address: text("email") }
    }

    /// Lays `mail` down as SES does and tells of it.
    pub async fn mail(&self, delivery: &Delivery, mail: impl Into<Bytes>) -> Result<Vec<MailOutcome>, Unavailable> {
        self.mails.put(format!("inbound/{}", delivery.id), mail.into());
        self.mail_door.receive(delivery).await
    }
}
