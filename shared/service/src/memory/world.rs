//! A world whose clock and chance are given.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use domain::Timestamp;

use crate::ports::{Unavailable, World};

/// A clock that stands still until it is set, and bytes that count up.
///
/// Two worlds begun at the same instant give the same bytes in the same order, and no world gives the same eight
/// bytes twice, so that ids stay unique.
#[derive(Debug)]
pub struct FixedWorld {
    now_ms: AtomicI64,
    drawn: AtomicU64,
}

impl FixedWorld {
    /// A world in which it is `now`.
    pub const fn at(now: Timestamp) -> Self {
        Self { now_ms: AtomicI64::new(now.as_millisecond()), drawn: AtomicU64::new(0) }
    }

    /// Makes it `now`, earlier or later.
    pub fn set(&self, now: Timestamp) {
        self.now_ms.store(now.as_millisecond(), Ordering::SeqCst);
    }

    /// Lets `seconds` pass.
    pub fn pass_seconds(&self, seconds: i64) {
        self.set(self.now().plus_seconds(seconds));
    }
}

#[async_trait]
impl World for FixedWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms.load(Ordering::SeqCst))
    }

    async fn pause(&self, milliseconds: u32) {
        self.set(Timestamp::from_millisecond(self.now().as_millisecond() + i64::from(milliseconds)));
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), Unavailable> {
        for chunk in bytes.chunks_mut(size_of::<u64>()) {
            let count = self.drawn.fetch_add(1, Ordering::SeqCst).wrapping_add(1).to_be_bytes();
            let skipped = count.len().saturating_sub(chunk.len());
            for (byte, counted) in chunk.iter_mut().zip(count.into_iter().skip(skipped)) {
                *byte = counted;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_worlds_draw_the_same_bytes_and_one_world_never_draws_them_again() {
        let draw = |world: &FixedWorld| {
            let mut bytes = [0; 12];
            world.fill(&mut bytes).unwrap();
            bytes
        };
        let (one, other) =
            (FixedWorld::at(Timestamp::from_millisecond(5)), FixedWorld::at(Timestamp::from_millisecond(9)));
        let first = draw(&one);
        assert_eq!(first, draw(&other));
        assert_ne!(first, draw(&one));
    }

    #[test]
    fn time_passes_only_when_told() {
        let world = FixedWorld::at(Timestamp::from_millisecond(1500));
        assert_eq!(world.now().as_millisecond(), 1500);
        world.pass_seconds(2);
        assert_eq!(world.now().as_millisecond(), 3500);
    }
}
