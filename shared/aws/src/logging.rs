//! What a function writes to its log: one JSON object a line, which `CloudWatch` reads into fields.

use tracing_subscriber::filter::LevelFilter;

use crate::config;

/// Sends what is traced to standard output as JSON, from the level that Lambda's `AWS_LAMBDA_LOG_LEVEL` names on.
pub fn log_as_json() {
    let level = config::log_level().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_max_level(level)
        .init();
}
