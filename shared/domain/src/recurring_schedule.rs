//! Recurring schedules: calls of a workflow that are made again and again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{OrgId, Recurrence, RecurringScheduleId, ScheduledRunId, Timestamp, WorkflowId};

/// How late an occurrence may be made up for. *Why a day*: after an outage the report of last night is still wanted, and the
/// thousand of the last week are not.
pub const CATCH_UP_SECONDS: i64 = 86_400;

/// A workflow that is called at each occurrence of a recurrence.
///
/// Each occurrence is a [scheduled run](crate::ScheduledRun) of its own, which is made when its time has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecurringSchedule {
    /// The schedule.
    pub id: RecurringScheduleId,
    /// Its owner.
    pub org: OrgId,
    /// What people call it.
    pub title: String,
    /// Whether it calls.
    pub enabled: bool,
    /// The workflow that is called.
    pub workflow: WorkflowId,
    /// What it is called with.
    #[serde(with = "crate::exact")]
    pub inputs: Value,
    /// When.
    pub recurrence: Recurrence,
    /// The occurrence that is to come; none while it is not enabled, and at the end of the calendar.
    pub next_run_at: Option<Timestamp>,
    /// The last occurrence that was made or skipped. None before it, and not it either, is ever made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_until: Option<Timestamp>,
    /// What the last occurrence became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<ScheduledRunId>,
    /// The last occurrences that were too late to be made up for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<Skipped>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody changed it last.
    pub updated_at: Timestamp,
}

/// Occurrences that were skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// The first of them.
    pub from: Timestamp,
    /// The first after them.
    pub until: Option<Timestamp>,
}

impl RecurringSchedule {
    /// Lets the next occurrence be the first after `now` that was not settled before, or none where it is not enabled. One
    /// that is due and not made yet stays the next.
    pub fn plan(&mut self, now: Timestamp) {
        let due = self.next_run_at.filter(|next| *next <= now);
        let from = self.settled_until.map_or(now, |settled| settled.max(now));
        self.next_run_at = if self.enabled { due.or_else(|| self.recurrence.next_after(from)) } else { None };
    }

    /// The occurrence that is to be made at `now`, if one is, and the schedule once it is.
    ///
    /// One that is more than [`CATCH_UP_SECONDS`] late is not made, nor are those after it up to there; the schedule says so.
    pub fn take_due(&self, now: Timestamp) -> Option<(Option<Timestamp>, Self)> {
        let due = self.next_run_at.filter(|next| self.enabled && *next <= now)?;
        let earliest = now.plus_seconds(-CATCH_UP_SECONDS);
        let mut after = self.clone();
        if due < earliest {
            let before_earliest = Timestamp::from_millisecond(earliest.as_millisecond().saturating_sub(1));
            after.settled_until = Some(before_earliest);
            after.next_run_at = self.recurrence.next_after(before_earliest);
            after.skipped = Some(Skipped { from: due, until: after.next_run_at });
            return Some((None, after));
        }
        after.settled_until = Some(due);
        after.next_run_at = self.recurrence.next_after(due);
        after.last_run = Some(ScheduledRunId::for_occurrence(self.id, due));
        Some((Some(due), after))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn schedule(recurrence: Value, now: &str) -> RecurringSchedule {
        let now = at(now);
        let mut schedule = RecurringSchedule {
            id: RecurringScheduleId::fresh(now, [1; 8]),
            org: OrgId::fresh(now, [2; 8]),
            title: "Report".to_owned(),
            enabled: true,
            workflow: WorkflowId::fresh(now, [3; 8]),
            inputs: json!({}),
            recurrence: Recurrence::parse(&recurrence).unwrap(),
            next_run_at: None,
            settled_until: None,
            last_run: None,
            skipped: None,
            created_at: now,
            updated_at: now,
        };
        schedule.plan(now);
        schedule
    }

    /// What is made where somebody looks at these times.
    fn made(schedule: &mut RecurringSchedule, looks: &[&str]) -> Vec<String> {
        let mut made = Vec::new();
        for look in looks {
            while let Some((due, after)) = schedule.take_due(at(look)) {
                made.extend(due.map(|due| due.to_string()));
                *schedule = after;
            }
        }
        made
    }

    #[test]
    fn each_occurrence_is_made_once_however_late_one_looks_and_wherever_the_clock_jumps() {
        let hourly = json!({ "cron": "0 * * * *" });
        for looks in [
            &["2026-11-22T13:00:00Z", "2026-11-22T14:00:00Z", "2026-11-22T15:00:00Z"][..],
            &["2026-11-22T13:59:59Z", "2026-11-22T13:59:59Z", "2026-11-22T15:30:00Z"],
            &["2026-11-22T15:59:59Z", "2026-11-22T12:00:00Z", "2026-11-22T13:30:00Z", "2026-11-22T15:59:59Z"],
        ] {
            let mut schedule = schedule(hourly.clone(), "2026-11-22T12:00:00Z");
            let wanted = ["2026-11-22T13:00:00.000Z", "2026-11-22T14:00:00.000Z", "2026-11-22T15:00:00.000Z"];
            assert_eq!(made(&mut schedule, looks), wanted, "{looks:?}");
            assert_eq!(schedule.next_run_at, Some(at("2026-11-22T16:00:00Z")));
            assert_eq!(schedule.skipped, None);
        }
    }

    #[test]
    fn an_occurrence_is_made_up_for_a_day_later_and_not_a_moment_after() {
        let daily = json!({ "every": { "days": 1 } });
        let mut on_time = schedule(daily.clone(), "2026-11-22T12:00:00Z");
        assert_eq!(
            made(&mut on_time, &["2026-11-24T00:00:00Z"]),
            ["2026-11-23T00:00:00.000Z", "2026-11-24T00:00:00.000Z"]
        );
        let mut late = schedule(daily, "2026-11-22T12:00:00Z");
        assert_eq!(made(&mut late, &["2026-11-24T00:00:00.001Z"]), ["2026-11-24T00:00:00.000Z"]);
        let (from, until) = (at("2026-11-23T00:00:00Z"), Some(at("2026-11-24T00:00:00Z")));
        assert_eq!(late.skipped, Some(Skipped { from, until }));
    }

    #[test]
    fn a_change_makes_no_occurrence_twice_and_leaves_out_none_that_is_due() {
        let mut schedule = schedule(json!({ "cron": "0 * * * *" }), "2026-11-22T12:00:00Z");
        let noon = at("2026-11-22T13:00:00Z");
        schedule.plan(noon);
        assert_eq!(schedule.next_run_at, Some(noon), "it is due, and was not made yet");
        assert_eq!(made(&mut schedule, &["2026-11-22T13:00:00Z"]).len(), 1);
        schedule.recurrence = Recurrence::parse(&json!({ "every": { "minutes": 30 } })).unwrap();
        // The clock was set back.
        schedule.plan(at("2026-11-22T12:10:00Z"));
        assert_eq!(schedule.next_run_at, Some(at("2026-11-22T13:30:00Z")));
        schedule.enabled = false;
        schedule.plan(noon);
        assert_eq!((schedule.next_run_at, schedule.take_due(at("2026-11-23T13:00:00Z"))), (None, None));
        schedule.enabled = true;
        schedule.plan(at("2026-11-25T12:00:00Z"));
        assert_eq!(schedule.next_run_at, Some(at("2026-11-25T12:30:00Z")), "what it slept through is not made up for");
    }
}
