//! The front door for forms on Lambda: `POST /v1/hooks/form/…` behind an HTTP API.

use std::sync::Arc;

use aws::{Clients, DynamoStore, S3Blobs, SqsQueue, SystemWorld, config};
use lambda_http::{Body, Error, Request, RequestExt, run, service_fn};
use service::{
    Door,
    http::{at_path, form},
    ports::Blobs,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let door = &door().await?;
    run(service_fn(|request: Request| async move {
        let response = form::receive(door, &whole(request)?).await;
        Ok::<_, Error>(response.map(|body| Body::from(body.to_vec())))
    }))
    .await
}

async fn door() -> Result<Door, Error> {
    let (tables, queue_url, bucket) = config::read(|reader| {
        let (tables, queue_url, bucket) = (reader.tables(), reader.queue_url(), reader.blob_bucket());
        Some((tables?, queue_url?, bucket?))
    })?;
    let clients = Clients::from_env().await;
    let world = Arc::new(SystemWorld);
    let blobs: Arc<dyn Blobs> = Arc::new(S3Blobs::new(clients.s3, bucket, world.clone()));
    Ok(Door {
        store: Arc::new(DynamoStore::new(clients.dynamodb, tables, blobs.clone(), world.clone())),
        queue: Arc::new(SqsQueue::new(clients.sqs, queue_url, world.clone())),
        blobs,
        world,
        addresses: Arc::default(),
    })
}

/// The request as the service takes it: at its path without the stage, its body as bytes.
fn whole(request: Request) -> Result<service::http::Request, Error> {
    let path = request.raw_http_path().to_owned();
    Ok(at_path(request.map(|body| body.to_vec().into()), &path)?)
}
