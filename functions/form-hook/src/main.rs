//! The front door for forms on Lambda: `/v1/hooks/form/…` behind an HTTP API.

use lambda_http::{Body, Error, Request, RequestExt, request::RequestContext, run, service_fn};
use service::http::{SourceAddress, at_path, form};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    aws::log_as_json();
    let door = &aws::doors::hook_door().await?;
    run(service_fn(|request: Request| async move {
        let response = form::receive(door, &whole(request)?).await;
        Ok::<_, Error>(response.map(|body| Body::from(body.to_vec())))
    }))
    .await
}

/// The request as the service takes it: at its path without the stage, its body as bytes, its source as the gateway saw it.
fn whole(request: Request) -> Result<service::http::Request, Error> {
    let path = request.raw_http_path().to_owned();
    let source = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
        Some(_) | None => None,
    };
    let mut request = at_path(request.map(|body| body.to_vec().into()), &path)?;
    if let Some(source) = source {
        request.extensions_mut().insert(SourceAddress(source));
    }
    Ok(request)
}
