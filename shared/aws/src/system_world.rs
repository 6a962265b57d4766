//! The world as it is: the system's clock and its source of randomness.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use domain::Timestamp;
use service::ports::{Unavailable, World};

/// The real clock and real chance.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemWorld;

#[async_trait]
impl World for SystemWorld {
    fn now(&self) -> Timestamp {
        // A clock before 1970 is a broken one; the epoch then says so plainly.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millisecond(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    async fn pause(&self, milliseconds: u32) {
        tokio::time::sleep(Duration::from_millis(u64::from(milliseconds))).await;
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        getrandom::fill(bytes).map_err(|error| Unavailable { port: "world", cause: error.to_string() })
    }
}
