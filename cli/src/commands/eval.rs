//! `hookwright eval`: what an expression or a condition gives, and why.

use std::time::SystemTime;

use domain::{Timestamp, exact};
use engine::Setup;
use serde_json::{Map, Value, json};
use service::{explainer, http::problems_document};

use crate::{
    client::Address,
    config::Global,
    failure::{Failure, Refusal},
    output::{self, Format, Page, text_at},
    session::Session,
    source,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hookwright eval '/#steps.1.attributes.data.email' --transaction 6a1f2e3d4c5b6a7980a1b2c3
  hookwright eval 'Order {{steps.1.number}}' --steps '{\"1\": {\"number\": 5}}' --offline
  hookwright eval --condition '{\"op\": \"gt\", \"values\": [\"/#steps.1.total\", 100]}' --steps steps.json
  hookwright eval params.json --run 6a1f2e3d4c5b6a7980a1b2c4

What stands for JSON is JSON that begins with { or [, the name of a file that ends in .json, or - for standard input.
Without a server there are no business schedules and no settings of apps.")]
pub(crate) struct Args {
    /// A reference, a function, a template; or JSON with such at any depth
    #[arg(required_unless_present = "condition", conflicts_with = "condition")]
    expression: Option<String>,
    /// A condition as transitions have it
    #[arg(long, value_name = "JSON")]
    condition: Option<String>,
    /// What each step has put out, by its id
    #[arg(long, value_name = "JSON")]
    steps: Option<String>,
    /// What /#error gives
    #[arg(long, value_name = "JSON")]
    error: Option<String>,
    /// Made-up values of variables, by their id; those that workflows have are not read
    #[arg(long, value_name = "JSON")]
    variables: Option<String>,
    /// The present, instead of now
    #[arg(long, value_name = "INSTANT")]
    now: Option<String>,
    /// Step 1 is this transaction
    #[arg(long, value_name = "ID", conflicts_with_all = ["steps", "run", "offline"])]
    transaction: Option<String>,
    /// The steps are those of this run
    #[arg(long, value_name = "ID", conflicts_with_all = ["steps", "offline"])]
    run: Option<String>,
    /// Work it out here, without a server
    #[arg(long)]
    offline: bool,
}

/// Carries the command out.
pub(crate) fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let mut request = request(&args)?;
    if args.offline {
        return show(&offline(request)?, global.format());
    }
    let session = Session::open(global)?;
    if let Some(id) = &args.transaction {
        let transaction = session.client.get(&Address::of(&["transactions", id]))?;
        let data = transaction.get("data").cloned().unwrap_or_default();
        request.insert("steps".to_owned(), exact::object([("1", data)]));
    }
    if let Some(id) = &args.run {
        let run = session.client.get(&Address::of(&["runs", id]))?;
        request.insert("steps".to_owned(), outputs(&run));
        if let (None, Some(error)) = (&args.error, last_error(&run)) {
            request.insert("error".to_owned(), error);
        }
    }
    let body = Value::Object(request).to_string().into_bytes();
    show(&session.client.post(&Address::of(&["evaluate"]), body)?, session.format)
}

fn request(args: &Args) -> Result<Map<String, Value>, Failure> {
    let given = [&args.expression, &args.condition, &args.steps, &args.error, &args.variables];
    if given.into_iter().flatten().filter(|text| *text == source::STDIN).count() > 1 {
        return Err(Failure::Usage("Only one of them can be - for standard input.".to_owned()));
    }
    let mut request = Map::new();
    if let Some(text) = &args.expression {
        let expression = match is_expression(text) {
            true => exact::parse(text).ok().filter(|_| source::is_json(text)).unwrap_or_else(|| json!(text)),
            false => source::read_json("the expression", text)?,
        };
        request.insert("expression".to_owned(), expression);
    }
    let parts = [
        ("condition", &args.condition),
        ("steps", &args.steps),
        ("error", &args.error),
        ("variables", &args.variables),
    ];
    for (name, text) in parts {
        if let Some(text) = text {
            request.insert(name.to_owned(), source::read_json(&format!("--{name}"), text)?);
        }
    }
    if let Some(now) = &args.now {
        request.insert("now".to_owned(), json!(now));
    }
    Ok(request)
}

/// Whether it is an expression as it stands there, and no file with one. What only looks like JSON may be a text with tags.
fn is_expression(text: &str) -> bool {
    let is_source = text == source::STDIN || text.ends_with(".json");
    text.starts_with("/#") || text.contains("{{") || !(is_source || source::is_json(text))
}

fn offline(request: Map<String, Value>) -> Result<Value, Failure> {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = Timestamp::from_millisecond(i64::try_from(elapsed.as_millis()).unwrap_or_default());
    explainer::evaluate(request, Setup::default(), now).map_err(|problems| {
        Failure::Refused(Refusal { status: 400, document: problems_document(problems), hint: None })
    })
}

/// What each step of a run has put out last; one that failed has put out nothing.
fn outputs(run: &Value) -> Value {
    let steps = run.pointer("/data/attributes/steps").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut outputs = Map::new();
    for step in steps {
        let id = text_at(step, "/id");
        match step.get("output").filter(|output| !output.is_null()) {
            Some(output) => outputs.insert(id, output.clone()),
            None => outputs.shift_remove(&id),
        };
    }
    Value::Object(outputs)
}

/// What `/#error` is at the end of a run: the failure of the step that failed last since the run began.
fn last_error(run: &Value) -> Option<Value> {
    let steps = run.pointer("/data/attributes/steps").and_then(Value::as_array)?;
    let mut last = None;
    for step in steps {
        match step.get("error").and_then(Value::as_object) {
            Some(_) if text_at(step, "/retries") == "workflow" => last = None,
            Some(error) => {
                let mut error = error.clone();
                error.insert("attempt".to_owned(), step.get("attempts").cloned().unwrap_or_default());
                error.insert("step".to_owned(), step.get("id").cloned().unwrap_or_default());
                last = Some(Value::Object(error));
            }
            None => {}
        }
    }
    last
}

fn show(answer: &Value, format: Format) -> Result<(), Failure> {
    let mut page = Page::default();
    match format {
        Format::Json => page.json(answer),
        Format::Human => {
            let attributes = answer.pointer("/data/attributes").unwrap_or(&Value::Null);
            let value_type = text_at(attributes, "/valueType");
            if value_type != "missing" {
                page.json(attributes.get("value").unwrap_or(&Value::Null));
            }
            page.line(format!("({value_type})"));
            page.line("");
            for sentence in attributes.get("explanation").and_then(Value::as_array).into_iter().flatten() {
                page.line(sentence.as_str().unwrap_or_default());
            }
        }
    }
    output::print(&page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_on_the_line_is_told_from_a_file() {
        for text in ["/#steps.1.payload.json", "{{steps.1.file}}.json", "[VIP] {{steps.1.name}}", "{{x}}", "plain", "1"]
        {
            assert!(is_expression(text), "{text}");
        }
        for text in ["-", "params.json", "{\"a\":1}", "[1]"] {
            assert!(!is_expression(text), "{text}");
        }
    }

    #[test]
    fn the_outputs_of_a_run_are_the_last_of_each_step() {
        let run = json!({ "data": { "attributes": { "steps": [
            { "id": "1", "output": { "a": 1 } },
            { "id": "again", "output": 1 },
            { "id": "again", "output": 2 },
            { "id": "failed", "output": { "b": 2 } },
            { "id": "failed", "output": null, "attempts": 2, "error": { "code": "x" } },
        ] } } });
        assert_eq!(outputs(&run), json!({ "1": { "a": 1 }, "again": 2 }));
        assert_eq!(last_error(&run), Some(json!({ "code": "x", "attempt": 2, "step": "failed" })));
    }
}
