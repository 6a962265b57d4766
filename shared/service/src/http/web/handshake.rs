//! Questions by which a provider finds out whether an address expects it. None of them becomes a transaction.

use apps::{App, Handshake, Input};
use bytes::Bytes;
use domain::{Hook, Rejected, Rejection};
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::{Request, Response, empty_response, not_accepted_response};
use crate::{
    accept::{Circumstances, Diagnosis, Door, NotAccepted},
    http::answer::json_response,
    ports::{FetchRequest, Unavailable},
    runs::Reason,
};

/// The longest challenge that is given back. *Why*: ours is not the server on which a stranger shows a page.
const CHALLENGE_LIMIT_BYTES: usize = 512;

/// The answer to a handshake by `GET`; nothing when the request is none.
pub(super) async fn by_query(
    door: &Door,
    hook: &Hook,
    app: Option<&App>,
    request: &Request,
    circumstances: &Circumstances,
) -> Option<Response> {
    if *request.method() != Method::GET {
        return None;
    }
    let app = app?;
    match app.handshake()? {
        Handshake::QueryToken { challenge, token, mode } => {
            (parameter(request, &mode.0)? == mode.1).then_some(())?;
            let (challenge, token) = (parameter(request, challenge)?, parameter(request, token).unwrap_or_default());
            let expected = hook.auth.as_ref().and_then(|auth| auth.verify_token.as_ref());
            let matches = expected.is_some_and(|expected| {
                verify::handshake::token_matches(expected.reveal().as_bytes(), token.as_bytes())
            });
            if matches && is_plain(&challenge) {
                return Some(text_response(challenge));
            }
            let detail = "The verify token is not the one this hook is set to. Enter the same token on both sides.";
            let rejected = Rejected::new(Rejection::Forbidden, "bad_verify_token", detail);
            door.note_refusal(hook, &rejected, circumstances, 0, Diagnosis::default).await;
            Some(not_accepted_response(&rejected.into()))
        }
        Handshake::QueryHmac { challenge, response } => {
            let code = parameter(request, challenge).filter(|code| is_word(code))?;
            // Under another scheme the proof could be the signature of a delivery that is one word.
            let auth = hook.auth.as_ref().filter(|auth| auth.scheme == app.name())?;
            let secret = auth.secrets.first()?;
            let proof = verify::handshake::hmac_challenge(secret.reveal(), &code);
            Some(json_response(StatusCode::OK, &json!({ challenge: code, response: proof })))
        }
        Handshake::BodyEcho | Handshake::Sns => None,
    }
}

/// The answer to a handshake in a body whose sender is known; nothing when the body is none.
///
/// *Errors*: the subscription could not be confirmed; the provider asks again.
pub(super) async fn by_body(
    door: &Door,
    hook: &Hook,
    app: &App,
    input: &Input<'_>,
    circumstances: &Circumstances,
    body: &[u8],
) -> Result<Option<Response>, NotAccepted> {
    match app.handshake() {
        Some(Handshake::BodyEcho) => Ok(app.echo(input).filter(|text| is_plain(text)).map(text_response)),
        Some(Handshake::Sns) => confirm_subscription(door, hook, circumstances, body).await,
        Some(Handshake::QueryToken { .. } | Handshake::QueryHmac { .. }) | None => Ok(None),
    }
}

async fn confirm_subscription(
    door: &Door,
    hook: &Hook,
    circumstances: &Circumstances,
    body: &[u8],
) -> Result<Option<Response>, NotAccepted> {
    let topics = hook.auth.as_ref().map_or(&[][..], |auth| auth.topic_arns.as_slice());
    let url = match verify::handshake::subscribe_url(body, topics) {
        Ok(Some(url)) => url,
        Ok(None) => return Ok(None),
        Err(refusal) => {
            let detail = "The subscription is of a topic that this hook does not take, or its address is not Amazon's.";
            let rejected = Rejected::new(Rejection::Forbidden, "bad_subscription", detail);
            let sentence = format!("{refusal} Confirm the subscription in the console of Amazon SNS.");
            let diagnose = || Diagnosis {
                check: refusal.check().to_owned(),
                failure: refusal.to_string(),
                reasons: vec![Reason { code: "subscribe_url".to_owned(), sentence }],
                transaction: None,
            };
            door.note_refusal(hook, &rejected, circumstances, body.len(), diagnose).await;
            return Err(rejected.into());
        }
    };
    let confirmed = door.web.fetch(FetchRequest { url, form: None }).await?;
    if !(200..300).contains(&confirmed.status) {
        let cause = format!("the confirmation of a subscription was answered {}", confirmed.status);
        return Err(Unavailable { port: "web", cause }.into());
    }
    tracing::info!(hook.id = %hook.id, "confirmed a subscription");
    Ok(Some(empty_response(StatusCode::OK)))
}

/// The decoded query parameter; nothing when it is not there, or is there twice.
fn parameter(request: &Request, name: &str) -> Option<String> {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8().ok().map(|text| text.into_owned())
    };
    let pairs = request.uri().query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(key, _)| decode(key).is_some_and(|key| key == name));
    let (_, value) = values.next()?;
    if values.next().is_some() { None } else { decode(value) }
}

/// What is given back holds nothing that a browser or a proxy could take for more than a text.
fn is_plain(text: &str) -> bool {
    text.len() <= CHALLENGE_LIMIT_BYTES
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"'&".contains(&byte))
}

/// What is proved with the secret is a random name and nothing longer: a text of the asker's choice could be the beginning
/// of a delivery, and the proof its signature.
fn is_word(text: &str) -> bool {
    text.len() <= CHALLENGE_LIMIT_BYTES && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn text_response(text: String) -> Response {
    let mut response = empty_response(StatusCode::OK);
    *response.body_mut() = Bytes::from(text);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
