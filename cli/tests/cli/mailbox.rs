//! An email hook, and a mail server on the loopback address that takes one mail for it, or refuses it, and remembers what it was told.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread::JoinHandle,
};

use domain::HookHash;
use serde_json::{Value, json};

/// What it calls the mail that it takes.
pub(crate) const MAIL: &str = "m1a2i3l4";

/// The id of [`hook`].
pub(crate) const HOOK: &str = "6a1f2e3d4c5b6a7980a1b2c3";

/// An empty list of the API.
pub(crate) const NONE: &str = r#"{"data":[]}"#;

/// What a mail server was told.
pub(crate) struct Told {
    /// The commands, without those that every talk has.
    pub(crate) envelope: Vec<String>,
    /// The mail, with its line ends and without the dots of SMTP.
    pub(crate) mail: String,
}

pub(crate) struct Mailbox {
    pub(crate) address: String,
    told: JoinHandle<Told>,
}

impl Mailbox {
    /// A server that answers a recipient with `answer`.
    pub(crate) fn answering(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { address, told: std::thread::spawn(move || talk(&listener, answer)) }
    }

    /// What it was told. A server that nobody came to is woken, and told nothing.
    pub(crate) fn told(self) -> Told {
        let _ = TcpStream::connect(&self.address);
        self.told.join().unwrap()
    }
}

/// An email hook with a key, as the API shows it.
pub(crate) fn hook() -> Value {
    json!({"id": HOOK, "type": "email_hook", "attributes": {"title": "Orders", "key": "0123456789abcdef",
        "email": format!("{}@hooks.example", hash()), "shortEmail": format!("{}@hooks.example", short())}})
}

/// What its address begins with.
pub(crate) fn hash() -> String {
    "ab".repeat(32)
}

/// The same in its short form.
pub(crate) fn short() -> String {
    HookHash::parse(&hash()).unwrap().short()
}

fn talk(listener: &TcpListener, answer: &str) -> Told {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut told = Told { envelope: Vec::new(), mail: String::new() };
    // Whoever only came to wake it has gone by now.
    let mut say = |line: &str| drop(stream.write_all(format!("{line}\r\n").as_bytes()));
    say("220 ready");
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 {
            return told;
        }
        match line.split_whitespace().next().unwrap_or_default() {
            "EHLO" => say("250-here\r\n250 8BITMIME"),
            "DATA" => {
                say("354 go on");
                told.mail = mail(&mut reader);
                say(&format!("250 2.0.0 Ok: queued as {MAIL}"));
            }
            "QUIT" => {
                say("221 bye");
                return told;
            }
            word => {
                say(if word == "RCPT" { answer } else { "250 Ok" });
                if matches!(word, "MAIL" | "RCPT") {
                    told.envelope.push(line.trim_end().to_owned());
                }
            }
        }
    }
}

fn mail(reader: &mut impl BufRead) -> String {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line == ".\r\n" {
            return mail;
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
