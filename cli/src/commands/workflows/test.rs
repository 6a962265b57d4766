//! `hookwright workflows test`: the tests of workflows, offline and in no time.

mod watch;

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::{
    failure::Failure,
    output::{self, Format, Page},
    testing::{self, Problem, Report, junit_document},
};

/// The flags of `hookwright workflows test`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A folder with hooks, klasses, apps and workflows, a folder of workflows alone, or a file of tests
    #[arg(default_value = ".", value_name = "DIR")]
    path: PathBuf,
    /// Only cases whose name, or that of their file, contains this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    #[arg(long, value_name = "FILE", help = "Write the results as JUnit XML, too")]
    junit: Option<PathBuf>,
    /// Run them again whenever a file changes, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

/// Runs the tests.
///
/// *Errors*: [`Failure::CasesFailed`] where a case failed; [`Failure::Usage`] where the files have to change first.
pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    if !args.watch {
        return once(args, format);
    }
    watch::run(|| shown(once(args, format), format), watch::Files::below(&args.path))
}

/// In watch mode, what ends the command otherwise is only told.
fn shown(done: Result<(), Failure>, format: Format) -> Result<(), Failure> {
    match done {
        Ok(()) | Err(Failure::CasesFailed) => {}
        Err(Failure::OutputClosed) => return Err(Failure::OutputClosed),
        Err(failure) => drop(crate::failure::report(&failure, format)),
    }
    match format {
        Format::Human => output::print(&Page::of_line("Waiting for a change; Ctrl-C ends it.")),
        Format::Json => Ok(()),
    }
}

fn once(args: &Args, format: Format) -> Result<(), Failure> {
    let report = testing::run(&args.path, args.filter.as_deref()).map_err(|problems| told(&problems, format))?;
    let (passed, failed) = report.counts();
    if let (0, Some(filter)) = (passed + failed, &args.filter) {
        return Err(Failure::Usage(format!("No case and no file of tests has \"{filter}\" in its name.")));
    }
    if let Some(file) = &args.junit {
        write_junit(file, &report)?;
    }
    output::print(&match format {
        Format::Human => report.page(),
        Format::Json => page_of(&report.document()),
    })?;
    if failed > 0 { Err(Failure::CasesFailed) } else { Ok(()) }
}

fn write_junit(file: &PathBuf, report: &Report) -> Result<(), Failure> {
    let written = junit_document(report).and_then(|document| fs::write(file, document));
    written.map_err(|error| Failure::Usage(format!("The file {} cannot be written: {error}.", file.display())))
}

/// Prints what is wrong with the files.
fn told(problems: &[Problem], format: Format) -> Failure {
    let page = match format {
        Format::Human => {
            let mut page = Page::default();
            problems.iter().for_each(|problem| page.line(format!("error: {}", problem.line())));
            page
        }
        Format::Json => {
            let all: Vec<Value> = problems.iter().map(Problem::document).collect();
            page_of(&json!({ "problems": all }))
        }
    };
    output::print_error(&page);
    Failure::FilesWrong
}

fn page_of(document: &Value) -> Page {
    let mut page = Page::default();
    page.json(document);
    page
}
