//! Bodies and queries that are built to break a reader.

use serde_json::Value;
use tests::{Answer, world::World};

use super::{JSON, hook, open_hook};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PARTS: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

/// The text of the data that an accepted request became.
async fn data(world: &World, answer: Answer) -> String {
    let transaction = answer.expect(202).id();
    world.work().await;
    let read = world.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
    read.body["data"]["attributes"]["data"].to_string()
}

#[tokio::test]
async fn json_bombs_are_refused_and_odd_json_keeps_every_digit() {
    let world = World::new().await;
    let path = open_hook(&world).await;
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|index| format!("\"k{index}\":0")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let arrays = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let digits = |count: usize| format!("{{\"a\":{}}}", "9".repeat(count));
    for (body, code) in [
        (arrays(65), "too_deep"),
        (arrays(129), "too_deep"),
        (arrays(200_000), "too_deep"),
        (objects(10_000), "too_deep"),
        ("[".repeat(409_600), "too_deep"),
        ("{\"a\":".repeat(80_000), "too_deep"),
        (keys(10_001), "too_many_keys"),
        (keys(30_000), "too_many_keys"),
        (digits(1_001), "number_too_long"),
        (digits(400_000), "number_too_long"),
        ("{\"a\":NaN}".to_owned(), "malformed_json"),
        ("{\"a\":Infinity}".to_owned(), "malformed_json"),
        ("{\"a\":+1}".to_owned(), "malformed_json"),
        ("{\"a\":0x1f}".to_owned(), "malformed_json"),
        ("{\"a\":01}".to_owned(), "malformed_json"),
        ("{\"a\":1,}".to_owned(), "malformed_json"),
        ("{'a':1}".to_owned(), "malformed_json"),
        ("{}{}".to_owned(), "malformed_json"),
        ("{} //".to_owned(), "malformed_json"),
        ("\u{0}".to_owned(), "malformed_json"),
        ("{\"a\":\"\u{1}\"}".to_owned(), "malformed_json"),
        ("\u{feff}".to_owned(), "empty_body"),
    ] {
        let shown: String = body.chars().take(30).collect();
        let answer = world.send("POST", &path, &[JSON], body).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{shown}");
        assert!(answer.text.len() < 2_000, "{shown}");
    }
    for (body, kept) in [
        ("{\"a\":1e999999,\"b\":-0,\"c\":9007199254740993,\"d\":-0.0,\"e\":1E-999999}", None),
        ("{\"a\":1,\"a\":2,\"b\":{\"c\":1,\"c\":{}}}", Some("{\"a\":2,\"b\":{\"c\":{}}}")),
        ("{\"__proto__\":{\"x\":1},\"constructor\":{\"prototype\":1},\"length\":2,\"\":3,\"a.b\":4,\"$ref\":5}", None),
        ("\u{feff}{\"a\":1}", Some("{\"a\":1}")),
        ("{\"a\":\"\\ud83d\\ude00\"}", Some("{\"a\":\"\u{1f600}\"}")),
        ("{\"a\":\"\\ud800\",\"\\udfff\":1}", Some("{\"a\":\"\u{fffd}\",\"\u{fffd}\":1}")),
        ("[]", None),
        ("null", None),
        ("-0", None),
    ] {
        let answer = world.send("POST", &path, &[JSON], body).await;
        assert_eq!(data(&world, answer).await, kept.unwrap_or(body), "{body}");
    }
    for body in [digits(1_000), arrays(64), keys(10_000), format!("{{\"{}\":1}}", "k".repeat(400_000))] {
        let answer = world.send("POST", &path, &[JSON], body.clone()).await;
        assert_eq!(data(&world, answer).await, body);
    }
}

