//! What is in a mail, for people.

use ingest::mail::{Block, Level, Mail, Mailbox, Part, Source, Status};

use super::document::disposition;
use crate::output::Page;

/// A mail, from its headers to what a hook would make of it.
pub(super) fn page(mail: &Mail, file: &str) -> Page {
    let mut page = Page::default();
    headers(mail, file, &mut page);
    page.line("");
    page.line("Parts:");
    tree(&mail.tree, 1, &mut page);
    page.line("");
    blocks(mail, &mut page);
    attachments(mail, &mut page);
    if !mail.notes.is_empty() {
        page.line("");
        page.line("Notes:");
    }
    for note in &mail.notes {
        page.line(format!("  {}: {} ({})", note.path, note.message, note.code));
    }
    page.line("");
    verdict(mail, &mut page);
    page
}

fn headers(mail: &Mail, file: &str, page: &mut Page) {
    let headers = &mail.headers;
    let date = headers.date.map(|date| date.to_string()).or_else(|| headers.date_text.clone());
    let fields = [
        ("mail", Some(file.to_owned())),
        ("from", mailboxes(&headers.from)),
        ("to", mailboxes(&headers.to)),
        ("cc", mailboxes(&headers.cc)),
        ("reply to", mailboxes(&headers.reply_to)),
        ("subject", headers.subject.clone()),
        ("date", date),
        ("id", headers.message_id.clone()),
        ("auto-submitted", headers.auto_submitted.clone()),
    ];
    let present: Vec<(&str, String)> = fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    page.fields(&present);
}

fn mailboxes(mailboxes: &[Mailbox]) -> Option<String> {
    let one = |mailbox: &Mailbox| match &mailbox.name {
        Some(name) => format!("{name} <{}>", mailbox.address),
        None => mailbox.address.clone(),
    };
    let all: Vec<String> = mailboxes.iter().map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn tree(part: &Part, depth: usize, page: &mut Page) {
    let number = if part.number.is_empty() { String::new() } else { format!("{}  ", part.number) };
    let stated = [
        part.charset.clone(),
        part.transfer_encoding.clone(),
        part.disposition.map(|shown| disposition(shown).to_owned()),
        part.file_name.clone(),
    ];
    let stated: String = stated.into_iter().flatten().map(|text| format!(", {text}")).collect();
    page.line(format!("{}{number}{}{stated}, {} bytes", "  ".repeat(depth), part.content_type, part.size));
    for inner in &part.parts {
        tree(inner, depth + 1, page);
    }
}

fn blocks(mail: &Mail, page: &mut Page) {
    if mail.blocks.is_empty() {
        page.line(
            "Blocks: none. Data is JSON in the HTML, in <script type=\"application/ld+json\"> or application/json.",
        );
        return;
    }
    page.line("Blocks:");
    for block in &mail.blocks {
        let attributes: String = block.attributes.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect();
        let place = format!("part {}, byte {}", block.part, block.offset);
        page.line(format!("  {}{attributes} ({place}): {}", block.media_type, fate(block)));
    }
}

/// What became of the block, and why.
fn fate(block: &Block) -> String {
    match block.status {
        Status::Ok => "read".to_owned() + unused(block.level),
        Status::Repaired => format!("read after repairs: {}{}", block.repairs.join(", "), unused(block.level)),
        Status::Error => {
            format!("skipped, because it is no JSON: {}", block.error.as_deref().unwrap_or("it cannot be read"))
        }
        Status::Empty => "skipped, because there is nothing in it".to_owned(),
        Status::Scalar => "skipped, because it is no object and no list".to_owned(),
        Status::Unkeyed => "skipped, because its tag does not have the key in data-kustomer-key".to_owned(),
        Status::LeftOut => "skipped, because there was too much before it".to_owned(),
    }
}

fn unused(level: Level) -> &'static str {
    match level {
        Level::Strict | Level::Lenient | Level::MimePart => "",
        Level::Attachment => ", and not used, because it stands in an attachment",
        Level::None => ", and not used",
    }
}

fn attachments(mail: &Mail, page: &mut Page) {
    if mail.attachments.is_empty() {
        return;
    }
    page.line("");
    page.line("Attachments:");
    let rows = mail.attachments.iter().map(|file| {
        [
            format!("  {}", file.part),
            file.file_name.clone(),
            file.content_type.clone(),
            file.size.to_string(),
            file.sha256.clone(),
        ]
    });
    page.table(["  PART", "NAME", "TYPE", "BYTES", "SHA-256"], rows.collect());
}

fn verdict(mail: &Mail, page: &mut Page) {
    let Some(source) = &mail.source else {
        page.line("No data. A hook records such a mail and starts nothing, unless it takes bodies and has no key.");
        return;
    };
    page.line(match source {
        Source::Html => "Data, from the HTML:".to_owned(),
        Source::MimePart => "Data, from a JSON part:".to_owned(),
        Source::AttachedMail(part) => format!("Data, from the mail that is attached as part {part}:"),
        Source::Microdata => "Data, from the microdata of the HTML:".to_owned(),
    });
    page.json(&mail.data);
}
