//! Redirects: how many, with which method, and what another origin gets.

use bytes::Bytes;
use service::ports::{Calls, Method, Redirects, Secrecy};

use super::{CallBody, Server, Town, call, header, refusal};

/// A server that answers `/{status}/…` with that status and a redirect to `…`, and anything else with what it was asked.
async fn town() -> Town {
    let server = Server::start(|request| {
        let path = request.split(' ').nth(1).unwrap();
        let mut parts = path.splitn(3, '/').skip(1);
        let status: Option<u16> = parts.next().and_then(|status| status.parse().ok());
        match (status, parts.next()) {
            (Some(status), Some(location)) if status >= 300 => {
                format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {location}\r\ncontent-length: 3\r\n\r\nbye")
                    .into_bytes()
            }
            _ => b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec(),
        }
    })
    .await;
    Town::with(server, &[], &[])
}

#[tokio::test]
async fn the_method_and_the_body_change_as_the_status_says() {
    use Method::{Delete, Get, Head, Options, Patch, Post, Put};
    for (status, method, expected) in [
        (301, Get, Get),
        (301, Post, Get),
        (301, Put, Put),
        (301, Delete, Delete),
        (302, Head, Head),
        (302, Post, Get),
        (302, Patch, Patch),
        (303, Get, Get),
        (303, Head, Head),
        (303, Post, Get),
        (303, Put, Get),
        (303, Delete, Get),
        (303, Options, Get),
        (307, Post, Post),
        (307, Get, Get),
        (308, Post, Post),
        (308, Patch, Patch),
    ] {
        let town = town().await;
        let mut asked = call(method, &format!("http://service.example/{status}//end"));
        asked.headers = vec![header("content-type", "text/x", Secrecy::Open), header("x-kept", "1", Secrecy::Open)];
        asked.body = Some(CallBody { bytes: Bytes::from_static(b"said"), secrecy: Secrecy::Secret });
        assert_eq!(town.calls.call(&asked).await.unwrap().status, 200, "{status} {method:?}");
        let requests = town.server.requests();
        let [_, last] = &requests[..] else { panic!("{requests:?}") };
        assert!(last.starts_with(&format!("{} /end HTTP/1.1\r\n", expected.name())), "{status} {method:?}: {last}");
        let is_same = method == expected;
        assert_eq!(last.ends_with("\r\n\r\nsaid"), is_same, "{status} {method:?}: {last}");
        assert_eq!(last.contains("content-type"), is_same, "{status} {method:?}: {last}");
        assert!(last.contains("x-kept: 1\r\n"), "{status} {method:?}: {last}");
    }
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    for (count, is_followed) in [(1, true), (3, true), (4, false), (9, false)] {
        let town = town().await;
        let path = "/302/".repeat(count);
        let ended = town.get(&format!("http://service.example{path}/end")).await;
        match is_followed {
            true => assert_eq!(ended.unwrap().status, 200, "{count}"),
            false => assert_eq!(refusal(ended).code, "rest_too_many_redirects", "{count}"),
        }
        assert_eq!(town.server.requests().len(), count.min(3) + 1, "{count}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_where_it_is_to_be_kept_or_leads_nowhere() {
    let town = town().await;
    let mut asked = call(Method::Get, "http://service.example/302//end");
    asked.redirects = Redirects::Keep;
    let answer = town.calls.call(&asked).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (302, &b"bye"[..]));
    assert!(answer.headers.contains(&("location".to_owned(), "/end".to_owned())));
    for status in [300, 304, 305, 306] {
        let answer = town.get(&format!("http://service.example/{status}//end")).await.unwrap();
        assert_eq!(answer.status, status);
    }
    let silent = Town::answering(b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(silent.get("http://service.example/").await.unwrap().status, 302);
}

#[tokio::test]
async fn another_origin_gets_no_credentials_and_the_same_one_does() {
    for (location, is_same) in [
        ("/end", true),
        ("http://service.example/end", true),
        ("http://SERVICE.example:80/end", true),
        ("http://other.example/end", false),
        ("https://service.example/end", false),
    ] {
        let town = town().await;
        let mut asked = call(Method::Post, &format!("http://service.example/307/{location}"));
        asked.headers = vec![
            header("Authorization", "Basic c4n4ry", Secrecy::Open),
            header("Cookie", "session=c4n4ry", Secrecy::Open),
            header("X-Api-Key", "c4n4ry", Secrecy::Secret),
            header("Idempotency-Key", "run/step/1", Secrecy::Open),
        ];
        asked.body = Some(CallBody { bytes: Bytes::from_static(b"said"), secrecy: Secrecy::Open });
        assert_eq!(town.calls.call(&asked).await.unwrap().status, 200, "{location}");
        let last = town.server.requests().pop().unwrap();
        assert_eq!(last.matches("c4n4ry").count(), if is_same { 3 } else { 0 }, "{location}: {last}");
        assert!(last.contains("idempotency-key: run/step/1\r\n") && last.ends_with("said"), "{location}: {last}");
    }
}

#[tokio::test]
async fn what_was_dropped_on_the_way_stays_dropped() {
    let town = town().await;
    let back = "http://other.example/302/http://service.example/end";
    let mut asked = call(Method::Get, &format!("http://service.example/302/{back}"));
    asked.headers = vec![header("authorization", "c4n4ry", Secrecy::Open)];
    assert_eq!(town.calls.call(&asked).await.unwrap().status, 200);
    let requests = town.server.requests();
    assert_eq!(requests.iter().filter(|request| request.contains("c4n4ry")).count(), 1, "{requests:?}");
}

#[tokio::test]
async fn a_secret_body_goes_to_no_other_origin() {
    for (location, is_sent) in
        [("/end", true), ("http://other.example/end", false), ("https://service.example/end", false)]
    {
        let town = town().await;
        let mut asked = call(Method::Post, &format!("http://service.example/308/{location}"));
        asked.body = Some(CallBody { bytes: Bytes::from_static(b"c4n4ry"), secrecy: Secrecy::Secret });
        let ended = town.calls.call(&asked).await;
        match is_sent {
            true => assert_eq!(ended.unwrap().status, 200),
            false => {
                let failure = refusal(ended);
                assert_eq!((failure.code.as_str(), failure.status), ("rest_redirect_refused", Some(308)), "{location}");
            }
        }
        assert_eq!(town.server.requests().len(), if is_sent { 2 } else { 1 }, "{location}");
        // A body that is left behind is no reason to refuse.
        asked.url = format!("http://service.example/303/{location}");
        assert_eq!(town.calls.call(&asked).await.unwrap().status, 200, "{location}");
    }
}