#[tokio::test]
async fn forms_that_nest_repeat_and_lie_are_refused_or_data() {
    let world = World::new().await;
    let path = open_hook(&world).await;
    let part = |head: &str| format!("--b\r\n{head}\r\n\r\n1\r\n--b--\r\n");
    let named = "Content-Disposition: form-data; name=a";
    let label = |boundary: &str| format!("multipart/form-data; boundary={boundary}");
    let (long, longest) = (label(&"b".repeat(71)), label(&"b".repeat(70)));
    let longest_body = part(named).replace("--b", &format!("--{}", "b".repeat(70)));
    let mut wrong = Vec::new();
    for (content_type, body, status) in [
        (FORM.1, format!("a{}=1", "[b]".repeat(1_000)), 400),
        (FORM.1, "a=1&".repeat(1_001), 400),
        (FORM.1, "a&".repeat(200_000), 400),
        (FORM.1, "a[999999999]=1&a[-1]=2&a[18446744073709551616]=3".to_owned(), 202),
        (FORM.1, "__proto__[x]=1&constructor[prototype][y]=2&a[__proto__]=3&hasOwnProperty=4".to_owned(), 202),
        (FORM.1, "a[]=1&a[b]=2&a=3&a[=4&]=5&[]=6&=7&%=8&%zz=9&a[b=10".to_owned(), 202),
        (FORM.1, "_charset_=utf-7&a=%ff%fe%00".to_owned(), 202),
        (FORM.1, "&&&".to_owned(), 202),
        (PARTS.1, "--b--\r\n".to_owned(), 202),
        (PARTS.1, "--b\r\n".to_owned(), 400),
        (PARTS.1, part(&format!("{named}\r\nx-long: {}", "x".repeat(9_000))), 400),
        (PARTS.1, part(&format!("{named}; filename=\"../../etc/passwd\"; filename*=utf-8''%2e%2e%2fx")), 202),
        (PARTS.1, part(&format!("{named}\r\nContent-Type: multipart/mixed; boundary=c")), 202),
        (PARTS.1, part("Content-Disposition: form-data"), 400),
        (PARTS.1, part(named).replace("\r\n", "\n"), 400),
        (PARTS.1, format!("preamble\r\n{}epilogue", part(named)), 202),
        (PARTS.1, part(named).repeat(2), 202),
        (PARTS.1, "x".repeat(300_000), 400),
        (&long, part(named), 400),
        (&longest, longest_body, 202),
        ("multipart/form-data; boundary=", part(named), 400),
        ("multipart/form-data; boundary=\"b", part(named), 202),
        ("multipart/form-data", part(named), 400),
        ("multipart/form-data; boundary=c", part(named), 400),
    ] {
        let shown: String = format!("{content_type} {body}").chars().take(90).collect();
        let answer = world.send("POST", &path, &[("content-type", content_type)], body).await;
        if answer.status != status || answer.text.len() > 2_000 {
            wrong.push((shown, answer.status, answer.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    world.work().await;
    assert_eq!(world.queue.depth(), 0);
}

#[tokio::test]
async fn a_query_is_read_by_the_rules_of_a_form_wherever_it_stands() {
    let world = World::new().await;
    let open = serde_json::json!({ "auth": { "scheme": "none" }, "methods": ["GET", "POST"] });
    let path = hook(&world, open).await;
    for (query, status) in [
        ("__proto__[x]=1&constructor=2", 202),
        ("a=1&a=2&a[b]=3&%00=%00&%zz=%ff&=&&?=?&a=%0d%0aSet-Cookie:x", 202),
        (&"a=1&".repeat(1_001), 400),
        (&format!("a{}=1", "[b]".repeat(100)), 400),
        (&format!("a={}", "x".repeat(60_000)), 202),
    ] {
        let shown: String = query.chars().take(40).collect();
        let path = format!("{path}?{query}");
        assert_eq!(world.send("GET", &path, &[], "").await.status, status, "GET {shown}");
        assert_eq!(world.send("POST", &path, &[JSON], "{}").await.status, status, "POST {shown}");
    }
    world.work().await;
    assert_eq!(world.queue.depth(), 0);
    let answer = world.send("GET", &format!("{path}?__proto__[x]=1&a=%31"), &[], "").await;
    assert_eq!(data(&world, answer).await, "{\"__proto__\":{\"x\":\"1\"},\"a\":\"1\"}");
    world.send("GET", &path, &[], "").await.expect(400);
}

#[tokio::test]
async fn what_grows_past_a_message_on_its_way_in_is_refused_and_not_asked_for_again() {
    let world = World::new().await;
    let path = open_hook(&world).await;
    // Each of these bytes is six in JSON, and the headers come on top.
    let body = "\u{1}".repeat(166_000);
    let long = "v".repeat(2_048);
    let names: Vec<String> = (0..40).map(|index| format!("x-long-{index}")).collect();
    let mut headers: Vec<_> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
    headers.push(("content-type", "text/plain"));
    let answer = world.send("POST", &path, &headers, body.clone()).await;
    assert_eq!((answer.status, answer.code()), (413, "too_large_decoded"));
    world.send("POST", &path, &[("content-type", "text/plain")], body).await.expect(202);
    let refusals = world.get("/v1/hooks/web").await.body["data"][0]["id"].clone();
    let refusals = world.get(&format!("/v1/hooks/web/{}/refusals", refusals.as_str().unwrap())).await.expect(200);
    assert_ne!(refusals.body["data"], Value::Array(Vec::new()));
}
