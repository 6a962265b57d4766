//! `hookwright dev` as a process: it is started, posted to, killed and started again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod dead_letters;
mod projects;
mod workflows;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How often a story asks whether something has come true before it fails. Each time is a request of its own.
const PATIENCE: usize = 20_000;

/// A running `hookwright dev`; it dies with its handle.
struct Dev {
    process: Child,
    url: String,
    token: String,
    /// What it said until it was ready.
    said: String,
}

impl Dev {
    fn start(state_dir: &Path) -> Self {
        Self::start_with(&["--state-dir", state_dir.to_str().unwrap()], Some(state_dir))
    }

    fn start_with(flags: &[&str], key_in: Option<&Path>) -> Self {
        let mut process = command(flags).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        lines.read_line(&mut said).unwrap();
        let url =
            said.split(' ').find(|word| word.starts_with("http://")).unwrap_or_else(|| panic!("{said}")).to_owned();
        // The rest is read on, so that the process never waits for a reader.
        thread::spawn(move || lines.read_to_end(&mut Vec::new()));
        let token = match key_in {
            Some(state_dir) => fs::read_to_string(state_dir.join("admin.key")).unwrap().trim().to_owned(),
            None => said.split("admin key ").nth(1).unwrap().trim().trim_end_matches(").").to_owned(),
        };
        Self { process, url, token, said }
    }

