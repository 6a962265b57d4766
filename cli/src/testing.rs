//! Tests of workflows: a folder is read, and each of its cases is played in a world of its own, offline.
//!
//! ```text
//! folder ─→ tests_file ─→ play ─→ judge ─→ report, junit
//!            (case, expected)  │
//!                              ├─ setup: what the folder holds and the case gives
//!                              ├─ arrive: what happens, by the service's own doors
//!                              └─ world: the service over ports in memory, whose clock jumps to what is due next
//! ```
//!
//! Nothing of the service is copied here: what a step does in a test is what the executor does in production. `docs/testing.md` has the
//! format.

mod folder;
mod tests_file;

mod case;
mod expected;
mod mocks;

mod placeholder;
mod reading;
mod span;
mod yaml;

mod play;

mod arrive;
mod mailbox;
mod setup;
mod witness;
mod world;

mod judge;
mod matching;

mod junit;
mod report;

use std::{collections::BTreeSet, path::Path};

use tokio::runtime;

pub(crate) use junit::document as junit_document;
pub(crate) use reading::Problem;
pub(crate) use report::Report;

use folder::Folder;
use report::FileReport;

/// Runs the tests in `path`: those whose name, or that of their file, contains `filter`, where there is one.
///
/// *Errors*: what is wrong with the files; nothing was run then, or not all.
pub(crate) fn run(path: &Path, filter: Option<&str>) -> Result<Report, Vec<Problem>> {
    let folder = Folder::read(path)?;
    let runtime = runtime::Builder::new_current_thread().build();
    let runtime = runtime
        .map_err(|error| vec![Problem::of_file(&path.display().to_string(), format!("Nothing can run: {error}."))])?;
    runtime.block_on(run_all(&folder, filter))
}

async fn run_all(folder: &Folder, filter: Option<&str>) -> Result<Report, Vec<Problem>> {
    let suites = tests_file::suites(folder)?;
    let mut report = Report::default();
    let mut started = BTreeSet::new();
    for suite in &suites {
        let is_wanted = |name: &str| filter.is_none_or(|text| name.contains(text) || suite.tests.file.contains(text));
        let mut outcomes = Vec::new();
        for case in suite.cases.iter().filter(|case| is_wanted(&case.name)) {
            let outcome = play::play(folder, suite, case).await?;
            started.extend(outcome.runs.iter().map(|run| run.workflow.clone()));
            outcomes.push(outcome);
        }
        if !outcomes.is_empty() {
            report.files.push(FileReport { file: suite.tests.file.clone(), outcomes });
        }
    }
    if filter.is_none() && folder.has_all_tests {
        let untested = folder.workflows.iter().filter(|entry| !started.contains(&entry.handle));
        report.untested = untested.map(|entry| entry.file.clone()).collect();
    }
    Ok(report)
}
