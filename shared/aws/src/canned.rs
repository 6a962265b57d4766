//! Answers kept ready in place of a network, for tests of the adapters. They leave unused what a test did not count on.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;

/// Answers in their order, and the requests they went to.
#[derive(Debug)]
pub(crate) struct Canned {
    answers: Mutex<VecDeque<Result<HttpResponse, ConnectorError>>>,
    requests: Mutex<Vec<Seen>>,
}

/// A request as it would have left.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) uri: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// An answer with `status` and `body`.
pub(crate) fn answer(status: u16, body: &[u8]) -> Result<HttpResponse, ConnectorError> {
    Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
}

impl Canned {
    pub(crate) fn with(answers: impl IntoIterator<Item = Result<HttpResponse, ConnectorError>>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), requests: Mutex::default() })
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn s3(self: &Arc<Self>) -> aws_sdk_s3::Client {
        let conf = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .http_client(self.client())
            .build();
        aws_sdk_s3::Client::from_conf(conf)
    }

    pub(crate) fn ses(self: &Arc<Self>) -> aws_sdk_ses::Client {
        let conf = aws_sdk_ses::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(aws_sdk_ses::config::retry::RetryConfig::disabled())
            .http_client(self.client())
            .build();
        aws_sdk_ses::Client::from_conf(conf)
    }

    fn client(self: &Arc<Self>) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(Connector(Arc::clone(self)));
        http_client_fn(move |_, _| connector.clone())
    }

    /// Takes the request whole, as a server does, and gives the next answer.
    async fn call(self: Arc<Self>, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (method, uri) = (request.method().to_owned(), request.uri().to_owned());
        let body = ByteStream::new(request.into_body()).collect().await;
        let body = body.map_err(|error| ConnectorError::io(error.into()))?.to_vec();
        self.requests.lock().unwrap().push(Seen { method, uri, headers, body });
        self.answers.lock().unwrap().pop_front().expect("a request that no answer was kept for")
    }
}

#[derive(Debug)]
struct Connector(Arc<Canned>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(Arc::clone(&self.0).call(request))
    }
}
