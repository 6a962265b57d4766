//! Holding what happened against what a case expects.

use domain::Timestamp;
use serde_json::{Value, json};

use super::{
    arrive::Arrived,
    expected::{Expected, OfRecords, OfRun, Sequence},
    matching,
    witness::Seen,
};
use crate::{commands::reasons_of_step, output::text_at, why};

/// The records of a collection, or why they cannot be read.
pub(crate) type Found = Result<Vec<Value>, Vec<String>>;

/// What was seen of a case.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// When it began.
    pub(crate) start: Timestamp,
    /// The workflow that its file is about, if it is there.
    pub(crate) workflow: Option<String>,
    /// What happened.
    pub(crate) arrivals: Vec<Arrived>,
    /// The traces of what became a transaction.
    pub(crate) traces: Vec<Value>,
    /// Runs in the order they began.
    pub(crate) runs: Vec<Seen>,
    /// Records of the collections that are asked for.
    pub(crate) records: Vec<(String, Found)>,
    /// Calls to the world outside.
    pub(crate) calls: Vec<Value>,
    /// Calls that no mock fits.
    pub(crate) unexpected: Vec<String>,
    /// Mails that were sent.
    pub(crate) mails: Vec<Value>,
    /// Why messages were given up.
    pub(crate) dead_letters: Vec<String>,
}

/// Something that is not as it was expected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mismatch {
    /// Which part of `expect` it is about.
    pub(crate) part: String,
    /// A sentence.
    pub(crate) message: String,
    /// Where in the value the first difference is.
    pub(crate) path: Option<String>,
    /// What was expected and what is there, where they can be shown side by side.
    pub(crate) values: Option<(Value, Value)>,
    /// Why it came to this, in sentences.
    pub(crate) why: Vec<String>,
}

impl Mismatch {
    /// One with nothing but a sentence.
    pub(crate) fn of(part: impl Into<String>, message: impl Into<String>) -> Self {
        Self { part: part.into(), message: message.into(), path: None, values: None, why: Vec::new() }
    }

    fn between(part: impl Into<String>, what: &str, expected: &Value, actual: Option<&Value>) -> Option<Self> {
        let (path, found) = matching::difference(expected, actual, "$")?;
        let message = match actual {
            Some(_) => format!("{what} is another than expected at {path}, where {} is.", told(&found)),
            None => format!("{what} is not there."),
        };
        let values = Some((expected.clone(), matching::seen(expected, actual)));
        Some(Self { part: part.into(), message, path: Some(path), values, why: Vec::new() })
    }

    fn because(self, why: Vec<String>) -> Self {
        Self { why, ..self }
    }
}

/// Everything that is not as expected, in the order of the documentation.
pub(crate) fn judge(expected: &Expected, evidence: &Evidence) -> Vec<Mismatch> {
    let mut mismatches = refusals(expected, evidence);
    for call in &evidence.unexpected {
        let (method, url) = call.split_once(' ').unwrap_or(("GET", call));
        mismatches.push(Mismatch::of(
            "calls",
            format!("A step called {call}, which no mock answers. Add one to the case: `mocks: [{{method: {method}, url: \"{url}\", status: 200, body: {{}}}}]`."),
        ));
    }
    mismatches.extend(evidence.dead_letters.iter().map(|letter| Mismatch::of("messages", letter.as_str())));
    mismatches.extend(the_run(expected, evidence));
    for (workflow, each) in &expected.runs {
        mismatches.extend(runs_of(workflow, each, evidence));
    }
    mismatches.extend(unmentioned(expected, evidence));
    for workflow in &expected.not_started {
        if let Some(run) = evidence.runs.iter().find(|run| run.workflow == *workflow) {
            let message = format!("The workflow {workflow} started a run, and none was expected.");
            let first = run.steps().first().map(reasons_of_step).unwrap_or_default();
            mismatches.push(Mismatch::of("notStarted", message).because(first));
        }
    }
    for (collection, of) in &expected.records {
        let found = evidence.records.iter().find(|(name, _)| name == collection);
        mismatches.extend(found.into_iter().flat_map(|(_, found)| records(collection, of, found)));
    }
    mismatches.extend(expected.calls.as_ref().and_then(|calls| sequence("calls", "call", calls, &evidence.calls)));
    mismatches.extend(expected.mails.as_ref().and_then(|mails| sequence("mails", "mail", mails, &evidence.mails)));
    if let (Some(answer), Some(last)) = (&expected.answer, evidence.arrivals.last()) {
        let what = format!("The answer to {}", last.what);
        mismatches.extend(Mismatch::between("answer", &what, answer, Some(&last.answer)));
    }
    mismatches
}

