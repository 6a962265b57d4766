//! Senders who mean no good at the door for webhooks: what they sign, how they label it, and what they put into it.
//!
//! Whatever they do is answered with a sentence and never with a failure of ours.

mod bodies;
mod repeats;

use http::HeaderValue;
use serde_json::{Value, json};
use service::http::Request;
use tests::{
    Answer,
    world::{NOON, World},
};
use verify::{
    Settings,
    sign::{Unsigned, sign},
};

/// Every shape of a signature over the body, by a scheme that has it.
const SIGNED: [&str; 11] = [
    "shopify",
    "github",
    "stripe",
    "slack",
    "standard-webhooks",
    "linkedin",
    "calendly",
    "cal",
    "kustomer",
    "tiktok",
    "meta",
];

/// Base64 of 24 bytes, so that it is a secret of every scheme.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A header as it is sent.
type Header<'a> = (&'a str, &'a str);

const JSON: Header<'static> = ("content-type", "application/json");
const BODY: &str = "{\"name\": \"caf\u{e9} \\u00e9 <&>\", \"price\": 1.0, \"list\": [1, 2]}";

/// A webhook with these attributes beside a title; gives its path.
async fn hook(world: &World, attributes: Value) -> String {
    let mut draft = json!({ "title": "Web" });
    draft.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    let made = world.api("POST", "/v1/hooks/web", draft).await.expect(201);
    format!("/v1/hooks/web/{}", made.attribute("hash").as_str().unwrap())
}

/// A webhook that takes whatever comes.
async fn open_hook(world: &World) -> String {
    hook(world, json!({ "auth": { "scheme": "none" } })).await
}

async fn signed_hook(world: &World, scheme: &str) -> String {
    hook(world, json!({ "auth": { "scheme": scheme, "secrets": [SECRET] } })).await
}

/// The headers that sign `body`.
fn signed(scheme: &str, path: &str, body: &[u8]) -> Vec<(String, String)> {
    let settings = Settings { secrets: vec![SECRET.to_owned()], ..Settings::default() };
    let headers = vec![(JSON.0.to_owned(), JSON.1.to_owned())];
    let url = format!("http://hooks.test{path}");
    let request = Unsigned { method: "POST".to_owned(), url, headers, body: body.to_vec() };
    let now = domain::Timestamp::parse(NOON).unwrap().as_second();
    sign(&service::senders::scheme(scheme).unwrap(), &settings, None, request, "msg_1", now).unwrap().headers
}

