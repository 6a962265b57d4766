//! The corpus: what each of its mails gives. Its README tells what the grades mean.

use std::path::PathBuf;

use ingest::mail::{Mail, Mailbox, Status};
use serde_json::Value;

use super::comparable::comparable;
use super::read;

/// Mails with microdata and no JSON, which count by our own decision: the corpus lists their items beside the data.
const MICRODATA: &[&str] = &[
    "kde-foss-events.eml",
    "kde-foss-events-microdata.eml",
    "kde-google-flight-reservation-microdata.eml",
    "kde-google-microdata-inline.eml",
    "kde-lh-invalid-microdata.eml",
    "kde-multi-property.eml",
    "kde-non-text-content-attributes.eml",
    "sdo-eg-0374-microdata.eml",
    "sdo-eg-0375-microdata.eml",
    "sdo-eg-0376-microdata.eml",
];

/// What we decided where the corpus leaves it open: where the data comes from, or `None` when there is none.
const DECISIONS: &[(&str, Option<&str>)] = &[
    // Only straight quotes are quotes.
    ("synth-smart-quote-delimiters.eml", None),
    // A script is not JSON.
    ("synth-js-assignment.eml", None),
    ("synth-lone-surrogate-and-nul.eml", Some("html")),
    ("synth-b64-trailing-junk.eml", Some("html")),
    ("synth-forwarded-rfc822.eml", Some("message/rfc822:2")),
    // Text is not searched: the data is in the HTML markup.
    ("synth-plain-text-json-body.eml", None),
    // A file is not what the mail says.
    ("synth-html-attachment-only.eml", None),
    ("synth-ldjson-mime-part.eml", Some("mime-part")),
    // A mail without Content-Type is text.
    ("synth-no-mime-html.eml", None),
    ("synth-charset-utf-7.eml", Some("html")),
    ("synth-deep-multipart.eml", Some("html")),
    ("sml-alternative-html-json.eml", Some("mime-part")),
    ("sml-alternative-text-html-json.eml", Some("mime-part")),
    ("sml-alternative-text-json-html.eml", Some("mime-part")),
    ("w3c-e015.eml", Some("html")),
];

struct Case {
    file: String,
    expected: Value,
    mail: Mail,
    raw: Vec<u8>,
}

impl Case {
    fn grade(&self) -> &str {
        self.expected["grade"].as_str().expect("a grade")
    }

    fn name(&self) -> &str {
        self.file.trim_start_matches("mail/")
    }
}

fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/email");
    let text = std::fs::read_to_string(folder.join("expected.json")).expect("the expectations");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let mails = document["mails"].as_array().expect("mails");
    let case = |expected: &Value| {
        let file = expected["file"].as_str().expect("a file").to_owned();
        let raw = std::fs::read(folder.join(&file)).expect("the mail");
        Case { file, expected: expected.clone(), mail: read(&raw), raw }
    };
    mails.iter().map(case).collect()
}

