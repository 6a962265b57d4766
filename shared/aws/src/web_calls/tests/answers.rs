//! What is sent, and what becomes of answers that are large, slow, cut, packed, or no HTTP.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use service::ports::{ANSWER_LIMIT_BYTES, Calls, Method, NotCalled, Secrecy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{CallBody, GivenNames, PUBLIC, Town, WebCalls, call, header, refusal};
use crate::web::{Client, Names, Reach, Roots};

const URL: &str = "http://service.example/x?y=1#z";

#[tokio::test]
async fn a_call_is_sent_as_it_is_written_and_asks_for_no_compression() {
    for (method, body, method_has_body) in [
        (Method::Get, None, false),
        (Method::Head, None, false),
        (Method::Options, None, false),
        (Method::Delete, None, false),
        (Method::Post, Some("said"), true),
        (Method::Post, None, true),
        (Method::Put, Some(""), true),
        (Method::Patch, Some("a\r\nb"), true),
        (Method::Get, Some("said"), false),
        (Method::Delete, Some("said"), false),
    ] {
        let town = Town::answering(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        let mut asked = call(method, URL);
        asked.headers = vec![header("X-Key", "a b", Secrecy::Secret), header("accept", "text/x", Secrecy::Open)];
        asked.body = body.map(|body| CallBody { bytes: Bytes::from(body), secrecy: Secrecy::Open });
        let answer = town.calls.call(&asked).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        let request = town.server.requests().pop().unwrap();
        let (head, said) = request.split_once("\r\n\r\n").unwrap();
        let mut lines: Vec<&str> = head.lines().skip(1).collect();
        lines.sort_unstable();
        let length = body.or(method_has_body.then_some("")).map(|body| format!("content-length: {}", body.len()));
        let mut expected = vec!["accept-encoding: identity", "accept: text/x"];
        expected.extend(length.as_deref());
        expected.extend(["host: service.example", "user-agent: hookwright", "x-key: a b"]);
        assert_eq!(head.lines().next().unwrap(), format!("{} /x?y=1 HTTP/1.1", method.name()));
        assert_eq!((lines, said), (expected, body.unwrap_or_default()), "{method:?}");
    }
}

#[tokio::test]
async fn a_head_of_many_lines_is_read() {
    let lines: String = (0..900).map(|number| format!("x-{number}: y\r\n")).collect();
    let answer = format!("HTTP/1.1 200 OK\r\n{lines}content-length: 2\r\n\r\nok");
    let town = Town::answering(answer.as_bytes()).await;
    let answer = town.get("http://service.example/").await.unwrap();
    assert_eq!((answer.headers.len(), &answer.body[..]), (901, &b"ok"[..]));
}

#[tokio::test]
async fn any_status_and_any_headers_are_an_answer() {
    for status in [200, 201, 204, 400, 401, 404, 409, 418, 429, 500, 503, 599, 999] {
        let town = Town::answering(format!("HTTP/1.1 {status} Some\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
        assert_eq!(town.get(URL).await.unwrap().status, status);
    }
    let answer =
        b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Name: Gr\xf6\xdfe\r\nx-empty:\r\n\r\nbody";
    let answer = Town::answering(answer).await.get(URL).await.unwrap();
    let line = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        line("set-cookie", "a=1"),
        line("set-cookie", "b=2"),
        line("x-name", "Gr\u{fffd}\u{fffd}e"),
        line("x-empty", ""),
    ];
    assert_eq!((answer.headers, &answer.body[..]), (expected.to_vec(), &b"body"[..]));
    // What comes before the answer is none.
    let early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    assert_eq!(Town::answering(early).await.get(URL).await.unwrap().body, "ok");
}

#[tokio::test]
async fn an_answer_at_the_limit_is_given_and_one_byte_more_is_not() {
    let chunked = |bytes: usize| {
        let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for chunk in vec![b'x'; bytes].chunks(100_000) {
            answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            answer.extend_from_slice(chunk);
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b"0\r\n\r\n");
        answer
    };
    let plain = |head: &str, bytes: usize| {
        let mut answer = head.as_bytes().to_vec();
        answer.resize(answer.len() + bytes, b'x');
        answer
    };
    for bytes in [ANSWER_LIMIT_BYTES, ANSWER_LIMIT_BYTES + 1, 30_000_000] {
        for answer in [
            plain(&format!("HTTP/1.1 500 Oh\r\ncontent-length: {bytes}\r\n\r\n"), bytes),
            plain("HTTP/1.1 500 Oh\r\nconnection: close\r\n\r\n", bytes),
            chunked(bytes),
        ] {
            let ended = Town::answering(&answer).await.get(URL).await;
            if bytes == ANSWER_LIMIT_BYTES {
                assert_eq!(ended.unwrap().body.len(), bytes);
            } else {
                let failure = refusal(ended);
                assert_eq!((failure.code.as_str(), failure.retryable), ("rest_answer_too_large", false));
                assert!(failure.status.is_some());
            }
        }
    }
}

#[tokio::test]
async fn a_packed_answer_is_not_unpacked() {
    for (headers, is_packed) in [
        ("content-encoding: gzip", true),
        ("Content-Encoding: br", true),
        ("content-encoding: identity, gzip", true),
        ("content-encoding: deflate", true),
        ("content-encoding: zstd\r\ncontent-encoding: identity", true),
        ("transfer-encoding: gzip, chunked", true),
        ("content-encoding: identity", false),
        ("content-encoding:", false),
        ("content-type: application/gzip", false),
    ] {
        let answer = format!("HTTP/1.1 201 Created\r\n{headers}\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        let ended = Town::answering(answer.as_bytes()).await.get(URL).await;
        match is_packed {
            true => {
                let failure = refusal(ended);
                assert_eq!((failure.code.as_str(), failure.status), ("rest_answer_compressed", Some(201)), "{headers}");
            }
            false => assert_eq!(ended.unwrap().status, 201, "{headers}"),
        }
    }
    let head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 5000000\r\n\r\n";
    let town = Town::answering(head).await;
    let answer = town.calls.call(&call(Method::Head, URL)).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0), "a HEAD has no body, whatever is told of it");
}

#[tokio::test]
async fn what_is_no_whole_answer_may_have_been_carried_out() {
    let big_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(300_000));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(5_000));
    for answer in [
        &b""[..],
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\0c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
        big_head.as_bytes(),
        many.as_bytes(),
    ] {
        let town = Town::answering(answer).await;
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(80)]).into_owned();
        let ended = town.calls.call(&call(Method::Post, URL)).await;
        let Err(NotCalled::Broken(error)) = ended else { panic!("{shown}: {ended:?}") };
        assert!(error.port == "calls" && !error.cause.is_empty(), "{shown}");
        assert_eq!(town.server.requests().len(), 1, "{shown}: nothing is tried again here");
    }
}

/// A listener that takes a request, begins its answer, goes on with `drip` for ever, and never ends it.
async fn slow_calls(begun: &'static [u8], drip: &'static [u8]) -> (WebCalls, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let names = GivenNames::before(listener.local_addr().unwrap(), &[("service.example", vec![vec![PUBLIC]])]);
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(begun).await;
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if stream.write_all(drip).await.is_err() {
                return;
            }
        }
    });
    let client = |web| Client::over(Names::Given(Arc::clone(&names)), Roots::System, Reach::new(web, Vec::new()));
    (WebCalls::over(client), server)
}

#[tokio::test(start_paused = true)]
async fn who_never_ends_an_answer_is_given_up_at_the_deadline() {
    for (begun, drip) in [
        (&b""[..], &b""[..]),
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ] {
        let (calls, server) = slow_calls(begun, drip).await;
        let ended = calls.call(&call(Method::Get, URL)).await;
        let shown = String::from_utf8_lossy(begun);
        let Err(NotCalled::TimedOut(error)) = ended else { panic!("{shown}: {ended:?}") };
        assert_eq!(error.cause, "no whole answer came within 5000 ms", "{shown}");
        server.abort();
    }
}
