//! What came of the tests, for people and for programs.

use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use super::{judge::Mismatch, play::Outcome, witness::Seen};
use crate::output::{Page, text_at};

/// How many lines around a difference are shown.
const CONTEXT_LINES: usize = 3;

/// The most lines of a comparison that are shown.
const DIFF_LIMIT_LINES: usize = 60;

/// What came of all that was run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By file.
    pub(crate) files: Vec<FileReport>,
    /// Files of workflows that no case starts; nothing where not all cases were run.
    pub(crate) untested: Vec<String>,
}

/// What came of the cases of a file.
#[derive(Debug)]
pub(crate) struct FileReport {
    /// The file.
    pub(crate) file: String,
    /// Its cases.
    pub(crate) outcomes: Vec<Outcome>,
}

impl Outcome {
    /// Whether everything was as expected.
    pub(crate) fn has_passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

impl Report {
    /// How many cases passed, and how many did not.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let outcomes = || self.files.iter().flat_map(|file| &file.outcomes);
        let passed = outcomes().filter(|outcome| outcome.has_passed()).count();
        (passed, outcomes().count() - passed)
    }

    /// One line for each case, then what is not as expected.
    pub(crate) fn page(&self) -> Page {
        let mut page = Page::default();
        for FileReport { file, outcomes } in &self.files {
            page.line(file);
            for outcome in outcomes {
                let word = if outcome.has_passed() { "ok  " } else { "FAIL" };
                page.line(format!("  {word}  {}", outcome.case));
            }
        }
        for FileReport { file, outcomes } in &self.files {
            for outcome in outcomes.iter().filter(|outcome| !outcome.has_passed()) {
                page.line("");
                page.line(format!("{file} > {}", outcome.case));
                failure_lines(outcome).iter().for_each(|line| page.line(format!("  {line}")));
            }
        }
        page.line("");
        for workflow in &self.untested {
            page.line(format!("No case starts a run of {workflow}."));
        }
        let (passed, failed) = self.counts();
        let noun = if passed + failed == 1 { "case" } else { "cases" };
        page.line(format!("{} {noun}: {passed} passed, {failed} failed", passed + failed));
        page
    }

    /// The same for programs.
    pub(crate) fn document(&self) -> Value {
        let (passed, failed) = self.counts();
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|FileReport { file, outcomes }| {
                json!({ "file": file, "cases": outcomes.iter().map(outcome_document).collect::<Vec<_>>() })
            })
            .collect();
        json!({ "files": files, "untested": self.untested, "passed": passed, "failed": failed })
    }
}

/// What is not as expected in a case, line by line, and which way its runs took.
pub(crate) fn failure_lines(outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    for Mismatch { part, message, values, why, .. } in &outcome.mismatches {
        lines.push(format!("{part}: {message}"));
        if let Some((expected, actual)) = values {
            lines.push("  - expected".to_owned());
            lines.push("  + actual".to_owned());
            lines.extend(comparison(expected, actual).into_iter().map(|line| format!("  {line}")));
        }
        lines.extend(why.iter().map(|sentence| format!("  {sentence}")));
        lines.push(String::new());
    }
    lines.extend(outcome.runs.iter().map(taken));
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// `Run of orders: find → create, succeeded.`
fn taken(run: &Seen) -> String {
    let steps: Vec<String> = run.path().into_iter().map(|step| text_at(step, "/id")).collect();
    let path = if steps.is_empty() { "no step".to_owned() } else { steps.join(" → ") };
    let state = match (run.state().as_str(), run.timers.last()) {
        ("waiting", Some(until)) => format!("waiting until {until}"),
        (state, _) => state.to_owned(),
    };
    format!("Run of {}: {path}, {state}.", run.workflow)
}

/// The lines of two values, marked where they are different.
fn comparison(expected: &Value, actual: &Value) -> Vec<String> {
    let (expected, actual) = (format!("{expected:#}\n"), format!("{actual:#}\n"));
    let diff = TextDiff::from_lines(&expected, &actual);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if index > 0 {
            lines.push("  …".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            lines.push(format!("{mark} {}", change.value().trim_end_matches('\n')));
        }
    }
    let left = lines.len().saturating_sub(DIFF_LIMIT_LINES);
    lines.truncate(DIFF_LIMIT_LINES);
    if left > 0 {
        lines.push(format!("  … and {left} more lines"));
    }
    lines
}

fn outcome_document(outcome: &Outcome) -> Value {
    let runs: Vec<Value> = outcome
        .runs
        .iter()
        .map(|run| {
            let path: Vec<&Value> = run.path().into_iter().filter_map(|step| step.get("id")).collect();
            let timers: Vec<String> = run.timers.iter().map(ToString::to_string).collect();
            let error = run.attributes.get("error").cloned().unwrap_or_default();
            json!({ "id": run.id, "workflow": run.workflow, "state": run.state(), "path": path, "timers": timers, "error": error })
        })
        .collect();
    let failures: Vec<Value> = outcome
        .mismatches
        .iter()
        .map(|Mismatch { part, message, path, values, why }| {
            let (expected, actual) = values.clone().unwrap_or_default();
            json!({ "part": part, "message": message, "path": path, "expected": expected, "actual": actual, "why": why })
        })
        .collect();
    let word = if outcome.has_passed() { "passed" } else { "failed" };
    json!({ "name": outcome.case, "outcome": word, "failures": failures, "runs": runs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_shows_what_is_different_with_three_lines_around_it() {
        let list = |from: u32, changed: u32| -> Value {
            (from..from + 12).map(|n| if n == changed { 0 } else { n }).collect()
        };
        let lines = comparison(&list(1, 0), &list(1, 6));
        assert_eq!(lines, ["    3,", "    4,", "    5,", "-   6,", "+   0,", "    7,", "    8,", "    9,"]);
    }

    #[test]
    fn a_long_comparison_is_cut_with_a_sign() {
        let numbers = |count: u32| -> Value { (0..count).collect() };
        let at_the_limit = comparison(&json!([]), &numbers(57));
        assert_eq!(at_the_limit.len(), DIFF_LIMIT_LINES, "{at_the_limit:?}");
        let past_it = comparison(&json!([]), &numbers(58));
        assert_eq!(past_it.last().map(String::as_str), Some("  … and 1 more lines"));
    }
}
