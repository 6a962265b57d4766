//! Verifications per second on one core, beside the bare primitive of `ring` on the same bytes.
//!
//! `cargo run --release -p benches --bin verify`. Bodies have 1 KiB. Each row is the best of many short rounds, scheme and primitive
//! in turn, because a busy machine can only ever make a round slower.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use benches::{Outcome, figures};
use http::{HeaderMap, HeaderName, HeaderValue};
use mimalloc::MiMalloc;
use ring::{digest, hmac, rand::SystemRandom, signature, signature::KeyPair};
use serde_json::{Value, json};
use verify::{
    Arrival, PublicKey, Scheme, Settings, Verifier,
    sign::{PrivateKey, Signed, Unsigned, sign},
};

/// As in `hookwright dev`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const BODY_BYTES: usize = 1_024;
const ROUNDS: usize = 300;
const ROUND: Duration = Duration::from_micros(1_500);
/// How many checks are made between two looks at the clock.
const BATCH: u32 = 16;
const NOW: i64 = 1_767_323_045;
const URL: &str = "https://hooks.example.com/v1/hooks/web/0123456789abcdef0123456789abcdef";
const FORM: &str = "application/x-www-form-urlencoded";
const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const RSA_PEM: &str = include_str!("../../../shared/verify/tests/fixtures/test-only-rsa.private.pem");
const RSA_PUBLIC_PEM: &str = include_str!("../../../shared/verify/tests/fixtures/test-only-rsa.public.pem");
const ED25519_PEM: &str = include_str!("../../../shared/verify/tests/fixtures/test-only-ed25519.private.pem");
const ED25519_PUBLIC_PEM: &str = include_str!("../../../shared/verify/tests/fixtures/test-only-ed25519.public.pem");

/// The bytes that a scheme signs, for the primitive alone.
type SignedBytes = fn(&Signed) -> Vec<u8>;

fn main() -> Outcome<()> {
    figures::head("One core, 1 KiB", &["ns", "primitive ns", "per second", "of primitive"]);
    for (name, scheme, content_type, signed_bytes) in schemes() {
        compare(name, &Scheme::parse(&scheme)?, content_type, signed_bytes)?;
    }
    Ok(())
}

fn schemes() -> Vec<(&'static str, Value, &'static str, SignedBytes)> {
    let plain = |header: &str, encoding: &str| json!({ "headers": [header], "encoding": encoding, "format": "plain" });
    let body: SignedBytes = |signed| signed.body.clone();
    let timed: SignedBytes = |signed| [b"1767323045.", signed.body.as_slice()].concat();
    let pairs = json!({ "headers": ["stripe-signature"], "encoding": "hex", "format": "pairs", "signatureKey": "v1", "timestampKey": "t" });
    vec![
        (
            "hmac-sha256, base64 (Shopify)",
            json!({ "shape": "hmac", "signature": plain("x-shopify-hmac-sha256", "base64") }),
            "application/json",
            body,
        ),
        (
            "hmac-sha256, hex (Meta, GitHub)",
            json!({ "shape": "hmac", "signature": plain("x-hub-signature-256", "hex") }),
            "application/json",
            body,
        ),
        (
            "hmac-sha256, pairs (Stripe)",
            json!({ "shape": "hmac", "signature": pairs, "signed": "{timestamp}.{body}" }),
            "application/json",
            timed,
        ),
        ("standard-webhooks", json!({ "shape": "standard-webhooks" }), "application/json", |signed| {
            [b"msg_27UH4WbU6Z5A5EzD8u03UvzRbpk.1767323045.", signed.body.as_slice()].concat()
        }),
        (
            "hmac-sha1 of body",
            json!({ "shape": "hmac", "digest": "sha1", "signature": plain("x-hub-signature", "hex") }),
            "application/json",
            body,
        ),
        ("twilio, form", json!({ "shape": "twilio" }), FORM, twilio_bytes),
        (
            "ed25519",
            json!({ "shape": "ed25519", "signature": plain("x-ghl-signature", "base64") }),
            "application/json",
            body,
        ),
        (
            "rsa-sha256, 2,048 bits",
            json!({ "shape": "rsa-sha256", "signature": plain("x-wh-signature", "base64") }),
            "application/json",
            body,
        ),
        ("sns, version 2", json!({ "shape": "sns" }), "application/json", sns_bytes),
        ("jwt, RS256", json!({ "shape": "jwt", "algorithms": ["RS256"] }), "application/json", |signed| {
            let token = signed.headers[0].1.trim_start_matches("Bearer ");
            token.rsplit_once('.').map(|(bytes, _)| bytes.as_bytes().to_vec()).unwrap_or_default()
        }),
        ("basic", json!({ "shape": "basic" }), "application/json", |_| b"user:password".to_vec()),
        ("shared header", json!({ "shape": "header", "header": "x-api-key" }), "application/json", |_| SECRET.into()),
    ]
}

