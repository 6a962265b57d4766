//! The door for forms: `POST /v1/hooks/form/{org}/{hash}` and `POST /v1/hooks/form/{hash}`, and what guards them:
//! `GET …/challenge`, `POST …/uploads`, and the script `guard.js`.

mod cors;
mod place;

use bytes::Bytes;
use domain::{Hook, HookKind, Rejected, Rejection};
use http::{HeaderValue, Method, StatusCode, header};

use super::{
    Request, Response,
    answer::{empty_response, json_response, method_not_allowed_response, not_accepted_response, tell_standing},
    arrival::{admit, admit_source, admit_upload, circumstances, label, reply},
    source_address,
};
use crate::{
    accept::{Arrival, Circumstances, Door, NotAccepted, Taken, refused_body, unknown_address},
    guard::{self, Shown, challenge, origin::Origin},
    limits::Standing,
    uploads,
};
use place::{Part, Place};

pub use place::is_for_form_door;

/// The most bytes of the description of an upload.
const UPLOAD_BODY_LIMIT_BYTES: usize = 4_096;

/// What a page loads to pass the guard.
const SCRIPT: &str = include_str!("guard.js");

/// How long browsers may keep the script. *Why*: an hour is how long a mended script may take to be everywhere.
const SCRIPT_CACHING: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Answers a request to a form hook's address.
pub async fn receive(door: &Door, request: &Request) -> Response {
    match Place::of(request.uri().path()) {
        Some(Place::Script) => script(request.method()),
        Some(Place::Hook(address, part)) => {
            let is_right_method = request.method().as_str() == part.method();
            // Anything but a browser's question is refused without a look at the hook.
            if !is_right_method
                && *request.method() != Method::OPTIONS
                && !request.headers().contains_key(header::ORIGIN)
            {
                return method_not_allowed_response("address", part.method());
            }
            match door.hook_at(HookKind::Form, address, source_address(request)).await {
                Ok(hook) => answer(door, &hook, part, request).await,
                Err(reason) => not_accepted_response(&reason),
            }
        }
        None if matches!(*request.method(), Method::POST | Method::OPTIONS) => {
            not_accepted_response(&unknown_address().into())
        }
        None => method_not_allowed_response("address", Part::Posts.method()),
    }
}

/// The script, which is the same for every page.
fn script(method: &Method) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return method_not_allowed_response("address", "GET, HEAD");
    }
    let mut response = empty_response(StatusCode::OK);
    if *method == Method::GET {
        *response.body_mut() = Bytes::from_static(SCRIPT.as_bytes());
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, SCRIPT_CACHING);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // So that a page may pin it with `integrity`.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Answers a request to a part of the hook's address, readable for the pages that the hook names.
async fn answer(door: &Door, hook: &Hook, part: Part, request: &Request) -> Response {
    let origin = Origin::of(hook.guard.as_ref(), request.headers());
    let is_preflight = *request.method() == Method::OPTIONS && matches!(origin, Origin::Allowed(_) | Origin::Foreign);
    let is_right_method = request.method().as_str() == part.method();
    let mut response = if is_preflight || is_right_method {
        let circumstances = circumstances(request, &[]);
        let answered = match origin.check() {
            Err(rejected) => Err(rejected.into()),
            Ok(()) if is_preflight => Ok(cors::preflight(part.method())),
            Ok(()) => match part {
                Part::Posts => accept(door, hook, request, &circumstances).await,
                Part::Challenge => challenge(door, hook),
                Part::Uploads => upload(door, hook, request, &circumstances).await,
            },
        };
        told(door, hook, request, &circumstances, answered).await
    } else {
        method_not_allowed_response("address", part.method())
    };
    cors::tell(&mut response, &origin);
    response
}

/// The answer. The refusal of a post is noted for the owner; that of a browser's question, or of a challenge, comes before
/// a post and would only push the notes of posts out.
async fn told(
    door: &Door,
    hook: &Hook,
    request: &Request,
    circumstances: &Circumstances,
    answered: Result<Response, NotAccepted>,
) -> Response {
    match answered {
        Ok(response) => response,
        Err(reason) => {
            if *request.method() == Method::POST {
                door.note_not_accepted(hook, &reason, circumstances, request.body().len()).await;
            }
            not_accepted_response(&reason)
        }
    }
}

