//! The doctor: every usual mistake is called by its name, and nothing secret is repeated.

use verify::{
    Arrival, Settings, Verifier, diagnose,
    sign::{Signed, Unsigned, sign},
};

use crate::{
    signing::{NOW, fetched, key_of, settings_of, unsigned},
    support::{header_map, scheme},
};

const BODY: &str = r#"{"name":"Zoë","path":"a/b","list":[1,2],"id":820982911946154508}"#;

/// What happens to a request between signing and arriving.
type Change = Box<dyn Fn(&mut Signed)>;

fn on_the_way(change: impl Fn(&mut Signed) + 'static) -> Change {
    Box::new(change)
}

/// An arrival of one sender, and what happened to it.
struct Visit {
    scheme: &'static str,
    sender: Settings,
    hook: Settings,
    retired: Vec<String>,
    request: Unsigned,
    signed_as: Option<&'static str>,
    change: Change,
    now: i64,
}

fn visit(scheme: &'static str) -> Visit {
    Visit {
        scheme,
        sender: settings_of(scheme),
        hook: settings_of(scheme),
        retired: Vec::new(),
        request: unsigned("application/json", BODY.as_bytes()),
        signed_as: None,
        change: on_the_way(|_| {}),
        now: NOW,
    }
}

fn with_secret(secret: &str) -> Settings {
    Settings { secrets: vec![secret.to_owned()], ..Settings::default() }
}

/// The codes and sentences that the owner reads.
fn reasons(visit: Visit) -> Vec<verify::Reason> {
    let sender = scheme(visit.signed_as.unwrap_or(visit.scheme));
    let key = key_of(visit.signed_as.unwrap_or(visit.scheme));
    let content_type = visit.request.headers[0].clone();
    let mut signed = sign(&sender, &visit.sender, key.as_ref(), visit.request, "msg_1", NOW).unwrap();
    signed.headers.push(content_type);
    (visit.change)(&mut signed);

    let headers = header_map(&signed.headers);
    let arrival = Arrival { method: "POST", url: &signed.url, headers: &headers, body: &signed.body };
    let scheme = scheme(visit.scheme);
    let refusal = Verifier::new(&scheme, &visit.hook).unwrap().verify(&arrival, &fetched(), visit.now).unwrap_err();
    let reasons = diagnose(&scheme, &visit.hook, &visit.retired, &arrival, &fetched(), &refusal, visit.now);
    for secret in visit.hook.secrets.iter().chain(&visit.sender.secrets).filter(|secret| secret.trim().len() > 3) {
        assert!(reasons.iter().all(|reason| !reason.sentence.contains(secret.trim())), "{reasons:?}");
    }
    assert!(reasons.iter().all(|reason| reason.sentence.ends_with('.')), "{reasons:?}");
    reasons
}

fn check(visit: Visit, codes: &[&str]) -> String {
    let reasons = reasons(visit);
    assert_eq!(reasons.iter().map(|reason| reason.code).collect::<Vec<_>>(), codes, "{reasons:?}");
    reasons.into_iter().map(|reason| reason.sentence).collect()
}

#[test]
fn a_body_written_anew_is_recognised_with_its_style() {
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(BODY).unwrap()).unwrap();
    for (other, style) in [
        (BODY.replace(':', ": ").replace(',', ", "), "with a space after"),
        (BODY.replace(':', ": ").replace(',', ", ").replace("Zoë", "Zo\\u00eb"), "as Python"),
        (BODY.replace("Zoë", "Zo\\u00eb"), "escaped Unicode"),
        (BODY.replace('/', "\\/"), "escaped slashes"),
        (BODY.replace("Zoë", "Zo\\u00eb").replace('/', "\\/"), "as PHP"),
        (pretty.replace("  ", "    "), "four spaces"),
        (pretty, "two spaces"),
        (r#"{"id":820982911946154508,"list":[1,2],"name":"Zoë","path":"a/b"}"#.to_owned(), "sorted keys"),
    ] {
        let signed = unsigned("application/json", other.as_bytes());
        let change = on_the_way(|signed| signed.body = BODY.as_bytes().to_vec());
        let sentence = check(Visit { request: signed, change, ..visit("meta") }, &["reserialised_body"]);
        assert!(sentence.contains(style), "{sentence}");
        let change = on_the_way(move |signed| signed.body = other.clone().into_bytes());
        if style != "sorted keys" {
            assert!(check(Visit { change, ..visit("meta") }, &["reserialised_body"]).contains("without spaces"));
        }
    }
}