fn compare(name: &str, scheme: &Scheme, content_type: &str, signed_bytes: SignedBytes) -> Outcome<()> {
    let settings = settings(name);
    let key = match name.split([',', ' ']).next() {
        Some("ed25519") => Some(PrivateKey::parse(ED25519_PEM)?),
        Some("rsa-sha256" | "sns" | "jwt") => Some(PrivateKey::parse(RSA_PEM)?),
        _ => None,
    };
    let request = Unsigned {
        method: "POST".to_owned(),
        url: URL.to_owned(),
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        body: body(name, content_type),
    };
    let signed = sign(scheme, &settings, key.as_ref(), request, "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", NOW)?;
    let headers = headers(&signed, content_type);
    let verifier = Verifier::new(scheme, &settings)?;
    let fetched = [PublicKey::parse(RSA_PUBLIC_PEM)?];
    let arrival = Arrival { method: "POST", url: &signed.url, headers: &headers, body: &signed.body };
    let whole = || assert!(verifier.verify(black_box(&arrival), &fetched, NOW).is_ok());

    let primitive = primitive(name, &signed_bytes(&signed))?;
    let (mut whole_ns, mut primitive_ns) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        whole_ns = whole_ns.min(round_ns(whole));
        primitive_ns = primitive_ns.min(round_ns(&primitive));
    }
    figures::row(name, &[Some(whole_ns), Some(primitive_ns), Some(1e9 / whole_ns), Some(primitive_ns / whole_ns)]);
    Ok(())
}

fn settings(name: &str) -> Settings {
    Settings {
        secrets: vec![if name == "basic" { "user:password".to_owned() } else { SECRET.to_owned() }],
        public_keys: match name.split([',', ' ']).next() {
            Some("ed25519") => vec![ED25519_PUBLIC_PEM.to_owned()],
            Some("rsa-sha256") => vec![RSA_PUBLIC_PEM.to_owned()],
            _ => Vec::new(),
        },
        issuer: Some("https://issuer.example.com".to_owned()),
        audience: Some(URL.to_owned()),
        topic_arns: vec!["arn:aws:sns:us-east-1:123456789012:orders".to_owned()],
        ..Settings::default()
    }
}

/// JSON, a message of SNS, or a form; about 1 KiB each.
fn body(name: &str, content_type: &str) -> Vec<u8> {
    if content_type == FORM {
        return text_message();
    }
    let text = "x".repeat(BODY_BYTES - 12);
    if name.starts_with("sns") { json!({ "Message": text }) } else { json!({ "text": text }) }.to_string().into_bytes()
}

/// The fields of a text message in the order of Twilio's documents, with a text that fills up the KiB.
fn text_message() -> Vec<u8> {
    let sid = "SM0123456789abcdef0123456789abcdef";
    let fields = [
        ("ToCountry", "US"),
        ("ToState", "CA"),
        ("SmsMessageSid", sid),
        ("NumMedia", "0"),
        ("ToCity", "SAN+FRANCISCO"),
        ("FromZip", "94105"),
        ("SmsSid", sid),
        ("FromState", "CA"),
        ("SmsStatus", "received"),
        ("FromCity", "SAN+FRANCISCO"),
        ("FromCountry", "US"),
        ("To", "%2B15550100001"),
        ("MessagingServiceSid", "MG0123456789abcdef0123456789abcdef"),
        ("ToZip", "94105"),
        ("NumSegments", "4"),
        ("MessageSid", sid),
        ("AccountSid", "AC0123456789abcdef0123456789abcdef"),
        ("From", "%2B15550100002"),
        ("ApiVersion", "2010-04-01"),
    ];
    let fields = fields.map(|(name, value)| format!("{name}={value}")).join("&");
    let text = "a+text+message+";
    let body = format!("{fields}&Body={}", text.repeat(BODY_BYTES / text.len()));
    body.into_bytes().into_iter().take(BODY_BYTES).collect()
}

