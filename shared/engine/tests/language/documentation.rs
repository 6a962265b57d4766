//! Every example in `docs/expressions.md` and `docs/workflow-format.md`, held against what comes out.

use engine::expression::{Signature, functions};
use engine::problem::Severity;
use engine::{Catalogue, Definition, check};
use serde_json::{Map, Value, json};

use crate::support::{Given, parse};

const EXPRESSIONS: &str = include_str!("../../../../docs/expressions.md");
const FORMAT: &str = include_str!("../../../../docs/workflow-format.md");
/// The descriptions of the actions that the pages' examples use.
const ACTIONS: [&str; 5] = [
    include_str!("../../../service/src/actions/catalogue/customer.json"),
    include_str!("../../../service/src/actions/catalogue/customer_finds.json"),
    include_str!("../../../service/src/actions/catalogue/company.json"),
    include_str!("../../../service/src/actions/catalogue/conversation.json"),
    include_str!("../../../service/src/actions/catalogue/note.json"),
];
const SHARED: &str = include_str!("../../../service/src/actions/catalogue/shared.json");

/// A row of a table, by the names of its columns, with the heading it stands under.
struct Row {
    heading: String,
    cells: Vec<(String, String)>,
}

impl Row {
    fn cell(&self, column: &str) -> &str {
        let found = self.cells.iter().find(|(name, _)| name == column);
        found.map(|(_, cell)| cell.as_str()).unwrap_or_else(|| panic!("no {column} in {:?}", self.cells))
    }

    /// What stands between the backticks of a cell.
    fn code(&self, column: &str) -> Option<String> {
        let cell = self.cell(column).strip_prefix('`')?.strip_suffix('`')?;
        Some(cell.replace("\\|", "|"))
    }
}

/// The rows of all tables that have these columns.
fn rows(document: &str, columns: &[&str]) -> Vec<Row> {
    let (mut heading, mut header): (String, Vec<String>) = Default::default();
    let mut rows = Vec::new();
    for line in document.lines() {
        if line.starts_with('#') {
            heading = line.trim_start_matches(['#', ' ']).to_owned();
        }
        let Some(cells) = cells(line) else {
            header.clear();
            continue;
        };
        if header.is_empty() {
            header = cells;
        } else if !line.starts_with("| -") && columns.iter().all(|column| header.iter().any(|name| name == column)) {
            assert_eq!(cells.len(), header.len(), "{line}");
            rows.push(Row { heading: heading.clone(), cells: header.iter().cloned().zip(cells).collect() });
        }
    }
    rows
}

fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    let marked = inner.replace("\\|", "\u{1}");
    Some(marked.split('|').map(|cell| cell.trim().replace('\u{1}', "\\|")).collect())
}

/// The JSON in the fences that are marked `json {mark}`.
fn fences(document: &str, mark: &str) -> Vec<Value> {
    let open = format!("```json {mark}\n");
    document.split(&open).skip(1).map(|rest| parse(rest.split("\n```").next().unwrap())).collect()
}

#[test]
fn every_expression_gives_what_the_page_says() {
    let given = fences(EXPRESSIONS, "given").remove(0);
    let rows = rows(EXPRESSIONS, &["example", "gives"]);
    let mut wrong = Vec::new();
    for row in &rows {
        let example = row.code("example").unwrap_or_else(|| panic!("{} is no code", row.cell("example")));
        let gives = row.code("gives").map(|gives| parse(&gives));
        assert!(gives.is_some() || row.cell("gives") == "*missing*", "{example}");
        let found = Given::of(&given).resolve(&json!(example)).unwrap();
        if found.as_ref().map(Value::to_string) != gives.as_ref().map(Value::to_string) {
            wrong.push(format!("{example}\n    gives {found:?}\n    and not {gives:?}"));
        }
    }
    assert!(wrong.is_empty() && rows.len() > 100, "of {} rows:\n{}", rows.len(), wrong.join("\n"));
}

/// Each row of a table of functions begins with how they are called.
#[test]
fn every_function_is_on_the_page_and_has_an_example() {
    let rows = rows(EXPRESSIONS, &["function", "example", "gives"]);
    for Signature { name, .. } in functions() {
        let is_called = |row: &Row| row.cell("function").contains(&format!("`{name}"));
        assert!(rows.iter().any(is_called), "{name} is not in docs/expressions.md");
        let is_used = |row: &Row| {
            let example = row.cell("example");
            [format!("/#fn:{name}"), format!("{{{name} "), format!("({name} ")]
                .iter()
                .any(|call| example.contains(call))
        };
        assert!(rows.iter().any(is_used), "{name} has no example in docs/expressions.md");
    }
}

