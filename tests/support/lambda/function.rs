//! A function binary as a process of its own, under a Runtime API of its own.
//!
//! It sees the environment it is given and nothing of the test's. It dies with its handle.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use super::runtime_api::{self, Deadline, FunctionError, Invocations};

/// How long a story waits for a function before it fails. Generous: nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running function.
pub struct Function {
    process: Mutex<Child>,
    invocations: Invocations,
    output: Arc<Mutex<Vec<u8>>>,
    ended: watch::Receiver<()>,
}

/// How a function ended by itself.
#[derive(Debug)]
pub struct End {
    /// What it told the system; `None` when a signal ended it.
    pub exit_code: Option<i32>,
    /// All it wrote, standard output and standard error.
    pub output: String,
}

impl Function {
    /// Starts the program at `path` with `variables`, beside those that Lambda sets for every function.
    pub async fn start(path: &str, variables: &[(String, String)]) -> Self {
        let (invocations, runtime_api) = runtime_api::start().await;
        let mut process = Command::new(path)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "story")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ACCESS_KEY_ID", "story")
            .env("AWS_SECRET_ACCESS_KEY", "story")
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();

        let output = Arc::default();
        let (both_closed, ended) = watch::channel(());
        let both_closed = Arc::new(both_closed);
        keep_output(process.stdout.take().unwrap(), &output, &both_closed);
        keep_output(process.stderr.take().unwrap(), &output, &both_closed);
        Self { process: Mutex::new(process), invocations, output, ended }
    }

    /// Invokes the function with `event`.
    ///
    /// *Errors*: what it reported in place of an answer. A function that ends fails the story.
    pub async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        self.invoke_by(event, Deadline::Far).await
    }

    /// The same with a choice of when it has to be done.
    pub async fn invoke_by(&self, event: &Value, deadline: Deadline) -> Result<Value, FunctionError> {
        let decided = self.invocations.send(event, deadline);
        let outcome = timeout(PATIENCE, async {
            tokio::select! {
                outcome = decided => outcome.ok(),
                () = self.closed() => None,
            }
        });
        outcome.await.expect("no answer from the function").expect("the function ended without an answer")
    }

    /// Waits until the function ends by itself.
    pub async fn end(&self) -> End {
        timeout(PATIENCE, self.closed()).await.expect("the function goes on");
        let status = self.process.lock().unwrap().wait().unwrap();
        End { exit_code: status.code(), output: self.output() }
    }

    /// What it has written so far.
    pub fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    /// Waits until it has closed both its outputs, which is when it has ended.
    async fn closed(&self) {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        if let Ok(process) = self.process.get_mut() {
            let _ = process.kill();
            let _ = process.wait();
        }
        if thread::panicking() {
            eprintln!("the function wrote:\n{}", self.output());
        }
    }
}

/// Reads `pipe` to its end, and lets go of `open` there.
fn keep_output(mut pipe: impl Read + Send + 'static, output: &Arc<Mutex<Vec<u8>>>, open: &Arc<watch::Sender<()>>) {
    let (output, open) = (Arc::clone(output), Arc::clone(open));
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(length @ 1..) = pipe.read(&mut bytes) {
            output.lock().unwrap().extend_from_slice(&bytes[..length]);
        }
        drop(open);
    });
}
