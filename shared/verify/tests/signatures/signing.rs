//! The sender's side: what it signs is accepted, and it says what it lacks.

use verify::{
    Arrival, PublicKey, Scheme, Settings, Verifier, certificate_key,
    sign::{PrivateKey, Signed, Unsigned, sign},
};

use crate::support::{
    CERTIFICATE_PEM, ED25519_PUBLIC_PEM, HOOK_URL, RSA_PUBLIC_PEM, ed25519, header_map, p256, published, rsa, scheme,
    scheme_names,
};

pub(crate) const NOW: i64 = 1_767_323_045;
const FORM: &str = "application/x-www-form-urlencoded";

/// Everything that any scheme could want.
pub(crate) fn settings() -> Settings {
    Settings {
        secrets: vec!["aHVzaDpodXNo".to_owned(), "c2Vjb25k".to_owned()],
        public_keys: vec![RSA_PUBLIC_PEM.to_owned(), ED25519_PUBLIC_PEM.to_owned()],
        issuer: Some("https://issuer.example.com".to_owned()),
        audience: Some("https://hooks.example.com".to_owned()),
        email: Some("push@example.com".to_owned()),
        subject: Some("1".to_owned()),
        topic_arns: vec!["arn:aws:sns:us-east-1:123456789012:orders".to_owned()],
        ..Settings::default()
    }
}

pub(crate) fn settings_of(name: &str) -> Settings {
    match name {
        "basic" => Settings { secrets: vec!["user:password".to_owned()], ..settings() },
        _ => settings(),
    }
}

pub(crate) fn key_of(name: &str) -> Option<PrivateKey> {
    match name {
        "ed25519" | "interactions" | "gohighlevel" => Some(ed25519()),
        "rsa" | "sns" | "google" => Some(rsa()),
        "jwt" => Some(p256()),
        _ => None,
    }
}

pub(crate) fn unsigned(content_type: &str, body: &[u8]) -> Unsigned {
    let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    Unsigned { method: "POST".to_owned(), url: format!("{HOOK_URL}?x=1"), headers, body: body.to_vec() }
}

pub(crate) fn fetched() -> Vec<PublicKey> {
    let mut keys = published();
    keys.push(certificate_key(CERTIFICATE_PEM, NOW).unwrap());
    keys
}

pub(crate) fn accepts(scheme: &Scheme, settings: &Settings, signed: &Signed, content_type: &str) -> bool {
    let mut pairs = signed.headers.clone();
    pairs.push(("content-type".to_owned(), content_type.to_owned()));
    let headers = header_map(&pairs);
    let arrival = Arrival { method: "POST", url: &signed.url, headers: &headers, body: &signed.body };
    Verifier::new(scheme, settings).unwrap().verify(&arrival, &fetched(), NOW).is_ok()
}

#[test]
fn what_is_signed_for_a_scheme_is_accepted_by_it() {
    for name in scheme_names() {
        let (scheme, settings) = (scheme(name), settings_of(name));
        for (content_type, body) in [("application/json", r#"{"Message":"é"}"#), (FORM, "a=1&b=%20&a=2")] {
            if name == "sns" && content_type == FORM {
                continue;
            }
            let request = unsigned(content_type, body.as_bytes());
            let signed = sign(&scheme, &settings, key_of(name).as_ref(), request, "msg_1", NOW).expect(name);
            let settings = match name {
                "jwt" => Settings { public_keys: Vec::new(), ..settings.clone() },
                _ => settings.clone(),
            };
            assert!(accepts(&scheme, &settings, &signed, content_type), "{name}");
        }
    }
}

#[test]
fn a_standard_webhook_is_signed_with_a_private_key_where_the_hook_has_no_secret() {
    let seed = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    let key = PrivateKey::parse(seed).unwrap();
    let public = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned();
    let settings = Settings { public_keys: vec![public], ..Settings::default() };
    let scheme = scheme("standard-webhooks");
    let signed = sign(&scheme, &settings, Some(&key), unsigned("application/json", b"{}"), "msg_1", NOW).unwrap();
    assert!(signed.headers.iter().any(|(_, value)| value.starts_with("v1a,")));
    assert!(accepts(&scheme, &settings, &signed, "application/json"));
}

#[test]
fn a_subscription_is_signed_as_one() {
    let body = br#"{"Type":"SubscriptionConfirmation","Token":"t","SubscribeURL":"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription"}"#;
    let signed = sign(&scheme("sns"), &settings(), Some(&rsa()), unsigned("text/plain", body), "msg_1", NOW).unwrap();
    assert!(accepts(&scheme("sns"), &settings(), &signed, "text/plain"));
    assert!(verify::handshake::subscribe_url(&signed.body, &settings().topic_arns).unwrap().is_some());
}

#[test]
fn a_message_of_amazon_is_checked_with_the_hooks_own_keys_where_it_has_some() {
    let body = br#"{"Type":"Notification","Message":"hello"}"#;
    let signed = sign(&scheme("sns"), &settings(), Some(&rsa()), unsigned("text/plain", body), "msg_1", NOW).unwrap();
    let headers = header_map(&signed.headers);
    let arrival = Arrival { method: "POST", url: &signed.url, headers: &headers, body: &signed.body };
    for (public_key, is_taken) in [(RSA_PUBLIC_PEM, true), (ED25519_PUBLIC_PEM, false)] {
        let hook = Settings { public_keys: vec![public_key.to_owned()], ..settings() };
        let verifier = Verifier::new(&scheme("sns"), &hook).unwrap();
        assert!(matches!(verifier.needs(&arrival), Ok(verify::Needs::Nothing)));
        assert_eq!(verifier.verify(&arrival, &fetched(), NOW).is_ok(), is_taken);
    }
    let amazons = Verifier::new(&scheme("sns"), &Settings { public_keys: Vec::new(), ..settings() }).unwrap();
    assert!(matches!(amazons.needs(&arrival), Ok(verify::Needs::Certificate { .. })));
}

#[test]
fn what_is_lacking_is_said() {
    for (name, settings, key) in [
        ("stripe", Settings::default(), None),
        ("ed25519", settings(), None),
        ("ed25519", settings(), Some(rsa())),
        ("sns", settings(), None),
        ("sns", Settings { topic_arns: Vec::new(), ..settings() }, Some(rsa())),
        ("jwt", settings(), None),
        ("basic", Settings::default(), None),
    ] {
        let sentence =
            sign(&scheme(name), &settings, key.as_ref(), unsigned("application/json", b"{}"), "1", NOW).err();
        assert!(sentence.is_some_and(|sentence| sentence.ends_with('.')), "{name}");
    }
}
