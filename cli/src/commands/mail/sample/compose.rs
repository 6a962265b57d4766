//! A sample as the bytes of a mail.

use apps::samples::SampleBody;
use handlebars::{Handlebars, no_escape};
use mail_builder::{
    MessageBuilder,
    headers::{date::Date, message_id::MessageId},
    mime::MimePart,
};
use serde_json::{Value, json};

use super::kinds::{ATTACHED, FRAME, Kind, Layout};
use crate::{
    failure::Failure,
    machine::{now, random},
};

/// Who samples are to, unless somebody else is named.
pub(super) const CUSTOMER: &str = "ann.larsen@customer.example";

const CUSTOMER_NAME: &str = "Ann Larsen";

/// What is to be different in this mail.
pub(super) struct Wanted<'a> {
    /// The customer's address.
    pub(super) to: &'a str,
    /// Other values in the data, by path.
    pub(super) changes: &'a [(String, Value)],
    /// What the script's tag shows.
    pub(super) key: Option<&'a str>,
}

/// The mail, with a fresh `Message-ID` and the date of now.
///
/// *Errors*: a path leads nowhere, an address is none, or a key does not fit an attribute.
pub(super) fn mail(kind: &Kind, wanted: &Wanted<'_>) -> Result<Vec<u8>, Failure> {
    let data = data(kind, wanted)?;
    let key = wanted.key.or(kind.key.as_deref());
    let subject = render(&kind.subject, &data, Escaping::None)?;
    let text = MimePart::new("text/plain", render(&kind.text, &data, Escaping::None)?);
    let html = MimePart::new("text/html", html(kind, &data, key, &subject)?);
    let mut parts = vec![text, html];
    if kind.layout == Layout::Part {
        parts.push(MimePart::new("application/ld+json", data.to_string()));
    }
    let mut body = MimePart::new("multipart/alternative", parts);
    if let Some(attachment) = &kind.attachment {
        let file = MimePart::new(attachment.content_type.as_str(), ATTACHED).attachment(attachment.file_name.as_str());
        body = MimePart::new("multipart/mixed", vec![body, file]);
    }
    let message = MessageBuilder::new()
        .from((kind.store.as_str(), kind.from.as_str()))
        .to((CUSTOMER_NAME, address(wanted.to)?))
        .subject(subject)
        .date(Date::new(now().as_second()))
        .message_id(message_id(kind)?)
        .header("Auto-Submitted", mail_builder::headers::raw::Raw::new("auto-generated"))
        .body(body);
    message.write_to_vec().map_err(|error| Failure::Unavailable(format!("The mail cannot be made: {error}.")))
}

/// What is in the mail: the kind's own data, for this customer, with the changes.
fn data(kind: &Kind, wanted: &Wanted<'_>) -> Result<Value, Failure> {
    let mut body = SampleBody::Json(kind.data.clone());
    let customer = kind.customer.iter().map(|path| (path.clone(), json!(wanted.to)));
    for (path, value) in customer.chain(wanted.changes.iter().cloned()) {
        body.set(&path, value).map_err(Failure::Usage)?;
    }
    match body {
        SampleBody::Json(data) => Ok(data),
        SampleBody::Empty | SampleBody::Form(_) | SampleBody::Text(_) => Ok(Value::Null),
    }
}

/// *Why so narrow*: it goes into a header and into HTML as it is.
fn address(text: &str) -> Result<&str, Failure> {
    domain::EmailAddress::parse(text)
        .map(|_| text.trim())
        .map_err(|_| Failure::Usage(format!("{text} is no mail address.")))
}

fn message_id(kind: &Kind) -> Result<MessageId<'static>, Failure> {
    let unique = domain::RunId::fresh(now(), random()?);
    let domain = kind.from.rsplit_once('@').map_or(kind.from.as_str(), |(_, domain)| domain);
    Ok(MessageId::new(format!("{unique}@{domain}")))
}

fn html(kind: &Kind, data: &Value, key: Option<&str>, subject: &str) -> Result<String, Failure> {
    let script = match kind.layout {
        Layout::Script => script(&data.to_string(), key)?,
        Layout::ScriptWithEntities => script(&with_entities(&data.to_string()), key)?,
        Layout::Part | Layout::Microdata | Layout::None => String::new(),
    };
    let content = render(kind.html, data, Escaping::Html)?;
    let frame = json!({
        "subject": subject, "script": script, "content": content, "store": kind.store, "preheader": subject,
    });
    render(FRAME, &frame, Escaping::Html)
}

fn script(json: &str, key: Option<&str>) -> Result<String, Failure> {
    let attribute = match key {
        None => String::new(),
        Some(key) if key.contains(['"', '<', '>', '&']) => {
            return Err(Failure::Usage("The key has characters that cannot stand in a tag.".to_owned()));
        }
        Some(key) => format!(" data-kustomer-key=\"{key}\""),
    };
    // A value could end the script or open a comment in it; in JSON the two ways to write `<` are the same.
    let json = json.replace('<', r"\u003c");
    Ok(format!("<script type=\"application/ld+json\"{attribute}>{json}</script>"))
}

/// The JSON as `WooCommerce` prints it: PHP escapes slashes, and the shop's plugin escapes the text for HTML.
fn with_entities(json: &str) -> String {
    json.replace('/', r"\/").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// How values are written into a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escaping {
    None,
    Html,
}

fn render(template: &str, data: &Value, escaping: Escaping) -> Result<String, Failure> {
    let mut templates = Handlebars::new();
    if escaping == Escaping::None {
        templates.register_escape_fn(no_escape);
    }
    let rendered = templates.render_template(template, data);
    rendered.map_err(|error| Failure::Usage(format!("The sample cannot be made of this data: {error}.")))
}

