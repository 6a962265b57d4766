//! What is sent for the settings of hooks, and how refusals, secrets, keys and apps are shown.

use std::fs;

use serde_json::{Value, json};

use crate::{
    Done, hookwright, hookwright_reading,
    server::{Asked, Server},
};

const HOOK: &str = "6a1f2e3d4c5b6a7980a1b2c3";

/// Runs the words against a server with these answers; what it did and what was asked.
fn exchanges(answers: &[(u16, &str)], words: &[&str]) -> (Done, Vec<Asked>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("secret.txt"), "from a file\r\n").unwrap();
    fs::write(dir.path().join("key.pem"), "-----BEGIN PUBLIC KEY-----\n").unwrap();
    let server = Server::answering(answers);
    let words: Vec<&str> = words.iter().copied().chain(["--url", &server.url, "--api-key", "hk_key"]).collect();
    let done = hookwright_reading(dir.path(), &words, b"from stdin\n");
    (done, server.asked())
}

fn sent(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

#[test]
fn a_new_hook_is_sent_with_all_its_settings() {
    let rows: &[(&str, Value)] = &[
        (
            "web --title T --auth shopify --secret s1 --secret s2",
            json!({"auth": {"scheme": "shopify", "secrets": ["s1", "s2"]}}),
        ),
        (
            "web --title T --auth cal --secret-file secret.txt",
            json!({"auth": {"scheme": "cal", "secrets": ["from a file"]}}),
        ),
        ("web --title T --auth cal --secret-file -", json!({"auth": {"scheme": "cal", "secrets": ["from stdin"]}})),
        (
            "web --title T --auth header --header x-key --secret s --tolerance-seconds 600",
            json!({"auth": {"scheme": "header", "secrets": ["s"], "toleranceSeconds": 600, "header": "x-key"}}),
        ),
        (
            "web --title T --auth gohighlevel --public-key key.pem",
            json!({"auth": {"scheme": "gohighlevel", "publicKeys": ["-----BEGIN PUBLIC KEY-----\n"]}}),
        ),
        (
            "web --title T --auth jwt --issuer i --audience a --jwks-url https://e.example/k --email e@example.com --subject s",
            json!({"auth": {"scheme": "jwt", "issuer": "i", "audience": "a", "jwksUrl": "https://e.example/k", "email": "e@example.com", "subject": "s"}}),
        ),
        (
            "web --title T --auth twilio --secret s --public-url https://hooks.example.com/calls",
            json!({"auth": {"scheme": "twilio", "secrets": ["s"], "url": "https://hooks.example.com/calls"}}),
        ),
        ("web --title T --auth meta --verify-token v", json!({"auth": {"scheme": "meta", "verifyToken": "v"}})),
        (
            "web --title T --auth sns --topic-arn a --topic-arn b",
            json!({"auth": {"scheme": "sns", "topicArns": ["a", "b"]}}),
        ),
        (
            "web --title T --app stripe --method post --method PUT --limit 100/60 --address-limit 5/1 --tape",
            json!({"app": "stripe", "methods": ["POST", "PUT"], "limit": {"requests": 100, "seconds": 60},
                "addressLimit": {"requests": 5, "seconds": 1}, "tape": true}),
        ),
        ("web --title T --duplicates 60", json!({"duplicates": {"windowSeconds": 60}})),
        (
            "web --title T --duplicates 60 --duplicate-field a --duplicate-field b",
            json!({"duplicates": {"windowSeconds": 60, "fields": ["a", "b"]}}),
        ),
        (
            "form --title T --origin https://shop.example --origin-lock --honeypot website --min-fill-seconds 3 --pow-bits 16",
            json!({"guard": {"origins": ["https://shop.example"], "originLock": true, "honeypot": "website",
                "minimumFillSeconds": 3, "proofOfWorkBits": 16}}),
        ),
        (
            "form --title T --turnstile-secret t --recaptcha-secret r --recaptcha-min-score 0.5 --uploads 26214400",
            json!({"uploads": {"limitBytes": 26_214_400},
                "guard": {"turnstileSecret": "t", "recaptchaSecret": "r", "recaptchaMinimumScore": 0.5}}),
        ),
    ];
    for (words, settings) in rows {
        let words: Vec<&str> = ["hooks", "create"].into_iter().chain(words.split(' ')).collect();
        let (done, asked) = exchanges(&[(201, r#"{"data":{}}"#)], &words);
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{words:?}");
        assert_eq!(asked[0].line, format!("POST /v1/hooks/{}", words[2]));
        let mut expected = json!({"title": "T"});
        expected.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        assert_eq!(sent(&asked[0]), expected, "{words:?}");
    }
}

#[test]
fn what_cannot_be_a_setting_is_usage_and_nothing_is_asked() {
    for words in [
        "create mail --title T",
        "create web --title T --secret s",
        "create web --title T --auth cal --secret-file no-such-file",
        "create web --title T --auth cal --secret=",
        "create web --title T --limit 100",
        "create web --title T --limit 0/60",
        "create web --title T --duplicate-field a",
        "create form --title T --pow-bits 256",
        "create form --title T --recaptcha-min-score 1.5",
        "create form --title T --recaptcha-min-score NaN",
        "create form --title T --uploads -1",
        "update h1 --kind web",
        "update h1 --tape --no-tape",
        "update h1 --limit 1/1 --no-limit",
        "update h1 --honeypot a --no-honeypot",
        "rotate-secret h1 --keep-old --drop-old",
        "doctor",
    ] {
        let words: Vec<&str> = ["hooks"].into_iter().chain(words.split(' ')).collect();
        let (done, asked) = exchanges(&[(200, "{}")], &words);
        assert_eq!((done.code, done.out.as_str(), asked.len()), (2, "", 0), "{words:?}: {}", done.err);
        assert!(!done.err.is_empty(), "{words:?}");
    }
}

#[test]
fn what_is_taken_back_is_sent_as_nothing() {
    let rows = [
        ("--no-app --no-method --no-reply", json!({"app": null, "methods": null, "reply": null})),
        ("--no-limit --no-address-limit", json!({"limit": null, "addressLimit": null})),
        ("--no-duplicates --no-tape --no-uploads", json!({"duplicates": false, "tape": false, "uploads": null})),
        ("--no-guard", json!({"guard": null})),
        ("--auth bearer", json!({"auth": {"scheme": "bearer"}})),
    ];
    for (flags, document) in rows {
        let words: Vec<&str> = ["hooks", "update", "h1", "--kind", "web"].into_iter().chain(flags.split(' ')).collect();
        let (done, asked) = exchanges(&[(200, r#"{"data":{}}"#)], &words);
        assert_eq!((done.code, asked[0].line.as_str()), (0, "PUT /v1/hooks/web/h1"), "{}", done.err);
        assert_eq!(sent(&asked[0]), document, "{words:?}");
    }
}

#[test]
fn a_part_of_auth_is_sent_alone_and_a_part_of_a_guard_beside_what_is_shown_of_the_rest() {
    let words = ["hooks", "update", "h1", "--kind", "web", "--tolerance-seconds", "90", "--issuer", "i"];
    let (done, asked) = exchanges(&[(200, r#"{"data":{}}"#)], &words);
    assert_eq!((done.code, asked[0].line.as_str()), (0, "PUT /v1/hooks/web/h1"), "{}", done.err);
    assert_eq!(sent(&asked[0]), json!({"auth": {"toleranceSeconds": 90, "issuer": "i"}}));

    let guard = r#"{"origins":["https://a.example"],"honeypot":"website","hasTurnstileSecret":true}"#;
    let shown = format!(r#"{{"data":{{"attributes":{{"guard":{guard}}}}}}}"#);
    let rows = [
        ("--pow-bits 8", json!({"origins": ["https://a.example"], "honeypot": "website", "proofOfWorkBits": 8})),
        (
            "--no-honeypot --no-turnstile --origin-lock",
            json!({"origins": ["https://a.example"], "turnstileSecret": null, "originLock": true}),
        ),
    ];
    for (flags, guard) in rows {
        let words: Vec<&str> = ["hooks", "update", "h1"].into_iter().chain(flags.split(' ')).collect();
        let (done, asked) = exchanges(&[(200, &shown), (200, r#"{"data":{}}"#)], &words);
        let lines: Vec<&str> = asked.iter().map(|asked| asked.line.as_str()).collect();
        assert_eq!((done.code, lines), (0, vec!["GET /v1/hooks/form/h1", "PUT /v1/hooks/form/h1"]), "{}", done.err);
        assert_eq!(sent(&asked[1]), json!({ "guard": guard }), "{words:?}");
    }
    let words = ["hooks", "update", "h1", "--no-guard", "--pow-bits", "8"];
    let (_, asked) = exchanges(&[(200, r#"{"data":{}}"#)], &words);
    let expected = json!({"guard": {"turnstileSecret": null, "recaptchaSecret": null, "proofOfWorkBits": 8}});
    assert_eq!(sent(&asked[0]), expected);
}

#[test]
fn a_new_secret_stands_beside_the_old_ones_unless_they_are_dropped() {
    for (words, member) in [(&["--keep-old"][..], "addSecrets"), (&[], "addSecrets"), (&["--drop-old"], "secrets")] {
        let words = [&["hooks", "rotate-secret", "h1", "--secret", "hush"], words].concat();
        let (done, asked) = exchanges(&[(200, r#"{"data":{"id":"h1"}}"#)], &words);
        assert_eq!((done.code, asked[0].line.as_str()), (0, "PUT /v1/hooks/web/h1"), "{}", done.err);
        assert_eq!(sent(&asked[0]), json!({"auth": {member: ["hush"]}}));
        assert!(!done.out.contains("hush"), "{}", done.out);
    }
}

#[test]
fn a_secret_is_made_only_where_the_sender_does_not_give_one() {
    let shown = |scheme: &str| format!(r#"{{"data":{{"attributes":{{"auth":{{"scheme":"{scheme}"}}}}}}}}"#);
    for (scheme, prefix) in [("standard-webhooks", "whsec_"), ("header", ""), ("github", "")] {
        let words = ["hooks", "rotate-secret", "h1"];
        let (done, asked) = exchanges(&[(200, &shown(scheme)), (200, r#"{"data":{"id":"h1"}}"#)], &words);
        let document = sent(&asked[1]);
        let secret = document["auth"]["addSecrets"][0].as_str().unwrap();
        assert!(secret.starts_with(prefix) && secret.len() >= 44, "{secret}");
        assert!(done.out.starts_with(&format!("secret  {secret}\nKeep the secret")), "{}", done.out);
    }
    for scheme in ["shopify", "twilio", "bearer", "basic", "none"] {
        let (done, asked) = exchanges(&[(200, &shown(scheme))], &["hooks", "rotate-secret", "h1"]);
        assert_eq!((done.code, asked.len()), (2, 1), "{scheme}: {}", done.err);
    }
}

#[test]
fn the_doctor_tells_what_failed_why_and_what_to_do() {
    let refusals = json!({"data": [{"id": "r1", "type": "refusal", "attributes": {
        "createdAt": "2026-11-22T09:00:00.000Z", "code": "bad_signature", "detail": "What the sender was told.",
        "failure": "The signature is of other bytes.",
        "check": "signature", "reasons": [
            {"code": "reserialised_body", "sentence": "The JSON was written anew."},
            {"code": "url_differs", "sentence": "It fits https://b.example."},
            {"code": "a_later_code", "sentence": "Something \u{1b}[31m new."}],
        "method": "POST", "contentType": "application/json", "bodyBytes": 812, "sourceAddress": "203.0.113.9",
        "headers": ["content-type", "x-signature"]}}]});
    let (done, asked) = exchanges(&[(200, &refusals.to_string())], &["hooks", "doctor", HOOK]);
    assert_eq!((done.code, asked[0].line.as_str()), (0, format!("GET /v1/hooks/web/{HOOK}/refusals").as_str()));
    let expected = format!(
        "\
1 refusal, the newest first:

2026-11-22T09:00:00.000Z  refused by signature (bad_signature)
  The signature is of other bytes.
  arrived  POST application/json, 812 bytes, from 203.0.113.9
  headers  content-type, x-signature
  likely   The JSON was written anew. (reserialised_body)
  likely   It fits https://b.example. (url_differs)
  try      `hookwright hooks update {HOOK} --kind web --public-url URL`
  likely   Something \\u{{1b}}[31m new. (a_later_code)
"
    );
    assert_eq!(done.out, expected);
    let (done, _) = exchanges(&[(200, &refusals.to_string())], &["hooks", "doctor", HOOK, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&done.out).unwrap(), refusals);
    let (done, asked) = exchanges(&[(200, r#"{"data":[]}"#)], &["hooks", "doctor", HOOK, "--kind", "form"]);
    assert_eq!(done.out, "Nothing was refused in the last 7 days.\n");
    assert_eq!(asked[0].line, format!("GET /v1/hooks/form/{HOOK}/refusals"));
    let (done, _) = exchanges(&[(404, r#"{"errors":[]}"#)], &["hooks", "doctor", HOOK]);
    assert_eq!((done.code, done.out.as_str()), (3, ""));
}

#[test]
fn a_hook_that_is_not_found_may_be_of_the_other_kind() {
    for (words, other) in [
        (&["hooks", "show", HOOK][..], "--kind web"),
        (&["hooks", "debug", HOOK, "on"], "--kind web"),
        (&["hooks", "doctor", HOOK], "--kind form"),
        (&["trigger", "github.push.receive", "--hook", HOOK], "--kind form"),
    ] {
        let (done, _) = exchanges(&[(404, r#"{"errors":[{"code":"not_found"}]}"#)], words);
        assert!(done.code == 3 && done.err.contains(other), "{words:?}: {}", done.err);
    }
    let (done, _) = exchanges(&[(404, r#"{"errors":[{"code":"not_found"}]}"#)], &["runs", "show", "r1"]);
    assert!(done.code == 3 && !done.err.contains("--kind"), "{}", done.err);
}

#[test]
fn webhooks_are_listed_with_how_they_are_signed() {
    let hooks = r#"{"data":[{"id":"h1","attributes":{"title":"Shop","auth":{"scheme":"shopify","secretCount":1},"url":"https://u"}}]}"#;
    let (done, _) = exchanges(&[(200, hooks)], &["hooks", "ls", "--kind", "web"]);
    assert_eq!(done.out, "ID  TITLE  AUTH     DEBUG  URL\nh1  Shop   shopify  -      https://u\n");
}

#[test]
fn keys_are_rotated_and_bound_to_addresses() {
    let (done, asked) =
        exchanges(&[(201, r#"{"data":{"id":"k2","attributes":{"token":"hk_new"}}}"#)], &["keys", "rotate", "k1"]);
    assert_eq!((done.code, asked[0].line.as_str()), (0, "POST /v1/api-keys/k1/rotate"));
    assert_eq!(sent(&asked[0]), json!({"overlapSeconds": 86_400}));
    assert!(done.out.starts_with("token  hk_new\nKeep the token"), "{}", done.out);
    let (_, asked) = exchanges(&[(201, "{}")], &["keys", "rotate", "k1", "--overlap", "7d"]);
    assert_eq!(sent(&asked[0]), json!({"overlapSeconds": 604_800}));
    let words =
        ["keys", "create", "--name", "n", "--role", "org.hooks", "--cidr", "203.0.113.0/24", "--cidr", "2001:db8::/32"];
    let (_, asked) = exchanges(&[(201, "{}")], &words);
    let expected = json!({"name": "n", "roles": ["org.hooks"], "cidrs": ["203.0.113.0/24", "2001:db8::/32"]});
    assert_eq!(sent(&asked[0]), expected);
    let key = r#"{"data":[{"id":"k1","attributes":{"name":"n","roles":["org.hooks"],"cidrs":["203.0.113.0/24"],"lastUsedAt":"2026-11-22T09:00:00.000Z"}}]}"#;
    let (done, _) = exchanges(&[(200, key)], &["keys", "ls"]);
    assert!(done.out.contains("LAST USED") && done.out.contains("203.0.113.0/24"), "{}", done.out);
    for wrong in ["", "24", "1w", "-1h"] {
        let (done, asked) = exchanges(&[(201, "{}")], &["keys", "rotate", "k1", &format!("--overlap={wrong}")]);
        assert_eq!((done.code, asked.len()), (2, 0), "{wrong}");
    }
}

#[test]
fn apps_are_shown_with_their_events() {
    let app = json!({"id": "shopify", "type": "app", "attributes": {"name": "shopify", "displayName": "Shopify", "source": "built-in", "scheme": "shopify",
        "methods": ["POST"], "docs": "https://docs.example", "events": [{"name": "shopify.order.update", "topic": "orders/updated",
        "displayName": "Order updated", "aliases": ["kustomer.app.shopify.order-update"]}]}});
    let (done, asked) = exchanges(&[(200, &json!({"data": [app]}).to_string())], &["apps", "ls"]);
    assert_eq!(
        (asked[0].line.as_str(), done.out.as_str()),
        (
            "GET /v1/apps",
            "NAME     SOURCE    VERSION  AUTH     EVENTS  PROVIDER\nshopify  built-in  -        shopify  1       Shopify\n"
        )
    );
    let (done, asked) = exchanges(&[(200, &json!({"data": app}).to_string())], &["apps", "show", "shopify"]);
    assert_eq!(asked[0].line, "GET /v1/apps/shopify");
    for told in ["shopify.order.update", "orders/updated", "Order updated", "kustomer.app.shopify.order-update"] {
        assert!(done.out.contains(told), "{told}: {}", done.out);
    }
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(hookwright(dir.path(), &["apps", "show"]).code, 2);
}
