//! What holds for every text: whatever is let through is public, and a browser reads it as the same.
//!
//! *Why a law and no target of the fuzzer*: this crate brings the SDK, which would be built once more with counters.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use service::ports::Web;
use url::{Host, Url};

use super::public::is_public;
use super::reach::Reach;
use super::{Place, place::is_public_name};

/// Cases for each law; a case takes microseconds.
const CASES: u32 = 20_000;

/// Pieces of which addresses are made, and attacks on them.
const PIECES: [&str; 72] = [
    "http",
    "https",
    "HTTP",
    "ftp",
    "file",
    ":",
    "://",
    ":/",
    "//",
    "/",
    "\\",
    "?",
    "#",
    "@",
    ".",
    "..",
    "-",
    "_",
    "%",
    "%2e",
    "%40",
    "%00",
    "[",
    "]",
    "[::1]",
    "[::",
    "]:80",
    "::ffff:",
    "64:ff9b::",
    "fe80::1",
    "%25eth0",
    "2606:4700:4700::1111",
    "0",
    "1",
    "127",
    "127.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "1.1.1.1",
    "0x7f",
    "0177",
    "2130706433",
    ":80",
    ":443",
    ":0",
    ":22",
    ":99999",
    ":080",
    "localhost",
    "example",
    "example.org",
    "EXAMPLE",
    "org",
    "internal",
    "local",
    "xn--",
    "xn--bcher-kva",
    "a",
    "b@c",
    "user:password@",
    " ",
    "\t",
    "\r",
    "\n",
    "\0",
    "\u{3002}",
    "\u{ff0e}",
    "\u{2488}",
    "\u{df}",
    "\u{200d}",
    "\u{2460}",
    ";",
];

fn texts() -> impl Strategy<Value = String> {
    let pieces = || vec(select(&PIECES[..]), 0..10).prop_map(|pieces| pieces.concat());
    let begun = (select(vec!["http://", "https://", ""]), pieces()).prop_map(|(begin, rest)| format!("{begin}{rest}"));
    let changed = (select(seeds()), any::<prop::sample::Index>(), select(&PIECES[..]), 0..4_usize).prop_map(
        |(seed, at, piece, removed)| {
            let mut letters: Vec<char> = seed.chars().collect();
            let at = at.index(letters.len() + 1);
            let end = (at + removed).min(letters.len());
            letters.splice(at..end, piece.chars());
            letters.into_iter().collect()
        },
    );
    prop_oneof![begun, changed]
}

/// The addresses of both tables of the guard.
fn seeds() -> Vec<String> {
    let tables = [include_str!("../web_calls/tests/refused.json"), include_str!("../web_calls/tests/reached.json")];
    let mut seeds = Vec::new();
    for table in tables {
        see(&serde_json::from_str(table).unwrap(), &mut seeds);
    }
    seeds
}

fn see(value: &serde_json::Value, seeds: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => seeds.push(text.clone()),
        serde_json::Value::Array(elements) => elements.iter().for_each(|element| see(element, seeds)),
        serde_json::Value::Object(members) => members.values().for_each(|member| see(member, seeds)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn what_is_let_through_is_public_and_browsers_read_it_alike(text in texts()) {
        let Ok(place) = Place::parse(&text, &Reach::new(Web::HttpsAndHttp, Vec::new())) else { return Ok(()) };
        prop_assert!(text.is_ascii() && !text.contains(['\\', ' ', '\r', '\n', '\t', '\0']));
        // A browser refuses more names than we do: those whose xn-- form is none.
        let Ok(url) = Url::parse(&text) else { return Ok(()) };
        prop_assert!(["http", "https"].contains(&url.scheme()) && url.username().is_empty() && url.password().is_none());
        prop_assert_eq!(url.port_or_known_default(), Some(if url.scheme() == "https" { 443 } else { 80 }));
        let ours = place.uri().host().unwrap_or_default().to_ascii_lowercase();
        match url.host() {
            Some(Host::Domain(name)) => prop_assert!(name == ours && is_public_name(name), "{} {}", name, ours),
            Some(Host::Ipv4(address)) => prop_assert!(is_public(address.into()) && address.to_string() == ours),
            Some(Host::Ipv6(address)) => prop_assert!(is_public(address.into())),
            None => prop_assert!(false, "no host in {}", text),
        }
    }
}