#[cfg(test)]
mod tests {
    use ingest::mail::{Entities, Wishes};

    use super::{super::kinds::NAMES, *};

    const KEY: &str = "0123456789abcdef";

    fn made(name: &str, changes: &[(String, Value)], key: Option<&str>) -> Vec<u8> {
        mail(&Kind::find(name).unwrap(), &Wanted { to: CUSTOMER, changes, key }).unwrap()
    }

    #[test]
    fn each_sample_gives_its_data_and_nothing_else() {
        for name in NAMES {
            let kind = Kind::find(name).unwrap();
            let wishes = Wishes { key: None, entities: Entities::Decoded };
            let read = ingest::mail::read(&made(name, &[], None), &wishes);
            let expected = if kind.layout == Layout::None { Value::Null } else { kind.data.clone() };
            assert_eq!(read.data, expected, "{name}");
            let source = read.source.map(|source| source.word());
            let expected = match kind.layout {
                Layout::Script | Layout::ScriptWithEntities => Some("html"),
                Layout::Part => Some("mime-part"),
                Layout::Microdata => Some("microdata"),
                Layout::None => None,
            };
            assert_eq!(source.as_deref(), expected, "{name}");
            assert!(read.blocks.iter().all(|block| block.repairs.is_empty() && block.error.is_none()), "{name}");
            assert!(read.notes.is_empty(), "{name}: {:?}", read.notes);
        }
    }

    #[test]
    fn each_sample_has_a_text_and_the_html_of_a_store() {
        for name in NAMES {
            let raw = made(name, &[], None);
            let read = ingest::mail::read(&raw, &Wishes::default());
            let (text, html) = (read.text(&raw).unwrap().text, read.html(&raw).unwrap().text);
            for body in [&text, &html, &read.headers.subject.unwrap()] {
                assert!(!body.trim().is_empty() && !body.contains("{{"), "{name}: {body}");
            }
            assert!(html.contains("</table>") && html.ends_with("</html>\n"), "{name}: {html}");
            assert_eq!(read.headers.to.first().map(|to| to.address.as_str()), Some(CUSTOMER), "{name}");
            assert!(read.headers.from.iter().all(|from| from.address.ends_with(".example")), "{name}");
            assert!(raw.iter().all(|byte| byte.is_ascii()), "{name}");
        }
    }

    #[test]
    fn a_shops_entities_stay_unless_they_are_asked_away() {
        let read = ingest::mail::read(&made("woocommerce", &[], None), &Wishes::default());
        assert_eq!(read.data["merchant"]["name"], json!("Salt &amp; Pepper Pottery"));
    }

    #[test]
    fn a_key_lets_only_its_own_script_through() {
        for (name, key, hook_key, passes) in [
            ("keyed", None, "sample-key-0123456789", true),
            ("keyed", Some(KEY), KEY, true),
            ("keyed", None, KEY, false),
            ("order-confirmation", Some(KEY), KEY, true),
            ("order-confirmation", None, KEY, false),
        ] {
            let wishes = Wishes { key: Some(hook_key), entities: Entities::Kept };
            let read = ingest::mail::read(&made(name, &[], key), &wishes);
            assert_eq!(!read.data.is_null(), passes, "{name} {key:?}");
        }
        let kind = Kind::find("keyed").unwrap();
        assert!(mail(&kind, &Wanted { to: CUSTOMER, changes: &[], key: Some("\"><b>") }).is_err());
    }

    #[test]
    fn a_change_is_in_the_data_and_in_what_is_seen() {
        let changes =
            [("orderNumber".to_owned(), json!("</script><!--")), ("acceptedOffer.0.price".to_owned(), json!(7))];
        for name in ["order-confirmation", "json-part", "with-attachment"] {
            let raw = made(name, &changes, None);
            let read = ingest::mail::read(&raw, &Wishes::default());
            assert_eq!(read.data["orderNumber"], json!("</script><!--"), "{name}");
            assert_eq!(read.data["acceptedOffer"][0]["price"], json!(7), "{name}");
            assert!(read.html(&raw).unwrap().text.contains("&lt;/script&gt;"), "{name}");
        }
        let kind = Kind::find("shipping").unwrap();
        let nowhere = [("carrier.name.x".to_owned(), json!(1))];
        assert!(mail(&kind, &Wanted { to: CUSTOMER, changes: &nowhere, key: None }).is_err());
    }

    #[test]
    fn the_customer_is_in_the_header_and_in_the_data() {
        let kind = Kind::find("invoice").unwrap();
        let raw = mail(&kind, &Wanted { to: "bo@customer.example", changes: &[], key: None }).unwrap();
        let read = ingest::mail::read(&raw, &Wishes::default());
        assert_eq!(read.data["customer"]["email"], json!("bo@customer.example"));
        assert!(mail(&kind, &Wanted { to: "bo\r\nX: y@z.example", changes: &[], key: None }).is_err());
    }

    #[test]
    fn an_attached_invoice_is_a_file_of_the_mail() {
        let raw = made("with-attachment", &[], None);
        let read = ingest::mail::read(&raw, &Wishes::default());
        let [file] = read.attachments.as_slice() else { panic!("{:?}", read.attachments) };
        assert_eq!((file.file_name.as_str(), file.content_type.as_str()), ("invoice-BB-100485.pdf", "application/pdf"));
        let bytes: Vec<u8> = file.pieces(raw.into()).flat_map(|piece| piece.to_vec()).collect();
        assert_eq!(bytes, ATTACHED);
    }
}
