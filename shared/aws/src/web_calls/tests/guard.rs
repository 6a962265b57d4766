//! The guard: nothing of a long table is reached, by itself or by a redirect, and everything of another one is.

use std::sync::Arc;

use serde_json::Value;
use service::ports::{Calls, Method, NotCalled, OutgoingCall, Web};

use super::{PUBLIC, Server, Town, call, refusal};
use crate::web::{Place, Reach, Refused};

/// URLs by why they are refused. *Source*: `reliability.md`, S16, and what each line adds to it.
fn refused() -> Vec<(Refused, String, Vec<String>)> {
    let table: Value = serde_json::from_str(include_str!("refused.json")).unwrap();
    let reasons = [
        ("Malformed", Refused::Malformed),
        ("Scheme", Refused::Scheme),
        ("UserInfo", Refused::UserInfo),
        ("Port", Refused::Port),
        ("Host", Refused::Host),
        ("Address", Refused::Address),
        ("NameToAddress", Refused::NameToAddress),
    ];
    let mut rows = Vec::new();
    for (name, reason) in reasons {
        for row in table[name].as_array().unwrap() {
            let url = row.as_str().or_else(|| row["url"].as_str()).unwrap();
            rows.push((reason, url.to_owned(), texts(&row["addresses"])));
        }
    }
    rows
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The host of a URL whose host is a name.
fn name_in(url: &str) -> String {
    let host = url.split("://").nth(1).unwrap_or_default().split(['/', '?', '#']).next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().to_lowercase()
}

/// A town in which the names of the rows lead to their addresses.
async fn town_of(
    rows: &[(Refused, String, Vec<String>)],
    answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
) -> Town {
    let names: Vec<(String, Vec<String>)> = rows
        .iter()
        .filter(|row| !row.2.is_empty())
        .map(|(_, url, addresses)| (name_in(url), addresses.clone()))
        .collect();
    let names: Vec<(&str, Vec<Vec<&str>>)> = names
        .iter()
        .map(|(name, addresses)| (name.as_str(), vec![addresses.iter().map(String::as_str).collect()]))
        .collect();
    Town::with(Server::start(answer).await, &names, &[])
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn nothing_that_is_refused_is_reached() {
    let rows = refused();
    assert!(rows.len() >= 300, "{}", rows.len());
    let town = town_of(&rows, |_| OK.to_vec()).await;
    let mut wrong = Vec::new();
    for (reason, url, addresses) in &rows {
        let failure = refusal(town.get(url).await);
        let expected = super::super::refusal::of_destination(*reason);
        if NotCalled::Refused(failure.clone()) != expected {
            wrong.push((url.clone(), failure.message.clone()));
        }
        assert_eq!((failure.code.as_str(), failure.retryable), ("rest_destination_refused", false), "{url}");
        assert!(addresses.iter().all(|address| !failure.message.contains(address)), "{failure:?}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!((town.server.connections(), town.names.connected.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn nothing_that_is_refused_is_asked_for_as_a_name_where_its_text_tells() {
    let names: Vec<_> = refused();
    let town = town_of(&names, |_| OK.to_vec()).await;
    for (_, url, addresses) in names.iter().filter(|(_, _, addresses)| addresses.is_empty()) {
        refusal(town.get(url).await);
        assert!(town.names.asked.lock().unwrap().is_empty(), "{url} {addresses:?}");
    }
}

#[tokio::test]
async fn nothing_that_is_refused_is_reached_by_a_redirect() {
    let mut followed = 0;
    for status in [301, 302, 303, 307, 308] {
        let rows = refused();
        let targets: Vec<String> = rows.iter().map(|(_, url, _)| url.clone()).collect();
        let town = town_of(&rows, move |request| {
            let number: usize = request.split(['/', ' ']).nth(2).unwrap().parse().unwrap();
            format!("HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", targets[number])
                .into_bytes()
        })
        .await;
        for (number, (_, url, _)) in rows.iter().enumerate() {
            // What is relative leads to the service itself, and a line break ends the header.
            let is_absolute = url.contains(':') && !url.contains(['\r', '\n', '\0']);
            if !is_absolute {
                continue;
            }
            followed += 1;
            let ended = town.calls.call(&call(Method::Post, &format!("http://service.example/{number}"))).await;
            // Some of the texts are none that a header may hold, so that there is no answer at all.
            match ended {
                Err(NotCalled::Refused(failure)) => assert_eq!(failure.code, "rest_redirect_refused", "{url}"),
                Err(NotCalled::Broken(_)) => {}
                other => panic!("{url}: {other:?}"),
            }
            let connected = town.names.connected.lock().unwrap();
            assert!(connected.iter().all(|address| address.ip().to_string() == PUBLIC), "{url} {connected:?}");
            assert_eq!(connected.len(), town.server.requests().len(), "{url}");
        }
        assert_eq!(town.server.connections(), town.server.requests().len());
    }
    assert!(followed >= 5 * 300, "{followed}");
}

#[tokio::test]
async fn a_name_that_changes_between_the_check_and_the_connection_leads_to_what_was_checked() {
    let answers = || vec![vec![PUBLIC], vec!["169.254.169.254"], vec!["127.0.0.1"]];
    let hosts = ["rebinding.example"];
    for scheme in ["http", "https"] {
        let server = Server::start_for(&hosts, |_| OK.to_vec()).await;
        let town = Town::with(server, &[("rebinding.example", answers())], &[]);
        let url = format!("{scheme}://rebinding.example/");
        assert_eq!(town.get(&url).await.unwrap().status, 200);
        assert_eq!(*town.names.asked.lock().unwrap(), ["rebinding.example"], "it is asked for once");
        assert_eq!(town.names.connected.lock().unwrap()[0].ip().to_string(), PUBLIC);
        // The server has hung up, so the next call asks anew, and is refused.
        for _ in 0..2 {
            refusal(town.get(&url).await);
        }
        assert_eq!((town.names.connected.lock().unwrap().len(), town.server.connections()), (1, 1));
    }
}

#[tokio::test]
async fn everything_that_is_allowed_is_reached() {
    let table: Value = serde_json::from_str(include_str!("reached.json")).unwrap();
    let rows = table.as_array().unwrap();
    assert!(rows.len() >= 50, "{}", rows.len());
    for row in rows {
        let url = row["url"].as_str().unwrap();
        let (name, addresses) = (name_in(url), texts(&row["addresses"]));
        let host = match name.as_str() {
            "[2a00" => "2a00:1450:4001::1",
            name => name,
        };
        let server = Server::start_for(&[host], |_| OK.to_vec()).await;
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let allowed: Vec<&str> = row["allowed"].as_str().into_iter().collect();
        let town = Town::with(server, &[(&name, vec![addresses.clone()])], &allowed);
        let answer = town.get(url).await.unwrap_or_else(|error| panic!("{row}: {error:?}"));
        assert_eq!((answer.status, &answer.body[..], town.server.connections()), (200, &b"ok"[..], 1), "{row}");
        let connected = town.names.connected.lock().unwrap()[0];
        assert!(addresses.is_empty() || connected.ip().to_string() == addresses[0], "{row} {connected}");
        // Without the operator's word it is not reached.
        if !allowed.is_empty() {
            let judged = Place::parse(url, &Reach::new(Web::HttpsAndHttp, Vec::new()));
            assert!(judged.is_err() || name == "y.example", "{row}");
        }
    }
}

#[tokio::test]
async fn what_the_operator_allows_holds_for_this_destination_only() {
    let answers = |address| vec![vec![address]];
    for (allowed, url, address) in [
        ("orders.internal:8080", "http://orders.internal/", "10.1.2.3"),
        ("orders.internal:8080", "http://orders.internal:8081/", "10.1.2.3"),
        ("orders.internal:8080", "http://a.orders.internal:8080/", "10.1.2.3"),
        ("orders.internal:8080", "http://internal:8080/", "10.1.2.3"),
        ("orders.internal:8080", "http://10.1.2.3:8080/", ""),
        ("orders.internal:8080", "ftp://orders.internal:8080/", "10.1.2.3"),
        ("orders.internal:8080", "http://user@orders.internal:8080/", "10.1.2.3"),
        // A name never leads to where credentials lie, whoever answers for it.
        ("orders.internal", "http://orders.internal/", "169.254.169.254"),
        ("orders.internal", "http://orders.internal/", "169.254.170.2"),
        ("orders.internal", "http://orders.internal/", "fd00:ec2::254"),
        ("orders.internal", "http://orders.internal/", "fe80::1"),
        ("orders.internal", "http://orders.internal/", "::ffff:169.254.169.254"),
        ("orders.internal", "http://orders.internal/", "64:ff9b::a9fe:a9fe"),
        ("orders.internal", "http://orders.internal/", "168.63.129.16"),
        ("orders.internal", "http://orders.internal/", "100.100.100.200"),
        ("orders.internal", "http://orders.internal/", "0.0.0.0"),
        ("10.1.0.0/16", "http://10.2.0.1/", ""),
        ("10.1.0.0/16", "http://10.1.0.1:8080/", ""),
        ("10.1.0.0/16", "http://[::ffff:10.1.0.1]/", ""),
        ("10.1.0.0/16", "http://orders.internal/", "10.2.0.1"),
        ("10.1.0.0/16", "http://orders.internal/", PUBLIC),
        ("10.1.0.0/16:8080", "http://orders.internal/", "10.1.0.1"),
        ("10.1.0.0/16:8080", "http://a.example:8080/", PUBLIC),
        ("10.1.2.3", "http://10.1.2.4/", ""),
        ("fd12::/16", "http://[fd13::1]/", ""),
        ("127.0.0.1:3000", "http://127.0.0.1:9001/", ""),
        ("127.0.0.1:3000", "http://127.0.0.2:3000/", ""),
        ("localhost:3000", "http://127.0.0.1:3000/", ""),
        ("localhost:3000", "http://localhost:9001/", "127.0.0.1"),
        ("a.example:8443", "https://b.example:8443/", PUBLIC),
    ] {
        let name = name_in(url);
        let server = Server::start(|_| OK.to_vec()).await;
        let names = if address.is_empty() { Vec::new() } else { vec![(name.as_str(), answers(address))] };
        let town = Town::with(server, &names, &[allowed]);
        assert_eq!(refusal(town.get(url).await).code, "rest_destination_refused", "{allowed} {url}");
        assert_eq!(town.server.connections(), 0, "{allowed} {url}");
    }
}

#[tokio::test]
async fn an_allowed_network_opens_no_other_way_to_the_public_web() {
    let over = async |web: Web, allowed: &str, url: &str| {
        let server = Server::start(|_| OK.to_vec()).await;
        let town = Town::with(server, &[("told.example", vec![vec!["10.1.2.3"]])], &[allowed]);
        let ended = town.calls.call(&OutgoingCall { web, ..call(Method::Post, url) }).await;
        (ended, town.server.connections())
    };
    for (web, allowed, url, said) in [
        (Web::Https, "10.1.0.0/16", "http://service.example/", "https"),
        (Web::Https, "10.1.0.0/16:8080", "http://service.example:8080/", "https"),
        (Web::HttpsAndHttp, "10.1.0.0/16:8080", "http://service.example:8080/", "port"),
    ] {
        let (ended, connections) = over(web, allowed, url).await;
        let failure = refusal(ended);
        assert!(failure.message.contains(said) && connections == 0, "{url}: {}", failure.message);
    }
    for web in [Web::Https, Web::HttpsAndHttp] {
        let (ended, connections) = over(web, "10.1.0.0/16", "http://told.example/").await;
        assert_eq!((ended.unwrap().status, connections), (200, 1), "{web:?}");
    }
}

#[tokio::test]
async fn whoever_has_a_certificate_for_another_name_is_not_asked() {
    let server = Server::start_for(&["other.example"], |_| OK.to_vec()).await;
    let town = Town::with(server, &[], &[]);
    assert!(matches!(town.get("https://service.example/").await, Err(NotCalled::NotSent(_))));
    assert_eq!((town.server.connections(), town.server.requests().len()), (1, 0));
    assert_eq!(town.get("https://other.example/").await.unwrap().status, 200);
    assert!(town.server.requests()[0].to_lowercase().contains("host: other.example\r\n"));
}

#[tokio::test]
async fn whoever_is_not_there_did_not_get_the_call() {
    let town = Town::answering(OK).await;
    assert!(matches!(town.get("http://nobody.example/").await, Err(NotCalled::NotSent(_))), "an unknown name");
    let closed = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let names = crate::web::given::GivenNames::before(closed, &[("service.example", vec![vec![PUBLIC]])]);
    let calls = super::WebCalls::over(|web| {
        let names = crate::web::Names::Given(Arc::clone(&names));
        crate::web::Client::over(names, crate::web::Roots::System, Reach::new(web, Vec::new()))
    });
    let ended = calls.call(&call(Method::Post, "http://service.example/")).await;
    let Err(NotCalled::NotSent(error)) = ended else { panic!("{ended:?}") };
    assert!(error.cause.contains("no connection could be made") && !error.cause.contains("127.0.0.1"), "{error}");
}
