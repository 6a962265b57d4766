//! What may be fetched and what not, and what a page of this machine's own web server gives.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::web::given::GivenNames;
use crate::web::{Names, Refused, Roots};

/// *Source*: `reliability.md`, S16, and what each line adds to it.
const REFUSED: &[(&str, Refused)] = &[
    // Not a URL, or one that two readers read differently.
    ("", Refused::Malformed),
    ("example.org", Refused::Malformed),
    ("//example.org/", Refused::Malformed),
    ("https:", Refused::Malformed),
    ("https://", Refused::Malformed),
    ("https:///etc/passwd", Refused::Malformed),
    ("https:example.org", Refused::Malformed),
    ("http:127.0.0.1/", Refused::Malformed),
    ("https://example.org:", Refused::Malformed),
    ("https://example.org:99999/", Refused::Malformed),
    ("https://example.org:+443/", Refused::Malformed),
    ("https://exa mple.org/", Refused::Malformed),
    ("https://example.org/\r\nhost: b", Refused::Malformed),
    ("https://example.org\t/", Refused::Malformed),
    ("https://example.org\\@127.0.0.1/", Refused::Malformed),
    ("http://127.1.1.1:80\\@127.2.2.2:80/", Refused::Malformed),
    ("https://①②⑦.⓪.⓪.①/", Refused::Malformed),
    ("https://ⓔⓧⓐⓜⓟⓛⓔ.org/", Refused::Malformed),
    ("https://example。org/", Refused::Malformed),
    // Another scheme.
    ("http://example.org/", Refused::Scheme),
    ("http://example.org:443/", Refused::Scheme),
    ("ftp://example.org/", Refused::Scheme),
    ("gopher://example.org/", Refused::Scheme),
    ("dict://example.org/", Refused::Scheme),
    ("ldap://example.org/", Refused::Scheme),
    ("file://localhost/etc/passwd", Refused::Scheme),
    ("file:///etc/passwd", Refused::Malformed),
    ("jar:https://example.org/a!/b", Refused::Malformed),
    ("data:text/plain,a", Refused::Malformed),
    ("http://169.254.169.254/latest/meta-data/", Refused::Scheme),
    // A user name.
    ("https://user@example.org/", Refused::UserInfo),
    ("https://user:password@example.org/", Refused::UserInfo),
    ("https://example.org@127.0.0.1/", Refused::UserInfo),
    ("https://@example.org/", Refused::UserInfo),
    // Another port.
    ("https://example.org:22/", Refused::Port),
    ("https://example.org:25/", Refused::Port),
    ("https://example.org:80/", Refused::Port),
    ("https://example.org:6379/", Refused::Port),
    ("https://example.org:8443/", Refused::Port),
    ("https://example.org:0/", Refused::Port),
    ("https://127.0.0.1:9001/2018-06-01/runtime/invocation/next", Refused::Port),
    // Addresses of this machine.
    ("https://127.0.0.1/", Refused::Address),
    ("https://127.255.255.254/", Refused::Address),
    ("https://0.0.0.0/", Refused::Address),
    ("https://[::]/", Refused::Address),
    ("https://[::1]/", Refused::Address),
    ("https://[0:0:0:0:0:0:0:1]/", Refused::Address),
    ("https://[::127.0.0.1]/", Refused::Address),
    ("https://[::ffff:127.0.0.1]/", Refused::Address),
    ("https://[::ffff:7f00:1]/", Refused::Address),
    // The same in old spellings.
    ("https://0/", Refused::Malformed),
    ("https://127.1/", Refused::Malformed),
    ("https://127.0.1/", Refused::Malformed),
    ("https://2130706433/", Refused::Malformed),
    ("https://0x7f000001/", Refused::Malformed),
    ("https://0x7f.0.0.1/", Refused::Malformed),
    ("https://0177.0.0.1/", Refused::Malformed),
    ("https://127.0.0.01/", Refused::Malformed),
    ("https://127.0.0.1./", Refused::Host),
    ("https://127.0.0.1%2e/", Refused::Malformed),
    ("https://127%2e0%2e0%2e1/", Refused::Malformed),
    ("https://1.1.1.1.1/", Refused::Malformed),
    ("https://256.1.1.1/", Refused::Malformed),
    // Metadata services.
    ("https://169.254.169.254/latest/meta-data/", Refused::Address),
    ("https://169.254.170.2/v2/credentials", Refused::Address),
    ("https://169.254.100.1/", Refused::Address),
    ("https://100.100.100.200/latest/meta-data/", Refused::Address),
    ("https://192.0.0.192/opc/v2/", Refused::Address),
    ("https://168.63.129.16/machine", Refused::Address),
    ("https://[fd00:ec2::254]/", Refused::Address),
    ("https://[fd20:ce::254]/", Refused::Address),
    ("https://[::ffff:169.254.169.254]/", Refused::Address),
    ("https://[::ffff:0:169.254.169.254]/", Refused::Address),
    ("https://[64:ff9b::a9fe:a9fe]/", Refused::Address),
    ("https://[64:ff9b:1::a9fe:a9fe]/", Refused::Address),
    ("https://[2002:a9fe:a9fe::]/", Refused::Address),
    ("https://[2002:7f00:1::]/", Refused::Address),
    ("https://[2001:0:a9fe:a9fe::]/", Refused::Address),
    // Other networks that are nobody's or only somebody's.
    ("https://10.0.0.1/", Refused::Address),
    ("https://172.16.0.1/", Refused::Address),
    ("https://172.31.255.255/", Refused::Address),
    ("https://192.168.1.1/", Refused::Address),
    ("https://100.64.0.1/", Refused::Address),
    ("https://192.0.2.1/", Refused::Address),
    ("https://198.18.0.1/", Refused::Address),
    ("https://198.51.100.1/", Refused::Address),
    ("https://203.0.113.1/", Refused::Address),
    ("https://192.88.99.1/", Refused::Address),
    ("https://224.0.0.1/", Refused::Address),
    ("https://239.255.255.255/", Refused::Address),
    ("https://240.0.0.1/", Refused::Address),
    ("https://255.255.255.255/", Refused::Address),
    ("https://[fe80::1]/", Refused::Address),
    ("https://[fec0::1]/", Refused::Address),
    ("https://[fc00::1]/", Refused::Address),
    ("https://[ff02::1]/", Refused::Address),
    ("https://[100::1]/", Refused::Address),
    ("https://[2001:db8::1]/", Refused::Address),
    ("https://[3fff::1]/", Refused::Address),
    ("https://[5f00::1]/", Refused::Address),
    ("https://[fe80::1%25eth0]/", Refused::Malformed),
    ("https://[::1/", Refused::Malformed),
    ("https://[1.1.1.1]/", Refused::Malformed),
    ("https://[]/", Refused::Malformed),
    // Names of local networks.
    ("https://localhost/", Refused::Host),
    ("https://LOCALHOST/", Refused::Host),
    ("https://a.localhost/", Refused::Host),
    ("https://localhost./", Refused::Host),
    ("https://router/", Refused::Host),
    ("https://printer.local/", Refused::Host),
    ("https://metadata.google.internal/", Refused::Host),
    ("https://ip-10-0-0-1.eu-west-1.compute.internal/", Refused::Host),
    ("https://1.0.0.127.in-addr.arpa/", Refused::Host),
    ("https://example.org./", Refused::Host),
    ("https://.example.org/", Refused::Host),
    ("https://example..org/", Refused::Host),
    ("https://-a.example.org/", Refused::Host),
    ("https://a-.example.org/", Refused::Host),
    ("https://a_b.example.org/", Refused::Host),
    ("https://*.example.org/", Refused::Host),
];

