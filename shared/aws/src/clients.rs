//! The SDK's clients, built once per process.
//!
//! Building them opens no connection and asks nobody for a region or credentials; it reads the trusted root certificates
//! once for all three, while Lambda still gives a starting function its full processor.

use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

use crate::config::{self, BucketStyle};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);

/// SES takes a mail whole before it answers, and a mail may have 10 MB.
const POST_TIMEOUT: Duration = Duration::from_secs(15);

/// One client of each service that the ports need, over one pool of connections.
#[derive(Debug, Clone)]
pub struct Clients {
    /// For [`crate::DynamoStore`].
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// For [`crate::SqsQueue`].
    pub sqs: aws_sdk_sqs::Client,
    /// For [`crate::S3Blobs`].
    pub s3: aws_sdk_s3::Client,
    sdk: SdkConfig,
}

impl Clients {
    /// The clients that the SDK's own variables describe: region, credentials, and endpoints
    /// (`AWS_ENDPOINT_URL_DYNAMODB`, `_SQS`, `_S3`, `_SES`).
    ///
    /// None of them retries; the adapters have one budget for that.
    pub async fn from_env() -> Self {
        let sdk = sdk_config().await;
        let path_style = config::bucket_style() == BucketStyle::Path;
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&sdk),
            sqs: aws_sdk_sqs::Client::new(&sdk),
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(&sdk).force_path_style(path_style).build(),
            ),
            sdk,
        }
    }

    /// For [`crate::SesPost`]. Not among the others, because one function of all sends mail.
    pub fn ses(&self) -> aws_sdk_ses::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(POST_TIMEOUT)
            .operation_timeout(POST_TIMEOUT)
            .build();
        aws_sdk_ses::Client::from_conf(aws_sdk_ses::config::Builder::from(&self.sdk).timeout_config(timeouts).build())
    }
}

async fn sdk_config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        // The default chain would ask the instance metadata service, which Lambda does not have, and wait for it.
        .region(EnvironmentVariableRegionProvider::new())
        .http_client(one_connector())
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .load()
        .await
}

/// One connector for all clients. The SDK's own HTTPS client would build one for each of them to warm up, and then
/// another for the first request, and read the root certificates every time.
pub(crate) fn one_connector() -> SharedHttpClient {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let mut connector =
        Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).connector_settings(settings);
    connector.set_sleep_impl(aws_smithy_async::rt::sleep::default_async_sleep());
    let connector = SharedHttpConnector::new(connector.build());
    http_client_fn(move |_, _| connector.clone())
}
