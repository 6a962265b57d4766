//! Mailboxes as authors write them: an address, or a name and an address in angle brackets.
//!
//! Stricter than what is read out of mails that came in: whatever gets through here goes into a header as it is, so an
//! address is ASCII of the characters RFC 5322 allows without quotes, and nothing has a control character.

use domain::EmailAddress;
use serde_json::Value;

use super::super::{
    NotDone,
    params::{missing, shown, wrong},
};

/// The most characters of a display name.
const NAME_LIMIT_CHARS: usize = 255;

/// What is told of a text with a comma outside of quotes.
const SEVERAL: &str = "has a comma; several addresses are a list of them, and a name with a comma stands in quotes";

/// The most bytes before the `@`. *Source*: RFC 5321, 4.5.3.1.1.
const LOCAL_PART_LIMIT_BYTES: usize = 64;

/// The most bytes between two dots of a domain. *Source*: RFC 1035, 2.3.4.
const LABEL_LIMIT_BYTES: usize = 63;

/// Somebody who sends or gets a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// What people are shown.
    pub(super) name: Option<String>,
    /// `orders@shop.example`, as it was written.
    pub(super) address: String,
}

impl Mailbox {
    /// What stands behind the `@`.
    pub(super) fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }

    /// The one mailbox in `text`.
    ///
    /// *Errors*: the rest of a sentence that begins with the text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err("has a line break or another control character in it".to_owned());
        }
        let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
            Some((name, address)) => (display_name(name)?, address.trim()),
            None => (None, text),
        };
        if address.contains(',') {
            return Err(SEVERAL.to_owned());
        }
        check_address(address)?;
        Ok(Self { name, address: address.to_owned() })
    }

    /// The same with the domain in lower case.
    pub(super) fn in_lower_case_domain(mut self) -> Self {
        if let Some(at) = self.address.rfind('@')
            && let Some(domain) = self.address.get_mut(at..)
        {
            domain.make_ascii_lowercase();
        }
        self
    }
}

/// The mailboxes in `value`: one as text, one as `{"name","address"}`, which is how `email.from` of a transaction has
/// them, or a list of these. *Why never several in one text*: the text may be a sender's, and so would the number be.
///
/// *Errors*: a sentence that names `param`.
pub(super) fn read(param: &str, value: &Value) -> Result<Vec<Mailbox>, NotDone> {
    match value {
        Value::Array(list) => {
            let mut mailboxes = Vec::new();
            for entry in list {
                mailboxes.push(read_entry(param, entry)?);
            }
            Ok(mailboxes)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Ok(vec![read_entry(param, value)?])
        }
    }
}

fn read_entry(param: &str, value: &Value) -> Result<Mailbox, NotDone> {
    match value {
        Value::String(text) => told(param, text, Mailbox::parse(text)),
        Value::Object(map) => {
            let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().trim();
            let (name, address) = (text("name"), text("address"));
            let parsed = check_address(address)
                .and_then(|()| check_name(name))
                .map(|name| Mailbox { name, address: address.to_owned() });
            told(param, if address.is_empty() { name } else { address }, parsed)
        }
        Value::Null => Err(missing(param)),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(wrong(param, "an e-mail address, or a list of them"))
        }
    }
}

fn told(param: &str, entry: &str, parsed: Result<Mailbox, String>) -> Result<Mailbox, NotDone> {
    parsed.map_err(|problem| {
        let shown = shown(entry.trim());
        let message =
            format!("The param `{param}` has an entry that cannot be sent to: `{}` {problem}.", shown.escape_debug());
        NotDone::failed("wrong_email", message)
    })
}

/// The name before the angle bracket, out of its quotes.
fn display_name(written: &str) -> Result<Option<String>, String> {
    let written = written.trim();
    let Some(quoted) = written.strip_prefix('"') else {
        return match written.contains(['"', '<', '>']) {
            true => Err("has quotes or angle brackets in its name; put the whole name in quotes".to_owned()),
            false if written.contains(',') => Err(SEVERAL.to_owned()),
            false => check_name(written),
        };
    };
    let mut name = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => name.extend(characters.next()),
            '"' if characters.as_str().is_empty() => return check_name(&name),
            '"' => break,
            _ => name.push(character),
        }
    }
    Err("has a name whose quotes do not end where the name does".to_owned())
}

fn check_name(name: &str) -> Result<Option<String>, String> {
    if name.chars().any(char::is_control) {
        return Err("has a line break or another control character in its name".to_owned());
    }
    if name.chars().count() > NAME_LIMIT_CHARS {
        return Err(format!("has a name of more than {NAME_LIMIT_CHARS} characters"));
    }
    let name = name.trim();
    Ok((!name.is_empty()).then(|| name.to_owned()))
}

fn check_address(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("is no e-mail address; it is empty".to_owned());
    }
    let address = EmailAddress::parse(text).map_err(|problem| format!("is no e-mail address: {problem}"))?;
    let Some((local, domain)) = address.as_written().rsplit_once('@') else {
        return Err("is no e-mail address".to_owned());
    };
    if !address.as_written().is_ascii() {
        return Err(
            "has letters that mail servers do not take in an address; write the domain in its xn-- form".to_owned()
        );
    }
    let is_local = local.len() <= LOCAL_PART_LIMIT_BYTES
        && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_byte));
    if !is_local {
        return Err("is no e-mail address: what stands before its @ is not allowed there".to_owned());
    }
    if !domain.split('.').all(is_label) {
        return Err("is no e-mail address: what stands behind its @ is no domain".to_owned());
    }
    Ok(())
}