const ALLOWED: &[&str] = &[
    "https://www.googleapis.com/oauth2/v3/certs",
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-56e67fcb41f6fec09b0196692625d385.pem",
    "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    "https://example.org",
    "https://example.org:443/",
    "https://EXAMPLE.ORG/a?b=c&d=%20#e",
    "https://xn--bcher-kva.example/",
    "https://a.b.c.d.example.org/~user/;p=1",
    "https://example.org/?next=https://user@127.0.0.1:22/",
    "https://123.example.org/",
    "https://1.1.1.1/",
    "https://100.63.0.1/",
    "https://[2606:4700:4700::1111]/",
    "https://[2a00:1450:4001::1]:443/",
];

#[test]
fn a_place_that_is_not_public_is_refused_before_anything_is_asked() {
    let judged: Vec<_> = REFUSED.iter().map(|(url, _)| (*url, Place::parse(url, &public()).unwrap_err())).collect();
    assert_eq!(judged, REFUSED);
    assert_eq!(Place::parse(&format!("https://example.org/{}", "a".repeat(8192)), &public()), Err(Refused::Malformed));
    assert_eq!(Place::parse(&format!("https://{}.org/", "a".repeat(64)), &public()), Err(Refused::Host));
    assert_eq!(Place::parse(&format!("https://{}org/", "a.".repeat(126)), &public()), Err(Refused::Host));
}

