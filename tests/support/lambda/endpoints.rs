//! What the functions find where AWS would be: DynamoDB, SQS, S3 and SES on one port of this machine.
//!
//! DynamoDB is the embedded engine. The others know just what the adapters ask of them, and answer anything else with
//! an error, so that a new call shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws::{TableNames, create_tables};
use bytes::Bytes;
use domain::OrgId;
use http::Method;
use local::{EmbeddedDynamo, answer};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use service::http::{Request, Response};

use super::loopback::{response, serve};

pub(super) const BUCKET: &str = "story-blobs";
pub(super) const MAIL_BUCKET: &str = "story-mail";
const MAIL_DOMAIN: &str = "hooks.example.org";
const QUEUE_PATH: &str = "000000000000/story-transactions";
pub(super) const DEAD_LETTER_QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:000000000000:story-transactions-dead";
const TABLE_PREFIX: &str = "story";

/// A service on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    DynamoDb,
    Sqs,
    S3,
    Ses,
}

/// The endpoints and what they hold.
pub struct Endpoints {
    url: String,
    shelves: Arc<Shelves>,
}

struct Shelves {
    dynamo: EmbeddedDynamo,
    messages: Mutex<Vec<String>>,
    /// For how many seconds messages were hidden, by receipt, in order.
    hidden: Mutex<Vec<(String, u64)>>,
    objects: Mutex<BTreeMap<String, Bytes>>,
    /// Mails that came in, by the path of their object, bucket included.
    mails: Mutex<BTreeMap<String, Bytes>>,
    /// Requests to send a mail.
    sent: Mutex<Vec<Vec<(String, String)>>>,
    down: Mutex<Vec<Service>>,
}

impl Endpoints {
    /// Empty tables, an empty queue, an empty bucket.
    pub async fn start() -> Self {
        let dynamo = EmbeddedDynamo::memory().unwrap();
        create_tables(&dynamo.client(), &TableNames::with_prefix(TABLE_PREFIX)).await.unwrap();
        let shelves = Arc::new(Shelves {
            dynamo,
            messages: Mutex::default(),
            hidden: Mutex::default(),
            objects: Mutex::default(),
            mails: Mutex::default(),
            sent: Mutex::default(),
            down: Mutex::default(),
        });
        let served = Arc::clone(&shelves);
        let address = serve(move |request| {
            let shelves = Arc::clone(&served);
            async move { shelves.answer(&request) }
        })
        .await;
        Self { url: format!("http://{address}"), shelves }
    }

    /// The variables that lead a function here.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let tables = TableNames::with_prefix(TABLE_PREFIX);
        let queue_url = format!("{}/{QUEUE_PATH}", self.url);
        [
            ("AWS_ENDPOINT_URL_DYNAMODB", self.url.as_str()),
            ("AWS_ENDPOINT_URL_SQS", &self.url),
            ("AWS_ENDPOINT_URL_S3", &self.url),
            ("AWS_ENDPOINT_URL_SES", &self.url),
            ("HOOKWRIGHT_DIRECTORY_TABLE", &tables.directory),
            ("HOOKWRIGHT_RUNS_TABLE", &tables.runs),
            ("HOOKWRIGHT_RECORDS_TABLE", &tables.records),
            ("HOOKWRIGHT_QUEUE_URL", &queue_url),
            ("HOOKWRIGHT_DEAD_LETTER_QUEUE_ARN", DEAD_LETTER_QUEUE_ARN),
            ("HOOKWRIGHT_BLOB_BUCKET", BUCKET),
            ("HOOKWRIGHT_MAIL_DOMAIN", MAIL_DOMAIN),
            ("HOOKWRIGHT_MAIL_BUCKET", MAIL_BUCKET),
            ("HOOKWRIGHT_MAIL_PREFIX", "inbound/"),
            ("HOOKWRIGHT_MAIL_DKIM_TOKENS", "qn4ne,2pqes,x5ktw"),
            ("HOOKWRIGHT_MAIL_RULE_SET", "story-mail"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Takes every message from the queue, oldest first.
    pub fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut self.shelves.messages.lock().unwrap())
    }

    /// Takes what was said of messages that were received: the receipt, and for how many seconds it is hidden from then on.
    pub fn take_hidden(&self) -> Vec<(String, u64)> {
        std::mem::take(&mut self.shelves.hidden.lock().unwrap())
    }

    /// The keys of the bucket, in order.
    pub fn object_keys(&self) -> Vec<String> {
        self.shelves.objects.lock().unwrap().keys().cloned().collect()
    }

    /// What the bucket has under `key`.
    pub fn object(&self, key: &str) -> Option<Bytes> {
        self.shelves.objects.lock().unwrap().get(key).cloned()
    }

    /// Lays a mail down as SES does.
    pub fn put_mail(&self, id: &str, mail: impl Into<Bytes>) {
        self.shelves.mails.lock().unwrap().insert(format!("/{MAIL_BUCKET}/inbound/{id}"), mail.into());
    }

    /// The fields of each request to send a mail, in order.
    pub fn sent_mails(&self) -> Vec<Vec<(String, String)>> {
        self.shelves.sent.lock().unwrap().clone()
    }

    /// Puts `body` where a grant leads, as the holder of the grant does over the network; the status of the answer.
    pub fn put(&self, url: &str, headers: &[(String, String)], body: impl Into<Bytes>) -> u16 {
        let body = body.into();
        let target = url.strip_prefix(&self.url).unwrap();
        let mut request = http::Request::put(target).header("host", "here").header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        self.shelves.answer(&request.body(body).unwrap()).status().as_u16()
    }

    /// Lets `service` answer every call with status 500 from now on.
    pub fn stop(&self, service: Service) {
        self.shelves.down.lock().unwrap().push(service);
    }

