//! What the store does when the wire or DynamoDB does not do its part.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use aws::{DynamoStore, TableNames, create_tables};
use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use domain::Timestamp;
use local::{Database, EmbeddedDynamo, answer};
use service::memory::{FixedWorld, MemoryBlobs};
use service::ports::{Change, Expectation, Freshness, Store, WriteError};

use crate::given::{item, key};

/// What befalls one request.
#[derive(Debug, Clone)]
enum Fault {
    /// DynamoDB refuses it with this body.
    Refused(String),
    /// It never arrives.
    Lost,
    /// It is carried out, and the answer never arrives.
    Unanswered,
    /// This body is answered, and nothing is carried out.
    Answered(String),
}

/// A wire that does what it is told with the next requests, and its duty with all others.
#[derive(Clone)]
struct Wire {
    database: Database,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

struct Given {
    store: DynamoStore,
    wire: Wire,
}

impl Given {
    async fn new() -> Self {
        let dynamo = EmbeddedDynamo::memory().unwrap();
        let tables = TableNames::with_prefix("test");
        create_tables(&dynamo.client(), &tables).await.unwrap();

        let wire = Wire { database: dynamo.database(), faults: Arc::default(), seen: Arc::default() };
        let connector = SharedHttpConnector::new(wire.clone());
        let conf = dynamo.client().config().to_builder().http_client(http_client_fn(move |_, _| connector.clone()));
        let world = Arc::new(FixedWorld::at(Timestamp::from_millisecond(0)));
        let store = DynamoStore::new(Client::from_conf(conf.build()), tables, Arc::new(MemoryBlobs::default()), world);
        Self { store, wire }
    }

    /// The result of `changes` under `faults`, and how many requests it took.
    async fn written(&self, changes: &[Change], faults: &[Fault]) -> (Result<(), WriteError>, usize) {
        self.wire.faults.lock().unwrap().extend(faults.iter().cloned());
        self.wire.seen.lock().unwrap().clear();
        let written = self.store.write(changes).await;
        self.wire.faults.lock().unwrap().clear();
        (written, self.wire.seen.lock().unwrap().len())
    }
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let body = str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap();
        self.seen.lock().unwrap().push(body.to_owned());
        let respond =
            |status: u16, body: String| Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)));
        let response = match self.faults.lock().unwrap().pop_front() {
            Some(Fault::Refused(body)) => respond(400, body),
            Some(Fault::Answered(body)) => respond(200, body),
            Some(Fault::Lost) => Err(ConnectorError::timeout("no answer".into())),
            Some(Fault::Unanswered) => {
                answer(&self.database, target, body);
                Err(ConnectorError::timeout("no answer".into()))
            }
            None => {
                let (status, body) = answer(&self.database, target, body);
                respond(status, body)
            }
        };
        HttpConnectorFuture::ready(response)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

fn throttled() -> Fault {
    Fault::Refused(
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}"#.to_owned(),
    )
}

