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
    }
    let body = Value::Object(request).to_string().into_bytes();
    show(&session.client.post(&Address::of(&["evaluate"]), body)?, session.format)
}

fn request(args: &Args) -> Result<Map<String, Value>, Failure> {
    let mut request = Map::new();
    if let Some(text) = &args.expression {
        let expression = if is_json(text) { json_of("the expression", text)? } else { json!(text) };
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
            request.insert(name.to_owned(), json_of(&format!("--{name}"), text)?);
        }
    }
    if let Some(now) = &args.now {
        request.insert("now".to_owned(), json!(now));
    }
    Ok(request)
}

fn is_json(text: &str) -> bool {
    text == source::STDIN || text.ends_with(".json") || is_literal(text)
}

/// Whether it is JSON itself. What begins with two braces is a template.
fn is_literal(text: &str) -> bool {
    text.starts_with(['{', '[']) && !text.starts_with("{{")
}

fn json_of(what: &str, text: &str) -> Result<Value, Failure> {
    let text = if is_literal(text) { text.to_owned() } else { source::read_text(text)? };
    exact::parse(&text).map_err(|error| Failure::Usage(format!("What is given as {what} is no JSON: {error}.")))
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
    fn the_outputs_of_a_run_are_the_last_of_each_step() {
        let run = json!({ "data": { "attributes": { "steps": [
            { "id": "1", "output": { "a": 1 } },
            { "id": "again", "output": 1 },
            { "id": "again", "output": 2 },
            { "id": "failed", "output": { "b": 2 } },
            { "id": "failed", "output": null, "error": { "code": "x" } },
        ] } } });
        assert_eq!(outputs(&run), json!({ "1": { "a": 1 }, "again": 2 }));
    }
}
