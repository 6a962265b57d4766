//! The kinds of mail there are samples of, read from what is built into this program.

use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// The names of the kinds, in the order of their list.
pub(super) const NAMES: [&str; 12] = [
    "order-confirmation",
    "shipping",
    "invoice",
    "reservation-flight",
    "reservation-hotel",
    "event-ticket",
    "plain",
    "woocommerce",
    "keyed",
    "microdata",
    "json-part",
    "with-attachment",
];

/// What every HTML stands in.
pub(super) const FRAME: &str = include_str!("../../../../samples/mail/frame.html");

/// The file that a sample with an attachment has.
pub(super) const ATTACHED: &[u8] = include_bytes!("../../../../samples/mail/invoice.pdf");

/// A kind of mail.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    /// Its name.
    pub(super) name: &'static str,
    /// What it is, for people.
    pub(super) title: String,
    /// The HTML between head and foot; a template over [`Kind::data`].
    pub(super) html: &'static str,
    /// Who sends it.
    pub(super) store: String,
    /// The address it is from.
    pub(super) from: String,
    /// A template.
    pub(super) subject: String,
    /// The body for those who see no HTML; a template.
    pub(super) text: String,
    /// Where its data stands.
    pub(super) layout: Layout,
    /// The path of the customer's address in the data.
    pub(super) customer: Option<String>,
    /// What the script's tag shows, where it shows a key by itself.
    pub(super) key: Option<String>,
    /// The file that goes along.
    pub(super) attachment: Option<Attachment>,
    /// What is in it.
    pub(super) data: Value,
}

/// Where the data of a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Layout {
    /// In a script of the HTML.
    Script,
    /// The same, escaped for HTML as `WooCommerce` escapes it.
    ScriptWithEntities,
    /// In a part of its own.
    Part,
    /// In the attributes of the HTML.
    Microdata,
    /// Nowhere.
    None,
}

/// A file that goes along.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Attachment {
    /// What it is called.
    pub(super) file_name: String,
    /// Its media type.
    pub(super) content_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document {
    title: String,
    store: String,
    from: String,
    subject: String,
    text: String,
    layout: Layout,
    content: String,
    customer: Option<String>,
    key: Option<String>,
    attachment: Option<Attachment>,
    #[serde(with = "domain::exact")]
    data: Value,
}

impl Kind {
    /// The kind called `name`.
    ///
    /// *Errors*: there is none, or its document is broken, which a test would have found.
    pub(super) fn find(name: &str) -> Result<Self, Failure> {
        let broken = |why: String| Failure::Usage(format!("The sample {name} cannot be used: {why}."));
        let name = NAMES.into_iter().find(|known| *known == name).ok_or_else(|| broken("there is none".to_owned()))?;
        let document: Document = serde_json::from_str(document(name)).map_err(|error| broken(error.to_string()))?;
        let Document { title, store, from, subject, text, layout, content, customer, key, attachment, data } = document;
        Ok(Self {
            name,
            title,
            html: html(&content),
            store,
            from,
            subject,
            text,
            layout,
            customer,
            key,
            attachment,
            data,
        })
    }
}

fn document(name: &str) -> &'static str {
    match name {
        "order-confirmation" => include_str!("../../../../samples/mail/order-confirmation.json"),
        "shipping" => include_str!("../../../../samples/mail/shipping.json"),
        "invoice" => include_str!("../../../../samples/mail/invoice.json"),
        "reservation-flight" => include_str!("../../../../samples/mail/reservation-flight.json"),
        "reservation-hotel" => include_str!("../../../../samples/mail/reservation-hotel.json"),
        "event-ticket" => include_str!("../../../../samples/mail/event-ticket.json"),
        "plain" => include_str!("../../../../samples/mail/plain.json"),
        "woocommerce" => include_str!("../../../../samples/mail/woocommerce.json"),
        "keyed" => include_str!("../../../../samples/mail/keyed.json"),
        "microdata" => include_str!("../../../../samples/mail/microdata.json"),
        "json-part" => include_str!("../../../../samples/mail/json-part.json"),
        "with-attachment" => include_str!("../../../../samples/mail/with-attachment.json"),
        _ => "",
    }
}

fn html(content: &str) -> &'static str {
    match content {
        "order" => include_str!("../../../../samples/mail/order.html"),
        "shipping" => include_str!("../../../../samples/mail/shipping.html"),
        "invoice" => include_str!("../../../../samples/mail/invoice.html"),
        "reservation-flight" => include_str!("../../../../samples/mail/reservation-flight.html"),
        "reservation-hotel" => include_str!("../../../../samples/mail/reservation-hotel.html"),
        "event-ticket" => include_str!("../../../../samples/mail/event-ticket.html"),
        "plain" => include_str!("../../../../samples/mail/plain.html"),
        "woocommerce" => include_str!("../../../../samples/mail/woocommerce.html"),
        "microdata" => include_str!("../../../../samples/mail/microdata.html"),
        _ => "",
    }
}
