//! The retry budget: a call to AWS is tried at most three times, with full jitter between, and then it is the
//! caller's turn.
//!
//! The SDK's own retries are off in every client of ours: two budgets on top of one another multiply when the other
//! side is already struggling. *Source*: `reliability.md`, F6.

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use service::ports::World;
use tokio::time::Instant;

/// How often a call is made at most.
pub(crate) const TRIES: u32 = 3;

/// The longest pause before the second try; each further one may be twice as long.
const FIRST_PAUSE_MS: u64 = 50;

/// No try begins later than this after the first, so that the last one (3 s) ends within 8 s.
const LAST_START: Duration = Duration::from_secs(5);

/// Answers that ask to come again. *Source*: DynamoDB, SQS and SES, "Common errors".
const PASSING_CODES: [&str; 12] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// What a failed try leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It was not done, and may be done next time.
    Passing,
    /// Nobody knows whether it was done; another try is allowed.
    Unknown,
    /// It was not done, and another try would end the same way.
    Final,
}

/// Whether one of the tries before the last may have been carried out unseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// Each was refused.
    NotDone,
    /// At least one ended without an answer.
    Unknown,
}

/// All tries have failed.
#[derive(Debug)]
pub(crate) struct Defeat<E> {
    /// How the last one ended.
    pub(crate) last: SdkError<E, HttpResponse>,
    /// What the ones before may have done.
    pub(crate) earlier: Earlier,
}

/// Tries `call` within the budget; `judge` says of a failed try what it leaves behind.
pub(crate) async fn within_budget<T, E, Call, Answer>(
    world: &dyn World,
    judge: fn(&SdkError<E, HttpResponse>) -> Trouble,
    call: Call,
) -> Result<T, Box<Defeat<E>>>
where
    Call: Fn() -> Answer,
    Answer: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let begun = Instant::now();
    let mut earlier = Earlier::NotDone;
    let mut tried = 1;
    loop {
        let last = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };

        let trouble = judge(&last);
        if trouble == Trouble::Final || tried == TRIES || begun.elapsed() > LAST_START {
            return Err(Box::new(Defeat { last, earlier }));
        }
        if trouble == Trouble::Unknown {
            earlier = Earlier::Unknown;
        }
        pause(world, tried).await;
        tried += 1;
    }
}

/// Waits before try `tried + 1`, anything from no time to the longest allowed.
pub(crate) async fn pause(world: &dyn World, tried: u32) {
    let longest_ms = FIRST_PAUSE_MS << tried.saturating_sub(1).min(TRIES);
    let mut chance = [0; 8];
    // Without chance the pause is the longest one: worse for nobody but this call.
    let pause_ms = match world.fill(&mut chance) {
        Ok(()) => u64::from_be_bytes(chance) % (longest_ms + 1),
        Err(_) => longest_ms,
    };
    tokio::time::sleep(Duration::from_millis(pause_ms)).await;
}

/// What `error` leaves behind, for any operation but a transaction.
pub(crate) fn trouble<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Trouble {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Trouble::Unknown,
        SdkError::DispatchFailure(failure) if failure.is_user() => Trouble::Final,
        SdkError::DispatchFailure(_) => Trouble::Unknown,
        SdkError::ServiceError(answer) if answer.raw().status().is_server_error() => Trouble::Unknown,
        SdkError::ServiceError(answer) if is_passing(answer.err().code()) => Trouble::Passing,
        SdkError::ServiceError(_) | SdkError::ConstructionFailure(_) => Trouble::Final,
        _ => Trouble::Final,
    }
}

/// What went wrong, for the log: code and message, never the request or an item.
pub(crate) fn cause<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let SdkError::ServiceError(answer) = error else { return with_sources(error) };
    let code = answer.err().code().unwrap_or("no code");
    format!("{code} ({}): {}", answer.raw().status().as_u16(), answer.err().message().unwrap_or("no message"))
}

pub(crate) fn is_passing(code: Option<&str>) -> bool {
    code.is_some_and(|code| PASSING_CODES.contains(&code))
}

/// An error and what led to it, for the log.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        sentence.push_str(": ");
        sentence.push_str(&inner.to_string());
        source = inner.source();
    }
    sentence
}
