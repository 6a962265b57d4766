//! The house: who may depend on whom, and rules that hold for every room.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What each of our crates may know. *Source*: the architecture's drawing; edges point right only.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ingest", &["domain"]),
    ("engine", &["domain"]),
    ("verify", &[]),
    ("apps", &["domain"]),
    ("service", &["domain", "ingest", "verify", "engine", "apps"]),
    ("aws", &["domain", "service"]),
    ("local", &["domain", "service", "aws"]),
    ("form-hook", &["domain", "service", "aws"]),
    ("webhook", &["domain", "service", "aws"]),
    ("email-hook", &["ingest", "service", "aws"]),
    ("executor", &["domain", "service", "aws"]),
    ("api", &["domain", "service", "aws"]),
    ("ticker", &["service", "aws"]),
    ("hookwright", &["domain", "ingest", "verify", "engine", "apps", "service", "aws", "local"]),
    ("tests", &["domain", "ingest", "verify", "engine", "apps", "service", "aws", "local"]),
    ("simulation", &["domain", "engine", "service"]),
    ("soak", &["benches"]),
    ("benches", &["domain", "engine", "ingest", "verify", "apps", "service", "aws", "local"]),
];

/// Crates that are pure, and what makes a crate impure.
const PURE: &[&str] = &["domain", "ingest", "verify", "engine", "apps"];
const IMPURE: &[&str] =
    &["tokio", "async-trait", "getrandom", "rand", "hyper", "ureq", "reqwest", "rusqlite", "tracing"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of the dependencies in `[dependencies]` of each member.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    members
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|member| {
            let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
            let name =
                manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"').to_owned();
            let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
            let section = section.split("\n[").next().unwrap();
            let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
            (name, names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect())
        })
        .collect()
}

#[test]
fn no_crate_knows_one_that_is_drawn_to_its_left() {
    let dependencies = dependencies();
    let ours: Vec<&str> = MAY_KNOW.iter().map(|(name, _)| *name).collect();
    for (name, known) in &dependencies {
        let (_, allowed) =
            MAY_KNOW.iter().find(|(drawn, _)| drawn == name).unwrap_or_else(|| panic!("{name} is not drawn"));
        for other in known.iter().filter(|other| ours.contains(&other.as_str())) {
            assert!(allowed.contains(&other.as_str()), "forbidden edge: {name} -> {other}");
        }
    }
}

#[test]
fn pure_crates_have_no_runtime_and_only_adapters_have_an_aws_sdk() {
    for (name, known) in dependencies() {
        for other in &known {
            let is_aws = other.starts_with("aws-");
            assert!(
                !is_aws || ["aws", "local", "benches", "tests"].contains(&name.as_str()),
                "forbidden edge: {name} -> {other}"
            );
            let is_lambda = other.starts_with("lambda_") || other == "aws_lambda_events";
            // `tests` builds the mains of the functions once more, to have programs to start.
            assert!(
                !is_lambda
                    || ["form-hook", "webhook", "email-hook", "executor", "api", "ticker", "tests", "benches"]
                        .contains(&name.as_str()),
                "forbidden edge: {name} -> {other}"
            );
            assert!(
                !PURE.contains(&name.as_str()) || !IMPURE.contains(&other.as_str()),
                "forbidden edge: {name} -> {other}"
            );
        }
    }
}

/// Every Rust file below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target" && name != ".git") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn pure_crates_read_no_clock_and_no_environment() {
    for name in PURE {
        for file in sources(&root().join("shared").join(name).join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            for word in ["SystemTime", "Instant::now", "Timestamp::now", "std::env", "async fn", "std::fs", "std::net"]
            {
                assert!(!text.contains(word), "{} has {word}", file.display());
            }
        }
    }
}

#[test]
fn only_the_config_modules_read_the_environment() {
    for folder in ["shared", "functions", "cli/src"] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            let reads = text.contains("env::var") || text.contains("env::args");
            // A build script is told by Cargo where it is, and is no part of the program.
            assert!(
                !reads
                    || file.ends_with("config.rs")
                    || file.ends_with("build.rs")
                    || file.components().any(|part| part.as_os_str() == "tests"),
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn a_front_door_has_under_60_lines_and_a_file_not_over_400() {
    for file in sources(&root()) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        let is_door = file.ends_with("src/main.rs") && file.components().any(|part| part.as_os_str() == "functions");
        let limit = if is_door { 59 } else { 400 };
        assert!(lines <= limit, "{} has {lines} lines; the limit is {limit}", file.display());
    }
}

#[test]
fn every_dependency_has_its_line_in_the_docs() {
    let told = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    for line in table.lines().filter(|line| !line.contains("path = ") && line.contains(" = ") && !line.starts_with('#'))
    {
        let name = line.split(' ').next().unwrap();
        assert!(told.contains(&format!("`{name}`")), "docs/dependencies.md does not say why {name} is here");
    }
}
