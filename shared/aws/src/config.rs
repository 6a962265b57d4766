//! What the environment says: the only place in this crate that reads a variable of ours.
//!
//! A function reads what it needs in one [`read`], and learns of everything that is missing or wrong in one sentence.
//! A missing variable is never a wish for local mode.

mod destinations;
mod mail;

use std::fmt;

use domain::{Limit, OrgId};

use crate::{Destination, TableNames};

pub use mail::{MailConfig, PostConfig};

/// The administrator of an org, from `HOOKWRIGHT_ORG_ID` and `HOOKWRIGHT_ADMIN_KEY_HASH`, which come together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The org.
    pub org: OrgId,
    /// SHA-256 of the key's secret: 64 lower-case hex digits.
    pub key_hash: String,
}

/// What a function needs to know that stands behind hook addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorConfig {
    /// The names of the three tables.
    pub tables: TableNames,
    /// Where transactions go.
    pub queue_url: String,
    /// Where files go.
    pub blob_bucket: String,
    /// What addresses begin with as senders see them.
    pub public_url: Option<String>,
    /// How many arrivals each org is let in.
    pub org_limit: Option<Limit>,
}

/// What a function needs to know that carries out transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutorConfig {
    /// The names of the three tables.
    pub tables: TableNames,
    /// Where the transactions come from, and wakes of runs go.
    pub queue_url: String,
    /// The ARN of the queue that dead letters come from.
    pub dead_letter_queue: String,
    /// Where large values and files are.
    pub blob_bucket: String,
    /// Who mail is from, where workflows may send any.
    pub post: Option<PostConfig>,
    /// What workflows may call beside the public web.
    pub allowed_destinations: Vec<Destination>,
    /// What links to answers begin with.
    pub public_url: Option<String>,
}

/// What [`crate::open_ticker`] needs to know.
#[derive(Debug, Clone)]
pub struct TickerConfig {
    /// The names of the three tables.
    pub tables: TableNames,
    /// Where what is due goes.
    pub queue_url: String,
    /// Where large values are.
    pub blob_bucket: String,
}

/// How a bucket is addressed: in the host name as AWS does, or in the path as emulators do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BucketStyle {
    Host,
    Path,
}

/// All that is wrong with the environment, in one sentence.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// One clause for each variable.
    pub problems: Vec<String>,
}

/// Reads variables one by one and remembers what was wrong.
pub struct Reader<'env> {
    lookup: &'env dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

