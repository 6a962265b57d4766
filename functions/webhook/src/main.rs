//! The front door for webhooks on Lambda: `/v1/hooks/web/…` behind an HTTP API.

#[path = "../../http_api.rs"]
mod http_api;

use std::sync::Arc;

use aws::config;
use lambda_http::Error;
use service::http::web;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let door = &aws::open_door(config::read(|reader| reader.door())?, Arc::default()).await;
    http_api::serve(|request| async move { web::receive(door, &request).await }).await
}