    /// A management request; the status and the document.
    fn api(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token));
        let config = ureq::Agent::config_builder().http_status_as_error(false).allow_non_standard_methods(true).build();
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let mut response = ureq::Agent::new_with_config(config).run(request.body(text).unwrap()).unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        (response.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }

    /// Sends `head` and `body` on a connection of its own, ends it, and gives all that came back.
    fn raw(&self, head: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        let head = format!("{head}\r\nHost: localhost\r\nConnection: close\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(body);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A hook whose orders become orders of their customers: the path of its address.
    fn tutorial(&self) -> String {
        let klass = json!({ "name": "order", "metadata": { "properties": { "orderIDStr": {}, "priceStr": {}, "quantityNum": {} } } });
        assert_eq!(self.api("POST", "/v1/klasses", &klass).0, 201);
        let (_, hook) = self.api("POST", "/v1/hooks/form", &json!({ "title": "Orders" }));
        let attributes = &hook["data"]["attributes"];
        let mut workflow: Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/tutorial-workflow.json")).unwrap();
        workflow["trigger"]["eventName"] = attributes["eventName"].clone();
        assert_eq!(self.api("POST", "/v1/workflows", &workflow).0, 201);
        attributes["url"].as_str().unwrap().split(&self.url).nth(1).unwrap().to_owned()
    }

    /// Says the lines to the listener for mail, one after the other, and checks the code of each answer.
    fn mail(&self, lines: &[(&str, &str)]) {
        let address = self.said.split("(mail at ").nth(1).unwrap().split(';').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let mut answers = BufReader::new(stream.try_clone().unwrap()).lines();
        for (line, code) in [("", "220"), ("HELO mail.example\r\n", "250")].iter().chain(lines) {
            stream.write_all(line.as_bytes()).unwrap();
            let answer = answers.next().unwrap().unwrap();
            assert!(answer.starts_with(code), "{line}: {answer}");
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookwright"));
    command.args(["dev", "--port", "0", "--smtp-port", "0"]).args(flags).env_clear().stdin(Stdio::null());
    command
}

/// A run of `hookwright dev` that is expected to end by itself.
fn refused(flags: &[&str]) -> Output {
    command(flags).output().unwrap()
}

fn order(number: usize) -> Value {
    json!({ "orderId": number.to_string(), "price": "$1", "quantity": 1, "email": format!("c{}@example.com", number % 7) })
}

/// How many orders are accepted before a kill, and how many one sender tries at most.
const ACCEPTED_BEFORE_KILL: usize = 60;
const ORDERS_LIMIT: usize = 200;

/// Posts orders until the server is gone; the ids of those that were accepted.
fn post_until_gone(url: &str, path: &str, first: usize, accepted_by_all: &AtomicUsize) -> Vec<String> {
    let agent = ureq::Agent::new_with_defaults();
    let mut accepted = Vec::new();
    for number in first..first + ORDERS_LIMIT {
        let request = agent.post(format!("{url}{path}")).header("content-type", "application/json");
        let Ok(mut response) = request.send(order(number).to_string()) else { break };
        let Ok(text) = response.body_mut().read_to_string() else { break };
        let answer: Value = serde_json::from_str(&text).unwrap();
        accepted.push(answer["data"]["id"].as_str().unwrap().to_owned());
        accepted_by_all.fetch_add(1, Ordering::SeqCst);
    }
    accepted
}

#[test]
fn what_was_accepted_before_a_kill_9_is_finished_after_the_next_start() {
    let state = TempDir::new().unwrap();
    let mut accepted: Vec<String> = Vec::new();
    let path = Dev::start(state.path()).tutorial();
    for round in 0..3 {
        let dev = Dev::start(state.path());
        let accepted_by_all = Arc::new(AtomicUsize::new(0));
        let senders: Vec<_> = (0..4)
            .map(|sender| {
                let (url, path, counter) = (dev.url.clone(), path.clone(), Arc::clone(&accepted_by_all));
                thread::spawn(move || post_until_gone(&url, &path, sender * 1_000_000 + round * 1_000, &counter))
            })
            .collect();
        // The executor is in the middle of things when this many have been accepted.
        while accepted_by_all.load(Ordering::SeqCst) < ACCEPTED_BEFORE_KILL {
            assert!(
                !senders.iter().all(thread::JoinHandle::is_finished),
                "the server refused or was gone before its time"
            );
            thread::yield_now();
        }
        dev.signal("-9");
        for sender in senders {
            accepted.extend(sender.join().unwrap());
        }
    }
    assert!(accepted.len() >= 3 * ACCEPTED_BEFORE_KILL, "{}", accepted.len());

    let dev = Dev::start(state.path());
    for transaction in &accepted {
        let mut state = Value::Null;
        for _ in 0..PATIENCE {
            let (_, read) = dev.api("GET", &format!("/v1/transactions/{transaction}"), &Value::Null);
            state = read["meta"]["trace"]["considered"][0]["run"]["state"].clone();
            if state == "succeeded" {
                break;
            }
        }
        assert_eq!(state, "succeeded", "{transaction}");
    }
    // Nothing twice either: each order has a number of its own. Accepted and not answered because of the kill is allowed.
    let (_, customers) = dev.api("GET", "/v1/customers?pageSize=100", &Value::Null);
    let customers = customers["data"].as_array().unwrap().clone();
    assert_eq!(customers.len(), 7, "one customer for each address");
    let mut numbers = Vec::new();
    for customer in customers {
        let mut next = Some(format!("/v1/customers/{}/timeline?pageSize=100", customer["id"].as_str().unwrap()));
        while let Some(path) = next {
            let (_, page) = dev.api("GET", &path, &Value::Null);
            numbers.extend(
                page["data"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|order| order["attributes"]["custom"]["orderIDStr"].as_str().unwrap().to_owned()),
            );
            next = page["links"]["next"].as_str().map(str::to_owned);
        }
    }
    let orders = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), orders, "no order is there twice");
    assert!(orders >= accepted.len(), "{orders} orders of {} accepted", accepted.len());
}

#[test]
fn a_body_is_cut_off_at_its_limit_however_its_length_is_told() {
    let dev = Dev::start_with(&["--memory"], None);
    let path = dev.tutorial();
    let post = |headers: &str, body: &[u8]| {
        let answer = dev.raw(
            format!("POST {path} HTTP/1.1\r\nContent-Type: text/plain\r\n{headers}").trim_end(),
            &[b"\r\n", body].concat(),
        );
        answer.split(' ').nth(1).unwrap_or("nothing").to_owned()
    };
    let chunked = |body: &[u8]| [format!("{:x}\r\n", body.len()).as_bytes(), body, b"\r\n0\r\n\r\n"].concat();
    let (at, past) = (vec![b'x'; 409_600], vec![b'x'; 409_601]);
    for (headers, body, status) in [
        ("Content-Length: 409600", at.clone(), "202"),
        ("Content-Length: 409601", past.clone(), "413"),
        // Without a length.
        ("Transfer-Encoding: chunked", chunked(&at), "202"),
        ("Transfer-Encoding: chunked", chunked(&past), "413"),
        // Lies: more was told than comes, less was told than comes, and nonsense.
        ("Content-Length: 100", b"short".to_vec(), "400"),
        ("Content-Length: 409601", b"short".to_vec(), "400"),
        ("Content-Length: 3", b"abcdef".to_vec(), "202"),
        ("Content-Length: -1", b"abc".to_vec(), "400"),
        ("Content-Length: 1\r\nContent-Length: 2", b"abc".to_vec(), "400"),
        ("Content-Length: 99999999999999999999", b"abc".to_vec(), "400"),
    ] {
        assert_eq!(post(headers, &body), status, "{headers}");
    }
}

#[test]
fn a_mail_is_for_hooks_and_whoever_else_it_names_gets_nothing() {
    let dev = Dev::start_with(&["--memory"], None);
    let (_, hook) = dev.api("POST", "/v1/hooks/email", &json!({ "title": "Orders" }));
    let hook_path = format!("/v1/hooks/email/{}", hook["data"]["id"].as_str().unwrap());
    assert_eq!(dev.api("PATCH", &hook_path, &json!({ "debug": true })).0, 200);
    let to_hook = format!("RCPT TO:<{}>\r\n", hook["data"]["attributes"]["email"].as_str().unwrap());
    let from = ("MAIL FROM:<shop@shop.example>\r\n", "250");
    let to_customer = ("RCPT TO:<ann@mail.example>\r\n", "250");
    let content = "To: ann@mail.example\r\nContent-Type: text/html\r\n\r\n\
                   <script type=\"application/ld+json\">{\"orderId\":\"1\"}</script>\r\n.\r\n";

    dev.mail(&[from, to_customer, (&to_hook, "250"), ("DATA\r\n", "354"), (content, "250 2.0.0 Ok: queued as ")]);
    let (_, taken) = dev.api("GET", &format!("{hook_path}/transactions"), &Value::Null);
    assert_eq!(taken["data"].as_array().unwrap().len(), 1, "{taken}");

    let nobody = "554 5.1.1 No email hook is among the recipients; nothing leaves this machine";
    dev.mail(&[from, to_customer, ("DATA\r\n", "354"), (content, nobody)]);
    dev.mail(&[from, ("RCPT TO:<nobody@hooks.localhost>\r\n", "550"), ("DATA\r\n", "554")]);

    let (too_large, refused) = ("MAIL FROM:<shop@shop.example> SIZE=41943041\r\n", "552 5.3.4");
    dev.mail(&[(too_large, "250"), (&to_hook, refused), (to_customer.0, refused), ("DATA\r\n", "554")]);
    let (_, refusals) = dev.api("GET", &format!("{hook_path}/refusals"), &Value::Null);
    let told: Vec<_> = refusals["data"].as_array().unwrap().iter().map(|refusal| &refusal["attributes"]).collect();
    assert_eq!(told.len(), 1, "{refusals}");
    assert_eq!(
        (&told[0]["code"], &told[0]["check"], &told[0]["bodyBytes"]),
        (&json!("mail_too_large"), &json!("mail"), &json!(41_943_041))
    );
}

#[test]
fn the_first_start_makes_a_private_key_and_later_ones_keep_it_and_its_org() {
    let state = TempDir::new().unwrap();
    let folder = state.path().join("new");
    let first = Dev::start(&folder);
    let token = first.token.clone();
    assert_eq!(first.api("GET", "/healthz", &Value::Null).0, 200);
    assert!(first.said.contains(folder.to_str().unwrap()), "{}", first.said);
    #[cfg(unix)]
    for (path, mode) in [(folder.join("admin.key"), 0o600), (folder.clone(), 0o700)] {
        let found = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }
    drop(first);

    let second = Dev::start(&folder);
    assert_eq!(second.token, token);
    assert_eq!(second.api("POST", "/v1/klasses", &json!({ "name": "order" })).0, 201);
    drop(second);

    // A key file that was lost is made anew, for the org that everything belongs to.
    fs::remove_file(folder.join("admin.key")).unwrap();
    let third = Dev::start(&folder);
    assert_ne!(third.token, token);
    assert_eq!(third.api("GET", "/v1/klasses/order", &Value::Null).0, 200);
}

#[test]
fn ctrl_c_and_sigterm_end_it_cleanly() {
    for signal in ["-INT", "-TERM"] {
        let state = TempDir::new().unwrap();
        let mut dev = Dev::start(state.path());
        dev.signal(signal);
        assert_eq!(dev.process.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn what_stands_in_its_way_is_told_in_a_sentence() {
    let state = TempDir::new().unwrap();
    let folder = state.path().to_str().unwrap();
    let dev = Dev::start(state.path());
    let port = dev.url.rsplit(':').next().unwrap();
    let file = state.path().join("file");
    fs::write(&file, "").unwrap();
    let other = TempDir::new().unwrap();
    fs::write(other.path().join("admin.key"), "nonsense").unwrap();
    for (flags, sentence) in [
        (vec!["--state-dir", folder], "another hookwright is running on"),
        (vec!["--port", port, "--memory"], "is taken by another program"),
        (vec!["--state-dir", file.to_str().unwrap()], "cannot be used"),
        (vec!["--state-dir", other.path().to_str().unwrap()], "holds no API key"),
    ] {
        // The last --port counts.
        let output = Command::new(env!("CARGO_BIN_EXE_hookwright"))
            .args(["dev", "--smtp-port", "0"])
            .args(match flags.contains(&"--port") {
                true => vec![],
                false => vec!["--port", "0"],
            })
            .args(&flags)
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(sentence), "{flags:?}: {said}");
    }
    assert!(!refused(&["--port", "70000"]).status.success());
}

#[test]
fn memory_mode_leaves_nothing_behind_but_a_key_where_it_is_told_to() {
    let state = TempDir::new().unwrap();
    let folder = state.path().to_str().unwrap().to_owned();
    let dev = Dev::start_with(&["--memory", "--state-dir", &folder], Some(state.path()));
    assert_eq!(dev.api("POST", "/v1/klasses", &json!({ "name": "order" })).0, 201);
    drop(dev);
    let left: Vec<_> = fs::read_dir(state.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["admin.key"]);
    let dev = Dev::start_with(&["--memory", "--state-dir", &folder], Some(state.path()));
    assert_eq!(dev.api("GET", "/v1/klasses", &Value::Null).1["data"], json!([]));
}