/// What `build` reads from the environment of the process. It reads everything before it gives up on anything, so that
/// every problem is found.
///
/// *Errors*: all problems it met, also those of values that `build` did not need in the end.
pub fn read<T>(build: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Result<T, ConfigError> {
    read_from(&|name| std::env::var(name).ok(), build)
}

fn read_from<T>(
    lookup: &dyn Fn(&str) -> Option<String>,
    build: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, ConfigError> {
    let mut reader = Reader { lookup, problems: Vec::new() };
    match build(&mut reader) {
        Some(value) if reader.problems.is_empty() => Ok(value),
        Some(_) | None => Err(ConfigError { problems: reader.problems }),
    }
}

/// The least level worth a line, as Lambda's own setting names it.
pub(crate) fn log_level() -> Option<String> {
    std::env::var("AWS_LAMBDA_LOG_LEVEL").ok()
}

/// The SDK reads the endpoints itself; only that an emulator wants buckets in the path is not its to know.
pub(crate) fn bucket_style() -> BucketStyle {
    let is_set = |name| std::env::var(name).is_ok_and(|url| !url.is_empty());
    if is_set("AWS_ENDPOINT_URL_S3") || is_set("AWS_ENDPOINT_URL") { BucketStyle::Path } else { BucketStyle::Host }
}

impl Reader<'_> {
    /// The names of the three tables: `HOOKWRIGHT_DIRECTORY_TABLE`, `HOOKWRIGHT_RUNS_TABLE`, `HOOKWRIGHT_RECORDS_TABLE`.
    pub fn tables(&mut self) -> Option<TableNames> {
        let directory = self.required("HOOKWRIGHT_DIRECTORY_TABLE", "a table name", is_table_name);
        let runs = self.required("HOOKWRIGHT_RUNS_TABLE", "a table name", is_table_name);
        let records = self.required("HOOKWRIGHT_RECORDS_TABLE", "a table name", is_table_name);
        Some(TableNames { directory: directory?, runs: runs?, records: records? })
    }

    /// Where the queue is: `HOOKWRIGHT_QUEUE_URL`.
    pub fn queue_url(&mut self) -> Option<String> {
        self.required("HOOKWRIGHT_QUEUE_URL", "an http or https URL", is_url)
    }

    /// The bucket of the blobs: `HOOKWRIGHT_BLOB_BUCKET`.
    pub fn blob_bucket(&mut self) -> Option<String> {
        self.required("HOOKWRIGHT_BLOB_BUCKET", "a bucket name", is_bucket_name)
    }

    /// The queue that dead letters come from, as its messages name it: `HOOKWRIGHT_DEAD_LETTER_QUEUE_ARN`.
    pub fn dead_letter_queue(&mut self) -> Option<String> {
        self.required("HOOKWRIGHT_DEAD_LETTER_QUEUE_ARN", "the ARN of a queue", is_queue_arn)
    }

    /// All that [`crate::open_door`] needs.
    pub fn door(&mut self) -> Option<DoorConfig> {
        let (tables, queue_url, blob_bucket) = (self.tables(), self.queue_url(), self.blob_bucket());
        let (public_url, org_limit) = (self.public_url(), self.org_limit());
        Some(DoorConfig {
            tables: tables?,
            queue_url: queue_url?,
            blob_bucket: blob_bucket?,
            public_url: public_url?,
            org_limit: org_limit?,
        })
    }

    /// All that [`crate::open_executor`] needs.
    pub fn executor(&mut self) -> Option<ExecutorConfig> {
        let (tables, queue_url, blob_bucket) = (self.tables(), self.queue_url(), self.blob_bucket());
        let dead_letter_queue = self.dead_letter_queue();
        let (post, allowed_destinations, public_url) = (self.post(), self.allowed_destinations(), self.public_url());
        Some(ExecutorConfig {
            tables: tables?,
            queue_url: queue_url?,
            dead_letter_queue: dead_letter_queue?,
            blob_bucket: blob_bucket?,
            post: post?,
            allowed_destinations: allowed_destinations?,
            public_url: public_url?,
        })
    }

    /// All that [`crate::open_ticker`] needs.
    pub fn ticker(&mut self) -> Option<TickerConfig> {
        let (tables, queue_url, blob_bucket) = (self.tables(), self.queue_url(), self.blob_bucket());
        Some(TickerConfig { tables: tables?, queue_url: queue_url?, blob_bucket: blob_bucket? })
    }

    /// How many arrivals an org is let in, from `HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE`; 0 is no limit, as not set is.
    pub fn org_limit(&mut self) -> Option<Option<Limit>> {
        let requests = self.optional("HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE", "a number up to 1000000", is_requests)?;
        let requests = requests.and_then(|requests| requests.parse().ok()).filter(|requests| *requests > 0);
        Some(requests.map(|requests| Limit { requests, seconds: 60 }))
    }

    /// What hook addresses and links to answers begin with, without a slash at the end, if `HOOKWRIGHT_PUBLIC_URL` is set.
    pub fn public_url(&mut self) -> Option<Option<String>> {
        let url = self.optional("HOOKWRIGHT_PUBLIC_URL", "an http or https URL", is_url)?;
        Some(url.map(|url| url.trim_end_matches('/').to_owned()))
    }

    /// The administrator, if both variables are set.
    pub fn admin(&mut self) -> Option<Option<Admin>> {
        let org = self.optional("HOOKWRIGHT_ORG_ID", "24 lower-case hex digits", |text| OrgId::parse(text).is_ok());
        let key_hash = self.optional("HOOKWRIGHT_ADMIN_KEY_HASH", "64 lower-case hex digits", is_digest);
        match (org?, key_hash?) {
            (None, None) => Some(None),
            (Some(org), Some(key_hash)) => OrgId::parse(&org).ok().map(|org| Some(Admin { org, key_hash })),
            (Some(_), None) | (None, Some(_)) => {
                self.problem("HOOKWRIGHT_ORG_ID and HOOKWRIGHT_ADMIN_KEY_HASH come together");
                None
            }
        }
    }

    fn problem(&mut self, clause: impl Into<String>) {
        self.problems.push(clause.into());
    }

    fn required(&mut self, name: &str, shape: &str, fits: fn(&str) -> bool) -> Option<String> {
        let value = self.optional(name, shape, fits)?;
        if value.is_none() {
            self.problem(format!("{name} is not set"));
        }
        value
    }

    /// `None` when there is a problem, `Some(None)` when the variable is not set or empty.
    fn optional(&mut self, name: &str, shape: &str, fits: fn(&str) -> bool) -> Option<Option<String>> {
        let value = (self.lookup)(name).filter(|value| !value.is_empty());
        if value.as_deref().is_some_and(|value| !fits(value)) {
            self.problem(format!("{name} is not {shape}"));
            return None;
        }
        Some(value)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment is not complete: {}", self.problems.join("; "))
    }
}

/// The sentence as well: a `main` that ends with an error prints it so.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ConfigError {}

/// *Source*: DynamoDB, "Naming rules".
fn is_table_name(text: &str) -> bool {
    (3..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// *Source*: S3, "General purpose bucket naming rules".
fn is_bucket_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=63).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn is_url(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/')) && !text.contains(char::is_whitespace)
}

/// *Source*: IAM, "Amazon resource names".
fn is_queue_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts.as_slice(), ["arn", _, "sqs", _, _, name] if !name.is_empty())
}

