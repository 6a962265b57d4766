//! The tables: what is accepted, and the sentence of what is not.

use serde_json::Value;
use verify::{Arrival, Needs, Settings, Verifier, certificate_key};

use crate::support::{CERTIFICATE_PEM, Case, cases, published, scheme};

#[test]
fn what_a_sender_signed_is_accepted() {
    for case in cases(include_str!("../cases/accepted.json")) {
        assert_eq!(case.verify(&[]), Ok(case.expected()), "{}", case.name);
    }
}

#[test]
fn what_it_did_not_sign_is_refused_with_the_check_that_failed() {
    for case in cases(include_str!("../cases/refused.json")) {
        let refusal = case.verify(&[]).expect_err(&case.name);
        assert_eq!(Some(refusal.to_string()), case.refusal, "{}", case.name);
    }
}

#[test]
fn one_flipped_bit_in_an_accepted_body_is_refused() {
    for case in cases(include_str!("../cases/accepted.json")) {
        let covers_body = !matches!(case.scheme.as_str(), "basic" | "header" | "none");
        for at in 0..if covers_body { case.body.len() } else { 0 } {
            let mut body = case.body.clone().into_bytes();
            body[at] ^= 1;
            let headers = case.header_map();
            assert!(
                case.verifier().verify(&case.arrival(&headers, &body), &[], case.now).is_err(),
                "{} at {at}",
                case.name
            );
        }
    }
}

#[test]
fn a_message_of_amazon_is_checked_by_its_certificate() {
    let key = certificate_key(CERTIFICATE_PEM, 1_767_323_045).unwrap();
    for case in cases(include_str!("../cases/sns.json")) {
        let verified = sns(&case).verify(&arrival(&case, &case.header_map()), std::slice::from_ref(&key), case.now);
        assert_eq!(verified.as_ref().err().map(ToString::to_string), case.refusal, "{}", case.name);
        if let Ok(verified) = verified {
            assert_eq!(verified.id.as_deref(), Some("22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"), "{}", case.name);
        }
    }
}

#[test]
fn a_certificate_is_asked_for_at_amazon_and_nowhere_else() {
    for case in cases(include_str!("../cases/sns.json")) {
        let needs = sns(&case).needs(&arrival(&case, &case.header_map()));
        if let Ok(needs) = needs {
            let Needs::Certificate { url } = needs else { panic!("{}", case.name) };
            assert!(url.starts_with("https://sns."), "{}", case.name);
        } else {
            assert_eq!(needs.unwrap_err().to_string(), case.refusal.unwrap(), "{}", case.name);
        }
    }
}

#[test]
fn a_message_without_its_certificate_is_refused() {
    let rows = cases(include_str!("../cases/sns.json"));
    let refusal = sns(&rows[0]).verify(&arrival(&rows[0], &rows[0].header_map()), &[], rows[0].now).unwrap_err();
    assert_eq!(refusal.check(), "certificate");
}

fn sns(case: &Case) -> Verifier {
    Verifier::new(&scheme("sns"), &Settings { topic_arns: case.topic_arns.clone(), ..Settings::default() }).unwrap()
}

fn arrival<'a>(case: &'a Case, headers: &'a http::HeaderMap) -> Arrival<'a> {
    case.arrival(headers, case.body.as_bytes())
}

#[test]
fn a_token_is_believed_for_its_issuer_audience_and_time_only() {
    for case in cases(include_str!("../cases/tokens.json")) {
        let refusal = case.verify(&published()).err();
        assert_eq!(refusal.map(|refusal| refusal.to_string()), case.refusal, "{}", case.name);
    }
}

#[test]
fn the_key_of_a_token_is_asked_for_by_name_unless_the_hook_has_its_own() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../cases/tokens.json")).unwrap();
    for (case, row) in cases(include_str!("../cases/tokens.json")).iter().zip(&rows) {
        let headers = case.header_map();
        let Ok(needs) = case.verifier().needs(&arrival(case, &headers)) else { continue };
        let is_static = row["settings"].get("publicKeys").is_some();
        assert_eq!(needs == Needs::Nothing, is_static, "{}", case.name);
        if case.name == "RS256" {
            assert_eq!(needs, Needs::Jwks { kid: Some("test-only-rsa".to_owned()) });
        }
    }
}

#[test]
fn a_token_is_not_believed_without_keys() {
    let rows = cases(include_str!("../cases/tokens.json"));
    assert_eq!(rows[0].verify(&[]).unwrap_err().check(), "key");
}