async fn post(world: &World, path: &str, headers: &[(String, String)], more: &[Header<'_>], body: &[u8]) -> Answer {
    let own = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = own.chain(more.iter().copied()).collect();
    world.send("POST", path, &headers, body.to_vec()).await
}

/// What a provider's sender is answered when it was taken.
fn is_taken(answer: &Answer) -> bool {
    [200, 202].contains(&answer.status)
}

#[tokio::test]
async fn no_byte_of_a_signed_body_may_change() {
    let parsed: Value = domain::exact::parse(BODY).unwrap();
    let utf16: Vec<u8> = BODY.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let variants: Vec<Vec<u8>> = vec![
        parsed.to_string().into(),
        serde_json::to_vec_pretty(&parsed).unwrap(),
        BODY.replace("\\u00e9", "\u{e9}").into(),
        BODY.replace("1.0", "1").into(),
        BODY.replace("1.0", "1.00").into(),
        format!("{BODY}\n").into(),
        format!("{BODY}\r\n").into(),
        format!("{BODY}\0").into(),
        format!(" {BODY}").into(),
        format!("\u{feff}{BODY}").into(),
        format!("{BODY}{BODY}").into(),
        BODY[..BODY.len() - 1].into(),
        Vec::new(),
        utf16,
        vec![b'x'; 409_600],
    ];
    let world = World::new().await;
    for scheme in SIGNED {
        let path = signed_hook(&world, scheme).await;
        let headers = signed(scheme, &path, BODY.as_bytes());
        let none = post(&world, &path, &[], &[JSON], BODY.as_bytes()).await.expect(401);
        let depth = world.queue.depth();
        for variant in &variants {
            let answer = post(&world, &path, &headers, &[JSON], variant).await;
            let shown = String::from_utf8_lossy(&variant[..variant.len().min(40)]).into_owned();
            assert_eq!((answer.status, &answer.text), (401, &none.text), "{scheme} {shown}");
        }
        assert_eq!(world.queue.depth(), depth, "{scheme}");
        assert!(is_taken(&post(&world, &path, &headers, &[JSON], BODY.as_bytes()).await), "{scheme}");
    }
}

#[tokio::test]
async fn the_fields_of_a_signed_form_may_change_places_and_nothing_else() {
    const FORM: Header<'static> = ("content-type", "application/x-www-form-urlencoded");
    let world = World::new().await;
    let path = signed_hook(&world, "twilio").await;
    let settings = Settings { secrets: vec![SECRET.to_owned()], ..Settings::default() };
    let request = Unsigned {
        method: "POST".to_owned(),
        url: format!("http://hooks.test{path}?a=1"),
        headers: vec![(FORM.0.to_owned(), FORM.1.to_owned())],
        body: b"Body=Hi+there&From=%2B15550100&MessageSid=SM1".to_vec(),
    };
    let scheme = service::senders::scheme("twilio").unwrap();
    let own = sign(&scheme, &settings, None, request, "", 0).unwrap().headers;
    for (query, label, body, taken) in [
        ("?a=1", FORM, "Body=Hi+there&From=%2B15550100&MessageSid=SM1", true),
        ("?a=1", FORM, "MessageSid=SM1&Body=Hi%20there&From=%2b15550100", true),
        ("?a=1", FORM, "Body=Hi+There&From=%2B15550100&MessageSid=SM1", false),
        ("?a=1", FORM, "Body=Hi+there&From=%2B15550100&MessageSid=SM1&To=1", false),
        ("?a=1", FORM, "Body=Hi+there&From=%2B15550100&MessageSid=SM1&Body=Bye", false),
        ("?a=1", FORM, "Body=Hi+thereFrom%2B15550100&MessageSid=SM1&From=", false),
        ("?a=1", FORM, "From=%2B15550100&MessageSid=SM1", false),
        ("?a=1", FORM, "", false),
        ("?a=2", FORM, "Body=Hi+there&From=%2B15550100&MessageSid=SM1", false),
        ("", FORM, "Body=Hi+there&From=%2B15550100&MessageSid=SM1", false),
        ("?a=1", JSON, "{\"Body\":\"Hi there\",\"From\":\"+15550100\",\"MessageSid\":\"SM1\"}", false),
    ] {
        let answer = post(&world, &format!("{path}{query}"), &own, &[label], body.as_bytes()).await;
        assert_eq!(is_taken(&answer), taken, "{query} {body} {answer:?}");
        assert!(taken || answer.status == 401, "{query} {body}");
    }
}

#[tokio::test]
async fn a_signature_of_a_body_that_cannot_be_read_does_not_make_it_readable() {
    let gzip: &[u8] = &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0, 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0];
    let json = "application/json";
    let cases: [(&[u8], &[Header], u16, &str); 9] = [
        (gzip, &[JSON, ("content-encoding", "gzip")], 415, "content_encoding"),
        (gzip, &[JSON], 400, "broken_text"),
        (b"{}", &[JSON, ("content-encoding", "br, gzip")], 415, "content_encoding"),
        (b"", &[JSON], 400, "empty_body"),
        (b" \r\n", &[JSON], 400, "empty_body"),
        (b"{}", &[JSON, JSON], 400, "ambiguous_content_type"),
        (b"{}", &[JSON, ("content-type", "text/plain")], 400, "ambiguous_content_type"),
        (b"{}", &[("content-type", "application/json, text/plain")], 400, "ambiguous_content_type"),
        (b"{}", &[("content-type", "image/png")], 415, "unsupported_media_type"),
    ];
    let world = World::new().await;
    for scheme in SIGNED {
        let path = signed_hook(&world, scheme).await;
        for (body, labels, status, code) in cases {
            let headers = signed(scheme, &path, body);
            let answer = post(&world, &path, &headers, labels, body).await;
            assert_eq!((answer.status, answer.code()), (status, code), "{scheme} {labels:?}");
        }
        // JSON is UTF-8 whatever its label says.
        for charset in ["utf-8", "UTF-8", "us-ascii", "iso-8859-1", "utf-16", "nonsense", "\"", ""] {
            let label = format!("{json}; charset={charset}");
            let headers = signed(scheme, &path, b"{}");
            let answer = post(&world, &path, &headers, &[("content-type", &label)], b"{}").await;
            assert!(is_taken(&answer) || [400, 415].contains(&answer.status), "{scheme} {label} {answer:?}");
        }
    }
}

