//! The `Received` header in front of a mail, as SES writes it.
//!
//! It names the recipient only where there is one: with several, each would read who else got a blind copy.

use std::net::IpAddr;

use domain::Timestamp;

use super::command::{Alphabet, Dialect};

/// The longest such header: a name of 255 characters and an address of 254 bytes, and what stands between them.
pub const RECEIVED_LIMIT_BYTES: usize = 1_024;

/// The longest name. *Source*: RFC 5321, 4.5.3.1.2.
const NAME_LIMIT: usize = 255;

/// How a mail came.
pub(crate) struct Arrival<'a> {
    pub(crate) helo: &'a str,
    pub(crate) peer: IpAddr,
    pub(crate) host_name: &'a str,
    pub(crate) protocol: &'static str,
    pub(crate) id: &'a str,
    pub(crate) recipients: &'a [String],
    pub(crate) at: Timestamp,
}

/// Whether a third party could read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Plain,
    Encrypted,
}

/// The header with its line end.
pub(crate) fn received(arrival: &Arrival<'_>) -> String {
    let Arrival { helo, peer, host_name, protocol, id, recipients, at } = arrival;
    let helo: String = helo.chars().take(NAME_LIMIT).map(plain).collect();
    let peer = match peer {
        IpAddr::V4(peer) => format!("[{peer}]"),
        IpAddr::V6(peer) => format!("[IPv6:{peer}]"),
    };
    let recipient = match recipients {
        [only] => format!("\r\n for {only}"),
        [] | [_, _, ..] => String::new(),
    };
    let date = date(*at);
    format!("Received: from {helo} ({peer})\r\n by {host_name} with {protocol} id {id}{recipient};\r\n {date}\r\n")
}

/// What stands behind `with`. *Source*: RFC 3848, and RFC 6531 for addresses beyond ASCII.
pub(crate) const fn protocol(dialect: Dialect, secrecy: Secrecy, alphabet: Alphabet) -> &'static str {
    match (alphabet, dialect, secrecy) {
        (Alphabet::Unicode, _, Secrecy::Plain) => "UTF8SMTP",
        (Alphabet::Unicode, _, Secrecy::Encrypted) => "UTF8SMTPS",
        (Alphabet::Ascii, Dialect::Esmtp, Secrecy::Encrypted) => "ESMTPS",
        (Alphabet::Ascii, Dialect::Esmtp, Secrecy::Plain) => "ESMTP",
        (Alphabet::Ascii, Dialect::Smtp, _) => "SMTP",
    }
}

/// The client chose the name: it ends neither the word nor the line.
fn plain(character: char) -> char {
    match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' | '_' | ':' | '[' | ']' => character,
        _ => '?',
    }
}

fn date(at: Timestamp) -> String {
    // Out of range only by a broken clock; the epoch then says so plainly.
    let at = jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S +0000 (UTC)").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(helo: &str, peer: &str, recipients: &[&str]) -> String {
        received(&Arrival {
            helo,
            peer: peer.parse().unwrap(),
            host_name: "inbound-smtp.localhost",
            protocol: "ESMTP",
            id: "0102",
            recipients: &recipients.iter().map(|address| (*address).to_owned()).collect::<Vec<_>>(),
            at: Timestamp::from_millisecond(1_780_384_463_000),
        })
    }

    #[test]
    fn the_one_recipient_is_named_and_of_several_none() {
        assert_eq!(
            header("mail.example", "127.0.0.1", &["a@hooks.example"]),
            "Received: from mail.example ([127.0.0.1])\r\n by inbound-smtp.localhost with ESMTP id 0102\r\n for \
             a@hooks.example;\r\n Tue, 02 Jun 2026 07:14:23 +0000 (UTC)\r\n"
        );
        assert_eq!(
            header("mail.example", "::1", &["a@hooks.example", "b@hooks.example"]),
            "Received: from mail.example ([IPv6:::1])\r\n by inbound-smtp.localhost with ESMTP id 0102;\r\n Tue, 02 Jun \
             2026 07:14:23 +0000 (UTC)\r\n"
        );
    }

    #[test]
    fn a_name_cannot_say_more_than_a_name() {
        let forged = header("x (by me) with SMTP id 9 for <b@c>; é", "::1", &[]);
        assert!(
            forged.starts_with("Received: from x??by?me??with?SMTP?id?9?for??b?c???? ([IPv6:::1])\r\n by "),
            "{forged}"
        );
    }

    #[test]
    fn the_longest_header_is_within_its_limit() {
        let peer = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        assert!(header(&"x".repeat(2_000), peer, &[&"y".repeat(254)]).len() < RECEIVED_LIMIT_BYTES - 200);
    }
}
