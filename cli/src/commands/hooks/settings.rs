//! What a hook does besides: the flags for its reply, its app, its limits, its duplicates and its tape.
//!
//! A flag that is not given is not in the document, so that the server keeps what it has.

use serde_json::{Map, Value, json};

/// What a poster is answered instead of the standard 202.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is answered")]
pub(super) struct ReplyArgs {
    /// What a poster is answered: 200 to 299, or 303 with --reply-location [default: 202 with the transaction's id]
    #[arg(long, value_name = "STATUS")]
    reply_status: Option<u16>,
    /// The body of that answer
    #[arg(long, value_name = "TEXT", requires = "reply_status")]
    reply_body: Option<String>,
    /// Where a browser is sent
    #[arg(long, value_name = "URL", requires = "reply_status")]
    reply_location: Option<String>,
    /// The type of --reply-body
    #[arg(long, value_name = "TYPE", requires = "reply_status")]
    reply_content_type: Option<String>,
    /// How many seconds to wait for the answer of a workflow, its flow.respond; without one the rest is answered
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=25))]
    reply_wait: Option<u32>,
}

/// What a hook takes, and how often.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is taken")]
pub(super) struct SettingsArgs {
    /// The provider whose events are read out of what arrives [default: the one that --auth names]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// An HTTP method that the sender uses; may be repeated [default: the provider's, or POST]
    #[arg(long = "method", value_name = "METHOD")]
    methods: Vec<String>,
    /// How many requests in how many seconds, such as 100/60; the rest is answered 429
    #[arg(long, value_name = "N/SECONDS", value_parser = rate)]
    limit: Option<Rate>,
    /// The same for each source address
    #[arg(long, value_name = "N/SECONDS", value_parser = rate)]
    address_limit: Option<Rate>,
    /// For how long the same delivery is taken only once
    #[arg(long, value_name = "SECONDS")]
    duplicates: Option<u32>,
    /// A field of the data that tells deliveries apart, where the provider has no id; may be repeated
    #[arg(long = "duplicate-field", value_name = "FIELD", requires = "duplicates")]
    duplicate_fields: Vec<String>,
    /// Keep what arrives for 7 days, for `hookwright listen`
    #[arg(long)]
    tape: bool,
}

/// What is put back to what it is without a setting.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What is taken back")]
pub(super) struct TakenBack {
    /// Answer posters in the standard way again
    #[arg(long, conflicts_with = "reply_status")]
    no_reply: bool,
    /// Read no provider's events but those of the scheme
    #[arg(long, conflicts_with = "app")]
    no_app: bool,
    /// Take the methods that the provider uses
    #[arg(long, conflicts_with = "methods")]
    no_method: bool,
    /// Take as much as the org may take
    #[arg(long, conflicts_with = "limit")]
    no_limit: bool,
    /// Take as much from one address as from all
    #[arg(long, conflicts_with = "address_limit")]
    no_address_limit: bool,
    /// Take every delivery, however often it comes
    #[arg(long, conflicts_with = "duplicates")]
    no_duplicates: bool,
    /// Keep nothing for `hookwright listen` any more
    #[arg(long, conflicts_with = "tape")]
    no_tape: bool,
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    requests: u32,
    seconds: u32,
}

impl ReplyArgs {
    /// Adds `reply` to the document, if one was named.
    pub(super) fn write(self, document: &mut Map<String, Value>) {
        if self.reply_status.is_none() && self.reply_wait.is_none() {
            return;
        }
        let mut reply = Map::new();
        reply.extend(self.reply_status.map(|status| ("status".to_owned(), json!(status))));
        reply.extend(self.reply_wait.map(|seconds| ("waitSeconds".to_owned(), json!(seconds))));
        put(&mut reply, "body", self.reply_body);
        put(&mut reply, "location", self.reply_location);
        put(&mut reply, "contentType", self.reply_content_type);
        document.insert("reply".to_owned(), Value::Object(reply));
    }
}

impl SettingsArgs {
    /// Adds the settings that were named to the document.
    pub(super) fn write(self, document: &mut Map<String, Value>) {
        put(document, "app", self.app);
        put_list(document, "methods", self.methods.iter().map(|method| method.to_ascii_uppercase()).collect());
        document.extend(self.limit.map(|limit| ("limit".to_owned(), limit.into_document())));
        document.extend(self.address_limit.map(|limit| ("addressLimit".to_owned(), limit.into_document())));
        if let Some(seconds) = self.duplicates {
            let mut duplicates = Map::from_iter([("windowSeconds".to_owned(), json!(seconds))]);
            put_list(&mut duplicates, "fields", self.duplicate_fields);
            document.insert("duplicates".to_owned(), Value::Object(duplicates));
        }
        if self.tape {
            document.insert("tape".to_owned(), json!(true));
        }
    }
}

impl TakenBack {
    /// Adds to the document what takes the settings back.
    pub(super) fn write(&self, document: &mut Map<String, Value>) {
        let rows = [
            (self.no_reply, "reply", Value::Null),
            (self.no_app, "app", Value::Null),
            (self.no_method, "methods", Value::Null),
            (self.no_limit, "limit", Value::Null),
            (self.no_address_limit, "addressLimit", Value::Null),
            (self.no_duplicates, "duplicates", json!(false)),
            (self.no_tape, "tape", json!(false)),
        ];
        let named = rows.into_iter().filter(|(is_named, ..)| *is_named);
        document.extend(named.map(|(_, name, value)| (name.to_owned(), value)));
    }
}

impl Rate {
    /// As the API takes it.
    pub(crate) fn into_document(self) -> Value {
        json!({ "requests": self.requests, "seconds": self.seconds })
    }
}

/// Adds the text under `name`, if there is one.
pub(super) fn put(document: &mut Map<String, Value>, name: &str, value: Option<String>) {
    document.extend(value.map(|value| (name.to_owned(), Value::String(value))));
}

/// Adds the list under `name`, unless it is empty.
pub(super) fn put_list(document: &mut Map<String, Value>, name: &str, values: Vec<String>) {
    if !values.is_empty() {
        document.insert(name.to_owned(), json!(values));
    }
}

/// Reads a limit as it is written on the command line.
pub(crate) fn rate(text: &str) -> Result<Rate, String> {
    let read = || {
        let (requests, seconds) = text.split_once('/')?;
        Some(Rate { requests: requests.parse().ok()?, seconds: seconds.parse().ok()? })
    };
    match read() {
        Some(rate) if rate.requests > 0 && rate.seconds > 0 => Ok(rate),
        Some(_) | None => Err("a limit is a number of requests and of seconds, such as 100/60".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_two_numbers_above_zero() {
        assert_eq!(rate("100/60"), Ok(Rate { requests: 100, seconds: 60 }));
        for wrong in ["", "100", "/60", "100/", "0/60", "100/0", "-1/60", "1/2/3", "1.5/60", "99999999999/1"] {
            assert!(rate(wrong).is_err(), "{wrong}");
        }
    }
}
