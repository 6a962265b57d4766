//! The template: the variables it gives each function, and the function each of its routes leads to.

use service::http::ROUTES;
use tests::lambda::{Endpoints, Function, Template, http_event, mail_event, now, queue_event, tick_event, variables};

use super::BINARIES;

/// Each function: the name the template has for its binary, and where the binary is.
const FUNCTIONS: [(&str, &str); 6] = [
    ("form-hook", BINARIES.form_hook),
    ("webhook", BINARIES.webhook),
    ("email-hook", BINARIES.email_hook),
    ("executor", BINARIES.executor),
    ("api", BINARIES.api),
    ("ticker", BINARIES.ticker),
];

#[tokio::test]
async fn a_function_that_lacks_variables_says_which_and_ends() {
    let required = [
        "HOOKWRIGHT_DIRECTORY_TABLE is not set",
        "HOOKWRIGHT_RUNS_TABLE is not set",
        "HOOKWRIGHT_BLOB_BUCKET is not set",
    ];
    for (name, binary) in FUNCTIONS {
        let end = Function::start(binary, &[]).await.end().await;
        assert_eq!(end.exit_code, Some(1), "{name}: {end:?}");
        for sentence in required {
            assert!(end.output.contains(sentence), "{name} does not say `{sentence}`: {end:?}");
        }
    }
}

#[tokio::test]
async fn a_function_starts_on_the_variables_that_the_template_gives_it() {
    let template = Template::read();
    let aws = Endpoints::start().await;
    let first_event = |name: &str| match name {
        "executor" => queue_event([]),
        "ticker" => tick_event(),
        "api" => http_event("GET", "/healthz", &[], b""),
        "email-hook" => mail_event("1", &["nobody@hooks.example.org"], &now()),
        "webhook" => http_event("POST", "/v1/hooks/web/nowhere", &[], b"{}"),
        _ => http_event("POST", "/v1/hooks/form/nowhere", &[], b"{}"),
    };
    for (name, binary) in FUNCTIONS {
        let told = &template.function(name).variables;
        let given: Vec<_> = variables(&aws)
            .into_iter()
            .filter(|(variable, _)| !variable.starts_with("HOOKWRIGHT_") || told.contains(variable))
            .collect();
        let function = Function::start(binary, &given).await;
        assert!(function.invoke(&first_event(name)).await.is_ok(), "{name} with {told:?}");
    }
}

#[test]
fn the_queue_gives_a_message_up_when_the_executor_does() {
    let template = include_str!("../../../template.yaml");
    let count = format!("maxReceiveCount: {}\n", service::RECEIVES_LIMIT);
    assert_eq!((template.matches("maxReceiveCount").count(), template.matches(&count).count()), (1, 1));
}

#[test]
fn the_templates_routes_lead_to_the_function_that_answers() {
    let template = Template::read();
    let (org, hash, id) = ("581392b55ac7a2110099d9c8", "0".repeat(64), "5f0c1a2b3c4d5e6f70819203");
    for (method, path, binary) in [
        ("POST", format!("/v1/hooks/form/{hash}"), Some("form-hook")),
        ("POST", format!("/v1/hooks/form/{org}/{hash}"), Some("form-hook")),
        ("GET", format!("/v1/hooks/form/{org}/{hash}"), Some("form-hook")),
        ("GET", format!("/v1/hooks/form/{id}"), Some("api")),
        ("POST", "/v1/hooks/form".to_owned(), Some("api")),
        ("POST", format!("/v1/hooks/form/{id}/transactions"), Some("api")),
        ("GET", format!("/v1/hooks/form/{hash}/challenge"), Some("form-hook")),
        ("POST", format!("/v1/hooks/form/{hash}/uploads"), Some("form-hook")),
        ("OPTIONS", format!("/v1/hooks/form/{hash}"), Some("form-hook")),
        ("GET", format!("/v1/hooks/form/{org}/{hash}/challenge"), Some("form-hook")),
        ("POST", format!("/v1/hooks/form/{org}/{hash}/uploads"), Some("form-hook")),
        ("GET", "/v1/hooks/form/guard.js".to_owned(), Some("form-hook")),
        ("POST", format!("/v1/hooks/web/{hash}"), Some("webhook")),
        ("POST", format!("/v1/hooks/web/{org}/{hash}"), Some("webhook")),
        ("GET", format!("/v1/hooks/web/{org}/{hash}"), Some("webhook")),
        ("PUT", format!("/v1/hooks/web/{org}/{hash}"), Some("webhook")),
        // Through the doors that api has too.
        ("GET", format!("/v1/hooks/web/{hash}"), Some("api")),
        ("GET", format!("/v1/hooks/web/{id}"), Some("api")),
        ("PATCH", format!("/v1/hooks/web/{id}"), Some("api")),
        ("POST", "/v1/hooks/web".to_owned(), Some("api")),
        ("GET", "/".to_owned(), None),
        ("GET", "/v2/hooks/form".to_owned(), None),
    ] {
        assert_eq!(template.binary_for(method, &path), binary, "{method} {path}");
    }
    for route in ROUTES {
        for kind in ["form", "web", "email"] {
            let method = route.method.as_http();
            let path = route.path.replace("{kind}", kind).replace("{id}", id).replace("{name}", "order");
            assert_eq!(template.binary_for(method.as_str(), &path), Some("api"), "{method} {path}");
        }
    }
}
