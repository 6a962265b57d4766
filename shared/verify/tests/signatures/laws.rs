//! Laws: what is signed is accepted, one flipped bit is not, and nothing that comes makes the crate panic.

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::{collection::vec, prelude::*};
use verify::{
    Arrival, PublicKey, Refusal, Verifier, certificate_key, diagnose, handshake, jwks_keys,
    sign::{PrivateKey, Signed, sign},
};

use crate::{
    signing::{NOW, accepts, fetched, key_of, settings, settings_of, unsigned},
    support::{HOOK_URL, scheme, scheme_names},
};

/// The schemes whose signature covers the body.
const COVERING: &[&str] = &[
    "shopify",
    "meta",
    "meta-sha1",
    "linkedin",
    "cal",
    "stripe",
    "tiktok",
    "calendly",
    "slack",
    "standard-webhooks",
    "ed25519",
    "rsa",
];

fn signed(name: &str, body: &[u8]) -> Signed {
    sign(&scheme(name), &settings(), key_of(name).as_ref(), unsigned("application/json", body), "msg_1", NOW).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_body_that_is_signed_is_accepted_and_no_bit_of_it_may_flip(
        name in prop::sample::select(COVERING),
        body in vec(any::<u8>(), 1..300),
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let mut signed = signed(name, &body);
        prop_assert!(accepts(&scheme(name), &settings(), &signed, "application/json"));
        signed.body[at.index(body.len())] ^= 1u8 << bit;
        prop_assert!(!accepts(&scheme(name), &settings(), &signed, "application/json"));
    }

    #[test]
    fn no_character_of_a_signature_may_change(
        name in prop::sample::select(COVERING),
        at in any::<prop::sample::Index>(),
        character in prop::sample::select(('!'..='~').collect::<Vec<_>>()),
    ) {
        let mut signed = signed(name, b"{}");
        let value = &mut signed.headers[0].1;
        let at = at.index(value.len());
        let before = value.as_bytes()[at];
        let is_same = before.eq_ignore_ascii_case(&(character as u8));
        prop_assume!(!is_same);
        value.replace_range(at..=at, &character.to_string());
        prop_assert!(!accepts(&scheme(name), &settings(), &signed, "application/json"));
    }

    #[test]
    fn any_form_that_is_signed_for_twilio_is_accepted_in_any_order(
        pairs in vec(("[a-zA-Z]{1,6}", "\\PC{0,8}"), 1..12),
    ) {
        let form = |pairs: &[(String, String)]| {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into_bytes()
        };
        let content_type = "application/x-www-form-urlencoded";
        let request = unsigned(content_type, &form(&pairs));
        let mut signed = sign(&scheme("twilio"), &settings(), None, request, "", NOW).unwrap();
        let mut reversed = pairs.clone();
        reversed.reverse();
        signed.body = form(&reversed);
        prop_assert!(accepts(&scheme("twilio"), &settings(), &signed, content_type));
        reversed.push(("Another".to_owned(), "1".to_owned()));
        signed.body = form(&reversed);
        prop_assert!(!accepts(&scheme("twilio"), &settings(), &signed, content_type));
    }

    #[test]
    fn whatever_comes_is_answered(
        value in "[ -~]{0,80}|(v1a?|t|s|sha256|Bearer|Basic)[,=. ][A-Za-z0-9+/=_., -]{0,120}",
        time in "[0-9]{0,22}|[ -~]{0,12}",
        url in "\\PC{0,40}|https?://[a-z.:@/?&=0-9\\[\\]]{0,40}",
        body in vec(any::<u8>(), 0..200),
    ) {
        let mut headers = HeaderMap::new();
        for name in scheme_names() {
            for header in scheme(name).credential_headers() {
                headers.insert(HeaderName::try_from(header).unwrap(), HeaderValue::from_str(&value).unwrap());
            }
        }
        for name in ["webhook-timestamp", "webhook-id", "x-slack-request-timestamp", "x-signature-timestamp", "host", "content-type"] {
            headers.insert(name, HeaderValue::from_str(&time).unwrap());
        }
        let arrival = Arrival { method: "POST", url: &url, headers: &headers, body: &body };
        for name in scheme_names().filter(|name| *name != "none") {
            let verifier = Verifier::new(&scheme(name), &settings_of(name)).unwrap();
            let _ = verifier.needs(&arrival);
            let refusal = verifier.verify(&arrival, &fetched(), NOW).unwrap_err();
            let reasons = diagnose(&scheme(name), &settings_of(name), &[], &arrival, &fetched(), &refusal, NOW);
            prop_assert!(!reasons.is_empty());
        }
    }

    #[test]
    fn whatever_is_pasted_or_fetched_is_answered(bytes in vec(any::<u8>(), 0..200), text in "\\PC{0,120}") {
        let _ = (PublicKey::parse(&text), PrivateKey::parse(&text), certificate_key(&bytes, NOW), jwks_keys(&bytes));
        let pem = format!("-----BEGIN CERTIFICATE-----{text}-----END CERTIFICATE-----");
        prop_assert_eq!(certificate_key(pem.as_bytes(), NOW), Err(Refusal::BadCertificate));
        prop_assert!(handshake::subscribe_url(&bytes, &[]).is_err());
    }

    #[test]
    fn a_body_that_was_written_anew_is_recognised(
        names in vec("[a-zé/]{1,8}", 1..6),
        number in any::<i64>(),
    ) {
        let document: serde_json::Value = names.iter().map(|name| (name.clone(), serde_json::json!([number, name, {"x": null}]))).collect::<serde_json::Map<_, _>>().into();
        let mut signed = signed("meta", document.to_string().as_bytes());
        signed.body = serde_json::to_vec_pretty(&document).unwrap();
        let headers = crate::support::header_map(&signed.headers);
        let arrival = Arrival { method: "POST", url: HOOK_URL, headers: &headers, body: &signed.body };
        let reasons = diagnose(&scheme("meta"), &settings(), &[], &arrival, &[], &Refusal::WrongSignature, NOW);
        prop_assert_eq!(reasons[0].code, "reserialised_body");
    }
}
