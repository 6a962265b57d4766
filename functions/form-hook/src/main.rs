//! The front door for forms on Lambda: `POST /v1/hooks/form/…` behind an HTTP API, and what guards a form.

#[path = "../../http_api.rs"]
mod http_api;

use std::sync::Arc;

use aws::{Clients, config};
use lambda_http::Error;
use service::http::form;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let config = config::read(|reader| reader.door())?;
    let door = &aws::open_door(&Clients::from_env().await, config, Arc::default());
    http_api::serve(|request| async move { form::receive(door, &request).await }).await
}