async fn accept(
    door: &Door,
    hook: &Hook,
    request: &Request,
    circumstances: &Circumstances,
) -> Result<Response, NotAccepted> {
    let body_bytes = request.body().len();
    let of_source = admit_source(door, hook, circumstances, body_bytes).await?;
    let standing = admit(door, hook, circumstances, body_bytes).await?;
    let arrival = match door.read(hook, &label(request), circumstances, request.body()).await {
        Ok(arrival) => arrival,
        // The door has noted this refusal itself.
        Err(reason) => return Ok(not_accepted_response(&reason)),
    };
    let taken = take(door, hook, request, circumstances, arrival).await?;
    let mut response = reply(door, hook, hook.reply.as_ref(), taken.first()).await;
    if let Some(standing) = Standing::tightest([of_source, standing]) {
        tell_standing(&mut response, &standing);
    }
    Ok(response)
}

/// Takes what was read past the guard. The uploads are looked at in between, so that a file that has not arrived yet uses
/// up neither token nor captcha.
async fn take(
    door: &Door,
    hook: &Hook,
    request: &Request,
    circumstances: &Circumstances,
    mut arrival: Arrival,
) -> Result<Vec<Taken>, NotAccepted> {
    let data = &mut arrival.reading.data;
    let shown = match &hook.guard {
        Some(guard) => {
            let shown = Shown::take(guard, request.headers(), data)?;
            guard::check(hook, guard, &shown, arrival.created_at)?;
            Some((guard, shown))
        }
        None => None,
    };
    if hook.uploads.is_some() {
        arrival.uploads = uploads::resolve(door, hook, data).await?;
    }
    if let Some((guard, shown)) = shown {
        guard::admit(door, hook, guard, &shown, &mut arrival).await?;
    }
    door.take(hook, arrival, None, circumstances, request.body()).await
}

/// Costs nothing that a limit would have to protect: neither the store nor the web is asked.
fn challenge(door: &Door, hook: &Hook) -> Result<Response, NotAccepted> {
    let Some(guard) = hook.guard.as_ref().filter(|guard| challenge::is_asked(guard)) else {
        let detail = "This form asks for no challenge. Post without one.";
        return Err(Rejected::new(Rejection::NotFound, "no_challenge", detail).into());
    };
    let mut response = json_response(StatusCode::OK, &challenge::issue(hook, guard, door.world.as_ref())?);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

async fn upload(
    door: &Door,
    hook: &Hook,
    request: &Request,
    circumstances: &Circumstances,
) -> Result<Response, NotAccepted> {
    let Some(rule) = hook.uploads else {
        let detail = "This form takes no uploads. Send the file in a multipart form.";
        return Err(Rejected::new(Rejection::NotFound, "no_uploads", detail).into());
    };
    let of_source = admit_upload(door, hook, circumstances, request.body().len()).await?;
    let standing = admit(door, hook, circumstances, request.body().len()).await?;
    if request.body().len() > UPLOAD_BODY_LIMIT_BYTES {
        let detail = format!(
            "The description of an upload has at most {UPLOAD_BODY_LIMIT_BYTES} bytes. PUT the file itself to the address in the answer."
        );
        return Err(Rejected::new(Rejection::TooLarge, "body_too_large", detail).into());
    }
    let (mut draft, _notes) = ingest::json::parse(request.body()).map_err(refused_body)?;
    if let Some(guard) = &hook.guard {
        let shown = Shown::take(guard, request.headers(), &mut draft)?;
        guard::check_ahead(hook, guard, &shown, door.world.now())?;
    }
    let mut response = json_response(StatusCode::CREATED, &uploads::grant(door, hook, rule, draft).await?);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(standing) = Standing::tightest([of_source, standing]) {
        tell_standing(&mut response, &standing);
    }
    Ok(response)
}