#[test]
fn a_public_place_is_allowed() {
    for url in ALLOWED {
        assert_eq!(Place::parse(url, &public()).map(|place| place.uri().to_string()), Ok(as_sent(url)));
    }
}

#[test]
fn local_mode_adds_this_machine_and_nothing_else() {
    let loopback = Reach::with_loopback();
    for url in [
        "http://127.0.0.1:8787/certs",
        "https://127.0.0.1:8443/",
        "http://localhost:80/",
        "http://localhost/",
        "http://[::1]:9000/",
        "https://[::1]/",
    ] {
        assert!(Place::parse(url, &loopback).is_ok(), "{url}");
    }
    for (url, refused) in REFUSED {
        let is_added =
            ["https://127.0.0.1", "https://[::1]/", "https://[0:0:0:0:0:0:0:1]/", "https://localhost/"].iter();
        let is_added = is_added.clone().any(|added| url.starts_with(added));
        assert!(is_added || Place::parse(url, &loopback) == Err(*refused), "{url}");
    }
    for url in ["ftp://127.0.0.1/", "http://127.0.0.2/", "http://a@127.0.0.1/", "http://[::ffff:127.0.0.1]/"] {
        assert!(Place::parse(url, &loopback).is_err(), "{url}");
    }
    for url in ALLOWED {
        assert!(Place::parse(url, &loopback).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_an_address_that_is_not_public_is_asked_for_once_and_not_followed() {
    for addresses in [
        &["127.0.0.1"][..],
        &["169.254.169.254"],
        &["10.0.0.1"],
        &["::1"],
        &["fd00:ec2::254"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["1.1.1.1", "127.0.0.1"],
        &["2606:4700:4700::1111", "10.0.0.1"],
        &["1.1.1.1", "fe80::1"],
    ] {
        for reach in [public(), Reach::with_loopback()] {
            let names = GivenNames::of(&[("rebinding.example.org", addresses)]);
            let web = over(&names, reach);
            let refused = web.fetch(page("https://rebinding.example.org/")).await.unwrap_err();
            assert!(refused.cause.contains("leads to an address that is not public"), "{addresses:?}: {refused}");
            assert!(!refused.cause.contains(addresses[0]), "{refused}");
            assert_eq!(*names.asked.lock().unwrap(), ["rebinding.example.org"]);
        }
    }
}

#[tokio::test]
async fn what_is_refused_as_text_is_not_even_asked_for() {
    let names = GivenNames::of(&[]);
    let web = over(&names, public());
    for (url, refused) in REFUSED {
        assert_eq!(web.fetch(page(url)).await.unwrap_err().cause, refused.to_string(), "{url}");
    }
    assert!(names.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_page_is_given_with_its_status_whatever_that_is() {
    for (head, status, body) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 4", 200, "page"),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 4", 404, "none"),
        ("HTTP/1.1 500 Oh\r\nconnection: close", 500, "sorry"),
        ("HTTP/1.1 204 No Content", 204, ""),
        ("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0", 302, ""),
        ("HTTP/1.1 307 Temporary\r\nlocation: /\r\ncontent-length: 0", 307, ""),
    ] {
        let (address, asked) = serve(format!("{head}\r\n\r\n{body}").into_bytes()).await;
        let fetched = local().fetch(page(&format!("http://{address}/a?b"))).await.unwrap();
        assert_eq!(fetched, Fetched { status, body: Bytes::from_static(body.as_bytes()) });
        assert_eq!(asked.lock().unwrap().len(), 1, "a redirect is not followed");
        assert!(asked.lock().unwrap()[0].starts_with("GET /a?b HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn a_form_is_posted_as_one() {
    let (address, asked) = serve(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec()).await;
    let form = Some("secret=a&response=b%20c".to_owned());
    let url = format!("http://localhost:{}/siteverify", address.port());
    local().fetch(FetchRequest { url, form }).await.unwrap();
    let asked = asked.lock().unwrap()[0].to_lowercase();
    assert!(asked.starts_with("post /siteverify http/1.1\r\n"), "{asked}");
    assert!(asked.contains("content-type: application/x-www-form-urlencoded\r\n"), "{asked}");
    assert!(asked.contains("content-length: 23\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: localhost:{}\r\n", address.port())), "{asked}");
    assert!(asked.ends_with("\r\n\r\nsecret=a&response=b%20c"), "{asked}");
}

#[tokio::test]
async fn a_page_at_the_limit_is_given_and_one_byte_more_is_not() {
    for (head, over) in [
        (format!("HTTP/1.1 200 OK\r\ncontent-length: {FETCH_LIMIT_BYTES}\r\n\r\n"), 0),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", FETCH_LIMIT_BYTES + 1), 1),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(), 0),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(), 1),
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(), 50_000_000),
    ] {
        let mut answer = head.clone().into_bytes();
        answer.resize(answer.len() + FETCH_LIMIT_BYTES + over, b'x');
        let (address, _) = serve(answer).await;
        let fetched = local().fetch(page(&format!("http://{address}/"))).await;
        match over {
            0 => assert_eq!(fetched.unwrap().body.len(), FETCH_LIMIT_BYTES, "{head}"),
            _ => assert_eq!(fetched.unwrap_err().cause, "the page has more than 262144 bytes", "{head}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_ends_its_answer_is_given_up() {
    for begun in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let refused = local().fetch(page(&format!("http://{address}/"))).await.unwrap_err();
        assert_eq!(refused.cause, "no whole answer came within 3 s", "{begun}");
        server.abort();
    }
}

#[tokio::test]
async fn a_broken_answer_is_an_error_with_a_sentence() {
    for answer in ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"] {
        let (address, _) = serve(answer.as_bytes().to_vec()).await;
        let refused = local().fetch(page(&format!("http://{address}/"))).await.unwrap_err();
        assert_eq!(refused.port, "web");
        assert!(!refused.cause.is_empty());
    }
}

/// The fragment stays here, and a path is at least a slash.
fn as_sent(url: &str) -> String {
    let url = url.split('#').next().unwrap_or_default().to_owned();
    if url.matches('/').count() < 3 { format!("{url}/") } else { url }
}

fn public() -> Reach {
    Reach::new(Web::Https, Vec::new())
}

fn over(names: &Arc<GivenNames>, reach: Reach) -> WebFetch {
    WebFetch { client: Client::over(Names::Given(Arc::clone(names)), Roots::System, reach) }
}

fn local() -> WebFetch {
    WebFetch::with_loopback()
}

fn page(url: &str) -> FetchRequest {
    FetchRequest { url: url.to_owned(), form: None }
}

/// A server that gives every request the same bytes and closes, and the requests it got.
async fn serve(answer: Vec<u8>) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            heard.lock().unwrap().push(String::from_utf8_lossy(&request[..length]).into_owned());
            // A client that has seen enough hangs up.
            let _ = stream.write_all(&answer).await;
        }
    });
    (address, asked)
}
