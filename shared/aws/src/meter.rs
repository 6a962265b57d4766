//! Consumed capacity, added up, so that tests and benches can say what a run costs.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Capacity units come in halves (an eventually consistent read of 4 KB is half a unit).
const HALVES_PER_UNIT: f64 = 2.0;

/// Counts the units that the store's answers say were consumed, indexes included.
///
/// A refused conditional write costs units as well, and its answer does not say how many: those are not in here.
#[derive(Debug, Default)]
pub struct Meter {
    written_halves: AtomicU64,
    read_halves: AtomicU64,
}

impl Meter {
    /// Write units since the last [`Meter::reset`].
    pub fn write_units(&self) -> f64 {
        in_units(self.written_halves.load(Ordering::Relaxed))
    }

    /// Read units since the last [`Meter::reset`].
    pub fn read_units(&self) -> f64 {
        in_units(self.read_halves.load(Ordering::Relaxed))
    }

    /// Starts again from nothing.
    pub fn reset(&self) {
        self.written_halves.store(0, Ordering::Relaxed);
        self.read_halves.store(0, Ordering::Relaxed);
    }

    pub(crate) fn count_write<'capacity>(&self, consumed: impl IntoIterator<Item = &'capacity ConsumedCapacity>) {
        self.written_halves.fetch_add(halves(consumed), Ordering::Relaxed);
    }

    pub(crate) fn count_read<'capacity>(&self, consumed: impl IntoIterator<Item = &'capacity ConsumedCapacity>) {
        self.read_halves.fetch_add(halves(consumed), Ordering::Relaxed);
    }
}

// Both conversions are exact: no count comes near 2^52.
#[expect(clippy::cast_precision_loss)]
fn in_units(halves: u64) -> f64 {
    halves as f64 / HALVES_PER_UNIT
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn halves<'capacity>(consumed: impl IntoIterator<Item = &'capacity ConsumedCapacity>) -> u64 {
    let units: f64 = consumed.into_iter().filter_map(ConsumedCapacity::capacity_units).sum();
    (units * HALVES_PER_UNIT).round() as u64
}
