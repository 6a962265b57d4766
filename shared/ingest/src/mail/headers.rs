//! The headers of a mail that people look at. They are the sender's words: nothing here proves who sent it.

use domain::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::Mailbox;
use super::addresses::{mailboxes, plain_address};
use super::header_block::HeaderBlock;
use super::header_text::{decoded, unfolded};
use super::lines::Lines;

/// Characters of a header that are kept as text: no line of a mail may have more (RFC 5322 section 2.1.1).
const TEXT_LIMIT_CHARS: usize = 998;

/// Ids of `References` that are kept: the thread's latest.
const REFERENCES_LIMIT: usize = 20;

/// `Received` lines that are kept.
const RECEIVED_LIMIT: usize = 50;

/// Reads dates whose weekday is wrong too: programs compute the day, people set the clock.
static DATES: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);

/// The headers of a mail, decoded; each is taken from its first line. Texts are cut after 998 characters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Authors; at most 100, as in every list of mailboxes here.
    pub from: Vec<Mailbox>,
    /// How many `From` lines there are; more than one is a sign of forgery.
    pub from_count: usize,
    /// The address of the one author, where there is one `From` line and everybody reads it alike. Only this one is what a
    /// check of the author was about.
    pub author: Option<String>,
    /// Who sent it for the authors.
    pub sender: Vec<Mailbox>,
    /// Recipients; none for `undisclosed-recipients:;`.
    pub to: Vec<Mailbox>,
    /// Recipients of copies.
    pub cc: Vec<Mailbox>,
    /// Where answers go.
    pub reply_to: Vec<Mailbox>,
    /// The subject.
    pub subject: Option<String>,
    /// `Message-ID` as it was sent, with `<>`, trimmed.
    pub message_id: Option<String>,
    /// `In-Reply-To` as it was sent, trimmed.
    pub in_reply_to: Option<String>,
    /// The ids of `References`, with `<>`; at most 20, the last ones.
    pub references: Vec<String>,
    /// `Date`, when it can be read.
    pub date: Option<Timestamp>,
    /// `Date` as it was sent.
    pub date_text: Option<String>,
    /// `Auto-Submitted` as it was sent.
    pub auto_submitted: Option<String>,
    /// `Precedence` as it was sent.
    pub precedence: Option<String>,
    /// `List-Id` as it was sent.
    pub list_id: Option<String>,
    /// The run that sent the mail, when Hookwright did (`X-Hookwright-Run`).
    pub hookwright_run: Option<String>,
    /// `Received`, unfolded, newest first; at most 50. Only the first was written by the receiving server.
    pub received: Vec<String>,
}

impl Headers {
    pub(super) fn of(block: &HeaderBlock, lines: &Lines<'_>) -> Self {
        let people = |name| block.find(lines, name).map(mailboxes).unwrap_or_default();
        let text = |name| block.find(lines, name).map(unfolded).and_then(kept);
        let date_text = text("date");
        let from_count = block.all(lines, "from").count();
        // Another author may stand in what was left out.
        let is_sole = from_count == 1 && block.left_out() == 0;

        Self {
            from: people("from"),
            from_count,
            author: block.find(lines, "from").filter(|_| is_sole).and_then(plain_address),
            sender: people("sender"),
            to: people("to"),
            cc: people("cc"),
            reply_to: people("reply-to"),
            subject: block.find(lines, "subject").map(decoded).and_then(kept),
            message_id: text("message-id"),
            in_reply_to: text("in-reply-to"),
            references: block.find(lines, "references").map(references).unwrap_or_default(),
            date: date_text.as_deref().and_then(date),
            date_text,
            auto_submitted: text("auto-submitted"),
            precedence: text("precedence"),
            list_id: block.find(lines, "list-id").map(decoded).and_then(kept),
            hookwright_run: text("x-hookwright-run"),
            received: block.all(lines, "received").map(unfolded).filter_map(kept).take(RECEIVED_LIMIT).collect(),
        }
    }
}

fn kept(text: String) -> Option<String> {
    let kept: String = text.chars().take(TEXT_LIMIT_CHARS).collect();
    (!kept.is_empty()).then_some(kept)
}

fn references(value: &[u8]) -> Vec<String> {
    let text = unfolded(value);
    let ids = text.rsplit('<').filter_map(|piece| piece.split_once('>')).map(|(id, _)| id.trim());
    let latest = ids.filter(|id| !id.is_empty() && id.len() <= TEXT_LIMIT_CHARS).take(REFERENCES_LIMIT);

    let mut references: Vec<String> = latest.map(|id| format!("<{id}>")).collect();
    references.reverse();
    references
}

fn date(text: &str) -> Option<Timestamp> {
    let instant = DATES.parse_timestamp(text).ok()?;
    Some(Timestamp::from_millisecond(instant.as_millisecond()))
}
