//! Mailboxes of address headers.

/// Who a mail is from or to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The display name, decoded; `None` without one.
    pub name: Option<String>,
    /// The address as it was written, without control characters.
    pub address: String,
}