fn cancelled(reasons: &str) -> Fault {
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    Fault::Refused(format!(r#"{{"__type":"{kind}","Message":"cancelled","CancellationReasons":[{reasons}]}}"#))
}

fn one(expectation: Expectation) -> Vec<Change> {
    vec![Change::Put(item("a", 1), expectation)]
}

fn two() -> Vec<Change> {
    vec![Change::Put(item("a", 1), Expectation::Absent), Change::Put(item("b", 1), Expectation::Absent)]
}

#[tokio::test]
async fn a_call_that_is_throttled_is_made_three_times_and_no_more() {
    for (throttles, is_done, requests) in [(0, true, 1), (1, true, 2), (2, true, 3), (3, false, 3), (9, false, 3)] {
        for changes in [one(Expectation::Absent), two()] {
            let given = Given::new().await;
            let (written, seen) = given.written(&changes, &vec![throttled(); throttles]).await;
            assert_eq!((written.is_ok(), seen), (is_done, requests), "{throttles} throttles: {written:?}");
            let found = given.store.find(&key("a"), Freshness::Latest).await.unwrap();
            assert_eq!(found.is_some(), is_done);
        }
    }
}

#[tokio::test]
async fn a_refusal_that_would_not_pass_is_not_tried_again() {
    let given = Given::new().await;
    let invalid =
        Fault::Refused(r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"no"}"#.to_owned());
    let (written, seen) = given.written(&one(Expectation::Absent), &[invalid]).await;
    assert_eq!(written.unwrap_err().to_string(), "store is unavailable: ValidationException (400): no");
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn a_conflict_is_told_after_one_request_or_after_a_refused_one() {
    let given = Given::new().await;
    given.store.write(&one(Expectation::Absent)).await.unwrap();
    let conflict = Err(WriteError::Conflict { position: 0, found: Some(Box::new(item("a", 1))) });
    assert_eq!(given.written(&one(Expectation::Absent), &[]).await, (conflict.clone(), 1));
    assert_eq!(given.written(&one(Expectation::Absent), &[throttled()]).await, (conflict, 2));
}

#[tokio::test]
async fn a_lost_request_is_made_again() {
    let given = Given::new().await;
    assert_eq!(given.written(&one(Expectation::Absent), &[Fault::Lost]).await, (Ok(()), 2));
}

#[tokio::test]
async fn a_single_write_whose_answer_was_lost_is_no_conflict_with_itself() {
    let given = Given::new().await;
    let (written, seen) = given.written(&one(Expectation::Absent), &[Fault::Unanswered]).await;
    assert!(matches!(written, Err(WriteError::Unavailable(_))), "it may have happened: {written:?}");
    assert_eq!(seen, 2);
    assert_eq!(given.written(&one(Expectation::Anything), &[Fault::Unanswered]).await, (Ok(()), 2));
}

#[tokio::test]
async fn a_transaction_that_met_another_is_tried_again_unless_a_condition_failed_too() {
    let given = Given::new().await;
    let met = cancelled(r#"{"Code":"None"},{"Code":"TransactionConflict"}"#);
    assert_eq!(given.written(&two(), &[met.clone(), met]).await, (Ok(()), 3));

    let both = cancelled(r#"{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed"}"#);
    let conflict = Err(WriteError::Conflict { position: 1, found: None });
    assert_eq!(given.written(&two(), &[both]).await, (conflict, 1));
}

#[tokio::test]
async fn a_transaction_that_met_another_every_time_has_lost_the_race() {
    let met = cancelled(r#"{"Code":"None"},{"Code":"TransactionConflict"}"#);
    let slow = cancelled(r#"{"Code":"ThrottlingError"},{"Code":"TransactionConflict"}"#);
    let conflict = WriteError::Conflict { position: 1, found: None };
    for (faults, lost) in [
        ([met.clone(), met.clone(), met.clone()], Some(conflict.clone())),
        ([throttled(), slow.clone(), met.clone()], Some(conflict)),
        ([met.clone(), met.clone(), slow], None),
        ([met.clone(), met.clone(), throttled()], None),
        // What nobody answered may have been carried out.
        ([Fault::Lost, met.clone(), met], None),
    ] {
        let given = Given::new().await;
        let (written, seen) = given.written(&two(), &faults).await;
        assert_eq!(seen, 3);
        match (written, lost) {
            (Err(WriteError::Unavailable(_)), None) => {}
            (written, Some(lost)) => assert_eq!(written, Err(lost), "{faults:?}"),
            (written, None) => panic!("{faults:?}: {written:?}"),
        }
        assert_eq!(given.store.find(&key("a"), Freshness::Latest).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_damaged_item_is_told_of_without_its_key() {
    let given = Given::new().await;
    for attributes in [r#""pk":{"S":"org#1"},"sk":{"S":"ann@example.com"}"#, r#""sk":{"S":"ann@example.com"}"#] {
        let damaged = Fault::Answered(format!(r#"{{"Item":{{{attributes}}}}}"#));
        given.wire.faults.lock().unwrap().push_back(damaged);
        let error = given.store.find(&key("ann@example.com"), Freshness::Latest).await.unwrap_err();
        assert!(error.cause.starts_with("an item of the records has no readable"), "{error}");
        assert!(!error.cause.contains("ann"), "{error}");
    }
}

#[tokio::test]
async fn all_tries_of_a_transaction_carry_one_token_and_no_other_write_does() {
    let given = Given::new().await;
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let (_, tries) = given.written(&two(), &[throttled(), throttled()]).await;
        assert_eq!(tries, 3);
        for body in given.wire.seen.lock().unwrap().iter() {
            let request: serde_json::Value = serde_json::from_str(body).unwrap();
            tokens.push(request["ClientRequestToken"].as_str().unwrap().to_owned());
        }
    }
    assert!(tokens[0..3].iter().all(|token| *token == tokens[0]));
    assert!(tokens[3..6].iter().all(|token| *token == tokens[3] && *token != tokens[0]));
}

#[tokio::test]
async fn keys_that_were_left_unread_are_asked_for_again() {
    let given = Given::new().await;
    given.store.write(&two()).await.unwrap();
    let unread = r#"{"Responses":{},"UnprocessedKeys":{"test-records":{"ConsistentRead":true,
        "Keys":[{"pk":{"S":"org#1"},"sk":{"S":"a"}},{"pk":{"S":"org#1"},"sk":{"S":"b"}}]}}}"#;
    for (times, is_found) in [(2, true), (3, false)] {
        given.wire.faults.lock().unwrap().extend(vec![Fault::Answered(unread.to_owned()); times]);
        let found = given.store.find_all(&[key("b"), key("a")]).await;
        assert_eq!(found.ok(), is_found.then(|| vec![item("b", 1), item("a", 1)]));
    }
}
