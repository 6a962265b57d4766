//! DynamoDB in this process: the SDK's requests go to an engine on SQLite instead of a socket.
//!
//! The SDK still serialises, signs and parses, so that what works here is what works on AWS; only the wire is missing.
//! The engine has one writer, so calls wait for one another.

mod dispatch;

use std::fmt;
use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dynoxide::Database;
use service::ports::Unavailable;

pub use dispatch::answer;

/// The header that names the operation, `DynamoDB_20120810.PutItem` for example.
const TARGET_HEADER: &str = "x-amz-target";

/// An embedded DynamoDB.
#[derive(Clone)]
pub struct EmbeddedDynamo {
    database: Database,
    client: Client,
}

impl EmbeddedDynamo {
    /// The one in the SQLite file at `path`, which is made if it is not there.
    pub fn open(path: &Path) -> Result<Self, Unavailable> {
        let path = path.to_str().ok_or_else(|| unavailable("the path of the database is not UTF-8"))?;
        Database::new(path).map(Self::over).map_err(|error| unavailable(&error.to_string()))
    }

    /// One that is gone with the process.
    pub fn memory() -> Result<Self, Unavailable> {
        Database::memory().map(Self::over).map_err(|error| unavailable(&error.to_string()))
    }

    /// The SDK's client of it. It reads no environment and never retries.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// The engine itself, for [`answer`].
    pub fn database(&self) -> Database {
        self.database.clone()
    }

    /// Removes what has expired, as DynamoDB does by itself within days; says how many items that were.
    pub fn forget_expired(&self) -> Result<usize, Unavailable> {
        self.database.sweep_ttl().map_err(|error| unavailable(&error.to_string()))
    }

    fn over(database: Database) -> Self {
        let client = Client::from_conf(
            aws_sdk_dynamodb::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("local"))
                .endpoint_url("http://embedded.invalid")
                .credentials_provider(Credentials::new("local", "local", None, None, "embedded"))
                .retry_config(RetryConfig::disabled())
                // Nothing here can hang: the engine has answered when the connector returns.
                .timeout_config(TimeoutConfig::disabled())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
                .http_client(in_process(database.clone()))
                .build(),
        );
        Self { database, client }
    }
}

fn in_process(database: Database) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(InProcess { database });
    http_client_fn(move |_, _| connector.clone())
}

struct InProcess {
    database: Database,
}

impl HttpConnector for InProcess {
    /// Answers on the calling thread: the engine takes 50 to 200 microseconds, less than handing the call to another
    /// thread and back costs in throughput (`docs/local-mode.md` has the figures).
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(respond(&self.database, &request))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

fn respond(database: &Database, request: &HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let target = request.headers().get(TARGET_HEADER).unwrap_or_default();
    let body = request.body().bytes().unwrap_or_default();
    let body = str::from_utf8(body).map_err(|error| ConnectorError::user(error.into()))?;
    let (status, answer) = answer(database, target, body);
    let status = status.try_into().map_err(|error| ConnectorError::other(Box::new(error), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(answer)))
}

fn unavailable(cause: &str) -> Unavailable {
    Unavailable { port: "store", cause: cause.to_owned() }
}