/// Events that were refused; the last one may be, where an answer is expected.
fn refusals(expected: &Expected, evidence: &Evidence) -> Vec<Mismatch> {
    let last = evidence.arrivals.len().saturating_sub(usize::from(expected.answer.is_some()));
    let refused = evidence.arrivals.iter().take(last).filter(|arrived| !arrived.refusals.is_empty());
    let told = refused.map(|arrived| {
        let message = format!("{} was refused: {}", capitalized(&arrived.what), arrived.refusals.join(" "));
        Mismatch::of("answer", message)
    });
    told.collect()
}

/// What is expected of the one run.
fn the_run(expected: &Expected, evidence: &Evidence) -> Vec<Mismatch> {
    let of = &expected.run;
    if of.is_silent() {
        return Vec::new();
    }
    let of_workflow = |run: &&Seen| evidence.workflow.as_ref().is_none_or(|workflow| run.workflow == *workflow);
    let runs: Vec<&Seen> = evidence.runs.iter().filter(of_workflow).collect();
    let whose = evidence.workflow.as_ref().map(|workflow| format!(" of {workflow}")).unwrap_or_default();
    match runs.as_slice() {
        [run] => of_run("", of, run, evidence.start),
        [] => {
            let message = format!("No run{whose} was started.");
            vec![Mismatch::of("run", message).because(evidence.traces.iter().flat_map(why::trace).collect())]
        }
        several => {
            let message = format!(
                "{} runs{whose} were started. Say what is expected of each in `runs`: {{{}: [{{state: …}}, …]}}.",
                several.len(),
                several.first().map_or("WORKFLOW", |run| run.workflow.as_str())
            );
            vec![Mismatch::of("run", message)]
        }
    }
}

fn runs_of(workflow: &str, each: &[OfRun], evidence: &Evidence) -> Vec<Mismatch> {
    let runs: Vec<&Seen> = evidence.runs.iter().filter(|run| run.workflow == workflow).collect();
    let part = format!("runs.{workflow}");
    if runs.len() != each.len() {
        let message = format!("{workflow} started {}, and {} expected.", counted(runs.len(), "run"), were(each.len()));
        return vec![Mismatch::of(part, message).because(evidence.traces.iter().flat_map(why::trace).collect())];
    }
    let place = |index: usize| if each.len() == 1 { format!("{part}.") } else { format!("{part}[{index}].") };
    let pairs = each.iter().zip(runs).enumerate();
    pairs.flat_map(|(index, (of, run))| of_run(&place(index), of, run, evidence.start)).collect()
}

/// Runs that failed and that nobody asked about.
fn unmentioned(expected: &Expected, evidence: &Evidence) -> Vec<Mismatch> {
    let is_the_run = |run: &Seen| {
        !expected.run.is_silent() && evidence.workflow.as_ref().is_none_or(|workflow| run.workflow == *workflow)
    };
    let is_named = |run: &Seen| expected.runs.iter().any(|(workflow, _)| *workflow == run.workflow);
    let failed = evidence.runs.iter().filter(|run| run.state() == "failed" && !is_the_run(run) && !is_named(run));
    failed.map(|run| failure("state", run)).collect()
}