/// Fails with every difference at once, one a line.
fn assert_none(differences: &[String]) {
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn every_mail_gives_the_data_its_author_wrote() {
    let mut differences = Vec::new();
    for case in cases().iter().filter(|case| !MICRODATA.contains(&case.name())) {
        if comparable(&case.mail.data) != comparable(&case.expected["data"]) {
            differences.push(format!(
                "{} ({}) data: expected {}, got {}",
                case.file,
                case.grade(),
                case.expected["data"],
                case.mail.data
            ));
        }
        let source = case.mail.source.as_ref().map(|source| source.word());
        if source.as_deref() != case.expected["data_source"].as_str() {
            differences.push(format!("{} source: {} but {source:?}", case.file, case.expected["data_source"]));
        }
    }
    assert_none(&differences);
}

#[test]
fn a_mail_without_json_gives_its_microdata() {
    let mut differences = Vec::new();
    for case in cases().iter().filter(|case| MICRODATA.contains(&case.name())) {
        let expected = case.expected["microdata"].as_array().expect("items");
        let found: Value = match case.mail.data.as_array() {
            Some(items) => items.iter().map(without_context).collect(),
            None => Value::Array(vec![without_context(&case.mail.data)]),
        };
        let source = case.mail.source.as_ref().map(|source| source.word());
        if comparable(&found) != comparable(&Value::Array(expected.clone())) || source.as_deref() != Some("microdata") {
            differences.push(format!("{} microdata: expected {expected:?}, got {}", case.file, case.mail.data));
        }
    }
    assert_none(&differences);
}

#[test]
fn every_mail_lists_its_blocks_and_what_became_of_them() {
    let mut differences = Vec::new();
    for case in cases() {
        let expected: Vec<String> =
            case.expected["blocks"].as_array().expect("blocks").iter().map(block_line).collect();
        let is_attached = |part: &str| {
            case.mail.source.as_ref().is_some_and(|source| {
                source.word() == format!("message/rfc822:{}", part.split('.').next().unwrap_or_default())
            })
        };
        let found: Vec<String> = case
            .mail
            .blocks
            .iter()
            .filter(|block| !is_attached(&block.part))
            .map(|block| {
                let repairs = if block.status == Status::Repaired { block.repairs.join(" ") } else { String::new() };
                format!(
                    "{} {} {} {} [{repairs}]",
                    block.part,
                    block.media_type,
                    block.status.word(),
                    block.level.word()
                )
            })
            .collect();
        if expected != found {
            differences.push(format!("{} blocks: expected {expected:?}, got {found:?}", case.file));
        }

        let values = case.expected["blocks"].as_array().expect("blocks").iter().zip(&case.mail.blocks);
        for (index, (expected, block)) in values.enumerate() {
            let counts = matches!(block.status, Status::Ok | Status::Repaired);
            if counts && block.value.as_ref().map(comparable) != Some(comparable(&expected["value"])) {
                differences.push(format!("{} value of block {index}", case.file));
            }
        }
    }
    assert_none(&differences);
}

#[test]
fn every_mail_has_the_headers_its_sender_wrote() {
    let mut differences = Vec::new();
    for case in cases().iter().filter(|case| case.grade() != "robust") {
        let headers = &case.mail.headers;
        let found = [
            ("From", people(&headers.from)),
            ("To", people(&headers.to)),
            ("Cc", people(&headers.cc)),
            ("Reply-To", people(&headers.reply_to)),
            ("Subject", headers.subject.clone().unwrap_or_default()),
            ("Message-ID", headers.message_id.clone().unwrap_or_default()),
            ("Date", headers.date_text.clone().unwrap_or_default()),
        ];
        for (name, found) in found {
            // A group without members has no mailboxes.
            let expected = case.expected["headers"][name].as_str().unwrap_or_default();
            let expected = expected.trim_end_matches("undisclosed-recipients:;");
            if plain(expected) != plain(&found) {
                differences.push(format!("{} {name}: expected {expected:?}, got {found:?}", case.file));
            }
        }
        if headers.date_text.is_some() && headers.date.is_none() {
            differences.push(format!("{} Date: {:?} was not read", case.file, headers.date_text));
        }
    }
    assert_none(&differences);
}

#[test]
fn our_decisions_cover_every_mail_the_corpus_leaves_open() {
    let cases = cases();
    let open: Vec<&Case> = cases.iter().filter(|case| case.grade() == "optional").collect();
    assert_eq!(open.len(), DECISIONS.len());
    for case in open {
        let (file, decision) = DECISIONS.iter().find(|(file, _)| *file == case.name()).unwrap_or(&("undecided", None));
        let source = case.mail.source.as_ref().map(|source| source.word());
        assert_eq!((*file, source.as_deref()), (case.name(), *decision), "{} source", case.file);
    }
}

#[test]
fn text_html_and_files_of_every_mail_can_be_read() {
    for case in cases() {
        let _ = case.mail.text(&case.raw);
        let _ = case.mail.html(&case.raw);
        let raw = bytes::Bytes::from(case.raw);
        for file in &case.mail.attachments {
            let bytes: u64 = file.pieces(raw.clone()).map(|piece| piece.len() as u64).sum();
            assert_eq!(bytes, file.size, "{} size of {}", case.file, file.part);
        }
    }
}

fn block_line(block: &Value) -> String {
    let word = |name: &str| block[name].as_str().unwrap_or_default();
    let repairs: Vec<&str> =
        block["repairs"].as_array().map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    let repairs = if word("status") == "repaired" { repairs.join(" ") } else { String::new() };
    format!("{} {} {} {} [{repairs}]", word("part"), word("type"), word("status"), word("level"))
}

/// The corpus leaves out where the types of items come from.
fn without_context(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(members) = item.as_object_mut() {
        members.shift_remove("@context");
    }
    item
}

/// The mailboxes as one line.
fn people(list: &[Mailbox]) -> String {
    let one = |mailbox: &Mailbox| match &mailbox.name {
        Some(name) => format!("{name} <{}>", mailbox.address),
        None => mailbox.address.clone(),
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Without quotes and with single spaces, which the corpus keeps as they were sent.
fn plain(text: &str) -> String {
    text.replace(['"', '\\'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}
