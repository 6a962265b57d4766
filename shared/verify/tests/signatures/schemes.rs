//! Schemes and settings: what is said to whoever gets one wrong.

use serde_json::{Value, json};
use verify::{Scheme, Settings, SignedWith, Verifier};

use crate::support::{RSA_PUBLIC_PEM, scheme, scheme_names};

#[test]
fn a_scheme_that_cannot_be_checked_safely_is_refused() {
    let hmac = |change: fn(&mut Value)| {
        let mut document = json!({ "shape": "hmac", "signature": { "headers": ["x-signature"], "encoding": "hex" } });
        change(&mut document);
        document
    };
    assert!(Scheme::parse(&hmac(|_| {})).is_ok());
    for document in [
        json!(null),
        json!({}),
        json!({ "shape": "hmac" }),
        json!({ "shape": "hmac2" }),
        json!({ "shape": "sns", "topic": "x" }),
        json!({ "shape": "none", "of": [] }),
        json!({ "shape": "any", "of": [] }),
        json!({ "shape": "any", "of": [{ "shape": "twilio" }, { "shape": "none" }] }),
        json!({ "shape": "jwt", "algorithms": ["HS256"] }),
        json!({ "shape": "jwt", "algorithms": ["none"] }),
        hmac(|document| document["digest"] = json!("md5")),
        hmac(|document| document["signed"] = json!("{timestamp}")),
        hmac(|document| document["signed"] = json!("{body}{body}")),
        hmac(|document| document["signed"] = json!("{body}.{url}")),
        hmac(|document| document["signed"] = json!("{body")),
        hmac(|document| document["signed"] = json!("{timestamp}.{body}")),
        hmac(|document| document["timestamp"] = json!({ "header": "x-time" })),
        hmac(|document| document["id"] = json!({ "header": "x-id" })),
        hmac(|document| document["signature"]["headers"] = json!([])),
        hmac(|document| document["signature"]["headers"] = json!(["x signature"])),
        hmac(|document| document["signature"]["encoding"] = json!("base32")),
        hmac(|document| document["signature"]["timestampKey"] = json!("t")),
        hmac(|document| {
            document["signature"]["format"] = json!("pairs");
            document["signature"]["prefix"] = json!("sha256=");
        }),
        hmac(|document| document["tolerance"] = json!(1)),
    ] {
        let sentence = Scheme::parse(&document).expect_err(&document.to_string());
        assert!(sentence.ends_with('.'), "{sentence}");
    }
}

#[test]
fn a_hook_hears_which_setting_is_wrong() {
    let secret = || Settings { secrets: vec!["hush".to_owned()], ..Settings::default() };
    let many = Settings { secrets: vec!["hush".to_owned(); 11], ..Settings::default() };
    let token = || Settings { issuer: Some("i".to_owned()), audience: Some("a".to_owned()), ..Settings::default() };
    for (name, settings, setting) in [
        ("meta", Settings::default(), "secrets"),
        ("meta", Settings { public_keys: vec![RSA_PUBLIC_PEM.to_owned()], ..Settings::default() }, "secrets"),
        ("meta", Settings { secrets: vec![" ".to_owned()], ..Settings::default() }, "secrets"),
        ("meta", many, "secrets"),
        ("meta", Settings { tolerance_seconds: Some(0), ..secret() }, "toleranceSeconds"),
        ("stripe", Settings { tolerance_seconds: Some(-300), ..secret() }, "toleranceSeconds"),
        ("stripe", Settings { tolerance_seconds: Some(86_401), ..secret() }, "toleranceSeconds"),
        ("standard-webhooks", Settings::default(), "secrets"),
        ("standard-webhooks", Settings { secrets: vec!["whsec_!".to_owned()], ..Settings::default() }, "secrets"),
        (
            "standard-webhooks",
            Settings { public_keys: vec![RSA_PUBLIC_PEM.to_owned()], ..Settings::default() },
            "publicKeys",
        ),
        ("ed25519", secret(), "publicKeys"),
        ("ed25519", Settings { public_keys: vec!["x".to_owned()], ..Settings::default() }, "publicKeys"),
        ("gohighlevel", Settings::default(), "publicKeys"),
        ("twilio", Settings { url: Some("shop.example".to_owned()), ..secret() }, "url"),
        ("twilio", Settings { url: Some("https://".to_owned()), ..secret() }, "url"),
        ("twilio", Settings::default(), "secrets"),
        ("sns", Settings::default(), "topicArns"),
        ("basic", secret(), "secrets"),
        ("header", Settings { header: Some("x y".to_owned()), ..secret() }, "header"),
        ("jwt", Settings { audience: None, ..token() }, "audience"),
        ("jwt", Settings { issuer: None, ..token() }, "issuer"),
        ("jwt", Settings { header: Some(String::new()), ..token() }, "header"),
        ("google", token(), "email"),
    ] {
        let problem = Verifier::new(&scheme(name), &settings).expect_err(name);
        assert_eq!(problem.setting, setting, "{name}: {problem}");
        assert!(problem.sentence.ends_with('.') && !problem.sentence.contains("hush"), "{problem}");
    }
}

#[test]
fn a_shared_header_needs_a_name() {
    let settings = Settings { secrets: vec!["hush".to_owned()], ..Settings::default() };
    let problem = Verifier::new(&Scheme::general("header").unwrap(), &settings).unwrap_err();
    assert_eq!(problem.setting, "header");
}

#[test]
fn the_general_schemes_are_known_by_their_words() {
    for (word, signed_with) in [
        ("standard-webhooks", SignedWith::Secret),
        ("jwt", SignedWith::PrivateKey),
        ("basic", SignedWith::Credentials),
        ("header", SignedWith::Credentials),
        ("none", SignedWith::Nothing),
    ] {
        assert_eq!(Scheme::general(word).unwrap().signed_with(), signed_with, "{word}");
    }
    assert_eq!(Scheme::general("bearer"), None);
    assert_eq!(Scheme::general("twilio"), None);
}

#[test]
fn only_a_proof_of_the_address_or_of_the_sender_itself_vouches_for_the_query() {
    for (name, vouches) in [
        ("twilio", true),
        ("basic", true),
        ("header", true),
        ("jwt", true),
        ("none", true),
        ("shopify", false),
        ("stripe", false),
        ("gohighlevel", false),
        ("standard-webhooks", false),
        ("sns", false),
    ] {
        assert_eq!(scheme(name).vouches_for_query(), vouches, "{name}");
    }
}

#[test]
fn a_scheme_names_the_headers_that_must_never_be_kept() {
    for (name, headers) in [
        ("stripe", &["stripe-signature"][..]),
        ("shopify", &["x-shopify-hmac-sha256", "shopify-hmac-sha256"]),
        ("gohighlevel", &["x-ghl-signature", "x-wh-signature"]),
        ("basic", &["authorization"]),
        ("none", &[]),
    ] {
        assert_eq!(scheme(name).credential_headers(), headers, "{name}");
    }
    assert_eq!(scheme("google").jwks_url(), Some("https://www.googleapis.com/oauth2/v3/certs"));
}

#[test]
fn no_secret_is_shown() {
    let settings = Settings { secrets: vec!["planted:secret".to_owned()], ..Settings::default() };
    assert!(!format!("{settings:?}").contains("planted"));
    for name in scheme_names() {
        let shown = format!("{:?}", Verifier::new(&scheme(name), &settings));
        assert!(!shown.contains("planted"), "{shown}");
    }
}