fn of_run(prefix: &str, of: &OfRun, run: &Seen, start: Timestamp) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let state = run.state();
    match (&of.state, &of.error) {
        (Some(expected), _) if *expected != state => {
            let message = format!("The state of the run of {} is {state}, and {expected} was expected.", run.workflow);
            mismatches.push(Mismatch::of(format!("{prefix}state"), message).because(last_reasons(run)));
        }
        (None, None) if state == "failed" => mismatches.push(failure(&format!("{prefix}state"), run)),
        (_, _) => {}
    }
    mismatches.extend(of.path.as_ref().and_then(|path| steps(&format!("{prefix}path"), path, run)));
    for (step, expected) in &of.outputs {
        let part = format!("{prefix}outputs.{step}");
        let what = format!("The output of {step}");
        let ran = run.steps().iter().any(|ran| ran.get("id").and_then(Value::as_str) == Some(step));
        let mismatch = match ran {
            true => Mismatch::between(part, &what, expected, run.output(step)),
            false => Some(Mismatch::of(part, format!("The run of {} never came to {step}.", run.workflow))),
        };
        mismatches.extend(mismatch);
    }
    if let Some(timers) = &of.timers {
        let expected: Vec<String> = timers.iter().map(|timer| timer.from(start).to_string()).collect();
        let waited: Vec<String> = run.timers.iter().map(Timestamp::to_string).collect();
        let what = "The list of timers";
        mismatches.extend(Mismatch::between(format!("{prefix}timers"), what, &json!(expected), Some(&json!(waited))));
    }
    if let Some(error) = &of.error {
        let found = run.attributes.get("error").filter(|error| !error.is_null());
        let found = if error.is_string() { found.and_then(|found| found.get("code")) } else { found };
        mismatches.extend(Mismatch::between(format!("{prefix}error"), "The error of the run", error, found));
    }
    mismatches
}

/// Whether the run took these steps; if not, where it went another way and why.
fn steps(part: &str, expected: &[String], run: &Seen) -> Option<Mismatch> {
    let path = run.path();
    let taken: Vec<String> = path.iter().map(|step| text_at(step, "/id")).collect();
    if taken == expected {
        return None;
    }
    let common = taken.iter().zip(expected).take_while(|(taken, expected)| taken == expected).count();
    let parting = match common.checked_sub(1) {
        Some(last) => path.get(last).copied(),
        None => run.steps().first(),
    };
    let from = if common == 0 { "the trigger".to_owned() } else { taken.get(common - 1).cloned().unwrap_or_default() };
    let named = |steps: &[String]| steps.get(common).cloned();
    let message = match (named(&taken), named(expected)) {
        (Some(taken), Some(expected)) => format!("After {from} the run went to {taken}, not to {expected}."),
        (Some(taken), None) => format!("After {from} the run went on to {taken}; it was expected to end there."),
        (None, Some(expected)) => format!("After {from} the run went no further; {expected} was expected."),
        (None, None) => return None,
    };
    let values = Some((json!(expected), json!(taken)));
    let why = parting.map(reasons_of_step).unwrap_or_default();
    Some(Mismatch { part: part.to_owned(), message, path: Some(format!("$[{common}]")), values, why })
}

fn failure(part: &str, run: &Seen) -> Mismatch {
    let error = run.attributes.get("error").unwrap_or(&Value::Null);
    let message =
        format!("The run of {} failed: {} ({})", run.workflow, text_at(error, "/message"), text_at(error, "/code"));
    Mismatch::of(part, message).because(last_reasons(run))
}

fn last_reasons(run: &Seen) -> Vec<String> {
    run.steps().last().map(reasons_of_step).unwrap_or_default()
}

fn records(collection: &str, of: &OfRecords, found: &Found) -> Vec<Mismatch> {
    let part = format!("records.{collection}");
    let found = match found {
        Ok(found) => found,
        Err(told) => return vec![Mismatch::of(part, format!("They cannot be read: {}", told.join(" ")))],
    };
    let mut mismatches = Vec::new();
    if let Some(count) = of.count.filter(|count| usize::try_from(*count) != Ok(found.len())) {
        let were = format!("{count} {} expected", if count == 1 { "was" } else { "were" });
        let message = format!("There {} in {collection}, and {were}.", is_counted(found.len(), "record"));
        mismatches.push(Mismatch::of(part.clone(), message));
    }
    let mut left: Vec<&Value> = found.iter().collect();
    for expected in &of.include {
        match left.iter().position(|record| matching::difference(expected, Some(record), "$").is_none()) {
            Some(position) => drop(left.remove(position)),
            None => mismatches.push(missing(&part, collection, expected, &left)),
        }
    }
    mismatches
}