#[test]
fn white_space_around_a_body_is_recognised() {
    for (before, after) in [("", "\n"), ("", "\r\n"), (" ", "")] {
        let change = on_the_way(move |signed| signed.body = format!("{before}{BODY}{after}").into_bytes());
        check(Visit { change, ..visit("shopify") }, &["newline_in_body", "reserialised_body"]);
    }
    let request = unsigned("text/plain", b"one\ntwo\n");
    let change = on_the_way(|signed| signed.body.truncate(7));
    check(Visit { request, change, ..visit("shopify") }, &["newline_in_body"]);
}

#[test]
fn a_wrong_secret_is_the_last_resort() {
    check(Visit { hook: with_secret("planted"), ..visit("meta") }, &["wrong_secret"]);
    check(Visit { hook: with_secret("user:other"), ..visit("basic") }, &["wrong_secret"]);
    check(Visit { hook: with_secret("planted"), ..visit("twilio") }, &["wrong_secret"]);
}

#[test]
fn an_old_secret_is_recognised() {
    for scheme in ["meta", "stripe", "standard-webhooks", "twilio"] {
        let retired = vec!["b3RoZXI=".to_owned(), settings_of(scheme).secrets[0].clone()];
        check(Visit { hook: with_secret("YW5vdGhlcg=="), retired, ..visit(scheme) }, &["old_secret"]);
    }
    let retired = vec!["user:password".to_owned()];
    check(Visit { hook: with_secret("user:new"), retired, ..visit("basic") }, &["old_secret"]);
}

#[test]
fn white_space_around_a_secret_is_recognised_on_either_side() {
    let ours = check(
        Visit { sender: with_secret("hush"), hook: with_secret("hush\n"), ..visit("meta") },
        &["secret_has_whitespace"],
    );
    assert!(ours.contains("hook's secret"));
    let theirs = check(
        Visit { sender: with_secret("hush\n"), hook: with_secret("hush"), ..visit("meta") },
        &["secret_has_whitespace"],
    );
    assert!(theirs.contains("sender's secret"));
}

#[test]
fn a_prefix_kept_or_dropped_is_recognised() {
    check(Visit { sender: with_secret("whsec_x"), hook: with_secret("x"), ..visit("stripe") }, &["secret_prefix"]);
    check(Visit { sender: with_secret("x"), hook: with_secret("whsec_x"), ..visit("stripe") }, &["secret_prefix"]);
}

#[test]
fn another_digest_is_recognised() {
    let change = on_the_way(|signed| {
        signed.headers[0] = ("x-hub-signature-256".to_owned(), signed.headers[0].1.replace("sha1=", "sha256="));
    });
    let sentence = check(Visit { signed_as: Some("meta-sha1"), change, ..visit("meta") }, &["wrong_digest"]);
    assert!(sentence.contains("SHA-1"));
}

#[test]
fn another_encoding_is_recognised() {
    let to_hex = on_the_way(|signed| signed.headers[0].0 = "x-shopify-hmac-sha256".to_owned());
    check(Visit { signed_as: Some("cal"), change: to_hex, ..visit("shopify") }, &["hex_not_base64"]);
    let to_base64 = on_the_way(|signed| signed.headers[0].0 = "x-cal-signature-256".to_owned());
    check(Visit { signed_as: Some("shopify"), change: to_base64, ..visit("cal") }, &["base64_not_hex"]);
    let url_safe = on_the_way(|signed| signed.headers[0].1 = format!("{}_-=", signed.headers[0].1.get(..41).unwrap()));
    check(Visit { change: url_safe, ..visit("shopify") }, &["base64url"]);
}