/// The headers of a request as a provider sends it: more than the scheme looks at.
fn headers(signed: &Signed, content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let usual = [
        ("host", "hooks.example.com"),
        ("user-agent", "Sender/1.0"),
        ("accept", "*/*"),
        ("content-type", content_type),
        ("x-request-id", "0123456789abcdef"),
    ];
    let own = signed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in usual.into_iter().chain(own) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    headers
}

/// What Twilio signs, put together beforehand: the address and the sorted fields.
fn twilio_bytes(signed: &Signed) -> Vec<u8> {
    let body = String::from_utf8_lossy(&signed.body);
    let mut fields: Vec<String> =
        body.split('&').map(|pair| pair.replacen('=', "", 1).replace('+', " ").replace("%2B", "+")).collect();
    fields.sort();
    format!("{URL}{}", fields.concat()).into_bytes()
}

/// About what SNS signs: all but the names and line ends are the message.
fn sns_bytes(signed: &Signed) -> Vec<u8> {
    signed.body.iter().copied().take(BODY_BYTES + 200).collect()
}

/// The bare check of a tag or signature over `bytes`, with its key prepared.
fn primitive(name: &str, bytes: &[u8]) -> Outcome<Box<dyn Fn()>> {
    let bytes = bytes.to_vec();
    let hmac_check = |algorithm: hmac::Algorithm| -> Box<dyn Fn()> {
        let key = hmac::Key::new(algorithm, SECRET.as_bytes());
        let tag = hmac::sign(&key, &bytes);
        let bytes = bytes.clone();
        Box::new(move || assert!(hmac::verify(&key, black_box(&bytes), tag.as_ref()).is_ok()))
    };
    Ok(match name.split([',', ' ']).next() {
        Some("twilio" | "hmac-sha1") => hmac_check(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        Some("ed25519") => {
            let pair =
                signature::Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der(ED25519_PEM)?).map_err(|_| "Ed25519")?;
            let found = pair.sign(&bytes).as_ref().to_vec();
            let key = signature::UnparsedPublicKey::new(&signature::ED25519, pair.public_key().as_ref().to_vec());
            Box::new(move || assert!(key.verify(black_box(&bytes), &found).is_ok()))
        }
        Some("rsa-sha256" | "sns" | "jwt") => {
            let pair = signature::RsaKeyPair::from_pkcs8(&der(RSA_PEM)?).map_err(|_| "RSA")?;
            let mut found = vec![0; pair.public().modulus_len()];
            pair.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), &bytes, &mut found).map_err(|_| "RSA")?;
            let algorithm = &signature::RSA_PKCS1_2048_8192_SHA256;
            let key = signature::UnparsedPublicKey::new(algorithm, pair.public_key().as_ref().to_vec());
            Box::new(move || assert!(key.verify(black_box(&bytes), &found).is_ok()))
        }
        Some("basic" | "shared") => Box::new(move || {
            black_box(digest::digest(&digest::SHA256, black_box(&bytes)));
        }),
        _ => hmac_check(hmac::HMAC_SHA256),
    })
}

/// The bytes of a PEM file.
fn der(pem: &str) -> Outcome<Vec<u8>> {
    let lines = pem.lines().filter(|line| !line.contains(['-', ':']));
    Ok(STANDARD.decode(lines.collect::<String>())?)
}

/// Nanoseconds for one call, over one short round.
fn round_ns(call: impl Fn()) -> f64 {
    let begun = Instant::now();
    let mut calls = 0;
    while begun.elapsed() < ROUND {
        (0..BATCH).for_each(|_| call());
        calls += BATCH;
    }
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}
