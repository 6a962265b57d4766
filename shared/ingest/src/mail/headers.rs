//! The headers of a mail that people look at. They are the sender's words: nothing here proves who sent it.

use domain::Timestamp;

use super::Mailbox;

/// The headers of a mail, decoded; each is taken from its first line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Authors; at most 100, as in every list of mailboxes here.
    pub from: Vec<Mailbox>,
    /// How many `From` lines there are; more than one is a sign of forgery.
    pub from_count: usize,
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
    /// `X-Hookwright-Run` as it was sent: a workflow of ours sent this mail.
    pub hookwright_run: Option<String>,
    /// `Received`, unfolded, newest first; at most 50. Only the first was written by the receiving server.
    pub received: Vec<String>,
}
