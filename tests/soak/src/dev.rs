//! `hookwright dev` as a child, over one state folder.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

use benches::{
    Outcome,
    api::Api,
    child::{self, Child},
};
use serde_json::{Value, json};

use crate::sink::Sink;

/// A process that lives until it is killed.
pub(crate) struct Dev {
    child: Child,
    state: PathBuf,
}

/// What orders are posted to.
pub(crate) struct Shop {
    /// The path of the hook's address.
    pub(crate) path: String,
    /// The workflow that takes them.
    pub(crate) workflow: String,
}

impl Dev {
    /// Starts one on what an earlier one has left in `state`.
    pub(crate) fn start(state: &Path, sink: &Sink) -> Outcome<Self> {
        let mut command = Command::new(child::hookwright()?);
        command.args(["dev", "--port", "0", "--smtp-port", "0", "--log", "error", "--allow-destination"]);
        command.arg(sink.address.to_string()).arg("--state-dir").arg(state);
        command.stderr(std::process::Stdio::null());
        Ok(Self { child: Child::start(command)?, state: state.to_owned() })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.child.address
    }

    /// Ends it as a power cut ends a process: with SIGKILL, which nothing can be done about.
    pub(crate) fn kill(self) -> Outcome<()> {
        drop(self.child);
        Ok(())
    }

    /// Its management API.
    pub(crate) async fn api(&self) -> Outcome<Api> {
        Api::of(&self.child, &self.state).await
    }

    /// Makes the klass, the hook and the workflow.
    pub(crate) async fn set_up(&self, sink: &Sink) -> Outcome<Shop> {
        let mut api = self.api().await?;
        api.create(
            "/v1/klasses",
            &json!({ "name": "order", "displayName": "Order", "metadata": { "properties": {} } }),
        )
        .await?;
        let hook = api.hook().await?;
        let document = include_str!("order.json").replace("EVENT", &hook.event);
        let document: Value = serde_json::from_str(&document.replace("SINK", &format!("http://{}", sink.address)))?;
        let made = api.create("/v1/workflows", &document).await?;
        let workflow = made["data"]["id"].as_str().ok_or("the workflow has no id")?.to_owned();
        Ok(Shop { path: hook.path, workflow })
    }
}
