//! What the functions find where AWS would be: DynamoDB, SQS and S3 on one port of this machine.
//!
//! DynamoDB is the embedded engine. The other two know just what the adapters ask of them, and answer anything else with
//! an error, so that a new call shows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws::{TableNames, create_tables};
use bytes::Bytes;
use http::Method;
use local::{EmbeddedDynamo, answer};
use serde_json::{Value, json};
use service::http::{Request, Response};

use super::loopback::{response, serve};

pub(super) const BUCKET: &str = "story-blobs";
const QUEUE_PATH: &str = "000000000000/story-transactions";
const TABLE_PREFIX: &str = "story";

/// A service on AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    DynamoDb,
    Sqs,
    S3,
}

/// The endpoints and what they hold.
pub struct Endpoints {
    url: String,
    shelves: Arc<Shelves>,
}

struct Shelves {
    dynamo: EmbeddedDynamo,
    messages: Mutex<Vec<String>>,
    objects: Mutex<BTreeMap<String, Bytes>>,
    down: Mutex<Vec<Service>>,
}

impl Endpoints {
    /// Empty tables, an empty queue, an empty bucket.
    pub async fn start() -> Self {
        let dynamo = EmbeddedDynamo::memory().unwrap();
        create_tables(&dynamo.client(), &TableNames::with_prefix(TABLE_PREFIX)).await.unwrap();
        let shelves =
            Arc::new(Shelves { dynamo, messages: Mutex::default(), objects: Mutex::default(), down: Mutex::default() });
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
            ("HOOKWRIGHT_DIRECTORY_TABLE", &tables.directory),
            ("HOOKWRIGHT_RUNS_TABLE", &tables.runs),
            ("HOOKWRIGHT_RECORDS_TABLE", &tables.records),
            ("HOOKWRIGHT_QUEUE_URL", &queue_url),
            ("HOOKWRIGHT_BLOB_BUCKET", BUCKET),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// Takes every message from the queue, oldest first.
    pub fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut self.shelves.messages.lock().unwrap())
    }

    /// The keys of the bucket, in order.
    pub fn object_keys(&self) -> Vec<String> {
        self.shelves.objects.lock().unwrap().keys().cloned().collect()
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
            None => Service::S3,
        };
        if self.down.lock().unwrap().contains(&service) {
            return response(500, "");
        }
        match service {
            Service::DynamoDb => self.dynamodb(target.unwrap_or_default(), text(request)),
            Service::Sqs => self.sqs(target.unwrap_or_default(), text(request)),
            Service::S3 => self.s3(request),
        }
    }

    fn dynamodb(&self, target: &str, body: &str) -> Response {
        let (status, body) = answer(&self.dynamo.database(), target, body);
        response(status, body)
    }

    fn sqs(&self, target: &str, body: &str) -> Response {
        let request: Value = serde_json::from_str(body).unwrap_or_default();
        let is_ours = request["QueueUrl"].as_str().is_some_and(|url| url.ends_with(QUEUE_PATH));
        let (true, "AmazonSQS.SendMessage", Some(message)) = (is_ours, target, request["MessageBody"].as_str()) else {
            return response(400, json!({ "__type": "com.amazonaws.sqs#UnsupportedOperation" }).to_string());
        };
        let mut messages = self.messages.lock().unwrap();
        messages.push(message.to_owned());
        // The SDK does not look at the MD5 that SQS sends along.
        response(200, json!({ "MessageId": format!("sent-{}", messages.len()) }).to_string())
    }

    fn s3(&self, request: &Request) -> Response {
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

fn text(request: &Request) -> &str {
    str::from_utf8(request.body()).unwrap_or_default()
}
