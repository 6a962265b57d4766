//! The mail server that mails are handed to, over SMTP.
//!
//! Nothing is looked up in the DNS: whoever means another machine's server names it.

use std::{error::Error, time::Duration};

use http::uri::Authority;
use lettre::{
    Address, SmtpTransport, Transport,
    address::Envelope,
    transport::smtp::{
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use serde_json::json;

use crate::{
    config::{self, Place},
    failure::{Failure, Refusal},
};

/// Where local mode listens for mail unless it is told otherwise.
pub(crate) const LOCAL_RELAY: &str = "127.0.0.1:2525";

/// Where mail servers listen. *Source*: RFC 5321, 4.5.4.2.
const SMTP_PORT: u16 = 25;

/// For each answer. *Why so long*: a server stores a mail before it says that it has it.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relay {
    host: String,
    port: u16,
}

/// What a mail server said when it took a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    /// Its answer, on one line.
    pub(super) reply: String,
    /// What it calls the mail: the last word of the answer, as local mode and SES have it.
    pub(super) mail: Option<String>,
}

impl Relay {
    /// Reads `HOST:PORT` or `HOST`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("it is HOST:PORT, such as {LOCAL_RELAY}");
        let authority: Authority = text.parse().map_err(|_| wrong())?;
        let port = match text.strip_prefix(authority.host()).map(|rest| rest.strip_prefix(':').ok_or(rest)) {
            Some(Ok(port)) => port.parse().map_err(|_| wrong())?,
            Some(Err("")) => SMTP_PORT,
            Some(Err(_)) | None => return Err(wrong()),
        };
        if authority.host().is_empty() {
            return Err(wrong());
        }
        Ok(Self { host: authority.host().to_owned(), port })
    }

    /// Hands the mail over for `recipients`; `sender` is who is told if it cannot be delivered, nobody where it is `None`.
    ///
    /// *Errors*: an address is none; the server refuses the mail, or takes none now.
    pub(super) fn send(&self, sender: Option<&str>, recipients: &[&str], mail: &[u8]) -> Result<Taken, Failure> {
        let recipients = recipients.iter().map(|address| parse_address(address)).collect::<Result<Vec<_>, _>>()?;
        let sender = sender.map(parse_address).transpose()?;
        let envelope = Envelope::new(sender, recipients).map_err(|error| Failure::Usage(format!("{error}.")))?;
        let transport = SmtpTransport::builder_dangerous(self.host.trim_matches(['[', ']']))
            .port(self.port)
            .tls(self.tls()?)
            .timeout(Some(TIMEOUT))
            .hello_name(ClientId::Domain("localhost".to_owned()))
            .build();
        // The client ends the last line itself, also one that has an end.
        let lines = mail.strip_suffix(b"\r\n").unwrap_or(mail);
        let response = transport.send_raw(&envelope, lines).map_err(|error| self.failure(&error))?;
        let lines: Vec<&str> = response.message().collect();
        let reply = lines.join(" ");
        let mail = reply.split_whitespace().next_back().map(|word| word.trim_matches(['<', '>', '.']).to_owned());
        Ok(Taken { reply: format!("{} {reply}", response.code()), mail })
    }

    /// *Why none on this machine*: nobody is between, and a certificate for it is not to be had.
    fn tls(&self) -> Result<Tls, Failure> {
        if config::place_of_host(&self.host) == Place::Here {
            return Ok(Tls::None);
        }
        let parameters = TlsParameters::new(self.host.clone());
        parameters
            .map(Tls::Opportunistic)
            .map_err(|error| Failure::Unavailable(format!("TLS is not to be had: {error}.")))
    }

    fn failure(&self, error: &lettre::transport::smtp::Error) -> Failure {
        let (host, port) = (&self.host, self.port);
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        match error.status() {
            Some(code) if error.is_permanent() => {
                let detail = format!("The mail server at {host}:{port} refused it: {code} {cause}.");
                let document = json!({ "errors": [{ "code": format!("smtp_{code}"), "detail": detail }] });
                Failure::Refused(Refusal { status: 422, document, hint: None })
            }
            Some(_) | None => Failure::Unavailable(format!(
                "The mail server at {host}:{port} did not take it: {cause}. Local mode has one; name another with --smtp."
            )),
        }
    }
}

impl std::fmt::Display for Relay {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.host, self.port)
    }
}

fn parse_address(text: &str) -> Result<Address, Failure> {
    text.parse().map_err(|_| Failure::Usage(format!("{text} is no mail address that can be sent to or from.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_a_host_and_a_port() {
        let relay = |host: &str, port| Ok(Relay { host: host.to_owned(), port });
        assert_eq!(Relay::parse("127.0.0.1:2525"), relay("127.0.0.1", 2525));
        assert_eq!(Relay::parse("mx.shop.example"), relay("mx.shop.example", 25));
        assert_eq!(Relay::parse("[::1]:2525"), relay("[::1]", 2525));
        for wrong in ["", "smtp://mx.shop.example", "user@mx.shop.example", "mx.shop.example:99999", ":25", "two words"]
        {
            assert!(Relay::parse(wrong).is_err(), "{wrong}");
        }
    }
}
