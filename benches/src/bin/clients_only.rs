//! The floor under a function that speaks to AWS: Lambda's runtime and the three clients, built and not used.

use std::hint::black_box;

use aws::Clients;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    black_box(Clients::from_env().await);
    run(service_fn(|event: LambdaEvent<Value>| async move { Ok::<_, Error>(event.payload) })).await
}
