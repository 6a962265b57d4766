//! The front door for webhooks on Lambda: `/v1/hooks/web/…` behind an HTTP API.

#[path = "../../http_api.rs"]
mod http_api;

use std::sync::Arc;

use aws::{Clients, config};
use lambda_http::Error;
use service::http::web;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let config = config::read(|reader| reader.door())?;
    let door = &aws::open_door(&Clients::from_env().await, config, Arc::default());
    http_api::serve(|request| async move { web::receive(door, &request).await }).await
}