    /// Lets `service` work again.
    pub fn resume(&self, service: Service) {
        self.shelves.down.lock().unwrap().retain(|down| *down != service);
    }
}

impl Shelves {
    fn answer(&self, request: &Request) -> Response {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        let service = match target {
            Some(target) if target.starts_with("DynamoDB_20120810.") => Service::DynamoDb,
            Some(_) => Service::Sqs,
            None if is_form(request) => Service::Ses,
            None => Service::S3,
        };
        if self.down.lock().unwrap().contains(&service) {
            return response(500, "");
        }
        match service {
            Service::DynamoDb => self.dynamodb(target.unwrap_or_default(), text(request)),
            Service::Sqs => self.sqs(target.unwrap_or_default(), text(request)),
            Service::S3 => self.s3(request),
            Service::Ses => self.ses(text(request)),
        }
    }

    fn dynamodb(&self, target: &str, body: &str) -> Response {
        let (status, body) = answer(&self.dynamo.database(), target, body);
        response(status, body)
    }

    fn sqs(&self, target: &str, body: &str) -> Response {
        let request: Value = serde_json::from_str(body).unwrap_or_default();
        let is_ours = request["QueueUrl"].as_str().is_some_and(|url| url.ends_with(QUEUE_PATH));
        let answer = match target {
            "AmazonSQS.SendMessage" if is_ours => self.keep_message(&request),
            "AmazonSQS.ChangeMessageVisibilityBatch" if is_ours => self.hide_messages(&request),
            _ => None,
        };
        match answer {
            Some(answer) => response(200, answer.to_string()),
            None => response(400, json!({ "__type": "com.amazonaws.sqs#UnsupportedOperation" }).to_string()),
        }
    }

    fn keep_message(&self, request: &Value) -> Option<Value> {
        request["MessageGroupId"].as_str().filter(|org| OrgId::parse(org).is_ok())?;
        let mut messages = self.messages.lock().unwrap();
        messages.push(request["MessageBody"].as_str()?.to_owned());
        // The SDK does not look at the MD5 that SQS sends along.
        Some(json!({ "MessageId": format!("sent-{}", messages.len()) }))
    }

    /// As SQS: at most ten in a request.
    fn hide_messages(&self, request: &Value) -> Option<Value> {
        let entries = request["Entries"].as_array().filter(|entries| (1..=10).contains(&entries.len()))?;
        let hidden = |entry: &Value| {
            let receipt = entry["ReceiptHandle"].as_str()?.to_owned();
            Some((receipt, entry["VisibilityTimeout"].as_u64()?))
        };
        let hidden = entries.iter().map(hidden).collect::<Option<Vec<_>>>()?;
        self.hidden.lock().unwrap().extend(hidden);
        let changed = entries.iter().map(|entry| json!({ "Id": entry["Id"] }));
        Some(json!({ "Successful": changed.collect::<Vec<_>>(), "Failed": [] }))
    }

    /// The answer is as short as the SDK can read it.
    fn ses(&self, body: &str) -> Response {
        let decoded = |part: &str| percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        let fields: Vec<(String, String)> = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
        let Some((_, "SendRawEmail")) = fields.first().map(|(name, value)| (name, value.as_str())) else {
            return response(400, "<ErrorResponse><Error><Code>InvalidAction</Code></Error></ErrorResponse>");
        };
        let mut sent = self.sent.lock().unwrap();
        sent.push(fields);
        let result = format!("<SendRawEmailResult><MessageId>ses-{}</MessageId></SendRawEmailResult>", sent.len());
        response(200, format!("<SendRawEmailResponse>{result}</SendRawEmailResponse>"))
    }

    fn s3(&self, request: &Request) -> Response {
        if let (&Method::GET, Some(mail)) = (request.method(), self.mails.lock().unwrap().get(request.uri().path())) {
            return response(200, mail.clone());
        }
        let key = request.uri().path().strip_prefix(&format!("/{BUCKET}/"));
        let mut objects = self.objects.lock().unwrap();
        match (request.method(), key) {
            (&Method::PUT, Some(_)) if !has_signed_headers(request) => response(403, ""),
            (&Method::PUT, Some(key)) if !request.headers().contains_key("content-encoding") => {
                objects.insert(key.to_owned(), request.body().clone());
                response(200, "")
            }
            // As S3 answers a role that may not list the bucket.
            (&Method::HEAD, Some(key)) => match objects.get(key) {
                Some(object) => response(200, object.clone()),
                None => response(403, ""),
            },
            (&Method::GET, Some(key)) => match objects.get(key) {
                Some(object) => response(200, object.clone()),
                None => response(404, "<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>"),
            },
            // As S3 answers a role that may list the bucket.
            (&Method::GET, None) => {
                response(404, "<Error><Code>NoSuchKey</Code><Message>There is none.</Message></Error>")
            }
            _ => response(501, "<Error><Code>NotImplemented</Code><Message>Not here.</Message></Error>"),
        }
    }
}

/// Whether all that a URL says to be signed is there; requests that are signed in a header say nothing here. Nobody here
/// can check the signature itself.
fn has_signed_headers(request: &Request) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let names = query.split('&').find_map(|part| part.strip_prefix("X-Amz-SignedHeaders="));
    names.is_none_or(|names| names.split("%3B").all(|name| request.headers().contains_key(name)))
}

/// Whether it is as services speak that are as old as SES.
fn is_form(request: &Request) -> bool {
    request.headers().get("content-type").is_some_and(|value| value == "application/x-www-form-urlencoded")
}

fn text(request: &Request) -> &str {
    str::from_utf8(request.body()).unwrap_or_default()
}
