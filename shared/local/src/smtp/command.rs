//! Commands, from lines to what they ask for.
//!
//! Extensions that are not offered are not read past: whoever asks for one is told so, and does not believe it was granted.

use super::path::path;
use super::reply::Reply;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// `EHLO` or `HELO`, and what the client calls itself.
    Hello(Dialect, String),
    Mail(Sender),
    Recipient(String),
    Data,
    Reset,
    Nothing,
    Verify,
    Help,
    Quit,
    StartTls,
    /// `BDAT`, whose content comes behind it without a word from us.
    Chunk,
    /// The first line of a request of HTTP: a page in a browser may send one to any port of this machine.
    Web,
}

/// Which of the two a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Smtp,
    Esmtp,
}

/// Which characters the addresses of a mail may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alphabet {
    Ascii,
    Unicode,
}

/// What `MAIL` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    /// Empty for `<>`.
    pub(crate) address: String,
    /// How many bytes are said to come.
    pub(crate) size: Option<u64>,
    pub(crate) alphabet: Alphabet,
}

const WEB_METHODS: [&str; 10] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PRI", "PUT", "TRACE"];

const NOT_OFFERED: Reply = Reply::new(555, "5.5.4", "This parameter is not offered here");

/// Reads `line`, which has no line end.
///
/// *Errors*: the answer to a client that cannot be understood or asks for what is not offered.
pub(crate) fn parse(line: &[u8]) -> Result<Command, Reply> {
    let text = str::from_utf8(line).ok().filter(|text| !text.contains(|c: char| c.is_control()));
    let text = text.ok_or(Reply::new(500, "5.5.2", "A command is one line of text"))?.trim_end_matches(' ');
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim_start_matches(' ');
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => hello(Dialect::Esmtp, rest),
        "HELO" => hello(Dialect::Smtp, rest),
        "MAIL" => sender(after(rest, "FROM:")?).map(Command::Mail),
        "RCPT" => recipient(after(rest, "TO:")?),
        "DATA" => alone(Command::Data, rest),
        "RSET" => alone(Command::Reset, rest),
        "QUIT" => alone(Command::Quit, rest),
        "STARTTLS" => alone(Command::StartTls, rest),
        "NOOP" => Ok(Command::Nothing),
        "VRFY" => Ok(Command::Verify),
        "HELP" => Ok(Command::Help),
        "BDAT" => Ok(Command::Chunk),
        "AUTH" => Err(Reply::new(502, "5.5.1", "Nobody has to sign in here; send the mail without AUTH")),
        "EXPN" | "ETRN" | "TURN" => Err(Reply::new(502, "5.5.1", "This command is not offered here")),
        method if WEB_METHODS.contains(&method) => Ok(Command::Web),
        _ => Err(Reply::new(500, "5.5.2", "This is no command of SMTP")),
    }
}

fn hello(dialect: Dialect, name: &str) -> Result<Command, Reply> {
    match name.is_empty() {
        true => Err(Reply::new(501, "5.5.4", "Say who you are: EHLO your.name.example")),
        false => Ok(Command::Hello(dialect, name.to_owned())),
    }
}

fn sender(text: &str) -> Result<Sender, Reply> {
    let (address, parameters) = path(text)?;
    let mut sender = Sender { address: address.to_owned(), size: None, alphabet: Alphabet::Ascii };
    for parameter in parameters.split(' ').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        };
        match (name.to_ascii_uppercase().as_str(), value) {
            ("SIZE", Some(digits)) => sender.size = Some(size(digits)?),
            // Both are taken as they come; that a client says which is all there is to it.
            ("BODY", Some(body)) if ["7BIT", "8BITMIME"].iter().any(|known| body.eq_ignore_ascii_case(known)) => {}
            ("SMTPUTF8", None) => sender.alphabet = Alphabet::Unicode,
            _ => return Err(NOT_OFFERED),
        }
    }
    Ok(sender)
}

/// A number that no `u64` holds is too large in any case.
fn size(digits: &str) -> Result<u64, Reply> {
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(digits.parse().unwrap_or(u64::MAX)),
        false => Err(Reply::new(501, "5.5.4", "SIZE is a number of bytes")),
    }
}

fn recipient(text: &str) -> Result<Command, Reply> {
    match path(text)? {
        ("", _) => Err(Reply::new(501, "5.1.3", "A mail is for somebody: RCPT TO:<address>")),
        (address, "") => Ok(Command::Recipient(address.to_owned())),
        (_, _) => Err(NOT_OFFERED),
    }
}

fn after<'t>(text: &'t str, word: &str) -> Result<&'t str, Reply> {
    match text.split_at_checked(word.len()) {
        Some((first, rest)) if first.eq_ignore_ascii_case(word) => Ok(rest),
        Some(_) | None => Err(Reply::new(501, "5.5.4", "Say MAIL FROM:<address> and RCPT TO:<address>")),
    }
}

fn alone(command: Command, rest: &str) -> Result<Command, Reply> {
    match rest.is_empty() {
        true => Ok(command),
        false => Err(Reply::new(501, "5.5.4", "Nothing stands behind this command")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sender_says_the_size_the_body_and_the_alphabet_in_any_order_and_case() {
        let sender = |line: &str| match parse(line.as_bytes()) {
            Ok(Command::Mail(sender)) => Ok((sender.address, sender.size, sender.alphabet)),
            Ok(other) => panic!("{other:?}"),
            Err(reply) => Err(reply.code),
        };
        let ann = || "a@b".to_owned();
        for (line, expected) in [
            ("MAIL FROM:<a@b>", Ok((ann(), None, Alphabet::Ascii))),
            ("mail from: <a@b>  ", Ok((ann(), None, Alphabet::Ascii))),
            ("MAIL FROM:<a@b> size=007 SMTPUTF8 body=8bitmime", Ok((ann(), Some(7), Alphabet::Unicode))),
            ("MAIL FROM:<a@b> SIZE=99999999999999999999", Ok((ann(), Some(u64::MAX), Alphabet::Ascii))),
            ("MAIL FROM:<>", Ok((String::new(), None, Alphabet::Ascii))),
            ("MAIL FROM:<a@b> SIZE=", Err(501)),
            ("MAIL FROM:<a@b> SIZE=-1", Err(501)),
            ("MAIL FROM:<a@b> SIZE", Err(555)),
            ("MAIL FROM:<a@b> BODY=BINARYMIME", Err(555)),
            ("MAIL FROM:<a@b> AUTH=<>", Err(555)),
            ("MAIL FROM:<a@b> RET=HDRS", Err(555)),
            ("MAIL <a@b>", Err(501)),
            ("MAIL", Err(501)),
            ("MAIL FROM:a@b", Err(501)),
        ] {
            assert_eq!(sender(line), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line in prop::collection::vec(any::<u8>(), 0..60), verb in "(MAIL FROM:<|RCPT TO:<|EHLO )?") {
            let _understood = parse(&[verb.as_bytes(), &line].concat());
        }
    }
}