fn is_requests(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain && text.parse::<u32>().is_ok_and(|requests| requests <= 1_000_000)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that a function may need.
    #[derive(Debug)]
    struct Everything {
        door: DoorConfig,
        executor: ExecutorConfig,
        admin: Option<Admin>,
    }

    const COMPLETE: [(&str, &str); 10] = [
        ("HOOKWRIGHT_DIRECTORY_TABLE", "hw-directory"),
        ("HOOKWRIGHT_RUNS_TABLE", "hw-runs"),
        ("HOOKWRIGHT_RECORDS_TABLE", "hw-records"),
        ("HOOKWRIGHT_QUEUE_URL", "https://sqs.eu-west-1.amazonaws.com/1/hw"),
        ("HOOKWRIGHT_BLOB_BUCKET", "hw-blobs"),
        ("HOOKWRIGHT_DEAD_LETTER_QUEUE_ARN", "arn:aws:sqs:eu-west-1:000000000000:hw-dead"),
        ("HOOKWRIGHT_PUBLIC_URL", "https://hooks.example.org/"),
        ("HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE", "6000"),
        ("HOOKWRIGHT_ORG_ID", "5a345109e578360010eaa1ad"),
        ("HOOKWRIGHT_ADMIN_KEY_HASH", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ];

    fn everything(reader: &mut Reader<'_>) -> Option<Everything> {
        let (door, admin) = (reader.door(), reader.admin());
        let executor = door.as_ref().and_then(|_| reader.executor());
        Some(Everything { door: door?, executor: executor?, admin: admin? })
    }

    /// The complete environment with `name` changed to `value`, or without it.
    fn read_with(name: &str, value: Option<&str>) -> Result<Everything, String> {
        let lookup = |asked: &str| {
            let given = COMPLETE.iter().find(|(known, _)| *known == asked).map(|(_, value)| *value);
            if asked == name { value } else { given }.map(str::to_owned)
        };
        read_from(&lookup, everything).map_err(|error| error.to_string())
    }

    #[test]
    fn a_complete_environment_gives_everything() {
        let read = read_with("", None).unwrap();
        assert_eq!(read.door.tables, TableNames::with_prefix("hw"));
        assert_eq!(read.door.queue_url, "https://sqs.eu-west-1.amazonaws.com/1/hw");
        assert_eq!(read.door.blob_bucket, "hw-blobs");
        assert_eq!(read.door.public_url.as_deref(), Some("https://hooks.example.org"));
        assert_eq!(read.door.org_limit, Some(Limit { requests: 6_000, seconds: 60 }));
        assert_eq!(read.executor.public_url, read.door.public_url);
        assert_eq!(read.admin.unwrap().org.to_string(), "5a345109e578360010eaa1ad");
    }

    #[test]
    fn everything_that_is_missing_is_named_in_one_sentence() {
        let error = read_from(&|_| None, everything).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the environment is not complete: HOOKWRIGHT_DIRECTORY_TABLE is not set; HOOKWRIGHT_RUNS_TABLE is not set; \
             HOOKWRIGHT_RECORDS_TABLE is not set; HOOKWRIGHT_QUEUE_URL is not set; HOOKWRIGHT_BLOB_BUCKET is not set"
        );
    }

    #[test]
    fn a_variable_of_the_wrong_shape_is_named_with_the_right_one() {
        for (name, value, clause) in [
            ("HOOKWRIGHT_RUNS_TABLE", "hw", "HOOKWRIGHT_RUNS_TABLE is not a table name"),
            ("HOOKWRIGHT_QUEUE_URL", "hw", "HOOKWRIGHT_QUEUE_URL is not an http or https URL"),
            ("HOOKWRIGHT_BLOB_BUCKET", "Hw_Blobs", "HOOKWRIGHT_BLOB_BUCKET is not a bucket name"),
            (
                "HOOKWRIGHT_DEAD_LETTER_QUEUE_ARN",
                "https://sqs.eu-west-1.amazonaws.com/1/hw-dead",
                "HOOKWRIGHT_DEAD_LETTER_QUEUE_ARN is not the ARN of a queue",
            ),
            ("HOOKWRIGHT_PUBLIC_URL", "hooks.example.org", "HOOKWRIGHT_PUBLIC_URL is not an http or https URL"),
            (
                "HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE",
                "1000001",
                "HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE is not a number up to 1000000",
            ),
            ("HOOKWRIGHT_ORG_ID", "org", "HOOKWRIGHT_ORG_ID is not 24 lower-case hex digits"),
            ("HOOKWRIGHT_ADMIN_KEY_HASH", "E3", "HOOKWRIGHT_ADMIN_KEY_HASH is not 64 lower-case hex digits"),
        ] {
            let error = read_with(name, Some(value)).unwrap_err();
            assert_eq!(error, format!("the environment is not complete: {clause}"));
        }
    }

    #[test]
    fn an_org_without_its_key_is_a_mistake_and_neither_is_not() {
        for half in ["HOOKWRIGHT_ORG_ID", "HOOKWRIGHT_ADMIN_KEY_HASH"] {
            assert!(read_with(half, None).unwrap_err().contains("come together"));
        }
        let required = |name: &str| {
            COMPLETE.iter().take(6).find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        assert_eq!(read_from(&required, everything).unwrap().admin, None);
    }

    #[test]
    fn a_limit_of_none_is_no_limit() {
        for (value, limit) in [(Some("0"), None), (None, None), (Some(""), None), (Some("1"), Some(1))] {
            let read = read_with("HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE", value).unwrap();
            assert_eq!(read.door.org_limit.map(|limit| limit.requests), limit, "{value:?}");
        }
        for wrong in ["-1", "+1", "1.0", "many", "99999999999"] {
            assert!(read_with("HOOKWRIGHT_ORG_REQUESTS_PER_MINUTE", Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_function_that_needs_less_may_have_less() {
        let lookup = |name: &str| (name == "HOOKWRIGHT_QUEUE_URL").then(|| "http://localhost:9324/q".to_owned());
        assert!(read_from(&lookup, |reader| reader.queue_url()).is_ok());
    }
}
