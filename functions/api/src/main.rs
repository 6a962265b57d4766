//! The front door for management on Lambda: everything below `/v1` that is no hook address, and `/healthz`.

use std::sync::Arc;

use aws::{Clients, DynamoStore, S3Blobs, SystemWorld, config};
use lambda_http::{Body, Error, Request, RequestExt, run, service_fn};
use service::{
    Management,
    http::{api::FirstKey, at_path},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let management = &management().await?;
    run(service_fn(|request: Request| async move {
        let response = management.answer(&whole(request)?).await;
        Ok::<_, Error>(response.map(|body| Body::from(body.to_vec())))
    }))
    .await
}

async fn management() -> Result<Management, Error> {
    let (tables, bucket, public_url, admin) = config::read(|reader| {
        let (tables, bucket) = (reader.tables(), reader.blob_bucket());
        let (public_url, admin) = (reader.public_url(), reader.admin());
        Some((tables?, bucket?, public_url?, admin?))
    })?;
    let clients = Clients::from_env().await;
    let world = Arc::new(SystemWorld);
    let blobs = Arc::new(S3Blobs::new(clients.s3, bucket, world.clone()));
    Ok(Management {
        store: Arc::new(DynamoStore::new(clients.dynamodb, tables, blobs, world.clone())),
        world,
        addresses: Arc::default(),
        public_url,
        first_key: admin.map(|admin| FirstKey { org: admin.org, digest: admin.key_hash }),
    })
}

/// The request as the service takes it: at its path without the stage, its body as bytes.
fn whole(request: Request) -> Result<service::http::Request, Error> {
    let path = request.raw_http_path().to_owned();
    Ok(at_path(request.map(|body| body.to_vec().into()), &path)?)
}
