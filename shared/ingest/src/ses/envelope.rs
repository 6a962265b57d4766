//! Addresses as an envelope has them.
//!
//! The first `Received` header of a stored mail is SES's own. All others came with the mail and may say anything.

/// The host that SES takes mails in at: `inbound-smtp.eu-west-1.amazonaws.com`.
const HOST_BEGINNING: &str = "inbound-smtp.";
const HOST_SUFFIX: &str = ".amazonaws.com";

/// Who a mail was for, by the *first* `Received` header of what SES has stored as `ses_id`.
///
/// *Shape*: `from … by inbound-smtp.eu-west-1.amazonaws.com with SMTP id {ses_id} for {recipient}; {date}`. The sender
/// chooses what follows `from`, and does not know the id. Of several recipients the header names one or none.
pub fn recipient_in_received(header: &str, ses_id: &str) -> Option<String> {
    let words: Vec<&str> = header.split_ascii_whitespace().collect();
    let recipient = words.windows(8).find_map(|eight| match *eight {
        ["by", host, "with", _, "id", id, "for", recipient] if id == ses_id && is_ses(host) => Some(recipient),
        _ => None,
    })?;
    let recipient = bare(recipient.trim_end_matches(';'));
    recipient.contains('@').then(|| recipient.to_owned())
}

fn is_ses(host: &str) -> bool {
    host.strip_prefix(HOST_BEGINNING).is_some_and(|rest| rest.ends_with(HOST_SUFFIX))
}

/// `address` without the angle brackets that SMTP writes it in.
pub(super) fn bare(address: &str) -> &str {
    let address = address.trim();
    address.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(address)
}
