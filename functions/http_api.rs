//! Requests from an HTTP API, for each function behind one. A file of its own and no crate, because only functions may
//! know Lambda.

use std::net::IpAddr;

use lambda_http::{Body, Error, Request, RequestExt, request::RequestContext, run, service_fn};
use service::http::{Response, SourceAddress, at_path};

/// Answers requests with `answer` for as long as Lambda has any.
pub(crate) async fn serve<Answered>(answer: impl Fn(service::http::Request) -> Answered + Sync) -> Result<(), Error>
where
    Answered: Future<Output = Response> + Send,
{
    let answer = &answer;
    run(service_fn(|request: Request| async move {
        let response = answer(whole(request)?).await;
        Ok::<_, Error>(response.map(|body| Body::from(body.to_vec())))
    }))
    .await
}

/// The request as the service takes it: at its path without the stage, its body as bytes, and where it came from.
fn whole(request: Request) -> Result<service::http::Request, Error> {
    let path = request.raw_http_path().to_owned();
    let source = source_address(&request);
    let mut whole = at_path(request.map(|body| body.to_vec().into()), &path)?;
    if let Some(source) = source {
        whole.extensions_mut().insert(SourceAddress(source));
    }
    Ok(whole)
}

/// Who opened the connection to API Gateway; `X-Forwarded-For` may hold anything.
fn source_address(request: &Request) -> Option<IpAddr> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else { return None };
    context.http.source_ip.as_deref()?.parse().ok()
}