#[test]
fn a_clock_is_told_by_how_much_it_is_off() {
    assert!(check(Visit { now: NOW + 400, ..visit("stripe") }, &["clock"]).contains("400 s behind"));
    assert!(check(Visit { now: NOW - 400, ..visit("slack") }, &["clock"]).contains("400 s ahead"));
    assert!(check(Visit { now: NOW / 1_000, ..visit("stripe") }, &["clock"]).contains("ahead"));
    assert!(check(Visit { now: NOW + 10_000, ..visit("google") }, &["clock"]).contains("6400 s behind"));
}

#[test]
fn the_address_that_twilio_signed_is_named() {
    let form =
        |url: &str| Unsigned { url: url.to_owned(), ..unsigned("application/x-www-form-urlencoded", b"a=1&b=2") };
    let rows = [
        ("https://shop.example/hook?x=1", on_the_way(|signed| signed.url = signed.url.replace("https", "http"))),
        ("https://shop.example/hook/?x=1", on_the_way(|signed| signed.url = signed.url.replace("/?", "?"))),
        ("https://shop.example/hook", on_the_way(|signed| signed.url.push_str("?x=1"))),
        (
            "https://shop.example/hook?x=1",
            on_the_way(|signed| {
                signed.headers.push(("x-forwarded-host".to_owned(), "shop.example".to_owned()));
                signed.url = signed.url.replace("shop.example", "10.0.0.7:8080");
            }),
        ),
        (
            "https://shop.example/hook?x=1",
            on_the_way(|signed| {
                signed.headers.push(("host".to_owned(), "shop.example".to_owned()));
                signed.url = signed.url.replace("https://shop.example", "http://api.example");
            }),
        ),
    ];
    for (signed, change) in rows {
        let sentence = check(Visit { request: form(signed), change, ..visit("twilio") }, &["url_differs"]);
        assert!(sentence.contains(signed.split('?').next().unwrap()), "{sentence}");
    }
}

#[test]
fn headers_of_another_sender_are_recognised() {
    let sentence =
        check(Visit { signed_as: Some("shopify"), ..visit("stripe") }, &["other_scheme", "no_signature_header"]);
    assert!(sentence.contains("Shopify") && sentence.contains("x-shopify-hmac-sha256, content-type"), "{sentence}");
}

#[test]
fn what_a_sender_says_beside_a_signature_is_not_taken_for_another_sender() {
    let unsigned_by_github = on_the_way(|signed| {
        signed.headers.remove(0);
        signed.headers.push(("x-github-event".to_owned(), "push".to_owned()));
        signed.headers.push(("x-hub-signature".to_owned(), "sha1=00".to_owned()));
    });
    check(Visit { change: unsigned_by_github, ..visit("meta") }, &["no_signature_header"]);
}

#[test]
fn a_missing_signature_lists_the_names_that_came_and_no_values() {
    let change = on_the_way(|signed| {
        signed.headers.remove(0);
        signed.headers.push(("x-api-key".to_owned(), "planted".to_owned()));
    });
    let sentence = check(Visit { change, ..visit("meta") }, &["no_signature_header"]);
    assert!(sentence.contains("x-api-key") && !sentence.contains("planted"), "{sentence}");
}

#[test]
fn tokens_and_messages_are_explained() {
    let audience = Settings { audience: Some("https://other.example".to_owned()), ..settings_of("google") };
    let sentence =
        check(Visit { hook: Settings { public_keys: Vec::new(), ..audience }, ..visit("google") }, &["wrong_claim"]);
    assert!(sentence.contains("\"https://hooks.example.com\""), "{sentence}");

    let request = || unsigned("text/plain", br#"{"Message":"x"}"#);
    let topic = Settings { topic_arns: vec!["arn:aws:sns:us-east-1:1:x".to_owned()], ..Settings::default() };
    check(Visit { request: request(), hook: topic, ..visit("sns") }, &["wrong_topic"]);
    let raw = on_the_way(|signed| signed.headers.push(("x-amz-sns-rawdelivery".to_owned(), "true".to_owned())));
    check(Visit { request: request(), change: raw, ..visit("sns") }, &["raw_delivery"]);
}
