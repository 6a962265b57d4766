//! Lambda's Runtime API for one function: it hands out invocations one at a time and takes what became of them.
//!
//! The function asks for its next invocation and waits, as it does on Lambda; nobody calls it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex as StdMutex};

use domain::exact;
use http::Method;
use serde_json::Value;
use service::http::{Request, Response};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::loopback::{response, serve};

/// *Source*: Lambda Developer Guide, "Using the Lambda runtime API".
const PREFIX: &str = "/2018-06-01/runtime/";

/// When an invocation has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// Long after the story.
    Far,
    /// Before it began.
    Past,
}

/// Why an invocation gave nothing, as Lambda would tell its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    pub kind: String,
    pub message: String,
}

/// What became of an invocation.
pub(super) type Outcome = Result<Value, FunctionError>;

/// Where invocations go in.
#[derive(Clone)]
pub(super) struct Invocations(mpsc::UnboundedSender<Invocation>);

struct Invocation {
    event: String,
    deadline: Deadline,
    outcome: oneshot::Sender<Outcome>,
}

/// What the API remembers.
struct Runtime {
    waiting: Mutex<mpsc::UnboundedReceiver<Invocation>>,
    running: StdMutex<Running>,
}

#[derive(Default)]
struct Running {
    handed_out: u32,
    outcomes: HashMap<String, oneshot::Sender<Outcome>>,
}

/// Starts the API; the address is what a function finds in `AWS_LAMBDA_RUNTIME_API`.
pub(super) async fn start() -> (Invocations, SocketAddr) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let runtime = Arc::new(Runtime { waiting: Mutex::new(receiver), running: StdMutex::default() });
    let address = serve(move |request| {
        let runtime = Arc::clone(&runtime);
        async move { runtime.answer(&request).await }
    })
    .await;
    (Invocations(sender), address)
}

impl Deadline {
    /// Milliseconds since 1970.
    const fn as_header(self) -> &'static str {
        match self {
            Self::Far => "4102444800000",
            Self::Past => "1000",
        }
    }
}

impl Invocations {
    /// Gives `event` to the function, which takes it once it is done with those before.
    pub(super) fn send(&self, event: &Value, deadline: Deadline) -> oneshot::Receiver<Outcome> {
        let (outcome, decided) = oneshot::channel();
        self.0.send(Invocation { event: event.to_string(), deadline, outcome }).ok().unwrap();
        decided
    }
}

impl Runtime {
    async fn answer(&self, request: &Request) -> Response {
        let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
        let words: Vec<&str> = path.split('/').collect();
        match (request.method(), words.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => self.end(id, Ok(exact_json(request))),
            (&Method::POST, ["invocation", id, "error"]) => self.end(id, Err(told_error(request))),
            _ => response(404, "the Runtime API has no such path"),
        }
    }

    /// Waits for an invocation; a function that goes away meanwhile takes none with it.
    async fn next(&self) -> Response {
        let Some(Invocation { event, deadline, outcome }) = self.waiting.lock().await.recv().await else {
            return response(500, "the story is over");
        };
        let mut running = self.running.lock().unwrap();
        running.handed_out += 1;
        let id = format!("{:08}-0000-4000-8000-000000000000", running.handed_out);
        running.outcomes.insert(id.clone(), outcome);
        http::Response::builder()
            .header("content-type", "application/json")
            .header("lambda-runtime-aws-request-id", id)
            .header("lambda-runtime-deadline-ms", deadline.as_header())
            .header("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:000000000000:function:story")
            .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0")
            .body(event.into())
            .unwrap()
    }

    fn end(&self, id: &str, outcome: Outcome) -> Response {
        let Some(asker) = self.running.lock().unwrap().outcomes.remove(id) else {
            return response(400, "no such invocation is running");
        };
        // A story that has given up waiting does not want to know any more.
        let _ = asker.send(outcome);
        response(202, r#"{"status":"OK"}"#)
    }
}

fn exact_json(request: &Request) -> Value {
    exact::parse(str::from_utf8(request.body()).unwrap()).unwrap()
}

fn told_error(request: &Request) -> FunctionError {
    let error = exact_json(request);
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    FunctionError { kind: text("errorType"), message: text("errorMessage") }
}
