//! Keys as people and issuers hand them around.

use verify::{PublicKey, certificate_key, jwks_keys, sign::PrivateKey};

use crate::support::{
    CERTIFICATE_PEM, ED25519_PUBLIC_PEM, EXPIRED_CERTIFICATE_PEM, RSA_PUBLIC_PEM, ed25519, p256, published, rsa,
};

const NOW: i64 = 1_767_323_045;

#[test]
fn a_public_key_is_the_same_in_all_its_forms() {
    let bare = |pem: &str| pem.lines().filter(|line| !line.contains('-') && !line.contains(':')).collect::<String>();
    for (pem, private) in [
        (RSA_PUBLIC_PEM, rsa()),
        (ED25519_PUBLIC_PEM, ed25519()),
        (include_str!("../fixtures/test-only-p256.public.pem"), p256()),
    ] {
        let key = PublicKey::parse(pem).unwrap();
        assert_eq!(PublicKey::parse(&bare(pem)), Ok(key.clone()));
        let named = private.public_key().unwrap();
        assert!(published().contains(&named), "{:?}", named.kid());
        assert_eq!(
            format!("{key:?}").replace("None", ""),
            format!("{named:?}").replace(&format!("{:?}", Some(named.kid().unwrap())), "")
        );
    }
}

#[test]
fn the_key_of_a_provider_in_bare_base64_is_read() {
    PublicKey::parse("MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=").unwrap();
}

#[test]
fn what_is_no_public_key_is_refused_with_a_sentence() {
    let short = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"}}"#, "_".repeat(171));
    for text in [
        "",
        "whpk_",
        "whpk_AAAA",
        "hush",
        "{}",
        "{",
        short.as_str(),
        r#"{"kty":"oct","k":"AAAA"}"#,
        include_str!("../fixtures/test-only-ed25519.private.pem"),
    ] {
        let sentence = PublicKey::parse(text).unwrap_err();
        assert!(sentence.ends_with('.') && !sentence.contains("AAAA"), "{sentence}");
    }
}

#[test]
fn a_certificate_counts_while_it_is_valid() {
    let key = certificate_key(CERTIFICATE_PEM, NOW).unwrap();
    assert_eq!(key, PublicKey::parse(RSA_PUBLIC_PEM).unwrap());
    let (first, last) = (1_577_836_800, 2_524_521_600);
    for (now, is_valid) in
        [(first - 1, false), (first, true), (last, true), (last + 1, false), (-1, false), (i64::MAX, false)]
    {
        assert_eq!(certificate_key(CERTIFICATE_PEM, now).is_ok(), is_valid, "{now}");
    }
    assert!(certificate_key(EXPIRED_CERTIFICATE_PEM, NOW).is_err());
}

#[test]
fn what_is_no_certificate_is_refused() {
    for pem in
        [&b""[..], b"\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", RSA_PUBLIC_PEM.as_bytes()]
    {
        assert_eq!(certificate_key(pem, NOW).unwrap_err().check(), "certificate");
    }
}

#[test]
fn a_key_set_gives_its_keys_for_signatures() {
    let names: Vec<_> = published().iter().map(|key| key.kid().unwrap().to_owned()).collect();
    assert_eq!(names, ["test-only-rsa", "test-only-p256", "test-only-ed25519"]);
    for json in ["", "{}", "[]", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct"}]}"#, r#"{"keys":[1]}"#] {
        assert_eq!(jwks_keys(json.as_bytes()).unwrap_err().check(), "key", "{json}");
    }
}

#[test]
fn no_private_key_is_shown() {
    for key in [rsa(), ed25519(), p256()] {
        assert!(format!("{key:?}").starts_with("PrivateKey("));
    }
    assert!(PrivateKey::parse("whsk_AAAA").is_err());
    assert!(PrivateKey::parse(RSA_PUBLIC_PEM).is_err());
}
