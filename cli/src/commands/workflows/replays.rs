//! `hookwright workflows replay` and `what-if`: runs that have been, again or in another version.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use crate::{
    client::Address,
    commands::runs::How,
    failure::Failure,
    output::{Page, text_at},
    session::Session,
    source,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Replay the runs of a workflow that a filter finds
    #[command(after_help = "\
Examples:
  hookwright workflows replay 6a1f2e3d4c5b6a7980a1b2c3 --error-code rest_timeout --dry-run
  hookwright workflows replay 6a1f2e3d4c5b6a7980a1b2c3 --state failed --from 2026-11-22T00:00:00Z --until 2026-11-23T00:00:00Z

The oldest come first, ten in a second, and as many as --limit says; asked again it goes on with the rest. A run that was replayed
from its start already is left out.")]
    Replay {
        /// The workflow's id
        id: String,
        /// Only runs that ended so
        #[arg(long, value_parser = ["succeeded", "failed", "cancelled"])]
        state: Option<String>,
        /// Only runs that failed with this code
        #[arg(long, value_name = "CODE")]
        error_code: Option<String>,
        /// Only runs that started at this instant or later, such as 2026-11-22T09:30:00Z
        #[arg(long, value_name = "INSTANT")]
        from: Option<String>,
        /// Only runs that started before this instant
        #[arg(long, value_name = "INSTANT")]
        until: Option<String>,
        /// Begin each anew, as a run of its own, and not at the step that failed
        #[arg(long)]
        from_start: bool,
        #[command(flatten)]
        how: How,
        /// How many at the most, up to 1,000
        #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
        /// Only count them
        #[arg(long)]
        dry_run: bool,
    },
    /// Tell what another version would have made of the runs that the workflow has had
    #[command(after_help = "\
Examples:
  hookwright workflows what-if 6a1f2e3d4c5b6a7980a1b2c3 --draft
  hookwright workflows what-if 6a1f2e3d4c5b6a7980a1b2c3 --file new.json --from 2026-11-22T00:00:00Z --limit 100

Nothing is sent and nothing is written: what services answered then is taken for what they would answer.")]
    WhatIf {
        /// The workflow's id
        id: String,
        /// The version is the workflow's draft
        #[arg(long, conflicts_with = "file", required_unless_present = "file")]
        draft: bool,
        /// The version is this document, or - for standard input
        #[arg(long)]
        file: Option<String>,
        /// Only runs that started at this instant or later, such as 2026-11-22T09:30:00Z
        #[arg(long, value_name = "INSTANT")]
        from: Option<String>,
        /// Only runs that started before this instant
        #[arg(long, value_name = "INSTANT")]
        until: Option<String>,
        /// How many runs at the most, up to 100
        #[arg(long, value_name = "NUMBER", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
    },
}

/// Carries the command out.
pub(super) fn run(command: Command, session: &Session) -> Result<(), Failure> {
    let (id, what, draft) = match command {
        Command::Replay { id, state, error_code, from, until, from_start, how, limit, dry_run } => {
            let filter = given([("state", state), ("errorCode", error_code), ("from", from), ("until", until)]);
            let mut draft = how.draft(if from_start { "start" } else { "failed" });
            draft.insert("filter".to_owned(), Value::Object(filter));
            draft.insert("limit".to_owned(), json!(limit));
            draft.insert("dryRun".to_owned(), json!(dry_run));
            (id, "replays", draft)
        }
        Command::WhatIf { id, draft: _, file, from, until, limit } => {
            let mut draft = given([("from", from), ("until", until)]);
            match file {
                Some(file) => draft.insert("definition".to_owned(), source::read_json("--file", &file)?),
                None => draft.insert("draft".to_owned(), json!(true)),
            };
            draft.insert("limit".to_owned(), json!(limit));
            (id, "what-if", draft)
        }
    };
    let address = Address::of(&["workflows", &id, what]);
    let answer = session.client.post(&address, Value::Object(draft).to_string().into_bytes())?;
    session.show(&answer, |answer| if what == "replays" { replays(answer) } else { what_if(answer) })
}

fn given<const MEMBERS: usize>(texts: [(&str, Option<String>); MEMBERS]) -> Map<String, Value> {
    texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text?)))).collect()
}

fn list<'v>(of: &'v Value, name: &str) -> &'v [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

fn replays(answer: &Value) -> Page {
    let attributes = answer.get("attributes").unwrap_or(&Value::Null);
    let mut page = Page::default();
    page.fields(&[
        ("found", text_at(attributes, "/matched")),
        ("replayed", text_at(attributes, "/replayedCount")),
        ("refused", text_at(attributes, "/refusedCount")),
        ("remaining", text_at(attributes, "/remaining")),
    ]);
    for refused in list(attributes, "refused") {
        page.line(format!(
            "{}: {} ({})",
            text_at(refused, "/run"),
            text_at(refused, "/detail"),
            text_at(refused, "/code")
        ));
    }
    page
}

fn what_if(answer: &Value) -> Page {
    let attributes = answer.get("attributes").unwrap_or(&Value::Null);
    let mut page = Page::default();
    page.fields(&[
        ("compared", text_at(attributes, "/comparedCount")),
        ("different", text_at(attributes, "/differentCount")),
        ("not known to the end", text_at(attributes, "/stoppedCount")),
    ]);
    for (title, name) in [("In sum, ways", "decisions"), ("In sum, calls and changes", "effects")] {
        let rows = list(attributes, name).iter();
        let rows: Vec<_> =
            rows.map(|row| [text_at(row, "/step"), text_at(row, "/change"), text_at(row, "/count")]).collect();
        if !rows.is_empty() {
            page.line("");
            page.line(format!("{title}:"));
            page.table(["STEP", "", "RUNS"], rows);
        }
    }
    let different = list(attributes, "runs").iter().filter(|run| run.get("isDifferent") == Some(&Value::Bool(true)));
    for run in different {
        page.line("");
        page.line(format!("Run {} of transaction {}:", text_at(run, "/run"), text_at(run, "/transaction")));
        for difference in list(run, "decisions") {
            let (was, becomes) = (text_at(difference, "/was"), text_at(difference, "/becomes"));
            page.line(format!("  {} went to {was}, and would go to {becomes}", place(difference)));
        }
        for difference in list(run, "effects") {
            let (change, action) = (text_at(difference, "/change"), text_at(difference, "/action"));
            page.line(format!("  {} ({action}) {change}", place(difference)));
            for (title, part) in [("was", "was"), ("would be", "becomes")] {
                if let Some(value) = difference.get(part).filter(|value| !value.is_null()) {
                    page.line(format!("    {title} {value}"));
                }
            }
        }
        for stop in list(run, "stops") {
            page.line(format!("  stops at {}: {}", text_at(stop, "/step"), text_at(stop, "/why")));
        }
    }
    page
}

fn place(difference: &Value) -> String {
    match difference.get("branch").and_then(Value::as_str).unwrap_or_default() {
        "" => text_at(difference, "/step"),
        branch => format!("{branch}/{}", text_at(difference, "/step")),
    }
}