/// *Source*: `atext` of RFC 5322, 3.2.3.
const fn is_atom_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

fn is_label(label: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty()
        && label.len() <= LABEL_LIMIT_BYTES
        && label.bytes().all(is_inside)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn mailbox(name: Option<&str>, address: &str) -> Mailbox {
        Mailbox { name: name.map(str::to_owned), address: address.to_owned() }
    }

    #[test]
    fn mailboxes_are_read_as_people_write_them() {
        let cases = [
            (json!("a@x.test"), vec![mailbox(None, "a@x.test")]),
            (json!(" <a@x.test> "), vec![mailbox(None, "a@x.test")]),
            (json!("Shop <a@x.test>"), vec![mailbox(Some("Shop"), "a@x.test")]),
            (json!("\"Shop, \\\"Ltd\\\" <b>\" <a@x.test>"), vec![mailbox(Some("Shop, \"Ltd\" <b>"), "a@x.test")]),
            (json!("a@x.test <a@x.test>"), vec![mailbox(Some("a@x.test"), "a@x.test")]),
            (
                json!(["a@x.test", "Größe <b@y.test>"]),
                vec![mailbox(None, "a@x.test"), mailbox(Some("Größe"), "b@y.test")],
            ),
            (json!([{ "name": "Ann", "address": "a@x.test" }]), vec![mailbox(Some("Ann"), "a@x.test")]),
            (json!({ "name": null, "address": "a@x.test" }), vec![mailbox(None, "a@x.test")]),
            (json!("o'neil+tag=1/x@mail.x-y.test"), vec![mailbox(None, "o'neil+tag=1/x@mail.x-y.test")]),
            (json!("root@localhost"), vec![mailbox(None, "root@localhost")]),
        ];
        for (written, expected) in cases {
            assert_eq!(read("to", &written).unwrap(), expected, "{written}");
        }
    }

    #[test]
    fn what_is_no_mailbox_is_refused_with_a_sentence_that_names_the_param() {
        let long = format!("{}@x.test", "a".repeat(65));
        let cases = [
            json!(""),
            json!("a"),
            json!("a@"),
            json!("@x"),
            json!("a@x.test,"),
            json!("a@x.test, b@y.test"),
            json!("a@x.test, Ann <b@y.test>"),
            json!("Ann <a@x.test>, b@y.test"),
            json!("Ann <a@x.test>, Bob <b@y.test>"),
            json!("\"Ann\" <a@x.test>, \"Bob\" <b@y.test>"),
            json!("Ann, Bob <b@y.test>"),
            json!("<a@x.test, b@y.test>"),
            json!(["a@x.test, b@y.test"]),
            json!({ "address": "a@x.test, b@y.test" }),
            json!("a@x..test"),
            json!("a@-x.test"),
            json!("a b@x.test"),
            json!("a..b@x.test"),
            json!(".a@x.test"),
            json!("\"a b\"@x.test"),
            json!("a@[127.0.0.1]"),
            json!("a@x.test\r\nBcc: b@y.test"),
            json!("Shop\n<a@x.test>"),
            json!("a@x.test\u{0}"),
            json!("a@x_y.test"),
            json!("a@x.test> <b@y.test>"),
            json!("\"Shop <a@x.test>"),
            json!("\"Shop\" Ltd <a@x.test>"),
            json!("a@größe.test"),
            json!("größe@x.test"),
            json!("a:b@x.test"),
            json!("a;b@x.test"),
            json!("a@x.test; b@y.test"),
            json!(long),
            json!({}),
            json!({ "name": "Ann" }),
            json!({ "name": "A\r\nBcc: b@y.test", "address": "a@x.test" }),
            json!({ "address": "Ann <a@x.test>" }),
            json!(format!("{} <a@x.test>", "n".repeat(256))),
            json!([null]),
            json!([["a@x.test"]]),
            json!(7),
            json!(true),
        ];
        for written in cases {
            let Err(not_done) = read("cc", &written) else { panic!("{written} was taken") };
            let failure = not_done.into_failure().unwrap();
            assert!(failure.message.starts_with("The param `cc` ") && failure.message.ends_with('.'), "{failure:?}");
            assert!(!failure.message.contains(char::is_control), "{failure:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_gives_a_mailbox_that_breaks_a_header(text in "[a-c@<>\", \\\\\r\n\\.\u{0}ü-]{0,24}") {
            for mailbox in read("to", &json!(text)).unwrap_or_default() {
                prop_assert!(!mailbox.address.contains(|c: char| c.is_control() || c.is_whitespace() || "<>,;\"".contains(c)));
                prop_assert!(!mailbox.name.unwrap_or_default().contains(char::is_control));
                prop_assert!(mailbox.address.is_ascii());
            }
        }
    }
}