/// A record that is not there, beside the one that is most like it.
fn missing(part: &str, collection: &str, expected: &Value, left: &[&Value]) -> Mismatch {
    let nearest = left.iter().min_by_key(|record| matching::differences(expected, Some(record)));
    let Some(nearest) = nearest else {
        let message = format!("No record in {collection} is left that could be {expected}.");
        return Mismatch::of(part, message);
    };
    let (path, found) = matching::difference(expected, Some(nearest), "$").unwrap_or_default();
    let message = format!(
        "No record in {collection} is as expected. The nearest is another at {path}, where {} is.",
        told(&found)
    );
    let values = Some((expected.clone(), matching::seen(expected, Some(nearest))));
    Mismatch { part: part.to_owned(), message, path: Some(path), values, why: Vec::new() }
}

fn sequence(part: &str, noun: &str, expected: &Sequence, found: &[Value]) -> Option<Mismatch> {
    match expected {
        Sequence::Count(count) if usize::try_from(*count) == Ok(found.len()) => None,
        Sequence::Count(count) => {
            let were = format!("{count} {} expected", if *count == 1 { "was" } else { "were" });
            let message = format!("There {}, and {were}.", is_counted(found.len(), noun));
            let outline = found.iter().map(|found| text_at(found, if noun == "call" { "/url" } else { "/subject" }));
            Some(Mismatch::of(part, message).because(outline.collect()))
        }
        Sequence::Each(each) => {
            let (expected, actual) = (Value::Array(each.clone()), Value::Array(found.to_vec()));
            Mismatch::between(part, &format!("The list of {noun}s"), &expected, Some(&actual))
        }
    }
}

/// A value in a few words.
fn told(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) => domain::shortened(&value.to_string(), 80),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn is_counted(count: usize, noun: &str) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{verb} {}", counted(count, noun))
}

fn were(count: usize) -> String {
    if count == 1 { "1 was".to_owned() } else { format!("{count} were") }
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{span::Moment, witness::Seen},
        *,
    };

    fn evidence(timers: &[i64]) -> Evidence {
        let timers = timers.iter().map(|seconds| Timestamp::from_millisecond(seconds * 1_000)).collect();
        let run = Seen::of("orders", json!({ "state": "waiting", "steps": [{ "id": "1" }, { "id": "wait" }] }), timers);
        Evidence {
            start: Timestamp::from_millisecond(0),
            workflow: Some("orders".to_owned()),
            arrivals: Vec::new(),
            traces: Vec::new(),
            runs: vec![run],
            records: Vec::new(),
            calls: Vec::new(),
            unexpected: Vec::new(),
            mails: Vec::new(),
            dead_letters: Vec::new(),
        }
    }

    #[test]
    fn timers_are_instants_or_spans_from_the_start() {
        let timers = |timers: Vec<Moment>| Expected {
            run: OfRun { timers: Some(timers), ..OfRun::default() },
            ..Expected::default()
        };
        let (minute, instant) = (Moment::After(60), Moment::At(Timestamp::from_millisecond(3_600_000)));
        assert_eq!(judge(&timers(vec![minute, instant]), &evidence(&[60, 3_600])), []);
        assert_eq!(judge(&timers(Vec::new()), &evidence(&[])), []);
        let told = judge(&timers(vec![minute]), &evidence(&[61]));
        assert_eq!(
            told.first().map(|told| told.message.as_str()),
            Some("The list of timers is another than expected at $[0], where \"1970-01-01T00:01:01.000Z\" is.")
        );
    }

    #[test]
    fn the_last_step_of_a_path_is_told_where_the_run_ends_early_or_goes_on() {
        let path = |steps: &[&str]| {
            let path = Some(steps.iter().map(|step| (*step).to_owned()).collect());
            Expected { run: OfRun { path, ..OfRun::default() }, ..Expected::default() }
        };
        let told = |steps: &[&str]| judge(&path(steps), &evidence(&[])).first().map(|told| told.message.clone());
        assert_eq!(told(&["wait"]), None);
        assert_eq!(
            told(&[]).as_deref(),
            Some("After the trigger the run went on to wait; it was expected to end there.")
        );
        assert_eq!(told(&["wait", "mail"]).as_deref(), Some("After wait the run went no further; mail was expected."));
        assert_eq!(told(&["mail"]).as_deref(), Some("After the trigger the run went to wait, not to mail."));
    }
}