#[test]
fn every_functions_arguments_and_other_names_are_on_the_page() {
    let row = |Signature { name, other_names, arguments }: Signature| {
        let others: Vec<String> = other_names.iter().map(|name| format!("`{name}`")).collect();
        format!("| `{name}` | {} | {} |", arguments.join(", "), others.join(", "))
    };
    let rows: Vec<String> = functions().into_iter().map(row).collect();
    let wanted = rows.join("\n");
    assert!(EXPRESSIONS.contains(&wanted), "the table has to be:\n{wanted}");
}

/// The document into which the fragments of the page are put.
fn base() -> Value {
    fences(FORMAT, "base").remove(0)
}

fn catalogue() -> Catalogue {
    let shared = parse(SHARED)["$defs"].take();
    let mut schemas = Vec::new();
    for file in ACTIONS.map(parse) {
        let Value::Object(actions) = &file["actions"] else { panic!("the actions are an object") };
        for (name, action) in actions {
            let mut schema = action["params"].clone();
            // Of attributes of records only the names matter here.
            for name in
                file["attributes"].as_object().filter(|_| action["attributes"] == true).into_iter().flat_map(Map::keys)
            {
                schema["properties"][name] = json!({});
            }
            schema["type"] = json!("object");
            schema["$defs"] = shared.clone();
            schemas.push((name.clone(), schema));
        }
    }
    Catalogue::new(schemas).unwrap()
}

/// The base with the members of `fragment` at the place that the heading speaks of.
fn with_fragment(heading: &str, fragment: &str) -> Value {
    let Value::Object(fragment) = parse(&format!("{{{fragment}}}")) else { panic!("a fragment is members") };
    let pointer = match heading {
        "The document" | "Problems" | "Warnings" => "",
        "The trigger" => "/trigger",
        "A step" => "/steps/0",
        "A transition" => "/steps/0/transitions/0",
        "An error case" => "/steps/0/errorCases/0",
        other => panic!("teach this test the heading {other}"),
    };
    let mut document = base();
    let place = document.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
    for (key, value) in fragment {
        if value.is_null() {
            place.shift_remove(&key)
        } else {
            place.insert(key, value)
        };
    }
    document
}

#[test]
fn every_key_of_the_format_is_taken_as_the_page_writes_it() {
    let rows = rows(FORMAT, &["key", "example"]);
    assert!(rows.len() > 20, "{}", rows.len());
    for row in &rows {
        let example = row.code("example").unwrap_or_else(|| panic!("{} is no code", row.cell("example")));
        let checked = check(&with_fragment(&row.heading, &example), &catalogue());
        assert!(checked.problems.is_empty(), "{} {example}: {:#?}", row.heading, checked.problems);
        let key = row.code("key").unwrap();
        assert!(example.contains(&format!("\"{key}\"")), "{key} is not in its example");
    }
}

#[test]
fn every_problem_is_told_for_its_example_and_every_code_is_on_the_page() {
    let rows = rows(FORMAT, &["code", "example"]);
    for row in &rows {
        let example = row.code("example").unwrap_or_else(|| panic!("{} is no code", row.cell("example")));
        let problems = check(&with_fragment(&row.heading, &example), &catalogue()).problems;
        let severity = if row.heading == "Warnings" { Severity::Warning } else { Severity::Error };
        for code in row.cell("code").split('`').skip(1).step_by(2) {
            let is_told = problems.iter().any(|problem| problem.code == code && problem.severity == severity);
            assert!(is_told, "{code} is not told of {example}: {problems:#?}");
        }
    }
    let table = parse(include_str!("../../../../tests/fixtures/documents.json"));
    for row in table.as_array().unwrap().iter().flat_map(|group| group["rows"].as_array().unwrap()) {
        for told in row["errors"].as_array().into_iter().chain(row["warnings"].as_array()).flatten() {
            let code = told[1].as_str().unwrap();
            let is_there = rows.iter().any(|row| row.cell("code").contains(&format!("`{code}`")));
            assert!(is_there, "{code} is not in docs/workflow-format.md");
        }
    }
}

#[test]
fn every_condition_holds_or_not_as_the_page_says() {
    let given = fences(EXPRESSIONS, "given").remove(0);
    let rows = rows(FORMAT, &["condition", "holds"]);
    for row in &rows {
        let condition = parse(&row.code("condition").unwrap());
        let holds = Given::of(&given).judge(&condition).holds;
        assert_eq!(holds.to_string(), row.cell("holds"), "{condition}");
    }
    for operator in engine::condition::Operator::ALL {
        let mark = format!("\"op\": \"{}\"", operator.name());
        assert!(rows.iter().any(|row| row.cell("condition").contains(&mark)), "{} has no example", operator.name());
    }
}

#[test]
fn every_whole_document_of_the_page_is_a_workflow() {
    let documents = fences(FORMAT, "workflow");
    assert!(documents.len() >= 2);
    for document in documents {
        let checked = check(&document, &catalogue());
        assert!(checked.problems.is_empty(), "{document}: {:#?}", checked.problems);
        assert!(Definition::parse(&document).is_ok());
    }
}
