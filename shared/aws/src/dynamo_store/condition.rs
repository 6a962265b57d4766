//! An expectation in DynamoDB's words.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Timestamp;
use service::ports::Expectation;

use super::attributes::number;

/// Nothing is there, or something that has expired.
const ABSENT: &str = "attribute_not_exists(pk) OR expires_at < :now";

/// An item of this revision is there and has not expired.
const OF_REV: &str = "rev = :rev AND (attribute_not_exists(expires_at) OR expires_at >= :now)";

/// A condition expression and the values it names.
pub(super) struct Condition {
    pub(super) expression: Option<String>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl Condition {
    /// The condition that holds when `expectation` does at `now`.
    pub(super) fn of(expectation: Expectation, now: Timestamp) -> Self {
        let now = (":now".to_owned(), number(now.as_second()));
        match expectation {
            Expectation::Absent => Self::new(ABSENT, [now].into()),
            Expectation::Rev(rev) => Self::new(OF_REV, [now, (":rev".to_owned(), number(rev))].into()),
            Expectation::Anything => Self { expression: None, values: None },
        }
    }

    fn new(expression: &str, values: HashMap<String, AttributeValue>) -> Self {
        Self { expression: Some(expression.to_owned()), values: Some(values) }
    }
}