#[tokio::test]
async fn at_most_ten_signatures_are_tried_and_a_header_comes_once() {
    let world = World::new().await;
    for (scheme, wrong, joint) in [
        ("standard-webhooks", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", " "),
        ("stripe", "v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd", ","),
        ("calendly", "v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd", ","),
        ("tiktok", "s=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd", ","),
    ] {
        let path = signed_hook(&world, scheme).await;
        for (count, taken) in [(0, true), (9, true), (10, false), (100, false), (1_000, false)] {
            let mut headers = signed(scheme, &path, BODY.as_bytes());
            headers[0].1 = format!("{}{}", headers[0].1, format!("{joint}{wrong}").repeat(count));
            let answer = post(&world, &path, &headers, &[JSON], BODY.as_bytes()).await;
            assert_eq!(is_taken(&answer), taken, "{scheme} {count} {answer:?}");
            assert!(taken || answer.status == 401, "{scheme} {count}");
        }
    }
    for scheme in SIGNED {
        let path = signed_hook(&world, scheme).await;
        let headers = signed(scheme, &path, BODY.as_bytes());
        let (name, value) = (headers[0].0.as_str(), headers[0].1.as_str());
        let twice = post(&world, &path, &headers, &[JSON, (name, value)], BODY.as_bytes()).await;
        assert_eq!((twice.status, twice.code()), (400, "ambiguous_credentials"), "{scheme}");
        let none = post(&world, &path, &[], &[JSON], BODY.as_bytes()).await.expect(401);
        for odd in
            ["", " ", ",", "=", "v1,", "v0,", "t=,v1=", "sha256=", "null", "%00", &"a".repeat(60_000), &value[1..]]
        {
            let mut headers = headers.clone();
            odd.clone_into(&mut headers[0].1);
            let answer = post(&world, &path, &headers, &[JSON], BODY.as_bytes()).await;
            assert_eq!((answer.status, &answer.text), (401, &none.text), "{scheme} {}", &odd[..odd.len().min(20)]);
        }
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_in_headers_let_nobody_in_and_break_nothing() {
    let world = World::new().await;
    let odd = HeaderValue::from_bytes(b"\x80\xff\xc3\x28 \t~").unwrap();
    let request = |path: &str, names: &[&str]| {
        let mut request = Request::new(BODY.into());
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = path.parse().unwrap();
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        for name in names {
            request.headers_mut().insert(http::HeaderName::try_from(*name).unwrap(), odd.clone());
        }
        request
    };
    for scheme in SIGNED {
        let path = signed_hook(&world, scheme).await;
        let headers = signed(scheme, &path, BODY.as_bytes());
        for (name, _) in &headers {
            let mut request = request(&path, &[]);
            for (name, value) in &headers {
                request.headers_mut().insert(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
            }
            request.headers_mut().insert(http::HeaderName::try_from(name).unwrap(), odd.clone());
            assert_eq!(world.deliver(request).await.status, 401, "{scheme} {name}");
        }
    }
    for (auth, header) in [
        (json!({ "scheme": "bearer" }), "authorization"),
        (json!({ "scheme": "basic", "secrets": ["user:password"] }), "authorization"),
        (json!({ "scheme": "header", "header": "x-own", "secrets": ["secret"] }), "x-own"),
        (json!({ "scheme": "jwt", "issuer": "https://a.example", "audience": "b" }), "authorization"),
    ] {
        let path = hook(&world, json!({ "auth": auth })).await;
        assert_eq!(world.deliver(request(&path, &[header])).await.status, 401, "{auth}");
    }
    let path = open_hook(&world).await;
    world.deliver(request(&path, &["x-odd", "user-agent", "referer", "x-forwarded-proto"])).await.expect(202);
    world.deliver(request(&path, &["content-type"])).await.expect(415);
    world.deliver(request(&path, &["content-encoding"])).await.expect(415);
    world.work().await;
}

#[tokio::test]
async fn line_ends_and_nul_get_into_no_header_of_an_answer() {
    for bad in ["a\r\nb", "a\nb", "a\rb", "a\0b", "a\u{7f}b"] {
        assert!(HeaderValue::from_str(bad).is_err(), "no request can hold {bad:?}");
    }
    let world = World::new().await;
    for bad in ["a\r\nSet-Cookie: x=y", "a\nb", "a\0b"] {
        for (key, value) in [
            ("reply", json!({ "status": 200, "body": "ok", "contentType": bad })),
            ("reply", json!({ "status": 303, "location": format!("https://shop.example/{bad}") })),
            ("auth", json!({ "scheme": "header", "header": bad, "secrets": ["s"] })),
            ("auth", json!({ "scheme": "header", "header": "", "secrets": ["s"] })),
            ("methods", json!([bad])),
            ("app", json!(bad)),
        ] {
            let answer = world.api("POST", "/v1/hooks/web", json!({ "title": "Web", key: value })).await;
            assert_eq!(answer.status, 400, "{key} {value}");
        }
    }
    let auth = json!({ "scheme": "meta", "secrets": ["s"], "verifyToken": "token" });
    let path = hook(&world, json!({ "auth": auth })).await;
    for challenge in ["%0d%0aSet-Cookie:x", "%00", "%3Cscript%3E", "%FF", "a%20b", "%E2%80%AE", &"1".repeat(513)] {
        let path = format!("{path}?hub.mode=subscribe&hub.verify_token=token&hub.challenge={challenge}");
        let answer = world.send("GET", &path, &[], "").await;
        assert!([403, 405].contains(&answer.status) && !answer.text.contains("Set-Cookie"), "{challenge} {answer:?}");
    }
    let path = open_hook(&world).await;
    let answer = world.send("POST", &path, &[JSON], "{\"a\":\"x\\r\\nSet-Cookie: y\\u0000\"}").await.expect(202);
    assert!(answer.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn header_values_are_kept_up_to_their_limit_and_no_more() {
    let world = World::new().await;
    let path = open_hook(&world).await;
    let (at, over) = ("v".repeat(2_048), "v".repeat(2_049));
    let many: Vec<(String, String)> = (0..200).map(|index| (format!("x-many-{index}"), "v".to_owned())).collect();
    let own = [JSON, ("x-at", &at), ("x-over", &over), ("x-empty", "")];
    let headers: Vec<_> =
        own.into_iter().chain(many.iter().map(|(name, value)| (name.as_str(), value.as_str()))).collect();
    let transaction = world.send("POST", &path, &headers, "{}").await.expect(202).id();
    world.work().await;
    let read = world.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
    let kept = read.body["meta"]["trace"]["source"]["headers"].as_object().unwrap();
    assert_eq!(
        (kept["x-at"].as_str(), kept.get("x-over"), kept["x-empty"].as_str()),
        (Some(at.as_str()), None, Some(""))
    );
    assert!(kept.len() <= 64, "{}", kept.len());
}
